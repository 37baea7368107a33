"""Attention in JAX, with its scores in memory: what attend's derivatives are taken of."""

from __future__ import annotations

import dataclasses
import json
import math

import jax
import jax.numpy as jnp

from . import _ffi


def _letters(*names: tuple[str, ...]) -> dict[str, str]:
    axes = sorted({axis for of_one in names for axis in of_one})
    return {axis: chr(ord("a") + i) for i, axis in enumerate(axes)}


def _product(x, x_axes, y, y_axes, out_axes):
    letter = _letters(x_axes, y_axes)
    term = ["".join(letter[axis] for axis in axes) for axes in (x_axes, y_axes, out_axes)]
    return jnp.einsum(f"{term[0]},{term[1]}->{term[2]}", x, y, precision="highest",
                      preferred_element_type=jnp.float32)


def _masked(scores, axes, others, apply_p, call: _ffi.Call):
    """The scores as the layer masks them; with empty_rows of "zeros", masked keys have no weight at all."""
    description = call.description
    spec = json.loads(description.spec)
    if description.empty_rows == "zeros":
        spec["layers"][0]["masked_out_value"] = "-inf"
        spec["layers"][0].pop("empty_rows")
    numbers = description.numbers
    if description.empty_rows == "zeros" and any(number.masked_value for number in numbers):
        raise NotImplementedError("axismask: attention's derivative with a masked value that is an array")
    description = dataclasses.replace(description, spec=json.dumps(spec))
    one = _ffi.Call(target=_ffi.APPLY, description=description, leading=("logits",), results=(axes,),
                    axes=(axes, *call.axes[len(call.leading):]), threads=call.threads, in_place=True)
    return apply_p.bind(scores, *others, call=one)[0]


def attend(queries, keys, values, sinks=None, *, apply_p, call: _ffi.Call, others):
    """The results of the call, as a list: attention, and the logarithm of its denominators if the call has it."""
    q_axes, k_axes, v_axes = call.axes[:3]
    rows = tuple(axis for axis in q_axes if axis != call.projection)
    axes = (*rows, call.description.kv_axis)
    scale = call.scale or 1 / math.sqrt(queries.shape[q_axes.index(call.projection)])
    scores = _product(queries.astype(jnp.float32), q_axes, keys.astype(jnp.float32), k_axes, axes) * scale
    if call.softcap:
        scores = call.softcap * jnp.tanh(scores / call.softcap)
    scores = _masked(scores, axes, others, apply_p, call)
    highest = jnp.max(scores, axis=-1, initial=-jnp.inf)
    if sinks is not None:
        index = tuple(slice(None) if axis in call.axes[3] else None for axis in rows)
        order = [call.axes[3].index(axis) for axis in rows if axis in call.axes[3]]
        sinks = jnp.broadcast_to(jnp.transpose(sinks, order)[index], highest.shape)
        highest = jnp.maximum(highest, sinks)
    zeros = call.description.empty_rows == "zeros"
    if zeros:
        empty = highest == -jnp.inf
        highest = jnp.where(empty, 0.0, highest)
    highest = jax.lax.stop_gradient(highest)
    weights = jnp.exp(scores - highest[..., None])
    sums = weights.sum(axis=-1)
    if sinks is not None:
        sums = sums + jnp.exp(sinks - highest)
    safe = jnp.where(empty, 1.0, sums) if zeros else sums
    product = _product(weights / safe[..., None], axes, values.astype(jnp.float32), v_axes, call.results[0])
    results = [product.astype(queries.dtype)]
    if len(call.results) > 1:
        sums_of = jnp.log(safe) + highest
        if zeros:
            sums_of = jnp.where(empty, -jnp.inf, sums_of)
        results.append(jnp.transpose(sums_of, [rows.index(axis) for axis in call.results[1]]))
    return results
