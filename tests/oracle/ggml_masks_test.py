"""The additive masks that `axismask mask` writes in half floats, keys filled up to a multiple of 256 as llama.cpp's cache
has them, given to ggml's flash attention and softmax: what they compute is dense attention with the mask of an independent
formula, and 0 for a row that sees nothing.

It needs ggml-python: see AXISMASK_PEERS_PYTHON in CMakeLists.txt.
"""

import ctypes
import unittest

import ggml
import numpy as np
from mask_targets_test import CASES, DEPTH, WrittenMasks, attention
from random_masks import Maker


class Ggml(WrittenMasks):
    def setUp(self):
        super().setUp()
        self.context = ggml.ggml_init(ggml.ggml_init_params(mem_size=1 << 26, mem_buffer=None, no_alloc=False))
        self.addCleanup(lambda: ggml.ggml_free(self.context))

    def tensor(self, array):
        kind = ggml.GGML_TYPE_F16 if array.dtype == np.float16 else ggml.GGML_TYPE_F32
        array = np.ascontiguousarray(array)
        made = ggml.ggml_new_tensor_4d(self.context, kind, *reversed(array.shape))
        ctypes.memmove(ggml.ggml_get_data(made), array.ctypes.data, array.nbytes)
        return made

    def result(self, node, shape):
        graph = ggml.ggml_new_graph(self.context)
        ggml.ggml_build_forward_expand(graph, node)
        self.assertEqual(ggml.ggml_graph_compute_with_ctx(self.context, graph, 1), 0)
        memory = ctypes.cast(ggml.ggml_get_data(node), ctypes.POINTER(ctypes.c_float))
        return np.ctypeslib.as_array(memory, shape).copy()

    def cases(self, form):
        """Random masks: as written, as dense ones that are filled up, and q, k, v."""
        maker = Maker(self.random, sizes=(1, 7, 33, 260))
        for _ in range(CASES):
            mask = maker.make()
            written = self.written(mask, "additive", "--dtype", form, "--pad-keys", "256")
            more = -mask.dense.shape[3] % 256
            dense = np.pad(mask.dense, ((0, 0), (0, 0), (0, 0), (0, more)))
            self.assertEqual(written.shape, dense.shape)
            self.assertEqual(written.dtype, np.dtype(form))
            yield mask, written, dense, self.heads(mask, dense.shape[2], dense.shape[3], dense.shape[3])
            ggml.ggml_reset(self.context)

    def test_flash_attention(self):
        for mask, written, dense, (q, k, v) in self.cases("float16"):
            k, v = k.astype(np.float16), v.astype(np.float16)
            node = ggml.ggml_flash_attn_ext(
                self.context, *map(self.tensor, (q, k, v, written)), DEPTH**-0.5, 0.0, 0.0)  # fmt: skip
            batch, heads, queries, _ = q.shape
            got = self.result(node, (batch, queries, heads, DEPTH)).swapaxes(1, 2)
            want = attention(q, k.astype(np.float32), v.astype(np.float32), dense)
            self.assertLess(np.abs(got - want).max(), 2e-2, str(mask))

    def test_softmax(self):
        for form in ("float16", "float32"):
            for mask, written, dense, (q, k, _) in self.cases(form):
                logits = q @ k.swapaxes(-1, -2)
                node = ggml.ggml_soft_max_ext(self.context, self.tensor(logits), self.tensor(written), DEPTH**-0.5, 0.0)
                got = self.result(node, logits.shape)
                seen = dense.any(axis=-1, keepdims=True) & np.ones_like(got, bool)
                identity = np.broadcast_to(np.eye(dense.shape[3], dtype=np.float32), (*q.shape[:2], *[dense.shape[3]] * 2))
                want = attention(q, k, identity, dense)
                self.assertLess(np.abs(got - want)[seen].max(initial=0), 1e-5, str(mask))


if __name__ == "__main__":
    unittest.main()
