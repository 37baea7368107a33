"""Which axis a side input of one axis has: that of the queries or of the keys, where its name says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._arrays import shape_of
from ._errors import Error

if TYPE_CHECKING:
    from ._layer import Layer

_DEFAULTS = {"seq_axis": "seq", "kv_seq_axis": "kv_seq", "query_positions_input_name": "token_positions",
             "kv_positions_input_name": "token_positions", "query_segment_ids_input_name": "segment_ids",
             "kv_segment_ids_input_name": "segment_ids"}
_OF_KEYS = ("kv_positions_input_name", "kv_segment_ids_input_name")
_OF_QUERIES = ("query_positions_input_name", "query_segment_ids_input_name")


def _masks(mask: dict[str, Any]) -> list[dict[str, Any]]:
    parts = [*mask.get("all", ()), *mask.get("any", ()), *([mask["not"]] if "not" in mask else ())]
    return [one for part in parts for one in _masks(part)] if parts else [mask]


class KnownAxes:
    """What a layer's spec says of its axes.

    Attributes:
        of: of each input of positions or ids the name of its axis; what serves queries and keys at once is the queries'.
        like: of each key axis the query axis that is as long, since one input has the positions of both.
    """

    def __init__(self, layer: Layer) -> None:
        self.of: dict[str, str] = {}
        self.like: dict[str, str] = {}
        for mask in _masks(layer._mask):
            said = {**_DEFAULTS, **mask}
            self.of |= {said[name]: said["kv_seq_axis"] for name in _OF_KEYS}
            self.of |= {said[name]: said["seq_axis"] for name in _OF_QUERIES}
            if said["query_positions_input_name"] == said["kv_positions_input_name"]:
                self.like[said["kv_seq_axis"]] = said["seq_axis"]


def axes_of(layer: Layer, name: str, array: Any) -> tuple[str, ...]:
    """Returns the names of a side input's axes where they go without saying. Raises Error where they do not."""
    if isinstance(array, (list, tuple)):
        raise Error("array-type", name, f"it is a {type(array).__name__}, and no array",
                    f'give an array, or a pair of one and its axes, {name}=(array, "seq")')
    rank = len(shape_of(array, name))
    axis = layer._known_axes.of.get(name)
    if rank == 0:
        return ()
    if rank == 1 and axis is not None:
        return (axis,)
    raise Error("array-axes", name, f"it has {rank} axes, whose names are not given",
                f'name them, {name}=(array, "{" ".join(["..."] * rank)}")')
