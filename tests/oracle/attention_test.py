"""`axismask attend` against attention in NumPy, in float64: random masks, groups of queries, axes in any order, softcap,
sinks, projections of any size, rows that see nothing, float32, float16 and bfloat16.
"""

import unittest

import ml_dtypes
import numpy as np
from random_masks import Maker, WithCommand

CASES = 60
LOWEST = float(np.finfo(np.float32).min)
DTYPES = {"float32": (np.float32, 1e-5), "float16": (np.float16, 3e-3), "bfloat16": (ml_dtypes.bfloat16, 3e-2)}


class Case:
    """One call: its arrays, what the layer's spec says, and what comes of it. Arrays are made with the axes batch, heads,
    group, seq or kv_seq, projection; an axis of which keys have size 1 is left out of their file."""

    def __init__(self, random, mask):
        self.random, self.mask = random, mask
        batch, heads, self.queries, self.keys = mask.dense.shape
        self.sizes = {"batch": batch, "heads": heads, "group": int(random.integers(1, 4))}
        for axis in ("batch", "heads"):
            if self.sizes[axis] == 1 and not self.is_in_mask(axis):
                self.sizes[axis] = int(random.integers(1, 4))
        self.depth, self.values_depth = (int(random.choice([1, 3, 8, 17, 64])) for _ in range(2))
        self.dtype = str(random.choice(["float32", "float32", "float16", "bfloat16"]))
        self.make_arrays()
        self.make_attention()
        self.rule = str(random.choice(["masked", "zeros"]))
        self.masked = random.choice(["lowest", "-inf"])
        mask.layer |= {"masked_out_value": str(self.masked), "empty_rows": self.rule}
        if self.attention:
            mask.layer["attention"] = self.attention

    def is_in_mask(self, axis):
        values = [part for part in _objects(self.mask.layer) if part.get("axis") == axis]
        return bool(values) or any(axis in axes for _, axes in self.mask.inputs.values())

    def make_arrays(self):
        element = DTYPES[self.dtype][0]

        def array(planes, length, depth):
            return self.random.normal(size=(*planes, length, depth)).astype(element)

        planes = list(self.sizes.values())
        # Keys lack the group, and perhaps more. An array of size 1 along an axis is shared along it.
        shared = [1 if axis == "group" or self.random.integers(3) == 0 else size for axis, size in self.sizes.items()]
        self.q = array(planes, self.queries, self.depth)
        self.k = array(shared, self.keys, self.depth)
        self.v = array(shared, self.keys, self.values_depth)

    def make_attention(self):
        self.attention, self.scale, self.softcap, self.sinks = {}, None, 0, None
        if self.random.integers(2):
            self.scale = self.attention["scale"] = float(self.random.uniform(0.05, 2))
        if self.random.integers(2):
            self.softcap = self.attention["softcap"] = float(self.random.uniform(0.5, 20))
        if self.random.integers(2):
            axis = str(self.random.choice(["heads", "group"]))
            numbers = self.random.normal(size=self.sizes[axis]).astype(np.float32)
            self.attention["sinks"] = {"axis": axis, "values": numbers.tolist()}
            self.sinks = numbers.astype(np.float64).reshape((-1, 1, 1) if axis == "group" else (-1, 1, 1, 1))

    def wanted(self, scale=None):
        """The result and the logarithm of the denominator."""
        scale = scale or self.scale or 1 / self.depth**0.5
        scores = self.q.astype(np.float64) @ self.k.astype(np.float64).swapaxes(-1, -2) * scale
        if self.softcap:
            scores = self.softcap * np.tanh(scores / self.softcap)
        dense = np.broadcast_to(self.mask.dense[:, :, None], scores.shape)
        masked = LOWEST if self.masked == "lowest" and self.rule != "zeros" else -np.inf
        scores = np.where(dense, scores, masked)
        sinks = None if self.sinks is None else np.broadcast_to(self.sinks, (*scores.shape[:-1], 1))
        both = scores if sinks is None else np.concatenate([scores, sinks], -1)
        with np.errstate(invalid="ignore", divide="ignore"):
            largest = both.max(-1, keepdims=True)
            total = np.exp(both - largest).sum(-1, keepdims=True)
            result = np.exp(scores - largest) / total @ self.v.astype(np.float64)
            logarithm = (largest + np.log(total))[..., 0]
        if self.rule == "zeros":
            empty = ~dense.any(-1)
            result[empty] = 0
            if sinks is None:
                logarithm[empty] = -np.inf
        return result, logarithm


