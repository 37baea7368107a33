"""The examples with JAX run, and print what stands beside them: examples/python/NAME.txt."""

import pathlib
import subprocess
import sys
import unittest

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples" / "python"


class Examples(unittest.TestCase):
    def run_one(self, name):
        done = subprocess.run([sys.executable, EXAMPLES / f"{name}.py"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, (EXAMPLES / f"{name}.txt").read_text(encoding="utf-8"))

    def test_context_parallel_orders(self):
        self.run_one("context_parallel")

    def test_a_penzai_model_over_a_mesh(self):
        self.run_one("penzai_sharded")


if __name__ == "__main__":
    unittest.main()
