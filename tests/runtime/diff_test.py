"""Tests of `axismask diff`: its numbers against those of the formulas, element by element, and its exact texts.

AXISMASK is the path of the program. Needs numpy. Each test runs in an empty folder of its own.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import numpy as np

AXISMASK = os.path.abspath(os.environ["AXISMASK"])
WINDOW_HPP = pathlib.Path(__file__).parents[2] / "dsl/include/axismask/window.hpp"

WINDOW = "ApplyCausalSlidingWindowAttentionMask"
CAUSAL = "ApplyCausalAttentionMask"


def causal(keys):
    """A causal window of that many keys, as a function of d = query position - key position."""
    return lambda d: (0 <= d) & (d < keys)


def sides(left, right):
    return lambda d: (-right <= d) & (d <= left)


# Each function of window.hpp with its number of arguments: what the system's own source computes.
FORMULAS = {
    ("keys", 1): causal,
    ("hugging_face", 1): causal,
    ("hugging_face_flash_before_pr40163", 1): lambda w: causal(w + 1),
    ("gpt_neo", 1): causal,
    ("llama_cpp", 1): lambda n: lambda d: (0 <= d) & ~(d >= n),
    ("mlx", 1): causal,
    ("mlx_before_pr390", 1): lambda w: causal(w + 1),
    ("onnxruntime", 1): lambda w: causal(10**9 if w == -1 else w),
    ("onnxruntime_before_pr25927", 1): lambda w: causal(10**9 if w == -1 else w + 1),
    ("keras", 1): causal,
    ("xformers_window_size", 1): causal,
    ("maxtext_dense", 1): causal,
    ("maxtext_splash", 1): lambda w: causal(w + 1),
    ("attention_gym", 1): lambda w: lambda d: (d <= w) & (0 <= d),
    ("dilated", 2): lambda n, gap: lambda d: (0 <= d) & (d <= (n - 1) * gap) & (d % gap == 0),
    ("flash", 1): lambda left: causal(10**9 if left == -1 else left + 1),
    ("flash", 2): lambda left, right: sides(10**9 if left == -1 else left, 10**9 if right == -1 else right),
    ("torch_varlen", 1): lambda left: causal(10**9 if left == -1 else left + 1),
    ("torch_varlen", 2): lambda left, right: sides(10**9 if left == -1 else left, 10**9 if right == -1 else right),
    ("xformers", 1): lambda left: causal(left + 1),
    ("xformers", 2): sides,
    ("splash", 1): lambda left: causal(left + 1),
    ("splash", 2): sides,
    ("jax_nn", 1): lambda left: causal(left + 1),
    ("jax_nn", 2): sides,
    ("half", 1): lambda h: lambda d: abs(d) <= h,
    ("hugging_face_bidirectional", 1): lambda w: lambda d: abs(d) <= w,
    ("modernbert", 1): lambda w: lambda d: abs(d) <= w // 2,
    ("hugging_face_gemma3_bidirectional", 1): lambda w: lambda d: abs(d) < w // 2 + 1,
    ("hugging_face_t5gemma2_bidirectional", 1): lambda w: lambda d: ((0 <= d) & (d < (w + 1) // 2))
    | ((d < 0) & (-d < w // 2 + 1)),
    ("keras_hub_gemma3_bidirectional", 1): lambda w: sides(w - w // 2 - 1, w // 2),
    ("keras_bidirectional", 1): lambda w: lambda d: abs(d) < w,
    ("llama_cpp_symmetric", 1): lambda n: lambda d: ~((d < -(n // 2)) | (d > n // 2)),
}
MAY_BE_0 = {"attention_gym", "flash", "torch_varlen", "xformers", "splash", "jax_nn", "half"}
MAY_BE_UNLIMITED = {"onnxruntime", "onnxruntime_before_pr25927", "flash", "torch_varlen"}


def functions_of_window_hpp():
    """(name, number of arguments) of each function of namespace axismask::window, without its `detail`."""
    text = WINDOW_HPP.read_text(encoding="utf-8")
    before, rest = text.split("namespace detail {")
    public = before + rest.split("}  // namespace detail")[1]
    found = re.findall(r"^constexpr (?:count|sides) (\w+)\(([^)]*)\)", public, re.MULTILINE)
    return [(name, arguments.count("std::int64_t")) for name, arguments in found]


def run(*arguments, **how):
    return subprocess.run([AXISMASK, *arguments], capture_output=True, text=True, check=False, timeout=60, **how)


class DiffTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="axismask_diff_test_")
        self.addCleanup(shutil.rmtree, self.folder)
        before = os.getcwd()
        os.chdir(self.folder)
        self.addCleanup(os.chdir, before)

    def write(self, *layers, file="spec.json"):
        """A spec of these layers; what they lack is a window's of 4."""
        full = []
        for index, layer in enumerate(layers):
            full.append({"name": f"layers.{index}", "masked_out_value": "lowest"} | layer)
            if not {"type", "all", "any", "not"} & layer.keys():
                full[-1] |= {"type": WINDOW, "sliding_window_size": layer.get("sliding_window_size", 4)}
        with open(file, "w", encoding="utf-8") as out:
            json.dump({"axismask": 1, "model": "m", "layers": full}, out)

    def check(self, a, b, keep_a, keep_b, *options):
        """Compares the JSON with masks [..., query, key]; gives it."""
        result = run("diff", a, b, "--json", *options)
        self.assertEqual(result.stderr, "")
        found = json.loads(result.stdout)
        keep_a, keep_b = np.broadcast_arrays(keep_a, keep_b)
        equal = np.array_equal(keep_a, keep_b)
        verdicts = {0: "equal", 3: "equal where compared"} if equal else {1: "different"}
        self.assertIn(result.returncode, verdicts)
        self.assertEqual((found["verdict"], found["equal"]), (verdicts[result.returncode], result.returncode == 0))
        self.assertEqual((found["queries"], found["keys"]), keep_a.shape[-2:])
        self.assertEqual(list(found["further_axes"].values()), list(keep_a.shape[:-2]))
        self.assertEqual(found["elements"], keep_a.size)
        masks = {"both": keep_a & keep_b, "only_a": keep_a & ~keep_b, "only_b": keep_b & ~keep_a}
        for name, mask in masks.items():
            self.assertEqual(found[name], mask.sum(), name)
        self.assertEqual(found["rows"], (keep_a != keep_b).any(-1).sum())

        # The runs: each is of queries that differ, and the counts of all of them are those of the masks.
        planes = list(np.ndindex(keep_a.shape[:-2]))
        self.assertEqual([tuple(plane["at"].values()) for plane in found["planes"]], planes)
        counts = {name: np.zeros(keep_a.shape[:-1], int) for name in masks}
        for plane in found["planes"]:
            at = tuple(plane["at"].values())
            for run_ in plane["runs"]:
                first, last = run_["queries"]
                for name in masks:
                    counts[name][at][first : last + 1] = np.linspace(*run_[name], last - first + 1)
        rows = (keep_a != keep_b).any(-1)
        for name, mask in masks.items():
            np.testing.assert_array_equal(counts[name], mask.sum(-1) * rows, name)

        if equal:
            self.assertIsNone(found["first"])
        else:
            first = tuple(np.argwhere(keep_a != keep_b)[0])
            one = found["first"]
            self.assertEqual((*one["at"].values(), one["query"], one["key"]), first)
            self.assertEqual(one["kept_by"], "a" if keep_a[first] else "b")
        return found

    def assert_text(self, result, status, *lines):
        self.assertEqual((result.returncode, result.stderr), (status, ""))
        self.assertEqual(result.stdout, "".join(f"{line}\n" for line in lines))

    def assert_error(self, result, line):
        self.assertEqual(result.stderr, f"axismask: {line}\n")
        self.assertEqual((result.returncode, result.stdout), (2, ""))


