"""Random layers with their side inputs, and the dense mask of each by a formula in NumPy that shares nothing with ours.

Positions are those of serving: queries at the end of the keys, padded batches, a cache that wraps, any order. Layers have
numbers for each head, compose, and follow the rule keep_self.
"""

import dataclasses
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import numpy as np

TYPES = {
    "causal": "ApplyCausalAttentionMask",
    "window": "ApplyCausalSlidingWindowAttentionMask",
    "around": "ApplyBidirectionalWindowAttentionMask",
    "blocks": "ApplyBlockCausalAttentionMask",
    "chunks": "ApplyChunkedAttentionMask",
    "dilated": "ApplyDilatedWindowAttentionMask",
    "document": "ApplyDocumentAttentionMask",
    "prefix": "ApplyPrefixLmAttentionMask",
    "sinks": "ApplySinksAttentionMask",
}
KINDS = ["causal", "window", "around", "blocks", "chunks", "dilated", "document", "prefix", "causal & document",
         "window & document", "causal | document", "around & (causal | document)", "causal & (window | sinks)",
         "causal & !window"]  # fmt: skip
POSITIONS = ["end", "padded", "ring", "any order"]
QUERIES, KEYS = "query_positions_input_name", "kv_positions_input_name"


@dataclasses.dataclass
class RandomMask:
    kind: str
    layer: dict  # of a spec, without its name and masked value
    inputs: dict  # name: (array, axes)
    dense: np.ndarray  # bool [batch, heads, queries, keys]; an axis along which nothing changes has the size 1
    planes: tuple  # of the axes along which the inputs change
    positions: tuple  # of queries and keys, [batch or 1, n]
    order: str

    def __str__(self):
        return f"{self.kind}, positions {self.order}, {self.dense.shape}, {self.layer}"


class Maker:
    def __init__(self, random, batches=3, heads=3, sizes=(1, 2, 7, 16, 33, 64, 97)):
        self.random, self.batches, self.heads, self.sizes = random, batches, heads, sizes

    def integer(self, lowest, highest):
        return int(self.random.integers(lowest, highest + 1))

    def make(self, kind=None, order=None, keep_self=None):
        kind = kind or str(self.random.choice(KINDS))
        order = order or str(self.random.choice(POSITIONS))
        batch = self.integer(1, self.batches) if self.random.integers(2) else None
        heads = self.integer(1, self.heads) if self.random.integers(2) else None
        keys = int(self.random.choice(self.sizes))
        queries = keys if self.random.integers(2) else int(self.random.integers(1, keys + 1))
        q, k = self.make_positions(order, batch, queries, keys)
        made = _Layer(self, batch, heads, q, k)
        layer, dense = made.mask(kind)
        # The rule compares the positions of one mask: it is none of compositions, and of no ids.
        if kind in TYPES and kind != "document" and (self.random.integers(2) if keep_self is None else keep_self):
            layer["empty_rows"] = "keep_self"
            empty = ~dense.any(axis=-1, keepdims=True)
            dense = dense | (empty & (made.q == made.k))
            kind += ", keep_self"
        shape = (batch if batch and made.changes_along_batch() else 1, made.heads_used, queries, keys)
        dense = np.broadcast_to(dense, np.broadcast_shapes(dense.shape, shape)).copy()
        planes = tuple(name for name, is_there in
                       [("batch", made.changes_along_batch()), ("heads", made.heads_used > 1)] if is_there)
        return RandomMask(kind, layer, made.inputs, dense, planes, (q, k), order)

    def make_positions(self, order, batch, queries, keys):
        rows = batch or 1
        index = np.tile(np.arange(keys), (rows, 1))
        if order == "end":
            return index[:, keys - queries:], index
        if order == "padded":  # on the left or the right
            padding = self.random.integers(0, keys + 1, (rows, 1))
            left = bool(self.random.integers(2))
            k = np.where(index >= padding, index - padding, -1) if left else np.where(index < keys - padding, index, -1)
            return k[:, keys - queries:], k
        if order == "ring":  # slots of a cache that has seen more tokens, or fewer, than it holds
            tokens = self.random.integers(1, 3 * keys + 1, (rows, 1))
            last = tokens - 1
            k = last - (last - index) % keys
            return last - np.arange(queries)[::-1][None, :], np.where(k >= 0, k, -1)
        return (self.random.integers(-2, keys + 2, (rows, queries)),
                self.random.permuted(np.arange(-2, keys - 2)[None, :].repeat(rows, 0), axis=1))  # fmt: skip


