"""A layer's formula as a function of places, as FlexAttention evaluates it: of positions and numbers held as tensors.

That is what a `mask_mod` written by hand is, and takes no look at the mask. Formulas are read of the masks that ship, whose
names are known; `of_layer` gives None for any other, and the caller then looks up what each query sees.
"""

from __future__ import annotations

import ast
import functools
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch

from . import _inputs
from ._layer import Layer, _names

_SHIPPED = frozenset(f"Apply{name}AttentionMask" for name in (
    "Causal", "CausalSlidingWindow", "BidirectionalWindow", "BlockCausal", "Chunked", "PrefixLm", "Document", "Sinks",
    "DilatedWindow", "RightPadding", "LeftPadding"))
_COMPARED = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
# Python's, whose division rounds down and whose remainder has the divisor's sign, as a formula's; and how large a result gets.
_COMPUTED = {ast.Add: ("+", "({0} + {1})"), ast.Sub: ("-", "({0} + {1})"), ast.Mult: ("*", "({0} * {1})"),
             ast.Div: ("//", "({0} + 1)"), ast.Mod: ("%", "({0} + {1})")}


class _Unread(Exception):
    """The formula has something that this does not read."""


class _Reader:
    """Python of a formula. `sizes` are expressions of how large each of its numbers gets, by those of the names."""

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names
        self.sizes: list[str] = []

    def truth(self, node: ast.expr) -> str:
        if isinstance(node, ast.BoolOp):
            sign = " & " if isinstance(node.op, ast.And) else " | "
            return "(" + sign.join(self.truth(one) for one in node.values) + ")"
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return f"(~{self.truth(node.operand)})"
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPARED:
            left, right = self.number(node.left)[0], self.number(node.comparators[0])[0]
            return f"({left} {_COMPARED[type(node.ops[0])]} {right})"
        raise _Unread

    def number(self, node: ast.expr) -> tuple[str, str]:
        made = self._number(node)
        self.sizes.append(made[1])
        return made

    def _number(self, node: ast.expr) -> tuple[str, str]:
        if isinstance(node, ast.Constant) and type(node.value) is int:
            return str(node.value), str(node.value)
        if isinstance(node, ast.Subscript):  # of each head: its tensor has the axis
            node = node.value
        if isinstance(node, ast.Name) and node.id in self.names:
            return f"n_{node.id}", f"s_{node.id}"
        if isinstance(node, ast.BinOp) and type(node.op) in _COMPUTED:
            sign, size = _COMPUTED[type(node.op)]
            (left, left_size), (right, right_size) = self.number(node.left), self.number(node.right)
            return f"({left} {sign} {right})", size.format(left_size, right_size)
        raise _Unread


@functools.lru_cache(256)
def _read(formula: str, places: tuple[tuple[str, str], ...]) -> tuple[Callable, Callable]:
    """Makes of a formula the function that makes the function of places, and the one that says how large numbers get.

    Both take what stands for the names of `places`, which are names and the indices of their tensors: ("q", "b, q").
    """
    text = formula
    for sign, word in (("&&", " and "), ("||", " or "), ("!=", " <> "), ("!", " not "), (" <> ", " != ")):
        text = text.replace(sign, word)
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError:
        raise _Unread from None
    reader = _Reader(frozenset(name for name, _ in places))
    kept = reader.truth(tree.body)
    lines = [f"def make({', '.join(f't_{name}' for name, _ in places)}):", "  def mask_mod(b, h, q, k):"]
    lines += [f"    n_{name} = t_{name}[{index}]" for name, index in places]
    lines += [f"    return {kept}", "  return mask_mod",
              f"def size({', '.join(f's_{name}' for name, _ in places)}): return max(({', '.join(reader.sizes)},))"]
    made: dict[str, Any] = {}
    exec(compile("\n".join(lines), f"<axismask: {formula}>", "exec"), made)
    return made["make"], made["size"]


# Attributes name inputs, with `_input_name` behind them; and what a formula calls the positions.
_INPUTS = ("query_positions", "kv_positions", "query_segment_ids", "kv_segment_ids", "prefix_lengths", "lengths",
           "total_lengths")
