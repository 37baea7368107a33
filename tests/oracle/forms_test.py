"""`axismask plan --form` for random masks: each form's arrays, read back to a dense mask by a few lines that are written
from the form's own description, are the dense mask of an independent formula, or the command says why they cannot be.
Splash is JAX's own, in its interpreter; block-sparse rows are SciPy's.
"""

import unittest

import jax
import jax.numpy as jnp
import numpy as np
import scipy.sparse
from jax.experimental.pallas.ops.tpu.splash_attention import splash_attention_kernel as splash_kernel
from jax.experimental.pallas.ops.tpu.splash_attention import splash_attention_mask as splash
from jax.experimental.pallas.ops.tpu.splash_attention import splash_attention_mask_info as splash_info
from random_masks import Maker, WithCommand

CASES = 60


def tiles_of(dense, queries, keys):
    """0, 1 or 2 for none, some or all of each tile; a tile that the end cuts off is filled up with zeros."""
    *outer, rows, columns = dense.shape
    padded = np.zeros((*outer, -(-rows // queries) * queries, -(-columns // keys) * keys), bool)
    padded[..., :rows, :columns] = dense
    tiled = padded.reshape(*outer, padded.shape[-2] // queries, queries, padded.shape[-1] // keys, keys)
    return tiled.any(axis=(-3, -1)).astype(int) + tiled.all(axis=(-3, -1))


def lists_to_tiles(counts, indices, columns):
    """True for each tile that a list of FlexAttention's or FlashAttention 4's has."""
    tiles = np.zeros((*counts.shape, columns), bool)
    for place in np.ndindex(counts.shape):
        listed = indices[place][: counts[place]]
        assert (np.diff(listed) > 0).all(), "they ascend"
        assert not indices[place][counts[place]:].any(), "zeros stand behind them"
        tiles[place][listed] = True
    return tiles


class Forms(WithCommand):
    def setUp(self):
        super().setUp()
        self.made, self.refused = 0, 0

    def plan(self, mask, form, *more, refusals=()):
        """The arrays that the command writes, or which of these errors it gives."""
        out = self.folder / "plan.npz"
        out.unlink(missing_ok=True)
        done = self.call("plan", mask, "--form", form, "--out", out, *more)
        for refusal in refusals:
            if done.stderr.startswith(f"axismask: error[{refusal}] "):
                self.assertEqual(done.returncode, 2)
                self.assertFalse(out.exists())
                self.refused += 1
                return refusal
        self.assertEqual((done.returncode, done.stderr), (0, ""), str(mask))
        self.made += 1
        with np.load(out) as arrays:
            return dict(arrays)

    def check(self, got, want, mask):
        self.assertEqual(got.shape, want.shape, str(mask))
        self.assertTrue(np.array_equal(got, want), str(mask))

    def tile(self):
        queries, keys = (int(self.random.choice([1, 3, 8, 16, 100])) for _ in range(2))
        return queries, keys, ("--tile", f"{queries},{keys}")

    # ------------------------------------------------------------------------------------------------- Tiles

    def test_flex_lists_the_tiles(self):
        maker = Maker(self.random)
        for _ in range(CASES):
            mask = maker.make()
            queries, keys, option = self.tile()
            arrays = self.plan(mask, "flex", *option)
            tiles = tiles_of(mask.dense, queries, keys)
            self.assertEqual(arrays["kv_indices"].shape, tiles.shape)
            self.assertEqual(arrays["full_kv_indices"].shape, tiles.shape)
            for name, kind in [("kv", 1), ("full_kv", 2)]:
                counts, indices = arrays[f"{name}_num_blocks"], arrays[f"{name}_indices"]
                self.assertEqual((counts.dtype, indices.dtype), (np.int32, np.int32))
                self.check(lists_to_tiles(counts, indices, tiles.shape[-1]), tiles == kind, mask)
            self.assertEqual(arrays["BLOCK_SIZE"].tolist(), [queries, keys])
            self.assertEqual(arrays["seq_lengths"].tolist(), list(mask.dense.shape[2:]))

    def test_fa4_lists_the_tiles_in_as_much_room_as_they_need(self):
        maker = Maker(self.random, sizes=(1, 64, 100, 256, 400))
        for _ in range(CASES // 2):
            mask = maker.make()
            queries, keys = int(self.random.choice([64, 128])), int(self.random.choice([16, 48, 128]))
            arrays = self.plan(mask, "fa4", "--tile", f"{queries},{keys}")
            tiles = tiles_of(mask.dense, queries, keys)
            for name, kind in [("mask", 1), ("full", 2)]:
                counts, indices = arrays[f"{name}_block_cnt"], arrays[f"{name}_block_idx"]
                self.assertEqual((counts.dtype, indices.dtype), (np.int32, np.int32))
                self.assertEqual(indices.shape[-1], max(1, counts.max()))
                self.check(lists_to_tiles(counts, indices, tiles.shape[-1]), tiles == kind, mask)
            self.assertEqual(arrays["block_size"].tolist(), [queries, keys])

    def test_flex_pages_lists_where_the_pages_lie(self):
        maker = Maker(self.random)
        for _ in range(CASES):
            mask = maker.make()
            queries, page, option = self.tile()
            tiles = tiles_of(mask.dense, queries, page)
            batch, heads, rows, columns = tiles.shape
            sequences = batch if batch > 1 else int(self.random.integers(1, 4))
            count = sequences * columns + int(self.random.integers(0, 3))
            table = self.random.permutation(count)[: sequences * columns].reshape(sequences, columns)
            table[~np.broadcast_to(tiles.any(axis=(1, 2)), table.shape)] = -1  # of pages that nobody sees
            np.save(self.folder / "table.npy", table.astype(self.random.choice([np.int32, np.int64])))
            arrays = self.plan(mask, "flex-pages", *option, "--pages", self.folder / "table.npy", "--page-count", count)
            self.assertEqual(arrays["seq_lengths"].tolist(), [mask.dense.shape[2], count * page])
            logical = np.full((sequences, count), -1)
            for sequence, column in np.argwhere(table >= 0):
                logical[sequence, table[sequence, column]] = column
            self.check(arrays["physical_to_logical"], logical, mask)
            for name, kind in [("kv", 1), ("full_kv", 2)]:
                counts, indices = arrays[f"{name}_num_blocks"], arrays[f"{name}_indices"]
                self.assertEqual(indices.shape, (sequences, heads, rows, count))
                for place in np.ndindex(counts.shape):
                    seen = np.flatnonzero(tiles[(place[0] if batch > 1 else 0, *place[1:])] == kind)
                    self.assertEqual(indices[place][: counts[place]].tolist(), table[place[0], seen].tolist())
                    self.assertFalse(indices[place][counts[place]:].any())

    def test_cudnn_has_a_bit_for_each_tile(self):
        maker = Maker(self.random, sizes=(1, 128, 200, 1300))
        for _ in range(CASES // 3):
            mask = maker.make()
            bits = self.plan(mask, "cudnn")["block_mask"]
            self.assertEqual(bits.dtype, np.uint8)
            tiles = tiles_of(mask.dense, 128, 128) > 0
            self.check(bits, np.packbits(tiles, axis=-1, bitorder="little"), mask)

    # ------------------------------------------------------------------------------------------------ Splash

    def splash_heads(self, mask):
        return splash.MultiHeadMask([splash.NumpyMask(head) for head in mask.dense[0]])

    def test_splash_is_what_jax_makes_of_the_dense_mask(self):
        maker = Maker(self.random, batches=1, sizes=(8, 16, 32, 64))
        refusals = set()
        for _ in range(3 * CASES):
            mask = maker.make(keep_self=None if self.random.integers(3) else True)
            queries, keys = (int(self.random.choice([1, 2, 4, 8])) for _ in range(2))
            arrays = self.plan(mask, "splash", "--tile", f"{queries},{keys}", refusals=("form-tile", "form-rows"))
            if isinstance(arrays, str):
                refusals.add(arrays)
                uneven = mask.dense.shape[2] % queries or mask.dense.shape[3] % keys
                self.assertEqual(arrays, "form-tile" if uneven else "form-rows", str(mask))
                self.assertTrue(uneven or not mask.dense.any(axis=-1).all(), str(mask))
                continue
            want, function = splash_info.process_mask(
                self.splash_heads(mask), (queries, keys), head_shards=1, q_seq_shards=1)  # fmt: skip
            self.assertIsNone(function)
            for name in ("data_next", "mask_next", "block_mask", "partial_mask_blocks"):
                expected = getattr(want, name)
                if expected is None:
                    self.assertNotIn(name, arrays)
                    continue
                self.check(arrays[name], expected, mask)
                self.assertEqual(arrays[name].dtype, expected.dtype, name)
        self.assertEqual(refusals, {"form-tile", "form-rows"})
        self.assertGreater(self.made, CASES)

    def test_splash_attends_as_dense_attention_does(self):
        maker = Maker(self.random, batches=1, heads=2, sizes=(256, 384))
        while self.made < 5:
            mask = maker.make(keep_self=True)
            arrays = self.plan(mask, "splash", refusals=("form-tile", "form-rows"))
            if isinstance(arrays, str):
                continue
            heads, queries, keys = mask.dense.shape[1:]
            info = splash_info.MaskInfo(
                **{name: jnp.asarray(arrays[name]) if name in arrays else None
                   for name in ("data_next", "mask_next", "block_mask", "partial_mask_blocks")},
                q_sequence=None)  # fmt: skip
            kernel = splash_kernel.SplashAttentionKernel(
                info, None, None, block_sizes=splash_kernel.BlockSizes.get_default(), is_mqa=False, save_residuals=False,
                mask_value=splash_kernel.DEFAULT_MASK_VALUE, attn_logits_soft_cap=None, residual_checkpoint_name=None,
                mask_function=None, interpret=True)  # fmt: skip
            q, k, v = (jnp.asarray(self.random.normal(size=(heads, length, 64)), jnp.float32)
                       for length in (queries, keys, keys))  # fmt: skip
            logits = jnp.where(mask.dense[0], q @ k.swapaxes(-1, -2), -jnp.inf)
            want = jax.nn.softmax(logits, axis=-1) @ v
            self.assertLess(float(jnp.abs(kernel(q, k, v) - want).max()), 1e-3, str(mask))

    # -------------------------------------------------------------------------------------------- FlashInfer

    def shared_by_heads(self, mask, arrays):
        """Forms whose heads share a mask refuse one that changes along them."""
        if arrays == "form-heads":
            self.assertIn("heads", mask.planes)
            return False
        self.assertNotIn("heads", mask.planes)
        return True

    def test_flashinfer_ranges(self):
        maker = Maker(self.random)
        for _ in range(2 * CASES):
            mask = maker.make()
            arrays = self.plan(mask, "flashinfer-ranges", refusals=("form-heads", "form-ranges"))
            if not self.shared_by_heads(mask, arrays):
                continue
            rows = mask.dense.reshape(-1, mask.dense.shape[-1])
            several = (np.diff(np.pad(rows, ((0, 0), (1, 0))).astype(int), axis=1) == 1).sum(axis=1) > 1
            if arrays == "form-ranges":
                self.assertTrue(several.any(), str(mask))
                continue
            self.assertFalse(several.any(), str(mask))
            ranges = arrays["mask_ranges"]
            self.assertEqual((ranges.dtype, ranges.shape), (np.int32, (len(rows), 2)))
            key = np.arange(rows.shape[1])
            self.check((ranges[:, :1] <= key) & (key <= ranges[:, 1:]), rows, mask)
            self.assertTrue((ranges[~rows.any(axis=1)] == -1).all())
        self.assertGreater(self.made, CASES // 2)

    def test_flashinfer_packed_is_numpys_packbits(self):
        maker = Maker(self.random)
        for _ in range(CASES):
            mask = maker.make()
            arrays = self.plan(mask, "flashinfer-packed", refusals=("form-heads",))
            if not self.shared_by_heads(mask, arrays):
                continue
            requests = [np.packbits(one, bitorder="little") for one in mask.dense[:, 0]]
            self.check(arrays["packed_custom_mask"], np.concatenate(requests), mask)
            self.assertEqual(arrays["mask_indptr"].tolist(), np.cumsum([0, *map(len, requests)]).tolist())
            self.assertEqual((arrays["packed_custom_mask"].dtype, arrays["mask_indptr"].dtype), (np.uint8, np.int32))

    def test_flashinfer_bsr_is_scipys_bsr_matrix(self):
        maker = Maker(self.random)
        refusals = set()
        for _ in range(3 * CASES):
            mask = maker.make()
            queries, keys, option = self.tile()
            arrays = self.plan(mask, "flashinfer-bsr", *option, refusals=("form-heads", "form-batch", "form-tile"))
            if isinstance(arrays, str):
                refusals.add(arrays)
                uneven = mask.dense.shape[3] % keys != 0
                wrong = {"form-heads": "heads" in mask.planes, "form-batch": "batch" in mask.planes, "form-tile": uneven}
                self.assertTrue(wrong[arrays], str(mask))
                continue
            dense = mask.dense[0, 0]
            shape = tuple(int(arrays[name]) for name in "MNRC")
            self.assertEqual(shape, (*dense.shape, queries, keys))
            blocks = -(-shape[0] // queries)
            elements = arrays.get("mask", np.ones((len(arrays["indices"]), queries, keys), bool))
            matrix = scipy.sparse.bsr_matrix(
                (elements, arrays["indices"], arrays["indptr"]), shape=(blocks * queries, shape[1]))  # fmt: skip
            self.check(matrix.toarray()[: shape[0]], dense, mask)
            tiles = tiles_of(mask.dense, queries, keys)
            self.assertEqual(len(arrays["indices"]), (tiles > 0).sum())
            self.assertEqual("mask" in arrays, bool((tiles == 1).any()), str(mask))
        self.assertEqual(refusals, {"form-heads", "form-batch", "form-tile"})
        self.assertGreater(self.made, CASES // 3)

    # ----------------------------------------------------------------------------- FlashMask, MagiAttention

    def test_flashmask_has_the_queries_that_do_not_see_a_key(self):
        maker = Maker(self.random)
        widths = set()
        for _ in range(3 * CASES):
            mask = maker.make()
            arrays = self.plan(mask, "flashmask", refusals=("form-columns",))
            queries, keys = mask.dense.shape[2:]
            masked = ~mask.dense
            ranges = (np.diff(np.pad(masked, ((0, 0), (0, 0), (1, 0), (0, 0))).astype(int), axis=2) == 1).sum(axis=2)
            self.assertEqual(arrays == "form-columns", bool((ranges > 2).any()), str(mask))
            if arrays == "form-columns":
                continue
            columns, causal = arrays["startend_row_indices"], bool(arrays["causal"])
            width = columns.shape[-1]
            widths.add((width, causal))
            self.assertEqual((columns.dtype, columns.shape[:3]), (np.int32, (*mask.dense.shape[:2], keys)))
            row = np.arange(queries)[:, None]
            start = columns[..., 0][..., None, :]
            second = columns[..., 1][..., None, :] if width > 1 else queries
            if causal:  # bottom right
                hidden = (start <= row) & (row < second) | (row + keys - queries < np.arange(keys))
            elif width == 2:
                hidden = (start <= row) | (row < second)
            else:
                third, fourth = (columns[..., at][..., None, :] for at in (2, 3))
                hidden = (start <= row) & (row < second) | (third <= row) & (row < fourth)
            self.check(~hidden, mask.dense, mask)
        self.assertEqual(widths, {(1, True), (2, True), (2, False), (4, False)})
        self.assertGreater(self.refused, 0)

    def test_flashmask_is_paddles_own_examples(self):
        """The figures of Paddle's documentation: a window, and packed documents that are causal."""
        mask = Maker(self.random).make("causal", "end", keep_self=False)
        p = (np.arange(10), ["seq"])
        mask.inputs = {"q": p, "k": p}
        mask.layer = {"type": "ApplyCausalSlidingWindowAttentionMask", "sliding_window_size": 3,
                      "query_positions_input_name": "q", "kv_positions_input_name": "k"}  # fmt: skip
        arrays = self.plan(mask, "flashmask")
        self.assertEqual(arrays["startend_row_indices"].ravel().tolist(), [3, 4, 5, 6, 7, 8, 9, 10, 10, 10])
        mask.inputs["ids"] = (np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 2]), ["seq"])
        ids = {"query_segment_ids_input_name": "ids", "kv_segment_ids_input_name": "ids"}
        mask.layer = {"all": [{"type": "ApplyCausalAttentionMask", "query_positions_input_name": "q",
                               "kv_positions_input_name": "k"},
                              {"type": "ApplyDocumentAttentionMask", **ids}]}  # fmt: skip
        arrays = self.plan(mask, "flashmask")
        self.assertEqual(arrays["startend_row_indices"].ravel().tolist(), [4, 4, 4, 4, 7, 7, 7, 10, 10, 10])
        self.assertTrue(arrays["causal"])
        mask.layer = {"type": "ApplyDocumentAttentionMask", **ids}
        del mask.inputs["q"], mask.inputs["k"]
        arrays = self.plan(mask, "flashmask")
        want = [[4, 0]] * 4 + [[7, 4]] * 3 + [[10, 7]] * 3
        self.assertEqual((arrays["startend_row_indices"][0, 0].tolist(), bool(arrays["causal"])), (want, False))

    def test_magi_slices_are_the_mask_and_do_not_overlap(self):
        maker = Maker(self.random)
        types = set()
        for _ in range(2 * CASES):
            mask = maker.make()
            arrays = self.plan(mask, "magi", refusals=("form-heads",))
            if not self.shared_by_heads(mask, arrays):
                continue
            batch, _, queries, keys = mask.dense.shape
            want = np.zeros((batch * queries, batch * keys), int)
            for one in range(batch):
                place = (slice(one * queries, (one + 1) * queries), slice(one * keys, (one + 1) * keys))
                want[place] = mask.dense[one, 0]
            got = np.zeros_like(want)
            for (q0, q1), (k0, k1), kind in zip(arrays["q_ranges"], arrays["k_ranges"], arrays["attn_type_map"]):
                row, column = np.ogrid[: q1 - q0, : k1 - k0]
                seen = np.ones((q1 - q0, k1 - k0), bool)
                if kind in (1, 3):
                    seen &= column <= row + (k1 - k0) - (q1 - q0)
                if kind in (2, 3):
                    seen &= column >= row
                got[q0:q1, k0:k1] += seen
                types.add(int(kind))
            self.check(got, want, mask)
            self.assertEqual({array.dtype for array in arrays.values()}, {np.dtype(np.int32)})
        self.assertEqual(types, {0, 1, 2, 3})

    def test_magi_has_few_slices_for_the_masks_that_models_have(self):
        mask = Maker(self.random).make("causal", "end", keep_self=False)
        mask.inputs = {"p": (np.arange(4096), ["seq"])}
        names = {"query_positions_input_name": "p", "kv_positions_input_name": "p"}
        for layer, slices in [
            ({"type": "ApplyCausalAttentionMask"}, 1),
            ({"type": "ApplyCausalSlidingWindowAttentionMask", "sliding_window_size": 512}, 2),
            ({"type": "ApplyChunkedAttentionMask", "attention_chunk_size": 1024}, 4),
            ({"type": "ApplyBlockCausalAttentionMask", "block_size": 1024}, 4),
            ({"type": "ApplyBidirectionalWindowAttentionMask", "window_left": 64, "window_right": 64}, 3),
        ]:
            mask.layer = layer | names
            self.assertEqual(len(self.plan(mask, "magi")["attn_type_map"]), slices, layer)

    # ------------------------------------------------------------------------------------------------- Spans

    def test_spans(self):
        maker = Maker(self.random)
        for _ in range(2 * CASES):
            mask = maker.make()
            arrays = self.plan(mask, "spans")
            indptr, begin, end = (arrays[name] for name in ("indptr", "begin", "end"))
            self.assertEqual({array.dtype for array in arrays.values()}, {np.dtype(np.int64)})
            rows = mask.dense.reshape(-1, mask.dense.shape[-1])
            self.assertEqual(arrays["shape"].tolist(), list(mask.dense.shape))
            self.assertEqual(len(indptr), len(rows) + 1)
            got = np.zeros_like(rows)
            for row in range(len(rows)):
                spans = list(zip(begin[indptr[row]:indptr[row + 1]], end[indptr[row]:indptr[row + 1]]))
                self.assertTrue(all(b < e for b, e in spans))
                self.assertTrue(all(e < b for (_, e), (b, _) in zip(spans, spans[1:])), "they ascend, and lie apart")
                for b, e in spans:
                    got[row, b:e] = True
            self.check(got, rows, mask)


if __name__ == "__main__":
    unittest.main()