class _Layer:
    """Layers of one kind at these positions; `mask` gives the spec's part, and the dense mask."""

    def __init__(self, maker, batch, heads, q, k):
        self.maker, self.random, self.batch, self.heads = maker, maker.random, batch, heads
        self.q, self.k = q[:, None, :, None], k[:, None, None, :]
        self.heads_used = 1
        self.inputs = {}
        axes = (["batch"] if batch else []) + ["seq"]
        self.positions = {name: (self.integers(array if batch else array[0]), axes)
                          for name, array in [("q", q), ("k", k)]}  # fmt: skip

    def integers(self, array):
        return np.array(array, self.random.choice([np.int32, np.int64]), order="C")

    def changes_along_batch(self):
        return any("batch" in axes for _, axes in self.inputs.values())

    def number(self, lowest, highest):
        """One number, or one for each head: as a spec has it, and as an array."""
        if self.heads and self.random.integers(2):
            values = self.random.integers(lowest, highest + 1, self.heads)
            self.heads_used = self.heads
            return {"axis": "heads", "values": values.tolist()}, values[None, :, None, None]
        value = self.maker.integer(lowest, highest)
        return value, value

    def part(self, name, **attributes):
        result = {"type": TYPES[name], **attributes}
        if name not in ("document", "sinks"):
            result[QUERIES] = "q"
            self.inputs["q"] = self.positions["q"]
        if name != "document":
            result[KEYS] = "k"
            self.inputs["k"] = self.positions["k"]
        return result

    def mask(self, kind):
        if kind == "around & (causal | document)":
            (around, a), (causal, b), (document, c) = self.around(), self.causal(), self.document()
            return {"all": [around, {"any": [causal, document]}]}, a & (b | c)
        if kind == "causal & (window | sinks)":
            (causal, a), (window, b), (sinks, c) = self.causal(), self.window(), self.sinks()
            return {"all": [causal, {"any": [window, sinks]}]}, a & (b | c)
        if kind == "causal & !window":
            (causal, a), (window, b) = self.causal(), self.window()
            return {"all": [causal, {"not": window}]}, a & ~b
        if " & " in kind:
            (left, a), (right, b) = (getattr(self, name)() for name in kind.split(" & "))
            return {"all": [left, right]}, a & b
        if " | " in kind:
            (left, a), (right, b) = (getattr(self, name)() for name in kind.split(" | "))
            return {"any": [left, right]}, a | b
        return getattr(self, kind)()

    # The formulas, each as its system has it, with padding as negative positions of keys.

    def longest(self):
        return self.k.shape[-1] + 2

    def causal(self):
        return self.part("causal"), (self.k <= self.q) & (self.k >= 0)

    def window(self):
        text, size = self.number(1, self.longest())
        mask = (self.k > self.q - size) & (self.k <= self.q) & (self.k >= 0)
        return self.part("window", sliding_window_size=text), mask

    def around(self):
        (left_text, left), (right_text, right) = self.number(0, self.longest()), self.number(0, self.longest())
        distance = self.q - self.k
        mask = (-right <= distance) & (distance <= left) & (self.k >= 0)
        return self.part("around", window_left=left_text, window_right=right_text), mask

    def blocks(self):
        text, size = self.number(1, self.longest())
        return self.part("blocks", block_size=text), (self.k // size <= self.q // size) & (self.k >= 0)

    def chunks(self):
        text, size = self.number(1, self.longest())
        mask = (self.k // size == self.q // size) & (self.k <= self.q) & (self.k >= 0)
        return self.part("chunks", attention_chunk_size=text), mask

    def dilated(self):
        (text, size), (step_text, step) = self.number(1, self.longest()), self.number(1, 4)
        distance = self.q - self.k
        seen = (distance >= 0) & (distance < size) & (distance % step == 0) & (self.k >= 0)
        return self.part("dilated", sliding_window_size=text, dilation=step_text), seen

    def prefix(self):
        lengths = self.random.integers(0, self.longest(), self.batch or ())
        self.inputs["prefix_lengths"] = (self.integers(lengths), ["batch"] if self.batch else [])
        mask = ((self.k <= self.q) | (self.k < lengths.reshape(-1, 1, 1, 1))) & (self.k >= 0)
        return self.part("prefix"), mask

    def sinks(self):
        text, count = self.number(1, 5)
        return self.part("sinks", sink_count=text), (self.k < count) & (self.k >= 0)

    def document(self):
        rows, queries, keys = self.q.shape[0], self.q.shape[2], self.k.shape[3]
        k = np.cumsum(self.random.integers(0, 8, (rows, keys)) == 0, axis=1) - 1  # -1: in none
        q = k[:, keys - queries:]
        for name, array in [("query_ids", q), ("key_ids", k)]:
            self.inputs[name] = (self.integers(array if self.batch else array[0]), self.positions["q"][1])
        part = {"type": TYPES["document"], "query_segment_ids_input_name": "query_ids",
                "kv_segment_ids_input_name": "key_ids"}  # fmt: skip
        ids = q[:, None, :, None]
        return part, (ids == k[:, None, None, :]) & (ids >= 0)


class WithCommand(unittest.TestCase):
    """Gives random masks to the command, in an empty folder of each test's own. AXISMASK is its path."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.random = np.random.default_rng(sum(self.id().encode()))

    def call(self, command, mask, *more):
        """A subcommand on the mask's layer and its side inputs, when it has ended."""
        layer = {"name": "layer", "masked_out_value": "lowest", **mask.layer}
        (self.folder / "spec.json").write_text(json.dumps({"axismask": 1, "model": "oracle", "layers": [layer]}))
        words = [os.environ["AXISMASK"], command, self.folder / "spec.json", "--layer", "layer", *more]
        for name, (array, axes) in mask.inputs.items():
            np.save(self.folder / f"{name}.npy", array)
            words += ["--input", f"{name}={self.folder}/{name}.npy:{','.join(axes)}"]
        return subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
