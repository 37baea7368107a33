"""Arrays as NumPy reads them: for every spelling of a dtype, version, byte order and archive, what numpy.load reads the
command reads with the same values, and what numpy.load refuses the command refuses with a line of its own.

AXISMASK is the path of the program. Needs numpy. Each test runs in an empty folder of its own.
"""

import io
import json
import os
import shutil
import struct
import subprocess
import tempfile
import unittest
import zipfile

import numpy as np

AXISMASK = os.path.abspath(os.environ["AXISMASK"])

WORDS = """bool bool_ int8 byte int16 short int32 intc int64 int int_ intp long longlong uint8 ubyte uint16 ushort uint32
uintc uint64 uint uintp ulong ulonglong float16 half float32 single float64 double float""".split()
LETTERS = "? b h i l q n p B H I L Q N P e f d".split()
WIDTHS = "b1 i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8 f04 f+4".split() + ["f 4"]
# Old names, other orders, widths that there are not, more than one array's worth.
STRANGE = """Int32 Float32 bool8 int0 float_ g8 i3 i16 f3 b2 ?1 l8 d8 @f4 !f4 ^f4 <float32 |bool bfloat16 None f-4
""".split() + ["", " f4", "f4 ", "f4\t"]
# What NumPy reads, and no mask or logits are made of.
OTHERS = "<f4, c8 c16 F S4 U4 V4 M8[s] m8 g f16 f4,f4 O".split()


def header_file(descr, shape, data, version=1, order="False"):
    text = "{'descr': %r, 'fortran_order': %s, 'shape': %r, }" % (descr, order, shape)
    length = struct.pack("<H" if version == 1 else "<I", len(text) + 1)
    return b"\x93NUMPY" + bytes([version, 0]) + length + text.encode() + b"\n" + data


def run(*arguments):
    return subprocess.run([AXISMASK, *arguments], capture_output=True, text=True, check=False, timeout=60)