def _objects(value):
    """Every object within a spec's value."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _objects(one)


class Attention(WithCommand):
    def save(self, name, array, axes):
        """Writes the array with its axes in any order; gives the argument that names them, and the order. Those that
        have the size 1 are left out, in part."""
        array = np.asarray(array)
        kept = [at for at, axis in enumerate(axes) if array.shape[at] != 1 or axis in ("seq", "kv_seq", "depth")
                or name == "queries"]  # fmt: skip
        array = array.reshape([array.shape[at] for at in kept])
        order = list(self.random.permutation(len(kept)))
        given = np.transpose(array, order)
        given = np.asfortranarray(given) if self.random.integers(2) else np.ascontiguousarray(given)
        np.save(self.folder / f"{name}.npy", given)
        names = [axes[kept[at]] for at in order]
        return f"{self.folder}/{name}.npy:{','.join(names)}", names

    def attend(self, case, *more):
        """What the command writes: the result, the logarithm, both with the axes of `Case`."""
        planes = list(case.sizes)
        q, order = self.save("queries", case.q, [*planes, "seq", "depth"])
        k, _ = self.save("keys", case.k, [*planes, "kv_seq", "depth"])
        v, _ = self.save("values", case.v, [*planes, "kv_seq", "depth"])
        out, lse = self.folder / "out.npy", self.folder / "lse.npy"
        done = self.call("attend", case.mask, "--queries", q, "--keys", k, "--values", v, "--projection", "depth",
                         "--out", out, "--lse", lse, *more)  # fmt: skip
        self.assertEqual((done.returncode, done.stderr), (0, ""), f"{case.mask} {case.attention}")
        result = np.load(out)
        if case.dtype == "bfloat16":
            result = result.view(ml_dtypes.bfloat16)
        self.assertEqual(result.dtype, DTYPES[case.dtype][0])
        to = [order.index(axis) for axis in [*planes, "seq", "depth"]]
        left = [axis for axis in order if axis != "depth"]
        logarithm = np.load(lse)
        self.assertEqual(logarithm.dtype, np.float32)
        return (np.transpose(result, to).astype(np.float64),
                np.transpose(logarithm, [left.index(axis) for axis in [*planes, "seq"]]))  # fmt: skip

    def compare(self, case, found, wanted):
        said = f"{case.mask} {case.attention} {case.sizes} {case.dtype} {case.depth}"
        near = DTYPES[case.dtype][1]
        np.testing.assert_allclose(found[0], wanted[0], rtol=near, atol=near, err_msg=said)
        is_literal = case.rule != "zeros" and ~np.isfinite(wanted[1]) | (wanted[1] < LOWEST / 2)
        logarithm = np.where(is_literal, 0, found[1]), np.where(is_literal, 0, wanted[1])  # compared where it is a number
        np.testing.assert_allclose(*logarithm, rtol=1e-4, atol=1e-4, err_msg=said)

    def make(self, **wanted):
        return Case(self.random, Maker(self.random).make(keep_self=False, **wanted))

    def test_random_cases(self):
        met = set()
        for _ in range(CASES):
            case = self.make()
            self.compare(case, self.attend(case), case.wanted())
            empty = not case.mask.dense.any(-1).all()
            met |= {case.dtype, case.rule, case.mask.order, f"empty {empty}", *case.attention}
            met |= {"group"} if case.sizes["group"] > 1 else set()
        everything = {*DTYPES, "masked", "zeros", "end", "padded", "ring", "any order", "empty True", "empty False",
                      "scale", "softcap", "sinks", "group"}  # fmt: skip
        self.assertEqual(everything - met, set())

    def test_the_scale_of_the_call_wins(self):
        case = self.make(kind="causal", order="end")
        case.scale = case.attention["scale"] = 0.25
        case.mask.layer["attention"] = case.attention
        self.compare(case, self.attend(case, "--scale", "1.5"), case.wanted(scale=1.5))
        self.compare(case, self.attend(case), case.wanted())

    def test_threads_and_masked_keys_change_no_bit(self):
        for _ in range(12):
            case, unseen, plain, _ = self.padded()
            case.k[..., unseen, :] = np.nan
            for found, same in zip(self.attend(case, "--threads", "2"), plain):
                np.testing.assert_array_equal(found, same)

    def test_masked_values_change_nothing(self):
        for _ in range(12):
            case, unseen, _, wanted = self.padded()
            case.v[..., unseen, :] = np.inf  # such values are summed in an order of their own
            self.compare(case, self.attend(case), wanted)

    def padded(self):
        """A case with keys that no query sees, these keys, and what comes of it: the command's, the reference's."""
        while True:
            case = self.make(kind="causal", order="padded")
            case.rule = case.mask.layer["empty_rows"] = "zeros"
            unseen = ~case.mask.dense.any((0, 1, 2))
            if unseen.any():
                return case, unseen, self.attend(case, "--threads", "1"), case.wanted()


if __name__ == "__main__":
    unittest.main()
