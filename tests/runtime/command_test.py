"""Tests of the axismask program: results compared bit for bit with NumPy, and the exact text of each error.

AXISMASK is the path of the program. Needs numpy and ml_dtypes. Each test runs in an empty folder of its own.
"""

import json
import os
import resource
import shutil
import signal
import struct
import subprocess
import tempfile
import unittest

import ml_dtypes
import numpy as np

AXISMASK = os.path.abspath(os.environ["AXISMASK"])


def linked_devices():
    kernels = json.loads(subprocess.run([AXISMASK, "kernels", "--json"], capture_output=True, check=True).stdout)
    return [one["variant"] for one in kernels["libraries"][0]["layers"][0]["kernels"] if one["is_device"]]


DEVICES = linked_devices()

WINDOW = "ApplyCausalSlidingWindowAttentionMask"
CAUSAL = "ApplyCausalAttentionMask"
COUNT = (
    'a whole number of at least 1, or one for each index of an axis: {"axis": "heads", "values": [512, 1024]}'
)

# The texts of errors, each after "axismask: ". Specs are changes against the good layer of `spec()`, where None takes
# a key away; a str is the whole file.
SPEC_ERRORS = [
    (
        '{"axismask": 1,\n "model": }',
        "error[spec-json] spec.json: line 2, column 11 is not JSON: unexpected '}'; "
        "put there what JSON expects: '[', '{', or a literal",
    ),
    (
        "",
        "error[spec-json] spec.json: the file is empty; "
        'write a spec in it: {"axismask": 1, "model": ..., "layers": [...]}',
    ),
    (
        '{"axismask": 2}',
        "error[spec-version] /axismask: the spec has version 2 of the format; "
        "this program reads version 1; write 1, or get the axismask that reads the spec's version",
    ),
    (
        {"sliding_window": 4},
        f'error[spec-unknown-key] /layers/0/sliding_window: {WINDOW} has no key "sliding_window"; its keys are "name", '
        '"type", "masked_out_value", "sliding_window_size", "query_positions_input_name", "kv_positions_input_name", '
        '"seq_axis", "kv_seq_axis", "empty_rows", "attention"',
    ),
    (
        {"sliding_window_size": None},
        f'error[spec-missing-key] /layers/0: the key "sliding_window_size" is missing; add it: {COUNT}',
    ),
    (
        {"sliding_window_size": "3"},
        f'error[spec-type] /layers/0/sliding_window_size: it is the text "3"; give {COUNT}',
    ),
    (
        {"sliding_window_size": 0},
        "error[spec-value] /layers/0/sliding_window_size: it is 0; "
        "give a whole number of at least 1, which sees the token itself only; for no window use ApplyCausalAttentionMask",
    ),
    (
        {"sliding_window_size": 2.5},
        f"error[spec-value] /layers/0/sliding_window_size: it is 2.5, which is no whole number; give {COUNT}",
    ),
    (
        {"masked_out_value": "inf"},
        'error[spec-value] /layers/0/masked_out_value: it is neither "lowest" nor "-inf": "inf" (did you mean "-inf"?);'
        ' give a number, "lowest" or "-inf"',
    ),
    (
        {"type": "ApplyCausalSlidingWindow"},
        'error[spec-layer-type] /layers/0/type: this program has no layer type "ApplyCausalSlidingWindow"; '
        "it has {types}; use one of these, or link the library that axismask_add_layers made for it; without CMake "
        "that takes -Wl,--undefined=axismask_library_NAME -lNAME, and the shipped layers' NAME is axismask_layers",
    ),
]

