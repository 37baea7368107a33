"""axismask.jax on a card: the bits of the processor, from arrays in the card's memory, in place where they are donated.

It needs a build with kernels for CUDA and a JAX with a CUDA device, and fails without.
"""

import time
import unittest

import jax
import jax.numpy as jnp
import numpy as np
from jax_cases import cases, layer, logits, same

import axismask.jax

AXES = "batch heads seq kv_seq"


def card():
    return jax.devices("cuda")[0]


def with_one_number(found):
    """The cases whose numbers are one each: those along an axis are not for a card."""
    return {name: case for name, case in found.items() if "values" not in str(case.spec)}


class Cuda(unittest.TestCase):
    def put(self, tree):
        return jax.device_put(tree, card())

    def test_every_kind_of_layer_gives_the_bits_of_the_processor(self):
        for name, case in with_one_number(cases()).items():
            for dtype in ("float32", "bfloat16", "float16"):
                with self.subTest(name, dtype=dtype):
                    x = logits(dtype)
                    want = case.layer().apply(x, AXES, **case.inputs)
                    axes = {key: of_one for key, (_, of_one) in case.inputs.items()}
                    program = jax.jit(lambda x, arrays, one=case.layer(), axes=axes: axismask.jax.apply(
                        one, x, AXES, **{key: (array, axes[key]) for key, array in arrays.items()}))
                    got = program(self.put(x), self.put({key: array for key, (array, _) in case.inputs.items()}))
                    self.assertEqual(got.devices(), {card()})
                    self.assertTrue(same(np.asarray(got), want))

    def test_masks(self):
        sizes = {"batch": 3, "heads": 4, "seq": 12, "kv_seq": 16}
        for name, case in with_one_number(cases()).items():
            with self.subTest(name):
                inputs = {key: (self.put(array), axes) for key, (array, axes) in case.inputs.items()}
                got = axismask.jax.mask(case.layer(), AXES, sizes=sizes, **inputs)
                kept = np.asarray(case.layer().apply(np.zeros((3, 4, 12, 16), np.float32), AXES, **case.inputs)) == 0
                self.assertTrue((np.asarray(got) == kept).all())

    def test_donated_logits_are_masked_where_they_are_in_the_order_of_the_program(self):
        one = layer(type="ApplyCausalSlidingWindowAttentionMask", sliding_window_size=100)
        x, at = logits(shape=(4, 512, 512)), np.arange(512, dtype=np.int32)
        program = jax.jit(lambda x, at: axismask.jax.apply(one, x + 1, "heads seq kv_seq", token_positions=at) * 2,
                          donate_argnums=0)
        want = np.asarray(one.apply(x + 1, "heads seq kv_seq", token_positions=(at, "seq"))) * 2
        for _ in range(20):
            self.assertTrue(same(np.asarray(program(self.put(x), self.put(at))), want))
        alone = jax.jit(lambda x, at: axismask.jax.apply(one, x, "heads seq kv_seq", token_positions=at), donate_argnums=0)
        given = self.put(x)
        where = given.unsafe_buffer_pointer()
        self.assertEqual(alone(given, self.put(at)).unsafe_buffer_pointer(), where)

    def test_what_is_not_for_a_card_is_refused(self):
        case = cases()["window for each head"]
        inputs = {key: (self.put(array), axes) for key, (array, axes) in case.inputs.items()}
        with self.assertRaisesRegex(jax.errors.JaxRuntimeError, "a layer's numbers are an array in a device's memory"):
            axismask.jax.apply(case.layer(), self.put(logits()), AXES, **inputs).block_until_ready()

    def test_time_beside_jnp(self):
        one = layer(type="ApplyCausalSlidingWindowAttentionMask", sliding_window_size=1024)
        at = self.put(np.arange(4096, dtype=np.int32))

        def formula(x, at):
            apart = at[:, None] - at
            return jnp.where((apart >= 0) & (apart < 1024) & (at >= 0), x, -1e4)

        def ours(x, at):
            return axismask.jax.apply(one, x, "heads seq kv_seq", token_positions=at)

        took = {}
        for name, function in (("ours", ours), ("jnp.where", formula)):
            program, x = jax.jit(function, donate_argnums=0), jnp.ones((32, 4096, 4096))
            x = program(self.put(x), at).block_until_ready()
            start = time.perf_counter()
            for _ in range(20):
                x = program(x, at)
            x.block_until_ready()
            took[name] = (time.perf_counter() - start) / 20 * 1e3
        print(f"{card().device_kind}, 32 x 4096 x 4096 float32 donated, window 1024:",
              ", ".join(f"{name} {ms:.2f} ms" for name, ms in took.items()))


if __name__ == "__main__":
    unittest.main()
