"""axismask.jax on one device: the same bits as axismask by itself under jit, vmap and donation; derivatives; errors."""

import subprocess
import sys
import tempfile
import unittest
import unittest.mock

import jax
import jax.numpy as jnp
import numpy as np
from jax_cases import KEYS, Case, cases, layer, logits, same, schema

import axismask
import axismask.jax
from axismask.jax import _describe, _primitives

AXES = "batch heads seq kv_seq"
WINDOW = {"type": "ApplyCausalSlidingWindowAttentionMask", "sliding_window_size": 4}


def jit_apply(of_layer, axes=AXES, **options):
    return jax.jit(lambda x, inputs: axismask.jax.apply(of_layer, x, axes, **inputs), **options)


def with_jit(case: Case, x, axes=AXES):
    """The case's layer on x, compiled, with its side inputs as arguments of the program."""
    names = {name: of_one for name, (_, of_one) in case.inputs.items()}

    @jax.jit
    def program(x, arrays):
        return axismask.jax.apply(case.layer(), x, axes, **{n: (arrays[n], names[n]) for n in names})

    return program(x, {name: array for name, (array, _) in case.inputs.items()})


class Masks(unittest.TestCase):
    def test_every_kind_of_layer_gives_the_bits_of_a_plain_call(self):
        for name, case in cases().items():
            for dtype in ("float32", "bfloat16", "float16"):
                with self.subTest(name, dtype=dtype):
                    x = logits(dtype)
                    x[0, 0, 0, 0], x[0, 0, 1, 15] = np.nan, np.inf
                    want = case.layer().apply(x, AXES, **case.inputs)
                    self.assertFalse(same(want, x), "it masks something")
                    self.assertTrue(same(np.asarray(with_jit(case, x)), want))
                    self.assertTrue(same(np.asarray(axismask.jax.apply(case.layer(), x, AXES, **case.inputs)), want))

    def test_64_bits_where_jax_has_them(self):
        far = 2**40 + np.arange(16)
        one = layer(type="ApplyCausalSlidingWindowAttentionMask",
                    sliding_window_size={"axis": "heads", "values": [2, 2**35]})
        x = logits("float64", (2, 16, 16))
        want = one.apply(x, "heads seq kv_seq", token_positions=(far, "seq"))
        with jax.enable_x64(True):
            got = axismask.jax.apply(one, x, "heads seq kv_seq", token_positions=far)
            self.assertTrue(same(np.asarray(got), want))
        with self.assertRaisesRegex(axismask.Error, "numbers along heads: it has numbers beyond 32 bits"):
            axismask.jax.apply(one, np.float32(x), "heads seq kv_seq", token_positions=np.arange(16))

    def test_masks_are_those_of_applying(self):
        for name, case in cases().items():
            with self.subTest(name):
                kept = np.asarray(case.layer().apply(np.zeros((3, 4, 12, 16), np.float32), AXES, **case.inputs)) == 0
                sizes = {"batch": 3, "heads": 4, "seq": 12, "kv_seq": 16}
                got = jax.jit(lambda case=case: axismask.jax.mask(case.layer(), AXES, sizes=sizes, **case.inputs))()
                self.assertEqual(got.dtype, bool)
                self.assertTrue((np.asarray(got) == kept).all())
                added = axismask.jax.mask(case.layer(), AXES, sizes=sizes, dtype=jnp.bfloat16, masked="lowest",
                                          **case.inputs)
                lowest = float(jnp.finfo(jnp.bfloat16).min)
                self.assertTrue((np.asarray(added, np.float32) == np.where(kept, 0, lowest)).all())
                # As on a card, where the library writes none.
                with unittest.mock.patch.object(_primitives.mask_p, "bind", _primitives.mask_by_applying):
                    for dtype, wanted in ((bool, kept), (jnp.bfloat16, np.where(kept, 0, lowest))):
                        got = axismask.jax.mask(case.layer(), AXES, sizes=sizes, dtype=dtype, masked="lowest", **case.inputs)
                        self.assertEqual(got.dtype, dtype)
                        self.assertTrue((np.asarray(got, np.float32) == wanted).all())

    def test_sizes_come_from_side_inputs_where_they_say_them(self):
        case = cases()["window for each head"]
        self.assertEqual(axismask.jax.mask(case.layer(), AXES, **case.inputs).shape, (3, 4, 12, 16))
        with self.assertRaises(axismask.Error) as told:
            axismask.jax.mask(case.layer(), "batch copies heads seq kv_seq", **case.inputs)
        self.assertEqual(str(told.exception), 'axismask: error[axis-size] sizes.copies: it is not given, and no side '
                                              'input has it; give sizes={"copies": ...}')

    def test_what_it_knows_of_side_inputs_is_what_the_schema_says(self):
        definitions = schema()["definitions"]
        types = {name for name in definitions if name.startswith("Apply")}
        self.assertEqual(set(_describe.SIDE_INPUTS), types)
        for name in types:
            fields = {field for field in definitions[name]["properties"] if field.endswith("_input_name")}
            self.assertEqual({field for field, _, _ in _describe.SIDE_INPUTS[name]}, fields)
            for field, along, default in _describe.SIDE_INPUTS[name]:
                text = definitions[name]["properties"][field]
                if "$ref" in text:
                    text = definitions[text["$ref"].rsplit("/", 1)[1]]
                self.assertEqual(text["default"], default, f"{name}.{field}")
                expected = {"query": "of the queries|queries'", "keys": "of the keys|keys'", "any": "over any axes"}[along]
                self.assertRegex(text["description"], expected, f"{name}.{field}")

    def test_groups_are_taken_apart(self):
        spec = {"axismask": 1, "model": "groups",
                "masks": {"near": {**WINDOW, "masked_out_value": -1.0},
                          "far": {"type": "ApplyCausalAttentionMask", "masked_out_value": -2.0}},
                "layers": [{"name": "first", "type": "ApplyCausalAttentionMask", "masked_out_value": -3.0},
                           {"name": "layers.{}", "count": 5, "pattern": ["near", "near", "far"]}]}
        x = logits(shape=(16, 16))
        for one in axismask.parse(spec).layers:
            want = one.apply(x, "seq kv_seq", token_positions=(KEYS, "seq"))
            self.assertTrue(same(np.asarray(axismask.jax.apply(one, x, "seq kv_seq", token_positions=KEYS)), want))