# Changes against the good command line of `apply()`, and the error. A spec of None is the good one.
APPLY_ERRORS = [
    (
        {"--layer": "layers.1"},
        'error[spec-layer-name] --layer: the model "tiny" has no layer "layers.1" (did you mean "layers.0"?); '
        'its layers are "layers.0"',
    ),
    (
        {"--input": None},
        'error[side-input-missing] --input token_positions: the side input "token_positions" is missing; given: none; '
        "give it, or set the layer's query_positions_input_name",
    ),
    (
        {"--input": "tokens=p.npy:seq"},
        'error[side-input-unknown] --input tokens: there is no side input "tokens"; the layer takes "token_positions"; '
        'leave it out, or give it the name that the layer uses',
    ),
    (
        {"--input": ["token_positions=p.npy:seq", "token_positions=p.npy:seq"]},
        'error[side-input-twice] --input token_positions: the side input "token_positions" is given twice; '
        "leave one of them out",
    ),
    (
        {"--input": "token_positions=short.npy:seq"},
        'error[axis-size] --input token_positions: its axis "seq" has size 5, and that of the logits has 6; '
        "give one element for each index of the logits' axis",
    ),
    (
        {"--input": "token_positions=float.npy:seq"},
        "error[positions-dtype] --input token_positions: positions are integers, and this array holds float32; "
        "give int32 or int64",
    ),
    (
        {"--input": "token_positions=p.npy:sec"},
        'error[axis-missing] --input token_positions: it has no axis "seq"; it has "sec"; rename "sec" to "seq": '
        "positions of queries need the layer's seq_axis",
    ),
    (
        {"--input": "token_positions=batched.npy:bach,seq"},
        'error[axis-foreign] --input token_positions: its axis "bach" is none of the logits\'; they have "heads", '
        '"seq", "kv_seq"; rename the axis, or take it out of the array',
    ),
    (
        {"--logits": "x.npy:heads,seq,kv_sec"},
        'error[axis-missing] --logits: the logits have no axis "kv_seq"; they have "heads", "seq", "kv_sec"'
        '; rename "kv_sec" to "kv_seq", or set the layer\'s kv_seq_axis to "kv_sec"',
    ),
    (
        {"--logits": "x.npy:heads,seq,seq"},
        'error[axis-twice] --logits: it has the axis "seq" twice; rename one of the two',
    ),
    (
        {"--logits": "p.npy:seq"},
        "error[logits-dtype] --logits: logits are floats, and this array holds int32; "
        "give float16, bfloat16, float32 or float64",
    ),
    (
        {"--logits": "x.npy:seq,kv_seq"},
        'error[axis-count] --logits: the array has the shape (2, 6, 6), and 2 axes are named: "seq", "kv_seq"; '
        "name each axis of the file's array, in the file's order",
    ),
    (
        {"--logits": "x.npy:"},
        "error[axis-count] --logits: the array has the shape (2, 6, 6), and 0 axes are named: none; "
        "name each axis of the file's array, in the file's order",
    ),
    (
        {"--input": "token_positions=p.npy:seq,heads"},
        "error[axis-count] --input token_positions: the array has the shape (6,), and 2 axes are named: "
        '"seq", "heads"; name each axis of the file\'s array, in the file\'s order',
    ),
    (
        {"--logits": "x.npy"},
        'error[usage] --logits: "x.npy" is not FILE.npy:axis,axis,...; '
        "name each axis of the file's array after a colon, in the file's order",
    ),
    (
        {"--logits": "x.npy:heads,,kv_seq"},
        'error[usage] --logits: the name of an axis is empty in "x.npy:heads,,kv_seq"; put one comma between two names',
    ),
    (
        {"--logits": "x.npy:heads,seq,"},
        'error[usage] --logits: the name of an axis is empty in "x.npy:heads,seq,"; put one comma between two names',
    ),
    (
        {"--input": "p.npy:seq"},
        'error[usage] --input: "p.npy:seq" is not NAME=FILE.npy:axis,...; '
        "give the side input's name, as the layer has it, before the file",
    ),
    (
        {"--logits": "none.npy:heads,seq,kv_seq"},
        "error[npy-open] none.npy: there is no such file; give the path of an .npy file",
    ),
    (
        {"--logits": "cut.npy:heads,seq,kv_seq"},
        "error[npy-truncated] cut.npy: the shape (2, 6, 6) of '<f4' needs 288 bytes, and the file has 100; "
        "copy or write the file again",
    ),
    (
        {"--logits": "spec.json:heads,seq,kv_seq"},
        "error[npy-format] spec.json: it is not an .npy file: it does not start with \\x93NUMPY; "
        "write the array with numpy.save",
    ),
    (
        {"--logits": "complex.npy:seq"},
        "error[npy-dtype] complex.npy: its elements are '<c8', which cannot be read; convert the array to bool, to integers "
        "or floats of up to 64 bits, or to ml_dtypes.bfloat16",
    ),
    (
        {"--dtype": "bfloat16"},
        "error[npy-dtype] x.npy: its elements are '<f4', and bfloat16 was asked for; "
        "ask for the file's own dtype, or convert the file",
    ),
    (
        {"--dtype": "float32"},
        'error[usage] --dtype: it is "float32", and a file says all dtypes but bfloat16 itself; '
        "give bfloat16, or leave it out",
    ),
    (
        {"--out": "none/y.npy"},
        "error[npy-write] none/y.npy: there is no folder none; make the folder, or write to another",
    ),
    (
        {"--out": "/dev/null"},
        "error[npy-write] /dev/null: it is there, and is not a regular file; write to a file",
    ),
    (
        {"--device": "gpu"},
        'error[device-unknown] --device: there is no device "gpu" (did you mean "cpu"?); there are '
        + ", ".join(f'"{device}"' for device in ["cpu", *DEVICES])
        + "; take one of these, or auto; each device's kernels are a library of their own, axismask::layers_DEVICE",
    ),
    (
        {"--threads": "-1"},
        "error[usage] --threads: it is -1; give at least 1, or leave it out: then there is one for each processor",
    ),
    (
        {"--variant": "mmx"},
        'error[variant-unknown] --variant: no linked kernel is called "mmx"; take one of {variants}',
    ),
    (
        {"SPEC": "none.json"},
        "error[spec-open] none.json: it cannot be opened (No such file or directory); give the file of a model spec",
    ),
]

# Whole command lines, and the error.
USAGE_ERRORS = [
    ([], "axismask: a command is missing: apply, attend, inspect, show, plan, mask, kernels, import, explain or diff"),
    (["inspekt"], 'inspekt: there is no such command (did you mean "inspect"?)'),
    (
        ["draw", "spec.json"],
        'draw: there is no such command; there are "apply", "attend", "inspect", "show", "plan", "mask", "kernels", '
        '"import", "explain", "diff"',
    ),
    (["--json"], "--json: there is no such option"),
    (["inspect"], "SPEC: it is missing"),
    (["inspect", "spec.json", "other.json"], "other.json: it is one argument too many"),
    (["inspect", "spec.json", "--jsn"], '--jsn: there is no such option (did you mean "--json"?)'),
    (["apply", "spec.json"], "--layer: it is missing"),
    (["apply", "spec.json", "--layer"], "--layer: its value is missing"),
    (["apply", "spec.json", "--layer", "a", "--layer", "b"], "--layer: it is given more than once"),
    (["apply", "spec.json", "--logit=x.npy:a"], '--logit: there is no such option (did you mean "--logits"?)'),
    (["plan", "spec.json", "--layer", "a", "--seq", "x"], '--seq: it is "x", which is no whole number'),
    (["kernels", "avx2"], "avx2: it is one argument too many"),
    (["kernels", "two\nlines"], r"two\u000alines: it is one argument too many"),
]


def spec(changes=None):
    """A spec with one layer, which has these changes."""
    layer = {"name": "layers.0", "type": WINDOW, "masked_out_value": -1.5, "sliding_window_size": 3}
    layer.update(changes or {})
    layer = {key: value for key, value in layer.items() if value is not None}
    return {"axismask": 1, "model": "tiny", "layers": [layer]}


def write_spec(content):
    with open("spec.json", "w", encoding="utf-8") as file:
        file.write(content if isinstance(content, str) else json.dumps(content))


def run(*arguments, **how):
    return subprocess.run([AXISMASK, *arguments], capture_output=True, text=True, check=False, timeout=60, **how)


def save(file, array):
    np.save(file, array)
    return file


def bits(array):
    """The elements as whole numbers, so that NaN equals NaN and 0.0 is not -0.0."""
    return np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}")


def is_sanitized():
    """Was the program built with a sanitizer? Then its memory cannot be limited."""
    return bool(os.environ.get("AXISMASK_SANITIZE"))


def is_emulated():
    """Is it a script that calls an emulator?"""
    with open(AXISMASK, "rb") as file:
        return file.read(2) == b"#!"


class CommandTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="axismask_command_test_")
        self.addCleanup(shutil.rmtree, self.folder)
        before = os.getcwd()
        os.chdir(self.folder)
        self.addCleanup(os.chdir, before)

    def assert_ok(self, result):
        self.assertEqual((result.returncode, result.stderr), (0, ""))

    def assert_error(self, result, line):
        self.assertEqual(result.stderr, f"axismask: {line}\n")
        self.assertEqual(result.stdout, "")
        self.assertEqual(result.returncode, 2)

    def kernels(self):
        return json.loads(run("kernels", "--json").stdout)

    # The good command line, with changes: None takes an option away, True makes a flag, a list repeats it.
    def apply(self, changes=None, **how):
        options = {
            "SPEC": "spec.json",
            "--layer": "layers.0",
            "--logits": "x.npy:heads,seq,kv_seq",
            "--input": "token_positions=p.npy:seq",
            "--out": "y.npy",
        }
        options.update(changes or {})
        arguments = ["apply", options.pop("SPEC")]
        for name, value in options.items():
            for one in value if isinstance(value, list) else [value]:
                if one is not None:
                    arguments += [name] if one is True else [name, one]
        return run(*arguments, **how)

    def write_good_files(self):
        write_spec(spec())
        save("x.npy", np.arange(72, dtype=np.float32).reshape(2, 6, 6))
        save("p.npy", np.arange(6, dtype=np.int32))


class Apply(CommandTest):
    heads, seq = 3, 37
    types = [np.float32, np.float16, np.float64, ml_dtypes.bfloat16]

    def logits(self, dtype):
        """Numbers of all kinds, with NaN and infinity in kept and in masked places."""
        random = np.random.default_rng(1)
        x = random.standard_normal((self.heads, self.seq, self.seq)).astype(dtype)
        x[:, ::5, ::3] = np.nan
        x[:, 1::7, ::2] = np.inf
        x[:, ::4, 1::4] = -0.0
        return x

    def check(self, x, positions, masked, window, changes=None, expected_keep=None):
        """Applies the layer of spec.json to files of these arrays, and compares with NumPy."""
        save("x.npy", x)
        save("p.npy", positions)
        result = self.apply(changes)
        self.assert_ok(result)
        self.assertEqual(result.stdout.count("\n"), 1)

        q = positions[..., :, None].astype(np.int64)
        k = positions[..., None, :].astype(np.int64)
        keep = (q >= k) & (q - k < window) & (k >= 0) if expected_keep is None else expected_keep
        expected = np.where(keep, x, np.array(masked).astype(x.dtype))
        with open("y.npy", "rb") as file:
            self.assertEqual(np.lib.format.read_magic(file), (1, 0))
            shape, is_fortran, _ = np.lib.format.read_array_header_1_0(file)
        y = np.load("y.npy")
        y = y.view(x.dtype)  # bfloat16 comes back as two bytes without a meaning
        self.assertEqual(shape, x.shape)
        self.assertEqual(is_fortran, np.isfortran(x))
        np.testing.assert_array_equal(bits(y), bits(expected))
        np.testing.assert_array_equal(bits(np.load("x.npy").view(x.dtype)), bits(x))  # --in-place is about memory
        return result.stdout

    def test_every_dtype_order_and_place(self):
        write_spec(spec({"sliding_window_size": 7}))
        for dtype in self.types:
            for order in ["C", "F"]:
                for in_place in [None, True]:
                    for positions in [np.int32, np.int64]:
                        with self.subTest(dtype=dtype, order=order, in_place=in_place, positions=positions):
                            x = np.array(self.logits(dtype), order=order)
                            p = np.arange(self.seq, dtype=positions)
                            self.check(x, p, -1.5, 7, {"--in-place": in_place})

    def test_every_variant(self):
        write_spec(spec({"sliding_window_size": 7}))
        variants = self.kernels()["machine"]["variants"]
        self.assertTrue(variants)
        self.write_good_files()
        for device in DEVICES:
            self.assert_error(
                self.apply({"--variant": device}),
                f'error[variant-unknown] --variant: "{device}" is a device, and no variant of the processor\'s kernels; '
                "ask for it as the device, and leave the variant out",
            )
        write_spec(spec({"sliding_window_size": 7}))
        for variant in variants:
            with self.subTest(variant=variant):
                p = np.arange(self.seq, dtype=np.int32)
                line = self.check(self.logits(np.float32), p, -1.5, 7, {"--variant": variant})
                self.assertIn(f", by {variant}: ", line)

    def test_masked_values(self):
        for value, masked in [("lowest", None), ("-inf", -np.inf), (-2.3819763e38, -2.3819763e38), (0, 0.0)]:
            for dtype in [np.float32, np.float64, ml_dtypes.bfloat16]:
                with self.subTest(value=value, dtype=dtype):
                    write_spec(spec({"masked_out_value": value}))
                    expected = ml_dtypes.finfo(dtype).min if masked is None else masked
                    self.check(self.logits(dtype), np.arange(self.seq, dtype=np.int32), expected, 3)

    def test_positions_of_each_row_and_windows_of_each_head(self):
        windows = [1, 5, 100]
        write_spec(spec({"sliding_window_size": {"axis": "heads", "values": windows}}))
        rows = np.stack([np.arange(self.seq), np.arange(self.seq) - 9]).astype(np.int64)
        x = np.stack([self.logits(np.float32)] * 2)
        q, k = rows[:, None, :, None], rows[:, None, None, :]
        keep = (q >= k) & (q - k < np.array(windows)[:, None, None]) & (k >= 0)
        changes = {"--logits": "x.npy:batch,heads,seq,kv_seq", "--input": "token_positions=p.npy:batch,seq"}
        self.check(x, rows, -1.5, None, changes, keep)

    def test_positions_of_queries_and_keys(self):
        names = {"query_positions_input_name": "q", "kv_positions_input_name": "k", "kv_seq_axis": "keys"}
        write_spec(spec(names))
        x = np.arange(24, dtype=np.float64).reshape(4, 6)
        q, k = np.array([5, 3, 2**40, -1], np.int64), np.array([3, 4, 5, -1, 2**40, 1], np.int64)
        save("q.npy", q)
        save("k.npy", k)
        keep = (q[:, None] >= k) & (q[:, None] - k < 3) & (k >= 0)
        inputs = ["k=k.npy:seq", "q=q.npy:seq"]
        save("x.npy", x)
        # The keys' axis is called as the queries', though it is of another length.
        self.assert_ok(self.apply({"--logits": "x.npy:seq,keys", "--input": inputs}))
        np.testing.assert_array_equal(np.load("y.npy"), np.where(keep, x, -1.5))

    def test_bfloat16_by_option(self):
        write_spec(spec())
        x = self.logits(ml_dtypes.bfloat16)
        p = np.arange(self.seq, dtype=np.int32)
        self.check(x, p, -1.5, 3, {"--dtype": "bfloat16"})
        y = np.load("y.npy").view(np.uint16)
        for two_bytes in [np.uint16, np.int16, np.float16, "V2"]:
            with self.subTest(two_bytes=two_bytes):
                save("x.npy", x.view(two_bytes))
                self.assert_ok(self.apply({"--dtype": "bfloat16"}))
                self.assertEqual(np.load("y.npy").dtype, np.dtype("V2"))
                np.testing.assert_array_equal(np.load("y.npy").view(np.uint16), y)

    def test_empty(self):
        write_spec(spec())
        save("x.npy", np.zeros((2, 0, 0), np.float32))
        save("p.npy", np.zeros(0, np.int32))
        self.assert_ok(self.apply())
        self.assertEqual(np.load("y.npy").shape, (2, 0, 0))

    def test_success_line_and_files(self):
        self.write_good_files()
        for changes, words in [({}, ""), ({"--in-place": True, "--device": "cpu"}, ", in place")]:
            result = self.apply(changes)
            self.assert_ok(result)
            variant = self.kernels()["machine"]["variants"][0]
            self.assertRegex(
                result.stdout,
                rf"^layers\.0: {WINDOW}, q >= k && q - k < 3 && k >= 0, by {variant}{words}: "
                r"72 elements in \d+\.\d\d\d ms, written to y\.npy\n$",
            )
            self.assertEqual(sorted(os.listdir()), ["p.npy", "spec.json", "x.npy", "y.npy"])

    def test_devices_give_what_the_processor_gives(self):
        layer = self.kernels()["libraries"][0]["layers"][0]
        random = np.random.default_rng(5)
        write_spec(spec({"sliding_window_size": 90}))
        for kernel in layer["kernels"]:
            if not kernel["is_device"]:
                continue
            device = kernel["variant"]
            for dtype, keys in [(np.float16, 256), (np.float32, 256), (np.float32, 251), (np.float64, 256)]:
                with self.subTest(device=device, dtype=dtype, keys=keys):
                    save("x.npy", random.standard_normal((2, keys, keys)).astype(dtype))
                    save("p.npy", np.arange(-5, keys - 5))
                    self.assert_ok(self.apply({"--out": "want.npy"}))
                    changes = {"--device": device}
                    if not kernel["usable"]:
                        self.assert_error(
                            self.apply(changes),
                            f'error[device-unusable] --device: "{device}" cannot be used here: {kernel["reason"]}; '
                            "take cpu, or auto; `axismask kernels` shows what can be used",
                        )
                        self.assertFalse(os.path.exists("y.npy"))
                        continue
                    for in_place in [None, True]:
                        result = self.apply(changes | {"--in-place": in_place})
                        self.assert_ok(result)
                        self.assertIn(f", by {device}", result.stdout)
                        with open("y.npy", "rb") as got, open("want.npy", "rb") as want:
                            self.assertEqual(got.read(), want.read())
                        os.remove("y.npy")

    def test_names_with_signs(self):
        self.write_good_files()
        os.rename("x.npy", "a:b=c,d.npy")
        os.rename("p.npy", "p=1:2.npy")
        os.rename("spec.json", "inspect")  # a file that is called as a command is
        changes = {"SPEC": "inspect", "--logits": "a:b=c,d.npy:heads,seq,kv_seq"}
        self.assert_ok(self.apply(changes | {"--input": "token_positions=p=1:2.npy:seq", "--out": "y:1.npy"}))
        self.assertTrue(os.path.exists("y:1.npy"))

    def test_result_may_replace_the_logits(self):
        self.write_good_files()
        self.assert_ok(self.apply({"--out": "x.npy"}))
        self.assertEqual(np.load("x.npy")[0, 0, 1], -1.5)


