"""A tiny penzai model of Gemma 2's kind with random weights, and tokens for it."""

import jax
import jax.numpy as jnp
from penzai import pz
from penzai.models.transformer.variants import llamalike_common as common


def gemma(dtype=jnp.float32, stack=False):
    """Two blocks, the one with a window of 4; a stack of blocks has windows only."""
    attention = common.AttentionTypeSlidingWindowCausal(4)
    if not stack:
        attention = (attention, common.AttentionTypeGlobalCausal())
    config = common.LlamalikeTransformerConfig(
        num_kv_heads=2, query_head_multiplier=2, embedding_dim=16, projection_dim=8, mlp_hidden_dim=32,
        num_decoder_blocks=2, vocab_size=50, mlp_variant="geglu_approx", tie_embedder_and_logits=True,
        attention_type=attention, use_post_attn_norm=True, use_post_ffw_norm=True, final_logit_softcap=30.0,
        attn_logits_soft_cap=50.0, parameter_dtype=dtype, activation_dtype=dtype, use_layer_stack=stack)
    return common.build_llamalike_transformer(config, init_base_rng=jax.random.key(0), name="tiny")


def prompts(count=3, length=12):
    """Tokens and positions, of prompts padded on the left by 0, 2, 4 and so on."""
    tokens = jax.random.randint(jax.random.key(1), (count, length), 1, 50)
    positions = jnp.arange(length) - 2 * jnp.arange(count)[:, None]
    return pz.nx.wrap(tokens).tag("batch", "seq"), pz.nx.wrap(positions).tag("batch", "seq")
