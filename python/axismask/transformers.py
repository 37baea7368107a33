"""Models of transformers whose masks and attention are ours, on processors.

    axismask.transformers.register()
    model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="axismask")

The mask of a model's layer is read from transformers' own mask function, so that it is what `eager` computes: causal,
sliding, chunked and bidirectional masks become layers of ours, which are planned and never made; any other mask, of images
and packed sequences for example, is computed by transformers and read by ApplyExplicitAttentionMask.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers import masking_utils as theirs

from . import torch as _torch
from ._errors import Error
from ._layer import Layer
from ._model import parse

__all__ = ["NAME", "PlannedMask", "register"]

NAME = "axismask"
_WHOLE = 2**31 - 1  # a window that hides nothing
_ASKED = frozenset((  # of a mask: by models, and by torch.compile, which looks at what it is given
    "__get__", "__repr__", "dim", "size", "ndimension", "numel", "stride", "storage_offset", "untyped_storage",
    "is_floating_point", "is_conj", "is_neg", "_is_view"))
_OUTSIDE = "axismask: masks are planned while a model runs, outside of what is compiled; leave fullgraph out"


def register() -> None:
    """Makes `attn_implementation="axismask"` known to transformers. It may be called again."""
    AttentionInterface.register(NAME, _attend)
    AttentionMaskInterface.register(NAME, _make_mask)


# --------------------------------------------------------------------------------------------------------------- Masks


class PlannedMask(torch.Tensor):
    """What stands for a mask between a model and its attention: a mask's sizes, without its elements.

    Attributes:
        layer: what decides.
        inputs: its side inputs, (tensor, axes) each.
    """

    layer: Layer
    inputs: dict[str, tuple[Tensor, str]]

    @staticmethod
    def of(layer: Layer, inputs: dict[str, tuple[Tensor, str]], shape: tuple[int, int, int, int]) -> PlannedMask:
        mask = torch.empty(shape, dtype=torch.bool, device="meta").as_subclass(PlannedMask)
        mask.layer, mask.inputs = layer, inputs
        return mask

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, arguments: Any = (), keywords: Any = None) -> Any:
        name = getattr(function, "__name__", str(function))
        if name == "contiguous":  # generate() asks for that
            return arguments[0]
        if name in _ASKED:
            with torch._C.DisableTorchFunctionSubclass():
                return function(*arguments, **(keywords or {}))
        raise Error("transformers-mask", "attention_mask",
                    f"the model changes its mask, by {name}, and no mask was made that could be changed",
                    'set attn_implementation="eager" for this model')


@functools.lru_cache(256)
def _layer(mask: str) -> Layer:
    fields = {"name": "mask", "masked_out_value": "lowest", **json.loads(mask)}
    return parse({"axismask": 1, "model": "transformers", "layers": [fields]}).layers[0]


def _layer_of(kind: str, **fields: int) -> Layer:
    """Rows that see nothing, as those of padding, are 0; by a mask that is read, the mean of all values, as `eager` has it."""
    more: dict[str, str] = {}
    if kind != "ApplyExplicitAttentionMask":
        more = {"query_positions_input_name": "query_positions", "kv_positions_input_name": "kv_positions",
                "empty_rows": "zeros"}
    return _layer(json.dumps({"type": kind, **more, **fields}))


def _closure(function: Callable) -> dict[str, Any]:
    cells = function.__closure__ or ()
    return dict(zip(function.__code__.co_freevars, (cell.cell_contents for cell in cells)))


def _is_made_by(function: Callable, maker: Callable) -> bool:
    return function.__module__ == theirs.__name__ and function.__qualname__.startswith(maker.__name__ + ".<locals>.")


def _parts(function: Callable) -> list[Callable]:
    if not _is_made_by(function, theirs.and_masks):
        return [function]
    return [part for one in _closure(function)["mask_functions"] for part in _parts(one)]


def _read(function: Callable) -> tuple[Layer, Tensor | None] | None:
    """The layer that a mask function of transformers is, and what is taken from its positions; None: it is no such one."""
    parts = _parts(function)
    is_causal = theirs.causal_mask_function in parts
    others = [part for part in parts if part not in (theirs.causal_mask_function, theirs.bidirectional_mask_function)]
    if not others:
        return (_layer_of("ApplyCausalAttentionMask") if is_causal else
                _layer_of("ApplyBidirectionalWindowAttentionMask", window_left=_WHOLE, window_right=_WHOLE)), None
    if len(others) > 1:
        return None
    (other,) = others
    if is_causal and _is_made_by(other, theirs.sliding_window_overlay):
        window = _closure(other)["sliding_window"]
        return _layer_of("ApplyCausalSlidingWindowAttentionMask", sliding_window_size=int(window)), None
    if not is_causal and _is_made_by(other, theirs.sliding_window_bidirectional_overlay):
        reach = int(_closure(other)["sliding_window"])
        return _layer_of("ApplyBidirectionalWindowAttentionMask", window_left=reach, window_right=reach), None
    if is_causal and _is_made_by(other, theirs.chunked_overlay):
        said = _closure(other)
        return _layer_of("ApplyChunkedAttentionMask", attention_chunk_size=int(said["chunk_size"])), said["left_padding"]
    return None


def _refuse_export() -> None:
    if torch.compiler.is_exporting():
        raise Error("transformers-export", NAME, "a model is not exported with it, as masks are planned while it runs",
                    'set attn_implementation="sdpa" before torch.export')


@torch.compiler.disable(reason=_OUTSIDE)
def _make_mask(batch_size: int, q_length: int, kv_length: int, q_offset: int | Tensor = 0, kv_offset: int | Tensor = 0,
               mask_function: Callable = theirs.causal_mask_function, attention_mask: Tensor | None = None,
               use_vmap: bool = False, device: torch.device | str = "cpu", **_: Any) -> PlannedMask:
    """transformers' mask interface."""
    _refuse_export()
    if torch.device(device).type != "cpu":
        raise Error("transformers-device", "device", f"the model is on {device}, and attention is the processor's",
                    'move the model to "cpu", or set attn_implementation="flex_attention" or "sdpa"')
    shape = (batch_size, 1, q_length, kv_length)
    read = _read(mask_function)
    if read is None:
        kept = theirs.sdpa_mask(batch_size=batch_size, q_length=q_length, kv_length=kv_length, q_offset=q_offset,
                                kv_offset=kv_offset, mask_function=mask_function, attention_mask=attention_mask,
                                allow_is_causal_skip=False, use_vmap=use_vmap, device=device)
        return _explicit(kept, shape)
    layer, first = read
    queries = torch.arange(q_length, dtype=torch.int32) + int(q_offset)
    keys = torch.arange(kv_length, dtype=torch.int32) + int(kv_offset)
    inputs = {"query_positions": (queries, "seq"), "kv_positions": (keys, "kv_seq")}
    if first is not None:  # chunks are counted from the first token
        first = first.to(torch.int32).reshape(-1, 1).expand(batch_size, 1)
        inputs = {"query_positions": (queries - first, "batch seq"), "kv_positions": (keys - first, "batch kv_seq")}
    padding = theirs.prepare_padding_mask(attention_mask, kv_length, int(kv_offset))
    if padding is not None:
        there = padding[:, int(kv_offset) : int(kv_offset) + kv_length].bool()
        places, _axes = inputs["kv_positions"]
        inputs["kv_positions"] = (torch.where(there, places, -1), "batch kv_seq")
    return PlannedMask.of(layer, inputs, shape)