class Conventions(DiffTest):
    def test_every_function_of_the_header_is_one(self):
        functions = functions_of_window_hpp()
        self.assertGreater(len(functions), 30)
        self.assertEqual(set(functions), FORMULAS.keys())
        text = run("diff", "--help").stdout
        listed = text.split("says what each means:\n")[1].split("Example:")[0]
        names = {1: set(), 2: set()}
        count = 1
        for word in re.sub(r"(causal|causal with gaps|to both sides), NAME:", "NAME:", listed).split():
            if word.startswith("NAME:"):
                count = 1 + word.count(",")
            elif re.fullmatch(r"\w+", word) and word not in ("without", "a", "causal"):
                names[count].add(word)
        for count, found in names.items():
            self.assertEqual(found, {name for name, arguments in functions if arguments == count})

    def test_each_against_its_formula(self):
        self.write({})  # a window of 4 keys
        length = 24
        d = np.arange(length)[:, None] - np.arange(length)
        layer = causal(4)(d)
        for (name, arguments), formula in FORMULAS.items():
            numbers = [1, 3, 4, 30] if arguments == 2 else [1, 2, 3, 4, 5, 7, 30]
            numbers += [0] if name in MAY_BE_0 else []
            numbers += [-1] if name in MAY_BE_UNLIMITED else []
            pairs = [(one,) for one in numbers]
            if arguments == 2:
                pairs = [(one, other) for one in numbers for other in numbers]
            for pair in pairs:
                text = f"{name}:{','.join(map(str, pair))}"
                with self.subTest(convention=text):
                    self.check("spec.json", text, layer, formula(*pair)(d), "--seq", str(length))

    def test_kinds_of_layers(self):
        for text, formula in {
            "flash:4096,0": "q >= k && q - k < 4097 && k >= 0",
            "flash:4096": "q >= k && q - k < 4097 && k >= 0",
            "flash:-1,0": "q >= k && k >= 0",
            "flash:2,3": "k >= q - 2 && k <= q + 3 && k >= 0",
            "hugging_face:4096": "q >= k && q - k < 4096 && k >= 0",
            "modernbert:128": "k >= q - 64 && k <= q + 64 && k >= 0",
            "dilated:4,3": "q >= k && q - k <= (10 - 1) / 3 * 3 && (q - k) % 3 == 0 && k >= 0",
            "causal": "q >= k && k >= 0",
        }.items():
            found = json.loads(run("diff", text, text, "--seq", "5", "--json").stdout)
            self.assertEqual((found["a"]["argument"], found["a"]["formula"]), (text, formula))
            self.assertTrue(found["equal"])

    def test_a_convention_takes_the_names_of_the_other_layer(self):
        names = {"query_positions_input_name": "q", "kv_positions_input_name": "k", "seq_axis": "t", "kv_seq_axis": "s"}
        self.write(names)
        q, k = np.array([5, 3, 2**40, -1]), np.array([3, 4, 5, -1, 2**30, 1], np.int32)
        np.save("q.npy", q)
        np.save("k.npy", k)
        d = q[:, None] - k.astype(np.int64)
        real = k >= 0
        given = ["--input", "q=q.npy:t", "--input", "k=k.npy:t"]
        for a, b, size_a, size_b in [("spec.json", "flash:2,0", 4, 3), ("flash:2,0", "spec.json", 3, 4)]:
            self.check(a, b, causal(size_a)(d) & real, causal(size_b)(d) & real, *given)

    def test_errors(self):
        for text, line in {
            "flash:-2": "error[window] flash:-2: it is given -2; give a number of at least -1",
            "flash:4,-2": "error[window] flash:4,-2: it is given -2; give a number of at least -1",
            "keys:0": "error[window] keys:0: it is given 0; give a number of at least 1",
            "hugging_face:4096,0": "error[window] hugging_face:4096,0: it has 2 numbers; write hugging_face:NUMBER",
            "dilated:4": "error[window] dilated:4: it has 1 number; write dilated:KEYS,DILATION",
            "flash:1,2,3": "error[window] flash:1,2,3: it has 3 numbers; write flash:NUMBER or flash:LEFT,RIGHT",
            "flash": "error[window] flash: its number is missing; write flash:NUMBER or flash:LEFT,RIGHT",
            "causal:3": "error[window] causal:3: causal has no number; write causal",
            "flush:4096,0": 'error[usage] A: there is neither a file nor a convention "flush" (did you mean "flash"?); '
            "give SPEC:LAYER, or a convention of those that axismask diff --help lists",
        }.items():
            with self.subTest(convention=text):
                self.assert_error(run("diff", text, "causal"), line)
        for numbers in ["", "x", "3x", "3,", ",3", " 3", "0x3", "3.5", "9223372036854775808"]:
            with self.subTest(numbers=numbers):
                self.assert_error(
                    run("diff", "causal", f"keys:{numbers}"),
                    f'error[window] keys:{numbers}: "{numbers}" is neither a whole number nor two with a comma '
                    "between them; write keys:NUMBER",
                )


