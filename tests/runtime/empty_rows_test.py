"""What a softmax makes of rows that see nothing, by each rule of a spec: the results of the axismask program, put through
a softmax of NumPy's. `inspect` must have said the same of each layer.

AXISMASK is the path of the program. Each test runs in an empty folder of its own.
"""

import itertools
import json
import os
import shutil
import subprocess
import tempfile
import unittest

import numpy as np

AXISMASK = os.path.abspath(os.environ["AXISMASK"])

CAUSAL = "ApplyCausalAttentionMask"
WINDOW = "ApplyCausalSlidingWindowAttentionMask"
RULES = ("masked", "error", "keep_self")

# Four prompts of 9 places, padded on the left with 0, 2, 5 and 9 of them. Padding is at -1, or counts down from there.
PADS = np.array([0, 2, 5, 9])
PLACES = np.arange(9) - PADS[:, None]
POSITIONS = {"padding at -1": np.maximum(PLACES, -1), "padding counted": PLACES}
IS_PADDING = PLACES < 0


def run(*arguments):
    return subprocess.run([AXISMASK, *arguments], capture_output=True, text=True, check=False)


def softmax(logits):
    # As everyone computes it: NaN where all logits are -inf.
    with np.errstate(invalid="ignore"):
        shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


class EmptyRowsTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        os.chdir(self.folder)
        layers = [
            {"name": f"{rule} {value} {kind}", "masked_out_value": value, "empty_rows": rule, "type": kind}
            | ({"sliding_window_size": 3} if kind == WINDOW else {})
            for rule, value, kind in itertools.product(RULES, ("lowest", "-inf", -1e4), (CAUSAL, WINDOW))
        ]
        with open("spec.json", "w", encoding="utf-8") as file:
            json.dump({"axismask": 1, "model": "m", "layers": layers}, file)
        self.logits = np.random.default_rng(7).standard_normal((4, 2, 9, 9))

    def apply(self, name, positions, dtype=np.float32, *more):
        np.save("x.npy", self.logits.astype(dtype))
        np.save("p.npy", positions)
        return run(
            "apply", "spec.json", "--layer", name, "--logits", "x.npy:batch,heads,seq,kv_seq",
            "--input", "token_positions=p.npy:batch,seq", "--out", "y.npy", *more,
        )  # fmt: skip

    def weights(self, *arguments):
        """What a softmax makes of the rows of padding queries, and of the others."""
        result = self.apply(*arguments)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        weights = softmax(np.load("y.npy").astype(np.float64)).swapaxes(1, 2)  # batch, seq, heads, kv_seq
        return weights[IS_PADDING], weights[~IS_PADDING]

    def said_of(self, name):
        layers = json.loads(run("inspect", "spec.json", "--json").stdout)
        return next(layer["empty_row_softmax"] for layer in layers if layer["layer"] == name)

    def test_masked_by_a_finite_number_becomes_uniform(self):
        for value, kind, positions in itertools.product(("lowest", "-10000.0"), (CAUSAL, WINDOW), POSITIONS):
            with self.subTest(f"{value} {kind} {positions}"):
                name = f"masked {value} {kind}"
                self.assertEqual(self.said_of(name), "becomes uniform, 1/n for each of n keys")
                padding, others = self.weights(name, POSITIONS[positions])
                np.testing.assert_array_equal(padding, np.float64(1) / 9)
                self.assertTrue(np.isfinite(others).all())

    def test_masked_by_minus_infinity_becomes_nan(self):
        for kind, positions in itertools.product((CAUSAL, WINDOW), POSITIONS):
            with self.subTest(f"{kind} {positions}"):
                name = f"masked -inf {kind}"
                self.assertEqual(self.said_of(name), "becomes NaN")
                padding, others = self.weights(name, POSITIONS[positions])
                self.assertTrue(np.isnan(padding).all())
                self.assertTrue(np.isfinite(others).all())

    def test_keep_self_attends_to_itself(self):
        for value, kind, dtype, more in itertools.product(
            ("lowest", "-inf"), (CAUSAL, WINDOW), (np.float16, np.float32, np.float64), ([], ["--in-place"])
        ):
            with self.subTest(f"{value} {kind} {dtype.__name__} {more}"):
                name = f"keep_self {value} {kind}"
                self.assertEqual(self.said_of(name), "attends to itself")
                # Padding that has positions of its own: one key each, all the weight.
                padding, others = self.weights(name, POSITIONS["padding counted"], dtype, *more)
                own = np.eye(9)[np.nonzero(IS_PADDING)[1]]
                np.testing.assert_array_equal(padding, np.broadcast_to(own[:, None], padding.shape))
                # Padding at one position: all of a prompt's padding, by its logits.
                padding, others_again = self.weights(name, POSITIONS["padding at -1"], dtype, *more)
                kept = np.where(IS_PADDING[:, None, None], self.logits.astype(dtype).astype(np.float64), -np.inf)
                np.testing.assert_array_equal(padding, softmax(kept).swapaxes(1, 2)[IS_PADDING])
                # Rows that are not empty are as without the rule.
                np.testing.assert_array_equal(others, others_again)
                np.testing.assert_array_equal(others, self.weights(f"masked {value} {kind}", PLACES, dtype)[1])

    def test_error_is_refused(self):
        for value, kind, more in itertools.product(("lowest", "-inf"), (CAUSAL, WINDOW), ([], ["--in-place"])):
            with self.subTest(f"{value} {kind} {more}"):
                name = f"error {value} {kind}"
                self.assertEqual(self.said_of(name), "is refused")
                result = self.apply(name, POSITIONS["padding at -1"], np.float32, *more)
                self.assertEqual(
                    (result.returncode, result.stdout, result.stderr),
                    (
                        2,
                        "",
                        'axismask: error[empty-row] --logits: the mask keeps nothing of the row at "batch" 1, "seq" 0, '
                        "whose query is at position -1; give that query a key that it sees; if it is padding, give the "
                        'layer the empty_rows "masked" or "keep_self"\n',
                    ),
                )
                self.assertEqual(sorted(os.listdir(".")), ["p.npy", "spec.json", "x.npy"])
                # Without padding there is nothing to refuse.
                padding, others = self.weights(name, np.broadcast_to(np.arange(9), (4, 9)), np.float32, *more)
                self.assertTrue(np.isfinite(padding).all() and np.isfinite(others).all())
                os.remove("y.npy")


if __name__ == "__main__":
    unittest.main()
