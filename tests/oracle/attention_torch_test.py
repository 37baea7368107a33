"""attention_torch_test.py LIBRARY: attention beside torch's own, in float32, on random cases.

Each case is computed in float64 by NumPy, in float32 by torch's SDPA (its `math` backend, or the same operations where
there is a softcap or a sink, which it does not have), and by ours. Ours may be at most twice as far from float64 as
torch's is, or as a few units in the last place of the values where both are as near as that.
"""

import json
import math
import pathlib
import sys

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "bench"))
import ctypes

from attention import Call
from ours import FLOAT32, INT32

CASES = 600


def random_layout(random, array):
    """The same numbers in memory of another order, with gaps."""
    order = random.permutation(array.ndim)
    shape = [array.shape[axis] + int(random.integers(0, 3)) for axis in order]
    memory = np.zeros(shape, array.dtype)
    view = memory[tuple(slice(0, array.shape[axis]) for axis in order)].transpose(np.argsort(order))
    view[...] = array
    return view


class Case:
    def __init__(self, seed):
        random = np.random.default_rng(seed)
        self.batch, self.heads = int(random.integers(1, 4)), int(random.integers(1, 4))
        self.group = int(random.choice([1, 1, 2, 4]))
        self.projection = int(random.choice([1, 2, 7, 16, 31, 64, 80, 128, 256]))
        self.values = self.projection if random.integers(3) else int(random.choice([1, 5, 64, 96]))
        self.keys = int(random.choice([1, 3, 17, 64, 100, 257, 600]))
        manner = random.choice(["prefill", "decode", "ring", "ragged", "any"])
        self.queries = self.keys if manner in ("prefill", "ragged") else int(random.integers(1, 40))
        keys = np.broadcast_to(np.arange(self.keys, dtype=np.int32), (self.batch, self.keys)).copy()
        queries = np.broadcast_to(np.arange(self.queries, dtype=np.int32) + max(self.keys - self.queries, 0),
                                  (self.batch, self.queries)).copy()
        if manner == "ragged":
            for row in range(self.batch):
                padding = int(random.integers(0, self.keys))
                keys[row] = np.where(np.arange(self.keys) < padding, -1, np.arange(self.keys) - padding)
            queries = keys.copy()
        if manner == "ring":
            for row in range(self.batch):
                keys[row] = np.roll(keys[row], int(random.integers(0, self.keys)))
        if manner == "any":
            keys, queries = (random.integers(-2, 60, positions.shape).astype(np.int32) for positions in (keys, queries))
        self.query_positions, self.kv_positions = queries, keys
        self.windows = random.integers(1, 50, self.heads) if random.integers(3) == 0 else None
        self.window = int(random.integers(1, 80)) if random.integers(2) else None
        self.scale = float(random.choice([0, 0.25]))
        self.softcap = float(random.choice([0, 0, 5]))

        def make(*shape):
            return random.standard_normal(shape, dtype=np.float32)

        self.q = random_layout(random, make(self.batch, self.heads, self.group, self.queries, self.projection))
        self.k = random_layout(random, make(self.batch, self.heads, self.keys, self.projection))
        self.v = random_layout(random, make(self.batch, self.heads, self.keys, self.values))
        self.out = random_layout(random, make(self.batch, self.heads, self.group, self.queries, self.values))
        self.sinks = make(self.heads, self.group) if random.integers(4) == 0 else None
        self.log_sum_exp = make(self.batch, self.heads, self.group, self.queries)
        self.threads = int(random.integers(1, 4))

    @property
    def keep(self):
        """[batch, heads, 1, queries, keys]"""
        query = self.query_positions[:, None, None, :, None].astype(np.int64)
        key = self.kv_positions[:, None, None, None, :].astype(np.int64)
        kept = (query >= key) & (key >= 0)
        if self.windows is not None:
            kept = kept & (query - key < self.windows[None, :, None, None, None])
        elif self.window is not None:
            kept = kept & (query - key < self.window)
        return np.broadcast_to(kept, (self.batch, self.heads, 1, self.queries, self.keys))

    @property
    def spec(self):
        layer = {"name": "mask", "masked_out_value": "-inf", "query_positions_input_name": "query_positions",
                 "kv_positions_input_name": "kv_positions", "type": "ApplyCausalAttentionMask"}
        if self.windows is not None:
            layer["type"] = "ApplyCausalSlidingWindowAttentionMask"
            layer["sliding_window_size"] = {"axis": "heads", "values": self.windows.tolist()}
        elif self.window is not None:
            layer["type"] = "ApplyCausalSlidingWindowAttentionMask"
            layer["sliding_window_size"] = self.window
        return json.dumps({"axismask": 1, "model": "random", "layers": [layer]})

    def ours(self, c):
        queries = ("batch", "heads", "group", "seq")
        keys = ("batch", "heads", "kv_seq", "projection")
        call = Call(c, self.spec,
                    [(self.q, FLOAT32, (*queries, "projection")), (self.k, FLOAT32, keys), (self.v, FLOAT32, keys),
                     (self.out, FLOAT32, (*queries, "projection"))],
                    {"query_positions": (self.query_positions, INT32, ("batch", "seq")),
                     "kv_positions": (self.kv_positions, INT32, ("batch", "seq"))},
                    self.threads, self.scale, self.softcap,
                    (self.sinks, FLOAT32, ("heads", "group")) if self.sinks is not None else None,
                    (self.log_sum_exp, FLOAT32, queries))
        call.time(1)
        call.close()
        return self.out

    def reference(self):
        """In float64: the result and the logarithm of the denominator. Rows that see nothing are 0."""
        scores = np.einsum("bhgqd,bhkd->bhgqk", self.q.astype(np.float64), self.k.astype(np.float64))
        scores *= self.scale or 1 / math.sqrt(self.projection)
        if self.softcap:
            scores = self.softcap * np.tanh(scores / self.softcap)
        scores = np.where(self.keep, scores, -np.inf)
        largest = scores.max(axis=-1, keepdims=True)
        sink = self.sinks[None, :, :, None, None].astype(np.float64) if self.sinks is not None else -np.inf
        largest = np.maximum(np.maximum(largest, sink), -1e300)
        weights = np.exp(scores - largest)
        total = weights.sum(axis=-1, keepdims=True) + np.exp(sink - largest)
        out = np.einsum("bhgqk,bhkd->bhgqd", weights, self.v.astype(np.float64)) / np.where(total == 0, 1, total)
        with np.errstate(divide="ignore"):
            return out, np.where(total == 0, -np.inf, largest + np.log(total))[..., 0]

    def torch(self):
        q, k, v = (torch.from_numpy(np.ascontiguousarray(array)) for array in (self.q, self.k, self.v))
        k, v = (array[:, :, None].expand(-1, -1, self.group, -1, -1) for array in (k, v))
        keep = torch.from_numpy(np.ascontiguousarray(self.keep))
        seen = keep.any(dim=-1, keepdim=True)
        keep = keep | ~seen  # torch gives NaN for rows that see nothing
        scale = self.scale or 1 / math.sqrt(self.projection)
        if not self.softcap and self.sinks is None:
            with sdpa_kernel(SDPBackend.MATH):
                out = torch.nn.functional.scaled_dot_product_attention(
                    q, k, v, attn_mask=keep.expand(-1, -1, self.group, -1, -1), scale=scale)
        else:
            scores = q @ k.transpose(-1, -2) * scale
            if self.softcap:
                scores = self.softcap * torch.tanh(scores / self.softcap)
            scores = scores.masked_fill(~keep, -math.inf)
            if self.sinks is not None:
                sink = torch.from_numpy(self.sinks)[None, :, :, None, None].expand(*scores.shape[:-1], 1)
                weights = torch.softmax(torch.cat([scores, sink], dim=-1), dim=-1)[..., :-1]
            else:
                weights = torch.softmax(scores, dim=-1)
            out = weights @ v
        return torch.where(seen, out, 0.0).numpy()