class Errors(CommandTest):
    """Each error is one exact line, and leaves no file behind."""

    def setUp(self):
        super().setUp()
        self.write_good_files()
        save("short.npy", np.arange(5, dtype=np.int32))
        save("float.npy", np.arange(6, dtype=np.float32))
        save("batched.npy", np.zeros((1, 6), np.int32))
        save("complex.npy", np.zeros(6, np.complex64))
        with open("x.npy", "rb") as whole, open("cut.npy", "wb") as cut:
            cut.write(whole.read()[:-188])
        self.files = sorted(os.listdir())

    def assert_error(self, result, line):
        super().assert_error(result, line)
        self.assertEqual(sorted(os.listdir()), self.files)

    def test_specs(self):
        types = [layer["type"] for library in self.kernels()["libraries"] for layer in library["layers"]]
        types = [f'"{name}"' for name in types if "(" not in name]  # not the compositions
        for content, line in SPEC_ERRORS:
            with self.subTest(spec=content):
                write_spec(content if isinstance(content, str) else spec(content))
                line = line.replace("{types}", ", ".join(types))
                self.assert_error(self.apply(), line)
                self.assert_error(run("inspect", "spec.json"), line)

    def test_apply(self):
        layers = [layer for library in self.kernels()["libraries"] for layer in library["layers"]]
        kernels = [one for layer in layers for one in layer["kernels"] if not one["is_device"]]
        variants = list(dict.fromkeys(f'"{one["variant"]}"' for one in kernels))
        for changes, line in APPLY_ERRORS:
            for in_place in [None, True]:
                with self.subTest(changes=changes, in_place=in_place):
                    result = self.apply(changes | {"--in-place": in_place})
                    self.assert_error(result, line.replace("{variants}", ", ".join(variants)))

    def test_usage(self):
        for arguments, line in USAGE_ERRORS:
            with self.subTest(arguments=arguments):
                self.assert_error(run(*arguments), f"error[usage] {line}; see axismask --help")

    def test_masked_value_that_does_not_fit(self):
        write_spec(spec({"masked_out_value": -2.38e38}))
        save("x.npy", np.zeros((2, 6, 6), np.float16))
        self.assert_error(
            self.apply(),
            "error[masked-value-range] /layers/0/masked_out_value: -2.38e+38 does not fit float16 and would become "
            'infinite there; take "lowest" for the lowest number of the logits\' dtype, or "-inf" if that is meant',
        )

    def test_masked_value_of_a_group_that_does_not_fit(self):
        too_low = {"type": "ApplyCausalAttentionMask", "masked_out_value": -2.38e38}
        fits = {**too_low, "masked_out_value": "lowest"}
        save("x.npy", np.zeros((2, 6, 6), np.float16))
        for pattern, place in [([fits, "low"], "/masks/low"), ([fits, too_low], "/layers/0/pattern/1")]:
            group = {"name": "layers.{}", "count": 6, "pattern": pattern}
            write_spec({"axismask": 1, "model": "m", "masks": {"low": too_low}, "layers": [group]})
            self.assert_error(
                self.apply({"--layer": "layers.5"}),
                f"error[masked-value-range] {place}/masked_out_value: -2.38e+38 does not fit float16 and would become "
                'infinite there; take "lowest" for the lowest number of the logits\' dtype, or "-inf" if that is meant',
            )

    def test_windows_of_another_number_of_heads(self):
        write_spec(spec({"sliding_window_size": {"axis": "heads", "values": [1, 2, 3]}}))
        self.assert_error(
            self.apply(),
            'error[axis-size] /layers/0/sliding_window_size: its axis "heads" has size 3, and that of the logits has '
            "2; give one element for each index of the logits' axis",
        )

    def test_failure_leaves_what_was_there(self):
        save("y.npy", np.zeros(3))
        self.files = sorted(os.listdir())
        self.assertEqual(self.apply({"--input": None}).returncode, 2)
        self.assertEqual(sorted(os.listdir()), self.files)
        np.testing.assert_array_equal(np.load("y.npy"), np.zeros(3))

    def test_no_room_for_the_result(self):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # so that writing fails, and does not end the program
            resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))

        self.assert_error(
            self.apply(preexec_fn=limit, restore_signals=False),
            "error[npy-write] y.npy: it cannot be written (File too large); make room, or write to another folder",
        )

    def test_a_file_that_says_more_than_it_has(self):
        header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1048576, 1048576, 1024), }"
        with open("cut.npy", "wb") as file:
            file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
        self.assert_error(
            self.apply({"--logits": "cut.npy:heads,seq,kv_seq"}),
            "error[npy-truncated] cut.npy: the shape (1048576, 1048576, 1024) of '<f4' needs 4503599627370496 bytes, "
            "and the file has 0; copy or write the file again",
        )

    @unittest.skipIf(is_sanitized(), "a sanitizer needs more memory than the limit")
    @unittest.skipIf(is_emulated(), "the emulator needs more memory than the limit")
    def test_not_enough_memory(self):
        size = 1 << 14
        header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': (2, {size}, {size}), }}".encode()
        with open("cut.npy", "wb") as file:
            file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
            file.truncate(10 + len(header) + 8 * size * size)  # takes no room on the disk
        limit = 1 << 30
        self.assert_error(
            self.apply(
                {"--logits": "cut.npy:heads,seq,kv_seq"},
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
            ),
            "error[memory] axismask: the arrays need more memory than there is; use --in-place, or give smaller arrays",
        )

    def test_output_that_cannot_be_written(self):
        for arguments in [["inspect", "spec.json"], ["inspect", "spec.json", "--json"], ["kernels"], ["--help"]]:
            with open("/dev/full", "w", encoding="utf-8") as full:
                command = [AXISMASK, *arguments]
                result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
            self.assertEqual(result.returncode, 2)
            self.assertEqual(
                result.stderr,
                "axismask: error[output] stdout: the output cannot be written; make room, or write to another place\n",
            )


