"""What JAX needs to know of a layer: its spec as text, and for each side input along which axis of the logits it lies.

A mask depends on positions and not on places. So a shard of queries and keys is masked right wherever it is, if the
positions of its queries and of its keys come with it. A side input that gives both, as "token_positions" does, is
therefore passed twice, once for the queries and once for the keys, under two names.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import json
from typing import Any

QUERY, KEYS, ANY = "query", "keys", "any"

_SEQ = (("seq_axis", "seq"), ("kv_seq_axis", "kv_seq"))
_QUERY_POSITIONS = ("query_positions_input_name", QUERY, "token_positions")
_KV_POSITIONS = ("kv_positions_input_name", KEYS, "token_positions")

# Of each type that ships its side inputs: the attribute with the name, what it lies along, and the default name. A test
# compares this with the schema.
SIDE_INPUTS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "ApplyBidirectionalWindowAttentionMask": (_QUERY_POSITIONS, _KV_POSITIONS),
    "ApplyBlockCausalAttentionMask": (_QUERY_POSITIONS, _KV_POSITIONS),
    "ApplyCausalAttentionMask": (_QUERY_POSITIONS, _KV_POSITIONS),
    "ApplyCausalSlidingWindowAttentionMask": (_QUERY_POSITIONS, _KV_POSITIONS),
    "ApplyChunkedAttentionMask": (_QUERY_POSITIONS, _KV_POSITIONS),
    "ApplyDilatedWindowAttentionMask": (_QUERY_POSITIONS, _KV_POSITIONS),
    "ApplyDocumentAttentionMask": (
        ("query_segment_ids_input_name", QUERY, "segment_ids"),
        ("kv_segment_ids_input_name", KEYS, "segment_ids"),
    ),
    "ApplyExplicitAttentionMask": (("mask_input_name", ANY, "mask"),),
    "ApplyLeftPaddingAttentionMask": (
        _KV_POSITIONS,
        ("lengths_input_name", ANY, "lengths"),
        ("total_lengths_input_name", ANY, "total_lengths"),
    ),
    "ApplyPrefixLmAttentionMask": (
        _QUERY_POSITIONS,
        _KV_POSITIONS,
        ("prefix_lengths_input_name", ANY, "prefix_lengths"),
    ),
    "ApplyRightPaddingAttentionMask": (_KV_POSITIONS, ("lengths_input_name", ANY, "lengths")),
    "ApplySinksAttentionMask": (_KV_POSITIONS,),
}


@dataclasses.dataclass(frozen=True)
class SideInput:
    """A side input of the spec's text: its name there, the caller's name for it, and what it lies along."""

    name: str
    source: str
    along: str


@dataclasses.dataclass(frozen=True)
class Number:
    """A number of the spec's text that is an operand, "@0@" there: where it comes from and along which axis it lies.

    `values` are the numbers where the spec had them, and `source` the caller's name where it is an array of theirs.
    """

    axis: str | None
    values: tuple[float, ...] | None
    source: str | None
    masked_value: bool = False


@dataclasses.dataclass(frozen=True)
class Description:
    """A layer as the handlers and the sharding rules take it.

    `spec` is its text with the side inputs' names made different, and `checked` with the caller's names. `known` says that
    it is known what every side input lies along. Of a type that does not ship it is not: then the inputs are those that
    the caller gives, and no device has a part of an axis.
    """

    spec: str
    checked: str
    inputs: tuple[SideInput, ...]
    numbers: tuple[Number, ...]
    query_axis: str
    kv_axis: str
    known: bool
    empty_rows: str
    scale: float
    softcap: float
    sinks: tuple[str, tuple[float, ...]] | None

    def given(self, names) -> "Description":
        """The same, with side inputs of these names if they are not known."""
        if self.known:
            return self
        return dataclasses.replace(self, inputs=tuple(SideInput(name, name, ANY) for name in sorted(names)))

    def unmasked(self) -> "Description":
        """The same with the masked value 0: how a change of the logits goes through."""
        spec = json.loads(self.spec)
        spec["layers"][0]["masked_out_value"] = 0.0
        kept = [i for i, number in enumerate(self.numbers) if not number.masked_value]
        return dataclasses.replace(self, spec=_renumber(json.dumps(spec), kept),
                                   numbers=tuple(self.numbers[i] for i in kept))


def _renumber(text: str, kept: list[int]) -> str:
    for new, old in enumerate(kept):
        text = text.replace(f'"@{old}@"', f'"@{new}@"')
    return text


def _leaves(mask: dict[str, Any]):
    if "type" in mask:
        yield mask
        return
    parts = mask.get("all") or mask.get("any") or [mask["not"]]
    for part in parts:
        yield from _leaves(part)


class _Reader:
    """Takes a layer's spec apart: names of side inputs are made different for queries and keys, numbers that lie along
    an axis become operands."""

    def __init__(self):
        self.inputs: dict[str, SideInput] = {}
        self.numbers: list[Number] = []

    def side_input(self, source: str, along: str) -> str:
        name = source
        while name in self.inputs and self.inputs[name].along != along:
            name += " of keys" if along == KEYS else " too"
        self.inputs[name] = SideInput(name, source, along)
        return name

    def number(self, value: Any, masked_value: bool = False) -> Any:
        mark = f"@{len(self.numbers)}@"
        if isinstance(value, dict) and "values" in value:
            self.numbers.append(Number(value["axis"], tuple(value["values"]), None))
            return {"axis": value["axis"], "values": mark}
        if isinstance(value, dict) and "operand" in value:
            axis = value.get("axis")
            self.numbers.append(Number(axis, None, value["operand"], masked_value))
            return mark if axis is None else {"axis": axis, "values": mark}
        return value

    def read_numbers(self, mask: dict[str, Any]) -> None:
        for key, value in mask.items():
            if key != "masked_out_value":
                mask[key] = self.number(value)

    def read_inputs(self, mask: dict[str, Any]) -> None:
        for key, along, default in SIDE_INPUTS[mask["type"]]:
            mask[key] = self.side_input(mask.get(key, default), along)


def _text(layer: dict[str, Any]) -> str:
    return json.dumps({"axismask": 1, "model": "one layer", "layers": [layer]})


def describe_spec(spec: dict[str, Any]) -> Description:
    """Of the spec of one layer, in which {"operand": name} may stand for a number that is an array of the caller's."""
    spec = copy.deepcopy(spec)
    spec["name"] = "layer"
    attention = spec.pop("attention", {})
    reader = _Reader()
    spec["masked_out_value"] = reader.number(spec["masked_out_value"], masked_value=True)
    leaves = list(_leaves(spec))
    axes = {key: next((leaf[key] for leaf in leaves if key in leaf), default) for key, default in _SEQ}
    for leaf in leaves:
        reader.read_numbers(leaf)
    checked = _text(spec)
    known = all(leaf["type"] in SIDE_INPUTS for leaf in leaves)
    for leaf in leaves if known else ():
        reader.read_inputs(leaf)
    sinks = attention.get("sinks")
    return Description(
        spec=_text(spec), checked=checked, inputs=tuple(reader.inputs.values()), numbers=tuple(reader.numbers),
        query_axis=axes["seq_axis"], kv_axis=axes["kv_seq_axis"], known=known, empty_rows=spec.get("empty_rows", "masked"),
        scale=float(attention.get("scale", 0.0)), softcap=float(attention.get("softcap", 0.0)),
        sinks=None if sinks is None else (sinks["axis"], tuple(sinks["values"])))


@functools.lru_cache(maxsize=512)
def describe_text(text: str) -> Description:
    """describe_spec, of JSON."""
    return describe_spec(json.loads(text))


@functools.lru_cache(maxsize=512)
def describe(layer) -> Description:
    """Of an `axismask.Layer`."""
    return describe_spec(json.loads(layer.to_json())["layers"][0])
