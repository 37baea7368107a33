"""Tests of `axismask mask`: masks in every form, compared bit for bit with NumPy's formula; the text of each error.

AXISMASK is the path of the program. Needs numpy and ml_dtypes. Each test runs in an empty folder of its own.
"""

import json
import os
import subprocess
import tempfile
import unittest

import ml_dtypes
import numpy as np

AXISMASK = os.path.abspath(os.environ["AXISMASK"])
LOCAL = {"name": "local", "type": "ApplyCausalSlidingWindowAttentionMask", "masked_out_value": -5.0,
         "sliding_window_size": 3}
PER_HEAD = LOCAL | {"name": "heads", "sliding_window_size": {"axis": "heads", "values": [1, 4]}}
EXPLICIT = {"name": "explicit", "type": "ApplyExplicitAttentionMask", "masked_out_value": "lowest"}
SINKS = {"name": "sinks", "type": "ApplySinksAttentionMask", "masked_out_value": "lowest", "sink_count": 2}


def keep(query, key, window):
    return (query >= key) & (query - key < window) & (key >= 0)


class MaskTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)
        with open("spec.json", "w") as file:
            json.dump({"axismask": 1, "model": "m", "layers": [LOCAL, PER_HEAD, EXPLICIT, SINKS]}, file)

    def run_mask(self, *arguments, layer="local"):
        return subprocess.run([AXISMASK, "mask", "spec.json", "--layer", layer, "--out", "mask.npy", *arguments],
                              capture_output=True, text=True)

    def mask(self, *arguments, layer="local"):
        done = self.run_mask(*arguments, layer=layer)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.printed = done.stdout
        return np.load("mask.npy")

    def refused(self, *arguments, layer="local"):
        done = self.run_mask(*arguments, layer=layer)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertFalse(os.path.exists("mask.npy"))
        return done.stderr.strip()

    def test_every_form_of_made_positions(self):
        q, k = np.arange(3, 8)[:, None], np.arange(8)[None, :]
        kept = keep(q, k, 3)
        sizes = ("--seq", "5", "--kv-seq", "8")
        np.testing.assert_array_equal(self.mask(*sizes), kept)
        self.assertEqual(self.printed, "local: q >= k && q - k < 3 && k >= 0, as 5 x 8 bool, written to mask.npy\n")
        padded = np.zeros((5, 16), bool)
        padded[:, :8] = kept
        np.testing.assert_array_equal(self.mask(*sizes, "--pad-keys", "16"), padded)
        np.testing.assert_array_equal(self.mask(*sizes, "--pad-keys", "4"), kept)
        for name, dtype in (("float32", np.float32), ("float16", np.float16), ("bfloat16", ml_dtypes.bfloat16)):
            for masked, flag in ((-np.inf, ()), (-5.0, ("--layer-value",))):
                found = self.mask(*sizes, "--form", "additive", "--dtype", name, *flag)
                if name == "bfloat16":
                    found = found.view(ml_dtypes.bfloat16)
                want = np.where(kept, 0.0, masked).astype(dtype)
                self.assertEqual(found.dtype, want.dtype)
                np.testing.assert_array_equal(found.view(np.uint8), want.view(np.uint8))
        self.assertEqual(self.mask(*sizes, "--form", "additive").dtype, np.float32)
        for order in ("little", "big"):
            for keys in (8, 11):
                query, key = np.arange(keys - 5, keys)[:, None], np.arange(keys)[None, :]
                found = self.mask("--seq", "5", "--kv-seq", str(keys), "--form", "bits", "--bit-order", order)
                np.testing.assert_array_equal(found, np.packbits(keep(query, key, 3), axis=-1, bitorder=order))
        self.assertIn("as 5 x 2 uint8, eight keys in each, written to mask.npy", self.printed)

    def test_planes_stand_before_queries_and_keys(self):
        positions = np.array([[-1, 0, 1, 2], [0, 1, 2, 3]], np.int32)
        np.save("positions.npy", positions)
        found = self.mask("--input", "token_positions=positions.npy:batch,seq")
        np.testing.assert_array_equal(found, keep(positions[:, :, None], positions[:, None, :], 3))
        found = self.mask("--input", "token_positions=positions.npy:batch,seq", layer="heads")
        want = [keep(positions[:, :, None], positions[:, None, :], window) for window in (1, 4)]
        np.testing.assert_array_equal(found, np.stack(want))  # heads, batch: in the order in which the inputs name them

    def test_a_mask_that_is_given_in_another_form(self):
        given = np.random.default_rng(1).integers(0, 2, (3, 5, 9)).astype(bool)
        np.save("given.npy", given)
        found = self.mask("--input", "mask=given.npy:batch,seq,kv_seq", "--form", "bits", layer="explicit")
        np.testing.assert_array_equal(found, np.packbits(given, axis=-1, bitorder="little"))

    def test_errors(self):
        for arguments, text in (
            (("--seq", "4", "--form", "bool8"),
             'axismask: error[usage] --form: it is "bool8"; give bool, additive or bits'),
            (("--seq", "4", "--form", "additive", "--dtype", "float8"),
             'axismask: error[usage] --dtype: it is "float8"; give float32, float16 or bfloat16'),
            (("--seq", "4", "--dtype", "float16"),
             "axismask: error[usage] --dtype: it is for --form additive; leave it out, or give --form additive"),
            (("--seq", "4", "--layer-value"),
             "axismask: error[usage] --layer-value: it is for --form additive; leave it out, or give --form additive"),
            (("--seq", "4", "--form", "bits", "--bit-order", "middle"),
             'axismask: error[usage] --bit-order: it is "middle"; give little or big'),
            (("--seq", "4", "--pad-keys", "0"), 'axismask: error[usage] --pad-keys: it is "0"; give at least 1'),
            ((), "axismask: error[usage] --seq: neither a size nor positions are given; give --seq N, or --input with "
                 "the positions"),
        ):
            self.assertEqual(self.refused(*arguments), text)
        self.assertEqual(
            self.refused("--seq", "4", layer="sinks"),
            'axismask: error[plan-axes] /layers/3/type: none of its inputs lies along "seq", so its size is not known; '
            "plan it as part of a mask that has positions of queries and keys, with & or |")


if __name__ == "__main__":
    unittest.main()