class Inspect(CommandTest):
    def setUp(self):
        super().setUp()
        content = spec({"sliding_window_size": 512, "masked_out_value": -2.3819763e38})
        content["layers"].append({"name": "glöbal\n1", "type": CAUSAL, "masked_out_value": "lowest", "seq_axis": "t"})
        windows = {"axis": "heads", "values": [1, 2, 3, 4, 5, 6]}
        content["layers"].append(spec({"name": "w", "sliding_window_size": windows})["layers"][0])
        write_spec(content)

    def kernel(self, layer_type):
        layers = [layer for library in self.kernels()["libraries"] for layer in library["layers"]]
        return next(layer["chosen"] for layer in layers if layer["type"] == layer_type)

    def test_table(self):
        result = run("inspect", "spec.json")
        self.assert_ok(result)
        rows = [line.split("  ") for line in result.stdout.splitlines()]
        rows = [[cell.strip() for cell in row if cell] for row in rows]
        kernel = self.kernel(WINDOW)
        uniform = "becomes uniform, 1/n for each of n keys"
        self.assertEqual(
            rows,
            [
                ["LAYER", "TYPE", "KEEPS", "WINDOW", "MASKED VALUE", "AN EMPTY ROW", "KERNEL", "PLACE"],
                ["layers.0", WINDOW, "q >= k && q - k < 512 && k >= 0", "512", "-2.3819763e+38", uniform, kernel]
                + ["/layers/0"],
                ["glöbal 1", CAUSAL, "q >= k && k >= 0", "-", "lowest", uniform, self.kernel(CAUSAL), "/layers/1"],
                ["w", WINDOW, "q >= k && q - k < sliding_window_size[heads] && k >= 0", "1, 2, 3, 4, ... by heads"]
                + ["-1.5", uniform, kernel, "/layers/2"],
            ],
        )
        # Columns stand below each other.
        lines = result.stdout.splitlines()
        self.assertEqual(len({line.index(kernel, line.index("k >= 0")) for line in lines[1:]}), 1)

    def test_json(self):
        result = run("inspect", "spec.json", "--json")
        self.assert_ok(result)
        layers = json.loads(result.stdout)
        names = {"query_positions_input_name": "token_positions", "kv_positions_input_name": "token_positions"}
        names |= {"seq_axis": "seq", "kv_seq_axis": "kv_seq"}
        self.assertEqual(
            layers[0],
            {
                "layer": "layers.0",
                "type": WINDOW,
                "formula": "q >= k && q - k < 512 && k >= 0",
                "sliding_window_size": 512,
                "masked_out_value": -2.3819763e38,
                "empty_rows": "masked",
                "empty_row_softmax": "becomes uniform, 1/n for each of n keys",
                "attention": None,
                "kernel": self.kernel(WINDOW),
                "place": "/layers/0",
                "attributes": {"masked_out_value": -2.3819763e38, "sliding_window_size": 512, **names},
            },
        )
        self.assertEqual(
            layers[1],
            {
                "layer": "glöbal\n1",
                "type": CAUSAL,
                "formula": "q >= k && k >= 0",
                "sliding_window_size": None,
                "masked_out_value": "lowest",
                "empty_rows": "masked",
                "empty_row_softmax": "becomes uniform, 1/n for each of n keys",
                "attention": None,
                "kernel": self.kernel(CAUSAL),
                "place": "/layers/1",
                "attributes": {"masked_out_value": "lowest", **names, "seq_axis": "t"},
            },
        )
        windows = {"axis": "heads", "values": [1, 2, 3, 4, 5, 6]}
        self.assertEqual(layers[2]["sliding_window_size"], windows)
        self.assertEqual(layers[2]["attributes"]["sliding_window_size"], windows)
        self.assertEqual(len(layers), 3)

    def test_places_of_masks_in_groups(self):
        slides = {"type": WINDOW, "masked_out_value": 0, "sliding_window_size": 8}
        full = {"type": CAUSAL, "masked_out_value": 0}
        group = {"name": "layers.{}", "count": 4, "pattern": ["full", slides, "a/b"]}
        write_spec({"axismask": 1, "model": "m", "masks": {"full": full, "a/b": slides}, "layers": [group]})
        places = ["/masks/full", "/layers/0/pattern/1", "/masks/a~1b", "/masks/full"]
        self.assertEqual([layer["place"] for layer in json.loads(run("inspect", "spec.json", "--json").stdout)], places)
        table = run("inspect", "spec.json").stdout.splitlines()
        self.assertEqual([line.split()[-1] for line in table], ["PLACE", *places])


