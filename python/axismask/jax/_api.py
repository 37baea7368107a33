"""apply, mask and attend: what is given is read and checked, and becomes a call."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import axismask

from . import _check, _describe, _ffi, _primitives

Axes = str | tuple[str, ...] | list[str]


def names_of(axes: Axes) -> tuple[str, ...]:
    names = tuple(axes.split()) if isinstance(axes, str) else tuple(axes)
    for name in names:
        if not name or "\t" in name or "\n" in name:  # which stand between names in a program
            raise axismask.Error("c-text", "axes", f"{name!r} is no name of an axis", "give one without tabs and lines")
    return names


def _array(name: str, array: Any) -> jax.Array:
    """As JAX's; a 64-bit number that JAX would cut to 32 bits is refused."""
    if isinstance(array, jax.Array):
        return array
    if isinstance(array, np.ndarray | np.generic) and array.dtype == np.int64 and not jax.config.jax_enable_x64:
        limits = np.iinfo(np.int32)
        if array.size and (array.min() < limits.min or array.max() > limits.max):
            raise axismask.Error("positions-dtype", name, "it has numbers beyond 32 bits, which JAX cuts off",
                                 "set jax_enable_x64, or give smaller numbers")
    return jnp.asarray(array)


def _side_input(name: str, given: Any, axis: str | None) -> tuple[jax.Array, tuple[str, ...]]:
    """A side input and its axes; `axis` is that of an array alone, if it goes without saying."""
    if isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], str | tuple | list):
        return _named(name, *given)
    array = _array(name, given)
    if array.ndim > 1 or (array.ndim == 1 and axis is None):
        raise axismask.Error("array-axes", name, f"it has {array.ndim} axes, whose names are not given",
                             f'name them, {name}=(array, "{" ".join(["..."] * array.ndim)}")')
    return array, (axis,) if array.ndim else ()


def _named(name: str, array: Any, axes: Axes) -> tuple[jax.Array, tuple[str, ...]]:
    array, axes = _array(name, array), names_of(axes)
    if array.ndim != len(axes):
        raise axismask.Error("axis-count", name, f"it has {array.ndim} axes, and names for {len(axes)}",
                             "give each axis one name")
    return array, axes


class _Operands:
    """The operands of a call in their order, with their axes; side inputs first as the caller named them."""

    def __init__(self, description: _describe.Description, given: dict[str, Any], numbers: dict[str, Any]):
        self.description = description
        nameless = {one.source for one in description.inputs if one.along == _describe.ANY and description.known}
        self.given = {name: _side_input(name, one, None if name in nameless else description.query_axis)
                      for name, one in given.items()}
        self.numbers = numbers

    def in_order(self) -> tuple[list[jax.Array], list[tuple[str, ...]]]:
        arrays, axes = [], []
        for one in self.description.inputs:
            array, of_one = self.given[one.source]
            arrays.append(array)
            axes.append(of_one)
        for number in self.description.numbers:
            if number.values is None:
                array = jnp.asarray(self.numbers[number.source])
                wide = jnp.float32 if number.masked_value else jnp.int32
                array = array if array.dtype in (jnp.int64, jnp.float64) else array.astype(wide)
            else:
                array = _array(f"numbers along {number.axis}", np.asarray(number.values, np.int64))
            arrays.append(array)
            axes.append(() if number.axis is None else (number.axis,))
        return arrays, axes


def apply(layer, logits, axes: Axes, *, in_place: bool = True, threads: int = 0, **inputs) -> jax.Array:
    """The logits where the layer keeps them, and its masked value elsewhere.

    Args:
      layer: an `axismask.Layer`.
      logits: float16, bfloat16, float32 or float64, of any axes that hold the layer's.
      axes: the names of the logits' axes, "heads seq kv_seq".
      in_place: under jit, the result takes the logits' memory; XLA copies them first only where they are needed again,
        as an argument that is not donated is. Outside of jit it says nothing.
      threads: at most so many work at once; 0: one for each processor.
      **inputs: the layer's side inputs: name=(array, "axes"), or name=array.

    Returns: an array of the logits' axes, sizes and dtype. Its derivative is 0 where a logit is masked.
    Errors: `axismask.Error`.
    """
    return apply_described(_describe.describe(layer).given(inputs), logits, axes, inputs, {}, in_place, threads)


def apply_described(description, logits, axes, inputs, numbers, in_place=True, threads=0) -> jax.Array:
    """apply, of a description whose numbers may be arrays."""
    logits, axes = _named("logits", logits, axes)
    operands = _Operands(description, inputs, numbers)
    _check.apply(description, *_check.facts({"logits": (logits, axes)}), _check.facts(operands.given))
    arrays, of_arrays = operands.in_order()
    call = _ffi.Call(target=_ffi.APPLY, description=description, leading=("logits",), axes=(axes, *of_arrays),
                     results=(axes,), threads=threads, in_place=in_place)
    return _primitives.apply_p.bind(logits, *arrays, call=call)[0]


