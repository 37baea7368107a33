"""axismask.penzai: the layers are penzai's bit for bit, in models too; what differs on purpose; how they are shown."""

import unittest

import jax
import jax.numpy as jnp
import numpy as np
import penzai_model
import treescope
from jax_cases import logits, same
from penzai import pz
from penzai.models.transformer import sampling_mode

import axismask
import axismask.penzai as ours

NAMES = ("batch", "seq", "vocabulary")
MASKED = -2.3819763e38
PAIRS = ((pz.nn.ApplyExplicitAttentionMask, ours.ApplyExplicitAttentionMask),
         (pz.nn.ApplyCausalAttentionMask, ours.ApplyCausalAttentionMask),
         (pz.nn.ApplyCausalSlidingWindowAttentionMask, ours.ApplyCausalSlidingWindowAttentionMask))


def same_named(one, other, names=NAMES):
    return same(np.asarray(one.unwrap(*names)), np.asarray(other.unwrap(*names)))


class Layers(unittest.TestCase):
    AXES = ("batch", "heads", "seq", "kv_seq")

    def check(self, theirs, mine, dtype, **inputs):
        x = pz.nx.wrap(jnp.asarray(logits(dtype, (3, 4, 12, 16)))).tag(*self.AXES)
        inputs = {name: pz.nx.wrap(jnp.asarray(array)).tag(*axes) for name, (array, axes) in inputs.items()}
        inputs["another"] = pz.nx.wrap(jnp.zeros(3)).tag("batch")  # models hand every layer all side inputs
        want = theirs(x, **inputs)
        of_the_program = jax.jit(lambda x, inputs: mine(x, **inputs))
        of_an_argument = jax.jit(lambda layer, x, inputs: layer(x, **inputs))
        for got in (mine(x, **inputs), of_the_program(x, inputs), of_an_argument(mine, x, inputs)):
            self.assertTrue(same_named(got, want, self.AXES))

    def test_are_penzais_bit_for_bit(self):
        random = np.random.default_rng(0)
        for dtype in ("float32", "bfloat16"):
            for trial in range(3):
                with self.subTest(dtype=dtype, trial=trial):
                    q = (random.integers(-3, 20, (3, 12)).astype(np.int32), ("batch", "seq"))
                    k = (random.integers(-3, 20, (3, 16)).astype(np.int32), ("batch", "seq"))
                    names = {"query_positions_input_name": "q", "kv_positions_input_name": "k"}
                    self.check(PAIRS[1][0](MASKED, **names), PAIRS[1][1](MASKED, **names), dtype, q=q, k=k)
                    window = int(random.integers(1, 20))
                    self.check(PAIRS[2][0](MASKED, window, **names), PAIRS[2][1](MASKED, window, **names), dtype, q=q, k=k)
                    each = pz.nx.wrap(jnp.asarray(random.integers(1, 20, 4))).tag("heads")
                    self.check(PAIRS[2][0](MASKED, each, **names), PAIRS[2][1](MASKED, each, **names), dtype, q=q, k=k)
                    mask = (random.random((3, 12, 16)) < 0.5, ("batch", "seq", "kv_seq"))
                    self.check(PAIRS[0][0]("m", MASKED), PAIRS[0][1]("m", MASKED), dtype, m=mask)

    def test_other_names_views_and_anonymous_axes(self):
        names = {"seq_axis": "q", "kv_seq_axis": "k"}
        x = pz.nx.wrap(jnp.asarray(logits(shape=(5, 8, 3, 8)))).tag("k2", "q", "heads", "k").untag("k2")
        at = pz.nx.wrap(jnp.arange(8)).tag("q")
        for view in (x, x.tag("k2"), x.tag("k2").untag("heads", "q").tag("h", "q"), x.untag_prefix("heads")):
            want = PAIRS[2][0](-1.0, 3, **names)(view, token_positions=at)
            got = PAIRS[2][1](-1.0, 3, **names)(view, token_positions=at)
            self.assertEqual(dict(got.named_shape), dict(want.named_shape))
            self.assertEqual(got.positional_shape, want.positional_shape)
            order = sorted(want.named_shape)
            self.assertTrue(same(*(np.asarray(one.untag_prefix(*order).unwrap()) for one in (got, want))))

    def test_have_penzais_attributes_and_are_its_layers(self):
        for theirs, mine in PAIRS:
            self.assertTrue(issubclass(mine, theirs))
            self.assertEqual(mine.__name__, theirs.__name__)
            self.assertEqual([field for field in mine.__dataclass_fields__], [field for field in theirs.__dataclass_fields__])
        layer = PAIRS[2][1](-1e9, 512)
        self.assertEqual(jax.tree_util.tree_leaves(layer), [-1e9, 512])
        wider = layer.select().at(lambda one: one.sliding_window_size).set(1024)
        self.assertEqual(wider, PAIRS[2][1](-1e9, 1024))

    def test_the_masked_value_has_a_derivative(self):
        x = pz.nx.wrap(jnp.asarray(logits(shape=(8, 8)))).tag("seq", "kv_seq")
        at = pz.nx.wrap(jnp.arange(8)).tag("seq")
        weights = jnp.asarray(logits(shape=(8, 8), seed=1))

        def total(layer, x):
            return (layer(x, token_positions=at).unwrap("seq", "kv_seq") * weights).sum()

        got = jax.jit(jax.grad(total, (0, 1), allow_int=True))(PAIRS[2][1](-2.0, 3), x)
        want = jax.grad(total, (0, 1), allow_int=True)(PAIRS[2][0](-2.0, 3), x)
        self.assertTrue(np.allclose(got[0].masked_out_value, want[0].masked_out_value, rtol=1e-5))
        self.assertTrue(same_named(got[1], want[1], ("seq", "kv_seq")))

    def test_what_differs_is_told(self):
        x = pz.nx.wrap(jnp.zeros((8, 8))).tag("seq", "kv_seq")
        wide = pz.nx.wrap(jnp.zeros((2, 8), int)).tag("batch", "seq")
        at = pz.nx.wrap(jnp.arange(8)).tag("seq")
        for id, call in (("axis-foreign", lambda: PAIRS[1][1](-1.0)(x, token_positions=wide)),
                         ("parameter-value", lambda: PAIRS[2][1](-1.0, jnp.array([2, 3]))(x, token_positions=at)),
                         ("masked-value-range", lambda: PAIRS[1][1](-1e9)(x.astype(jnp.float16), token_positions=at)),
                         ("side-input-missing", lambda: PAIRS[1][1](-1.0)(x))):
            with self.subTest(id), self.assertRaises(axismask.Error) as told:
                call()
            self.assertEqual(told.exception.id, id)
        with self.assertRaisesRegex(axismask.Error, "sliding_window_size"):
            PAIRS[2][1](-1.0, 0)(x, token_positions=at)


