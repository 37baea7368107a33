"""attention_transformers_test.py LIBRARY: models of transformers that attend by ours.

Tiny models with random weights write the same tokens with our attention (transformers' AttentionInterface) as with their own
`eager` one: Gemma 3 (windows and full layers, grouped queries), Gemma 2 (a softcap besides), gpt-oss (sinks). Each layer's
mask is a layer of ours, by the window that the model's layer has.
"""

import ctypes
import json
import pathlib
import sys

import numpy as np
import torch
from transformers import AttentionInterface, AttentionMaskInterface, Gemma2Config, Gemma2ForCausalLM, Gemma3ForCausalLM
from transformers import Gemma3TextConfig, GptOssConfig, GptOssForCausalLM

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "bench"))
from attention import Call
from ours import FLOAT32, INT32

TOKENS = 48
library = ctypes.CDLL(sys.argv[1])
calls = 0


def spec(window):
    layer = {"name": "mask", "masked_out_value": "lowest", "query_positions_input_name": "query_positions",
             "kv_positions_input_name": "kv_positions", "type": "ApplyCausalAttentionMask"}
    if window:
        layer |= {"type": "ApplyCausalSlidingWindowAttentionMask", "sliding_window_size": window}
    return json.dumps({"axismask": 1, "model": "tiny", "layers": [layer]})


def attend(module, query, key, value, attention_mask, scaling=None, softcap=None, s_aux=None, **kwargs):
    """[batch, heads, tokens, projection] as the models give them; the result has tokens before heads. The last query is at
    the last key: what is left of a cache are the latest keys."""
    global calls
    calls += 1
    q, k, v = (array.detach().float().contiguous().numpy() for array in (query, key, value))
    batch, heads, queries, projection = q.shape
    groups, keys = k.shape[1], k.shape[2]
    q = q.reshape(batch, groups, heads // groups, queries, projection)
    out = np.empty((batch, queries, groups, heads // groups, v.shape[3]), np.float32)
    axes = ("batch", "kv_heads", "q_rep", "seq", "projection")
    kv_axes = ("batch", "kv_heads", "kv_seq", "projection")
    positions = {"query_positions": (np.arange(keys - queries, keys, dtype=np.int32), INT32, ("seq",)),
                 "kv_positions": (np.arange(keys, dtype=np.int32), INT32, ("seq",))}
    sinks = s_aux.detach().float().numpy().reshape(groups, -1) if s_aux is not None else None
    call = Call(library, spec(getattr(module, "sliding_window", None)),
                [(q, FLOAT32, axes), (k, FLOAT32, kv_axes), (v, FLOAT32, kv_axes),
                 (out.transpose(0, 2, 3, 1, 4), FLOAT32, axes)],
                positions, 2, scaling or 0.0, softcap or 0.0,
                (sinks, FLOAT32, ("kv_heads", "q_rep")) if sinks is not None else None, empty_rows="masked")
    call.time(1)
    call.close()
    return torch.from_numpy(out.reshape(batch, queries, heads, v.shape[3])).to(query.dtype), None


AttentionInterface.register("axismask", attend)
AttentionMaskInterface.register("axismask", lambda *arguments, **keywords: None)

SMALL = dict(vocab_size=256, hidden_size=64, intermediate_size=96, num_hidden_layers=6, num_attention_heads=4,
             num_key_value_heads=2, head_dim=16, sliding_window=9, max_position_embeddings=256)
MODELS = {
    "Gemma 3": lambda: Gemma3ForCausalLM(Gemma3TextConfig(**SMALL, query_pre_attn_scalar=20)),
    "Gemma 2": lambda: Gemma2ForCausalLM(Gemma2Config(**SMALL, query_pre_attn_scalar=24, attn_logit_softcapping=2.0)),
    "gpt-oss": lambda: GptOssForCausalLM(GptOssConfig(**SMALL, num_local_experts=2, num_experts_per_tok=1)),
}


def write(model, how, prompt):
    model.set_attn_implementation(how)
    return model.generate(prompt, max_new_tokens=TOKENS, do_sample=False, min_new_tokens=TOKENS)[:, prompt.shape[1]:]


def main():
    wrong = 0
    for name, make in MODELS.items():
        torch.manual_seed(7)
        model = make().eval()
        with torch.no_grad():  # so that what a layer attends to matters
            for parameter in model.parameters():
                parameter.mul_(1.5)
            for layer in model.model.layers:
                if hasattr(layer.self_attn, "sinks"):
                    layer.self_attn.sinks.normal_()
        prompt = torch.randint(3, 256, (3, 30))
        want = write(model, "eager", prompt)
        before = calls
        got = write(model, "axismask", prompt)
        made = calls - before
        same = torch.equal(want, got)
        wrong += not same or made < TOKENS
        print(f"{name}: {TOKENS} tokens of 3 prompts, {made} calls of ours, {'the same' if same else 'OTHER'} tokens, "
              f"{len(set(want.flatten().tolist()))} different ones")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
