"""axismask.jax over a mesh of 8 devices of one host: the bits of one device, and nothing gathered."""

import os
import unittest
import unittest.mock

os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=8"

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jax_cases import cases, layer, logits, same

import axismask.jax
from axismask.jax import _describe

P = PartitionSpec
AXES = "batch heads seq kv_seq"
COLLECTIVES = ("all-gather", "all-to-all", "all-reduce", "collective-permute", "reduce-scatter")


def mesh():
    return Mesh(np.array(jax.devices()).reshape(2, 2, 2), ("x", "y", "z"))


def put(array, *parts):
    return jax.device_put(array, NamedSharding(mesh(), P(*parts)))


def tiled(array):
    """A case's array with one sequence more, so that 8 devices can have equal parts of its axes: 4, 4, 12, 16."""
    array = np.asarray(array)
    return np.concatenate([array, array[-1:]]) if array.ndim and array.shape[0] == 3 else array


class Meshes(unittest.TestCase):
    def nothing_moves(self, compiled):
        text = compiled.as_text()
        self.assertEqual([one for one in COLLECTIVES if one in text], [])

    def test_there_are_eight_devices(self):
        self.assertEqual(len(jax.devices()), 8)

    def test_logits_of_every_layer_are_masked_where_they_are(self):
        cuts = {"heads": (None, "x"), "batch, heads": ("x", "y"), "queries": (None, None, "x"), "keys": (None,) * 3 + ("x",),
                "all": ("z", None, "x", "y"), "queries over two": ("x", None, ("y", "z")),
                "keys over all": (None, None, None, ("x", "y", "z"))}
        everything = ("window for each head", "a window in its document", "explicit", "left padding")
        for name, case in cases().items():
            inputs = {key: (tiled(array), axes) for key, (array, axes) in case.inputs.items()}
            names = {key: axes for key, (_, axes) in inputs.items()}
            x = logits(shape=(4, 4, 12, 16))
            one = case.layer()
            want = one.apply(x, AXES, **inputs)
            for cut in cuts if name in everything else ("all",):
                with self.subTest(name, cut=cut):
                    program = jax.jit(lambda x, arrays, one=one, names=names: axismask.jax.apply(
                        one, x, AXES, **{key: (array, names[key]) for key, array in arrays.items()}), donate_argnums=0)
                    arrays = {key: put(array) for key, (array, _) in inputs.items()}
                    sharded = put(x, *cuts[cut])
                    compiled = program.lower(sharded, arrays).compile()
                    self.nothing_moves(compiled)
                    self.assertNotIn("copy(", compiled.as_text())
                    before = [shard.data.unsafe_buffer_pointer() for shard in sharded.addressable_shards]
                    got = compiled(sharded, arrays)
                    self.assertEqual(got.sharding.spec, P(*cuts[cut]))
                    after = [shard.data.unsafe_buffer_pointer() for shard in got.addressable_shards]
                    self.assertEqual(before, after, "each device masks its part in place")
                    self.assertTrue(same(np.asarray(got), want))

    def test_positions_are_cut_as_what_they_lie_along(self):
        """With the queries' positions cut like the queries and the keys' like the keys nothing moves, either."""
        case = cases()["window"]
        x, (at, keys_at) = logits(shape=(4, 4, 12, 16)), [tiled(array) for array, _ in case.inputs.values()]
        program = jax.jit(lambda x, at, keys_at: axismask.jax.apply(
            case.layer(), x, AXES, at=(at, "batch seq"), keys_at=(keys_at, "batch seq")))
        arrays = put(x, "x", None, "y", "z"), put(at, "x", "y"), put(keys_at, "x", "z")
        compiled = program.lower(*arrays).compile()
        self.nothing_moves(compiled)
        want = case.layer().apply(x, AXES, at=(at, "batch seq"), keys_at=(keys_at, "batch seq"))
        self.assertTrue(same(np.asarray(compiled(*arrays)), want))

    def test_one_input_for_queries_and_keys_serves_every_cut(self):
        """Only these few positions are brought to where they are needed: never the logits."""
        one = layer(type="ApplyCausalSlidingWindowAttentionMask", sliding_window_size=5)
        x, at = logits(shape=(4, 16, 16)), np.arange(16, dtype=np.int32)
        program = jax.jit(lambda x, at: axismask.jax.apply(one, x, "heads seq kv_seq", token_positions=at))
        compiled = program.lower(put(x, None, "x", "y"), put(at, "x")).compile()
        for line in compiled.as_text().splitlines():
            if any(f" {collective}" in line for collective in COLLECTIVES):
                self.assertNotIn("f32", line)
        got = compiled(put(x, None, "x", "y"), put(at, "x"))
        self.assertTrue(same(np.asarray(got), one.apply(x, "heads seq kv_seq", token_positions=(at, "seq"))))

    def test_masks_are_written_in_parts(self):
        case = cases()["window for each head"]
        at, keys_at = (tiled(array) for array, _ in case.inputs.values())
        want = np.asarray(axismask.jax.mask(case.layer(), AXES, at=(at, "batch seq"), keys_at=(keys_at, "batch seq")))
        for cut in (("x", "y"), (None, "x", "y", "z"), (("x", "y"), None, None, "z")):
            with self.subTest(cut=cut):
                program = jax.jit(lambda at, keys_at: axismask.jax.mask(
                    case.layer(), AXES, at=(at, "batch seq"), keys_at=(keys_at, "batch seq")),
                    out_shardings=NamedSharding(mesh(), P(*cut)))
                compiled = program.lower(put(at), put(keys_at)).compile()
                self.nothing_moves(compiled)
                got = compiled(put(at), put(keys_at))
                self.assertEqual(got.sharding.spec, P(*cut))
                self.assertTrue((np.asarray(got) == want).all())

    def test_derivatives_are_cut_as_the_logits(self):
        case = cases()["causal"]
        x = logits(shape=(4, 4, 12, 16))
        inputs = {key: (tiled(array), axes) for key, (array, axes) in case.inputs.items()}
        program = jax.jit(jax.grad(lambda x: (axismask.jax.apply(case.layer(), x, AXES, **inputs) ** 2).sum()))
        compiled = program.lower(put(x, "x", None, "y", "z")).compile()
        self.nothing_moves(compiled)
        got = compiled(put(x, "x", None, "y", "z"))
        self.assertEqual(got.sharding.spec, P("x", None, "y", "z"))
        kept = np.asarray(case.layer().apply(np.zeros_like(x), AXES, **inputs)) == 0
        self.assertTrue((np.asarray(got) == np.where(kept, 2 * x, 0)).all())


