"""The text of every error that Python's part gives, and of those of the library that a caller in Python meets."""

import ctypes
import os
import pickle
import subprocess
import sys
import unittest

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"

import jax
import jax.numpy as jnp
import numpy as np
from core_cases import MODEL

import axismask
from axismask import _native, positions

POSITIONS = np.arange(4, dtype=np.int32)
LOGITS = np.ones((4, 4), np.float32)
WINDOW = MODEL.layer("window")


def apply(logits=LOGITS, axes="seq kv_seq", **given):
    return WINDOW.apply(logits, axes, **{"token_positions": (POSITIONS, "seq"), **given})


def attend(**given):
    array = np.ones((4, 2), np.float32)
    return WINDOW.attend(array, "seq projection", array, "kv_seq projection", array, "kv_seq projection",
                         **{"token_positions": POSITIONS, **given})


class OnDevice:
    """A tensor that says it is in CUDA's memory, or Metal's."""

    shape, dtype = (4, 4), "float32"

    def __init__(self, device):
        class Tensor(ctypes.Structure):
            _fields_ = [("data", ctypes.c_void_p), ("device", ctypes.c_int32), ("id", ctypes.c_int32),
                        ("ndim", ctypes.c_int32), ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8),
                        ("lanes", ctypes.c_uint16), ("shape", ctypes.c_void_p), ("strides", ctypes.c_void_p),
                        ("offset", ctypes.c_uint64)]  # fmt: skip

        self.shapes = (ctypes.c_int64 * 2)(4, 4)
        self.strides = (ctypes.c_int64 * 2)(4, 1)
        self.tensor = Tensor(4096, device, 0, 2, 2, 32, 1, ctypes.addressof(self.shapes), ctypes.addressof(self.strides), 0)
        new = ctypes.pythonapi.PyCapsule_New
        new.restype, new.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
        self.capsule = new(ctypes.addressof(self.tensor), b"dltensor", None)

    def __dlpack__(self, **_):
        return self.capsule


