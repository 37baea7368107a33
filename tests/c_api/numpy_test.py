"""libaxismask.so by ctypes: NumPy's and JAX's arrays through DLPack and through axismask_array, random masks compared
with formulas in NumPy, and arrays of the library as tensors that NumPy takes."""

import ctypes
import os
import unittest

import jax
import numpy as np

LIBRARY = ctypes.CDLL(os.environ["AXISMASK_LIBRARY"])
DTYPES = {"float16": 1, "float32": 3, "float64": 4, "int32": 5, "int64": 6, "bool": 7, "int8": 8, "int16": 9, "uint8": 10}
CAPSULE = ctypes.pythonapi
CAPSULE.PyCapsule_GetPointer.restype = ctypes.c_void_p
CAPSULE.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
CAPSULE.PyCapsule_New.restype = ctypes.py_object
CAPSULE.PyCapsule_New.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
SPEC = """{"axismask": 1, "model": "test", "layers": [
  {"name": "window", "type": "ApplyCausalSlidingWindowAttentionMask", "masked_out_value": -5, "sliding_window_size": 7},
  {"name": "heads", "type": "ApplyCausalSlidingWindowAttentionMask", "masked_out_value": -5,
   "sliding_window_size": {"axis": "heads", "values": [1, 3, 9]}},
  {"name": "chunk", "type": "ApplyChunkedAttentionMask", "masked_out_value": -5, "attention_chunk_size": 5},
  {"name": "prefix", "type": "ApplyPrefixLmAttentionMask", "masked_out_value": -5}]}"""


class Array(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("dtype", ctypes.c_int32), ("device", ctypes.c_int32),
                ("ndim", ctypes.c_int32), ("read_only", ctypes.c_int32), ("shape", ctypes.POINTER(ctypes.c_int64)),
                ("strides", ctypes.POINTER(ctypes.c_int64)), ("axes", ctypes.POINTER(ctypes.c_char_p))]


class Input(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("array", Array)]


class Error(ctypes.Structure):
    _fields_ = [(part, ctypes.c_char_p) for part in ("id", "where", "what", "cure", "line")]


LIBRARY.axismask_last_error.restype = ctypes.POINTER(Error)


def call(function, *arguments):
    if getattr(LIBRARY, "axismask_" + function)(*arguments) != 0:
        raise RuntimeError(LIBRARY.axismask_last_error().contents.line.decode())


def names(axes):
    return (ctypes.c_char_p * len(axes))(*(axis.encode() for axis in axes))


