"""Layers in PyTorch: FlexAttention's block masks, and calls that torch.compile and torch.export see.

    mask = axismask.torch.block_mask(layer, token_positions=positions)
    out = torch.compile(flex_attention)(query, key, value, block_mask=mask)

    masked = axismask.torch.apply(layer, logits, "heads seq kv_seq", token_positions=(positions, "seq"))

`apply`, `mask` and `attend` are operators of torch, `torch.ops.axismask`: a compiled or exported program has the layer's spec
in it, and no pointers. `Layer`'s own methods take tensors too, and are somewhat faster outside of such programs.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask

from . import _flex_formula, _layer
from ._errors import Error
from ._layer import Axes, Layer
from ._model import parse
from ._plan import by_columns

__all__ = ["apply", "attend", "block_mask", "mask"]

_FEW_SPANS = 8  # a query that sees more ranges of keys than these has the mask itself looked up


# --------------------------------------------------------------------------------------------------------- Block masks


def block_mask(layer: Layer, /, *, block_size: int | tuple[int, int] = 128, batch_axis: str = "batch",
               heads_axis: str = "heads", device: torch.device | str | None = None, **inputs: Any) -> BlockMask:
    """Makes FlexAttention's block mask of a layer, as torch's create_block_mask does of a function.

    No dense mask is made, but where keys are looked up and a query sees more than 8 ranges of them.

    Args:
        block_size: queries and keys of a block, or one number for both.
        batch_axis, heads_axis: the names of the layer's axes that are FlexAttention's batch and heads; along those that
            the mask does not change, its size is 1.
        device: where the block mask goes. None: that of the first side input that is a tensor.
        **inputs: the layer's side inputs, (array, axes) each.

    Returns:
        a BlockMask whose mask_mod, for the blocks that are kept in part, looks up which keys each query sees. It is made
        for these positions: make another when they change.

    Raises:
        Error: form-axis for a mask that changes along other axes than these two, and those of every call.
    """
    tile = (block_size, block_size) if isinstance(block_size, int) else tuple(block_size)
    if device is None:
        device = next((one.device for one in map(_array_of, inputs.values()) if isinstance(one, Tensor)), "cpu")
    hosted = {name: _on_host(given) for name, given in inputs.items()}
    made = layer.form("flex", tile=tile, batch_axis=batch_axis, heads_axis=heads_axis, **hosted)
    lists = []
    for kind in ("", "full_"):
        of_queries = made[f"{kind}kv_num_blocks"], made[f"{kind}kv_indices"]
        # The form's are the library's memory, which torch would write to if it were told to.
        lists.append([torch.from_numpy(one).to(device) for one in (*map(np.copy, of_queries), *by_columns(*of_queries))])
    [counts, keys, key_counts, queries], [full_counts, full_keys, full_key_counts, full_queries] = lists
    lengths = tuple(made["seq_lengths"].tolist())
    axes, planes = (batch_axis, heads_axis), tuple(counts.shape[:2])
    mod = _flex_formula.of_layer(layer, hosted, axes, planes, device)
    mod = mod or _look_up(layer, axes, (*planes, *lengths), device, hosted)
    return BlockMask(lengths, counts, keys, full_counts, full_keys, key_counts, queries, full_key_counts, full_queries, tile,
                     mod)


def _array_of(given: Any) -> Any:
    return given[0] if isinstance(given, tuple) else given


def _on_host(given: Any) -> Any:
    """A side input in the host's memory, where plans are made."""
    array = _array_of(given)
    hosted = array.detach().cpu() if isinstance(array, Tensor) else array
    return (hosted, given[1]) if isinstance(given, tuple) else hosted


def _look_up(layer: Layer, axes: tuple[str, str], shape: tuple[int, int, int, int], device: Any, inputs: dict[str, Any]):
    """A function of places as FlexAttention wants it. It looks up keys by their place, so that it holds for any layer."""
    batch, heads, queries, keys = shape
    made = layer.spans(**inputs)
    starts, begins, ends = made["starts"], made["begins"], made["ends"]
    counts = np.diff(starts)
    most = int(counts.max(initial=0))
    # Spans have only planes along which the mask changes, batch before heads or after.
    plan = layer.plan(tile=(max(queries, 1), max(keys, 1)), **inputs)
    swap = plan.plane_axes == axes[::-1]

    def in_place(flat: np.ndarray) -> Tensor:
        its = flat.reshape(*(plan.plane_sizes or [1]), queries)
        its = its.swapaxes(0, 1) if swap else its
        return torch.from_numpy(np.ascontiguousarray(its.reshape(batch, heads, queries))).to(device)

    if most <= _FEW_SPANS:
        begin, end = [], []
        for number in range(max(most, 1)):  # a query with fewer has empty ones
            there = counts > number
            where = np.where(there, starts[:-1] + number, 0)
            first, last = (one[where] if len(one) else where for one in (begins, ends))
            begin.append(in_place(first.astype(np.int32)))
            end.append(in_place(np.where(there, last, first).astype(np.int32)))

        def sees(b: Tensor, h: Tensor, q: Tensor, k: Tensor) -> Tensor:
            b, h = b if batch > 1 else torch.zeros_like(b), h if heads > 1 else torch.zeros_like(h)
            kept = (k >= begin[0][b, h, q]) & (k < end[0][b, h, q])
            for first, last in zip(begin[1:], end[1:]):
                kept = kept | ((k >= first[b, h, q]) & (k < last[b, h, q]))
            return kept

        return sees

    # A batch that is one sequence again and again has no planes, and its inputs have the axis.
    sizes = dict(zip((*axes, plan.query_axis, plan.kv_axis), shape))
    for name, given in inputs.items():
        its_axes = given[1] if isinstance(given, tuple) else layer._axes_of(name, given)
        sizes |= zip(_layer._names(its_axes, name), _array_of(given).shape)
    dense = layer.mask((*axes, plan.query_axis, plan.kv_axis), sizes=sizes, like=torch.empty(0), **inputs)
    dense = dense[:batch, :heads].to(device)

    def is_kept(b: Tensor, h: Tensor, q: Tensor, k: Tensor) -> Tensor:
        return dense[b if batch > 1 else torch.zeros_like(b), h if heads > 1 else torch.zeros_like(h), q, k]

    return is_kept


