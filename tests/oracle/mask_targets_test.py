"""The masks that `axismask mask` writes, bool and additive, given to onnx's reference evaluator and to ONNX Runtime: what
they compute is dense attention with the mask of an independent formula.
"""

import json
import unittest

import numpy as np
import onnx
import onnx.helper
import onnx.reference
import onnxruntime
from random_masks import Maker, WithCommand

CASES = 25
DEPTH = 16


def attention(q, k, v, dense):
    logits = np.where(dense, q @ k.swapaxes(-1, -2) / DEPTH**0.5, -np.inf)
    with np.errstate(invalid="ignore"):
        weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return np.nan_to_num(weights / weights.sum(axis=-1, keepdims=True)) @ v  # a row that sees nothing gives 0


class WrittenMasks(WithCommand):
    def run_command(self, command, mask, *more):
        done = self.call(command, mask, *more)
        self.assertEqual((done.returncode, done.stderr), (0, ""), str(mask))
        return done.stdout

    def written(self, mask, *form):
        """What the command writes, with the axes batch, heads, queries, keys."""
        self.run_command("mask", mask, "--out", self.folder / "mask.npy", "--form", *form)
        array = np.load(self.folder / "mask.npy")
        # The order of its axes is that of a plan, which has those that are longer than 1.
        planes = list(json.loads(self.run_command("plan", mask, "--json"))["plane_axes"])
        array = array.reshape(*[size for size in array.shape[:-2] if size > 1], *array.shape[-2:])
        self.assertEqual(array.ndim, len(planes) + 2)
        if planes == ["heads", "batch"]:
            array = array.swapaxes(0, 1)
        for place, axis in enumerate(["batch", "heads"]):
            if axis not in planes:
                array = np.expand_dims(array, place)
        return array

    def heads(self, mask, *lengths):
        """Random arrays [batch, heads, length, DEPTH] that the mask is for."""
        batch, heads = (size if size > 1 else 2 for size in mask.dense.shape[:2])
        return [self.random.normal(size=(batch, heads, length, DEPTH)).astype(np.float32) for length in lengths]


class Onnx(WrittenMasks):
    def outputs(self, mask, q, k, v):
        """Of the operator Attention, by onnx's reference and by ONNX Runtime."""
        kind = onnx.TensorProto.BOOL if mask.dtype == bool else onnx.TensorProto.FLOAT
        feed = {"q": q, "k": k, "v": v, "mask": mask}
        given = [onnx.helper.make_tensor_value_info(name, kind if name == "mask" else onnx.TensorProto.FLOAT, array.shape)
                 for name, array in feed.items()]  # fmt: skip
        out = [onnx.helper.make_tensor_value_info("out", onnx.TensorProto.FLOAT, None)]
        node = onnx.helper.make_node("Attention", list(feed), ["out"])
        model = onnx.helper.make_model(onnx.helper.make_graph([node], "attention", given, out),
                                       opset_imports=[onnx.helper.make_opsetid("", 23)], ir_version=10)  # fmt: skip
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        return [runs.run(None, feed)[0] for runs in (onnx.reference.ReferenceEvaluator(model), session)]

    def check(self, *form):
        maker = Maker(self.random, sizes=(1, 7, 16, 33))
        for _ in range(CASES):
            mask = maker.make()
            written = self.written(mask, *form)
            self.assertEqual(written.shape, mask.dense.shape)
            q, k, v = self.heads(mask, mask.dense.shape[2], *[mask.dense.shape[3]] * 2)
            want = attention(q, k, v, mask.dense)
            for got in self.outputs(written, q, k, v):
                self.assertLess(np.abs(got - want).max(), 1e-5, str(mask))

    def test_a_bool_mask(self):
        self.check("bool")

    def test_an_additive_mask(self):
        self.check("additive", "--dtype", "float32")


if __name__ == "__main__":
    unittest.main()