def main():
    c = ctypes.CDLL(sys.argv[1])
    worst, further, wrong = 0.0, 0, 0
    for seed in range(CASES):
        case = Case(seed)
        want, log_sum_exp = case.reference()
        ours = case.ours(c)
        error, torchs = (np.abs(found - want).max() for found in (ours, case.torch()))
        least = np.finfo(np.float32).eps * max(1.0, np.abs(case.v).max())  # what nobody can be asked to be nearer than
        ratio = error / max(torchs, least)
        worst, further = max(worst, ratio), further + (error > torchs)
        finite = np.isfinite(log_sum_exp)
        far = np.abs(np.where(finite, case.log_sum_exp - np.where(finite, log_sum_exp, 0), 0)).max()
        same = np.array_equal(finite, np.isfinite(case.log_sum_exp))
        if not ratio <= 2 or not same or far > 2e-5:
            wrong += 1
            print(f"seed {seed}: ours is {error:.2e} from float64, torch {torchs:.2e}; log_sum_exp {far:.1e}, {same}; "
                  f"{case.batch} x {case.heads} x {case.group} x {case.queries} on {case.keys}, {case.projection} and "
                  f"{case.values}, softcap {case.softcap}, window {case.window}, windows {case.windows}")
    print(f"{CASES} cases: ours is at most {worst:.2f} x as far from float64 as torch's, and nearer in {CASES - further}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