# ----------------------------------------------------------------------------------------------------------- Operators
#
# A layer and names travel in one text, as operators take no lists of texts: between tabs the spec, the axes of each array
# and, of each side input, its name and its axes. It is one line, as torch's compiler writes it into comments.


@functools.lru_cache(256)
def _read(call: str) -> tuple[Layer, list[str], list[tuple[str, str]]]:
    spec, axes, *inputs = call.split("\t")
    return parse(spec).layers[0], axes.split(";"), [tuple(one.split(":")) for one in inputs]


def _with_zero(call: str) -> str:
    """The call of the same layer with the masked value 0."""
    spec, *rest = call.split("\t")
    changed = json.loads(spec)
    changed["layers"][0]["masked_out_value"] = 0
    return "\t".join([json.dumps(changed), *rest])


def _joined(axes: Axes) -> str:
    return " ".join(_layer._names(axes, "axes"))


def _describe(layer: Layer, axes: Sequence[Axes], inputs: Mapping[str, Any]) -> tuple[str, list[Tensor]]:
    parts = [layer._text, ";".join([_joined(one) for one in axes])]
    arrays = []
    for name, given in inputs.items():
        array, its_axes = given if isinstance(given, tuple) else (given, layer._axes_of(name, given))
        parts.append(name + ":" + _joined(its_axes))
        arrays.append(array if isinstance(array, Tensor) else torch.as_tensor(array))
    return "\t".join(parts), arrays


def _given(names: list[tuple[str, str]], arrays: Sequence[Tensor]) -> dict[str, tuple[Tensor, str]]:
    return {name: (array.detach(), axes) for (name, axes), array in zip(names, arrays)}


@torch.library.custom_op("axismask::apply", mutates_args=())
def _apply(logits: Tensor, call: str, inputs: Sequence[Tensor]) -> Tensor:
    layer, (axes,), names = _read(call)
    return layer.apply(logits.detach(), axes, **_given(names, inputs))


@_apply.register_fake
def _(logits: Tensor, call: str, inputs: Sequence[Tensor]) -> Tensor:
    return logits.new_empty(logits.shape)


@torch.library.custom_op("axismask::mask", mutates_args=())
def _mask(call: str, sizes: Sequence[int], dtype: torch.dtype, masked: str, device: torch.device,
          inputs: Sequence[Tensor]) -> Tensor:
    layer, (axes,), names = _read(call)
    number = masked if masked in ("-inf", "lowest") else float(masked)
    if device.type != "cpu":  # where ones are kept: the library writes masks on the processor only
        zero, (axes,), names = _read(_with_zero(call))
        ones = torch.ones(tuple(sizes), dtype=torch.float16, device=device)
        kept = zero.apply_in_place(ones, axes, **_given(names, inputs)) != 0
        if dtype == torch.bool:
            return kept
        return torch.where(kept, 0, torch.finfo(dtype).min if number == "lowest" else float(number)).to(dtype)
    out = torch.empty(tuple(sizes), dtype=dtype, device=device)
    return layer.mask(axes, out=out, masked=number, **_given(names, inputs))


@_mask.register_fake
def _(call: str, sizes: Sequence[int], dtype: torch.dtype, masked: str, device: torch.device,
      inputs: Sequence[Tensor]) -> Tensor:
    return torch.empty(tuple(sizes), dtype=dtype, device=device)