class Plan(CommandTest):
    def setUp(self):
        super().setUp()
        write_spec(spec({"sliding_window_size": 5}))
        save("p.npy", np.stack([np.arange(12), np.maximum(np.arange(12) - 8, -1)]))

    @staticmethod
    def run_plan(*more):
        return run("plan", "spec.json", "--layer", "layers.0", *more)

    def plan(self, *more, axes="batch,seq"):
        return self.run_plan("--input", f"token_positions=p.npy:{axes}", *more)

    def test_map(self):
        result = self.plan("--tile", "4")
        self.assert_ok(result)
        self.assertEqual(
            result.stdout,
            "layers.0: q >= k && q - k < 5 && k >= 0\n"
            "12 queries x 12 keys in tiles of 4 x 4: 0 all (#), 6 some (/), 12 none (.)\n"
            "\nbatch 0\n/..\n//.\n.//\n"
            "\nbatch 1\n...\n...\n../\n",
        )

    def test_json(self):
        save("p.npy", np.arange(12, dtype=np.int32))
        result = self.plan("--tile", "2", "--json", axes="seq")
        self.assert_ok(result)
        found = json.loads(result.stdout)
        self.assertEqual(found["tile"], {"queries": 2, "keys": 2})
        self.assertEqual((found["planes"], found["rows_per_plane"], found["columns"]), (1, 6, 6))
        self.assertEqual(found["all"], {"starts": [0, 0, 1, 2, 3, 4, 5], "tiles": [0, 1, 2, 3, 4]})
        self.assertEqual(found["some"], {"starts": [0, 1, 2, 4, 6, 8, 10], "tiles": [0, 1, 0, 2, 1, 3, 2, 4, 3, 5]})
        self.assertEqual(found["none"], 36 - 15)

    def test_made_positions(self):
        """The same plan as of these positions in a file."""
        save("p.npy", np.arange(12))
        for window in [5, {"axis": "heads", "values": [5, 2]}]:
            write_spec(spec({"sliding_window_size": window}))
            made = self.run_plan("--seq", "12", "--tile", "2", "--json")
            self.assert_ok(made)
            self.assertEqual(made.stdout, self.plan("--tile", "2", "--json", axes="seq").stdout)
        write_spec(spec({"sliding_window_size": 5}))
        result = self.run_plan("--seq", "4", "--kv-seq", "12", "--tile", "2")
        self.assert_ok(result)
        self.assertEqual(
            result.stdout,
            "layers.0: q >= k && q - k < 5 && k >= 0\n"
            "4 queries x 12 keys in tiles of 2 x 2: 2 all (#), 4 some (/), 6 none (.)\n"
            "../#/.\n.../#/\n",
        )
        self.assert_ok(self.run_plan("--kv-seq", "9"))

    def test_errors_of_sizes(self):
        for arguments, line in [
            ([], "error[usage] --seq: neither a size nor positions are given; give --seq N, or --input with the positions"),
            (
                ["--seq", "13", "--input", "token_positions=p.npy:batch,seq"],
                "error[axis-size] --seq: it is 13, and the side inputs have 12; leave it out, or leave out the positions",
            ),
            (
                ["--seq", "0"],
                'error[mask-size] --seq: the axis "seq" has the size 0; give a size from 1 to 2147483647',
            ),
            (
                ["--seq", "9", "--kv-seq", "8"],
                "error[mask-size] --kv-seq: 9 queries are to be the last of 8 keys; "
                "give at least as many keys, or the positions of both",
            ),
        ]:
            self.assert_error(self.run_plan(*arguments), line)

    def test_errors(self):
        self.assert_error(
            self.plan("--tile", "0"),
            "error[plan-tile] --tile: a tile of 0 queries and 0 keys is empty; give sizes of at least 1",
        )
        self.assert_error(
            self.plan(axes="batch,sek"),
            'error[axis-missing] --input token_positions: it has no axis "seq"; it has "batch", "sek"; rename "sek" to "seq": '
            "positions of queries need the layer's seq_axis",
        )


class Kernels(CommandTest):
    def test_json(self):
        report = self.kernels()
        machine = report["machine"]
        layers = {layer["type"]: layer for library in report["libraries"] for layer in library["layers"]}
        self.assertLessEqual({WINDOW, CAUSAL}, layers.keys())
        for layer in layers.values():
            usable = [kernel for kernel in layer["kernels"] if kernel["usable"]]
            self.assertEqual([kernel["variant"] for kernel in layer["kernels"] if kernel["chosen"]], [layer["chosen"]])
            self.assertEqual(usable[0]["variant"], layer["chosen"])
            for kernel in layer["kernels"]:
                # The kernel that tells what is kept writes bytes; devices have none.
                self.assertEqual(kernel["element_bytes"], [2, 4, 8] + [1] * (not kernel["is_device"]))
                self.assertIn(8 if kernel["is_device"] else 4, kernel["position_bytes"])
                self.assertEqual(kernel["usable"], kernel["reason"] is None)
                if not kernel["is_device"]:
                    lacks = "lacks " + ", ".join(kernel["missing_features"]) if kernel["missing_features"] else None
                    self.assertEqual(kernel["reason"], lacks)
                self.assertEqual(
                    kernel["usable"], kernel["variant"] in machine["devices" if kernel["is_device"] else "variants"]
                )
                self.assertLessEqual(set(kernel["missing_features"]), set(machine["missing_features"]))
            self.assertEqual(layer["chosen"], os.environ.get("AXISMASK_EXPECTED_VARIANT", layer["chosen"]))
        self.assertFalse(set(machine["features"]) & set(machine["missing_features"]))

    @unittest.skipIf(is_emulated(), "/proc/cpuinfo is of another processor")
    @unittest.skipUnless(os.path.exists("/proc/cpuinfo") and os.uname().machine == "x86_64", "other names of features")
    def test_features_are_those_of_linux(self):
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            flags = next(line for line in file if line.startswith("flags")).split()
        machine = self.kernels()["machine"]
        for name, flag in {"sse41": "sse4_1", "avx": "avx", "avx2": "avx2", "avx512": "avx512f"}.items():
            if name in machine["features"] + machine["missing_features"]:
                self.assertEqual(name in machine["features"], flag in flags, name)

    def test_table(self):
        result = run("kernels")
        self.assert_ok(result)
        lines = result.stdout.splitlines()
        machine = self.kernels()["machine"]
        self.assertEqual(
            lines[0], "This machine runs the variants: "
            + ", ".join(machine["variants"])
            + "; and has the devices: "
            + (", ".join(machine["devices"]) or "none"),
        )
        self.assertEqual(
            lines[1],
            "Of the processor features that the kernels need it has: "
            + (", ".join(machine["features"]) or "none")
            + "; it lacks: "
            + (", ".join(machine["missing_features"]) or "none"),
        )
        kernels = [
            (library["name"], layer["type"], kernel["variant"], kernel["target"],
             "2,4,8" if kernel["is_device"] else "2,4,8,1")
            + (",".join(map(str, kernel["position_bytes"])),)
            + ("yes" if kernel["usable"] else "no: " + kernel["reason"],)
            + ("chosen" if kernel["chosen"] else "-",)
            for library in self.kernels()["libraries"]
            for layer in library["layers"]
            for kernel in layer["kernels"]
        ]
        rows = [tuple(cell.strip() for cell in line.split("  ") if cell.strip()) for line in lines[4:]]
        self.assertEqual(rows, kernels)


