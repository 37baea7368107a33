"""axismask and the floors, through the shared library of library.cpp."""

import ctypes

import numpy as np

from cases import MASKED

FLOAT16, BFLOAT16, FLOAT32, INT32, BOOLEAN = 0, 1, 2, 4, 6  # axismask::dtype
FILL, FILL_AND_COPY, READ_MODIFY_WRITE = range(3)  # floor_kind


class Array(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("type", ctypes.c_int32),
        ("rank", ctypes.c_int32),
        ("on_device", ctypes.c_int32),
        ("names", ctypes.c_char_p * 4),
        ("sizes", ctypes.c_int64 * 4),
        ("strides", ctypes.c_int64 * 4),
    ]

    @classmethod
    def of(cls, array, dtype, axes):
        """Of a NumPy array, or of one of devices.py."""
        data, on_device = ((array.ctypes.data, False) if isinstance(array, np.ndarray)
                           else (array.handle, array.on_device))
        return cls(
            data, dtype, len(axes), on_device, (ctypes.c_char_p * 4)(*[axis.encode() for axis in axes]),
            (ctypes.c_int64 * 4)(*array.shape),
            (ctypes.c_int64 * 4)(*[stride // array.itemsize for stride in array.strides]),
        )


class Input(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("array", Array)]


class Library:
    def __init__(self, path, threads):
        self.threads = threads
        self.c = ctypes.CDLL(path)
        self.c.axismask_bench_error.restype = ctypes.c_char_p
        self.c.axismask_bench_variants.restype = ctypes.c_char_p
        self.c.axismask_bench_device_problem.restype = ctypes.c_char_p
        for name in ("open", "device_array", "device_array_handle"):
            getattr(self.c, f"axismask_bench_{name}").restype = ctypes.c_void_p
        for name in ("time", "time_rounds", "time_direct", "time_floor", "time_plan", "time_mask", "time_spans",
                     "time_form", "difference"):
            getattr(self.c, f"axismask_bench_{name}").restype = ctypes.c_int64
        self.c.axismask_bench_threads(threads)

    def raise_if(self, failed):
        if failed:
            raise RuntimeError(self.c.axismask_bench_error().decode())

    def device_problem(self, device):
        """Why a device cannot be used; "" when it can."""
        return self.c.axismask_bench_device_problem(device.encode()).decode()

    def difference(self, result, source, keep, masked_bits):
        """The index of the first element whose bits are not the oracle's, or None."""

        def four(numbers, fill):
            return (ctypes.c_int64 * 4)(*[fill] * (4 - len(numbers)), *numbers)

        arrays = []
        for array in (result, source, np.broadcast_to(keep, result.shape)):
            strides = [stride // array.itemsize for stride in array.strides]
            arrays += [ctypes.c_void_p(array.ctypes.data), four(strides, 0)]
        at = self.c.axismask_bench_difference(
            *arrays, four(result.shape, 1), ctypes.c_void_p(masked_bits.ctypes.data), ctypes.c_int64(result.itemsize),
            self.threads)
        return None if at < 0 else tuple(int(index) for index in np.unravel_index(at, result.shape))

    def check(self, case, name, result, source, masked=MASKED):
        """What is wrong with a result of a case; None when it is the oracle's, bit for bit."""
        keep = case.keep()
        at = self.difference(result, source, keep, case.masked_bits(masked))
        if at is None:
            return None
        index = ", ".join(f"{axis} {place}" for axis, place in zip(case.axes, at))
        digits = 2 * case.item_bytes
        kept = np.broadcast_to(keep, result.shape)[at]
        return (f"{case.name}: {name}: the element at {index} has the bits {int(result[at]):0{digits}x}; the logits "
                f"have {int(source[at]):0{digits}x} there, and the oracle {'keeps' if kept else 'masks'} it")


class Call:
    """A layer on arrays. `logits` and `out` hold the elements' bits; they are NumPy's, or those of devices.py."""

    def __init__(self, library, case, logits, out):
        self.bench = library
        self.arrays = (logits, out, case.query_positions, case.kv_positions)  # they must live as long as the call
        dtype = {"float32": FLOAT32, "bfloat16": BFLOAT16}[case.dtype]
        inputs = (Input * 2)()
        for input, name in zip(inputs, ("query_positions", "kv_positions")):
            positions = getattr(case, name)
            axes = ("seq",) if positions.ndim == 1 else ("batch", "seq")
            input.name = name.encode()
            input.array = Array.of(positions, INT32, axes)
        self.handle = ctypes.c_void_p(library.c.axismask_bench_open(
            case.spec.encode(), ctypes.byref(Array.of(logits, dtype, case.axes)),
            ctypes.byref(Array.of(out, dtype, case.axes)), inputs, ctypes.c_int64(2)))
        library.raise_if(not self.handle)

    def close(self):
        self.bench.c.axismask_bench_close(self.handle)

    def use_device(self, device, stream=None):
        self.bench.c.axismask_bench_use_device(self.handle, device.encode(), ctypes.c_void_p(stream))

    def use_plan(self):
        """Calls are given a plan, which is made now."""
        self.bench.raise_if(self.bench.c.axismask_bench_use_plan(self.handle) < 0)

    def variants(self):
        return self.bench.c.axismask_bench_variants(self.handle).decode().split(",")

    def make_floor(self, kind):
        """Makes it ready and says how it works."""
        threads = self.bench.c.axismask_bench_make_floor(self.handle, kind, self.bench.threads)
        self.bench.raise_if(threads == 0)
        stores = "streaming" if threads < 0 else "plain"
        return f"{stores} stores, {abs(threads)} thread{'s' if abs(threads) > 1 else ''}"

    def _nanoseconds(self, name, *arguments):
        taken = getattr(self.bench.c, f"axismask_bench_{name}")(self.handle, *arguments)
        self.bench.raise_if(taken < 0)
        return taken

    def time(self, calls, variant=""):
        return self._nanoseconds("time", variant.encode(), ctypes.c_int64(calls))

    def time_direct(self, calls, variant=""):
        return self._nanoseconds("time_direct", variant.encode(), ctypes.c_int64(calls))

    def time_floor(self, calls):
        return self._nanoseconds("time_floor", ctypes.c_int64(calls))

    def time_plan(self, tile, calls):
        return self._nanoseconds("time_plan", ctypes.c_int64(tile), ctypes.c_int64(calls))

    def time_mask(self, out, calls):
        """Of the mask by itself, as bool or float16."""
        record = Array.of(out, {"bool": BOOLEAN, "float16": FLOAT16}[out.dtype.name], ("seq", "kv_seq"))
        return self._nanoseconds("time_mask", ctypes.byref(record), ctypes.c_int64(calls))

    def time_spans(self, calls):
        return self._nanoseconds("time_spans", ctypes.c_int64(calls))

    def spans(self, rows):
        """The first key of each row's span, and the first behind it."""
        begins, ends = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
        self.bench.raise_if(self.bench.c.axismask_bench_spans(
            self.handle, ctypes.c_void_p(begins.ctypes.data), ctypes.c_void_p(ends.ctypes.data)) < 0)
        return begins, ends

    def time_form(self, form, tile, calls):
        return self._nanoseconds("time_form", form.encode(), ctypes.c_int64(tile), ctypes.c_int64(calls))

    def form_array(self, form, tile, name, shape):
        elements = np.zeros(shape, np.int32)
        self.bench.raise_if(self.bench.c.axismask_bench_form_array(
            self.handle, form.encode(), ctypes.c_int64(tile), name.encode(), ctypes.c_void_p(elements.ctypes.data)) < 0)
        return elements

    def plan(self, tile, rows, columns):
        """For each tile: 0 masked whole, 1 in part, 2 kept whole."""
        tiles = np.zeros((rows, columns), np.uint8)
        self.bench.raise_if(self.bench.c.axismask_bench_plan(
            self.handle, ctypes.c_int64(tile), ctypes.c_void_p(tiles.ctypes.data)) < 0)
        return tiles


def call_without_logits(library, case):
    """What looks at positions alone reads no logits: all of them are one element."""
    nothing = np.lib.stride_tricks.as_strided(np.zeros(1, np.uint32), case.shape, (0, 0))
    return Call(library, case, nothing, nothing)


class Rounds:
    """Calls that take turns."""

    def __init__(self, calls):
        self.bench, self.calls = calls[0].bench, calls
        self.handles = (ctypes.c_void_p * len(calls))(*[call.handle for call in calls])

    def time(self, rounds):
        """Nanoseconds of that many rounds, in each of which each call is made once."""
        taken = self.bench.c.axismask_bench_time_rounds(
            self.handles, ctypes.c_int64(len(self.calls)), ctypes.c_int64(rounds))
        self.bench.raise_if(taken < 0)
        return taken

    def close(self):
        for call in self.calls:
            call.close()
