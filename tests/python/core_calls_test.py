"""Models, masks, plans, spans, forms, attention and positions from Python; the command; threads."""

import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest

import jax.numpy as jnp
import ml_dtypes
import numpy as np
from core_cases import MODEL, SPEC, kept, random_positions

import axismask
from axismask import positions

ROOT = pathlib.Path(__file__).parents[2]
GEMMA = ROOT / "examples/gemma3/model.json"
AXES = "batch heads seq kv_seq"


class Models(unittest.TestCase):
    def test_a_spec_is_read_from_a_file_a_text_and_a_dict(self):
        for model in (axismask.load(GEMMA), axismask.load(str(GEMMA)), axismask.parse(GEMMA.read_text()),
                      axismask.parse(json.loads(GEMMA.read_text()))):  # fmt: skip
            self.assertEqual(len(model), 26)
            self.assertEqual([layer.name for layer in model], [f"layers.{i}" for i in range(26)])
            layer = model.layer("layers.5")
            self.assertIs(layer, model.layers[5])
            self.assertIs(layer.model, model)
            self.assertEqual((layer.type, layer.formula), ("ApplyCausalAttentionMask", "q >= k && k >= 0"))
            self.assertEqual(layer.place, "/masks/full")
            self.assertEqual(repr(layer), "<axismask.Layer layers.5: ApplyCausalAttentionMask, q >= k && k >= 0>")

    def test_a_model_is_its_json(self):
        again = axismask.parse(MODEL.to_json())
        self.assertEqual([one.formula for one in again], [one.formula for one in MODEL])

    def test_a_layer_alone_is_a_model(self):
        for model in (MODEL, axismask.load(GEMMA)):
            for layer in model:
                [alone] = axismask.parse(layer.to_json())
                self.assertEqual((alone.name, alone.formula, alone.type), (layer.name, layer.formula, layer.type))

    def test_a_config_is_read_from_a_file_a_dict_and_an_object(self):
        class Config:
            def to_dict(self):
                return config

        config = {"model_type": "gemma3_text", "num_hidden_layers": 26, "sliding_window": 512}
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "config.json"
            path.write_text(json.dumps(config))
            for given in (path, str(path), config, Config()):
                model = axismask.from_config(given)
                self.assertEqual([layer.type for layer in model][4:6],
                                 ["ApplyCausalSlidingWindowAttentionMask", "ApplyCausalAttentionMask"])
                self.assertIn("q - k < 512", model.layers[0].formula)
                self.assertEqual(model.warnings, [])

    def test_a_config_of_transformers_is_read(self):
        import transformers

        model = axismask.from_config(transformers.MistralConfig(num_hidden_layers=2, sliding_window=16))
        self.assertIn("q - k < 16", model.layers[1].formula)

    def test_a_config_has_warnings_and_guesses(self):
        guess = {"model_type": "gemma3_text_of_someone", "num_hidden_layers": 2, "sliding_window": 512}
        with self.assertRaises(axismask.Error) as caught:
            axismask.from_config(guess)
        self.assertEqual(caught.exception.id, "config-guess")
        model = axismask.from_config(guess, guess=True)
        self.assertEqual(len(model), 2)
        self.assertTrue(model.warnings and model.warnings[0].startswith("axismask: warning["), model.warnings)
        with self.assertRaises(axismask.Error):
            axismask.from_config(guess, guess=True, strict=True)


