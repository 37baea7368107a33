"""The handlers of the native library, given to XLA, and what one call of them is told."""

from __future__ import annotations

import ctypes
import dataclasses
import functools
import math

import jax
import numpy as np

from axismask import _native

from . import _describe

APPLY, MASK, ATTEND = "axismask_jax_apply", "axismask_jax_mask", "axismask_jax_attend"
_STATE = "axismask_jax_call"


@dataclasses.dataclass(frozen=True)
class Call:
    """One call of a handler, but for its arrays: everything that a compiled program holds of it.

    Operands are the leading ones (the logits; or queries, keys, values and sinks; or none), then the description's side
    inputs, then its numbers. `axes` has for each the names of its axes, and `results` those of the results.
    """

    target: str
    description: _describe.Description
    leading: tuple[str, ...]
    axes: tuple[tuple[str, ...], ...]
    results: tuple[tuple[str, ...], ...]
    sizes: tuple[int, ...] = ()  # of a mask, as its axes
    dtype: str = "bool"  # of a mask
    masked: int = 0  # of a mask: 0 for -inf, 1 for the lowest number
    projection: str = "projection"
    scale: float = 0.0
    softcap: float = 0.0
    threads: int = 0
    in_place: bool = False
    linear: bool = False  # masked logits are 0: the call is linear in the logits

    def operand_names(self) -> tuple[str, ...]:
        inputs = tuple(one.name for one in self.description.inputs)
        numbers = tuple(f"number {i}" for i in range(len(self.description.numbers)))
        return self.leading + inputs + numbers

    def attributes(self) -> dict[str, object]:
        """As jax_call::read takes them."""
        found: dict[str, object] = {
            "spec": self.description.spec,
            "operands": _lines(self.operand_names(), self.axes),
            "results": _lines(("out", "log_sum_exp")[: len(self.results)], self.results),
            "leading": _int64(len(self.leading)),
            "numbers": _int64(len(self.description.numbers)),
            "threads": _int64(self.threads),
        }
        if self.target == MASK:
            found["masked"] = _int64(self.masked)
        if self.target == ATTEND:
            found.update(projection=self.projection, scale=_float64(self.scale), softcap=_float64(self.softcap))
        return found


def _lines(names, axes) -> str:
    return "\n".join("\t".join((name, *of_one)) for name, of_one in zip(names, axes, strict=True))


def _int64(value: int) -> np.int64:
    return np.int64(value)


def _float64(value: float) -> np.float64:
    if not math.isfinite(value):
        raise ValueError(f"a scale or softcap of {value}; give a finite number")
    return np.float64(value)


def _has_cuda() -> bool:
    try:
        return bool(jax.devices("cuda"))
    except RuntimeError:
        return False


@functools.cache
def register() -> None:
    """Gives the handlers to XLA, once. Calls do it by themselves; a program that was exported needs it beforehand.

    JAX's devices are there after it: call jax.distributed.initialize before.
    """
    jax.devices("cpu")  # XLA takes a state's type before a handler only once its devices are there
    library = ctypes.CDLL(_native.__file__)
    if not hasattr(library, APPLY):
        raise ImportError("axismask: this build has no handlers for JAX; build it where jaxlib is installed")
    platforms = [("cpu", "", (APPLY, MASK, ATTEND))] + [("CUDA", "_cuda", (APPLY,))] * _has_cuda()
    for platform, suffix, targets in platforms:
        state = {}
        for part in ("type_id", "type_info"):
            function = getattr(library, f"axismask_jax_{part}{suffix}")
            function.restype = ctypes.c_void_p
            state[part] = jax.ffi.pycapsule(function())
        jax.ffi.register_ffi_type(_STATE, state, platform=platform)
        read = jax.ffi.pycapsule(getattr(library, "axismask_jax_read" + suffix))
        for target in targets:
            execute = jax.ffi.pycapsule(getattr(library, target + suffix))
            jax.ffi.register_ffi_target(target, {"instantiate": read, "execute": execute}, platform=platform)


def run(call: Call, shapes: list[jax.ShapeDtypeStruct], operands) -> list[jax.Array]:
    """The call of the handler on these operands, of one device."""
    register()
    aliases = {0: 0} if call.in_place else None
    return jax.ffi.ffi_call(call.target, shapes, input_output_aliases=aliases)(*operands, **call.attributes())
