"""Arrays of the library that the caller's come from: new ones, their dtypes, and the library's tensors as NumPy's."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from . import _native
from ._errors import Error

ALIGNMENT = 64  # from which JAX takes memory without a copy


_LIBRARIES: dict[type, str] = {}


def _library_of_type(kind: type) -> str:
    for one in kind.__mro__:
        package = one.__module__.partition(".")[0]
        if package in ("numpy", "torch", "cupy"):
            return package
        if package in ("jax", "jaxlib"):
            return "jax"
    return kind.__module__.partition(".")[0]


def library_of(array: Any) -> str:
    """Returns "numpy", "torch", "jax", "cupy", or the name of another package."""
    kind = type(array)
    found = _LIBRARIES.get(kind)
    if found is None:
        found = _LIBRARIES[kind] = _library_of_type(kind)
    return found


def dtype_name(dtype: Any) -> str:
    """Returns the name of a dtype of any library: "bfloat16"."""
    if isinstance(dtype, str):
        return dtype
    if isinstance(dtype, type):  # bool, float, numpy.float16, jax.numpy.bfloat16
        return {"bool_": "bool", "float": "float64", "int": "int64"}.get(dtype.__name__, dtype.__name__)
    name = getattr(dtype, "name", None)  # a NumPy dtype, or a scalar type of JAX
    return name if isinstance(name, str) else str(dtype).rpartition(".")[2]  # torch.float16


def numpy_dtype(name: str) -> np.dtype:
    """Returns NumPy's dtype of that name, ml_dtypes' bfloat16 included."""
    if name == "bfloat16":
        try:
            import ml_dtypes
        except ImportError:
            raise Error("array-dtype", "dtype", "NumPy has no bfloat16 of its own",
                        "install ml_dtypes, give like= a torch tensor, or take another dtype") from None
        kind: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
        return kind
    try:
        return np.dtype(name)
    except TypeError:
        raise Error("array-dtype", "dtype", f'there is no dtype "{name}"',
                    "give bool, float16, bfloat16, float32 or float64") from None


def empty_numpy(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Returns memory in C order, at a multiple of 64 bytes."""
    count = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    memory = np.empty(count + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + count].view(dtype).reshape(shape)


def memory_for(like: Any, shape: tuple[int, ...], dtype: str | None = None) -> Any:
    """Returns an array that can be written, for a result of `like`'s library and device.

    `finished` makes of it the result: JAX's arrays cannot be written, so that NumPy's memory stands for them.
    """
    library = library_of(like)
    if library == "torch":
        torch = sys.modules["torch"]
        return like.new_empty(shape) if dtype is None else like.new_empty(shape, dtype=getattr(torch, dtype))
    if library == "cupy":
        cupy = sys.modules["cupy"]
        with like.device:
            return cupy.empty(shape, like.dtype if dtype is None else dtype)
    kind = numpy_dtype(dtype_name(like.dtype) if dtype is None else dtype)
    return empty_numpy(shape, kind)


def finished(memory: Any, like: Any) -> Any:
    """Returns memory that has been written as an array of `like`'s library."""
    if library_of(like) == "jax" and isinstance(memory, np.ndarray):
        jax = sys.modules["jax"]
        device = next(iter(like.devices())) if hasattr(like, "devices") else None
        return jax.device_put(memory, device)
    return memory


class _Tensor:
    """A tensor of the library on its way to NumPy."""

    def __init__(self, capsule: object) -> None:
        self._capsule = capsule

    def __dlpack__(self, **_: object) -> Any:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)


def taken(capsules: Mapping[str, object]) -> dict[str, np.ndarray]:
    """Returns the library's tensors as NumPy's arrays, which own them: no copies."""
    return {name: np.from_dlpack(_Tensor(capsule)) for name, capsule in capsules.items()}


def shape_of(array: Any, argument: str) -> tuple[int, ...]:
    """Returns the sizes of an array of any library. Raises Error when it is none."""
    shape = getattr(array, "shape", None)
    if isinstance(shape, tuple):
        return tuple(shape)
    return _native.describe_array(array, argument)[1]
