"""Mistakes in names, sizes and dtypes, told when a function is traced, in the words of axismask itself.

The call is made once with sizes made small: different ones stay different. Only if that is refused it is made with the
sizes of the caller, which is refused before any work, and says them; its arrays have one element and strides of 0, or
are memory that nothing has touched.
"""

from __future__ import annotations

import functools
import json
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

import axismask


class Fact(NamedTuple):
    """What is known of an array when a function is traced."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    axes: tuple[str, ...]

    def hollow(self, size) -> tuple[np.ndarray, tuple[str, ...]]:
        one = np.zeros(1, jnp.dtype(self.dtype))
        shape = tuple(size(n) for n in self.shape)
        return np.lib.stride_tricks.as_strided(one, shape, (0,) * len(shape)), self.axes


def facts(arrays) -> tuple[Fact, ...]:
    """Of named arrays with their axes."""
    return tuple(Fact(name, tuple(array.shape), jnp.dtype(array.dtype).name, axes)
                 for name, (array, axes) in arrays.items())


@functools.lru_cache(maxsize=512)
def _layer(spec: str, lengths: tuple[int, ...]):
    """The layer whose numbers along axes are as many as these; -1 is one number."""
    text = json.loads(spec)
    text["layers"][0].pop("empty_rows", None)  # it goes by values
    text = json.dumps(text)
    for i, length in enumerate(lengths):
        text = text.replace(f'"@{i}@"', "1" if length < 0 else json.dumps([1] * length))
    return axismask.parse(text).layers[0]


def _attempts(description, leading: tuple[Fact, ...], inputs: tuple[Fact, ...], call) -> None:
    """call(layer, leading, inputs) with sizes made small, and if it is refused with those that were given."""
    by_axis = {axis: size for fact in leading for axis, size in zip(fact.axes, fact.shape)}
    lengths = [-1 if number.axis is None else len(number.values) if number.values else by_axis.get(number.axis, 1)
               for number in description.numbers]
    met = sorted({size for fact in leading + inputs for size in fact.shape} | {n for n in lengths if n > 0} | {0})
    small = {size: i for i, size in enumerate(met)} | {-1: -1}

    def attempt(size):
        call(_layer(description.checked, tuple(size(n) for n in lengths)),
             {fact.name: fact.hollow(size) for fact in leading},
             {fact.name: fact.hollow(size) for fact in inputs})

    try:
        attempt(small.__getitem__)
    except axismask.Error:
        attempt(lambda n: n)


@functools.lru_cache(maxsize=4096)
def apply(description, logits: Fact, inputs: tuple[Fact, ...]) -> None:
    def call(layer, leading, arrays):
        hollow, axes = leading["logits"]
        layer.apply_in_place(np.empty(hollow.shape, hollow.dtype), axes, **arrays)

    _attempts(description, (logits,), inputs, call)


def mask(description, axes, shape, dtype, inputs: tuple[Fact, ...]) -> None:
    dtype = jnp.dtype(dtype).name
    if dtype not in ("bool", "float16", "bfloat16", "float32", "float64"):
        raise axismask.Error("mask-dtype", "dtype", f"it is {dtype}", "give bool or a float")
    apply(description, Fact("logits", shape, "float32", axes), inputs)


@functools.lru_cache(maxsize=4096)
def attend(description, leading: tuple[Fact, ...], inputs: tuple[Fact, ...], projection: str) -> None:
    def call(layer, given, arrays):
        layer.attend(*given["queries"], *given["keys"], *given["values"], sinks=given.get("sinks"),
                     projection=projection, **arrays)

    _attempts(description, leading, inputs, call)
