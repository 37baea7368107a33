"""A penzai model of Gemma's kind with its masks swapped for axismask's, then sharded over 8 devices.

The weights are random and the widths tiny. The swapped model has the same bits as penzai's, on one device and over the
mesh, and XLA moves no more between the devices than it did.
"""

import collections
import os
import re

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=8"

import jax
import jax.numpy as jnp
import numpy as np
import treescope
from jax.sharding import Mesh
from penzai import pz
from penzai.models.transformer.variants import llamalike_common
from penzai.toolshed import sharding_util

import axismask.penzai

# Prompts over one axis of the mesh; heads, and the neurons between, over the other.
CUT = {"batch": "prompts", "kv_heads": "heads", "neurons": "heads"}


def gemma():
    """Windows of 8 tokens and full attention in turn."""
    attention = (llamalike_common.AttentionTypeSlidingWindowCausal(8), llamalike_common.AttentionTypeGlobalCausal())
    config = llamalike_common.LlamalikeTransformerConfig(
        num_kv_heads=4, query_head_multiplier=2, embedding_dim=32, projection_dim=8, mlp_hidden_dim=64,
        num_decoder_blocks=4, vocab_size=128, mlp_variant="geglu_approx", tie_embedder_and_logits=True,
        attention_type=attention, use_post_attn_norm=True, use_post_ffw_norm=True, final_logit_softcap=30.0,
        attn_logits_soft_cap=50.0)
    return llamalike_common.build_llamalike_transformer(config, init_base_rng=jax.random.key(0), name="gemma")


@jax.jit
def run(model, weights, tokens, positions):
    return pz.bind_variables(model, weights)(tokens, token_positions=positions)


def compare(where: str, models, place) -> dict[str, collections.Counter]:
    """Runs both models on arrays that `place` has put; returns how often each moves arrays between devices."""
    random = np.random.default_rng(0)
    tokens = pz.nx.wrap(jnp.asarray(random.integers(1, 128, (4, 24)))).tag("batch", "seq")
    positions = pz.nx.wrap(jnp.arange(24) - jnp.array([[0], [3], [6], [9]])).tag("batch", "seq")  # padded on the left
    results, moves = [], []
    for model in models:
        skeleton, weights = pz.unbind_params(model, freeze=True)
        arrays = skeleton, *place((weights, tokens, positions))
        compiled = run.lower(*arrays).compile()
        moves.append(collections.Counter(re.findall(r" (all-\w+|collective-permute|reduce-scatter)\(", compiled.as_text())))
        results.append(np.asarray(compiled(*arrays).unwrap("batch", "seq", "vocabulary")))
    assert np.isfinite(results[0]).all() and results[0].std() > 0
    assert (results[0] == results[1]).all(), "the same logits, bit for bit"
    print(f"{where}: {results[0].shape} logits, bit for bit; moved by penzai's {dict(moves[0])}, by ours {dict(moves[1])}")
    return moves


def main() -> None:
    penzais = gemma()
    ours = axismask.penzai.replace_masks(penzais)
    kinds = collections.Counter(type(one).__module__ for one in pz.select(ours).at_instances_of(
        pz.nn.ApplyCausalAttentionMask | pz.nn.ApplyCausalSlidingWindowAttentionMask).get_sequence())
    print("mask layers:", dict(kinds))
    print(treescope.render_to_text(pz.select(ours).at_instances_of(
        axismask.penzai.ApplyCausalSlidingWindowAttentionMask).get_sequence()[0]))

    compare("one device", (penzais, ours), lambda arrays: arrays)
    mesh = Mesh(np.array(jax.devices()).reshape(2, 4), ("prompts", "heads"))
    moves = compare("2 x 4 devices", (penzais, ours),
                    lambda arrays: sharding_util.name_to_name_device_put(arrays, mesh, CUT))
    assert moves[0] == moves[1], "and nothing more is moved"


if __name__ == "__main__":
    main()