class Masks(unittest.TestCase):
    def test_masks_are_bool_or_numbers_to_be_added(self):
        random = np.random.default_rng(2)
        for name in ("window", "heads", "chunk", "sinks"):
            queries = random_positions(random, 2, 20)
            wanted = np.broadcast_to(kept(name, queries, queries), (2, 3, 20, 20))
            call = lambda **given: MODEL.layer(name).mask(
                AXES, sizes={"heads": 3}, token_positions=(queries, "batch seq"), **given)
            np.testing.assert_array_equal(call(), wanted)
            self.assertEqual(call().dtype, np.bool_)
            for dtype in (np.float16, ml_dtypes.bfloat16, "float32", np.float64, jnp.bfloat16):
                lowest = ml_dtypes.finfo(axismask._arrays.numpy_dtype(axismask._arrays.dtype_name(dtype))).min
                for masked, number in (("-inf", -np.inf), ("lowest", float(lowest)), (-3, -3.0)):
                    mask = call(dtype=dtype, masked=masked)
                    np.testing.assert_array_equal(mask.astype(np.float64), np.where(wanted, 0, number))
            out = np.empty((2, 3, 20, 20), np.uint8).view(bool)
            self.assertIs(call(out=out), out)
            np.testing.assert_array_equal(out, wanted)

    def test_sizes_come_from_the_inputs(self):
        layer = MODEL.layer("cache")
        queries, keys = np.arange(4, dtype=np.int32), np.arange(9, dtype=np.int32)
        self.assertEqual(layer.mask("seq kv_seq", queries=queries, keys=keys).shape, (4, 9))
        self.assertEqual(layer.mask(("kv_seq", "seq"), queries=queries, keys=(keys, "kv_seq")).shape, (9, 4))

    def test_keys_are_padded(self):
        layer = MODEL.layer("cache")
        places = np.arange(4, dtype=np.int32)
        mask = layer.mask("seq kv_seq", sizes={"kv_seq": 8}, pad_keys=True, queries=places, keys=places)
        np.testing.assert_array_equal(mask, np.pad(np.tri(4, dtype=bool), ((0, 0), (0, 4))))

    def test_ids_of_documents_stand_alone(self):
        [layer] = axismask.parse({"axismask": 1, "model": "m", "layers": [
            {"name": "documents", "type": "ApplyDocumentAttentionMask", "masked_out_value": "-inf"}]})
        ids = np.array([0, 0, 1, 1, 1])
        self.assertEqual(layer.mask("seq kv_seq", segment_ids=ids).tolist(), (ids[:, None] == ids).tolist())


class Plans(unittest.TestCase):
    def test_a_plan_says_what_the_mask_has(self):
        random = np.random.default_rng(3)
        for name in ("window", "heads", "chunk", "sinks"):
            queries = random_positions(random, 2, 50)
            mask = np.broadcast_to(kept(name, queries, queries), (2, 3, 50, 50))
            plan = MODEL.layer(name).plan(tile=(16, 8), exact=True, token_positions=(queries, "batch seq"))
            self.assertEqual((plan.tile, plan.queries, plan.keys), ((16, 8), 50, 50))
            self.assertEqual((plan.query_axis, plan.kv_axis), ("seq", "kv_seq"))
            self.assertEqual((plan.rows, plan.columns), (4, 7))
            verdicts = plan.verdicts
            self.assertEqual(verdicts.dtype, np.uint8)
            self.assertEqual(verdicts.shape, (*plan.plane_sizes, 4, 7))
            index = [slice(None) if axis in plan.plane_axes else 0 for axis in ("batch", "heads")]
            planes = mask[tuple(index)]
            if plan.plane_axes == ("heads", "batch"):
                planes = planes.swapaxes(0, 1)
            for at in np.ndindex(verdicts.shape):
                tile = planes[*at[:-2], 16 * at[-2] : 16 * at[-2] + 16, 8 * at[-1] : 8 * at[-1] + 8]
                self.assertEqual(verdicts[at], 2 if tile.all() else 1 if tile.any() else 0)
            self.assertEqual((plan.none, plan.some, plan.all), tuple((verdicts == one).sum() for one in (0, 1, 2)))
            starts, tiles = plan.list(axismask.SOME)
            rows = verdicts.reshape(-1, 7)
            self.assertEqual((starts.dtype, tiles.dtype), (np.int64, np.int32))
            for row in range(len(rows)):
                np.testing.assert_array_equal(tiles[starts[row] : starts[row + 1]], np.flatnonzero(rows[row] == 1))

    def test_a_call_takes_a_plan(self):
        queries = np.arange(300, dtype=np.int32)
        layer = MODEL.layer("window")
        plan = layer.plan(token_positions=queries)
        logits = np.ones((300, 300), np.float32)
        np.testing.assert_array_equal(layer.apply(logits, "seq kv_seq", plan=plan, token_positions=queries),
                                      layer.apply(logits, "seq kv_seq", token_positions=queries))
        with self.assertRaises(axismask.Error) as caught:
            layer.apply(logits, "seq kv_seq", plan=plan, token_positions=queries + 1)
        self.assertEqual((caught.exception.id, caught.exception.where), ("plan-differs", "plan"))

    def test_spans_are_the_mask(self):
        queries = np.arange(30, dtype=np.int32)
        mask = kept("sinks", queries[None], queries[None])[0, 0]
        spans = MODEL.layer("sinks").spans(token_positions=queries)
        np.testing.assert_array_equal(spans["shape"], [30, 30])
        made = np.zeros_like(mask)
        for row in range(30):
            for at in range(spans["starts"][row], spans["starts"][row + 1]):
                made[row, spans["begins"][at] : spans["ends"][at]] = True
        np.testing.assert_array_equal(made, mask)

    def test_lists_of_tiles_are_turned(self):
        random = np.random.default_rng(5)
        for shape in ((2, 3, 5, 7), (1, 1, 1, 4), (6, 2)):
            tiles = random.integers(0, 2, shape).astype(bool)
            order = np.argsort(~tiles, axis=-1, kind="stable").astype(np.int32)
            counts, rows = axismask._plan.by_columns(tiles.sum(-1, dtype=np.int32), order)
            np.testing.assert_array_equal(counts, tiles.sum(-2))
            for plane in np.ndindex(shape[:-2]):
                for column in range(shape[-1]):
                    wanted = np.zeros(shape[-2])
                    wanted[: counts[*plane, column]] = np.flatnonzero(tiles[*plane, :, column])
                    np.testing.assert_array_equal(rows[*plane, column], wanted)
        good = (np.ones(2, np.int32), np.zeros((2, 2), np.int32))
        for counts, indices, what in ((good[0], good[1] + 2, "a list has an index that is no tile"),
                                      (good[0] + 2, good[1], "a list has an index that is no tile"),
                                      (good[0].astype(np.int64), good[1], "it is no int32 of C order in the host's memory"),
                                      (np.ones(3, np.int32), good[1], "the sizes of the lists do not fit"),
                                      (good[0], np.zeros((2, 4), np.int32)[:, ::2], "it is no int32 of C order in the host's "
                                       "memory")):  # fmt: skip
            with self.assertRaises(axismask.Error) as caught:
                axismask._plan.by_columns(counts, indices)
            self.assertEqual((caught.exception.id, caught.exception.what), ("array-layout", what))

    def test_every_form_that_is_listed_is_written_or_says_why_not(self):
        queries = np.arange(256, dtype=np.int32)
        names = [name for name, _, _, _ in axismask.forms()]
        self.assertGreater(len(names), 9)
        for name, target, tiles, pages in axismask.forms():
            self.assertTrue(target and isinstance(tiles, bool))
            given = {"pages": np.arange(2, dtype=np.int32)[None]} if pages else {}
            arrays = MODEL.layer("window").form(name, token_positions=queries, **given)
            self.assertTrue(arrays and all(isinstance(array, np.ndarray) for array in arrays.values()), name)
        flex = MODEL.layer("window").form("flex", tile=(64, 64), token_positions=queries)
        np.testing.assert_array_equal(flex["kv_num_blocks"], [[[1, 2, 2, 2]]])
        np.testing.assert_array_equal(flex["BLOCK_SIZE"], [64, 64])


