"""Arrays of NumPy, JAX and of libraries that have __dlpack__: every dtype, any strides, no copies, nothing written that
is read only."""

import contextlib
import gc
import sys
import unittest

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
from core_cases import MODEL, kept, random_positions

import axismask
from axismask import _native

AXES = "batch heads seq kv_seq"
FLOATS = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]


class Other:
    """An array of a library that is known for __dlpack__ only; `versions` is whether it has DLPack 1."""

    def __init__(self, array, versions=True, device=None):
        self.array, self.versions, self.device = array, versions, device
        self.shape, self.dtype = array.shape, array.dtype

    def __dlpack__(self, **given):
        if not self.versions and given:
            raise TypeError("__dlpack__() got an unexpected keyword argument 'max_version'")
        return self.array.__dlpack__(**given)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


def address(array):
    return _native.describe_array(array, "array")[0]


class Arrays(unittest.TestCase):
    def case(self, random, name, dtype=np.float32):
        batch, tokens = (int(n) for n in random.integers(1, [4, 40]))
        positions = random_positions(random, batch, tokens, random.choice([np.int32, np.int64]))
        prefix = random.integers(0, 9, batch).astype(np.int32)
        logits = random.standard_normal((batch, 3, tokens, tokens)).astype(dtype)
        inputs = {"token_positions": (positions, "batch seq")}
        if name == "prefix":
            inputs["prefix_lengths"] = (prefix, "batch")
        if name == "cache":
            keys = random_positions(random, batch, tokens)
            inputs = {"queries": (positions, ("batch", "seq")), "keys": (keys, ["batch", "kv_seq"])}
            return logits, inputs, kept(name, positions, keys)
        return logits, inputs, kept(name, positions, positions, prefix)

    def test_random_calls_are_what_numpy_computes(self):
        random = np.random.default_rng(1)
        for turn in range(200):
            name = ("window", "heads", "chunk", "prefix", "cache", "sinks")[turn % 6]
            dtype = FLOATS[turn % 4]
            with self.subTest(turn=turn, layer=name, dtype=np.dtype(dtype).name):
                logits, inputs, mask = self.case(random, name, dtype)
                wanted = np.where(mask, logits, np.array(-5, dtype))
                layer = MODEL.layer(name)
                before = logits.copy()
                result = layer.apply(logits, AXES, **inputs)
                self.assertIsInstance(result, np.ndarray)
                self.assertEqual(result.dtype, logits.dtype)
                np.testing.assert_array_equal(result, wanted)
                np.testing.assert_array_equal(logits, before)
                # Into memory of other strides, and of axes in another order.
                memory = np.zeros((*logits.shape[:3], 2 * logits.shape[3]), dtype)
                self.assertIsNotNone(layer.apply(logits, AXES, out=memory[..., ::-2], **inputs))
                np.testing.assert_array_equal(memory[..., ::-2], wanted)
                self.assertFalse(memory[..., ::2].any())
                turned = np.zeros(logits.shape[::-1], dtype)
                layer.apply(logits, AXES, out=(turned, "kv_seq seq heads batch"), **inputs)
                np.testing.assert_array_equal(turned.transpose(), wanted)
                self.assertIs(layer.apply_in_place(logits, AXES, **inputs), logits)
                np.testing.assert_array_equal(logits, wanted)

    def test_nothing_is_copied(self):
        for dtype in FLOATS:
            array = np.zeros((4, 6), dtype)[1:, ::2]
            self.assertEqual(_native.describe_array(array, "array")[:2], (array.ctypes.data, (3, 3)))
        for dtype in (jnp.float32, jnp.bfloat16, jnp.int32, jnp.bool_):
            array = jnp.zeros((4, 6), dtype)
            self.assertEqual(address(array), array.unsafe_buffer_pointer())
        array = np.zeros((4, 6))
        for other in (Other(array), Other(array, versions=False), memoryview(array)):
            self.assertEqual(address(other), array.ctypes.data)

    def test_results_are_of_the_logits_library(self):
        positions = np.arange(6, dtype=np.int32)
        layer = MODEL.layer("window")
        wanted = kept("window", positions[None], positions[None])[0, 0]
        for dtype in (jnp.float32, jnp.bfloat16, jnp.float16):
            logits = jnp.ones((6, 6), dtype)
            result = layer.apply(logits, "seq kv_seq", token_positions=jnp.asarray(positions))
            self.assertIsInstance(result, jax.Array)
            self.assertEqual((result.dtype, result.devices()), (logits.dtype, logits.devices()))
            np.testing.assert_array_equal(np.asarray(result) == 1, wanted)
            np.testing.assert_array_equal(np.asarray(logits), 1)
        self.assertIsInstance(layer.mask("seq kv_seq", token_positions=jnp.asarray(positions)), jax.Array)
        self.assertIsInstance(layer.mask("seq kv_seq", token_positions=positions), np.ndarray)
        self.assertIsInstance(layer.mask("seq kv_seq", token_positions=positions, like=jnp.zeros(1)), jax.Array)
        other = layer.apply(Other(np.ones((6, 6), np.float32)), "seq kv_seq", token_positions=Other(positions))
        np.testing.assert_array_equal(other == 1, wanted)

    def test_a_result_of_jax_is_the_memory_that_was_written(self):
        made = []
        of = axismask._arrays.empty_numpy

        def spied(*given):
            made.append(of(*given))
            return made[-1]

        axismask._arrays.empty_numpy = spied
        try:
            result = MODEL.layer("window").apply(jnp.ones((64, 64)), "seq kv_seq", token_positions=np.arange(64))
        finally:
            axismask._arrays.empty_numpy = of
        self.assertEqual(result.unsafe_buffer_pointer(), made[0].ctypes.data)

    def test_what_is_read_only_is_not_written(self):
        positions = np.arange(6, dtype=np.int32)
        layer = MODEL.layer("window")
        frozen = np.ones((6, 6), np.float32)
        frozen.flags.writeable = False
        for array in (frozen, Other(frozen), jnp.ones((6, 6)), jnp.ones((6, 6), jnp.bfloat16)):
            with self.subTest(array=type(array).__name__):
                with self.assertRaises(axismask.Error) as caught:
                    layer.apply_in_place(array, "seq kv_seq", token_positions=positions)
                self.assertEqual((caught.exception.id, caught.exception.where), ("result-const", "logits"))
                out = np.ones((6, 6), np.asarray(array.array if isinstance(array, Other) else array).dtype)
                with self.assertRaises(axismask.Error) as caught:
                    layer.apply(out, "seq kv_seq", out=array, token_positions=positions)
                self.assertEqual((caught.exception.id, caught.exception.where), ("result-const", "out"))
        layer.apply(frozen, "seq kv_seq", token_positions=positions)  # reading is fine

    def test_dtypes_have_one_name_in_every_library(self):
        name = axismask._arrays.dtype_name
        for dtype, wanted in ((bool, "bool"), (np.bool_, "bool"), (np.dtype(bool), "bool"), (np.float16, "float16"),
                              (jnp.bfloat16, "bfloat16"), (np.dtype(ml_dtypes.bfloat16), "bfloat16"), (jnp.bool_, "bool"),
                              ("float32", "float32"), (float, "float64"), (jnp.zeros(1).dtype, "float32")):  # fmt: skip
            self.assertEqual(name(dtype), wanted)

    def test_an_array_lives_as_long_as_the_call(self):
        """Of the memory that calls look at nothing is kept: buffers would stop a bytearray from growing."""
        memory = bytearray(36 * 4)
        logits = np.frombuffer(memory, np.float32).reshape(6, 6)
        MODEL.layer("window").apply_in_place(logits, "seq kv_seq", token_positions=np.arange(6))
        del logits
        gc.collect()
        memory.append(0)

    def test_calls_and_refusals_keep_no_references(self):
        layer = MODEL.layer("window")
        logits, positions = np.ones((6, 6), np.float32), np.arange(6)
        bits, device = np.ones((6, 6), ml_dtypes.bfloat16), jnp.ones((6, 6), jnp.bfloat16)
        other = Other(logits)
        for array in (logits, bits, device, other):
            for axes, token_positions in (("seq kv_seq", positions), ("seq", positions), ("seq kv_seq", positions[:2]),
                                          ("seq kv_seq", logits), ("seq kv_seq", [0]), (4, positions)):  # fmt: skip
                counts = []
                for _ in range(3):
                    with contextlib.suppress(axismask.Error):
                        layer.apply(array, axes, token_positions=token_positions)
                    gc.collect()
                    counts.append([sys.getrefcount(one) for one in (logits, positions, bits, device, other, layer)])
                self.assertEqual(counts[1], counts[2])

    def test_a_layer_keeps_its_model(self):
        layer = axismask.parse(MODEL.to_json()).layer("window")
        gc.collect()
        np.testing.assert_array_equal(layer.mask("seq kv_seq", token_positions=np.arange(3)), np.tri(3, dtype=bool))


if __name__ == "__main__":
    unittest.main()
