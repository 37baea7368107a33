"""`axismask plan --form`: the file that it writes, as numpy.load and zip read it; what it prints; the text of each error.

AXISMASK is the path of the program. Each test runs in an empty folder of its own.
"""

import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest
import zipfile

import numpy as np

AXISMASK = os.path.abspath(os.environ["AXISMASK"])
PAGE = pathlib.Path(__file__).parents[2] / "docs" / "forms.md"
FORMS = ["flex", "flex-pages", "fa4", "splash", "flashinfer-ranges", "flashinfer-packed", "flashinfer-bsr", "flashmask",
         "magi", "cudnn", "spans"]  # fmt: skip


def run(*arguments):
    return subprocess.run([AXISMASK, *arguments], capture_output=True, text=True, check=False)


class PlanForms(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        os.chdir(self.folder)
        layer = {"type": "ApplyCausalSlidingWindowAttentionMask", "masked_out_value": "lowest"}
        layers = [layer | {"name": "window", "sliding_window_size": 5},
                  layer | {"name": "heads", "sliding_window_size": {"axis": "heads", "values": [2, 5]}}]  # fmt: skip
        with open("spec.json", "w", encoding="utf-8") as out:
            json.dump({"axismask": 1, "model": "m", "layers": layers}, out)

    def plan(self, *more, layer="window"):
        return run("plan", "spec.json", "--layer", layer, *more)

    def assert_error(self, result, line):
        self.assertEqual(result.stderr, f"axismask: {line}\n")
        self.assertEqual((result.stdout, result.returncode), ("", 2))
        self.assertFalse(os.path.exists("plan.npz"))

    def test_what_it_prints(self):
        result = self.plan("--seq", "8", "--tile", "2,4", "--form", "flex", "--out", "plan.npz")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        lines = [line.rstrip() for line in result.stdout.splitlines()]
        self.assertEqual(lines[0], "window: q >= k && q - k < 5 && k >= 0, as flex, written to plan.npz")
        self.assertEqual([line.split(maxsplit=2) for line in lines[1:]], [
            ["ARRAY", "DTYPE", "SHAPE"],
            ["kv_num_blocks", "int32", "(1, 1, 4)"],
            ["kv_indices", "int32", "(1, 1, 4, 2)"],
            ["full_kv_num_blocks", "int32", "(1, 1, 4)"],
            ["full_kv_indices", "int32", "(1, 1, 4, 2)"],
            ["BLOCK_SIZE", "int64", "(2,)"],
            ["seq_lengths", "int64", "(2,)"],
        ])  # fmt: skip

    def test_json(self):
        result = self.plan("--seq", "8", "--form", "magi", "--out", "plan.npz", "--json")
        self.assertEqual(json.loads(result.stdout), {"form": "magi", "file": "plan.npz", "arrays": [
            {"name": "q_ranges", "dtype": "int32", "sizes": [2, 2]},
            {"name": "k_ranges", "dtype": "int32", "sizes": [2, 2]},
            {"name": "attn_type_map", "dtype": "int32", "sizes": [2]},
        ]})  # fmt: skip

    def test_numpy_and_zip_read_every_form(self):
        np.save("table.npy", np.array([1, 0]))
        for form in FORMS:
            with self.subTest(form=form):
                pages = ["--pages", "table.npy"] if form == "flex-pages" else []
                result = self.plan("--seq", "256", "--form", form, "--out", "plan.npz", "--json", *pages)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                with zipfile.ZipFile("plan.npz") as archive:
                    self.assertIsNone(archive.testzip())
                with np.load("plan.npz") as arrays:
                    said = [(one["name"], one["dtype"], one["sizes"]) for one in json.loads(result.stdout)["arrays"]]
                    self.assertEqual([(name, str(array.dtype), list(array.shape)) for name, array in arrays.items()], said)
                    # What numpy.load makes of it is what numpy.save would have written.
                    for name, array in arrays.items():
                        own = io.BytesIO()
                        np.save(own, array)
                        with zipfile.ZipFile("plan.npz") as archive:
                            self.assertEqual(archive.read(f"{name}.npy"), own.getvalue())

    def test_an_array_of_the_file_is_read_again(self):
        np.save("p.npy", np.arange(8))
        self.plan("--seq", "8", "--form", "spans", "--out", "plan.npz")
        result = self.plan("--input", "token_positions=plan.npz/begin:seq", "--json")
        self.assertEqual(json.loads(result.stdout)["queries"], 8)

    def test_the_same_plan_as_of_positions_in_a_file(self):
        np.save("p.npy", np.arange(12))
        for form in ("flex", "flashmask", "spans"):
            self.plan("--seq", "12", "--form", form, "--out", "made.npz")
            self.plan("--input", "token_positions=p.npy:seq", "--form", form, "--out", "given.npz")
            self.assertEqual(pathlib.Path("made.npz").read_bytes(), pathlib.Path("given.npz").read_bytes())

    def test_tiles_are_square_or_not(self):
        for tile, sizes in [("4", [4, 4]), ("4,2", [4, 2]), (None, [128, 128])]:
            self.plan("--seq", "8", "--form", "flex", "--out", "plan.npz", *(["--tile", tile] if tile else []))
            with np.load("plan.npz") as arrays:
                self.assertEqual(arrays["BLOCK_SIZE"].tolist(), sizes)
        found = json.loads(self.plan("--seq", "8", "--tile", "4,2", "--json").stdout)
        self.assertEqual(found["tile"], {"queries": 4, "keys": 2})

    def test_names_of_axes(self):
        np.save("p.npy", np.stack([np.arange(6), np.arange(6) - 2]))
        result = self.plan("--input", "token_positions=p.npy:rows,seq", "--form", "flex", "--out", "plan.npz",
                           "--batch", "rows", layer="heads")  # fmt: skip
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        with np.load("plan.npz") as arrays:
            self.assertEqual(arrays["kv_num_blocks"].shape, (2, 2, 1))

    def test_the_file_is_written_whole_or_not_at_all(self):
        pathlib.Path("plan.npz").write_text("before")
        result = self.plan("--seq", "8", "--form", "flax", "--out", "plan.npz")
        self.assertEqual(result.returncode, 2)
        self.assertEqual(pathlib.Path("plan.npz").read_text(), "before")
        self.assertEqual(sorted(os.listdir()), ["plan.npz", "spec.json"])

    def test_errors(self):
        np.save("cube.npy", np.zeros((1, 1, 1), int))
        np.save("table.npy", np.zeros((3, 1), int))
        np.save("p.npy", np.stack([np.arange(8), np.arange(8) - 2]))
        file = ["--out", "plan.npz"]
        for arguments, line in [
            (["--form", "flex"], "error[usage] --out: it is missing, and a form is written to a file; give the name of an "
             ".npz file"),
            (file, "error[usage] --out: it is for a form, and none is asked for; give --form, too"),
            (["--pages", "t.npy"], "error[usage] --pages: it is for a form, and none is asked for; give --form, too"),
            (["--form", "flexx", *file], 'error[form-unknown] --form: there is no form "flexx" (did you mean "flex"?); the '
             "forms are " + ", ".join(f'"{form}"' for form in FORMS)),
            (["--form", "spans", "--tile", "64", *file], "error[usage] --tile: spans has no tiles; leave it out"),
            (["--tile", "64,"], 'error[usage] --tile: it is "", which is no whole number; give one for queries and keys, as '
             "in 64, or one for each, as in 256,128"),
            (["--form", "flex", "--tile", "4,0", *file], "error[plan-tile] --tile: a tile of 4 queries and 0 keys is empty; "
             "give sizes of at least 1"),
            (["--form", "cudnn", "--tile", "64", *file], "error[form-tile] --tile: cudnn has tiles of 128 queries and 128 "
             "keys, and these have 64 and 64; leave the tile out"),
            (["--form", "flex-pages", *file], "error[form-pages] --pages: flex-pages needs a table of pages, and none is "
             "given; give the page of the cache for each page of a sequence"),
            (["--form", "flex", "--pages", "table.npy", *file], "error[form-pages] --pages: flex knows no pages, and a "
             "table of them is given; leave it out, or ask for flex-pages"),
            (["--form", "flex-pages", "--pages", "cube.npy", *file], "error[form-pages] --pages: a table of pages has two "
             "axes, sequences and pages, and cube.npy has the shape (1, 1, 1); give a row for each sequence, or one for "
             "all"),
            (["--form", "flex-pages", "--pages", "table.npy", "--page-count", "0", *file], "error[usage] --page-count: it is "
             "0; give at least 1, or leave it out"),
            (["--form", "flex", "--batch", "heads", *file], "error[form-axis] --heads: batch and heads are the same axis, "
             '"heads"; name two axes'),
        ]:  # fmt: skip
            with self.subTest(arguments=arguments):
                self.assert_error(self.plan("--seq", "8", *arguments), line)
        self.assert_error(
            self.plan("--input", "token_positions=p.npy:batch,seq", "--form", "flex-pages", "--pages", "table.npy", *file),
            "error[form-pages] --pages: the table has 3 sequences, and the mask 2; give a row for each, or one for all",
        )
        self.assert_error(
            self.plan("--seq", "8", "--form", "flashinfer-packed", *file, layer="heads"),
            "error[form-heads] heads: the mask changes along this axis, and all heads of flashinfer-packed share one mask; "
            "plan and run each head by itself, or ask for flex, splash or flashmask",
        )
        self.assert_error(
            self.plan("--input", "token_positions=p.npy:batch,seq", "--form", "flashinfer-bsr", "--tile", "2", *file),
            "error[form-batch] batch: the mask changes along this axis, and flashinfer-bsr has the mask of one sequence; "
            "plan each sequence by itself, of its own positions, or ask for flashinfer-packed",
        )

    def test_the_page_has_every_form_and_array(self):
        np.save("table.npy", np.array([0]))
        text = run("plan", "--help").stdout
        table = PAGE.read_text(encoding="utf-8").split("| form |")[1].split("\n\n")[0]
        self.assertEqual(re.findall(r"^\| `([a-z0-9-]+)`", table, re.M), FORMS)
        rows = dict(re.findall(r"^\| `([a-z0-9-]+)` (.*)$", table, re.M))
        for form in FORMS:
            self.assertIn(form, " ".join(text.split()))
            pages = ["--pages", "table.npy"] if form == "flex-pages" else []
            result = self.plan("--seq", "128", "--form", form, "--out", "plan.npz", "--json", *pages)
            for array in json.loads(result.stdout)["arrays"]:
                self.assertIn(f"`{array['name']}", rows[form])


if __name__ == "__main__":
    unittest.main()