class Numpy(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="axismask_npy_test_")
        self.addCleanup(shutil.rmtree, self.folder)
        before = os.getcwd()
        os.chdir(self.folder)
        self.addCleanup(os.chdir, before)
        layer = {"masked_out_value": -1.5}
        layers = [
            layer | {"name": "causal", "type": "ApplyCausalAttentionMask"},
            layer | {"name": "mask", "type": "ApplyExplicitAttentionMask"},
        ]
        with open("spec.json", "w", encoding="utf-8") as out:
            json.dump({"axismask": 1, "model": "m", "layers": layers}, out)

    def apply(self, layer, logits, *inputs):
        given = [word for one in inputs for word in ("--input", one)]
        arguments = ["--layer", layer, "--logits", logits, "--out", "out.npy", *given]
        return run("apply", "spec.json", *arguments)

    def check_values(self, file, array):
        """The command reads the same numbers: as logits, as positions or as a mask, whatever they can be."""
        array = np.atleast_1d(array)
        n = array.shape[0]
        np.save("all.npy", np.ones((n, n), bool))
        if array.dtype.kind == "f":
            np.save("mask.npy", np.eye(n, dtype=bool))
            result = self.apply("mask", f"{file}:seq", "mask=one.npy:seq")
            self.assertEqual(result.stderr, "")
            expected = array.astype(array.dtype.newbyteorder("="))
            read = np.load("out.npy")
            self.assertEqual(read.dtype, expected.dtype)
            np.testing.assert_array_equal(read.view(f"u{read.itemsize}"), expected.view(f"u{read.itemsize}"))
            return
        np.save("x.npy", np.zeros((n, n), np.float32))
        if array.dtype.kind == "b":
            np.save("x.npy", np.zeros(n, np.float32))
            result = self.apply("mask", "x.npy:seq", f"mask={file}:seq")
            kept = array
        else:
            result = self.apply("causal", "x.npy:seq,kv_seq", f"token_positions={file}:seq")
            numbers = array.astype(object)
            kept = (numbers[:, None] >= numbers) & (numbers >= 0)
        self.assertEqual(result.stderr, "")
        np.testing.assert_array_equal(np.load("out.npy") == 0, kept.astype(bool))

    @staticmethod
    def numpy_reads(file):
        try:
            return np.load(file)
        except (ValueError, OSError, zipfile.BadZipFile, KeyError):
            return None

    def data_for(self, dtype):
        random = np.random.default_rng(3)
        if dtype.kind == "b":
            return random.integers(0, 2, 9).astype(bool).tobytes()
        if dtype.kind == "f":
            return random.standard_normal(9).astype(dtype).tobytes()
        info = np.iinfo(dtype)
        high = min(info.max, 2**63 - 1)
        return np.array([0, 1, 2, high, high - 1, info.min, 5, 3, 1], object).astype(dtype).tobytes()

    def test_every_spelling(self):
        np.save("one.npy", np.ones(9, bool))
        spellings = WORDS + [order + code for order in ["", "<", ">", "=", "|"] for code in LETTERS + WIDTHS]
        self.assertGreater(len(spellings), 180)
        for spelling in spellings:
            for version in [1, 2, 3]:
                with self.subTest(spelling=spelling, version=version):
                    data = self.data_for(np.dtype(spelling))
                    with open("a.npy", "wb") as out:
                        out.write(header_file(spelling, (9,), data, version))
                    self.check_values("a.npy", np.load("a.npy"))

    def test_what_numpy_refuses(self):
        for spelling in STRANGE:
            with self.subTest(spelling=spelling):
                with open("a.npy", "wb") as out:
                    out.write(header_file(spelling, (2,), bytes(64)[:8]))
                self.assertIsNone(self.numpy_reads("a.npy"))
                self.check_refusal("a.npy")

    def test_what_is_no_number(self):
        for spelling in OTHERS:
            with self.subTest(spelling=spelling):
                with open("a.npy", "wb") as out:
                    out.write(header_file(spelling, (1,), bytes(np.dtype(spelling).itemsize)))
                self.check_refusal("a.npy")

    def check_refusal(self, file):
        np.save("x.npy", np.zeros(2, np.float32))
        result = self.apply("mask", "x.npy:seq", f"mask={file}:seq")
        self.assertEqual(result.returncode, 2)
        self.assertRegex(result.stderr, r"^axismask: error\[npy-(dtype|format|truncated|open)\] .*; .*\n$")
        self.assertFalse(os.path.exists("out.npy"))

    def test_orders_of_axes(self):
        for dtype in ["<f4", ">f4", ">f8", ">f2"]:
            for order in "CF":
                array = np.asarray(np.random.default_rng(4).standard_normal((3, 5)), dtype, order=order)
                np.save("a.npy", array)
                np.save("m.npy", np.array([1, 1, 1], np.uint8))
                result = self.apply("mask", "a.npy:seq,kv_seq", "mask=m.npy:seq")
                self.assertEqual(result.stderr, "")
                np.testing.assert_array_equal(np.load("out.npy"), array)

    def test_masks(self):
        kept = np.random.default_rng(5).integers(0, 2, (6, 7)).astype(bool)
        np.save("x.npy", np.ones((6, 7), np.float32))
        for dtype in ["?", "i1", "u1", "i2", "u2", "i4", ">i4", "u4", "i8", "u8", ">u8"]:
            self.check_mask(kept.astype(dtype), kept)
        for dtype in ["f2", "f4", "f8", ">f4"]:
            for lowest in [-np.inf, np.finfo(dtype).min]:
                for order in "CF":
                    self.check_mask(np.asarray(np.where(kept, 0, lowest), dtype, order=order), kept)

    def check_mask(self, mask, kept):
        np.save("mask.npy", mask)
        result = self.apply("mask", "x.npy:seq,kv_seq", "mask=mask.npy:seq,kv_seq")
        self.assertEqual(result.stderr, "")
        np.testing.assert_array_equal(np.load("out.npy") == 1, kept)
        # Each subcommand that reads masks reads them alike.
        np.save("kept.npy", kept)
        shown = [
            run("show", "spec.json", "--layer", "mask", "--input", f"mask={file}:seq,kv_seq").stdout
            for file in ["mask.npy", "kept.npy"]
        ]
        self.assertEqual(*shown)
        self.assertIn("kept", shown[0])
        both = ["diff", "spec.json:mask", "spec.json:mask", "--input", "mask=mask.npy:seq,kv_seq"]
        self.assertEqual(run(*both).returncode, 0)

    def test_masks_of_other_numbers(self):
        np.save("x.npy", np.ones((2, 2), np.float32))
        cure = "; make a mask of bool, true where logits are kept\n"
        for mask, what in [
            (np.array([[0, 1], [1, -1]]), "its element (1, 1) is -1, and a mask of integers has 0 and 1"),
            (
                np.array([[0, -1e4], [1, 0]], np.float32),
                "its element (0, 1) is -10000, and a mask of floats has 0, which keeps, and -inf or the lowest float32, "
                "which mask",
            ),
        ]:
            np.save("mask.npy", mask)
            result = self.apply("mask", "x.npy:seq,kv_seq", "mask=mask.npy:seq,kv_seq")
            self.assertEqual(result.stderr, f"axismask: error[mask-value] --input mask: {what}{cure}")
            self.assertFalse(os.path.exists("out.npy"))

    def test_archives(self):
        random = np.random.default_rng(6)
        arrays = {
            "x": random.standard_normal((40, 50)).astype(np.float32),
            "zeros": np.zeros((40, 50), np.float64),
            "large": np.zeros((1000, 1000), np.float32),
            "in/a folder": random.standard_normal((2, 3)).astype(">f2"),
            "one": np.ones((1, 1), np.float32),
        }
        for save in [np.savez, np.savez_compressed]:
            save("a.npz", **arrays)
            for name, array in arrays.items():
                for member in [name, name + ".npy"]:
                    np.save("m.npy", np.ones(array.shape[0], bool))
                    result = self.apply("mask", f"a.npz/{member}:seq,kv_seq", "mask=m.npy:seq")
                    self.assertEqual(result.stderr, "")
                    np.testing.assert_array_equal(np.load("out.npy"), array)

    def test_errors_of_archives(self):
        for save in [np.savez, np.savez_compressed]:
            save("a.npz", logits=np.arange(6000, dtype=np.float32) % 77, p=np.arange(3))
            np.save("m.npy", np.ones(6000, bool))
            for path, what in [
                (
                    "a.npz",
                    'error[npy-format] a.npz: it is an archive of arrays: "logits", "p"; name one: a.npz/logits',
                ),
                (
                    "a.npz/logit",
                    'error[npy-open] a.npz/logit: the archive has no array "logit" (did you mean "logits"?); '
                    'it has "logits", "p"',
                ),
                (
                    "m.npy/x",
                    "error[npy-open] m.npy/x: m.npy is a file, and no .npz archive; give the path of an array",
                ),
                ("b.npz/x", "error[npy-open] b.npz/x: there is no such file; give the path of an .npy file"),
            ]:
                self.assertEqual(self.apply("mask", f"{path}:seq", "mask=m.npy:seq").stderr, f"axismask: {what}\n")
            with open("a.npz", "rb") as file:
                whole = file.read()
            # Any wrong byte is an error or makes no difference, as for NumPy.
            random = np.random.default_rng(7)
            refused = 0
            for at in [*random.integers(0, len(whole), 60), *range(26), *range(len(whole) - 22, len(whole))]:
                broken = bytearray(whole)
                broken[at] ^= 1 << int(random.integers(8))
                with open("broken.npz", "wb") as file:
                    file.write(broken)
                result = self.apply("mask", "broken.npz/logits:seq", "mask=m.npy:seq")
                if result.returncode == 0:
                    np.testing.assert_array_equal(np.load("out.npy"), np.arange(6000, dtype=np.float32) % 77)
                else:
                    self.assertRegex(result.stderr, r"^axismask: error\[[a-z-]+\] .*; .*\n$")
                    refused += 1
            self.assertGreater(refused, 30)
            for size in range(0, len(whole) - 1, 97):
                with open("broken.npz", "wb") as file:
                    file.write(whole[:size])
                self.assertEqual(self.apply("mask", "broken.npz/logits:seq", "mask=m.npy:seq").returncode, 2)

    def test_large_archives_have_wide_sizes(self):
        array = np.arange(12, dtype=np.float32)
        plain = io.BytesIO()
        np.save(plain, array)
        with zipfile.ZipFile("a.npz", "w") as out:
            with out.open("x.npy", "w", force_zip64=True) as member:
                member.write(plain.getvalue())
        with open("a.npz", "rb") as file:
            whole = file.read()
        # The sizes in the directory as an archive of more than 4 GiB has them.
        at = whole.rfind(b"PK\x01\x02")
        size, start = struct.unpack("<I", whole[at + 24 : at + 28])[0], 0
        extra = struct.pack("<HHQQQ", 1, 24, size, size, start)
        name_end = at + 46 + len("x.npy")
        entry = bytearray(whole[at:name_end] + extra)
        entry[20:28] = b"\xff" * 8
        entry[30:32] = struct.pack("<H", len(extra))
        entry[42:46] = b"\xff" * 4
        wide_end = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 1, 1, len(entry), at)
        pointer = b"PK\x06\x07" + struct.pack("<IQI", 0, at + len(entry), 1)
        end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, 0xFFFFFFFF, 0xFFFFFFFF, 0)
        with open("a.npz", "wb") as file:
            file.write(whole[:at] + bytes(entry) + wide_end + pointer + end)
        np.testing.assert_array_equal(np.load("a.npz")["x"], array)
        np.save("m.npy", np.ones(12, bool))
        self.assertEqual(self.apply("mask", "a.npz/x:seq", "mask=m.npy:seq").stderr, "")
        np.testing.assert_array_equal(np.load("out.npy"), array)


if __name__ == "__main__":
    unittest.main()
