"""A prompt of 4096 tokens through a tiny model of transformers: attention by axismask, sdpa and flex_attention."""

import time

import torch
from report import row_of
from transformers import MistralConfig, MistralForCausalLM
from turns import Contender, Failure, progress, take_turns

import axismask.transformers

TOKENS, WINDOW = 4096, 1024


def prefill(seconds):
    """Two layers of 8 heads of 64, tiny otherwise, so that most of the time is attention's and the masks'."""
    axismask.transformers.register()
    torch.manual_seed(0)
    model = MistralForCausalLM(MistralConfig(
        vocab_size=64, hidden_size=64, intermediate_size=64, num_hidden_layers=2, num_attention_heads=8, num_key_value_heads=8,
        head_dim=64, sliding_window=WINDOW, max_position_embeddings=TOKENS)).eval()  # fmt: skip
    prompt = torch.randint(0, 64, (1, TOKENS))

    def run(how):
        model.set_attn_implementation(how)
        with torch.no_grad():
            return model(prompt, use_cache=False, logits_to_keep=1).logits

    def timed(how):
        def time_calls(calls):
            run(how)  # what is made anew when another attention was there before
            begin = time.perf_counter_ns()
            for _ in range(calls):
                run(how)
            return time.perf_counter_ns() - begin

        return time_calls

    ways = ("axismask", "sdpa", "flex_attention")
    found = {}
    for how in ways:
        progress(f"transformers_prefill: {how}")
        found[how] = run(how)
    far = {how: (found[how] - found["axismask"]).abs().max().item() for how in ways[1:]}
    if max(far.values()) > 1e-3:
        raise Failure(f"transformers_prefill: the logits differ: {far}")
    contenders = [Contender("axismask", timed("axismask"), kind="ours")]
    contenders += [Contender(how, timed(how), kind="peer", allocates=False, differs=None, says="") for how in ways[1:]]
    take_turns("transformers_prefill", contenders, False, seconds)
    return row_of("transformers_prefill", contenders)


CASES = {"transformers_prefill": prefill}
