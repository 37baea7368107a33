"""The cases that bench.py measures: arrays, layer, and what the result must be.

The oracle is the mask's formula in NumPy, which shares nothing with ours: a logit that is kept has its own bits, any
other has those of the masked value.
"""

import dataclasses
import json

import numpy as np

MASKED = -2.3819763e38  # Gemma's, a number of both float32 and bfloat16


@dataclasses.dataclass
class Case:
    name: str
    axes: tuple[str, ...]  # of the logits, outermost first
    sizes: dict[str, int]
    window: int | None = 1024  # None: causal only
    dtype: str = "float32"
    in_place: bool = True
    query_positions: np.ndarray | None = None  # None: 0, 1, 2, ...; [seq], or [batch, seq]
    kv_positions: np.ndarray | None = None
    worst: bool = False  # no run of masked elements: the floor reads and writes everything
    small: bool = False  # timed in loops of many calls
    variants: bool = False  # every usable variant of our kernels is measured

    def __post_init__(self):
        for name, axis in (("query_positions", "seq"), ("kv_positions", "kv_seq")):
            if getattr(self, name) is None:
                setattr(self, name, np.arange(self.sizes[axis]))
            setattr(self, name, np.ascontiguousarray(getattr(self, name), np.int32))

    @property
    def shape(self):
        return tuple(self.sizes[axis] for axis in self.axes)

    @property
    def item_bytes(self):
        return {"float32": 4, "bfloat16": 2}[self.dtype]

    @property
    def nbytes(self):
        return int(np.prod(self.shape)) * self.item_bytes

    def masked_bits(self, masked=MASKED):
        """The masked value as an element of unsigned integers."""
        bits = np.array([masked], np.float32).view(np.uint32)
        return bits if self.dtype == "float32" else (bits >> 16).astype(np.uint16)

    @property
    def spec(self):
        layer = {
            "name": "mask",
            "type": "ApplyCausalAttentionMask" if self.window is None else "ApplyCausalSlidingWindowAttentionMask",
            "masked_out_value": MASKED,
            "query_positions_input_name": "query_positions",
            "kv_positions_input_name": "kv_positions",
        }
        if self.window is not None:
            layer["sliding_window_size"] = self.window
        return json.dumps({"axismask": 1, "model": self.name, "layers": [layer]})

    def spread(self, positions, axis):
        """Positions in a shape that broadcasts over the logits."""
        sizes = [self.sizes[a] if a == axis or (a == "batch" and positions.ndim == 2) else 1 for a in self.axes]
        return positions.reshape(sizes)

    def keep(self):
        """The oracle's mask, in a shape that broadcasts over the logits."""
        query = self.spread(self.query_positions, "seq")
        key = self.spread(self.kv_positions, "kv_seq")
        kept = (query >= key) & (key >= 0)
        return kept if self.window is None else kept & (query - key < self.window)


def left_padded(lengths, tokens):
    """Positions of prompts that end together; what stands before a prompt is at -1."""
    return np.stack([np.maximum(np.arange(tokens) - (tokens - length), -1) for length in lengths])


def ring_buffers(last_positions, slots):
    """Keys in slots by their position modulo the number of slots; a slot that was never written is at -1."""
    rows = []
    for last in last_positions:
        slot = np.arange(slots)
        rows.append(np.where(slot <= last, last - (last - slot) % slots, -1))
    return np.stack(rows)


def all_cases(shrink=1):
    """With axes of tokens, and windows, that many times shorter: only to try things out."""
    heads = ("heads", "seq", "kv_seq")
    batch = ("batch", *heads)
    few, long = 2048 // shrink, 8192 // shrink
    window = 1024 // shrink
    square = {"heads": 8, "seq": 4096 // shrink, "kv_seq": 4096 // shrink}
    prompts = left_padded([length // shrink for length in (2048, 1700, 1100, 300)], few)
    step_positions = (4000 + 3571 * np.arange(16)) // shrink

    def case(name, axes, sizes, window=window, **more):
        return Case(name, axes, sizes, window, **more)

    return [
        case("prefill_inplace_f32", heads, square, variants=True),
        case("prefill_out_f32", heads, square, in_place=False, variants=True),
        case("prefill_inplace_bf16", heads, square, dtype="bfloat16", variants=True),
        case("ragged_inplace_f32", batch, {"batch": 4, "heads": 8, "seq": few, "kv_seq": few}, window=512 // shrink,
             query_positions=prompts, kv_positions=prompts),
        case("shuffled_inplace_f32", heads, square,
             kv_positions=np.random.default_rng(7).permutation(square["kv_seq"]), worst=True, variants=True),
        case("chunked_prefill_f32", heads, {"heads": 32, "seq": window // 2, "kv_seq": long},
             query_positions=np.arange(long - window // 2, long)),
        case("decode_f32", heads, {"heads": 32, "seq": 1, "kv_seq": long}, small=True,
             query_positions=np.array([long - 1])),
        case("decode_batch_f32", batch, {"batch": 16, "heads": 32, "seq": 1, "kv_seq": long}, small=True,
             query_positions=step_positions[:, None], kv_positions=ring_buffers(step_positions, long)),
        case("global_causal_inplace_f32", heads, square, window=None),
        case("heads_innermost_f32", ("seq", "kv_seq", "heads"), square),
    ]


def dispatch_case():
    return Case("dynamic_dispatch", ("heads", "seq", "kv_seq"), {"heads": 1, "seq": 1, "kv_seq": 64}, window=16,
                query_positions=np.array([63]), small=True)


def plan_case(name, tokens):
    """Only its positions matter: a plan looks at no logit."""
    return Case(name, ("seq", "kv_seq"), {"seq": tokens, "kv_seq": tokens})
