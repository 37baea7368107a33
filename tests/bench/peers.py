"""The peers: what a user of penzai, torch, NumPy or transformers would write for the same case.

Each gets positions and makes its mask from them in each call, as ours does, and works on all processors that the
process may use. Whatever brings the arrays into a peer's own form happens before the clock starts.
"""

import dataclasses
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import torch

from cases import MASKED
from peer_penzai import element_type, jax_bits, penzai_function
from peer_torch import as_torch, compile, torch_bits, torch_functions


@dataclasses.dataclass
class Peer:
    name: str
    call: Callable  # one call; what it gives is the result
    reset: Callable  # makes the logits new
    allocates: bool  # does a call make new memory for its result?
    bits: Callable = lambda result: result  # the result as an array of bits
    says: str = ""  # what is to be known about it
    masked: float = MASKED  # what it puts where the mask is

    def time(self, calls):
        start = time.perf_counter_ns()
        for _ in range(calls):
            result = self.call()
        end = time.perf_counter_ns()
        del result  # freeing it is not counted, but for the calls before the last
        return end - start


def numpy_peers(case, source, work, out):
    query, key = case.spread(case.query_positions, "seq"), case.spread(case.kv_positions, "kv_seq")
    element = element_type(case)
    x, work, out = source.view(element), work.view(element), out.view(element)
    masked = element.type(MASKED)

    def keep():
        kept = (query >= key) & (key >= 0)
        return kept if case.window is None else kept & (query - key < case.window)

    def in_place():
        np.copyto(work, masked, where=~keep())
        return work

    def into():
        np.copyto(out, x)
        np.copyto(out, masked, where=~keep())
        return out

    def reset():
        np.copyto(work, x)

    def bits(result):
        return result.view(source.dtype)

    says = "one thread, as NumPy has it"
    if case.in_place:
        return [Peer("numpy_copyto", in_place, reset, False, bits, says)]
    return [
        Peer("numpy_where", lambda: np.where(keep(), x, masked), reset, True, bits, says),
        Peer("numpy_copyto_into", into, reset, False, bits, says),
    ]


def torch_peers(case, source, work, out):
    x, work, out = (as_torch(array, case.dtype) for array in (source, work, out))
    mask = torch_functions(case)
    query, key = mask.query, mask.key

    def reset():
        work.copy_(x)

    if case.in_place:
        compiled = compile(mask.masked_fill_)
        return [
            Peer("torch_masked_fill_", lambda: mask.masked_fill_(work, query, key), reset, False, torch_bits),
            Peer("torch_compile_masked_fill_", lambda: compiled(work, query, key), reset, False, torch_bits),
        ]
    compiled_where, compiled_into = compile(mask.where), compile(mask.where_into_fused)
    return [
        Peer("torch_where", lambda: mask.where(x, query, key), reset, True, torch_bits),
        Peer("torch_compile_where", lambda: compiled_where(x, query, key), reset, True, torch_bits),
        Peer("torch_where_into", lambda: mask.where_into(x, query, key, out), reset, False, torch_bits),
        Peer("torch_compile_into", lambda: compiled_into(x, query, key, out), reset, False, torch_bits),
    ]


def penzai_peers(case, source, work, out):
    dtype, apply = element_type(case), penzai_function(case)
    query, key = jnp.array(case.query_positions), jnp.array(case.kv_positions)
    held = {}  # the array that the next call may overwrite

    def reset():
        held["x"] = jax.block_until_ready(jnp.array(source.view(dtype), copy=True))

    plain = jax.jit(apply)
    peers = [Peer("penzai_jit", lambda: jax.block_until_ready(plain(held["x"], query, key)), reset, True, jax_bits)]
    if case.in_place:
        donated = jax.jit(apply, donate_argnums=0)

        def call():
            held["x"] = jax.block_until_ready(donated(held["x"], query, key))
            return held["x"]

        return peers + [Peer("penzai_jit_donated", call, reset, False, jax_bits)]

    # The memory of a result that is no longer wanted is given to the next.
    into = jax.jit(lambda x, query, key, old: apply(x, query, key), donate_argnums=3, keep_unused=True)

    def reset_into():
        reset()
        held["out"] = jax.block_until_ready(jnp.array(out.view(dtype), copy=True))

    def call_into():
        held["out"] = jax.block_until_ready(into(held["x"], query, key, held["out"]))
        return held["out"]

    return peers + [Peer("penzai_jit_into_donated", call_into, reset_into, False, jax_bits)]


def transformers_peers(case, source, work, out):
    """What a step of a Hugging Face model with eager attention does: it makes a mask of 0 and the lowest number for the
    cache that there is, and adds it to the logits. Models share a step's mask among their layers of one kind; here each
    call makes it, as for all others."""
    from transformers import DynamicCache, PretrainedConfig
    from transformers.masking_utils import create_sliding_window_causal_mask

    config = PretrainedConfig(sliding_window=case.window)
    config._attn_implementation = "eager"
    keys = case.sizes["kv_seq"]
    cache = DynamicCache()
    cache.update(torch.zeros(1, 1, keys - 1, 1), torch.zeros(1, 1, keys - 1, 1), 0)
    embeddings = torch.zeros(1, 1, 1)
    position_ids = torch.from_numpy(case.query_positions.astype(np.int64))[None]
    x = as_torch(source, case.dtype)[None]

    def call():
        mask = create_sliding_window_causal_mask(config, embeddings, None, cache, position_ids)
        return x + mask

    return [Peer("transformers_step", call, lambda: None, True, lambda result: torch_bits(result[0]),
                 "mask of 0 and the lowest number, made and added; eager attention",
                 masked=float(np.finfo(np.float32).min))]


def all_peers(case, source, work, out):
    """`source` is only read, `work` is the same logits for those that work in place, `out` is there for results; all
    three are arrays of bits."""
    makers = [penzai_peers, torch_peers, numpy_peers]
    if case.name == "decode_f32":
        makers.append(transformers_peers)
    return [peer for make in makers for peer in make(case, source, work, out)]
