"""FlexAttention with block masks of a model's layers: Gemma 3's, of a batch that is padded on the left. Needs torch."""

import axismask
import axismask.torch
import torch
from torch.nn.attention.flex_attention import create_block_mask, flex_attention

model = axismask.from_config({"model_type": "gemma3_text", "num_hidden_layers": 6, "sliding_window": 512})
lengths = torch.tensor([1800, 700])
tokens = 2048
positions = torch.arange(tokens, dtype=torch.int32) - (tokens - lengths)[:, None]  # negative: padding
positions = positions.clamp(min=-1).int()

torch.manual_seed(0)
query = torch.randn(2, 4, tokens, 64)
key, value = torch.randn(2, 2, 2, tokens, 64)
compiled = torch.compile(flex_attention)
for name in ("layers.0", "layers.5"):
    layer = model.layer(name)
    mask = axismask.torch.block_mask(layer, token_positions=(positions, "batch seq"))
    with torch.no_grad():
        out = compiled(query, key, value, block_mask=mask, enable_gqa=True)

    # The same as with all logits, and as create_block_mask's.
    logits = (query.unflatten(1, (2, 2)) @ key[:, :, None].mT / 8).flatten(1, 2)
    masked = layer.apply(logits, "batch heads seq kv_seq", token_positions=(positions, "batch seq"))
    want = masked.softmax(-1).unflatten(1, (2, 2)) @ value[:, :, None]
    is_there = (positions >= 0)[:, None, :, None]
    close = torch.allclose(out * is_there, want.flatten(1, 2) * is_there, atol=1e-4)
    dense = layer.mask("batch seq kv_seq", token_positions=(positions, "batch seq"))
    theirs = create_block_mask(lambda b, h, q, k: dense[b, q, k], 2, None, tokens, tokens, device="cpu")
    same = torch.equal(mask.to_dense(), theirs.to_dense())
    print(f"{name}: {layer.formula}: {mask.sparsity():.1f} % of the tiles skipped, "
          f"{'equal' if close else 'NOT equal'} to dense attention, {'the' if same else 'NOT the'} tiles of create_block_mask")
