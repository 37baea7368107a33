"""axismask.torch against torch's own: create_block_mask, flex_attention compiled and not, opcheck, compile, export."""

import unittest
import warnings

import numpy as np
import torch
from torch.nn.attention.flex_attention import create_block_mask, flex_attention

import axismask
import axismask.torch

LISTS = ("kv", "full_kv", "q", "full_q")
CAUSAL = {"type": "ApplyCausalAttentionMask"}
LAYERS = {  # with what each keeps, of positions q and k
    "causal": (CAUSAL, lambda q, k: q >= k),
    "window": ({"type": "ApplyCausalSlidingWindowAttentionMask", "sliding_window_size": 37},
               lambda q, k: (q >= k) & (q - k < 37)),
    "chunks": ({"type": "ApplyChunkedAttentionMask", "attention_chunk_size": 29}, lambda q, k: (q >= k) & (q // 29 == k // 29)),
    "around": ({"type": "ApplyBidirectionalWindowAttentionMask", "window_left": 20, "window_right": 3},
               lambda q, k: (k >= q - 20) & (k <= q + 3)),
    "dilated": ({"type": "ApplyDilatedWindowAttentionMask", "sliding_window_size": 90, "dilation": 4},
                lambda q, k: (q >= k) & (q - k < 90) & ((q - k) % 4 == 0)),
}


def layer_of(fields, name="one"):
    inputs = {"query_positions_input_name": "queries", "kv_positions_input_name": "keys"}
    return axismask.parse({"axismask": 1, "model": "test", "layers": [
        {"name": name, "masked_out_value": "lowest", **inputs, **fields}]}).layers[0]


def positions(random, batch, tokens):
    """Padded on the left to different lengths, or as they come."""
    found = np.broadcast_to(np.arange(tokens, dtype=np.int32), (batch, tokens)).copy()
    for row in found:
        row -= random.integers(0, tokens // 2) * random.integers(0, 2)
    return torch.from_numpy(np.maximum(found, -1))


class BlockMasks(unittest.TestCase):
    def setUp(self):
        self.random = np.random.default_rng(5)

    def dense(self, keeps, queries, keys):
        q, k = queries[:, :, None].long(), keys[:, None, :].long()
        return keeps(q, k) & (k >= 0)

    def same(self, got, want):
        self.assertEqual((got.BLOCK_SIZE, got.seq_lengths, got.shape), (want.BLOCK_SIZE, want.seq_lengths, want.shape))
        for name in LISTS:
            counts, indices, want_counts, want_indices = (getattr(mask, f"{name}_{part}") for mask in (got, want)
                                                          for part in ("num_blocks", "indices"))
            self.assertEqual((counts.dtype, indices.dtype, indices.shape),
                             (want_counts.dtype, want_indices.dtype, want_indices.shape))
            self.assertTrue(torch.equal(counts, want_counts), name)
            behind = torch.arange(indices.shape[-1]) >= counts[..., None]  # is not defined
            self.assertTrue(torch.equal(indices.masked_fill(behind, -1), want_indices.masked_fill(behind, -1)), name)

    def test_they_are_create_block_masks(self):
        for name, (fields, keeps) in LAYERS.items():
            for size in (32, (16, 48), 128):
                batch, tokens = int(self.random.integers(1, 4)), int(self.random.integers(60, 300))
                where = positions(self.random, batch, tokens)
                got = axismask.torch.block_mask(layer_of(fields), block_size=size, queries=(where, "batch seq"),
                                                keys=(where, "batch kv_seq"))
                dense = self.dense(keeps, where, where)
                want = create_block_mask(lambda b, h, q, k: dense[b, q, k], batch, None, tokens, tokens, device="cpu",
                                         BLOCK_SIZE=size)
                with self.subTest(layer=name, size=size):
                    self.same(got, want)
                    sees = create_block_mask(got.mask_mod, batch, None, tokens, tokens, device="cpu", BLOCK_SIZE=1)
                    self.assertTrue(torch.equal(sees.to_dense()[:, 0].bool(), dense))

    def test_windows_of_heads(self):
        fields = {"type": "ApplyCausalSlidingWindowAttentionMask",
                  "sliding_window_size": {"axis": "heads", "values": [3, 40, 500]}}
        where = torch.arange(200)
        got = axismask.torch.block_mask(layer_of(fields), block_size=32, queries=(where, "seq"), keys=(where, "kv_seq"))
        window = torch.tensor([3, 40, 500])
        self.same(got, create_block_mask(lambda b, h, q, k: (q >= k) & (q - k < window[h]), None, 3, 200, 200, device="cpu",
                                         BLOCK_SIZE=32))

    def test_flex_attention_takes_them(self):
        for name, (fields, keeps) in LAYERS.items():
            torch.compiler.reset()
            where = positions(self.random, 2, 256)
            mask = axismask.torch.block_mask(layer_of(fields), queries=(where, "batch seq"), keys=(where, "batch kv_seq"))
            query, key, value = (torch.randn(2, 3, 256, 64) for _ in range(3))
            dense = self.dense(keeps, where, where)[:, None]
            want = (query @ key.mT / 8).masked_fill(~dense, -torch.inf).softmax(-1).nan_to_num(0) @ value
            ways = {"eager": flex_attention}
            if name in ("window", "dilated"):
                ways["compiled"] = torch.compile(flex_attention)
            for way, attention in ways.items():
                with self.subTest(layer=name, way=way), torch.no_grad():
                    self.assertLess((attention(query, key, value, block_mask=mask) - want).abs().max().item(), 1e-5)

    def kept_by(self, layer, inputs):
        """What the block mask's function keeps, and what the layer does; and whether that is by the formula."""
        mask = axismask.torch.block_mask(layer, block_size=32, **inputs)
        batch, heads = mask.kv_num_blocks.shape[:2]
        sees = create_block_mask(mask.mask_mod, batch, heads, *mask.seq_lengths, device="cpu", BLOCK_SIZE=1).to_dense().bool()
        kept = layer.mask("batch heads seq kv_seq", sizes={"batch": batch, "heads": heads}, like=torch.empty(0), **inputs)
        return torch.equal(sees, kept), mask.mask_mod.__code__.co_filename.startswith("<axismask: ")

    def test_formulas_are_read(self):
        windows = {"axis": "heads", "values": [1, 9, 30]}
        sliding = {"type": "ApplyCausalSlidingWindowAttentionMask", "sliding_window_size": windows}
        documents = {"type": "ApplyDocumentAttentionMask"}
        where = (positions(self.random, 2, 70), "batch seq")
        ids = (torch.from_numpy(np.sort(self.random.integers(-1, 4, (2, 70)))), "batch seq")
        lengths = (torch.tensor([5, 40]), "batch")
        cases = {
            "heads": (sliding, {}),
            "heads and documents": ({"all": [sliding, documents]}, {"segment_ids": ids}),
            "documents": (documents, {"segment_ids": ids}),
            "documents of other names": (
                {**documents, "query_segment_ids_input_name": "kv_segment_ids", "kv_segment_ids_input_name": "asked"},
                {"kv_segment_ids": ids, "asked": (ids[0].flip(1), "batch kv_seq")}),
            "not": ({"all": [CAUSAL, {"not": {**sliding, "sliding_window_size": 9}}]}, {}),
            "sinks": ({"all": [CAUSAL, {"any": [{**sliding, "sliding_window_size": 9},
                                                {"type": "ApplySinksAttentionMask", "sink_count": 3}]}]}, {}),
            "prefix": ({"type": "ApplyPrefixLmAttentionMask"}, {"prefix_lengths": lengths}),
            "prefix of another name": ({"type": "ApplyPrefixLmAttentionMask", "prefix_lengths_input_name": "lengths"},
                                       {"lengths": lengths}),
            "blocks": ({"type": "ApplyBlockCausalAttentionMask", "block_size": 7}, {}),
            "chunks": ({"type": "ApplyChunkedAttentionMask", "attention_chunk_size": 7}, {}),
            "far": ({"type": "ApplyBidirectionalWindowAttentionMask", "window_left": 20, "window_right": 2**31 - 1}, {}),
        }
        for name, (fields, inputs) in cases.items():
            layer = axismask.parse({"axismask": 1, "model": "m", "layers": [
                {"name": "one", "masked_out_value": "lowest", **fields}]}).layers[0]
            inputs = inputs if "documents" in name and fields.get("type") else {"token_positions": where, **inputs}
            with self.subTest(layer=name):
                self.assertEqual(self.kept_by(layer, inputs), (True, True))

    def test_where_formulas_are_not_read_keys_are_looked_up(self):
        where = positions(self.random, 2, 70)
        far = {"queries": (where.long() + 2**62, "batch seq"), "keys": (where.long() + 2**62, "batch kv_seq")}
        near = {"queries": (where, "batch seq"), "keys": (where, "batch kv_seq")}
        for name, (fields, inputs) in {"keep_self": ({**CAUSAL, "empty_rows": "keep_self"}, near),
                                       "large": (LAYERS["window"][0], far)}.items():
            with self.subTest(layer=name):
                self.assertEqual(self.kept_by(layer_of(fields), inputs), (True, False))

    def test_a_block_mask_is_its_own(self):
        where = torch.arange(64)
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # torch's, of memory that must not be written
            mask = axismask.torch.block_mask(layer_of(CAUSAL), queries=(where, "seq"), keys=(where, "kv_seq"))
        where.fill_(-1)
        self.assertTrue(mask.mask_mod(*(torch.tensor(place) for place in (0, 0, 5, 5))))

    def test_of_no_queries_or_keys(self):
        for queries, keys in ((0, 0), (0, 40), (40, 0)):
            mask = axismask.torch.block_mask(layer_of(CAUSAL), block_size=16, queries=(torch.arange(queries), "seq"),
                                             keys=(torch.arange(keys), "kv_seq"))
            self.assertEqual(mask.seq_lengths, (queries, keys))
            self.assertEqual(int(mask.kv_num_blocks.sum()) + int(mask.full_kv_num_blocks.sum()), 0)

    def test_axes_that_flex_attention_has_not_are_refused(self):
        where = torch.stack([torch.arange(64), torch.arange(64) - 9])
        with self.assertRaisesRegex(axismask.Error, r"axismask: error\[form-axis\] rows: "):
            axismask.torch.block_mask(layer_of(CAUSAL), queries=(where, "rows seq"), keys=(where, "rows kv_seq"))


class Operators(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(3)
        self.layer = layer_of(LAYERS["window"][0])
        self.where = torch.arange(50, dtype=torch.int32)
        self.inputs = {"queries": (self.where, "seq"), "keys": (self.where, "kv_seq")}
        self.logits = torch.randn(2, 50, 50)


    def test_opcheck(self):
        call, inputs = axismask.torch._describe(self.layer, ["heads seq kv_seq"], self.inputs)
        for logits in (self.logits, self.logits.clone().requires_grad_()):
            torch.library.opcheck(torch.ops.axismask.apply.default, (logits, call, inputs))
        torch.library.opcheck(torch.ops.axismask.mask.default,
                              (call, [2, 50, 50], torch.float16, "-inf", torch.device("cpu"), inputs))
        axes = ["heads seq projection", "heads kv_seq projection", "heads kv_seq projection", "seq heads projection", "",
                "projection"]
        call, inputs = axismask.torch._describe(self.layer, axes, self.inputs)
        torch.library.opcheck(torch.ops.axismask.attend.default,
                              (torch.randn(2, 50, 16), torch.randn(2, 50, 16), torch.randn(2, 50, 8), call, [50, 2, 8],
                               [0.0, 0.0], None, 0, inputs))

    def test_compiled_whole_they_are_the_layers_own(self):
        def apply(logits, where):
            inputs = {"queries": (where, "seq"), "keys": (where, "kv_seq")}
            return axismask.torch.apply(self.layer, logits, "heads seq kv_seq", **inputs)

        def mask(where):
            return axismask.torch.mask(self.layer, "seq kv_seq", (50, 50), queries=where, keys=where)

        def attend(query, key, value, where):
            return axismask.torch.attend(self.layer, query, "heads seq d", key, "heads kv_seq d", value, "heads kv_seq d",
                                         projection="d", queries=(where, "seq"), keys=(where, "kv_seq"))

        kept = self.layer.mask("seq kv_seq", **self.inputs)
        q, k, v = torch.randn(3, 2, 50, 16)
        for way in (lambda function: function, lambda function: torch.compile(function, fullgraph=True)):
            self.assertTrue(torch.equal(way(apply)(self.logits, self.where),
                                        self.layer.apply(self.logits, "heads seq kv_seq", **self.inputs)))
            self.assertTrue(torch.equal(way(mask)(self.where), kept))
            self.assertTrue(torch.equal(way(attend)(q, k, v, self.where),
                                        self.layer.attend(q, "heads seq d", k, "heads kv_seq d", v, "heads kv_seq d",
                                                          projection="d", **self.inputs)))

    def test_an_exported_program_has_the_spec_and_no_pointer(self):
        class Masked(torch.nn.Module):
            def __init__(self, layer):
                super().__init__()
                self.layer = layer

            def forward(self, logits, where):
                return axismask.torch.apply(self.layer, logits, "heads seq kv_seq", queries=(where, "seq"),
                                            keys=(where, "kv_seq"))

        program = torch.export.export(Masked(self.layer), (self.logits, self.where))
        self.assertIn("sliding_window_size", program.graph_module.code)
        self.assertTrue(torch.equal(program.module()(self.logits, self.where),
                                    self.layer.apply(self.logits, "heads seq kv_seq", **self.inputs)))

    def test_the_gradient_is_0_where_logits_are_masked(self):
        logits = self.logits.clone().requires_grad_()
        weights = torch.randn(2, 50, 50)
        (axismask.torch.apply(self.layer, logits, "heads seq kv_seq", **self.inputs) * weights).sum().backward()
        self.assertTrue(torch.equal(logits.grad, weights * self.layer.mask("seq kv_seq", **self.inputs)))

    def test_attention_has_no_gradient_and_says_so(self):
        query = torch.randn(2, 50, 16, requires_grad=True)
        result = axismask.torch.attend(self.layer, query, "heads seq d", query, "heads kv_seq d", query, "heads kv_seq d",
                                       projection="d", **self.inputs)
        with self.assertRaises(axismask.Error) as refused:
            result.sum().backward()
        self.assertEqual(str(refused.exception), "axismask: error[torch-gradient] attend: it has no gradient; call it under "
                         "torch.no_grad(); to train, give flex_attention axismask.torch.block_mask(layer, ...)")

    def test_out_axes_are_the_queries(self):
        query = torch.randn(2, 50, 16)
        with self.assertRaisesRegex(axismask.Error, r"error\[array-axes\] out_axes: they are heads, seq, and the queries' are "
                                                    r"heads, seq, projection; give the queries' axes in another order"):
            axismask.torch.attend(self.layer, query, "heads seq projection", query, "heads kv_seq projection", query,
                                  "heads kv_seq projection", out_axes="heads seq", **self.inputs)


if __name__ == "__main__":
    unittest.main()