class View:
    """An axismask_array of an array, and what must live as long."""

    def __init__(self, array, *axes, way="fields"):
        self.keep = [array, names(axes)]
        self.struct = Array()
        if way == "fields":
            shape = (ctypes.c_int64 * array.ndim)(*array.shape)
            strides = (ctypes.c_int64 * array.ndim)(*(stride // array.itemsize for stride in array.strides))
            self.keep += [shape, strides]
            self.struct = Array(array.ctypes.data, DTYPES[array.dtype.name], 0, array.ndim,
                                0 if array.flags.writeable else 1, shape, strides, self.keep[1])
            return
        capsule = array.__dlpack__(max_version=(1, 0)) if way == "dlpack" else array.__dlpack__()
        self.keep.append(capsule)
        name, function = (b"dltensor_versioned", "from_dlpack") if way == "dlpack" else (b"dltensor", "from_dltensor")
        tensor = ctypes.c_void_p(CAPSULE.PyCapsule_GetPointer(capsule, name))
        call(function, tensor, self.keep[1], ctypes.c_size_t(len(axes)), ctypes.byref(self.struct))


def inputs_of(**views):
    inputs = (Input * len(views))(*(Input(name.encode(), view.struct) for name, view in views.items()))
    inputs.keep = views
    return inputs, len(views)


class Taken:
    """A tensor of the library for np.from_dlpack."""

    def __init__(self, arrays, name):
        tensor = ctypes.c_void_p()
        call("arrays_to_dlpack", arrays, name.encode(), ctypes.byref(tensor))
        self.capsule = CAPSULE.PyCapsule_New(tensor, b"dltensor_versioned", None)

    def __dlpack__(self, **_):
        return self.capsule

    def __dlpack_device__(self):
        return (1, 0)


def expected(name, q, k, prefix):
    q, k = q[..., :, None].astype(np.int64), k[..., None, :].astype(np.int64)
    if name == "window":
        kept = (q >= k) & (q - k < 7)
    elif name == "heads":
        windows = np.array([1, 3, 9]).reshape(1, 3, 1, 1)
        kept = (q >= k)[:, None] & ((q - k)[:, None] < windows)
        return kept & (k >= 0)[:, None]
    elif name == "chunk":
        kept = (q >= k) & (q // 5 == k // 5)
    else:
        kept = (q >= k) | (k < prefix[:, None, None])
    return (kept & (k >= 0))[:, None]


class CApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = ctypes.c_void_p()
        call("model_parse", SPEC.encode(), ctypes.c_size_t(len(SPEC)), b"SPEC", ctypes.byref(cls.model))

    def layer(self, name):
        layer = ctypes.c_void_p()
        call("model_layer", self.model, name.encode(), ctypes.byref(layer))
        return layer

    def case(self, random, name, way, least_batch=1):
        batch, tokens = (int(n) for n in random.integers([least_batch, 1], [4, 40]))
        positions = random.integers(-2, 30, (batch, tokens)).astype(random.choice(["int32", "int64"]))
        prefix = random.integers(0, 20, batch).astype("int32")
        given = {"token_positions": View(positions, "batch", "seq", way=way)}
        if name == "prefix":
            given["prefix_lengths"] = View(prefix, "batch", way=way)
        return positions, prefix, given, (batch, 3, tokens, tokens)

    def test_random_calls_and_masks_are_those_of_numpy(self):
        random = np.random.default_rng(1)
        for turn in range(120):
            name = ["window", "heads", "chunk", "prefix"][turn % 4]
            way = ["fields", "dlpack"][turn // 4 % 2]
            positions, prefix, given, shape = self.case(random, name, way)
            kept = np.broadcast_to(expected(name, positions, positions, prefix), shape)
            dtype = ["float16", "float32", "float64"][turn % 3]
            logits = random.standard_normal(shape[::-1]).astype(dtype).transpose(3, 2, 1, 0)  # not C order
            wanted = np.where(kept, logits, np.array(-5, dtype))
            out = np.full(shape, 9, dtype)
            inputs, count = inputs_of(**given)
            axes = ("batch", "heads", "seq", "kv_seq")
            one, other = View(logits, *axes, way=way), View(out, *axes, way=way)
            call("layer_apply", self.layer(name), ctypes.byref(one.struct), ctypes.byref(other.struct), inputs,
                 ctypes.c_size_t(count), None)
            np.testing.assert_array_equal(out, wanted)
            call("layer_apply_in_place", self.layer(name), ctypes.byref(one.struct), inputs, ctypes.c_size_t(count), None)
            np.testing.assert_array_equal(logits, wanted)
            for form, no in (("bool", False), (dtype, -np.inf)):
                mask = np.full(shape, 1, form)
                view = View(mask, *axes, way=way)
                call("write_mask", self.layer(name), ctypes.byref(view.struct), inputs, ctypes.c_size_t(count), None)
                np.testing.assert_array_equal(mask, np.where(kept, form == "bool", np.array(no, form)))

    def test_spans_are_those_of_numpy_and_come_as_tensors(self):
        random = np.random.default_rng(2)
        for name in ("window", "heads", "chunk", "prefix"):
            positions, prefix, given, shape = self.case(random, name, "fields", least_batch=2)
            inputs, count = inputs_of(**given)
            arrays = ctypes.c_void_p()
            call("spans", self.layer(name), inputs, ctypes.c_size_t(count), None, ctypes.byref(arrays))
            starts, begins, ends, sizes = (np.from_dlpack(Taken(arrays, one)) for one in ("starts", "begins", "ends", "shape"))
            call("arrays_free", arrays)  # the tensors keep the memory
            kept = expected(name, positions, positions, prefix)
            dense = np.zeros((len(starts) - 1, sizes[-1]), bool)
            for row in range(len(dense)):
                for span in range(starts[row], starts[row + 1]):
                    dense[row, begins[span]:ends[span]] = True
            planes = dense.reshape(*sizes[:-1], sizes[-1])
            if name == "heads" and sizes[0] == 3 and sizes[1] == len(positions):  # heads first
                planes = planes.transpose(1, 0, 2, 3)
            np.testing.assert_array_equal(planes.reshape(kept.shape), kept)
            self.assertFalse(starts.flags.writeable)

    def test_memory_of_the_library_is_written_and_handed_on(self):
        shape = (ctypes.c_int64 * 2)(5, 5)
        arrays = ctypes.c_void_p()
        call("arrays_new", b"mask", 7, 2, shape, names(["seq", "kv_seq"]), ctypes.byref(arrays))
        view = Array()
        call("arrays_get", arrays, b"mask", ctypes.byref(view))
        positions = np.arange(5, dtype="int32")
        inputs, count = inputs_of(token_positions=View(positions, "seq"))
        call("write_mask", self.layer("chunk"), ctypes.byref(view), inputs, ctypes.c_size_t(count), None)
        mask = np.from_dlpack(Taken(arrays, "mask"))
        call("arrays_free", arrays)
        np.testing.assert_array_equal(mask, np.tri(5, dtype=bool))
        self.assertTrue(mask.flags.writeable)

    def test_arrays_of_jax_are_read_without_a_version(self):
        positions = jax.numpy.arange(6, dtype="int32")
        mask = np.ones((6, 6), bool)
        inputs, count = inputs_of(token_positions=View(positions, "seq", way="dltensor"))
        view = View(mask, "seq", "kv_seq")
        call("write_mask", self.layer("window"), ctypes.byref(view.struct), inputs, ctypes.c_size_t(count), None)
        np.testing.assert_array_equal(mask, np.tri(6, dtype=bool))

    def test_a_read_only_tensor_is_not_written(self):
        mask = np.zeros((6, 6), bool)
        mask.flags.writeable = False
        view = View(mask, "seq", "kv_seq", way="dlpack")
        inputs, count = inputs_of(token_positions=View(np.arange(6, dtype="int32"), "seq"))
        with self.assertRaisesRegex(RuntimeError, r"error\[result-const\] out: its elements are const; give an array that"):
            call("write_mask", self.layer("window"), ctypes.byref(view.struct), inputs, ctypes.c_size_t(count), None)
        self.assertFalse(mask.any())


if __name__ == "__main__":
    unittest.main()