class Attention(unittest.TestCase):
    Q, K = "batch heads seq projection", "batch heads kv_seq projection"

    def setUp(self):
        self.layer = layer(type="ApplyCausalSlidingWindowAttentionMask", empty_rows="zeros",
                           sliding_window_size={"axis": "heads", "values": [7, 60, 100, 1000]})
        self.q, self.k, self.v = (logits(shape=(4, 4, 512, 32), seed=seed) for seed in range(3))
        self.at = np.arange(512, dtype=np.int32) - 5 * np.arange(4, dtype=np.int32)[:, None]

    def program(self, q, k, v, at):
        return axismask.jax.attend(self.layer, q, self.Q, k, self.K, v, self.K, log_sum_exp=True,
                                   token_positions=(at, "batch seq"))

    def check(self, cut, of_keys, exact):
        want = jax.jit(self.program)(self.q, self.k, self.v, self.at)
        arrays = put(self.q, *cut), put(self.k, *of_keys), put(self.v, *of_keys), put(self.at)
        compiled = jax.jit(self.program).lower(*arrays).compile()
        text = compiled.as_text()
        self.assertEqual([one for one in COLLECTIVES if one in text], [])
        got = compiled(*arrays)
        self.assertEqual(got[0].sharding.spec, P(*cut))
        for ours, one_device in zip(got, want):
            if exact:
                self.assertTrue(same(np.asarray(ours), np.asarray(one_device)))
            else:
                self.assertTrue(np.allclose(ours, one_device, rtol=1e-6, atol=1e-6))

    def test_over_batch_and_heads(self):
        self.check(("x", "y"), ("x", "y"), exact=True)
        self.check((("x", "y"), "z"), (("x", "y"), "z"), exact=True)

    def test_over_queries(self):
        self.check(("x", None, "y"), ("x",), exact=True)
        self.check((None, "x", ("y", "z")), (None, "x"), exact=True)

    def test_parts_of_a_few_queries_take_other_kernels(self):
        """Not the same bits then: a part of 4 queries is computed as decoding is."""
        self.q = self.q[:, :, :32]
        one = layer(type="ApplyCausalSlidingWindowAttentionMask", sliding_window_size=100,
                    query_positions_input_name="at", kv_positions_input_name="keys_at")

        def program(q, k, v):
            return axismask.jax.attend(one, q, self.Q, k, self.K, v, self.K, at=jnp.arange(400, 432),
                                       keys_at=jnp.arange(512))

        want = jax.jit(program)(self.q, self.k, self.v)
        got = jax.jit(program)(put(self.q, None, None, ("x", "y", "z")), put(self.k), put(self.v))
        self.assertTrue(np.allclose(got, want, rtol=1e-6, atol=1e-6))

    def test_keys_that_are_cut_are_gathered(self):
        want = self.program(self.q, self.k, self.v, self.at)[0]
        got = jax.jit(self.program)(put(self.q, "x"), put(self.k, "x", None, "y"), put(self.v, "x", None, "y"), self.at)[0]
        self.assertTrue(same(np.asarray(got), np.asarray(want)))

    def test_values_may_be_cut_along_their_projection(self):
        arrays = put(self.q, "x"), put(self.k, "x"), put(self.v, "x", None, None, "y"), put(self.at)
        program = jax.jit(lambda *given: self.program(*given)[0])
        compiled = program.lower(*arrays).compile()
        self.assertEqual([one for one in COLLECTIVES if one in compiled.as_text()], [])
        got = compiled(*arrays)
        self.assertEqual(got.sharding.spec, P("x", None, None, "y"))
        self.assertTrue(np.allclose(got, self.program(self.q, self.k, self.v, self.at)[0], rtol=1e-6, atol=1e-6))