@torch.library.custom_op("axismask::attend", mutates_args=())
def _attend(queries: Tensor, keys: Tensor, values: Tensor, call: str, out_shape: Sequence[int], numbers: Sequence[float],
            sinks: Tensor | None, threads: int, inputs: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    layer, (q_axes, k_axes, v_axes, out_axes, sink_axes, projection), names = _read(call)
    out = torch.empty(tuple(out_shape), dtype=queries.dtype, device=queries.device)
    sums = torch.empty(_sum_shape(queries, q_axes, projection), dtype=torch.float32, device=queries.device)
    layer.attend(queries.detach(), q_axes, keys.detach(), k_axes, values.detach(), v_axes, out=(out, out_axes),
                 log_sum_exp=sums, scale=numbers[0], softcap=numbers[1],
                 sinks=None if sinks is None else (sinks.detach(), sink_axes), projection=projection, threads=threads,
                 **_given(names, inputs))
    return out, sums


@_attend.register_fake
def _(queries: Tensor, keys: Tensor, values: Tensor, call: str, out_shape: Sequence[int], numbers: Sequence[float],
      sinks: Tensor | None, threads: int, inputs: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    q_axes, _, _, _, _, projection = call.split("\t")[1].split(";")
    return queries.new_empty(tuple(out_shape)), queries.new_empty(_sum_shape(queries, q_axes, projection),
                                                                  dtype=torch.float32)


def _sum_shape(queries: Tensor, axes: str, projection: str) -> tuple[int, ...]:
    return tuple([size for size, name in zip(queries.shape, axes.split()) if name != projection])


def _save_call(ctx: Any, inputs: tuple, output: Tensor) -> None:
    logits, ctx.call, side_inputs = inputs
    ctx.shape, ctx.device = logits.shape, logits.device
    ctx.save_for_backward(*side_inputs)


def _apply_backward(ctx: Any, grad: Tensor) -> tuple:
    kept = torch.ops.axismask.mask(ctx.call, list(ctx.shape), torch.bool, "-inf", ctx.device, list(ctx.saved_tensors))
    return torch.where(kept, grad, 0), None, [None] * len(ctx.saved_tensors)


_apply.register_autograd(_apply_backward, setup_context=_save_call)


def _attend_backward(ctx: Any, *grads: Tensor) -> tuple:
    raise Error("torch-gradient", "attend", "it has no gradient",
                "call it under torch.no_grad(); to train, give flex_attention axismask.torch.block_mask(layer, ...)")


_attend.register_autograd(_attend_backward)


# ----------------------------------------------------------------------------------------------------------- Functions


def apply(layer: Layer, logits: Tensor, axes: Axes, /, **inputs: Any) -> Tensor:
    """Masks logits as `layer.apply`, as an operator of torch. Its gradient is 0 where a logit is masked.

    Args:
        logits, axes: as there; the result is a new tensor in C order.
        **inputs: the layer's side inputs, tensors, (tensor, axes) each, or one of one axis alone.
    """
    call, arrays = _describe(layer, [axes], inputs)
    return torch.ops.axismask.apply(logits, call, arrays)


def mask(layer: Layer, axes: Axes, sizes: Sequence[int], /, *, dtype: torch.dtype = torch.bool,
         masked: float | Literal["-inf", "lowest"] = "-inf", device: torch.device | str | None = None, **inputs: Any) -> Tensor:
    """The mask itself as `layer.mask`, as an operator of torch.

    Args:
        axes, sizes: of the mask, as logits would have them.
        dtype: torch.bool gives True where a logit is kept; a dtype of floats 0 there and `masked` elsewhere.
        device: None: that of the first side input.
    """
    call, arrays = _describe(layer, [axes], inputs)
    if device is None:
        device = arrays[0].device if arrays else torch.device("cpu")
    return torch.ops.axismask.mask(call, list(sizes), dtype, str(masked), torch.device(device), arrays)


def attend(layer: Layer, queries: Tensor, q_axes: Axes, keys: Tensor, k_axes: Axes, values: Tensor, v_axes: Axes, /, *,
           out_axes: Axes | None = None, log_sum_exp: bool = False, scale: float | None = None, softcap: float | None = None,
           sinks: tuple[Tensor, Axes] | None = None, projection: str = "projection", threads: int = 0,
           **inputs: Any) -> Tensor | tuple[Tensor, Tensor]:
    """Attention as `layer.attend`, as an operator of torch. It has no gradient.

    Args:
        out_axes: the queries' axes in the order that the result is to have. None: that of the queries.
        log_sum_exp: True: also give the logarithm of each softmax's denominator.
    """
    q_names, v_names = _layer._names(q_axes, "queries"), _layer._names(v_axes, "values")
    sizes = dict(zip(q_names, queries.shape))
    sizes[projection] = dict(zip(v_names, values.shape)).get(projection, 0)
    out_names = q_names if out_axes is None else _layer._names(out_axes, "out_axes")
    if sorted(out_names) != sorted(q_names):
        raise Error("array-axes", "out_axes", f"they are {', '.join(out_names)}, and the queries' are {', '.join(q_names)}",
                    "give the queries' axes in another order")
    call, arrays = _describe(layer, [q_names, k_axes, v_axes, out_names, sinks[1] if sinks else "", projection], inputs)
    result, sums = torch.ops.axismask.attend(queries, keys, values, call, [sizes[name] for name in out_names],
                                             [scale or 0.0, softcap or 0.0], sinks[0] if sinks else None, threads, arrays)
    return (result, sums) if log_sum_exp else result