def _explicit(kept: Tensor, shape: tuple[int, ...]) -> PlannedMask:
    if kept.dim() != 4 or kept.shape[1] != 1 or kept.shape[0] not in (1, shape[0]):
        raise Error("transformers-mask", "attention_mask",
                    f"its shape is {tuple(kept.shape)}, and that of scores {tuple(shape)}, alike for all heads",
                    'give [batch, 1, queries, keys], or set attn_implementation="eager"')
    kept = kept[:, 0].expand(shape[0], *kept.shape[2:]).contiguous()
    return PlannedMask.of(_layer_of("ApplyExplicitAttentionMask"), {"mask": (kept, "batch seq kv_seq")}, tuple(shape))


def _mask_of(attention_mask: Tensor | None, module: torch.nn.Module, query: Tensor, key: Tensor,
             is_causal: bool | None) -> PlannedMask:
    queries, keys = query.shape[2], key.shape[2]
    if isinstance(attention_mask, PlannedMask):
        if attention_mask.shape[2] != queries or attention_mask.shape[3] != keys:
            raise Error("transformers-mask", "attention_mask",
                        f"it is for {attention_mask.shape[2]} queries and {attention_mask.shape[3]} keys, and the layer has "
                        f"{queries} and {keys}", 'set attn_implementation="eager" for this model')
        return attention_mask
    if attention_mask is None:  # a model without a mask: causal by its own word
        causal = is_causal if is_causal is not None else getattr(module, "is_causal", False)
        base = theirs.causal_mask_function if causal else theirs.bidirectional_mask_function
        return _make_mask(query.shape[0], queries, keys, keys - queries if causal else 0, 0, base)
    if attention_mask.dtype == torch.bool:
        return _explicit(attention_mask, (query.shape[0], 1, *attention_mask.shape[2:]))
    lowest = torch.finfo(attention_mask.dtype).min if attention_mask.is_floating_point() else None
    if lowest is None or not ((attention_mask == 0) | (attention_mask <= lowest)).all():
        raise Error("transformers-mask", "attention_mask", "it has other numbers than 0 and the lowest, which are no mask",
                    'give a bool mask, or set attn_implementation="eager" for a model with biases')
    return _explicit(attention_mask == 0, (query.shape[0], 1, *attention_mask.shape[2:]))