class Models(unittest.TestCase):
    def test_a_model_gives_the_same_logits_bit_for_bit(self):
        for dtype, stack in ((jnp.float32, False), (jnp.float32, True), (jnp.bfloat16, False)):
            with self.subTest(dtype=dtype.__name__, stack=stack):
                theirs = penzai_model.gemma(dtype, stack)
                mine = ours.replace_masks(theirs)
                tokens, positions = penzai_model.prompts()
                if dtype == jnp.float32 and not stack:  # an operation at a time, which compiles each
                    self.assertTrue(same_named(*(model(tokens, token_positions=positions) for model in (mine, theirs))))
                closed = [jax.jit(lambda t, p, model=model: model(t, token_positions=p)) for model in (mine, theirs)]
                self.assertTrue(same_named(*(program(tokens, positions) for program in closed)))
                program = jax.jit(lambda model, values, t, p: pz.bind_variables(model, values)(t, token_positions=p))
                self.assertTrue(same_named(*(program(*pz.unbind_params(model, freeze=True), tokens, positions)
                                             for model in (mine, theirs))))

    def test_every_mask_is_replaced_and_nothing_else(self):
        theirs = penzai_model.gemma()
        mine = ours.replace_masks(theirs)
        for base, replaced in PAIRS[1:]:
            found = pz.select(mine).at_instances_of(base).get_sequence()
            self.assertEqual([type(one) for one in found], [replaced])
            self.assertEqual([one.attributes_dict() for one in found],
                             [one.attributes_dict() for one in pz.select(theirs).at_instances_of(base).get_sequence()])
        self.assertEqual(jax.tree_util.tree_structure(ours.replace_masks(mine)), jax.tree_util.tree_structure(mine))
        self.assertEqual(len(jax.tree_util.tree_leaves(mine)), len(jax.tree_util.tree_leaves(theirs)))

    def test_decoding_with_a_cache_gives_the_same_logits(self):
        tokens, _ = penzai_model.prompts()
        found = []
        for model in (penzai_model.gemma(), ours.replace_masks(penzai_model.gemma())):
            decoder = sampling_mode.KVCachingTransformerLM.from_uncached(model, cache_len=16, batch_axes={"batch": 3})
            steps = [decoder(tokens)]
            for i in range(3):
                steps.append(decoder(pz.nx.wrap(jnp.full((3, 1), 7 + i)).tag("batch", "seq")))
            found.append(steps)
        for mine, theirs in zip(*found):
            self.assertTrue(same_named(mine, theirs))


class Shown(unittest.TestCase):
    WINDOW = """\
ApplyCausalSlidingWindowAttentionMask(
  masked_out_value=-1000000000.0,
  sliding_window_size=3,
  query_positions_input_name='token_positions',
  kv_positions_input_name='token_positions',
  seq_axis='seq',
  kv_seq_axis='kv_seq',
  # queries down, keys across, positions 0 to 15
  # █···············
  # ██··············
  # ███·············
  # ·███············
  # ··███···········
"""

    def test_treescope_draws_the_mask(self):
        text = treescope.render_to_text(PAIRS[2][1](-1e9, 3))
        self.assertEqual(text[: len(self.WINDOW)], self.WINDOW)
        self.assertTrue(text.endswith("  # ·············███\n)"))
        long = treescope.render_to_text(PAIRS[2][1](-1e9, 4096))
        self.assertIn("# queries down, keys across, positions 0 to 7680, every 512th\n", long)
        causal = treescope.render_to_text(PAIRS[1][1](-1e9))
        self.assertTrue(causal.endswith("  # ████████████████\n)"))
        explicit = treescope.render_to_text(PAIRS[0][1]("mask", -1e9))
        self.assertNotIn("█", explicit)

    def test_a_model_is_shown_with_its_masks(self):
        html = treescope.render_to_html(ours.replace_masks(penzai_model.gemma()), compressed=False)
        self.assertTrue("███" in html and "queries down, keys across" in html)

    def test_a_traced_layer_is_shown_without(self):
        shown = []
        jax.jit(lambda layer: shown.append(treescope.render_to_text(layer)) or 0)(PAIRS[2][1](-1e9, 3))
        self.assertIn("sliding_window_size=", shown[0])
        self.assertNotIn("█", shown[0])


if __name__ == "__main__":
    unittest.main()
