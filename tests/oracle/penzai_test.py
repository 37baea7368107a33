"""The `axismask apply` command against penzai, on the same .npy files, bit for bit.

Random cases over axis orders, batch and heads there or not, positions shared or per row, padded, ragged, unsorted,
repeated, negative and beyond 2^31, decode, keys longer than queries, windows from 1 to beyond the length, and the
dtypes that both systems know.
"""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import jax

jax.config.update("jax_enable_x64", True)  # int64 positions and float64 logits stay what they are

import jax.numpy as jnp
import ml_dtypes
import numpy as np
from penzai import pz

AXISMASK = os.environ["AXISMASK"]
SIZES = [0, 1, 7, 63, 64, 65, 257]
DTYPES = {
    "float32": np.dtype(np.float32),
    "float16": np.dtype(np.float16),
    "bfloat16": np.dtype(ml_dtypes.bfloat16),
    "float64": np.dtype(np.float64),
}


def random_logits(random, shape, dtype):
    """Random bits, so infinities and subnormals too, and NaNs. XLA takes bfloat16 through float32 on a CPU and leaves one
    NaN of the many; ours keep their bits (tests/kernels), so here 16-bit NaNs are that one."""
    bits = {2: np.uint16, 4: np.uint32, 8: np.uint64}[dtype.itemsize]
    logits = random.integers(0, np.iinfo(bits).max, shape, bits, endpoint=True).view(dtype)
    if dtype.itemsize == 2:
        logits[np.isnan(logits)] = np.nan
    return logits