# ----------------------------------------------------------------------------------------------------------- Attention


def _refuse(what: str, cure: str) -> None:
    raise Error("transformers-option", NAME, what, cure)


@torch.compiler.disable(reason=_OUTSIDE)
def _attend(module: torch.nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None,
            scaling: float | None = None, dropout: float = 0.0, softcap: float | None = None, s_aux: Tensor | None = None,
            is_causal: bool | None = None, position_bias: Tensor | None = None, **keywords: Any) -> tuple[Tensor, None]:
    """transformers' attention interface: [batch, heads, tokens, projection] in, [batch, tokens, heads, projection] out."""
    if dropout:
        _refuse(f"it has no dropout, and {dropout} is asked for", "call model.eval(), or set attention_dropout to 0")
    if position_bias is not None:
        _refuse("it adds no biases to scores", 'set attn_implementation="eager" for this model')
    if keywords.get("output_attentions"):
        _refuse("it makes no attention weights", 'leave output_attentions out, or set attn_implementation="eager"')
    if torch.is_grad_enabled() and any(one.requires_grad for one in (query, key, value)):
        _refuse("it has no gradient", 'call under torch.no_grad(), or train with attn_implementation="flex_attention"')
    if query.device.type != "cpu":
        _refuse(f"the model is on {query.device}, and attention is the processor's",
                'move the model to "cpu", or set attn_implementation="flex_attention" or "sdpa"')
    mask = _mask_of(attention_mask, module, query, key, is_causal)
    kv_heads = key.shape[1]
    grouped = query.unflatten(1, (kv_heads, query.shape[1] // kv_heads))
    sinks = None if s_aux is None else (s_aux.detach().float().view(kv_heads, -1), "kv_heads group")
    out = _torch.attend(mask.layer, grouped, "batch kv_heads group seq projection", key, "batch kv_heads kv_seq projection",
                        value, "batch kv_heads kv_seq projection", out_axes="batch seq kv_heads group projection",
                        scale=scaling, softcap=softcap, sinks=sinks, **mask.inputs)
    return out.flatten(2, 3), None
