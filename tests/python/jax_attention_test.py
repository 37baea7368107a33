"""axismask.jax.attend: against float64 in NumPy, and its derivatives against those of the same formula in JAX."""

import unittest

import jax
import jax.numpy as jnp
import numpy as np
from jax_cases import cases, layer, logits

import axismask
import axismask.jax

Q, K = "batch kv_heads group seq projection", "batch kv_heads kv_seq projection"
SCORES = "batch kv_heads group seq kv_seq"


def arrays(dtype="float32"):
    """Queries of 2 x 2 heads, keys and values of 2, values with another projection."""
    return (logits(dtype, (3, 2, 2, 12, 8), 1), logits(dtype, (3, 2, 16, 8), 2), logits(dtype, (3, 2, 16, 6), 3))


def formula(kept, q, k, v, masked=-1e4, scale=None, softcap=0.0, sinks=None, zeros=False):
    """Attention and the logarithm of its denominators, in JAX, of float64 where that is switched on."""
    scores = jnp.einsum("bkgqd,bksd->bkgqs", q, k) * (scale or q.shape[-1] ** -0.5)
    if softcap:
        scores = softcap * jnp.tanh(scores / softcap)
    scores = jnp.where(kept, scores, masked)
    if zeros:
        scores = jnp.where(kept, scores, -jnp.inf)
    extra = jnp.full(scores.shape[:-1] + (1,), -jnp.inf)
    if sinks is not None:
        extra = jnp.broadcast_to(sinks[None, :, None, None, None], extra.shape)
    both = jnp.concatenate([scores, extra], -1)
    empty = (both == -jnp.inf).all(-1, keepdims=True)
    weights = jax.nn.softmax(jnp.where(empty, 0.0, both), axis=-1)[..., :-1]
    out = jnp.einsum("bkgqs,bksd->bkgqd", jnp.where(empty, 0.0, weights), v)
    return out, jax.nn.logsumexp(both, axis=-1)


def with_layer(one, case, q, k, v, **options):
    return axismask.jax.attend(one, q, Q, k, K, v, K, **options, **case.inputs)


def kept_by(case):
    zeros = np.zeros((3, 2, 2, 12, 16), np.float32)
    return np.asarray(case.layer(masked_out_value=1.0).apply(zeros, SCORES, **case.inputs)) == 0


def without_heads():
    """The cases of attention whose numbers do not lie along heads, which are two axes here."""
    found = {name: case for name, case in cases().items() if "heads" not in str(case.spec)}
    del found["explicit"]  # it has no key axis by itself
    return found