def random_positions(random, manner, rows, length, window):
    """An array [*rows, length] of positions."""
    shape = (*rows, length)
    if manner == "shared":
        return np.broadcast_to(np.arange(length), shape).copy()
    if manner == "left_padded":
        start = random.integers(0, max(length, 1), (*rows, 1))
        return np.maximum(np.arange(length) - start, -1)
    if manner == "right_padded":
        stop = random.integers(0, max(length, 1), (*rows, 1))
        return np.where(np.arange(length) <= stop, np.arange(length), -1)
    if manner == "unsorted":
        return random.permuted(np.broadcast_to(np.arange(length), shape).copy(), axis=-1)
    if manner == "repeated":
        return random.integers(-1, max(length // 4, 1), shape, endpoint=True)
    if manner == "negative":
        return random.integers(-length - 3, length + 3, shape)
    if manner == "around_the_window":
        return random.integers(0, 2 * window + 2, shape)
    if manner == "far":
        return (1 << 33) + random.integers(0, max(length, 1), shape)
    raise ValueError(manner)


class Case:
    """One random call: the arrays, their axes, and the layer."""

    def __init__(self, random, number):
        self.layer_type = str(random.choice(["ApplyCausalSlidingWindowAttentionMask"] * 3 + ["ApplyCausalAttentionMask"]))
        self.dtype_name = list(DTYPES)[number % 4]
        dtype = DTYPES[self.dtype_name]
        shape = number % 3  # prefill, decode, keys longer than queries
        keys = int(random.choice(SIZES))
        queries = keys if shape == 0 else 1 if shape == 1 else int(random.choice([size for size in SIZES if size <= keys]))
        sizes = {"seq": queries, "kv_seq": keys}
        if random.integers(2):
            sizes["heads"] = int(random.integers(1, 5))
        if random.integers(2):
            sizes["batch"] = int(random.integers(1, 4))
        if random.integers(8) == 0:
            sizes["groups"] = 2
        self.axes = [str(axis) for axis in random.permutation(list(sizes))]
        self.logits = random_logits(random, [sizes[axis] for axis in self.axes], dtype)
        if random.integers(3) == 0:
            self.logits = np.asfortranarray(self.logits)

        self.window = int(random.choice([1, 2, 3, keys // 2 + 1, max(keys - 1, 1), keys + 1, 10 * keys + 7]))
        self.masked = float(random.choice([0.0, -1e4, -2.3819763e38, -1.5, float(random.normal() * 1e3)]))
        if self.dtype_name == "float16" and abs(self.masked) > 65504:
            self.masked = -65504.0

        position_type = np.int32 if random.integers(2) else np.int64
        manners = ["shared", "left_padded", "right_padded", "unsorted", "repeated", "negative", "around_the_window"]
        if position_type == np.int64:
            manners.append("far")
        self.manner = str(random.choice(manners))
        per_row = "batch" in sizes and random.integers(2)
        rows = (sizes["batch"],) if per_row else ()
        row_axes = ["batch"] if per_row else []
        own = queries != keys or random.integers(4) == 0
        kv = random_positions(random, self.manner, rows, keys, self.window).astype(position_type)
        self.in_place = bool(random.integers(2))
        self.inputs = {}
        self.attributes = {}
        if own:
            # The queries are the last of the keys, as in decode, or any of them.
            if keys == 0:
                query = random_positions(random, self.manner, rows, queries, self.window).astype(position_type)
            elif random.integers(2):
                query = kv[..., keys - queries:]
            else:
                query = kv[..., random.integers(0, keys, queries)]
            self.inputs["q"] = (np.ascontiguousarray(query), row_axes + ["seq"])
            self.inputs["cache"] = (kv, row_axes + ["seq"])
            self.attributes = {"query_positions_input_name": "q", "kv_positions_input_name": "cache"}
        else:
            self.inputs["token_positions"] = (kv, row_axes + ["seq"])
        if per_row and random.integers(2):
            self.inputs = {name: (array.T, axes[::-1]) for name, (array, axes) in self.inputs.items()}

    def __str__(self):
        inputs = ", ".join(f"{name}{axes} {array.dtype}" for name, (array, axes) in self.inputs.items())
        return (f"{self.layer_type} window {self.window} masked {self.masked} {self.dtype_name} "
                f"{dict(zip(self.axes, self.logits.shape))} {self.manner} {inputs}")

    def spec(self):
        layer = {"name": "layer", "type": self.layer_type, "masked_out_value": self.masked, **self.attributes}
        if self.layer_type == "ApplyCausalSlidingWindowAttentionMask":
            layer["sliding_window_size"] = self.window
        return {"axismask": 1, "model": "oracle", "layers": [layer]}

    def penzai(self):
        """penzai's result, in the order of the logits' axes."""
        if self.layer_type == "ApplyCausalSlidingWindowAttentionMask":
            layer = pz.nn.ApplyCausalSlidingWindowAttentionMask(
                masked_out_value=self.masked, sliding_window_size=self.window, **self.attributes)
        else:
            layer = pz.nn.ApplyCausalAttentionMask(masked_out_value=self.masked, **self.attributes)
        named = {name: pz.nx.wrap(jnp.asarray(array)).tag(*axes) for name, (array, axes) in self.inputs.items()}
        result = layer(pz.nx.wrap(jnp.asarray(self.logits)).tag(*self.axes), **named)
        return np.asarray(result.untag(*self.axes).unwrap())

    def command(self, folder):
        """The command's result, read back from its file."""
        (folder / "spec.json").write_text(json.dumps(self.spec()))
        np.save(folder / "logits.npy", self.logits)
        out = folder / "out.npy"
        out.unlink(missing_ok=True)
        call = [AXISMASK, "apply", folder / "spec.json", "--layer", "layer", "--out", out,
                "--logits", f"{folder}/logits.npy:{','.join(self.axes)}"]
        for name, (array, axes) in self.inputs.items():
            np.save(folder / f"{name}.npy", array)
            call += ["--input", f"{name}={folder}/{name}.npy:{','.join(axes)}"]
        if self.in_place:
            call.append("--in-place")
        done = subprocess.run([str(word) for word in call], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{self}\n{done.stderr}")
        result = np.load(out)
        return result.view(ml_dtypes.bfloat16) if self.dtype_name == "bfloat16" else result


def bits(array):
    array = np.ascontiguousarray(array)
    return array.reshape(-1).view(np.uint8).reshape(-1, array.dtype.itemsize)


class Penzai(unittest.TestCase):
    CASES = 240

    def test_random_cases_are_equal_bit_for_bit(self):
        random = np.random.default_rng(20241)
        kept_and_masked = 0
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            for number in range(self.CASES):
                case = Case(random, number)
                want = case.penzai()
                got = case.command(folder)
                self.assertEqual(got.dtype, want.dtype, case)
                self.assertEqual(got.shape, want.shape, case)
                self.assertTrue(np.array_equal(bits(got), bits(want)), f"case {number}: {case}")
                changed = (bits(got) != bits(case.logits)).any(axis=1)
                kept_and_masked += bool(changed.any() and not changed.all())
        print(f"{self.CASES} cases equal, {kept_and_masked} of them with kept and masked logits")
        self.assertGreater(kept_and_masked, self.CASES // 2)

    def test_masked_values_round_as_in_jax(self):
        """Every logit masked, to values that lie between two numbers of the dtype."""
        random = np.random.default_rng(5)
        values = [float(value) for value in random.normal(size=40) * 10.0 ** random.integers(-9, 4, 40)]
        with tempfile.TemporaryDirectory() as name:
            for dtype_name, dtype in DTYPES.items():
                for value in values:
                    case = Case(random, 0)
                    case.layer_type = "ApplyCausalAttentionMask"
                    case.attributes = {}
                    case.dtype_name, case.masked = dtype_name, value
                    case.axes, case.logits = ["seq", "kv_seq"], np.ones((2, 2), dtype)
                    case.inputs = {"token_positions": (np.array([-1, -1], np.int32), ["seq"])}
                    self.assertTrue(np.array_equal(bits(case.command(pathlib.Path(name))), bits(case.penzai())),
                                    f"{dtype_name} {value!r}")


if __name__ == "__main__":
    unittest.main()
