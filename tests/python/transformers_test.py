"""Tiny models of transformers with random weights: the same tokens by axismask as by transformers' own attention, with
growing, sliding and static caches, one prompt and padded batches; what is read of a mask; what is refused."""

import unittest

import torch
from transformers import (Gemma3ForCausalLM, Gemma3TextConfig, GptOssConfig, GptOssForCausalLM, Llama4ForCausalLM,
                          Llama4TextConfig, MistralConfig, MistralForCausalLM, Qwen2Config, Qwen2ForCausalLM)
from transformers import masking_utils as theirs

import axismask
import axismask.transformers as ours

TOKENS = 30
SMALL = dict(vocab_size=256, hidden_size=64, intermediate_size=96, num_hidden_layers=4, num_attention_heads=4,
             num_key_value_heads=2, head_dim=16, max_position_embeddings=256, pad_token_id=0, eos_token_id=None,
             bos_token_id=None)
MODELS = {
    "Gemma 3": lambda: Gemma3ForCausalLM(Gemma3TextConfig(**SMALL, sliding_window=9, query_pre_attn_scalar=20)),
    "Mistral": lambda: MistralForCausalLM(MistralConfig(**SMALL, sliding_window=9)),
    "Qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**SMALL, sliding_window=9, use_sliding_window=True, max_window_layers=2)),
    "gpt-oss": lambda: GptOssForCausalLM(GptOssConfig(**SMALL, sliding_window=9, num_local_experts=2, num_experts_per_tok=1)),
    "Llama 4": lambda: Llama4ForCausalLM(Llama4TextConfig(
        **SMALL, intermediate_size_mlp=96, num_local_experts=2, num_experts_per_tok=1, attention_chunk_size=11,
        no_rope_layers=[1, 1, 1, 0], use_qk_norm=False)),
}
ours.register()
torch.set_num_threads(1)  # tiny models: threads of OpenMP wait for each other longer than they work


def make(name):
    torch.manual_seed(3)
    model = MODELS[name]().eval()
    with torch.no_grad():  # so that what a layer attends to matters
        for parameter in model.parameters():
            parameter.mul_(1.5)
        for layer in model.model.layers:
            if hasattr(layer.self_attn, "sinks"):
                layer.self_attn.sinks.normal_()
    return model


class Calls:
    """Counts the calls of our attention, and of each the layer's formula."""

    def __enter__(self):
        self.made, self.own = [], ours._torch.attend

        def attend(layer, *arguments, **keywords):
            self.made.append(layer.formula)
            return self.own(layer, *arguments, **keywords)

        ours._torch.attend = attend
        return self

    def __exit__(self, *_):
        ours._torch.attend = self.own


class Generation(unittest.TestCase):
    def write(self, model, how, prompt, mask, cache):
        model.set_attn_implementation(how)
        return model.generate(prompt, attention_mask=mask, max_new_tokens=TOKENS, min_new_tokens=TOKENS, do_sample=False,
                              **({"cache_implementation": cache} if cache else {}))[:, prompt.shape[1]:]

    def test_models_write_the_same_tokens(self):
        for name in MODELS:
            model = make(name)
            prompt = torch.randint(3, 256, (3, 30))
            padded = torch.ones_like(prompt)
            padded[1, :7] = 0
            padded[2, :19] = 0
            for batch, mask in (("padded", padded), ("alike", torch.ones_like(prompt))):
                for cache in (None, "static"):
                    with self.subTest(model=name, batch=batch, cache=cache):
                        want = self.write(model, "eager", prompt, mask, cache)
                        with Calls() as calls:
                            got = self.write(model, "axismask", prompt, mask, cache)
                        self.assertGreaterEqual(len(calls.made), TOKENS * SMALL["num_hidden_layers"] - 4)
                        self.assertNotIn("mask", calls.made)  # none was made, all were planned
                        self.assertTrue(torch.equal(want, got))
                        self.assertGreater(len(set(want.flatten().tolist())), 5)

    def test_logits_of_a_prompt_are_those_of_sdpa(self):
        model = make("Gemma 3").to(torch.bfloat16)
        prompt = torch.randint(3, 256, (1, 200))
        found = {}
        for how in ("sdpa", "axismask"):
            model.set_attn_implementation(how)
            with torch.no_grad():
                found[how] = model(prompt).logits.float()
        self.assertLess((found["sdpa"] - found["axismask"]).abs().max().item(), 0.1 * found["sdpa"].abs().max().item())