class ImportAndExplain(CommandTest):
    GEMMA = {"model_type": "gemma3_text", "num_hidden_layers": 7, "sliding_window": 512}

    def write(self, config):
        with open("config.json", "w", encoding="utf-8") as file:
            json.dump(config, file)

    def test_explain(self):
        self.write(self.GEMMA)
        result = run("explain", "config.json")
        self.assert_ok(result)
        lines = result.stdout.splitlines()
        self.assertEqual(len(lines), 9)
        self.assertEqual(
            lines[0],
            "gemma3_text: 7 layers, by transformers 5.24.0, models/gemma3/configuration_gemma3.py, Gemma3TextConfig",
        )
        because = "sliding_window_pattern was absent, the class default is 6"
        self.assertEqual(lines[1], f"layer 0: sliding window of 512 keys, because (0+1) % 6 != 0; {because}")
        self.assertEqual(lines[6], f"layer 5: full attention, because (5+1) % 6 == 0; {because}")
        self.assertEqual(
            lines[8],
            "in a softmax, an empty row (a query that sees nothing, such as padding) becomes uniform, 1/n for each of n keys",
        )

    def test_explain_json(self):
        self.write({"model_type": "llama4_text", "num_hidden_layers": 4, "attention_chunk_size": 64})
        result = run("explain", "config.json", "--json")
        self.assert_ok(result)
        explained = json.loads(result.stdout)
        self.assertEqual(list(explained), ["model_type", "rule", "certain", "warnings", "scores", "layers"])
        self.assertEqual(explained["model_type"], "llama4_text")
        self.assertEqual(explained["rule"], "models/llama4/configuration_llama4.py, Llama4TextConfig")
        self.assertIs(explained["certain"], True)
        self.assertEqual(explained["warnings"], [])
        layers = explained["layers"]
        self.assertEqual([list(layer) for layer in layers], [["layer", "attention", "visible_keys", "reason"]] * 4)
        self.assertEqual(
            [(layer["layer"], layer["attention"], layer["visible_keys"]) for layer in layers],
            [(0, "chunked", 64), (1, "chunked", 64), (2, "chunked", 64), (3, "full", None)],
        )

    def test_import(self):
        self.write(self.GEMMA)
        result = run("import", "config.json", "--out", "spec.json")
        self.assert_ok(result)
        self.assertEqual(result.stdout, "gemma3_text: 7 layers, written to spec.json\n")
        with open("spec.json", encoding="utf-8") as file:
            spec = json.load(file)
        self.assertEqual((spec["axismask"], spec["model"]), (1, "gemma3_text"))
        loaded = json.loads(run("inspect", "spec.json", "--json").stdout)
        self.assertEqual([layer["layer"] for layer in loaded], [f"layers.{index}" for index in range(7)])
        self.assertEqual([layer["type"] for layer in loaded], [WINDOW] * 5 + [CAUSAL] + [WINDOW])
        self.assertEqual({layer["masked_out_value"] for layer in loaded}, {"lowest"})
        self.assertEqual(sorted(os.listdir(".")), ["config.json", "spec.json"])

    def test_warnings(self):
        self.write({"model_type": "mistral", "num_hidden_layers": 1})
        for arguments in [["explain", "config.json"], ["import", "config.json", "--out", "spec.json"]]:
            result = run(*arguments)
            self.assertEqual(result.returncode, 0)
            self.assertEqual(
                result.stderr,
                "axismask: warning[config-default] config.json: sliding_window was absent, the class default is 4096; "
                "an absent key is not null\n",
            )

    GUESS = {**GEMMA, "auto_map": {"AutoModel": "draft.Draft"}}
    OWN_CODE = "the file brings code of its own, the text \"draft.Draft\", which may make other masks"

    def test_images(self):
        """Gemma 3's masks with images, as create_causal_mask_mapping makes them (modeling_gemma3.py): a query sees what
        a causal query sees and its own image, and of that, where the layer slides, no key from sliding_window back."""
        text = {"num_hidden_layers": 6, "sliding_window": 4}
        self.write({"model_type": "gemma3", "text_config": text})
        self.assert_ok(run("import", "config.json", "--images", "--out", "spec.json"))
        ids = np.array([-1, 3, 3, 3, 3, 3, 3, -1, -1, 5, 5, -1], np.int32)
        at = np.arange(ids.size, dtype=np.int32)
        save("x.npy", np.zeros((ids.size, ids.size), np.float32))
        save("p.npy", at)
        save("i.npy", ids)
        query, key = at[:, None], at[None, :]
        shown = (key <= query) | ((ids[:, None] == ids[None, :]) & (ids[:, None] >= 0))
        for layer, wanted in [("layers.0", shown & (key > query - 4)), ("layers.5", shown)]:
            self.assert_ok(
                run(
                    *("apply", "spec.json", "--layer", layer, "--logits", "x.npy:seq,kv_seq", "--out", "y.npy"),
                    *("--input", "token_positions=p.npy:seq", "--input", "image_ids=i.npy:seq"),
                )
            )
            np.testing.assert_array_equal(np.load("y.npy") == 0, wanted)

        # Gemma 4's layers that do not slide show no image; without images its masks are those of text.
        self.write({"model_type": "gemma4_text", **text, "use_bidirectional_attention": "vision"})
        self.assert_ok(run("import", "config.json", "--images", "--out", "spec.json"))
        with open("spec.json", encoding="utf-8") as file:
            spec = json.load(file)
        self.assertEqual([sorted(one)[0] for one in spec["masks"].values()], ["all"])
        self.assertEqual(spec["layers"][-1]["type"], CAUSAL)

        for model_type, line in [
            (
                "paligemma",
                "/model_type: its images are masked in a way that no spec says; "
                "give the mask yourself, with ApplyExplicitAttentionMask",
            ),
            (
                "llama",
                "/model_type: its tokens of images are masked as text is, by what the file says; "
                "leave the images out of what is asked for",
            ),
        ]:
            self.write({"model_type": model_type})
            result = run("import", "config.json", "--images", "--guess", "--out", "other.json")
            self.assert_error(result, f"error[config-value] {line}")
            self.assertFalse(os.path.exists("other.json"))

    def test_a_guess(self):
        self.write(self.GUESS)
        warning = f"axismask: warning[config-own-code] /auto_map: {self.OWN_CODE}\n"
        result = run("explain", "config.json")
        self.assertEqual(result.returncode, 0)
        self.assertEqual(
            result.stdout.splitlines()[0],
            "gemma3_text: 7 layers, a guess by transformers 5.24.0, models/gemma3/configuration_gemma3.py, "
            "Gemma3TextConfig",
        )
        self.assertEqual(result.stderr, warning)
        explained = json.loads(run("explain", "config.json", "--json").stdout)
        self.assertIs(explained["certain"], False)
        self.assertEqual(
            explained["warnings"], [{"id": "config-own-code", "where": "/auto_map", "what": self.OWN_CODE}]
        )

        result = run("import", "config.json", "--out", "spec.json")
        self.assertEqual(result.returncode, 2)
        self.assertEqual(
            result.stderr.splitlines()[-1],
            f"axismask: error[config-guess] config.json: its masks are a guess, because of /auto_map ({self.OWN_CODE}); "
            "look at the model's own code, and give --guess to take the map all the same",
        )
        self.assertEqual(os.listdir("."), ["config.json"])
        result = run("import", "config.json", "--out", "spec.json", "--guess")
        self.assertEqual((result.returncode, result.stderr), (0, warning))
        self.assertEqual(sorted(os.listdir(".")), ["config.json", "spec.json"])

    def test_strict(self):
        self.write({"model_type": "mistral", "num_hidden_layers": 1})
        error = (
            "error[config-default] config.json: sliding_window was absent, the class default is 4096; an absent key is "
            "not null; mend the file, or leave --strict out"
        )
        self.assert_error(run("explain", "config.json", "--strict"), error)
        self.assert_error(run("import", "config.json", "--out", "spec.json", "--strict"), error)
        self.assertEqual(os.listdir("."), ["config.json"])

    def test_a_folder_and_stdin(self):
        self.write(self.GEMMA)
        self.assertEqual(run("explain", ".").stdout, run("explain", "config.json").stdout)
        result = run("explain", "-", input=json.dumps(self.GEMMA))
        self.assertEqual(result.stdout, run("explain", "config.json").stdout)

    def test_a_model_without_attention(self):
        self.write({"model_type": "mamba", "num_hidden_layers": 2})
        self.assertEqual(run("explain", "config.json").stdout.splitlines()[1][:21], "layer 0: no attention")
        self.assert_error(
            run("import", "config.json", "--out", "spec.json"),
            "error[config-value] /model_type: no layer has attention; a mask is of no use here",
        )

    def test_a_type_that_is_nearly_known(self):
        self.write({"model_type": "lama", "num_hidden_layers": 1})
        self.assertIn('"lama" has no rule here (did you mean "llama"?)', run("explain", "config.json").stderr)

    def test_errors(self):
        self.write({**self.GEMMA, "sliding_window": 0})
        with open("spec.json", "w", encoding="utf-8") as file:
            file.write("there before")
        error = "error[config-value] /sliding_window: it is 0; give the number of keys that a token sees, at least 1"
        self.assert_error(run("explain", "config.json"), error)
        self.assert_error(run("import", "config.json", "--out", "spec.json"), error)
        self.assertEqual(sorted(os.listdir(".")), ["config.json", "spec.json"])
        with open("spec.json", encoding="utf-8") as file:
            self.assertEqual(file.read(), "there before")

        self.write(self.GEMMA)
        for out, error in [
            ("none/spec.json", "there is no folder none; make the folder, or write to another"),
            ("/dev/null", "it is there, and is not a regular file; write to a file"),
        ]:
            self.assert_error(run("import", "config.json", "--out", out), f"error[spec-write] {out}: {error}")
        self.assert_error(
            run("import", "none.json", "--out", "new.json"),
            "error[config-open] none.json: it cannot be opened (No such file or directory); "
            "give the file of a model's config.json",
        )
        self.assert_error(run("import", "config.json"), "error[usage] --out: it is missing; see axismask --help")
        self.assertEqual(sorted(os.listdir(".")), ["config.json", "spec.json"])

    def test_no_room_for_the_spec(self):
        self.write({**self.GEMMA, "num_hidden_layers": 1000})

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))  # a spec in groups is short

        result = run("import", "config.json", "--out", "spec.json", preexec_fn=limit)
        self.assert_error(
            result,
            "error[spec-write] spec.json: it cannot be written (File too large); make room, or write to another folder",
        )
        self.assertEqual(os.listdir("."), ["config.json"])


class Help(CommandTest):
    def test_help(self):
        commands = ["apply", "attend", "inspect", "show", "plan", "mask", "kernels", "import", "explain", "diff"]
        for arguments in [["--help"], ["-h"], *([command, "--help"] for command in commands)]:
            result = run(*arguments)
            self.assert_ok(result)
            self.assertIn("Usage: axismask", result.stdout)
            self.assertIn("Example:\n  axismask ", result.stdout)
        for option in ["--layer", "--logits", "--input", "--out", "--in-place", "--device", "--dtype", "--variant",
                       "--threads"]:
            self.assertIn(f"  {option} ", run("apply", "--help").stdout)

    def test_version(self):
        result = run("--version")
        self.assert_ok(result)
        self.assertRegex(result.stdout, r"^axismask \d+\.\d+\.\d+\n$")


if __name__ == "__main__":
    unittest.main()
