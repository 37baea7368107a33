"""`axismask plan --form flex` and `flex-pages` against torch: create_block_mask, PagedAttention's conversion, and
flex_attention, compiled and not, with the arrays as they come.

It needs torch, 6 GB, so it is asked for: see AXISMASK_PEERS_PYTHON in CMakeLists.txt.
"""

import unittest

import numpy as np
import torch
from random_masks import Maker, WithCommand
from torch.nn.attention.experimental._paged_attention import PagedAttention
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention

CASES = 40


def tensors(arrays):
    return {name: torch.from_numpy(array) for name, array in arrays.items() if name not in ("BLOCK_SIZE", "seq_lengths")}


def block_mask(arrays, mask_mod):
    own = tensors(arrays)
    return BlockMask.from_kv_blocks(
        *(own[name] for name in ("kv_num_blocks", "kv_indices", "full_kv_num_blocks", "full_kv_indices")),
        BLOCK_SIZE=tuple(arrays["BLOCK_SIZE"].tolist()), seq_lengths=tuple(arrays["seq_lengths"].tolist()),
        mask_mod=mask_mod, compute_q_blocks=False)  # fmt: skip


def mask_mod_of(dense):
    dense = torch.from_numpy(dense)

    def mask_mod(b, h, q, k):
        return dense[b if dense.shape[0] > 1 else 0, h if dense.shape[1] > 1 else 0, q, k]

    return mask_mod


class TorchForms(WithCommand):
    def plan(self, mask, form, *more):
        out = self.folder / "plan.npz"
        done = self.call("plan", mask, "--form", form, "--out", out, *more)
        self.assertEqual((done.returncode, done.stderr), (0, ""), str(mask))
        with np.load(out) as arrays:
            return dict(arrays)

    def same_lists(self, counts, indices, want_counts, want_indices):
        self.assertEqual(counts.tolist(), want_counts.tolist())
        self.assertEqual(indices.shape, want_indices.shape)
        self.assertEqual((counts.dtype, indices.dtype), (want_counts.dtype, want_indices.dtype))
        for place in np.ndindex(counts.shape):  # what stands behind the count is not defined
            count = counts[place]
            self.assertEqual(indices[place][:count].tolist(), want_indices[place][:count].tolist())

    def same_block_mask(self, own, want):
        for name in ("kv", "full_kv"):
            self.same_lists(*(getattr(mask, f"{name}_{part}") for mask in (own, want) for part in ("num_blocks", "indices")))
        self.assertEqual((own.BLOCK_SIZE, own.seq_lengths), (want.BLOCK_SIZE, want.seq_lengths))

    def test_flex_is_create_block_mask(self):
        maker = Maker(self.random)
        for _ in range(CASES):
            mask = maker.make()
            tile = tuple(int(self.random.choice([1, 3, 8, 16, 100])) for _ in range(2))
            arrays = self.plan(mask, "flex", "--tile", "%d,%d" % tile)
            batch, heads, queries, keys = mask.dense.shape
            mod = mask_mod_of(mask.dense)
            want = create_block_mask(mod, batch, heads, queries, keys, device="cpu", BLOCK_SIZE=tile)
            self.same_block_mask(block_mask(arrays, mod), want)

    def attends(self, mask, arrays, attention):
        batch, heads = (size if size > 1 else 2 for size in mask.dense.shape[:2])
        queries, keys = mask.dense.shape[2:]
        q, k, v = (torch.from_numpy(self.random.normal(size=(batch, heads, length, 64))).float()
                   for length in (queries, keys, keys))  # fmt: skip
        got = attention(q, k, v, block_mask=block_mask(arrays, mask_mod_of(mask.dense)))
        logits = (q @ k.mT / 8).masked_fill(~torch.from_numpy(mask.dense), -torch.inf)
        want = logits.softmax(-1).nan_to_num(0) @ v  # a row that sees nothing gives 0
        self.assertLess((got - want).abs().max().item(), 1e-4, str(mask))

    def test_flex_attention_attends_as_dense_attention_does(self):
        maker = Maker(self.random)
        for _ in range(CASES // 2):
            mask = maker.make()
            self.attends(mask, self.plan(mask, "flex", "--tile", "16"), flex_attention)

    def test_compiled_flex_attention_attends_as_dense_attention_does(self):
        maker = Maker(self.random, sizes=(256, 300))
        for kind, order in [("window", "padded"), ("causal & (window | sinks)", "ring"), ("around", "end")]:
            torch.compiler.reset()
            mask = maker.make(kind, order, keep_self=False)
            with torch.no_grad():
                self.attends(mask, self.plan(mask, "flex"), torch.compile(flex_attention))

    def test_flex_pages_is_paged_attentions_conversion(self):
        maker = Maker(self.random, sizes=(16, 33, 64))
        for _ in range(CASES // 2):
            mask = maker.make()
            batch, heads, queries, keys = mask.dense.shape
            page = 8
            columns = -(-keys // page)
            count = batch * columns + 2
            paged = PagedAttention(count, page, batch, device="cpu")
            order = self.random.permutation(count)
            paged.empty_pages = [int(one) for one in order]
            for sequence in range(batch):
                paged.reserve(torch.tensor(sequence), torch.tensor(columns * page))
            mod = mask_mod_of(mask.dense)
            logical = create_block_mask(mod, batch, heads, queries, keys, device="cpu", BLOCK_SIZE=(16, page))
            want = paged.convert_logical_block_mask(logical)
            table = paged.page_table[:batch, :columns].numpy()
            np.save(self.folder / "table.npy", np.ascontiguousarray(table))
            arrays = self.plan(mask, "flex-pages", "--tile", f"16,{page}", "--pages", self.folder / "table.npy",
                               "--page-count", str(count))  # fmt: skip
            self.same_block_mask(block_mask(arrays, mod), want)
            self.assertEqual(arrays["physical_to_logical"].tolist(), paged.physical_to_logical[:batch].tolist())


if __name__ == "__main__":
    unittest.main()
