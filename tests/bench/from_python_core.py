"""The package's own cases: what a call costs over the same call in C, and plans beside create_block_mask."""

import ctypes
import pathlib
import subprocess
import tempfile
import time

import numpy as np
from report import row_of
from turns import Contender, Failure, progress, take_turns

import axismask
from axismask import _native

WINDOW = 1024
SPEC = {"axismask": 1, "model": "bench", "layers": [
    {"name": "window", "type": "ApplyCausalSlidingWindowAttentionMask", "masked_out_value": -1, "sliding_window_size": WINDOW}]}
[LAYER] = axismask.parse(SPEC)


class Array(ctypes.Structure):  # axismask_array
    _fields_ = [("data", ctypes.c_void_p), ("dtype", ctypes.c_int32), ("device", ctypes.c_int32), ("ndim", ctypes.c_int32),
                ("read_only", ctypes.c_int32), ("shape", ctypes.c_void_p), ("strides", ctypes.c_void_p),
                ("axes", ctypes.c_void_p)]  # fmt: skip


class Input(ctypes.Structure):  # axismask_input
    _fields_ = [("name", ctypes.c_char_p), ("array", Array)]


class Options(ctypes.Structure):  # axismask_call_options
    _fields_ = [("struct_size", ctypes.c_size_t), ("plan", ctypes.c_void_p), ("threads", ctypes.c_int32),
                ("run_tasks", ctypes.c_void_p), ("pool", ctypes.c_void_p), ("device", ctypes.c_char_p),
                ("context", ctypes.c_void_p), ("stream", ctypes.c_void_p)]  # fmt: skip


def repeated(call):
    """A contender's time of a function of Python."""

    def timed(calls):
        begin = time.perf_counter_ns()
        for _ in range(calls):
            call()
        return time.perf_counter_ns() - begin

    return timed


class CallInC:
    """apply_in_place of LAYER on these arrays, by C alone, in the library that the module has loaded."""

    def __init__(self, logits, positions, threads):
        self.folder = tempfile.TemporaryDirectory()
        made = pathlib.Path(self.folder.name) / "call_floor.so"
        source = pathlib.Path(__file__).with_name("call_floor.c")
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", source, "-o", made], check=True)
        self.function = ctypes.CDLL(made).time_calls
        self.function.restype = ctypes.c_int64
        library = next(line.split()[-1] for line in pathlib.Path("/proc/self/maps").read_text().splitlines()
                       if "libaxismask.so" in line)  # fmt: skip
        self.call = ctypes.CDLL(library).axismask_layer_apply_in_place
        self.names = (ctypes.c_char_p * 2)(b"seq", b"kv_seq")
        self.sizes = (ctypes.c_int64 * 2)(*logits.shape)
        sizes, names = ctypes.addressof(self.sizes), ctypes.addressof(self.names)
        self.logits = Array(logits.ctypes.data, 3, 0, 2, 0, sizes, None, names)
        self.input = Input(b"token_positions", Array(positions.ctypes.data, 5, 0, 1, 1, sizes, None, names))
        self.options = Options(ctypes.sizeof(Options), None, threads, None, None, None, None, None)

    def time(self, calls):
        taken = self.function(ctypes.cast(self.call, ctypes.c_void_p), ctypes.c_void_p(_native.handle(LAYER)),
                              ctypes.byref(self.logits), ctypes.byref(self.input), ctypes.byref(self.options),
                              ctypes.c_int64(calls))
        if taken < 0:
            raise Failure("the call in C was refused")
        return taken


def call(seconds):
    """64 elements, one side input, one thread: what is left is the call."""
    logits = np.ones((8, 8), np.float32)
    positions = np.arange(8, dtype=np.int32)
    in_c = CallInC(logits, positions, 1)
    in_c.time(1)
    if not np.array_equal(logits, np.where(np.tri(8), 1, -1)):
        raise Failure("call: C has another result")
    logits[:] = 1
    out = np.empty_like(logits)
    given = {"token_positions": (positions, "seq")}
    contenders = [
        Contender("apply_in_place", repeated(
            lambda: LAYER.apply_in_place(logits, "seq kv_seq", threads=1, token_positions=(positions, "seq"))), kind="ours"),
        Contender("apply, out=", repeated(
            lambda: LAYER.apply(logits, "seq kv_seq", out=out, threads=1, token_positions=(positions, "seq"))), kind="ours"),
        Contender("apply, a new array", repeated(
            lambda: LAYER.apply(logits, "seq kv_seq", threads=1, token_positions=(positions, "seq"))), kind="ours"),
        Contender("C", in_c.time, kind="floor", says="axismask_layer_apply_in_place, in C"),
    ]  # fmt: skip
    for result in (LAYER.apply(logits, "seq kv_seq", threads=1, **given), LAYER.apply_in_place(logits, "seq kv_seq", **given)):
        if not np.array_equal(result, np.where(np.tri(8), 1, -1)):
            raise Failure("call: Python has another result")
    take_turns("call", contenders, True, seconds)
    return row_of("call", contenders)


def block_mask(tokens, name, compiled_only, seconds):
    """FlexAttention's BlockMask of a causal window, whole: lists by queries and by keys, and the function of places."""
    import torch
    from torch.nn.attention.flex_attention import create_block_mask

    import axismask.torch

    positions = torch.arange(tokens, dtype=torch.int32)

    def keep(batch, head, query, key):
        return (query >= key) & (query - key < WINDOW)

    def ours():
        return axismask.torch.block_mask(LAYER, token_positions=positions)

    def theirs(compiled):
        return create_block_mask(keep, None, None, tokens, tokens, device="cpu", BLOCK_SIZE=128, _compile=compiled)

    progress(f"{name}: comparing")
    peers = [("create_block_mask", True)] if compiled_only else [("create_block_mask", False), ("the same, compiled", True)]
    made = ours()
    for peer, compiled in peers:
        wanted = theirs(compiled)
        counts = ("kv_num_blocks", "full_kv_num_blocks", "q_num_blocks", "full_q_num_blocks")
        if not all(torch.equal(getattr(made, one), getattr(wanted, one)) for one in counts) or not torch.equal(
                made.to_dense(), wanted.to_dense()):  # fmt: skip
            raise Failure(f"{name}: {peer} has other tiles")
    contenders = [Contender("flex", repeated(ours), kind="ours")]
    contenders += [Contender(peer, repeated(lambda compiled=compiled: theirs(compiled)), kind="peer", allocates=False, differs=None,
                             says="compiled" if compiled_only else "") for peer, compiled in peers]  # fmt: skip
    take_turns(name, contenders, False, seconds)
    return row_of(name, contenders)


CASES = {
    "call": call,
    "block_mask_4k": lambda seconds: block_mask(4096, "block_mask_4k", False, seconds),
    # A dense mask of 64k tokens has 4 GiB, of which create_block_mask makes several unless it is compiled.
    "block_mask_64k": lambda seconds: block_mask(65536, "block_mask_64k", True, seconds),
}
