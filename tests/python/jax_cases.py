"""Layers and arrays for the tests with JAX: every kind that ships, and what each says in NumPy."""

import dataclasses
import json
import pathlib

import numpy as np

import axismask

WINDOW = {"type": "ApplyCausalSlidingWindowAttentionMask", "sliding_window_size": 5}
CAUSAL = {"type": "ApplyCausalAttentionMask"}
DOCUMENT = {"type": "ApplyDocumentAttentionMask"}
SINKS = {"type": "ApplySinksAttentionMask", "sink_count": 2}


def layer(**spec):
    """The layer of this spec; masked logits are -1e4 unless it says so."""
    spec = {"name": "layer", "masked_out_value": -1e4, **spec}
    return axismask.parse(json.dumps({"axismask": 1, "model": "a case", "layers": [spec]})).layers[0]


@dataclasses.dataclass
class Case:
    """A layer with the side inputs of 3 sequences of 12 queries and 16 keys, and four heads."""

    spec: dict
    inputs: dict

    def layer(self, **more):
        return layer(**{**self.spec, **more})


QUERIES, KEYS = np.arange(12, dtype=np.int32) + 4, np.arange(16, dtype=np.int32)
PADDING = np.array([[0], [3], [7]], np.int32)


def cases() -> dict[str, Case]:
    """By name, one for each type that ships and for compositions."""
    both = {"query_positions_input_name": "at", "kv_positions_input_name": "keys_at"}
    at = {"at": (QUERIES - PADDING, "batch seq"), "keys_at": (KEYS - PADDING, "batch seq")}
    keys_at = {"keys_at": at["keys_at"]}
    lengths = np.array([9, 12, 16], np.int32)
    documents = {"ids": (QUERIES // 6, "seq"), "keys_ids": (KEYS // 6, "seq")}
    ids = {"query_segment_ids_input_name": "ids", "kv_segment_ids_input_name": "keys_ids"}
    heads = {"axis": "heads", "values": [1, 3, 5, 100]}

    def of(type_, inputs, **more):
        return Case({"type": type_, **more}, inputs)

    return {
        "window": of("ApplyCausalSlidingWindowAttentionMask", at, **both, sliding_window_size=5),
        "window for each head": of("ApplyCausalSlidingWindowAttentionMask", at, **both, sliding_window_size=heads),
        "causal": of("ApplyCausalAttentionMask", at, **both),
        "explicit": of("ApplyExplicitAttentionMask",
                       {"mask": (np.random.default_rng(1).random((3, 12, 16)) < 0.5, "batch seq kv_seq")}),
        "two-sided": of("ApplyBidirectionalWindowAttentionMask", at, **both, window_left=3, window_right=heads),
        "block-causal": of("ApplyBlockCausalAttentionMask", at, **both, block_size=4),
        "chunked": of("ApplyChunkedAttentionMask", at, **both, attention_chunk_size=6),
        "prefix": of("ApplyPrefixLmAttentionMask", {**at, "prefix_lengths": (lengths, "batch")}, **both),
        "document": of("ApplyDocumentAttentionMask", documents, **ids),
        "sinks": of("ApplySinksAttentionMask", keys_at, kv_positions_input_name="keys_at", sink_count=2),
        "dilated": of("ApplyDilatedWindowAttentionMask", at, **both, sliding_window_size=9, dilation=2),
        "right padding": of("ApplyRightPaddingAttentionMask", {"keys_at": (KEYS, "seq"), "lengths": (lengths, "batch")},
                            kv_positions_input_name="keys_at"),
        "left padding": of("ApplyLeftPaddingAttentionMask",
                           {"keys_at": (KEYS, "seq"), "lengths": (lengths, "batch"),
                            "total_lengths": (np.int32(16), "")}, kv_positions_input_name="keys_at"),
        "a window in its document": Case({"all": [{**WINDOW, **both}, {**DOCUMENT, **ids}]}, {**at, **documents}),
        "causal and (window or sinks)": Case(
            {"all": [{**CAUSAL, **both}, {"any": [{**WINDOW, **both}, {**SINKS, "kv_positions_input_name": "keys_at"}]}]},
            at),
        "what a window leaves out": Case({"all": [{**CAUSAL, **both}, {"not": {**WINDOW, **both}}]}, at),
    }


def logits(dtype="float32", shape=(3, 4, 12, 16), seed=0):
    import jax.numpy as jnp

    return np.random.default_rng(seed).normal(size=shape).astype(jnp.dtype(dtype))


def bits(array) -> np.ndarray:
    """An array's bits, to be compared with equality: NaNs and zeros of either sign too."""
    array = np.ascontiguousarray(array)
    return array.view(f"uint{8 * array.itemsize}")


def same(one, other) -> bool:
    return one.shape == other.shape and one.dtype == other.dtype and bool((bits(one) == bits(other)).all())


def schema() -> dict:
    """The format of specs, of the source tree."""
    tree = pathlib.Path(__file__).resolve().parents[2]
    return json.loads((tree / "schemas" / "model.schema.json").read_text(encoding="utf-8"))