class Transforms(unittest.TestCase):
    def setUp(self):
        self.case = cases()["window"]
        self.x = logits()
        self.at, self.keys_at = (array for array, _ in self.case.inputs.values())
        self.want = self.case.layer().apply(self.x, AXES, **self.case.inputs)

    def one(self, x, at, keys_at, axes="heads seq kv_seq"):
        return axismask.jax.apply(self.case.layer(), x, axes, at=at, keys_at=keys_at)

    def test_vmap_is_one_call_over_one_more_axis(self):
        batched = jax.vmap(self.one)
        self.assertTrue(same(np.asarray(batched(self.x, self.at, self.keys_at)), self.want))
        text = str(jax.make_jaxpr(batched)(self.x, self.at, self.keys_at))
        self.assertEqual(text.count("= axismask_apply["), 1)
        self.assertNotIn("scan", text)
        self.assertNotIn("while", text)

    def test_vmap_over_any_axis_and_over_positions_alone(self):
        heads_last = jax.vmap(lambda x, at, keys: self.one(x, at, keys, "seq kv_seq"), (2, None, None), 2)
        twice = jax.vmap(heads_last)(np.moveaxis(self.x, 1, -1), self.at, self.keys_at)
        self.assertTrue(same(np.moveaxis(np.asarray(twice), -1, 1), self.want))
        shared = jax.vmap(self.one, (None, 0, 0))(self.x[0], self.at, self.keys_at)
        for i in range(3):
            want = self.case.layer().apply(self.x[:1], AXES, at=(self.at[i], "seq"), keys_at=(self.keys_at[i], "seq"))
            self.assertTrue(same(np.asarray(shared[i]), want[0]))

    def test_vmap_of_masks_and_attention(self):
        masks = jax.vmap(lambda at, keys: axismask.jax.mask(self.case.layer(), "seq kv_seq", at=at, keys_at=keys))
        self.assertTrue((np.asarray(masks(self.at, self.keys_at)) == (self.want[:, 0] == self.x[:, 0])).all())
        q, k = logits(shape=(3, 12, 8)), logits(shape=(3, 16, 8), seed=1)

        def attend(q, k, at, keys_at):
            return axismask.jax.attend(self.case.layer(empty_rows="zeros"), q, "seq projection", k, "kv_seq projection",
                                       k, "kv_seq projection", at=at, keys_at=keys_at)

        got = jax.vmap(attend)(q, k, self.at, self.keys_at)
        for i in range(3):
            self.assertTrue(np.allclose(got[i], attend(q[i], k[i], self.at[i], self.keys_at[i]), atol=1e-6))

    def test_donated_logits_are_masked_where_they_are(self):
        x = jax.device_put(np.random.default_rng(0).normal(size=(4, 512, 512)).astype(np.float32))
        want = np.asarray(axismask.jax.apply(layer(**WINDOW), x, "heads seq kv_seq", token_positions=np.arange(512)))
        program = jax.jit(lambda x, at: axismask.jax.apply(layer(**WINDOW), x, "heads seq kv_seq", token_positions=at),
                          donate_argnums=0)
        at = jnp.arange(512)
        compiled = program.lower(x, at).compile()
        self.assertNotIn("copy(", compiled.as_text())
        self.assertEqual(compiled.memory_analysis().temp_size_in_bytes // x.nbytes, 0, "no room for a copy")
        where = x.unsafe_buffer_pointer()
        got = compiled(x, at)
        self.assertEqual(got.unsafe_buffer_pointer(), where)
        self.assertTrue(x.is_deleted())
        self.assertTrue(same(np.asarray(got), want))

    def test_logits_that_are_not_donated_stay(self):
        x = jnp.asarray(self.x)
        for call in (with_jit, lambda case, x: axismask.jax.apply(case.layer(), x, AXES, **case.inputs)):
            self.assertTrue(same(np.asarray(call(self.case, x)), self.want))
            self.assertTrue(same(np.asarray(x), self.x))

    def test_what_a_program_computes_is_masked_without_a_copy(self):
        q = logits(shape=(4, 64, 8))

        def program(q):
            return axismask.jax.apply(layer(**WINDOW), jnp.einsum("hqd,hkd->hqk", q, q), "heads seq kv_seq",
                                      token_positions=jnp.arange(64))

        self.assertNotIn("copy(", jax.jit(program).lower(q).compile().as_text())

    def test_a_program_holds_no_pointers_and_runs_in_another_process(self):
        with tempfile.TemporaryDirectory() as folder:
            program = jax.jit(lambda x: axismask.jax.apply(layer(**WINDOW), x, "seq kv_seq", token_positions=KEYS))
            x = logits(shape=(16, 16))
            allowed = [jax.export.DisabledSafetyCheck.custom_call("axismask_jax_apply")]
            exported = jax.export.export(program, disabled_checks=allowed)(x)
            with open(f"{folder}/program", "wb") as file:
                file.write(exported.serialize())
            np.savez(f"{folder}/case.npz", x=x, want=np.asarray(program(x)))
            other = ("import jax, numpy as np, axismask.jax; axismask.jax.register();"
                     f"case = np.load('{folder}/case.npz');"
                     f"program = jax.export.deserialize(bytearray(open('{folder}/program', 'rb').read()));"
                     "assert (np.asarray(program.call(case['x'])) == case['want']).all()")
            subprocess.run([sys.executable, "-c", other], check=True)


    def test_it_is_lowered_for_cuda_too(self):
        program = jax.jit(lambda x: axismask.jax.apply(layer(**WINDOW), x, "seq kv_seq", token_positions=KEYS))
        text = program.trace(logits(shape=(16, 16))).lower(lowering_platforms=("cuda",)).as_text()
        self.assertIn("stablehlo.custom_call @axismask_jax_apply(", text)


class Derivatives(unittest.TestCase):
    def test_of_masking_are_zero_where_it_masks(self):
        for name, case in cases().items():
            with self.subTest(name):
                x, change = logits(), logits(seed=5)
                of_layer = case.layer()
                kept = np.asarray(of_layer.apply(np.zeros_like(x), AXES, **case.inputs)) == 0
                program = jax.jit(lambda x, one=of_layer, case=case: axismask.jax.apply(one, x, AXES, **case.inputs))
                out, forward = jax.jvp(program, (x,), (change,))
                self.assertTrue(same(np.asarray(out), of_layer.apply(x, AXES, **case.inputs)))
                self.assertTrue(same(np.asarray(forward), np.where(kept, change, np.float32(0))))
                (backward,) = jax.vjp(program, x)[1](change)
                self.assertTrue(same(np.asarray(backward), np.where(kept, change, np.float32(0))))

    def test_second_derivatives(self):
        case, x = cases()["window"], logits()
        kept = np.asarray(case.layer().apply(np.zeros_like(x), AXES, **case.inputs)) == 0
        def cubes(x):
            return (axismask.jax.apply(case.layer(), x, AXES, **case.inputs) ** 3).sum()

        got = jax.jvp(jax.grad(cubes), (x,), (np.ones_like(x),))[1]
        self.assertTrue(np.allclose(got, np.where(kept, 6 * x, 0), rtol=1e-6))

    def test_of_grad_under_vmap(self):
        case, x = cases()["causal"], logits()
        kept = np.asarray(case.layer().apply(np.zeros_like(x), AXES, **case.inputs)) == 0
        each = jax.vmap(jax.grad(lambda x, at, keys_at: axismask.jax.apply(
            case.layer(), x, "heads seq kv_seq", at=at, keys_at=keys_at).sum()))
        arrays = [array for array, _ in case.inputs.values()]
        self.assertTrue((np.asarray(each(x, *arrays)) == kept).all())


class Errors(unittest.TestCase):
    def refuse(self, line, call):
        with self.assertRaises(axismask.Error) as told:
            call()
        self.assertEqual(str(told.exception), "axismask: " + line)

    def test_are_told_when_a_function_is_traced(self):
        x, at = jnp.zeros((4, 16, 16)), jnp.arange(16)
        apply = axismask.jax.apply
        one = layer(**WINDOW)
        axes = "heads seq kv_seq"
        self.refuse('error[axis-missing] logits: the logits have no axis "kv_seq"; they have "heads", "seq", "kv_sek"; '
                    'rename "kv_sek" to "kv_seq", or set the layer\'s kv_seq_axis to "kv_sek"',
                    lambda: jax.eval_shape(lambda x: apply(one, x, "heads seq kv_sek", token_positions=at), x))
        self.refuse('error[axis-size] token_positions: its axis "seq" has size 5, and that of the logits has 16; give one '
                    "element for each index of the logits' axis",
                    lambda: apply(one, x, axes, token_positions=at[:5]))
        self.refuse('error[side-input-unknown] tok: there is no side input "tok"; the layer takes "token_positions"; leave '
                    "it out, or give it the name that the layer uses", lambda: apply(one, x, axes, tok=at))
        with self.assertRaises(axismask.Error) as told:
            apply(one, x, axes)
        self.assertEqual(told.exception.id, "side-input-missing")
        with self.assertRaises(axismask.Error) as told:
            apply(one, x, axes, token_positions=at.astype(jnp.float32))
        self.assertEqual(told.exception.id, "positions-dtype")
        self.refuse("error[axis-count] logits: it has 3 axes, and names for 2; give each axis one name",
                    lambda: apply(one, x, "seq kv_seq", token_positions=at))
        self.refuse("error[array-axes] token_positions: it has 2 axes, whose names are not given; name them, "
                    'token_positions=(array, "... ...")', lambda: apply(one, x, axes, token_positions=at[None]))
        self.refuse('error[mask-value] masked: it is 3; give "-inf" or "lowest"',
                    lambda: axismask.jax.mask(one, "seq kv_seq", masked=3, token_positions=at))

    def test_of_values_come_when_the_program_runs(self):
        one = layer(type="ApplyCausalAttentionMask", empty_rows="error")
        with self.assertRaisesRegex(jax.errors.JaxRuntimeError, r"axismask: error\[empty-row\]"):
            jit_apply(one, "seq kv_seq")(jnp.zeros((2, 2)), {"token_positions": jnp.array([-1, 0])}).block_until_ready()

    def test_names_that_a_program_cannot_hold_are_refused(self):
        self.refuse("error[c-text] axes: 'kv\\tseq' is no name of an axis; give one without tabs and lines",
                    lambda: axismask.jax.apply(layer(**WINDOW), jnp.zeros((2, 2)), ("seq", "kv\tseq")))

    def test_positions_that_jax_would_cut_off_are_refused(self):
        at = np.array([0, 2**31])
        self.refuse("error[positions-dtype] token_positions: it has numbers beyond 32 bits, which JAX cuts off; set "
                    "jax_enable_x64, or give smaller numbers",
                    lambda: axismask.jax.apply(layer(**WINDOW), jnp.zeros((2, 2)), "seq kv_seq", token_positions=at))


if __name__ == "__main__":
    unittest.main()