class Attention(unittest.TestCase):
    def test_attention_is_softmax_of_masked_scores(self):
        random = np.random.default_rng(4)
        for turn in range(12):
            name = ("window", "chunk", "sinks")[turn % 3]
            dtype = (np.float32, ml_dtypes.bfloat16)[turn % 2]
            tokens, width, out_width = (int(n) for n in random.integers(1, [60, 40, 30]))
            places = np.arange(tokens, dtype=np.int32)
            q, k, v = (random.standard_normal((3, tokens, size)).astype(dtype) for size in (width, width, out_width))
            sinks = random.standard_normal(3).astype(np.float32)
            mask = kept(name, places[None], places[None])[0, 0]
            scores = np.float64(q) @ np.float64(k).transpose(0, 2, 1) * 0.3
            scores = np.where(mask, 2 * np.tanh(scores / 2), -1e30)
            sums = np.exp(scores).sum(-1) + np.exp(np.float64(sinks))[:, None]
            wanted = np.exp(scores) @ np.float64(v) / sums[..., None]
            spec = {**next(one for one in SPEC["layers"] if one["name"] == name), "masked_out_value": "lowest"}
            layer = axismask.parse({**SPEC, "layers": [spec]}).layers[0]
            result, logs = layer.attend(q, "heads seq d", k, "heads kv_seq d", v, "heads kv_seq d", log_sum_exp=True, scale=0.3,
                                        softcap=2, sinks=(sinks, "heads"), projection="d", token_positions=places)
            self.assertEqual((result.dtype, result.shape), (np.dtype(dtype), (3, tokens, out_width)))
            close = dict(rtol=2e-2, atol=2e-2) if turn % 2 else dict(rtol=2e-5, atol=2e-5)
            np.testing.assert_allclose(np.float64(result), wanted, **close)
            np.testing.assert_allclose(logs, np.log(sums), rtol=1e-5, atol=1e-5)
            out, written = np.empty_like(result), np.empty_like(logs)
            given = layer.attend(q, "heads seq d", k, "heads kv_seq d", v, "heads kv_seq d", out=out, log_sum_exp=written,
                                 scale=0.3, softcap=2, sinks=(sinks, "heads"), projection="d", token_positions=places)
            self.assertIs(given, out)
            np.testing.assert_array_equal(np.float64(out), np.float64(result))
            np.testing.assert_array_equal(written, logs)


