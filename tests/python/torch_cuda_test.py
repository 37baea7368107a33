"""Tensors of torch and arrays of CuPy on a card: the bits of the processor, in the order of their streams; block masks for
flex_attention there.

It needs a build with kernels for CUDA and a torch with a card, and fails without.
"""

import unittest

import numpy as np
import torch
from core_cases import MODEL, kept, random_positions
from torch.nn.attention.flex_attention import flex_attention
from torch_test import LAYERS, layer_of, positions

import axismask
import axismask.torch

AXES = "batch heads seq kv_seq"
CARD = torch.device("cuda")


class Arrays(unittest.TestCase):
    def case(self, random, turn, tokens=300):
        name = ("window", "chunk", "sinks")[turn % 3]
        places = random_positions(random, 2, tokens, random.choice([np.int32, np.int64]))
        return MODEL.layer(name), places, torch.from_numpy(kept(name, places, places))

    def test_calls_are_what_torch_computes(self):
        random = np.random.default_rng(1)
        for turn in range(24):
            layer, places, mask = self.case(random, turn)
            dtype = (torch.float32, torch.bfloat16, torch.float16, torch.float64)[turn // 3 % 4]
            logits = torch.randn(2, 3, 300, 300, device=CARD).to(dtype)
            wanted = torch.where(mask.to(CARD), logits, torch.tensor(-5, dtype=dtype, device=CARD))
            for device in (CARD, "cpu"):  # where the positions are
                inputs = {"token_positions": (torch.from_numpy(places).to(device), "batch seq")}
                with self.subTest(layer=layer.name, dtype=dtype, positions=str(device)):
                    result = layer.apply(logits, AXES, **inputs)
                    self.assertEqual(result.device.type, "cuda")
                    self.assertTrue(torch.equal(result, wanted))
                    turned = torch.zeros(2, 300, 3, 300, dtype=dtype, device=CARD).transpose(1, 2)
                    self.assertIs(layer.apply(logits, AXES, out=turned, **inputs), turned)
                    self.assertTrue(torch.equal(turned, wanted))
                    again = logits.clone()
                    self.assertIs(layer.apply_in_place(again, AXES, **inputs), again)
                    self.assertTrue(torch.equal(again, wanted))

    def test_calls_come_in_the_order_of_the_stream(self):
        layer, places, mask = self.case(np.random.default_rng(2), 0, 1024)
        at, mask = torch.from_numpy(places).to(CARD), mask.to(CARD)
        for stream in (torch.cuda.default_stream(), torch.cuda.Stream()):
            for _ in range(10):
                with torch.cuda.stream(stream):
                    torch.cuda._sleep(20_000_000)  # what comes before takes some 10 ms
                    logits = torch.full((2, 4, 1024, 1024), 3.0, device=CARD)
                    layer.apply_in_place(logits, AXES, token_positions=(at, "batch seq"))
                    logits *= 2
                    right = torch.equal(logits, torch.where(mask, 6.0, -10.0).expand_as(logits))
                self.assertTrue(right)

    def test_operators(self):
        layer, places, mask = self.case(np.random.default_rng(3), 0)
        at, mask = torch.from_numpy(places).to(CARD), mask.to(CARD)
        logits = torch.randn(2, 3, 300, 300, device=CARD, requires_grad=True)

        @torch.compile(fullgraph=True)
        def program(logits, at):
            return axismask.torch.apply(layer, logits + 1, AXES, token_positions=(at, "batch seq")) * 2

        result = program(logits, at)
        wanted = torch.where(mask, logits + 1, torch.tensor(-5.0, device=CARD)) * 2
        self.assertTrue(torch.equal(result, wanted))
        result.sum().backward()
        self.assertTrue(torch.equal(logits.grad, torch.where(mask, 2.0, 0.0).expand_as(logits)))

    def test_masks(self):
        layer, places, mask = self.case(np.random.default_rng(4), 0)
        got = axismask.torch.mask(layer, AXES, (2, 3, 300, 300), device=CARD,
                                  token_positions=(torch.from_numpy(places), "batch seq"))
        self.assertEqual(got.device.type, "cuda")
        self.assertTrue(torch.equal(got, mask.to(CARD).expand_as(got)))

    def test_attention_is_refused(self):
        q, at = torch.randn(3, 20, 8, device=CARD), torch.arange(20)
        with self.assertRaises(axismask.Error) as caught:
            MODEL.layer("window").attend(q, "heads seq d", q, "heads kv_seq d", q, "heads kv_seq d", projection="d",
                                         token_positions=at)
        self.assertIn("processor", str(caught.exception))

    def test_arrays_of_cupy(self):
        import cupy

        layer, places, mask = self.case(np.random.default_rng(5), 0)
        logits = cupy.random.standard_normal((2, 3, 300, 300), dtype=cupy.float32)
        wanted = cupy.where(cupy.asarray(mask.numpy()), logits, np.float32(-5))
        result = layer.apply(logits, AXES, token_positions=(places, "batch seq"))
        self.assertIsInstance(result, cupy.ndarray)
        self.assertTrue(bool((result == wanted).all()))
        layer.apply_in_place(logits, AXES, token_positions=(cupy.asarray(places), "batch seq"))
        self.assertTrue(bool((logits == wanted).all()))


class BlockMasks(unittest.TestCase):
    def test_flex_attention_on_the_card(self):
        random = np.random.default_rng(6)
        attention = torch.compile(flex_attention)
        for name, (fields, keeps) in LAYERS.items():
            with self.subTest(name):
                at = positions(random, 2, 512)
                mask = axismask.torch.block_mask(layer_of(fields), queries=(at.to(CARD), "batch seq"),
                                                 keys=(at.to(CARD), "batch kv_seq"))
                self.assertEqual(mask.kv_indices.device.type, "cuda")
                q, k, v = torch.randn(3, 2, 4, 512, 64, device=CARD)
                kept_ = (keeps(at[:, :, None].long(), at[:, None, :].long()) & (at[:, None, :] >= 0)).to(CARD)[:, None]
                got = attention(q, k, v, block_mask=mask)
                want = torch.nn.functional.scaled_dot_product_attention(q.double(), k.double(), v.double(), attn_mask=kept_)
                want = want.masked_fill(~kept_.any(-1, keepdim=True), 0)
                torch.testing.assert_close(got.double(), want, rtol=2e-2, atol=2e-2)  # TF32 may be used


if __name__ == "__main__":
    unittest.main()