def _sizes(description, axes, sizes, given) -> tuple[int, ...]:
    found = dict(sizes or {})
    for one in description.inputs:
        if one.source not in given:
            continue
        array, of_one = given[one.source]
        for axis, size in zip(of_one, array.shape):
            key = description.kv_axis if one.along == _describe.KEYS and axis == description.query_axis else axis
            found.setdefault(key, size)
    for number in description.numbers:
        if number.axis is not None and number.values is not None:
            found.setdefault(number.axis, len(number.values))
    for axis in axes:
        if axis not in found:
            raise axismask.Error("axis-size", f"sizes.{axis}", "it is not given, and no side input has it",
                                 f'give sizes={{"{axis}": ...}}')
    return tuple(int(found[axis]) for axis in axes)


def mask(layer, axes: Axes, *, sizes: dict[str, int] | None = None, dtype=bool, masked: str = "-inf", threads: int = 0,
         **inputs) -> jax.Array:
    """The mask itself: of bool True where a logit is kept, of floats 0 there and the masked number elsewhere.

    Args:
      axes: the names of the mask's axes.
      sizes: of those axes that no side input has.
      dtype: bool, float16, bfloat16, float32 or float64.
      masked: "-inf" or "lowest", the dtype's lowest finite number.
    """
    description = _describe.describe(layer).given(inputs)
    axes = names_of(axes)
    if masked not in ("-inf", "lowest"):
        raise axismask.Error("mask-value", "masked", f"it is {masked!r}", 'give "-inf" or "lowest"')
    operands = _Operands(description, inputs, {})
    shape = _sizes(description, axes, sizes, operands.given)
    _check.mask(description, axes, shape, dtype, _check.facts(operands.given))
    arrays, of_arrays = operands.in_order()
    call = _ffi.Call(target=_ffi.MASK, description=description, leading=(), axes=tuple(of_arrays), results=(axes,),
                     sizes=shape, dtype=jnp.dtype(dtype).name, masked=("-inf", "lowest").index(masked), threads=threads)
    return _primitives.mask_p.bind(*arrays, call=call)[0]


def attend(layer, queries, q_axes: Axes, keys, k_axes: Axes, values, v_axes: Axes, *, log_sum_exp: bool = False,
           scale: float | None = None, softcap: float | None = None, sinks=None, projection: str = "projection",
           threads: int = 0, **inputs):
    """softmax(mask(scale * queries . keys)) . values, with the scores never in memory. On processors.

    Args:
      queries, keys, values: float16, bfloat16 or float32. Queries have the mask's axes but its key axis, any others, and
        the projection; keys and values its key axis, the projection and any of the queries' other axes.
      log_sum_exp: also give the logarithm of each softmax's denominator, float32, over the queries' axes but the
        projection.
      scale, softcap, sinks: instead of the layer's own; sinks are (array, "axes"), or an array over one axis with the
        name "heads".
      projection: the name of that axis.

    Returns: an array of the queries' axes with the values' projection, or a pair with log_sum_exp. Its derivative is
    computed in JAX, with the scores in memory.
    Errors: `axismask.Error`.
    """
    description = _describe.describe(layer).given(inputs)
    leading = {"queries": _named("queries", queries, q_axes), "keys": _named("keys", keys, k_axes),
               "values": _named("values", values, v_axes)}
    if sinks is None and description.sinks is not None:
        sinks = (np.asarray(description.sinks[1], np.float32), description.sinks[0])
    if sinks is not None:
        leading["sinks"] = _named("sinks", *(sinks if isinstance(sinks, tuple) else (sinks, "heads")))
    operands = _Operands(description, inputs, {})
    rows = tuple(axis for axis in leading["queries"][1] if axis != projection)
    _check.attend(description, _check.facts(leading), _check.facts(operands.given), projection)
    arrays, of_arrays = operands.in_order()
    results = (leading["queries"][1],) + ((rows,) if log_sum_exp else ())
    call = _ffi.Call(target=_ffi.ATTEND, description=description, leading=tuple(leading),
                     axes=(*(of_one for _, of_one in leading.values()), *of_arrays), results=results,
                     projection=projection, scale=float(scale or description.scale),
                     softcap=float(softcap or description.softcap), threads=threads)
    found = _primitives.attend_p.bind(*(array for array, _ in leading.values()), *arrays, call=call)
    return tuple(found) if log_sum_exp else found[0]
