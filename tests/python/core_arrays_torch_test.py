"""Arrays of torch: every dtype, any strides, results in torch, no copies, gradients refused."""

import unittest

import numpy as np
import torch
from core_cases import MODEL, kept, random_positions
from torch._subclasses.fake_tensor import FakeTensorMode

import axismask
from axismask import _native

AXES = "batch heads seq kv_seq"


def bits(tensor):
    return tensor.contiguous().view(torch.int16 if tensor.element_size() == 2 else torch.int32 if tensor.element_size() == 4
                                    else torch.int64)  # fmt: skip


class Torch(unittest.TestCase):
    def test_calls_are_what_torch_computes(self):
        random = np.random.default_rng(1)
        for turn in range(40):
            name = ("window", "heads", "chunk", "sinks")[turn % 4]
            dtype = (torch.float32, torch.bfloat16, torch.float16, torch.float64)[turn // 4 % 4]
            places = random_positions(random, 2, 30, random.choice([np.int32, np.int64]))
            mask = torch.from_numpy(kept(name, places, places))
            logits = torch.randn(2, 3, 30, 30).to(dtype)
            wanted = torch.where(mask, logits, torch.tensor(-5, dtype=dtype))
            layer = MODEL.layer(name)
            inputs = {"token_positions": (torch.from_numpy(places), "batch seq")}
            result = layer.apply(logits, AXES, **inputs)
            self.assertIsInstance(result, torch.Tensor)
            self.assertEqual(result.dtype, dtype)
            self.assertTrue(torch.equal(bits(result), bits(wanted)))
            turned = torch.zeros(2, 30, 3, 30, dtype=dtype).transpose(1, 2)
            self.assertIs(layer.apply(logits, AXES, out=turned, **inputs), turned)
            self.assertTrue(torch.equal(turned, wanted))
            self.assertIs(layer.apply_in_place(logits, AXES, **inputs), logits)
            self.assertTrue(torch.equal(logits, wanted))
            additive = layer.mask(AXES, sizes={"heads": 3}, dtype=dtype, **inputs)
            self.assertEqual((type(additive), additive.dtype), (torch.Tensor, dtype))
            self.assertTrue(torch.equal(additive == 0, mask.expand(2, 3, 30, 30)))
            self.assertEqual(layer.mask(AXES, sizes={"heads": 3}, **inputs).dtype, torch.bool)

    def test_nothing_is_copied(self):
        for dtype in (torch.float32, torch.bfloat16, torch.float16, torch.float64, torch.int32, torch.int64, torch.bool):
            tensor = torch.zeros(4, 6, dtype=dtype)[1:, ::2]
            self.assertEqual(_native.describe_array(tensor, "tensor")[:2], (tensor.data_ptr(), (3, 3)))

    def test_attention_gives_tensors(self):
        places = torch.arange(20)
        q, k, v = torch.randn(3, 2, 20, 8)
        layer = axismask.parse({"axismask": 1, "model": "m", "layers": [{
            "name": "l", "type": "ApplyCausalAttentionMask", "masked_out_value": "lowest"}]}).layers[0]
        result, sums = layer.attend(q, "heads seq d", k, "heads kv_seq d", v, "heads kv_seq d", projection="d",
                                    log_sum_exp=True, token_positions=places)
        wanted = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        torch.testing.assert_close(result, wanted, rtol=1e-5, atol=1e-5)
        self.assertEqual(sums.shape, (2, 20))

    def test_refused(self):
        places = torch.arange(4)
        layer = MODEL.layer("window")
        for logits, line in (
            (torch.ones(4, 4, requires_grad=True), "axismask: error[array-gradient] logits: it requires a gradient, which this "
             "call does not compute; give its detach(), or call axismask.torch"),
            (torch.ones(4, 4, 4), 'axismask: error[array-axes] logits: it has 3 axes, and 2 are named, "seq kv_seq"; give a name '
             "for each axis, outermost first"),
            (torch.ones(4, 4, dtype=torch.complex64), "axismask: error[c-dlpack] logits.dtype: its elements have type code 5 and "
             "64 bits; give floats of 16, 32 or 64 bits, bfloat16, integers or bool"),
        ):  # fmt: skip
            with self.assertRaises(axismask.Error) as caught:
                layer.apply_in_place(logits, "seq kv_seq", token_positions=places)
            self.assertEqual(str(caught.exception), line)
        negative = torch.randn(4, 4, dtype=torch.complex64).conj().imag
        self.assertTrue(negative.is_neg())
        with self.assertRaises(axismask.Error) as caught:
            layer.apply(negative, "seq kv_seq", token_positions=places)
        self.assertEqual(str(caught.exception), "axismask: error[array-memory] logits: it is a view of the negative of its "
                         "memory; give its resolve_neg()")
        layer.apply(negative.resolve_neg(), "seq kv_seq", token_positions=places)
        with FakeTensorMode():
            with self.assertRaises(axismask.Error) as caught:
                layer.apply(torch.ones(4, 4), "seq kv_seq", token_positions=torch.arange(4))
        self.assertEqual(str(caught.exception), "axismask: error[array-memory] logits: it has no memory, as a tensor that is "
                         "traced; under torch.compile and export call axismask.torch")
        with self.assertRaises(axismask.Error) as caught:
            layer.apply(torch.ones(4, 4, device="meta"), "seq kv_seq", token_positions=places)
        self.assertEqual(caught.exception.where, "logits")


if __name__ == "__main__":
    unittest.main()
