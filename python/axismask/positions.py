"""The positions of serving: prefill, padded batches, packed documents, Hugging Face's inputs, and a cache that wraps.

Each gives new positions, or writes `out`, int32 or int64 in C order. A place without a token has -1, which every layer
masks.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from . import _arrays, _native

Array = Any


def _new(shape: tuple[int, ...], out: Array | None, dtype: Any) -> Array:
    return _arrays.empty_numpy(shape, np.dtype(dtype)) if out is None else out


def consecutive(first: int, count: int = 0, *, out: Array | None = None, dtype: Any = np.int32) -> Array:
    """first, first + 1, ..., `count` of them: a prefill starts at 0, a chunk or a step at the number of tokens before it."""
    out = _new((count,), out, dtype)
    _native.consecutive(first, out)
    return out


def left_padded(lengths: Iterable[int], width: int, *, out: Array | None = None, dtype: Any = np.int32) -> Array:
    """[batch, width]: in each row the last `length` places are 0, 1, ..., and those before them -1."""
    rows = tuple(lengths)
    out = _new((len(rows), width), out, dtype)
    _native.padded(True, rows, width, out)
    return out


def right_padded(lengths: Iterable[int], width: int, *, out: Array | None = None, dtype: Any = np.int32) -> Array:
    """[batch, width]: in each row the first `length` places are 0, 1, ..., and those after them -1."""
    rows = tuple(lengths)
    out = _new((len(rows), width), out, dtype)
    _native.padded(False, rows, width, out)
    return out


def packed(lengths: Iterable[int], width: int | None = None, *, out: Array | None = None, documents: Array | None = None,
           dtype: Any = np.int32) -> tuple[Array, Array]:
    """A row of documents one after another: (positions in their documents, numbers of the documents), each [width]."""
    rows = tuple(lengths)
    size = int(sum(rows)) if width is None else width
    out, documents = _new((size,), out, dtype), _new((size,), documents, dtype)
    _native.packed(rows, documents, out)
    return out, documents


def from_attention_mask(mask: Array, *, out: Array | None = None, dtype: Any = np.int32) -> Array:
    """Positions of the tokens of Hugging Face's 0/1 attention_mask, [batch, kv_seq] of bool or integers, as `mask` is."""
    shape = _arrays.shape_of(mask, "mask")
    width = shape[-1] if shape else 0
    return _of(mask, shape, out, dtype, lambda memory: _native.from_attention_mask(mask, width, memory))


def from_position_ids(ids: Array, mask: Array, *, out: Array | None = None, dtype: Any = np.int32) -> Array:
    """Hugging Face's position_ids, with -1 where the attention_mask of the same shape is 0."""
    return _of(ids, _arrays.shape_of(ids, "ids"), out, dtype, lambda memory: _native.from_position_ids(ids, mask, memory))


def from_cu_seqlens(cu_seqlens: Array, width: int | None = None, *, out: Array | None = None,
                    documents: Array | None = None, dtype: Any = np.int32) -> tuple[Array, Array]:
    """As `packed`, of the sums of the lengths, 0 first, as flash attention's kernels take them."""
    size = int(cu_seqlens[-1]) if width is None and len(cu_seqlens) > 0 else width or 0
    out, documents = _new((size,), out, dtype), _new((size,), documents, dtype)
    _native.from_cu_seqlens(cu_seqlens, documents, out)
    return out, documents


def _of(like: Array, shape: tuple[int, ...], out: Array | None, dtype: Any, write: Any) -> Array:
    memory = _arrays.memory_for(like, shape, _arrays.dtype_name(np.dtype(dtype))) if out is None else out
    write(memory)
    return _arrays.finished(memory, like) if out is None else memory


class Ring:
    """The positions of the keys in a cache that wraps, slot by slot; the first `sinks` tokens keep theirs.

    Args:
        window: how many keys a query sees, its own included.
        longest_chunk: how many tokens are appended at once, at most.
        sinks: how many first tokens stay.
        slots: memory for the positions, int32 or int64, one for each slot. None: new memory for as many as are needed.

    Attributes:
        positions: the slots' positions, -1 where there is no key. `append` and `trim` write them.
    """

    def __init__(self, window: int, longest_chunk: int = 1, sinks: int = 0, *, slots: Array | None = None) -> None:
        if slots is None:
            slots = _arrays.empty_numpy((_native.ring_capacity(window, longest_chunk, sinks),), np.dtype(np.int32))
        self.positions = slots
        self._handle = _native.ring_make(slots, window, sinks)

    @property
    def tokens(self) -> int:
        """How many tokens have been appended: the position of the next one."""
        return _native.ring_tokens(self._handle)

    def append(self, count: int) -> None:
        """Gives the next `count` tokens their slots, before their logits are masked. Raises Error (ring-capacity)."""
        _native.ring_append(self._handle, count)

    def trim(self, tokens: int) -> None:
        """Forgets all but the first `tokens`, as when drafted tokens are refused. Raises Error (ring-capacity)."""
        _native.ring_trim(self._handle, tokens)