class Masks(unittest.TestCase):
    def kept(self, **arguments):
        """What the layer keeps of the mask, and what transformers makes of the same."""
        made = ours._make_mask(**arguments)
        batch, _, queries, keys = made.shape
        kept = made.layer.mask("batch seq kv_seq", sizes={"batch": batch, "seq": queries, "kv_seq": keys}, **made.inputs)
        return made, kept, theirs.sdpa_mask(**arguments, allow_is_causal_skip=False)[:, 0]

    def test_functions_are_read(self):
        padding = torch.ones(2, 40, dtype=torch.bool)
        padding[1, :9] = False
        first = torch.tensor([0, 9])
        functions = {
            "q >= k && k >= 0": theirs.causal_mask_function,
            "q >= k && q - k < 7 && k >= 0": theirs.sliding_window_causal_mask_function(7),
            "k >= q - 7 && k <= q + 7 && k >= 0": theirs.sliding_window_bidirectional_mask_function(7),
            "q >= k && k >= q / 5 * 5 && k >= 0": theirs.chunked_causal_mask_function(5, first),
        }
        for formula, function in functions.items():
            for places in (dict(q_length=40, kv_length=40), dict(q_length=3, kv_length=24, q_offset=37, kv_offset=16)):
                with self.subTest(formula=formula, **places):
                    made, kept, want = self.kept(batch_size=2, mask_function=function, attention_mask=padding, **places)
                    self.assertEqual(made.layer.formula, formula)
                    seen = padding[:, places.get("q_offset", 0) :][:, : places["q_length"]]  # rows of padding are not looked at
                    self.assertTrue(torch.equal(kept[seen], want[seen]))
        made, kept, want = self.kept(batch_size=2, q_length=40, kv_length=40, attention_mask=padding,
                                     mask_function=theirs.bidirectional_mask_function)
        self.assertTrue(torch.equal(kept, want))

    def test_other_functions_are_computed_by_transformers(self):
        ids = torch.tensor([[-1] * 10 + [3] * 5 + [-1] * 5])
        for function in (theirs.or_masks(theirs.causal_mask_function, theirs.blockwise_overlay(ids)),
                         theirs.and_masks(theirs.causal_mask_function, theirs.packed_sequence_mask_function(ids)),
                         theirs.and_masks(theirs.causal_mask_function, lambda b, h, q, k: (q + k) % 3 != 1),
                         theirs.and_masks(theirs.sliding_window_causal_mask_function(9), theirs.sliding_window_overlay(4))):
            made, kept, want = self.kept(batch_size=1, q_length=20, kv_length=20, mask_function=function)
            self.assertEqual(made.layer.formula, "mask")
            self.assertTrue(torch.equal(kept, want))

    def test_a_mask_of_ones_own(self):
        model = make("Mistral")
        prompt = torch.randint(3, 256, (2, 12))
        own = torch.rand(2, 1, 12, 12) < 0.5
        own |= torch.eye(12, dtype=torch.bool)
        shared = own[:1]  # by all prompts
        for mask in (own, torch.where(own, 0.0, torch.finfo(torch.float32).min), shared, torch.where(shared, 0.0, -torch.inf)):
            found = {}
            for how in ("sdpa", "axismask"):
                model.set_attn_implementation(how)
                with torch.no_grad():
                    found[how] = model(prompt, attention_mask=mask).logits
            self.assertLess((found["sdpa"] - found["axismask"]).abs().max().item(), 1e-4)