class Text(DiffTest):
    A = "A: spec.json:layers.0: q >= k && q - k < 512 && k >= 0"

    def setUp(self):
        super().setUp()
        self.write({"sliding_window_size": 512}, {"type": CAUSAL})

    def test_the_classical_off_by_one(self):
        self.assert_text(
            run("diff", "spec.json:layers.0", "flash:512,0"),
            1,
            self.A,
            "B: flash:512,0: q >= k && q - k < 513 && k >= 0",
            "positions 0 ... 1041; --seq N for others",
            "1042 queries x 1042 keys: 530 of 1085764 elements differ, in 530 of 1042 rows: 0 kept only by A, "
            "530 only by B",
            "queries 512 ... 1041: 1 key only in B (A sees 512, B 513)",
            "first: query 512 (position 512), key 0 (position 0): kept by B, as 512 - 0 < 513; "
            "not by A, as 512 - 0 < 512 is false",
        )
        self.assert_text(
            run("diff", "spec.json:layers.0", "flash:511,0"),
            0,
            self.A,
            "B: flash:511,0: q >= k && q - k < 512 && k >= 0",
            "positions 0 ... 1039; --seq N for others",
            "equal on 1040 queries x 1040 keys, and proved equal at all positions",
        )

    def test_the_example_on_the_page(self):
        root = WINDOW_HPP.parents[3]
        for window, status in [("flash:512,0", 1), ("flash:511,0", 0)]:
            result = run("diff", "examples/gemma3/model.json:layers.0", window, cwd=root)
            self.assertEqual(result.returncode, status)
            if status == 1:
                page = (root / "docs/command.md").read_text(encoding="utf-8")
                command = f"$ axismask diff examples/gemma3/model.json:layers.0 {window}\n"
                self.assertIn(f"```console\n{command}{result.stdout}```\n", page)

    def test_numbers_that_grow(self):
        self.assert_text(
            run("diff", "spec.json:layers.1", "spec.json:layers.0", "--seq", "600", "--kv-seq", "1000"),
            1,
            "A: spec.json:layers.1: q >= k && k >= 0",
            self.A.replace("A: ", "B: "),
            "positions 400 ... 999 of queries, 0 ... 999 of keys",
            "600 queries x 1000 keys: 119316 of 600000 elements differ, in 488 of 600 rows: 119316 kept only by A, "
            "0 only by B",
            "queries 112 ... 599: 1 ... 488 keys only in A (A sees 513 ... 1000, B 512)",
            "first: query 112 (position 512), key 0 (position 0): kept by A; not by B, as 512 - 0 < 512 is false",
        )

    def test_both_directions(self):
        self.assert_text(
            run("diff", "flash:2,0", "half:1", "--seq", "5"),
            1,
            "A: flash:2,0: q >= k && q - k < 3 && k >= 0",
            "B: half:1: k >= q - 1 && k <= q + 1 && k >= 0",
            "positions 0 ... 4",
            "5 queries x 5 keys: 7 of 25 elements differ, in 5 of 5 rows: 3 kept only by A, 4 only by B",
            "query 0: 1 key only in B (A sees 1, B 2)",
            "query 1: 1 key only in B (A sees 2, B 3)",
            "queries 2 ... 3: 1 key only in A, 1 key only in B (A sees 3, B 3)",
            "query 4: 1 key only in A (A sees 3, B 2)",
            "first: query 0 (position 0), key 1 (position 1): kept by B, as 1 >= 0 - 1 && 1 <= 0 + 1; "
            "not by A, as 0 >= 1 && 0 - 1 < 3 is false",
        )

    def test_what_the_keys_cannot_show(self):
        self.assert_text(
            run("diff", "spec.json:layers.0", "flash:512,0", "--seq", "512"),
            3,
            self.A,
            "B: flash:512,0: q >= k && q - k < 513 && k >= 0",
            "positions 0 ... 511",
            "equal on 512 queries x 512 keys, but not at other positions",
            "first: a query at position 512, a key at position 0: kept by B, as 512 - 0 < 513; "
            "not by A, as 512 - 0 < 512 is false",
        )

    def test_windows_larger_than_what_is_compared(self):
        self.assert_text(
            run("diff", "hugging_face:131072", "flash:131072,0"),
            1,
            "A: hugging_face:131072: q >= k && q - k < 131072 && k >= 0",
            "B: flash:131072,0: q >= k && q - k < 131073 && k >= 0",
            "positions 0 ... 131071; --seq N for others",
            "equal on 131072 queries x 131072 keys, but not at other positions",
            "first: a query at position 131072, a key at position 0: kept by B, as 131072 - 0 < 131073; "
            "not by A, as 131072 - 0 < 131072 is false",
        )
        self.assertEqual(run("diff", "hugging_face:131072", "flash:131071,0").returncode, 0)
        # What is said to be the first is: a few queries show it.
        few = run("diff", "hugging_face:131072", "flash:131072,0", "--seq", "2", "--kv-seq", "131073", "--json")
        first = json.loads(few.stdout)["first"]
        self.assertEqual((first["query"], first["key"]), (1, 0))  # query 0 of the two is at 131071
        for window in [131071, 200000, 2**24, 2**31 - 1, 2**31, 2**40, 2**53 - 1, 2**53, 2**62]:
            for a, b, status, query in [
                (f"keys:{window}", f"flash:{window},0", 1, window),
                (f"keys:{window}", f"flash:{window - 1},0", 0, None),
                (f"keys:{window}", "causal", 1, window),
                (f"half:{window}", f"jax_nn:{window},{window}", 0, None),
                (f"dilated:{window // 64},7", f"dilated:{window // 64 + 1},7", 1, window // 64 * 7),
            ]:
                with self.subTest(a=a, b=b):
                    result = run("diff", a, b, "--json")
                    found = json.loads(result.stdout)
                    self.assertEqual(result.returncode, status)
                    if status == 0:
                        self.assertEqual(found["elsewhere"]["equal_on"], "all positions")
                    elif found["first"] is None:
                        differing = found["elsewhere"]["differing"]
                        self.assertEqual(
                            (differing["query_position"], differing["key_position"], differing["is_first"]),
                            (query, 0, True),
                        )

    def test_side_inputs_of_files_are_all_there_is(self):
        self.write({"type": "ApplyExplicitAttentionMask"}, {"sliding_window_size": 9})
        np.save("mask.npy", causal(9)(np.arange(70, 70 + 33)[:, None] - np.arange(103)))
        result = run("diff", "spec.json:layers.0", "keys:9", "--input", "mask=mask.npy:seq,kv_seq")
        self.assertEqual(result.returncode, 0)
        self.assertEqual(result.stdout.splitlines()[-1], "equal on 33 queries x 103 keys, with these side inputs")
        # Positions of files are some of many.
        np.save("p.npy", np.arange(9))
        given = ["--input", "token_positions=p.npy:seq"]
        result = run("diff", "spec.json:layers.1", "keys:10", *given)
        self.assertEqual(result.returncode, 3)
        self.assertEqual(
            result.stdout.splitlines()[2:],
            [
                "equal on 9 queries x 9 keys, but not at other positions",
                "first: a query at position 9, a key at position 0: kept by B, as 9 - 0 < 10; "
                "not by A, as 9 - 0 < 9 is false",
            ],
        )
        self.assertEqual(run("diff", "spec.json:layers.1", "keys:9", *given).returncode, 0)

    def test_lengths_are_numbers(self):
        self.write({"type": "ApplyRightPaddingAttentionMask"}, {"type": "ApplySinksAttentionMask", "sink_count": 7})
        arguments = ["spec.json:layers.0", "spec.json:layers.1", "--input", "lengths=n.npy:batch", "--seq", "6"]
        np.save("n.npy", np.array([7, 7]))
        self.assertEqual(run("diff", *arguments).returncode, 0)
        np.save("n.npy", np.array([7, 12]))
        result = run("diff", *arguments)
        self.assertEqual(result.returncode, 3)
        self.assertEqual(
            result.stdout.splitlines()[3:],
            [
                "equal on 2 batch x 6 queries x 6 keys, but not at other positions",
                "first: batch 1, a query at position 0, a key at position 7: kept by A, as 7 < 12; "
                "not by B, as 7 < 7 is false",
            ],
        )

    def test_windows_of_each_head(self):
        heads = {"axis": "heads", "values": [512, 512, 600, 512]}
        self.write({"sliding_window_size": heads})
        self.assert_text(
            run("diff", "spec.json", "keys:512", "--seq", "601"),
            1,
            "A: spec.json: q >= k && q - k < sliding_window_size[heads] && k >= 0",
            "B: keys:512: q >= k && q - k < 512 && k >= 0",
            "positions 0 ... 600",
            "4 heads x 601 queries x 601 keys: 4004 of 1444804 elements differ, in 89 of 2404 rows: "
            "4004 kept only by A, 0 only by B",
            "heads 0 ... heads 1: equal",
            "heads 2:",
            "queries 512 ... 599: 1 ... 88 keys only in A (A sees 513 ... 600, B 512)",
            "query 600: 88 keys only in A (A sees 600, B 512)",
            "heads 3: equal",
            "first: heads 2, query 512 (position 512), key 0 (position 0): kept by A, as 512 - 0 < 600; "
            "not by B, as 512 - 0 < 512 is false",
        )

    def test_many_runs(self):
        result = run("diff", "dilated:30,2", "causal", "--seq", "100")
        self.assertEqual(result.returncode, 1)
        lines = result.stdout.splitlines()
        self.assertEqual(len(lines), 4 + 24 + 2)
        self.assertEqual(lines[4], "query 1: 1 key only in B (A sees 1, B 2)")
        self.assertEqual(lines[-2], "and 34 such lines more, which --json has")

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            result = subprocess.run(
                [AXISMASK, "diff", "causal", "keys:3"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
            )
        self.assertEqual(result.returncode, 2)
        self.assertEqual(
            result.stderr,
            "axismask: error[output] stdout: the output cannot be written; make room, or write to another place\n",
        )


class Proofs(DiffTest):
    """Random compositions: what is said of all positions, against each element of far more than is compared."""

    @staticmethod
    def mask(random):
        n, m = int(random.integers(1, 9)), int(random.integers(1, 9))
        window = {"type": WINDOW, "sliding_window_size": n}
        sinks = {"type": "ApplySinksAttentionMask", "sink_count": m}
        return [
            ({"type": CAUSAL}, lambda q, k: (q >= k) & (k >= 0)),
            (window, lambda q, k: (q >= k) & (q - k < n) & (k >= 0)),
            (
                {"type": "ApplyChunkedAttentionMask", "attention_chunk_size": n},
                lambda q, k: (q >= k) & (k >= q // n * n) & (k >= 0),
            ),
            (
                {"type": "ApplyBidirectionalWindowAttentionMask", "window_left": n, "window_right": m - 1},
                lambda q, k: (k >= q - n) & (k <= q + m - 1) & (k >= 0),
            ),
            (sinks, lambda q, k: (k >= 0) & (k < m) & (q == q)),
            (
                {"type": "ApplyDilatedWindowAttentionMask", "sliding_window_size": n, "dilation": m},
                lambda q, k: (q >= k) & (q - k <= (n - 1) // m * m) & ((q - k) % m == 0) & (k >= 0),
            ),
            (
                {"all": [{"type": CAUSAL}, {"not": window}]},
                lambda q, k: (q >= k) & (k >= 0) & ~(q - k < n),
            ),
            (
                {"all": [{"type": CAUSAL}, {"any": [window, sinks]}]},
                lambda q, k: (q >= k) & (k >= 0) & ((q - k < n) | (k < m)),
            ),
        ][random.integers(8)]

    def test_random_compositions(self):
        random = np.random.default_rng(14)
        n = 130
        q, k = np.arange(-20, n)[:, None], np.arange(-20, n)
        statuses = []
        masks = [self.mask(random) for _ in range(150)]
        self.write(*(mask for mask, _ in masks))
        for round_ in range(150):
            other = int(random.integers(150))
            a, b = masks[round_][1](q, k), masks[other][1](q, k)
            arguments = [f"spec.json:layers.{round_}", f"spec.json:layers.{other}"]
            with self.subTest(arguments=arguments, masks=(masks[round_][0], masks[other][0])):
                # Of 4 queries hardly any difference is seen: it is the proof that finds it.
                result = run("diff", *arguments, "--seq", "4", "--json")
                found = json.loads(result.stdout)
                differs = np.argwhere((a != b)[20:, 20:])
                if found["first"] is not None:
                    self.assertEqual(result.returncode, 1)
                    continue
                statuses.append(result.returncode)
                self.assertEqual(result.returncode, 0 if np.array_equal(a, b) else 3)
                if len(differs) > 0:
                    one = found["elsewhere"]["differing"]
                    self.assertEqual((one["query_position"], one["key_position"]), tuple(differs[0]))
        self.assertGreater(statuses.count(0), 5)
        self.assertGreater(statuses.count(3), 10)


class Masks(DiffTest):
    """Larger than a tile, with positions of all kinds."""

    length = 150  # some tiles, the last one not whole

    def positions(self, seed, dtype=np.int64):
        random = np.random.default_rng(seed)
        p = random.permutation(self.length)
        p[::17] = -1
        p[5::19] = p[4]
        return p.astype(dtype)

    def test_positions_in_any_order(self):
        self.write({"sliding_window_size": 20}, {"sliding_window_size": 20, "type": WINDOW})
        for seed, dtype in [(1, np.int32), (2, np.int64)]:
            p = self.positions(seed, dtype)
            np.save("p.npy", p)
            d = p[:, None] - p.astype(np.int64)
            real = p >= 0
            given = ["--input", "token_positions=p.npy:seq"]
            self.check("spec.json:layers.0", "spec.json:layers.1", causal(20)(d) & real, causal(20)(d) & real, *given)
            for b, keep in [("keys:21", causal(21)), ("flash:3,100", sides(3, 100)), ("causal", causal(10**9))]:
                self.check("spec.json:layers.0", b, causal(20)(d) & real, keep(d) & real, *given)

    def test_padded_batch_and_windows_of_each_head(self):
        heads = [1, 30, 100]
        self.write({"sliding_window_size": {"axis": "heads", "values": heads}}, {"sliding_window_size": 30})
        p = np.stack([np.arange(self.length), np.maximum(np.arange(self.length) - 90, -1)])
        np.save("p.npy", p)
        d = (p[:, :, None] - p[:, None, :])[:, None]
        real = (p >= 0)[:, None, None, :]
        of_heads = (0 <= d) & (d < np.array(heads)[:, None, None]) & real
        given = ["--input", "token_positions=p.npy:batch,seq"]
        found = self.check("spec.json:layers.0", "spec.json:layers.1", of_heads, causal(30)(d) & real, *given)
        self.assertEqual(found["further_axes"], {"batch": 2, "heads": 3})
        self.assertEqual(found["first"]["at"], {"batch": 0, "heads": 0})
        # The same, with the axis of the heads in the other layer only.
        self.check("spec.json:layers.1", "spec.json:layers.0", causal(30)(d) & real, of_heads, *given)

    def test_composed_with_documents(self):
        window = {"type": WINDOW, "sliding_window_size": 30}
        documents = {"type": "ApplyDocumentAttentionMask"}
        self.write({"all": [window, documents]}, {"sliding_window_size": 30}, documents)
        ids = np.repeat(np.arange(5), self.length // 5)
        ids[-7:] = -1
        np.save("ids.npy", ids.astype(np.int32))
        d = np.arange(self.length)[:, None] - np.arange(self.length)
        same = (ids[:, None] == ids) & (ids >= 0)
        given = ["--input", "segment_ids=ids.npy:seq"]
        self.check("spec.json:layers.0", "spec.json:layers.1", causal(30)(d) & same, causal(30)(d), *given)
        self.check("spec.json:layers.1", "spec.json:layers.0", causal(30)(d), causal(30)(d) & same, *given)
        found = self.check("keys:30", "spec.json:layers.2", causal(30)(d), same, *given)
        self.assertEqual(found["first"]["formula_of_b"], "0 == 0 && 0 >= 0")

    def test_rows_that_see_nothing(self):
        """A rule for them holds for whole rows, though masks are read in parts."""
        self.write(
            {"sliding_window_size": 20, "empty_rows": "keep_self"},
            {"sliding_window_size": 20},
            {"sliding_window_size": 20, "empty_rows": "error"},
            {"sliding_window_size": 7, "empty_rows": "keep_self"},
        )
        given = ["--input", "token_positions=p.npy:seq"]
        for p in [self.positions(3), np.maximum(np.arange(self.length) - 90, -1), np.arange(self.length)]:
            np.save("p.npy", p)
            d = p[:, None] - p
            real = p >= 0
            masked = causal(20)(d) & real
            empty = ~masked.any(-1, keepdims=True)
            kept = masked | (empty & (d == 0))
            short = causal(7)(d) & real
            short |= ~short.any(-1, keepdims=True) & (d == 0)
            masks = [kept, masked, masked, short]
            for a, keep_a in enumerate(masks):
                for b, keep_b in enumerate(masks):
                    self.check(f"spec.json:layers.{a}", f"spec.json:layers.{b}", keep_a, keep_b, *given)
            self.check("spec.json:layers.0", "keys:20", kept, masked, *given)

    def test_text_of_rows_that_see_nothing(self):
        self.write({"empty_rows": "keep_self"}, {"empty_rows": "error"})
        np.save("p.npy", np.array([-1, 0, 1]))
        self.assert_text(
            run("diff", "spec.json:layers.0", "spec.json:layers.1", "--input", "token_positions=p.npy:seq"),
            1,
            "A: spec.json:layers.0: q >= k && q - k < 4 && k >= 0; a row that sees nothing keeps itself",
            "B: spec.json:layers.1: q >= k && q - k < 4 && k >= 0; a row that sees nothing is an error, here it is "
            "compared as masked",
            "3 queries x 3 keys: 1 of 9 elements differ, in 1 of 3 rows: 1 kept only by A, 0 only by B",
            "query 0: 1 key only in A (A sees 1, B 0)",
            "first: query 0 (position -1), key 0 (position -1): kept by A, as its row sees nothing else; not by B, as "
            "(-1) >= (-1) && (-1) - (-1) < 4 && (-1) >= 0 is false",
        )

    def test_explicit_mask(self):
        self.write({"type": "ApplyExplicitAttentionMask"})
        keep = causal(9)(np.arange(70, 70 + 33)[:, None] - np.arange(103))
        keep[11, 40] = True
        np.save("mask.npy", keep)
        made = causal(9)(np.arange(70, 70 + 33)[:, None] - np.arange(103))
        self.check("spec.json", "keys:9", keep, made, "--input", "mask=mask.npy:seq,kv_seq")
        result = run("diff", "keys:9", "spec.json", "--input", "mask=mask.npy:seq,kv_seq")
        self.assertEqual(
            result.stdout.splitlines()[-2:],
            [
                "query 11: 1 key only in B (A sees 9, B 10)",
                "first: query 11 (position 81), key 40 (position 40): kept by B, as true; "
                "not by A, as 81 >= 40 && 81 - 40 < 9 && 40 >= 0 is false",
            ],
        )

    def test_a_million_and_more(self):
        """131072 x 131072: what the plans tell need not be read."""
        n, w = 131072, 4096
        found = json.loads(run("diff", f"keys:{w}", "causal", "--seq", str(n), "--json").stdout)
        self.assertEqual(found["both"], w * (w + 1) // 2 + (n - w) * w)
        self.assertEqual((found["only_a"], found["only_b"]), (0, (n - w) * (n - w + 1) // 2))
        self.assertEqual(
            found["planes"],
            [{"at": {}, "runs": [{"queries": [w, n - 1], "both": [w, w], "only_a": [0, 0], "only_b": [1, n - w]}]}],
        )


class Arguments(DiffTest):
    def test_layers_and_files_with_colons(self):
        self.write({"name": "a:b"}, {"name": "c"})
        self.write({"name": "b:c", "sliding_window_size": 5}, file="spec.json:a")
        self.write({"name": "x"}, file="causal")
        for a, equal_to in [
            ("spec.json:c", "keys:4"),
            ("spec.json:a:b:c", "keys:5"),  # the last colon that leaves a file
            ("./causal", "keys:4"),
            ("./causal:x", "keys:4"),
            ("causal", "flash:-1,0"),  # a convention goes before a file of its name
        ]:
            with self.subTest(a=a):
                result = run("diff", a, equal_to)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
        os.remove("spec.json:a")
        self.assertEqual(run("diff", "spec.json:a:b", "keys:4").returncode, 0)

    def test_names_with_line_breaks(self):
        self.write({"name": "two\nlines"})
        result = run("diff", "spec.json:two\nlines", "keys:4")
        self.assertEqual(result.returncode, 0)
        self.assertEqual(result.stdout.splitlines()[0], "A: spec.json:two lines: q >= k && q - k < 4 && k >= 0")

    def test_errors(self):
        self.write({}, {"query_positions_input_name": "q", "kv_positions_input_name": "q"})
        np.save("p.npy", np.arange(6))
        np.save("five.npy", np.arange(5))
        with open("bad.json", "w", encoding="utf-8") as file:
            file.write('{"axismask": 2}')
        give = "give SPEC:LAYER, or a convention: flash:4096,0"
        p = ["--input", "token_positions=p.npy:seq"]
        for arguments, line in [
            (["", "causal"], f"error[usage] A: it is empty; {give}"),
            (["causal", ""], f"error[usage] B: it is empty; {give}"),
            ([], "error[usage] A: it is missing; see axismask --help"),
            (["causal"], "error[usage] B: it is missing; see axismask --help"),
            (["causal", "causal", "causal"], "error[usage] causal: it is one argument too many; see axismask --help"),
            (
                ["causal", "none.json:layers.0"],
                "error[spec-open] none.json: it cannot be opened (No such file or directory); "
                "give the file of a model spec",
            ),
            (
                ["bad.json:layers.0", "causal"],
                "error[spec-version] /axismask: the spec has version 2 of the format; this program reads version 1; "
                "write 1, or get the axismask that reads the spec's version",
            ),
            (
                ["causal", "spec.json:layers.9"],
                'error[spec-layer-name] B: the model "m" has no layer "layers.9" (did you mean "layers.0"?); '
                'its layers are "layers.0", "layers.1"',
            ),
            (
                ["spec.json", "causal"],
                'error[usage] A: "spec.json" has 2 layers, and none is named; '
                "name one after a colon: spec.json:layers.0",
            ),
            (
                ["causal", "causal", "--seq", "0"],
                'error[mask-size] --seq: the axis "seq" has the size 0; give a size from 1 to 2147483647',
            ),
            (
                ["causal", "causal", "--seq", "6", "--kv-seq", "5"],
                "error[mask-size] --kv-seq: 6 queries are to be the last of 5 keys; "
                "give at least as many keys, or the positions of both",
            ),
            (
                ["causal", "causal", "--seq", "six"],
                'error[usage] --seq: it is "six", which is no whole number; see axismask --help',
            ),
            (
                ["spec.json:layers.0", "causal", *p, "--seq", "5"],
                'error[axis-size] --input token_positions: its axis "seq" has size 6, and that of the logits has 5; '
                "give one element for each index of the logits' axis",
            ),
            (
                ["spec.json:layers.0", "spec.json:layers.1", *p],
                "error[side-input-missing] B: its positions are not among the side inputs, and those of A are; "
                "give the positions of both, or of none",
            ),
            (
                ["spec.json:layers.1", "spec.json:layers.0", *p],
                "error[side-input-missing] A: its positions are not among the side inputs, and those of B are; "
                "give the positions of both, or of none",
            ),
            (
                ["spec.json:layers.0", "spec.json:layers.1", *p, "--input", "q=five.npy:seq"],
                'error[axis-size] --input q: its axis "seq" has size 5, and that of the logits has 6; '
                "give one element for each index of the logits' axis",
            ),
            (
                ["spec.json:layers.0", "causal", "--input", "tokens=p.npy:seq"],
                'error[side-input-unknown] --input tokens: there is no side input "tokens"; '
                'the layer takes "token_positions"; leave it out, or give it the name that the layer uses',
            ),
            (
                ["spec.json:layers.0", "causal", "--input", "token_positions=none.npy:seq"],
                "error[npy-open] none.npy: there is no such file; give the path of an .npy file",
            ),
        ]:
            with self.subTest(arguments=arguments):
                self.assert_error(run("diff", *arguments), line)

    def test_numbers_of_heads_that_differ(self):
        self.write(
            {"sliding_window_size": {"axis": "heads", "values": [3, 4]}},
            {"sliding_window_size": {"axis": "heads", "values": [3, 4, 5]}},
        )
        self.assert_error(
            run("diff", "spec.json:layers.0", "spec.json:layers.1"),
            'error[axis-size] B: its axis "heads" has size 3, and A\'s has 2; compare layers that have as many',
        )


if __name__ == "__main__":
    unittest.main()
