"""Layers of the core's tests, and what they keep by NumPy."""

import numpy as np

import axismask

SPEC = {"axismask": 1, "model": "test", "layers": [
    {"name": "window", "type": "ApplyCausalSlidingWindowAttentionMask", "masked_out_value": -5, "sliding_window_size": 7},
    {"name": "heads", "type": "ApplyCausalSlidingWindowAttentionMask", "masked_out_value": -5,
     "sliding_window_size": {"axis": "heads", "values": [1, 3, 9]}},
    {"name": "chunk", "type": "ApplyChunkedAttentionMask", "masked_out_value": -5, "attention_chunk_size": 5},
    {"name": "prefix", "type": "ApplyPrefixLmAttentionMask", "masked_out_value": -5},
    {"name": "cache", "type": "ApplyCausalSlidingWindowAttentionMask", "masked_out_value": -5, "sliding_window_size": 7,
     "query_positions_input_name": "queries", "kv_positions_input_name": "keys"},
    {"name": "sinks", "masked_out_value": -5,
     "all": [{"type": "ApplyCausalAttentionMask"},
             {"any": [{"type": "ApplyCausalSlidingWindowAttentionMask", "sliding_window_size": 4},
                      {"type": "ApplySinksAttentionMask", "sink_count": 2}]}]}]}
MODEL = axismask.parse(SPEC)


def kept(name, queries, keys, prefix=None):
    """[batch, heads or 1, seq, kv_seq] of bool, of positions [batch, seq] and [batch, kv_seq]."""
    q, k = queries[:, None, :, None].astype(np.int64), keys[:, None, None, :].astype(np.int64)
    if name in ("window", "cache"):
        mask = (q >= k) & (q - k < 7)
    elif name == "heads":
        mask = (q >= k) & (q - k < np.array([1, 3, 9]).reshape(1, 3, 1, 1))
    elif name == "chunk":
        mask = (q >= k) & (q // 5 == k // 5)
    elif name == "prefix":
        mask = (q >= k) | (k < prefix[:, None, None, None])
    else:
        assert name == "sinks"
        mask = (q >= k) & ((q - k < 4) | (k < 2))
    return mask & (k >= 0)


def random_positions(random, batch, tokens, dtype=np.int32):
    """[batch, tokens]: some rows are padded, some wrap."""
    rows = []
    for _ in range(batch):
        row = np.arange(tokens) - random.integers(0, 3)
        rows.append(np.roll(row, random.integers(0, tokens)) if random.integers(0, 2) else np.maximum(row, -1))
    return np.array(rows, dtype)
