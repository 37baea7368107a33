"""Examples run, and print what stands beside them: core_examples_test.py [NAME...], examples/python/NAME.txt."""

import pathlib
import subprocess
import sys

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples" / "python"

for name in sys.argv[1:] or ["config_explained"]:
    done = subprocess.run([sys.executable, EXAMPLES / f"{name}.py"], stdout=subprocess.PIPE, text=True, check=True)
    wanted = (EXAMPLES / f"{name}.txt").read_text(encoding="utf-8")
    if done.stdout != wanted:
        sys.exit(f"{name}.py prints\n{done.stdout}")
    print(name)
