"""A model of transformers on the processor, with our masks and attention. Needs transformers and torch.

The model is small and random, so that nothing is downloaded; with another, the two lines that matter are the same.
"""

import axismask.transformers
import torch
import transformers

transformers.logging.set_verbosity_error()
config = transformers.Gemma3TextConfig(
    vocab_size=512, hidden_size=128, intermediate_size=256, num_hidden_layers=6, num_attention_heads=4, num_key_value_heads=1,
    head_dim=32, sliding_window=64, query_pre_attn_scalar=32, pad_token_id=0, bos_token_id=None, eos_token_id=None)
torch.manual_seed(1)
model = transformers.Gemma3ForCausalLM(config).eval()
prompts = torch.randint(1, 512, (2, 100))
there = torch.ones_like(prompts)
there[1, :40] = 0  # the second prompt is shorter, and padded on the left


def write(attention):
    model.set_attn_implementation(attention)
    return model.generate(prompts, attention_mask=there, max_new_tokens=40, do_sample=False)[:, 100:]


axismask.transformers.register()
ours = write("axismask")
for other in ("eager", "sdpa"):
    same = torch.equal(ours, write(other))
    print(f"40 tokens of 2 prompts: {'the same' if same else 'OTHER tokens'} as with {other}")

# The layers that a config says, without a model: what the masks are.
for layer in axismask.from_config(config):
    print(layer.name, layer.formula)