class OtherWays(unittest.TestCase):
    def setUp(self):
        self.case = cases()["window for each head"]
        self.x = logits(shape=(4, 4, 12, 16))
        self.at, self.keys_at = (tiled(array) for array, _ in self.case.inputs.values())
        self.want = self.case.layer().apply(self.x, AXES, at=(self.at, "batch seq"), keys_at=(self.keys_at, "batch seq"))

    def apply(self, one, x, at, keys_at):
        return axismask.jax.apply(one, x, AXES, at=(at, "batch seq"), keys_at=(keys_at, "batch seq"))

    def test_in_shard_map_each_device_calls_for_its_part(self):
        one = cases()["window"].layer()
        cut = P("x", None, "y", "z")
        program = jax.jit(jax.shard_map(lambda *given: self.apply(one, *given), mesh=mesh(), out_specs=cut,
                                        in_specs=(cut, P("x", "y"), P("x", "z"))))
        want = self.apply(one, self.x, self.at, self.keys_at)
        self.assertTrue(same(np.asarray(program(self.x, self.at, self.keys_at)), np.asarray(want)))

    def test_a_mesh_whose_cuts_are_in_the_types(self):
        explicit = jax.make_mesh((2, 2, 2), ("x", "y", "z"), axis_types=(jax.sharding.AxisType.Explicit,) * 3)
        with jax.set_mesh(explicit):
            x = jax.device_put(self.x, P("x", "y", None, "z"))
            program = jax.jit(lambda *given: self.apply(self.case.layer(), *given))
            got = program(x, self.at, self.keys_at)
            self.assertEqual(jax.typeof(got).sharding.spec, P("x", "y", None, "z"))
            self.assertTrue(same(np.asarray(got), self.want))

    def test_the_older_partitioner(self):
        jax.config.update("jax_use_shardy_partitioner", False)
        try:
            compiled = jax.jit(lambda *given: self.apply(self.case.layer(), *given)).lower(
                put(self.x, "x", "y", None, "z"), put(self.at), put(self.keys_at)).compile()
            self.assertEqual([one for one in COLLECTIVES if one in compiled.as_text()], [])
            got = compiled(put(self.x, "x", "y", None, "z"), put(self.at), put(self.keys_at))
            self.assertTrue(same(np.asarray(got), self.want))
        finally:
            jax.config.update("jax_use_shardy_partitioner", True)

    def test_parts_that_are_not_even(self):
        one = cases()["window"].layer()
        program = jax.jit(lambda x, at, keys_at: self.apply(one, jax.lax.with_sharding_constraint(
            jnp.concatenate([x, x[:, :1]], 1), NamedSharding(mesh(), P(None, "y", "x"))), at, keys_at))
        got = program(put(self.x, None, "y", "x"), put(self.at), put(self.keys_at))
        want = self.apply(one, np.concatenate([self.x, self.x[:, :1]], 1), self.at, self.keys_at)
        self.assertTrue(same(np.asarray(got), np.asarray(want)))

    def test_a_type_that_does_not_ship_is_right_and_gathered(self):
        """It is not known what its inputs lie along."""
        _describe.describe.cache_clear()
        with unittest.mock.patch.dict(_describe.SIDE_INPUTS):
            del _describe.SIDE_INPUTS["ApplyCausalSlidingWindowAttentionMask"]
            one = self.case.layer()
            compiled = jax.jit(lambda *given: self.apply(one, *given)).lower(
                put(self.x, "x", "y", None, "z"), self.at, self.keys_at).compile()
            self.assertIn("all-gather", compiled.as_text())
            self.assertTrue(same(np.asarray(compiled(put(self.x, "x", "y", None, "z"), self.at, self.keys_at)), self.want))


if __name__ == "__main__":
    unittest.main()
