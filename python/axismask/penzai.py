"""penzai's mask layers by axismask's kernels: the same names and attributes, and `replace_masks` for whole models.

    from axismask.penzai import replace_masks
    model = replace_masks(model)  # every mask layer of a penzai model, by pz.select

A layer here is an instance of penzai's own class, so that selectors go on finding it. What differs on purpose: a side
input with an axis that the logits lack is an error and does not widen the result, a masked value that the logits' dtype
cannot hold is an error, the result has the logits' dtype, and a window is at least 1.
"""

from __future__ import annotations

import collections
import json
import math
from typing import Any

import jax
import numpy as np
from penzai import pz
from treescope import formatting_util, rendering_parts

import axismask
from axismask.jax import _api, _describe

__all__ = [
    "ApplyCausalAttentionMask",
    "ApplyCausalSlidingWindowAttentionMask",
    "ApplyExplicitAttentionMask",
    "replace_masks",
]

_VALUES = ("masked_out_value", "sliding_window_size")
_DRAWN = 16  # rows and columns of a picture


def _value(field: str, value: Any, numbers: dict[str, Any]) -> Any:
    """What stands in the spec for an attribute: a number, or a mark of an operand where a program computes it."""
    axis = None
    if isinstance(value, pz.nx.NamedArray | pz.nx.NamedArrayView):
        if len(value.named_shape) > 1 or value.positional_shape or (value.named_shape and field == "masked_out_value"):
            raise axismask.Error("parameter-value", field, f"is an array with the axes {dict(value.named_shape)}",
                                 "give one number, or for a window one for each index of one named axis")
        axis = next(iter(value.named_shape), None)
        value = value.unwrap(*value.named_shape)
    if isinstance(value, jax.core.Tracer):
        if value.ndim != (axis is not None):
            raise axismask.Error("parameter-value", field, f"has {value.ndim} axes without names", "give them names")
        numbers[field] = value
        return {"operand": field} if axis is None else {"operand": field, "axis": axis}
    value = np.asarray(value)
    if axis is not None:
        return {"axis": axis, "values": value.tolist()}
    if value.ndim:
        raise axismask.Error("parameter-value", field, f"has {value.ndim} axes without names", "give them names")
    if field == "masked_out_value":
        return "-inf" if value == -math.inf else float(value)
    return value.item()


def _spec(layer: pz.nn.Layer, numbers: dict[str, Any]) -> dict[str, Any]:
    spec = {"name": "layer", "type": type(layer).__name__}
    for field, value in layer.attributes_dict().items():
        spec[field] = _value(field, value, numbers) if field in _VALUES else value
    return spec


def _array(name: str, x) -> tuple[jax.Array, tuple[str, ...]]:
    """A named array's data as it lies in memory, and the names of its axes; anonymous ones come first."""
    x = x.with_positional_prefix()
    nameless = tuple(f"{name}, axis {i}" for i in range(len(x.positional_shape)))
    return x.data_array, (*nameless, *x.named_axes)


class _Masks:
    """How a mask layer is called and shown; its attributes are penzai's."""

    def __call__(self, x: pz.nx.NamedArrayBase, **side_inputs: Any) -> pz.nx.NamedArray:
        """Masks the logits `x`. Errors: `axismask.Error`."""
        numbers: dict[str, Any] = {}
        description = _describe.describe_text(json.dumps(_spec(self, numbers)))
        names = {one.source for one in description.inputs}
        inputs = {name: _array(name, side_inputs[name]) for name in names if name in side_inputs}
        logits, axes = _array("logits", x)
        masked = _api.apply_described(description, logits, axes, inputs, numbers)
        sizes = zip(axes[len(x.positional_shape):], masked.shape[len(x.positional_shape):])
        return pz.nx.NamedArray(collections.OrderedDict(sizes), masked)

    def __treescope_repr__(self, path: str | None, subtree_renderer: Any):
        fields = {name: getattr(self, name) for name in self.attributes_dict()}
        children = []
        for name, value in fields.items():
            child_path = None if path is None else f"{path}.{name}"
            comma = rendering_parts.siblings(",", rendering_parts.fold_condition(collapsed=rendering_parts.text(" ")))
            children.append(rendering_parts.build_full_line_with_annotations(
                rendering_parts.siblings_with_annotations(f"{name}=", subtree_renderer(value, path=child_path)), comma))
        children += [rendering_parts.fold_condition(expanded=rendering_parts.comment_color(rendering_parts.text(line)))
                     for line in picture(self)]
        color, pattern = formatting_util.parse_simple_color_and_pattern_spec(self.treescope_color(),
                                                                             type(self).__name__)
        return rendering_parts.build_foldable_tree_node_from_children(
            prefix=rendering_parts.siblings(rendering_parts.maybe_qualified_type_name(type(self)), "("),
            children=children, suffix=")", path=path, background_color=color, background_pattern=pattern)


def picture(layer: pz.nn.Layer) -> list[str]:
    """The mask as lines of text, a row for each query; none for a mask that positions do not say.

    Of a long window every so many positions are drawn, and of one for each head the longest.
    """
    window = getattr(layer, "sliding_window_size", 0)
    if isinstance(window, pz.nx.NamedArray | pz.nx.NamedArrayView):
        window = window.unwrap(*window.named_shape)
    if isinstance(layer, pz.nn.ApplyExplicitAttentionMask) or isinstance(window, jax.core.Tracer):
        return []
    window = int(np.max(np.asarray(window)))
    step = max(1, -(-2 * window // _DRAWN))
    positions = np.arange(_DRAWN, dtype=np.int32) * step
    spec = {"name": "layer", "type": type(layer).__name__, "masked_out_value": 1.0}
    if window:
        spec["sliding_window_size"] = window
    drawn = axismask.parse({"axismask": 1, "model": "a picture", "layers": [spec]}).layers[0]
    masked = drawn.apply(np.zeros((_DRAWN, _DRAWN), np.float32), "seq kv_seq", token_positions=(positions, "seq"))
    every = "" if step == 1 else f", every {step}th"
    lines = [f"# queries down, keys across, positions 0 to {positions[-1]}{every}"]
    return lines + ["# " + "".join("█" if kept else "·" for kept in row) for row in np.asarray(masked) == 0]


@pz.pytree_dataclass(has_implicitly_inherited_fields=True)
class ApplyExplicitAttentionMask(_Masks, pz.nn.ApplyExplicitAttentionMask):
    """Keeps a logit where the side input `mask_input_name` is True; its axes are axes of the logits."""


@pz.pytree_dataclass(has_implicitly_inherited_fields=True)
class ApplyCausalAttentionMask(_Masks, pz.nn.ApplyCausalAttentionMask):
    """Keeps keys at or before the query's position, at 0 or later."""


@pz.pytree_dataclass(has_implicitly_inherited_fields=True)
class ApplyCausalSlidingWindowAttentionMask(_Masks, pz.nn.ApplyCausalSlidingWindowAttentionMask):
    """The same, of the last `sliding_window_size` positions only, the query's own included."""


def replace_masks(model: Any) -> Any:
    """The model with penzai's mask layers replaced by those of the same name here; attributes stay as they are."""
    for theirs, ours in ((pz.nn.ApplyExplicitAttentionMask, ApplyExplicitAttentionMask),
                         (pz.nn.ApplyCausalAttentionMask, ApplyCausalAttentionMask),
                         (pz.nn.ApplyCausalSlidingWindowAttentionMask, ApplyCausalSlidingWindowAttentionMask)):
        model = pz.select(model).at_instances_of(theirs).apply(
            lambda layer, ours=ours: ours(**layer.attributes_dict()))
    return model