class Compiled(unittest.TestCase):
    def setUp(self):
        torch.compiler.reset()
        self.model = make("Mistral")
        self.prompt = torch.randint(3, 256, (2, 20))
        self.model.set_attn_implementation("axismask")

    def test_a_model_writes_the_same_tokens(self):
        options = dict(max_new_tokens=6, min_new_tokens=6, do_sample=False, cache_implementation="static")
        want = self.model.generate(self.prompt, **options)
        self.model.forward = torch.compile(self.model.forward)
        with Calls() as calls:
            self.assertTrue(torch.equal(self.model.generate(self.prompt, **options), want))
        self.assertEqual(len(calls.made), 6 * SMALL["num_hidden_layers"])
        self.assertNotIn("mask", calls.made)

    def test_whole_and_exported_ones_are_refused(self):
        wanted = "axismask: masks are planned while a model runs, outside of what is compiled; leave fullgraph out"
        with torch.no_grad(), self.assertRaisesRegex(torch._dynamo.exc.Unsupported, wanted):
            torch.compile(self.model, fullgraph=True)(self.prompt, use_cache=False)
        with torch.no_grad(), self.assertRaises(axismask.Error) as refused:
            torch.export.export(self.model, (self.prompt,), {"use_cache": False})
        self.assertEqual(str(refused.exception), "axismask: error[transformers-export] axismask: a model is not exported with "
                         'it, as masks are planned while it runs; set attn_implementation="sdpa" before torch.export')


class Refusals(unittest.TestCase):
    def refused(self, wanted, call):
        with self.assertRaises(axismask.Error) as raised:
            call()
        self.assertEqual(str(raised.exception), "axismask: error" + wanted)

    def test_what_is_not_there(self):
        module = torch.nn.Module()
        array = torch.randn(1, 2, 4, 8)
        cases = {
            '[transformers-option] axismask: it has no dropout, and 0.1 is asked for; call model.eval(), or set '
            'attention_dropout to 0': dict(dropout=0.1),
            '[transformers-option] axismask: it adds no biases to scores; set attn_implementation="eager" for this model':
                dict(position_bias=array),
            '[transformers-option] axismask: it makes no attention weights; leave output_attentions out, or set '
            'attn_implementation="eager"': dict(output_attentions=True),
        }
        for wanted, options in cases.items():
            self.refused(wanted, lambda: ours._attend(module, array, array, array, None, **options))
        learned = array.clone().requires_grad_()
        self.refused('[transformers-option] axismask: it has no gradient; call under torch.no_grad(), or train with '
                     'attn_implementation="flex_attention"', lambda: ours._attend(module, learned, array, array, None))

    def test_masks(self):
        module = torch.nn.Module()
        array = torch.randn(1, 2, 4, 8)
        mask = ours._make_mask(1, 4, 5)
        self.refused('[transformers-mask] attention_mask: it is for 4 queries and 5 keys, and the layer has 4 and 4; set '
                     'attn_implementation="eager" for this model', lambda: ours._attend(module, array, array, array, mask))
        self.refused('[transformers-mask] attention_mask: the model changes its mask, by __getitem__, and no mask was made that '
                     'could be changed; set attn_implementation="eager" for this model', lambda: mask[..., :4])
        self.refused("[transformers-mask] attention_mask: it has other numbers than 0 and the lowest, which are no mask; give a "
                     'bool mask, or set attn_implementation="eager" for a model with biases',
                     lambda: ours._attend(module, array, array, array, torch.full((1, 1, 4, 4), -3.0)))
        self.refused("[transformers-mask] attention_mask: its shape is (1, 2, 4, 4), and that of scores (1, 1, 4, 4), alike for "
                     'all heads; give [batch, 1, queries, keys], or set attn_implementation="eager"',
                     lambda: ours._attend(module, array, array, array, torch.ones(1, 2, 4, 4, dtype=torch.bool)))
        self.refused("[transformers-mask] attention_mask: its shape is (3, 1, 4, 4), and that of scores (1, 1, 4, 4), alike for "
                     'all heads; give [batch, 1, queries, keys], or set attn_implementation="eager"',
                     lambda: ours._attend(module, array, array, array, torch.ones(3, 1, 4, 4, dtype=torch.bool)))
        self.refused('[transformers-device] device: the model is on meta, and attention is the processor\'s; move the model to '
                     '"cpu", or set attn_implementation="flex_attention" or "sdpa"', lambda: ours._make_mask(1, 4, 4, device="meta"))


if __name__ == "__main__":
    unittest.main()