class Attention(unittest.TestCase):
    def check(self, got, want, tolerance):
        self.assertEqual(got.shape, want.shape)
        got, want = np.asarray(got, np.float64), np.asarray(want, np.float64)
        finite = np.isfinite(want)
        self.assertTrue((np.isfinite(got) == finite).all())
        self.assertLess(np.abs(got[finite] - want[finite]).max(), tolerance)

    def test_every_kind_of_layer_attends_as_the_formula_says(self):
        for name, case in without_heads().items():
            for dtype, tolerance in (("float32", 1e-5), ("bfloat16", 2e-2)):
                with self.subTest(name, dtype=dtype):
                    q, k, v = arrays(dtype)
                    program = jax.jit(lambda q, k, v, case=case: with_layer(case.layer(), case, q, k, v,
                                                                            log_sum_exp=True))
                    out, sums = program(q, k, v)
                    self.assertEqual((out.dtype, sums.dtype), (q.dtype, jnp.float32))
                    wide = [x.astype(np.float32) for x in (q, k, v)]
                    for got, want in zip((out, sums), formula(kept_by(case), *wide)):
                        self.check(got, want, tolerance)

    def test_it_is_what_axismask_by_itself_gives(self):
        case, (q, k, v) = cases()["window"], arrays()
        want = case.layer().attend(q, Q, k, K, v, K, **case.inputs)
        self.assertTrue((np.asarray(with_layer(case.layer(), case, q, k, v)) == np.asarray(want)).all())

    def test_scale_softcap_and_sinks_are_the_layers_or_the_callers(self):
        case, (q, k, v) = cases()["window"], arrays()
        sinks = np.array([0.5, -1.0], np.float32)
        attention = {"scale": 0.5, "softcap": 5.0, "sinks": {"axis": "kv_heads", "values": sinks.tolist()}}
        want = formula(kept_by(case), q, k, v, scale=0.5, softcap=5.0, sinks=sinks)
        of_layer = with_layer(case.layer(attention=attention), case, q, k, v, log_sum_exp=True)
        of_caller = with_layer(case.layer(), case, q, k, v, log_sum_exp=True, scale=0.5, softcap=5.0,
                               sinks=(sinks, "kv_heads"))
        for got in (of_layer, of_caller):
            self.check(got[0], want[0], 1e-5)
            self.check(got[1], want[1], 1e-5)

    def test_rows_that_see_nothing_are_zero_if_the_layer_says_so(self):
        case, (q, k, v) = cases()["window"], arrays()
        kept = kept_by(case)
        self.assertTrue((~kept.any(-1)).any(), "there is such a row")
        got = with_layer(case.layer(empty_rows="zeros"), case, q, k, v, log_sum_exp=True)
        want = formula(kept, q, k, v, zeros=True)
        self.check(got[0], want[0], 1e-5)
        self.check(got[1], want[1], 1e-5)

    def test_derivatives_are_those_of_the_formula(self):
        options = {"plain": {}, "empty rows": {"zeros": True}, "softcap": {"softcap": 3.0, "scale": 0.7},
                   "sinks": {"sinks": np.array([0.3, 1.0], np.float32)}}
        case, given = cases()["window"], arrays()
        weights = logits(shape=(3, 2, 2, 12, 6), seed=9)
        sums_weights = logits(shape=(3, 2, 2, 12), seed=10)

        def total(found):
            out, sums = found
            return (out * weights).sum() + (jnp.where(jnp.isfinite(sums), sums, 0) * sums_weights).sum()

        for name, of_formula in options.items():
            with self.subTest(name):
                ours = dict(of_formula)
                one = case.layer(**({"empty_rows": "zeros"} if ours.pop("zeros", False) else {}))
                sinks = ours.pop("sinks", None)

                def mine(q, k, v, s, one=one, ours=ours):
                    more = {} if s is None else {"sinks": (s, "kv_heads")}
                    return total(with_layer(one, case, q, k, v, log_sum_exp=True, **ours, **more))

                def theirs(q, k, v, s, of_formula=of_formula):
                    return total(formula(kept_by(case), q, k, v, **{**of_formula, "sinks": s}))

                which = (0, 1, 2) if sinks is None else (0, 1, 2, 3)
                got = jax.jit(jax.grad(mine, which))(*given, sinks)
                for a, b in zip(got, jax.grad(theirs, which)(*given, sinks)):
                    self.check(a, b, 1e-4)

    def test_forward_derivatives_and_under_vmap(self):
        case, (q, k, v) = cases()["causal"], arrays()
        change = logits(shape=q.shape, seed=4)
        got = jax.jvp(lambda q: with_layer(case.layer(), case, q, k, v), (q,), (change,))[1]
        want = jax.jvp(lambda q: formula(kept_by(case), q, k, v)[0], (q,), (change,))[1]
        self.check(got, want, 1e-4)
        each = jax.vmap(jax.grad(lambda q: with_layer(case.layer(), case, q, k, v).sum()))
        both = np.stack([q, change])
        want = jnp.stack([jax.grad(lambda q: formula(kept_by(case), q, k, v)[0].sum())(one) for one in both])
        self.check(each(both), want, 1e-4)

    def test_it_is_for_processors(self):
        case, (q, k, v) = cases()["causal"], arrays()
        program = jax.jit(lambda q: with_layer(case.layer(), case, q, k, v)).trace(q)
        with self.assertRaisesRegex(NotImplementedError, "axismask_attend.*cuda"):
            program.lower(lowering_platforms=("cuda",))

    def test_mistakes_are_told_when_it_is_traced(self):
        case, (q, k, v) = cases()["causal"], arrays()
        with self.assertRaises(axismask.Error) as told:
            axismask.jax.attend(case.layer(), q, Q, k[..., :7], K, v, K, **case.inputs)
        self.assertEqual(told.exception.id, "attention-axes")
        with self.assertRaises(axismask.Error) as told:
            axismask.jax.attend(case.layer(), q.astype(np.int32), Q, k, K, v, K, **case.inputs)
        self.assertEqual(told.exception.id, "attention-dtype")
        with self.assertRaises(axismask.Error) as told:
            axismask.jax.attend(layer(type="ApplyCausalAttentionMask"), q, Q, k, K, v, K)
        self.assertEqual(told.exception.id, "side-input-missing")


if __name__ == "__main__":
    unittest.main()
