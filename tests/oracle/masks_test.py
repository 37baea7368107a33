"""The `axismask apply` command for every shipped mask that penzai does not have, against the formulas of the systems
that do, and the explicit mask against penzai, on the same .npy files, bit for bit.

The formulas are written from their sources, over dense index grids, and share nothing with ours: where a system counts
array indices, as transformers does, it gets indices, and the command gets positions. JAX splash's masks are its own.
"""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp
import numpy as np
from jax.experimental.pallas.ops.tpu.splash_attention import splash_attention_mask as splash
from penzai import pz

AXISMASK = os.environ["AXISMASK"]
CASES = 40
AXES = ["batch", "heads", "seq", "kv_seq"]
DTYPES = [np.float16, np.float32, np.float64]


class Masks(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.random = np.random.default_rng(sum(self.id().encode()))

    # ----------------------------------------------------------------------------------------------- The command

    def sizes(self):
        """batch, heads, and a length of rows."""
        return (
            int(self.random.integers(1, 4)),
            int(self.random.integers(1, 4)),
            int(self.random.choice([1, 2, 5, 16, 63, 64, 65, 130])),
        )

    def apply(self, attributes, inputs, logits, masked):
        """The command's result. `inputs` has for each name an array and its axes."""
        folder = pathlib.Path(self.folder.name)
        layer = {"name": "layer", "masked_out_value": masked, **attributes}
        (folder / "spec.json").write_text(json.dumps({"axismask": 1, "model": "oracle", "layers": [layer]}))
        np.save(folder / "logits.npy", logits)
        out = folder / "out.npy"
        out.unlink(missing_ok=True)
        call = [AXISMASK, "apply", folder / "spec.json", "--layer", "layer", "--out", out]
        call += ["--logits", f"{folder}/logits.npy:{','.join(AXES)}"]
        for name, (array, axes) in inputs.items():
            np.save(folder / f"{name}.npy", array)
            call += ["--input", f"{name}={folder}/{name}.npy:{','.join(axes)}"]
        if self.random.integers(2):
            call.append("--in-place")
        done = subprocess.run([str(word) for word in call], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return np.load(out)

    def expect(self, attributes, inputs, visible, shape):
        """The command keeps the logits where `visible`, of [batch, heads, seq, kv_seq] or fewer axes, is true."""
        dtype = np.dtype(self.random.choice(DTYPES))
        bits = {2: np.uint16, 4: np.uint32, 8: np.uint64}[dtype.itemsize]
        logits = self.random.integers(0, np.iinfo(bits).max, shape, bits, endpoint=True)  # NaNs and infinities too
        masked = float(self.random.choice([0.0, -1e4, -1.5, -65504.0]))
        got = self.apply(attributes, inputs, logits.view(dtype), masked)
        want = np.where(visible, logits, np.array(masked, dtype).view(bits))
        self.assertEqual(got.dtype, dtype)
        self.assertTrue(np.array_equal(got.view(bits), want), f"{attributes} {dtype} {shape}")
        self.seen = getattr(self, "seen", set()) | set(np.unique(np.broadcast_to(visible, shape)).tolist())

    def tearDown(self):
        self.assertEqual(getattr(self, "seen", {True, False}), {True, False}, "a test of nothing kept or nothing masked")

    def integers(self, array):
        return np.array(array, self.random.choice([np.int32, np.int64]), order="C")

    def padding(self, batch, length):
        """How many of each row's places are left padding."""
        return self.random.integers(0, length + 1, (batch, 1))

    # ------------------------------------------------------------------------------------------------- The masks

    def test_explicit_is_penzais(self):
        for _ in range(CASES):
            batch, heads, length = self.sizes()
            shape = (batch, heads, length, length + 3)
            axes = [axis for axis in self.random.permutation(AXES).tolist() if self.random.integers(4)]
            mask = self.random.integers(0, 2, [shape[AXES.index(axis)] for axis in axes]).astype(bool)
            name = str(self.random.choice(["mask", "attention_mask"]))
            attributes = {"type": "ApplyExplicitAttentionMask"}
            if name != "mask":
                attributes["mask_input_name"] = name
            logits = self.random.normal(size=shape).astype(self.random.choice([np.float32, np.float64]))
            layer = pz.nn.ApplyExplicitAttentionMask(mask_input_name=name, masked_out_value=-1.5)
            named = {name: pz.nx.wrap(jnp.asarray(mask)).tag(*axes)}
            want = layer(pz.nx.wrap(jnp.asarray(logits)).tag(*AXES), **named).untag(*AXES).unwrap()
            got = self.apply(attributes, {name: (mask, axes)}, logits, -1.5)
            self.assertEqual(got.tobytes(), np.asarray(want).tobytes(), f"{axes}")

    def test_bidirectional_window_is_xformers(self):
        """xformers/ops/fmha/attn_bias.py: -window_right <= d <= window_left; positions that padding shifts."""
        for _ in range(CASES):
            batch, heads, length = self.sizes()
            left, right = self.random.integers(0, length + 2, 2).tolist()
            padding = self.padding(batch, length)
            index = np.arange(length)
            d = index[:, None] - index[None, :]
            visible = (-right <= d) & (d <= left) & (index >= padding)[:, None, None, :]
            # Rows of queries that are padding have another mask with positions of -1: here they count on.
            positions = self.integers(index - padding)
            self.expect(
                {"type": "ApplyBidirectionalWindowAttentionMask", "window_left": left, "window_right": right},
                {"token_positions": (positions, ["batch", "seq"])},
                visible,
                (batch, heads, length, length),
            )

    def test_bidirectional_window_is_splashs_local_mask(self):
        for _ in range(CASES):
            batch, heads, length = self.sizes()
            left, right = self.random.integers(0, length + 2, (2, heads)).tolist()
            masks = [splash.LocalMask((length, length), (l, r), offset=0) for l, r in zip(left, right)]
            self.expect(
                {
                    "type": "ApplyBidirectionalWindowAttentionMask",
                    "window_left": {"axis": "heads", "values": left},
                    "window_right": {"axis": "heads", "values": right},
                },
                {"token_positions": (self.integers(np.arange(length)), ["seq"])},
                np.stack([mask[:, :] for mask in masks]),
                (batch, heads, length, length),
            )

    def test_chunked_is_transformers_with_left_padding(self):
        """transformers/masking_utils.py: chunked_overlay, causal_mask_function and padding_mask_function, on indices."""
        for _ in range(CASES):
            batch, heads, length = self.sizes()
            chunk = int(self.random.choice([1, 2, 3, length // 3 + 1, length, length + 5]))
            left_padding = self.padding(batch, length)
            index = np.arange(length)
            chunk_of = (index - left_padding) // chunk
            same_chunk = chunk_of[:, :, None] == chunk_of[:, None, :]
            causal = index[None, :] <= index[:, None]
            attended = (index >= left_padding)[:, None, :]
            visible = (same_chunk & causal & attended)[:, None]
            positions = self.integers(np.maximum(index - left_padding, -1))
            self.expect(
                {"type": "ApplyChunkedAttentionMask", "attention_chunk_size": chunk},
                {"token_positions": (positions, ["batch", "seq"])},
                visible,
                (batch, heads, length, length),
            )

    def test_chunked_is_splashs_chunked_causal_mask(self):
        for _ in range(CASES // 2):
            batch, heads, length = self.sizes()
            chunk = int(self.random.integers(1, length + 3))
            self.expect(
                {"type": "ApplyChunkedAttentionMask", "attention_chunk_size": chunk},
                {"token_positions": (self.integers(np.arange(length)), ["seq"])},
                splash.ChunkedCausalMask((length, length), chunk)[:, :],
                (batch, heads, length, length),
            )

    def test_chunked_is_llama_cpps_for_a_cache(self):
        """llama-hparams.h, is_masked_swa: masked if p0 < (p1 / n_swa) * n_swa; the cache's cells in any order."""
        for _ in range(CASES // 2):
            batch, heads, length = self.sizes()
            n_swa = int(self.random.integers(1, length + 3))
            cells = self.random.permuted(np.tile(np.arange(length), (batch, 1)), axis=1)
            queries = self.random.integers(0, length, (batch, 3))
            p0, p1 = cells[:, None, None, :], queries[:, None, :, None]
            self.expect(
                {"type": "ApplyChunkedAttentionMask", "attention_chunk_size": n_swa, "query_positions_input_name": "q"},
                {"q": (self.integers(queries), ["batch", "seq"]),
                 "token_positions": (self.integers(cells), ["batch", "seq"])},
                (p0 <= p1) & ~(p0 < p1 // n_swa * n_swa),
                (batch, heads, 3, length),
            )

    def test_block_causal_is_llada_2s(self):
        """LLaDA 2's generate (modeling_llada2_moe.py), and SDAR's: tril(ones(num_blocks, num_blocks)), each row and
        column block_length times; a step takes the last rows of it, those of the tokens that it is given."""
        for _ in range(CASES):
            batch, heads, length = self.sizes()
            block_length = int(self.random.choice([1, 2, 4, 32, length, length + 5]))
            num_blocks = -(-length // block_length)
            block_mask = np.tril(np.ones((num_blocks, num_blocks), bool))
            visible = block_mask.repeat(block_length, axis=0).repeat(block_length, axis=1)[:length, :length]
            rows = int(self.random.integers(1, length + 1))
            self.expect(
                {"type": "ApplyBlockCausalAttentionMask", "block_size": block_length,
                 "query_positions_input_name": "q"},
                {"q": (self.integers(np.arange(length - rows, length)), ["seq"]),
                 "token_positions": (self.integers(np.arange(length)), ["seq"])},
                visible[length - rows:],
                (batch, heads, rows, length),
            )

    def test_prefix_lm_is_attention_gyms(self):
        """attn_gym/masks/prefix_lm.py: or_masks(kv_idx < prefix_length, causal_mask)."""
        for _ in range(CASES):
            batch, heads, length = self.sizes()
            per_row = bool(self.random.integers(2))
            prefix = self.random.integers(0, length + 2, batch if per_row else ())
            q_idx, kv_idx = np.arange(length)[:, None], np.arange(length)[None, :]
            visible = (kv_idx < prefix.reshape(-1, 1, 1, 1)) | (q_idx >= kv_idx)
            self.expect(
                {"type": "ApplyPrefixLmAttentionMask"},
                {"token_positions": (self.integers(np.arange(length)), ["seq"]),
                 "prefix_lengths": (self.integers(prefix), ["batch"] if per_row else [])},
                visible,
                (batch, heads, length, length),
            )

    def test_documents_are_transformers_packed_sequences(self):
        """transformers/masking_utils.py: packed_sequence_mask_function, and segment ids of keys of their own."""
        for _ in range(CASES):
            batch, heads, length = self.sizes()
            starts = self.random.integers(0, 4, (batch, length)) == 0
            packed_sequence_mask = np.cumsum(starts, axis=1)
            own_keys = bool(self.random.integers(2))
            queries = packed_sequence_mask[:, -min(3, length):] if own_keys else packed_sequence_mask
            visible = queries[:, None, :, None] == packed_sequence_mask[:, None, None, :]
            inputs = {"segment_ids": (self.integers(packed_sequence_mask), ["batch", "seq"])}
            attributes = {"type": "ApplyDocumentAttentionMask"}
            if own_keys:
                attributes["query_segment_ids_input_name"] = "queries"
                inputs["queries"] = (self.integers(queries), ["batch", "seq"])
            self.expect(attributes, inputs, visible, (batch, heads, queries.shape[1], length))

    def test_documents_that_are_padding_are_alone(self):
        for _ in range(CASES // 2):
            batch, heads, length = self.sizes()
            ids = self.random.integers(-2, 3, (batch, length))
            visible = np.array([[[q == k and q in (0, 1, 2) for k in row] for q in row] for row in ids.tolist()])
            self.expect(
                {"type": "ApplyDocumentAttentionMask"},
                {"segment_ids": (self.integers(ids), ["batch", "seq"])},
                visible[:, None],
                (batch, heads, length, length),
            )

    def test_causal_in_documents_is_transformers_packed_sequences(self):
        """transformers/masking_utils.py, create_causal_mask and create_sliding_window_causal_mask of position_ids that
        restart: remap_positions_for_packed_sequence(causal, or sliding_window_causal) and packed_sequence_mask."""
        for _ in range(CASES):
            batch, heads, length = self.sizes()
            starts = self.random.integers(0, 6, (batch, length)) == 0
            starts[:, 0] = True
            index = np.arange(length)
            position_ids = index - np.maximum.accumulate(np.where(starts, index, 0), axis=1)
            packed_sequence_mask = np.cumsum(np.diff(position_ids, prepend=-1, axis=1) != 1, axis=1)
            q_idx, kv_idx = position_ids[:, :, None], position_ids[:, None, :]
            visible = (kv_idx <= q_idx) & (packed_sequence_mask[:, :, None] == packed_sequence_mask[:, None, :])
            part = {"type": "ApplyCausalAttentionMask"}
            if self.random.integers(2):
                window = int(self.random.integers(1, 9))
                visible &= kv_idx > q_idx - window
                part = {"type": "ApplyCausalSlidingWindowAttentionMask", "sliding_window_size": window}
            self.expect(
                {"all": [part, {"type": "ApplyDocumentAttentionMask"}]},
                {"token_positions": (self.integers(position_ids), ["batch", "seq"]),
                 "segment_ids": (self.integers(packed_sequence_mask), ["batch", "seq"])},
                visible[:, None],
                (batch, heads, length, length),
            )

    def images(self, batch, length):
        """A left-padded batch with images, as Gemma 3's forward has it: attention_mask, and the block_sequence_ids of
        get_block_sequence_ids_for_mask (modeling_gemma3.py)."""
        attention_mask = np.arange(length) >= self.padding(batch, length)
        runs = np.cumsum(self.random.integers(0, 5, (batch, length)) == 0, axis=1)
        is_image = (runs % 2 == 1) & attention_mask  # padding has the type of text
        is_previous_image = np.pad(is_image, ((0, 0), (1, 0)))[:, :-1]
        group_ids = np.cumsum(is_image & ~is_previous_image, axis=1) - 1
        return attention_mask, np.where(is_image, group_ids, -1)

    def expect_images(self, mask, visible_of):
        """`mask` of a window, against what `visible_of` says of q_idx, kv_idx, blockwise and the window. Rows of
        padding are nobody's: transformers' see what is before them in the row, and ours, at -1, nothing."""
        same = {"type": "ApplyDocumentAttentionMask", "query_segment_ids_input_name": "image_ids",
                "kv_segment_ids_input_name": "image_ids"}
        for _ in range(CASES):
            batch, heads, length = self.sizes()
            window = int(self.random.integers(1, length + 3))
            attention_mask, block_sequence_ids = self.images(batch, length)
            q_group, kv_group = block_sequence_ids[:, :, None], block_sequence_ids[:, None, :]
            blockwise = (q_group == kv_group) & (q_group >= 0)
            q_idx, kv_idx = np.arange(length)[:, None], np.arange(length)[None, :]
            visible = visible_of(q_idx, kv_idx, blockwise, window) & attention_mask[:, None, :]
            positions = np.where(attention_mask, np.cumsum(attention_mask, axis=1) - 1, -1)
            visible &= attention_mask[:, :, None]
            self.expect(
                mask(window, same),
                {"token_positions": (self.integers(positions), ["batch", "seq"]),
                 "image_ids": (self.integers(block_sequence_ids), ["batch", "seq"])},
                visible[:, None],
                (batch, heads, length, length),
            )

    def test_full_layers_with_images_are_gemma_3s(self):
        """modeling_gemma3.py, create_masks_for_vision_model: or(causal, blockwise); PaliGemma's layers alike."""
        self.expect_images(
            lambda window, same: {"any": [{"type": "ApplyCausalAttentionMask"}, same]},
            lambda q_idx, kv_idx, blockwise, window: (kv_idx <= q_idx) | blockwise,
        )

    def test_sliding_layers_with_images_are_gemma_3s_and_4s(self):
        """The same in modeling_gemma3.py and modeling_gemma4.py: and(sliding_window_overlay, or(causal, blockwise))."""
        self.expect_images(
            lambda window, same: {"all": [
                {"type": "ApplyBidirectionalWindowAttentionMask", "window_left": window - 1, "window_right": 1 << 26},
                {"any": [{"type": "ApplyCausalAttentionMask"}, same]},
            ]},
            lambda q_idx, kv_idx, blockwise, window: (kv_idx > q_idx - window) & ((kv_idx <= q_idx) | blockwise),
        )

    def test_sinks_are_streaming_llms(self):
        """StreamingLLM keeps k[:, :start_size]: the first tokens, of a row that starts after its padding."""
        for _ in range(CASES):
            batch, heads, length = self.sizes()
            start_size = int(self.random.integers(1, 6))
            padding = self.padding(batch, length)
            visible = np.zeros((batch, length), bool)
            for row, first in zip(visible, padding[:, 0]):
                row[first:][:start_size] = True
            self.expect(
                {"type": "ApplySinksAttentionMask", "sink_count": start_size},
                {"token_positions": (self.integers(np.maximum(np.arange(length) - padding, -1)), ["batch", "seq"])},
                visible[:, None, None, :],
                (batch, heads, length, length),
            )

    def test_dilated_window_is_attention_gyms(self):
        """attn_gym/masks/dilated_sliding_window.py and causal: abs(d) <= window_size, one less than ours, and
        abs(d) % dilation == 0."""
        for _ in range(CASES):
            batch, heads, length = self.sizes()
            window_size = int(self.random.integers(0, length + 2))
            dilation = int(self.random.integers(1, 6))
            q_idx, kv_idx = np.arange(length)[:, None], np.arange(length)[None, :]
            diff = np.abs(q_idx - kv_idx)
            self.expect(
                {"type": "ApplyDilatedWindowAttentionMask", "sliding_window_size": window_size + 1, "dilation": dilation},
                {"token_positions": (self.integers(np.arange(length)), ["seq"])},
                (diff <= window_size) & (diff % dilation == 0) & (q_idx >= kv_idx),
                (batch, heads, length, length),
            )

    def test_right_padding(self):
        """flash-attention's seqused_k: of each row the first so many keys."""
        for _ in range(CASES):
            batch, heads, length = self.sizes()
            lengths = self.random.integers(0, length + 1, batch)
            visible = np.zeros((batch, length), bool)
            for row, used in zip(visible, lengths):
                row[:used] = True
            self.expect(
                {"type": "ApplyRightPaddingAttentionMask", "kv_positions_input_name": "places"},
                {"places": (self.integers(np.arange(length)), ["seq"]), "lengths": (self.integers(lengths), ["batch"])},
                visible[:, None, None, :],
                (batch, heads, 2, length),
            )

    def test_left_padding(self):
        """transformers' 2-D attention mask of a left-padded batch in a cache that is longer than the prompt."""
        for _ in range(CASES):
            batch, heads, length = self.sizes()
            total = int(self.random.integers(0, length + 1))
            lengths = self.random.integers(0, total + 1, batch)
            visible = np.zeros((batch, length), bool)
            for row, used in zip(visible, lengths):
                row[:total] = [0] * (total - used) + [1] * used
            self.expect(
                {"type": "ApplyLeftPaddingAttentionMask", "kv_positions_input_name": "places"},
                {"places": (self.integers(np.arange(length)), ["seq"]), "lengths": (self.integers(lengths), ["batch"]),
                 "total_lengths": (self.integers(total), [])},
                visible[:, None, None, :],
                (batch, heads, 2, length),
            )

    def test_positions_far_away(self):
        """Positions around 2^40, where 32 bits would wrap, against Python's whole numbers."""
        base = 1 << 40
        positions = base + self.random.integers(-9, 10, 64)
        masks = {
            "ApplyBidirectionalWindowAttentionMask": (
                {"window_left": 3, "window_right": 5}, lambda q, k: -5 <= q - k <= 3),
            "ApplyBlockCausalAttentionMask": ({"block_size": 7}, lambda q, k: k // 7 <= q // 7),
            "ApplyChunkedAttentionMask": ({"attention_chunk_size": 7}, lambda q, k: k <= q and k // 7 == q // 7),
            "ApplyDilatedWindowAttentionMask": (
                {"sliding_window_size": 9, "dilation": 4}, lambda q, k: q - k in (0, 4, 8)),
            "ApplySinksAttentionMask": ({"sink_count": base + 2}, lambda q, k: k < base + 2),
        }
        for layer_type, (attributes, visible) in masks.items():
            with self.subTest(layer_type):
                numbers = positions.tolist()
                self.expect(
                    {"type": layer_type, **attributes},
                    {"token_positions": (positions, ["seq"])},
                    np.array([[visible(q, k) for k in numbers] for q in numbers]),
                    (1, 2, 64, 64),
                )


if __name__ == "__main__":
    unittest.main()
