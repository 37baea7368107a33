"""Tests of `axismask attend`: what it prints, the files it writes, and the text of each error. That the numbers are right
is for tests/oracle/attention_test.py to say.

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
CAUSAL = {"type": "ApplyCausalAttentionMask", "masked_out_value": "lowest"}
LAYERS = [
    CAUSAL | {"name": "plain"},
    CAUSAL | {"name": "scaled", "attention": {"scale": 0.5, "softcap": 2}},
    CAUSAL | {"name": "sinks", "attention": {"sinks": {"axis": "heads", "values": [1, 2, 3]}}},
]


class AttendTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)
        with open("spec.json", "w", encoding="utf-8") as file:
            json.dump({"axismask": 1, "model": "m", "layers": LAYERS}, file)
        random = np.random.default_rng(3)
        for name, shape in (("q", (2, 5, 4)), ("k", (5, 4)), ("v", (5, 3))):
            np.save(f"{name}.npy", random.normal(size=shape).astype(np.float32))
        np.save("p.npy", np.arange(5, dtype=np.int32))

    def run_attend(self, *more, layer="plain", **arrays):
        arrays = {"queries": "q.npy:heads,seq,projection", "keys": "k.npy:kv_seq,projection",
                  "values": "v.npy:kv_seq,projection"} | arrays  # fmt: skip
        words = [word for name, value in arrays.items() for word in (f"--{name}", value)]
        return subprocess.run([AXISMASK, "attend", "spec.json", "--layer", layer, *words, "--input",
                               "token_positions=p.npy:seq", "--out", "out.npy", *more],
                              capture_output=True, text=True, check=False)  # fmt: skip

    def attend(self, *more, layer="plain", **arrays):
        done = self.run_attend(*more, layer=layer, **arrays)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.printed = done.stdout
        return np.load("out.npy")

    def refused(self, *more, layer="plain", **arrays):
        before = sorted(os.listdir())
        done = self.run_attend(*more, layer=layer, **arrays)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertEqual(sorted(os.listdir()), before)
        return done.stderr.removeprefix("axismask: ").strip()

    def test_what_it_says_and_writes(self):
        out = self.attend("--lse", "lse.npy", "--threads", "1")
        self.assertEqual((out.shape, out.dtype), ((2, 5, 3), np.float32))
        self.assertRegex(self.printed, r"^plain: attention by q >= k && k >= 0: 30 elements in \d+\.\d{3} ms, "
                                       r"written to out\.npy and lse\.npy\n$")  # fmt: skip
        lse = np.load("lse.npy")
        self.assertEqual((lse.shape, lse.dtype), ((2, 5), np.float32))
        np.testing.assert_allclose(out[:, 0], np.load("v.npy")[None, 0].repeat(2, 0), rtol=1e-6)  # sees one key

    def test_the_result_has_the_queries_dtype_and_order(self):
        for name, element in (("float16", np.float16), ("bfloat16", ml_dtypes.bfloat16)):
            np.save("half.npy", np.load("q.npy").transpose(2, 0, 1).astype(element))
            out = self.attend(queries="half.npy:projection,heads,seq")
            out = out.view(ml_dtypes.bfloat16) if name == "bfloat16" else out
            self.assertEqual((out.shape, out.dtype), ((3, 2, 5), element))
        np.save("bits.npy", np.load("q.npy").astype(ml_dtypes.bfloat16).view(np.uint16))
        np.save("keys.npy", np.load("k.npy").astype(ml_dtypes.bfloat16).view(np.uint16))
        np.save("values.npy", np.load("v.npy").astype(ml_dtypes.bfloat16).view(np.uint16))
        out = self.attend("--dtype", "bfloat16", queries="bits.npy:heads,seq,projection",
                          keys="keys.npy:kv_seq,projection", values="values.npy:kv_seq,projection")  # fmt: skip
        np.testing.assert_allclose(out.view(ml_dtypes.bfloat16).astype(np.float32), self.attend(), atol=0.05)

    def test_the_spec_and_the_options(self):
        scaled, plain = self.attend(layer="scaled"), self.attend()
        self.assertGreater(np.abs(scaled - plain).max(), 1e-3)
        np.testing.assert_array_equal(self.attend("--scale", "0.5", layer="scaled"), scaled)
        self.assertGreater(np.abs(self.attend("--scale", "1", layer="scaled") - scaled).max(), 1e-3)
        np.testing.assert_array_equal(self.attend("--scale", "0.5"), plain)  # 1 / sqrt(4)

    def test_errors_of_options(self):
        for more, text in (
            (("--scale", "half"), 'error[usage] --scale: it is "half", which is no number; give one, such as 0.125'),
            (("--scale", "inf"), "error[attention-option] --scale: it is no finite number; give what scores are "
                                 "multiplied by, or none for 1 / sqrt(projection)"),
            (("--lse", "./out.npy"), "error[usage] --lse: it is the file of --out; give a file of its own"),
            (("--lse", "none/lse.npy"), "error[npy-write] none/lse.npy: there is no folder none; make the folder, or "
                                        "write to another"),
            (("--dtype", "float32"), 'error[usage] --dtype: it is "float32", and a file says all dtypes but bfloat16 '
                                     "itself; give bfloat16, or leave it out"),
            (("--threads", "-1"), "error[usage] --threads: it is -1; give at least 1, or leave it out: then there is "
                                  "one for each processor"),
            (("--projection", "depth"), 'error[attention-axes] --queries: it has no axis "depth"; it has "heads", '
                                        '"seq", "projection"; give it that axis, or name yours with --projection'),
        ):  # fmt: skip
            self.assertEqual(self.refused(*more), text)

    def test_errors_of_arrays(self):
        np.save("doubles.npy", np.zeros((5, 4)))
        for arrays, text in (
            ({"keys": "k.npy:seq,projection"},
             'error[attention-axes] --keys: it lacks the mask\'s key axis "kv_seq"; it has "seq", "projection"; give '
             "that axis of the keys this name, or the keys' own name to the layer's kv_seq_axis"),
            ({"keys": "doubles.npy:kv_seq,projection"},
             "error[attention-dtype] --keys: it holds float64; give float32, float16 or bfloat16"),
            ({"values": "v.npy:kv_seq"},
             'error[axis-count] --values: the array has the shape (5, 3), and 1 axis is named: "kv_seq"; name each axis '
             "of the file's array, in the file's order"),
            ({"queries": "q.npy"},
             'error[usage] --queries: "q.npy" is not FILE.npy:axis,axis,...; name each axis of the file\'s array after a '
             "colon, in the file's order"),
        ):
            self.assertEqual(self.refused(**arrays), text)
        self.assertEqual(
            self.refused(layer="sinks"),
            'error[axis-size] /layers/2/attention/sinks: its axis "heads" has size 3, and that of the queries has 2; '
            "give one element for each index of that axis")  # fmt: skip


if __name__ == "__main__":
    unittest.main()
