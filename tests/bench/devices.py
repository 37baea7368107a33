"""What gpu.py measures with: a device of OpenCL here, those of torch in torch_device.py, and what takes turns on them.

A device has
  kernels, stream             the name of our kernels for it, and the stream that calls get (None: each is waited for)
  says, clock                 what it is, and what its times are taken with
  cache_bytes                 the size of its last cache
  free_bytes()                memory that is left; release() gives back that of arrays which are no longer there
  array(bits)                 an array there, with these bits, as ours.Call takes it; it has read() and write(bits)
  nanoseconds(work)           how long what work() asks of it takes
  floor(kind, nbytes, copies) the device's own "fill" of so many bytes, or a "copy" that reads and writes so many
  peers(...)                  functions that make entrants of the case; one raises what keeps its entrants from running
"""

import ctypes
import dataclasses
import gc
import os
import time
import weakref
from collections.abc import Callable

import numpy as np

import ours
from cases import Case


@dataclasses.dataclass
class Entrant:
    """Who takes turns. It has several copies of the arrays: a round is one call on each, so that none finds its arrays
    in a cache."""

    name: str
    kind: str  # "ours", "floor" or "peer"
    run: Callable  # asks for a number of rounds
    nanoseconds: Callable  # how long what a function asks for takes
    result: Callable | None = None  # makes the arrays new and calls; the bits of the result
    nbytes: int = 0  # that a call moves; a floor's
    allocates: bool = False
    says: str = ""

    def time(self, rounds):
        return self.nanoseconds(lambda: self.run(rounds))


def wall_nanoseconds(work):
    start = time.perf_counter_ns()
    work()
    return time.perf_counter_ns() - start


class OpenCl:
    """The first device of OpenCL, through Halide's runtime, which ours has it from."""

    kernels, stream = "opencl", None
    says, clock = "the first OpenCL device", "wall clock, each call waited for"
    cache_bytes = 64 << 20  # it is not asked; few are larger

    def __init__(self, library):
        self.bench = library

    def free_bytes(self):
        """Of the machine, which is where those OpenCL devices have their memory that are not cards."""
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")

    def array(self, bits):
        return LibraryArray(self.bench, self.kernels, bits)

    nanoseconds = staticmethod(wall_nanoseconds)

    def floor(self, kind, nbytes, copies):
        """Ours, where it masks everything or keeps everything."""
        keys = 1024
        queries = max(1, nbytes // (4 * keys) // (1 if kind == "fill" else 2))
        case = Case(kind, ("seq", "kv_seq"), {"seq": queries, "kv_seq": keys}, window=None, in_place=kind == "fill",
                    query_positions=np.full(queries, keys), kv_positions=np.full(keys, -1) if kind == "fill" else None)
        bits = np.zeros(case.shape, np.uint32)
        arrays = [[self.array(bits) for _ in range(copies)] for _ in range(1 if case.in_place else 2)]
        rounds = our_rounds(self, self.bench, case, arrays[0], arrays[-1])
        return Entrant(kind, "floor", rounds.time, self.nanoseconds, nbytes=len(arrays) * case.nbytes,
                       says="ours, masking everything" if case.in_place else "ours, keeping everything")

    def peers(self, case, source, logits, out, renew):
        return []

    def release(self):
        gc.collect()


class LibraryArray:
    """Memory of OpenCL."""

    on_device = True

    def __init__(self, library, device, bits):
        self.c, self.bench = library.c, library
        self.shape, self.strides, self.itemsize, self.dtype = bits.shape, bits.strides, bits.itemsize, bits.dtype
        self.memory = ctypes.c_void_p(self.c.axismask_bench_device_array(device.encode(), ctypes.c_int64(bits.nbytes)))
        library.raise_if(not self.memory)
        weakref.finalize(self, self.c.axismask_bench_device_array_free, self.memory)
        self.handle = self.c.axismask_bench_device_array_handle(self.memory)
        self.write(bits)

    def write(self, bits):
        bits = np.ascontiguousarray(bits)
        self.bench.raise_if(
            self.c.axismask_bench_device_array_write(self.memory, ctypes.c_void_p(bits.ctypes.data)) < 0)

    def read(self):
        bits = np.empty(self.shape, self.dtype)
        self.bench.raise_if(
            self.c.axismask_bench_device_array_read(self.memory, ctypes.c_void_p(bits.ctypes.data)) < 0)
        return bits


def our_rounds(device, library, case, logits, out, with_plan=False):
    """Ours on copies of a case's arrays on a device."""
    calls = [ours.Call(library, case, one, to) for one, to in zip(logits, out)]
    for call in calls:
        call.use_device(device.kernels, device.stream)
        if with_plan:
            call.use_plan()
    return ours.Rounds(calls)