class Positions(unittest.TestCase):
    def test_positions(self):
        same = np.testing.assert_array_equal
        same(positions.consecutive(3, 4), [3, 4, 5, 6])
        self.assertEqual(positions.consecutive(0, 2).dtype, np.int32)
        self.assertEqual(positions.consecutive(0, 2, dtype=np.int64).dtype, np.int64)
        same(positions.left_padded([1, 3], 3), [[-1, -1, 0], [0, 1, 2]])
        same(positions.right_padded(np.array([1, 3]), 3), [[0, -1, -1], [0, 1, 2]])
        same(positions.packed([2, 3], 6), ([0, 1, 0, 1, 2, -1], [0, 0, 1, 1, 1, -1]))
        same(positions.packed([2, 1]), ([0, 1, 0], [0, 0, 1]))
        mask = np.array([[0, 1, 1], [1, 1, 1]])
        for dtype in (bool, np.int64, np.uint8):
            same(positions.from_attention_mask(mask.astype(dtype)), [[-1, 0, 1], [0, 1, 2]])
        made = positions.from_attention_mask(jnp.asarray(mask))
        self.assertIsInstance(made, jnp.ndarray)
        same(positions.from_position_ids(np.array([[1, 0, 1], [0, 1, 2]]), mask), [[-1, 0, 1], [0, 1, 2]])
        same(positions.from_cu_seqlens(np.array([0, 2, 5])), ([0, 1, 0, 1, 2], [0, 0, 1, 1, 1]))
        out = np.empty(4, np.int64)
        self.assertIs(positions.consecutive(5, out=out), out)
        same(out, [5, 6, 7, 8])

    def test_a_ring_wraps(self):
        ring = positions.Ring(4, longest_chunk=3)
        np.testing.assert_array_equal(ring.positions, [-1] * 6)
        ring.append(3)
        ring.append(3)
        ring.append(1)
        np.testing.assert_array_equal(ring.positions, [6, 1, 2, 3, 4, 5])
        self.assertEqual(ring.tokens, 7)
        ring = positions.Ring(4, longest_chunk=1, sinks=1, slots=np.empty(9, np.int64))
        for _ in range(12):
            ring.append(1)
        self.assertEqual(ring.positions[0], 0)
        ring.trim(11)
        self.assertEqual(ring.tokens, 11)


class Programs(unittest.TestCase):
    def test_the_command_is_a_module(self):
        run = lambda *given: subprocess.run([sys.executable, "-m", "axismask", *given], capture_output=True, text=True, check=False)
        self.assertEqual(run("--version").stdout.split()[-1], axismask.__version__)
        self.assertIn("layers.25", run("inspect", str(GEMMA)).stdout)
        refused = run("inspect", "no.json")
        self.assertEqual(refused.returncode, 2)
        self.assertTrue(refused.stderr.startswith("axismask: error["))

    def test_other_libraries_are_imported_when_they_are_asked_for(self):
        code = "import axismask, sys; print(sorted({'jax', 'torch', 'penzai', 'transformers', 'ml_dtypes'} & set(sys.modules)))"
        printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        self.assertEqual(printed.strip(), "[]")

    def test_threads_call_at_once(self):
        places = np.arange(700, dtype=np.int32)
        layer = MODEL.layer("window")
        wanted = layer.mask("seq kv_seq", token_positions=places)
        wrong = []

        def calls():
            for _ in range(20):
                if not np.array_equal(layer.mask("seq kv_seq", threads=1, token_positions=places), wanted):
                    wrong.append(1)
                try:
                    layer.mask("seq", token_positions=places)
                    wrong.append(2)
                except axismask.Error as error:
                    if "kv_seq" not in str(error):
                        wrong.append(str(error))

        threads = [threading.Thread(target=calls) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main()