class Errors(unittest.TestCase):
    def refused(self, call, line):
        with self.assertRaises(axismask.Error) as caught:
            call()
        error = caught.exception
        self.assertEqual(str(error), "axismask: error" + line)
        self.assertEqual(str(error), f"axismask: error[{error.id}] {error.where}: {error.what}; {error.cure}")

    def test_an_error_has_parts_and_can_be_sent(self):
        error = axismask.Error("an-id", "options.threads", "it is bad", "mend it")
        self.assertEqual((error.id, error.where, error.what, error.cure), ("an-id", "threads", "it is bad", "mend it"))
        self.assertEqual(str(pickle.loads(pickle.dumps(error))), str(error))
        self.assertIsInstance(error, Exception)

    def test_arrays(self):
        no_array = ', and no array; give an array of NumPy, torch, JAX or CuPy, or of another library that has __dlpack__'
        dtypes = "; give float16, bfloat16, float32 or float64, int32 or int64 for positions and ids, or bool for masks"
        for call, line in (
            (lambda: apply([1.0]), "[array-type] logits: it is a list" + no_array),
            (lambda: apply(None), "[array-type] logits: it is a NoneType" + no_array),
            (lambda: apply(out=3), "[array-type] out: it is a int" + no_array),
            (lambda: apply(token_positions=([0, 1, 2, 3], "seq")), "[array-type] token_positions: it is a list" + no_array),
            (lambda: apply(token_positions=[0, 1, 2, 3]), "[array-type] token_positions: it is a list, and no array; give an "
             'array, or a pair of one and its axes, token_positions=(array, "seq")'),
            (lambda: apply(token_positions=(POSITIONS, "seq", 3)), "[array-type] token_positions: it is a tuple, and no array; "
             'give an array, or a pair of one and its axes, token_positions=(array, "seq")'),
            (lambda: apply(LOGITS.astype(np.uint16)), "[array-dtype] logits: its dtype is uint16" + dtypes),
            (lambda: apply(LOGITS.astype(">f4")), "[array-dtype] logits: its dtype is >f4" + dtypes),
            (lambda: apply(LOGITS.astype(complex)), "[array-dtype] logits: its dtype is complex128" + dtypes),
            (lambda: apply(LOGITS.astype(np.int32)), "[logits-dtype] logits: logits are floats, and this array holds int32; give "
             "float16, bfloat16, float32 or float64"),
            (lambda: apply(token_positions=POSITIONS.astype(np.int8)), "[c-dtype] token_positions.dtype: layers take no integers "
             "of 8 or 16 bits; give floats, int32, int64 or bool"),
            (lambda: apply(axes="heads seq kv_seq"), '[array-axes] logits: it has 2 axes, and 3 are named, "heads seq kv_seq"; '
             "give a name for each axis, outermost first"),
            (lambda: apply(axes=4), '[argument-type] logits: its axes are a int; give their names as one str, "heads seq kv_seq", '
             "or as a tuple of str"),
            (lambda: apply(axes=("seq", 3)), "[argument-type] logits: it is a int; give a str"),
            (lambda: apply(np.zeros((4, 4), [("a", "f4"), ("b", "i2")])["a"]), "[array-strides] logits: its axis 1 has a stride "
             "of 6 bytes, and elements have 4; give a copy of it"),
            (lambda: apply(np.ones((1,) * 17, np.float32)), "[array-rank] logits: it has 17 axes, and from 0 to 16 are possible; "
             "give an array of fewer axes"),
            (lambda: apply(OnDevice(8)), "[c-dlpack] logits.device: its device type is 8; give a tensor of the processor, CUDA or "
             "OpenCL"),
            (lambda: apply(prefix=np.zeros((2, 3))), "[array-axes] prefix: it has 2 axes, whose names are not given; name them, "
             'prefix=(array, "... ...")'),
            (lambda: MODEL.layer("prefix").apply(LOGITS, "seq kv_seq", token_positions=POSITIONS, prefix_lengths=POSITIONS),
             "[array-axes] prefix_lengths: it has 1 axes, whose names are not given; name them, prefix_lengths=(array, \"...\")"),
            (lambda: WINDOW.apply_in_place(jnp.ones((4, 4)), "seq kv_seq", token_positions=POSITIONS), "[result-const] logits: "
             "they cannot be written; call apply, which gives new ones"),
            (lambda: apply(out=jnp.ones((4, 4))), "[result-const] out: its elements are const; give an array that can be written"),
        ):  # fmt: skip
            with self.subTest(line=line):
                self.refused(call, line)

    def test_memory_of_other_devices(self):
        with self.assertRaises(axismask.Error) as caught:
            apply(OnDevice(2), out=np.ones((4, 4), np.float32))
        self.assertEqual((caught.exception.id, caught.exception.where), ("device-memory", "out"))
        kernels = subprocess.run([sys.executable, "-m", "axismask", "kernels"], capture_output=True, text=True, check=True).stdout
        if "cuda" not in kernels and "opencl" not in kernels:  # else it would look at the memory that this tensor does not have
            self.refused(lambda: apply(OnDevice(2), out=OnDevice(2)), '[device-unknown] device: there is no device "cuda"; there are '
                         + "\"cpu\"; give arrays in the host's memory, or build the wheel with kernels for that device")
        devices = jax.devices()
        self.assertEqual(len(devices), 2)
        sharding = jax.sharding.NamedSharding(jax.sharding.Mesh(np.array(devices), ("d",)), jax.sharding.PartitionSpec("d"))
        with self.assertRaises(axismask.Error) as caught:
            apply(jax.device_put(jnp.ones((4, 4)), sharding))
        self.assertEqual((caught.exception.id, caught.exception.where), ("array-memory", "logits"))
        self.assertTrue(caught.exception.what.startswith("its library does not give its memory: "))

    def test_a_traced_array_is_told(self):
        with self.assertRaises(axismask.Error) as caught:
            jax.jit(lambda logits: apply(logits))(jnp.ones((4, 4)))
        self.assertEqual(caught.exception.where, "logits")
        self.assertIn("axismask.jax", caught.exception.cure)

    def test_calls(self):
        for call, line in (
            (lambda: apply(axes="seq kv_sek"), '[axis-missing] logits: the logits have no axis "kv_seq"; they have "seq", '
             '"kv_sek"; rename "kv_sek" to "kv_seq", or set the layer\'s kv_seq_axis to "kv_sek"'),
            (lambda: WINDOW.apply(LOGITS, "seq kv_seq"), '[side-input-missing] token_positions: the side input "token_positions" '
             "is missing; given: none; give it, or set the layer's query_positions_input_name"),
            (lambda: apply(threads=-1), "[c-option] threads: it is -1; give a number of threads, or 0 for one for each processor"),
            (lambda: apply(**{f"more_{at}": (POSITIONS, "seq") for at in range(32)}), "[argument-type] more_31: there are more than "
             "32 side inputs; give the layer's"),
            (lambda: apply(threads="2"), "[argument-type] threads: it is a str; give a whole number"),
            (lambda: apply(threads=2**40), "[argument-type] threads: it is 1099511627776; give a number of 32 bits"),
            (lambda: apply(out=np.ones((4, 5), np.float32)), '[axis-size] out: its axis "kv_seq" has size 5, and that of the '
             "logits has 4; give one element for each index of the logits' axis"),
            (lambda: WINDOW.mask("heads seq kv_seq", token_positions=POSITIONS), "[axis-size] sizes: no side input says how long "
             'the axis "heads" is; give it, sizes={"heads": ...}'),
            (lambda: WINDOW.mask("seq kv_seq", token_positions=POSITIONS, masked="-Inf"), '[argument-type] masked: it is "-Inf"; '
             'give "-inf", "lowest" or a number'),
            (lambda: WINDOW.plan(tile=(0, 128), token_positions=POSITIONS), "[plan-tile] tile: a tile of 0 queries and 128 keys is "
             "empty; give sizes of at least 1"),
            (lambda: WINDOW.plan(tile=("a", 1), token_positions=POSITIONS), "[argument-type] tile[0]: it is a str; give a whole "
             "number"),
            (lambda: MODEL.layer("windo"), '[spec-layer-name] layer: the model "test" has no layer "windo" (did you mean '
             '"window"?); its layers are "window", "heads", "chunk", "prefix", "cache", ... (6 in all)'),
            (lambda: WINDOW.plan(tile=128, token_positions=POSITIONS), "[argument-type] tile: it is 128; give queries and keys of a "
             "tile, (128, 128)"),
            (lambda: WINDOW.mask("seq kv_seq", dtype="float8", token_positions=POSITIONS), '[array-dtype] dtype: there is no '
             'dtype "float8"; give bool, float16, bfloat16, float32 or float64'),
            (lambda: WINDOW.mask("seq kv_seq", dtype=np.int32, token_positions=POSITIONS), "[mask-dtype] out: a mask is written "
             "as booleans or floats, and this array holds int32; give bool, float16, bfloat16, float32 or float64"),
            (lambda: WINDOW.mask(3, token_positions=POSITIONS), '[argument-type] axes: its axes are a int; give their names as '
             'one str, "heads seq kv_seq", or as a tuple of str'),
            (lambda: axismask.from_config(3), "[argument-type] config: it is a int of nothing; give the path of a config.json, a "
             "dict of it, or a config of transformers"),
            (lambda: axismask.parse({"axismask": POSITIONS}), "[argument-type] spec: it is no JSON: Object of type ndarray is not "
             "JSON serializable; give its text, or a dict of numbers, texts, lists and dicts"),
            (lambda: axismask.load("no.json"), "[spec-open] no.json: it cannot be opened (No such file or directory); give the file of a model spec"),
            (lambda: axismask.load("a\0b"), "[argument-type] path: it has a 0 in it; give a text without"),
            (lambda: axismask.load_layers("no.so"), "[layers-load] no.so: it cannot be loaded: no.so: cannot open shared object "
             "file: No such file or directory; give the path of a shared library that axismask_add_layers(... PLUGIN) made for "
             "this machine"),
        ):  # fmt: skip
            with self.subTest(line=line):
                self.refused(call, line)

    def test_attention(self):
        for call, line in (
            (lambda: attend(projection="depth"), '[attention-axes] queries: it has no axis "depth"; it has "seq", "projection"; '
             "give it that axis, or set projection= to the name of yours"),
            (lambda: attend(scale=float("nan")), "[attention-option] scale: it is no finite number; give what "
             "scores are multiplied by, or none for 1 / sqrt(projection)"),
            (lambda: attend(sinks=np.ones(4)), "[argument-type] sinks: it is no pair; give (array, axes)"),
            (lambda: attend(scale="1"), "[argument-type] scale: it is a str; give a number"),
        ):  # fmt: skip
            with self.subTest(line=line):
                self.refused(call, line)

    def test_positions(self):
        for call, line in (
            (lambda: positions.left_padded([5], 3), "[positions-length] positions.left_padded: a row of 3 places is to have 5 "
             "tokens; give lengths from 0 to the width of the rows"),
            (lambda: positions.left_padded(["a"], 3), "[argument-type] lengths: it is a str; give a whole number"),
            (lambda: positions.consecutive("a", 3), "[argument-type] first: it is a str; give a whole number"),
            (lambda: positions.consecutive(0, out=np.ones(3)), "[positions-dtype] out: positions are integers of 32 or 64 bits; "
             "give int32 or int64"),
            (lambda: positions.Ring(0), "[ring-capacity] window: it is 0; give at least 1, and no more than memory has"),
        ):  # fmt: skip
            with self.subTest(line=line):
                self.refused(call, line)

    def test_nothing_was_written(self):
        logits = np.full((4, 4), 7, np.float32)
        for given in ({"threads": -1}, {"token_positions": POSITIONS[:3]}):
            with self.assertRaises(axismask.Error):
                WINDOW.apply_in_place(logits, "seq kv_seq", **{"token_positions": POSITIONS, **given})
        np.testing.assert_array_equal(logits, 7)

    def test_the_module_checks_its_callers(self):
        with self.assertRaisesRegex(TypeError, "it takes 7 arguments, and 1 were given"):
            _native.apply(WINDOW)
        with self.assertRaises(AttributeError):
            _native.handle(3)
        with self.assertRaises(ValueError):
            _native.to_json(object())


if __name__ == "__main__":
    unittest.main()