_SYMBOLS = {"query_positions": "q", "kv_positions": "k"}
_OF_KEYS = ("k", "kv_segment_ids")


class _Said(NamedTuple):
    """What a layer's spec says of the names in its formula: it has an attribute's where an input may be called otherwise."""

    query_axis: str
    key_axis: str
    inputs: dict[str, str]  # of a name in the formula the name of the input
    numbers: dict[str, tuple[np.ndarray, tuple[str, ...]]]  # those that heads have each for itself, with their axis


@functools.lru_cache(256)
def _said(spec: str) -> _Said | None:
    """Reads the spec of one layer. None: its names are not known, or one of them means two things."""
    masks = _inputs._masks(json.loads(spec)["layers"][0])
    said = [{**_inputs._DEFAULTS, **mask} for mask in masks]
    axes = {(one["seq_axis"], one["kv_seq_axis"]) for one in said}
    if any(one.get("type") not in _SHIPPED for one in said) or len(axes) > 1 or "keep_self" in spec:
        return None
    inputs: dict[str, str] = {}
    for attribute in _INPUTS:
        called = {one.get(f"{attribute}_input_name", attribute) for one in said}
        if len(called) > 1:
            return None
        inputs[_SYMBOLS.get(attribute, attribute)] = called.pop()
    numbers: dict[str, tuple[np.ndarray, tuple[str, ...]]] = {}
    for name, value in ((name, value) for mask in masks for name, value in mask.items()):
        if isinstance(value, dict) and {"axis", "values"} <= value.keys():
            if name in numbers:
                return None
            numbers[name] = np.array(value["values"]), (value["axis"],)
    return _Said(*axes.pop(), inputs, numbers)


def _arrays_of(layer: Layer, said: _Said, inputs: dict[str, Any]) -> dict[str, tuple[np.ndarray, tuple[str, ...]]]:
    """Of each name that the formula has its array and the names of its axes."""
    found = {name: given for name, given in said.numbers.items() if name in layer.formula}
    for symbol, name in said.inputs.items():
        if symbol not in layer.formula or name not in inputs:
            continue
        given = inputs[name]
        array, axes = given if isinstance(given, tuple) else (given, layer._axes_of(name, given))
        axes = _names(axes, name)
        if symbol in _OF_KEYS:
            axes = tuple([said.key_axis if axis == said.query_axis else axis for axis in axes])
        found[symbol] = np.asarray(array), axes
    return found


def _place(array: np.ndarray, its: tuple[str, ...], letters: dict[str, str], alike: list[str]) -> tuple[str, np.ndarray]:
    """The index of an array's tensor, "b, q", and the array in the order of that."""
    if not letters.keys() >= set(its) or array.size == 0:
        raise _Unread
    there = [axis for axis in letters if axis in its]
    array = array.transpose([its.index(axis) for axis in there])
    for axis in alike:  # for all, whatever the batch and heads of attention are
        if axis in there:
            array = array.take(0, there.index(axis))
            there.remove(axis)
    return ", ".join([letters[axis] for axis in there]) or "...", array


def of_layer(layer: Layer, inputs: dict[str, Any], axes: tuple[str, str], sizes: tuple[int, int],
             device: Any) -> Callable | None:
    """Makes the function (b, h, q, k) -> bool of tensors; None where the formula or the sizes of its numbers do not allow it.

    Args:
        inputs: the layer's side inputs, in the host's memory.
        axes: the names of the batch's and the heads' axis.
        sizes: of these two in the block mask.
    """
    said = _said(layer.to_json())
    if said is None:
        return None
    letters = dict(zip((*axes, said.query_axis, said.key_axis), "bhqk"))
    alike = [axis for axis, size in zip(axes, sizes) if size == 1]
    try:
        found = _arrays_of(layer, said, inputs)
        places = [(name, *_place(*given, letters, alike)) for name, given in found.items()]
        make, size = _read(layer.formula, tuple([(name, index) for name, index, _ in places]))
    except _Unread:
        return None
    largest = size(*(max(int(array.max()), -int(array.min())) for *_, array in places))
    if largest >= 2**62:
        return None
    kind = np.int32 if largest < 2**31 else np.int64
    return make(*(torch.from_numpy(array.astype(kind)).to(device) for *_, array in places))
