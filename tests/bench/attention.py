"""Attention: ours beside its floor and what torch and onnxruntime make of the same.

The floor is what the kept elements cost at least: 4 x projection operations each, at the rate of torch's sgemm; or, where
that takes longer, one read of the keys and values that are seen, at the rate at which torch reads as much memory.
"""

import ctypes
import dataclasses
import functools
import json
import math
import time

import numpy as np

from ours import BFLOAT16, FLOAT32, INT32
from report import row_of
from turns import Contender, Failure, progress, take_turns

AXES = 6
HIDDEN = -1  # the position of what is padding


class Array(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("type", ctypes.c_int32),
        ("rank", ctypes.c_int32),
        ("names", ctypes.c_char_p * AXES),
        ("sizes", ctypes.c_int64 * AXES),
        ("strides", ctypes.c_int64 * AXES),
    ]

    @classmethod
    def of(cls, array, dtype, axes):
        return cls(array.ctypes.data, dtype, len(axes), (ctypes.c_char_p * AXES)(*[axis.encode() for axis in axes]),
                   (ctypes.c_int64 * AXES)(*array.shape),
                   (ctypes.c_int64 * AXES)(*[stride // array.itemsize for stride in array.strides]))


class Extras(ctypes.Structure):
    _fields_ = [
        ("scale", ctypes.c_double),
        ("softcap", ctypes.c_double),
        ("sinks", ctypes.POINTER(Array)),
        ("log_sum_exp", ctypes.POINTER(Array)),
        ("empty_rows", ctypes.c_char_p),
        ("threads", ctypes.c_int32),
    ]


class Call:
    """attend() on NumPy arrays, each an (array, dtype, axes)."""

    def __init__(self, c, spec, arrays, inputs, threads, scale=0.0, softcap=0.0, sinks=None, log_sum_exp=None,
                 empty_rows="zeros"):
        self.c = c
        c.axismask_bench_open_attention.restype = ctypes.c_void_p
        c.axismask_bench_attention_error.restype = ctypes.c_char_p
        c.axismask_bench_time_attention.restype = ctypes.c_int64

        def pointer(given):
            return ctypes.pointer(Array.of(*given)) if given else None

        records = (Array * 4)(*[Array.of(*array) for array in arrays])
        names = (ctypes.c_char_p * len(inputs))(*[name.encode() for name in inputs])
        given = (Array * len(inputs))(*[Array.of(*array) for array in inputs.values()])
        extras = Extras(scale, softcap, pointer(sinks), pointer(log_sum_exp), empty_rows.encode(), threads)
        self.keep = (arrays, inputs, sinks, log_sum_exp)  # memory that must live as long as the call
        self.handle = ctypes.c_void_p(c.axismask_bench_open_attention(
            spec.encode(), records, names, given, ctypes.c_int64(len(inputs)), ctypes.byref(extras)))
        if not self.handle:
            raise RuntimeError(c.axismask_bench_attention_error().decode())

    def time(self, calls):
        taken = self.c.axismask_bench_time_attention(self.handle, ctypes.c_int64(calls))
        if taken < 0:
            raise RuntimeError(self.c.axismask_bench_attention_error().decode())
        return taken

    def close(self):
        self.c.axismask_bench_close_attention(self.handle)


@dataclasses.dataclass
class Case:
    """Arrays are [batch, key heads, query heads of each, tokens, projection], without what is 1 of queries' heads."""

    name: str
    heads: int
    queries: int
    keys: int
    projection: int
    window: int | None
    group: int = 1
    batch: int = 1
    dtype: str = "float32"
    padding: tuple = ()  # of each row of the batch, at its left
    ring: bool = False
    start: int = 0  # the position of the first query
    peers: tuple = ("flex", "sdpa_mask", "ort")

    @functools.cached_property
    def kv_positions(self):
        """[batch, keys]"""
        positions = np.broadcast_to(np.arange(self.keys, dtype=np.int32), (self.batch, self.keys)).copy()
        for row, padding in enumerate(self.padding):
            positions[row] -= padding
            positions[row, :padding] = HIDDEN
        if self.ring:
            for row in range(self.batch):
                positions[row] = np.roll(positions[row], 97 * row + 13)
        return positions

    @functools.cached_property
    def query_positions(self):
        """[batch, queries]"""
        if self.padding:
            return self.kv_positions
        positions = self.start + np.arange(self.queries, dtype=np.int32)
        return np.broadcast_to(positions, (self.batch, self.queries)).copy()

    def keep(self, row, queries=slice(None)):
        query, key = self.query_positions[row][queries, None].astype(np.int64), self.kv_positions[row][None, :]
        kept = (query >= key) & (key >= 0)
        return kept if self.window is None else kept & (query - key < self.window)

    @functools.cached_property
    def kept(self):
        # Counted, as the mask of a long case would not fit into memory: of a query the keys from `first` to its own.
        kept = 0
        for row in range(self.batch):
            query, key = self.query_positions[row].astype(np.int64), np.sort(self.kv_positions[row])
            first = np.zeros_like(query) if self.window is None else np.maximum(query - self.window + 1, 0)
            counts = np.searchsorted(key, query, "right") - np.searchsorted(key, first, "left")
            kept += int(np.maximum(counts, 0).sum())
        return kept * self.heads * self.group

    @functools.cached_property
    def seen_bytes(self):
        keys = 0
        for row in range(self.batch):
            query, key = np.sort(self.query_positions[row]), self.kv_positions[row].astype(np.int64)
            last = np.full_like(key, query[-1]) if self.window is None else key + self.window - 1
            seen = np.searchsorted(query, last, "right") > np.searchsorted(query, key, "left")
            keys += int((seen & (key >= 0)).sum())
        return 2 * keys * self.heads * self.projection * (4 if self.dtype == "float32" else 2)

    @property
    def operations(self):
        return 4 * self.projection * self.kept

    @property
    def spec(self):
        layer = {"name": "mask", "masked_out_value": "-inf", "query_positions_input_name": "query_positions",
                 "kv_positions_input_name": "kv_positions",
                 "type": "ApplyCausalAttentionMask" if self.window is None else "ApplyCausalSlidingWindowAttentionMask"}
        if self.window is not None:
            layer["sliding_window_size"] = self.window
        return json.dumps({"axismask": 1, "model": self.name, "layers": [layer]})


CASES = [
    Case("attend_local_f32", 8, 4096, 4096, 64, 1024),
    Case("attend_local_gqa_f32", 8, 2048, 2048, 128, 512, group=4),
    Case("attend_causal_f32", 8, 4096, 4096, 64, None, peers=("sdpa_causal", "flex", "ort")),
    Case("attend_ragged_f32", 8, 2048, 2048, 64, 512, batch=4, padding=(0, 300, 900, 1500), peers=("flex", "sdpa_mask")),
    Case("attend_chunked_prefill_f32", 8, 512, 8192, 64, 1024, start=7680),
    Case("attend_decode_f32", 8, 1, 8192, 128, 4096, group=4, start=8191),
    Case("attend_decode_batch_f32", 8, 1, 2048, 128, 1024, group=4, batch=16, ring=True, start=2047,
         peers=("flex", "sdpa_mask")),
    Case("attend_long_f32", 1, 131072, 131072, 64, 1024, peers=("flex",)),
    Case("attend_local_bf16", 8, 4096, 4096, 64, 1024, dtype="bfloat16", peers=("flex", "sdpa_mask")),
    Case("attend_decode_bf16", 8, 1, 8192, 128, 4096, group=4, start=8191, dtype="bfloat16",
         peers=("flex", "sdpa_mask")),
]
BY_NAME = {case.name: case for case in CASES}


class Tensors:
    """The arrays of a case, as NumPy and torch see the same memory."""

    def __init__(self, case):
        import torch

        generator = torch.Generator().manual_seed(1)
        dtype = getattr(torch, case.dtype)

        def make(heads, tokens):
            return torch.randn((case.batch, heads, tokens, case.projection), generator=generator).to(dtype)

        self.case = case
        self.queries = make(case.heads * case.group, case.queries)
        self.keys = make(case.heads, case.keys)
        self.values = make(case.heads, case.keys)
        self.out = torch.empty_like(self.queries)

    def numpy(self, tensor):
        import torch

        array = tensor.view(torch.int16).numpy() if tensor.dtype == torch.bfloat16 else tensor.numpy()
        if array.shape[1] != self.case.heads or self.case.group == 1:
            batch, heads, tokens, projection = array.shape
            return array.reshape(batch, self.case.heads, heads // self.case.heads, tokens, projection)
        return array[:, :, None]

    def oracle(self, rows=64):
        """In float64, of some of the rows of each batch."""
        case = self.case
        some = np.unique(np.linspace(0, case.queries - 1, min(rows, case.queries)).astype(int))
        found = np.zeros((case.batch, case.heads * case.group, len(some), case.projection))
        for row in range(case.batch):
            keep = case.keep(row, some)
            for head in range(case.heads * case.group):
                query = self.queries[row, head, some].double().numpy()
                key = self.keys[row, head // case.group].double().numpy()
                value = self.values[row, head // case.group].double().numpy()
                scores = np.where(keep, query @ key.T / math.sqrt(case.projection), -np.inf)
                largest = scores.max(axis=1, keepdims=True)
                weights = np.exp(scores - np.where(np.isfinite(largest), largest, 0))
                total = weights.sum(axis=1, keepdims=True)
                found[row, head] = weights @ value / np.where(total == 0, 1, total)
        return some, found


def open_call(library, case, tensors):
    """Ours on such arrays."""
    dtype = FLOAT32 if case.dtype == "float32" else BFLOAT16
    arrays = []
    for tensor, tokens in ((tensors.queries, "seq"), (tensors.keys, "kv_seq"), (tensors.values, "kv_seq"),
                           (tensors.out, "seq")):
        array = tensors.numpy(tensor)
        if tokens == "seq":
            arrays.append((array, dtype, ("batch", "heads", "group", tokens, "projection")))
        else:
            arrays.append((array[:, :, 0], dtype, ("batch", "heads", tokens, "projection")))
    inputs = {name: (getattr(case, name), INT32, ("batch", "seq")) for name in ("query_positions", "kv_positions")}
    return Call(library.c, case.spec, arrays, inputs, library.threads)


def timed(function):
    def time_calls(calls):
        start = time.perf_counter_ns()
        for _ in range(calls):
            result = function()
        end = time.perf_counter_ns()
        del result
        return end - start

    return time_calls


def make_floor(case):
    """What takes as long as the floor of a call: a part of a matrix multiplication's time, or of a sum's."""
    import torch

    size = 1024
    a, b, c = (torch.randn(size, size) for _ in range(3))
    multiply = timed(lambda: torch.mm(a, b, out=c))
    by_operations = case.operations / (2 * size**3)
    memory = torch.ones(max(case.seen_bytes // 4, 1 << 22))
    read = timed(lambda: memory.sum())
    by_bytes = case.seen_bytes / 4 / memory.numel()
    multiply(3), read(3)
    operations_take = min(multiply(1) for _ in range(5)) * by_operations
    reading_takes = min(read(1) for _ in range(5)) * by_bytes
    if reading_takes > operations_take:
        return Contender("floor", lambda calls: read(calls) * by_bytes, kind="floor",
                         says="a read of the keys and values that are seen")
    return Contender("floor", lambda calls: multiply(calls) * by_operations, kind="floor",
                     says="4 x projection operations for each kept element, by sgemm")


def peers_of(case, tensors):
    import torch
    import torch.nn.functional as F

    q, k, v = tensors.queries, tensors.keys, tensors.values
    keep = torch.from_numpy(np.stack([case.keep(row) for row in range(case.batch)]))[:, None] \
        if case.queries * case.keys < 1 << 30 else None

    def flex():
        from torch.nn.attention.flex_attention import create_block_mask, flex_attention

        query_positions = torch.from_numpy(case.query_positions)
        kv_positions = torch.from_numpy(case.kv_positions)

        def kept(batch, head, query, key):
            q_at, k_at = query_positions[batch, query], kv_positions[batch, key]
            found = (q_at >= k_at) & (k_at >= 0)
            return found if case.window is None else found & (q_at - k_at < case.window)

        if keep is None:  # create_block_mask would make all of it, which memory does not hold
            block_mask = long_block_mask(case, kept)
        else:
            block_mask = create_block_mask(kept, case.batch, None, case.queries, case.keys, device="cpu")
        torch._dynamo.reset()
        compiled = torch.compile(flex_attention, dynamic=False)  # with sizes of any kind torch's own C++ does not compile
        return lambda: compiled(q, k, v, block_mask=block_mask, enable_gqa=case.group > 1)

    def sdpa_mask():
        return lambda: F.scaled_dot_product_attention(q, k, v, attn_mask=keep, enable_gqa=case.group > 1)

    def sdpa_causal():
        return lambda: F.scaled_dot_product_attention(q, k, v, is_causal=True)

    def ort():
        return group_query_attention(case, tensors)

    makers = {"flex": ("torch_flex_attention", flex, "its block mask made before"),
              "sdpa_mask": ("torch_sdpa", sdpa_mask, "its mask made before"),
              "sdpa_causal": ("torch_sdpa_causal", sdpa_causal, ""),
              "ort": ("onnxruntime_gqa", ort, "")}
    return [makers[name] for name in case.peers]


def long_block_mask(case, kept, block=128):
    """FlexAttention's block mask of one sequence in its order, by the first and last position of each block."""
    import torch
    from torch.nn.attention.flex_attention import BlockMask

    query, key = (torch.from_numpy(positions[0].astype(np.int64)).view(-1, block)
                  for positions in (case.query_positions, case.kv_positions))
    first_query, last_query = query[:, :1], query[:, -1:]
    first_key, last_key = key[:, 0], key[:, -1]
    some = (last_query >= first_key) & (first_query - last_key < case.window)
    whole = (first_query >= last_key) & (last_query - first_key < case.window)

    def blocks(which):
        counts = which.sum(dim=1).int()
        indices = torch.argsort(~which, dim=1, stable=True).int()
        return counts[None, None], indices[None, None]

    return BlockMask.from_kv_blocks(*blocks(some & ~whole), *blocks(whole), BLOCK_SIZE=block, mask_mod=kept,
                                    seq_lengths=(case.queries, case.keys))


def group_query_attention(case, tensors):
    """onnxruntime's GroupQueryAttention with its local window."""
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper

    heads = case.heads * case.group
    past = case.keys - case.queries
    node = helper.make_node(
        "GroupQueryAttention", ["query", "key", "value", "past_key", "past_value", "seqlens", "total"],
        ["out", "present_key", "present_value"], domain="com.microsoft", num_heads=heads, kv_num_heads=case.heads,
        local_window_size=case.window or -1)

    def info(name, shape, kind=TensorProto.FLOAT):
        return helper.make_tensor_value_info(name, kind, shape)

    b, d = case.batch, case.projection
    graph = helper.make_graph(
        [node], "gqa",
        [info("query", [b, case.queries, heads * d]), info("key", [b, case.queries, case.heads * d]),
         info("value", [b, case.queries, case.heads * d]), info("past_key", [b, case.heads, past, d]),
         info("past_value", [b, case.heads, past, d]), info("seqlens", [b], TensorProto.INT32),
         info("total", [1], TensorProto.INT32)],
        [info("out", [b, case.queries, heads * d]), info("present_key", None), info("present_value", None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)])
    model.ir_version = 10
    options = onnxruntime.SessionOptions()
    import os
    options.intra_op_num_threads = len(os.sched_getaffinity(0))
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])

    def flat(tensor):
        return np.ascontiguousarray(tensor.numpy().transpose(0, 2, 1, 3)).reshape(b, tensor.shape[2], -1)

    feeds = {"query": flat(tensors.queries), "key": flat(tensors.keys[:, :, past:]),
             "value": flat(tensors.values[:, :, past:]),
             "past_key": np.ascontiguousarray(tensors.keys[:, :, :past].numpy()),
             "past_value": np.ascontiguousarray(tensors.values[:, :, :past].numpy()),
             "seqlens": np.full(b, case.keys - 1, np.int32), "total": np.array([case.keys], np.int32)}

    def run():
        out = session.run(["out"], feeds)[0]
        return out.reshape(b, case.queries, heads, d).transpose(0, 2, 1, 3)

    return run


LONG = [8192, 16384, 32768, 65536, 131072]


def measure_long(library, seconds):
    """Ours from 8k to 128k tokens, a window of 1024: a point for each length."""
    points = []
    for tokens in LONG:
        row = measure(library, Case(f"attend_long, {tokens} tokens", 1, tokens, tokens, 64, 1024, peers=()), seconds)
        points.append({"tokens": tokens, "ours_ms": row["median"]["ours_ms"], "best_ms": row["ours_ms"],
                       "floor_ms": row["median"]["floor_ms"]})
    return points


def draw_long(points, path, machine):
    """Milliseconds over tokens, with the line that goes through the first point."""
    import matplotlib

    matplotlib.use("svg")
    ink = "#808080"
    matplotlib.rcParams.update({
        "svg.fonttype": "none", "svg.hashsalt": "axismask", "font.family": "sans-serif", "font.size": 11,
        "text.color": ink, "axes.edgecolor": ink, "axes.labelcolor": ink, "xtick.color": ink, "ytick.color": ink,
    })
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7.6, 4.2), layout="constrained")
    tokens = [point["tokens"] for point in points]
    linear = [points[0]["ours_ms"] * count / tokens[0] for count in tokens]
    axes.plot(tokens, linear, color=ink, linewidth=1, linestyle="--", label="as many times as long as 8k tokens")
    axes.plot(tokens, [point["floor_ms"] for point in points], color=ink, marker="_", markersize=10, linestyle="",
              label="the floor: the kept elements' operations at the rate of sgemm")
    axes.plot(tokens, [point["ours_ms"] for point in points], color="#2a78d6", marker="o", label="ours")
    for point in points:
        axes.annotate(f"{point['ours_ms']:.0f} ms", (point["tokens"], point["ours_ms"]), fontsize=9, color="#2a78d6",
                      textcoords="offset points", xytext=(-6, 6), ha="right")
    axes.set(xscale="log", yscale="log", ylabel="ms")
    axes.set_xscale("log", base=2)
    axes.set_xticks(tokens, [f"{count // 1024}k" for count in tokens])
    axes.set_title("Attention with a window costs what it keeps: one head of 64, window 1024", fontsize=12, loc="left")
    axes.grid(color=ink, alpha=0.18, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9.5, loc="upper left")
    axes.annotate(machine, (1, 0), xycoords="axes fraction", xytext=(-4, 6), textcoords="offset points", ha="right",
                  fontsize=8)
    figure.savefig(path, transparent=True, metadata={"Date": None})


def measure(library, case, seconds):
    name = case.name
    tensors = Tensors(case)
    ours = open_call(library, case, tensors)
    ours.time(1)
    rows, want = tensors.oracle()
    limit = 3e-5 if case.dtype == "float32" else 2e-2

    def difference(result):
        found = np.asarray(result.float().numpy() if hasattr(result, "float") else result, np.float64)[:, :, rows]
        seen = np.stack([case.keep(row, rows).any(axis=1) for row in range(case.batch)])
        return float(np.abs((found - want) * seen[:, None, :, None]).max())

    far = difference(tensors.out)
    if not far < limit:
        raise Failure(f"{name}: ours is {far:.1e} from the reference")
    contenders = [Contender("attend", ours.time, kind="ours"), make_floor(case)]
    for peer_name, make, says in peers_of(case, tensors):
        progress(f"{name}: checking {peer_name}")
        function = make()
        far = difference(function())
        contenders.append(Contender(peer_name, timed(function), kind="peer", allocates=True, says=says,
                                    differs=None if far < limit else f"by {far:.1e}"))
    take_turns(name, contenders, case.queries == 1, seconds)
    ours.close()
    return row_of(name, contenders)
