"""penzai's entrants for gpu.py."""

import os

os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # the card's memory is torch's and ours, too

import jax
import jax.numpy as jnp

from devices import Entrant, wall_nanoseconds
from peer_penzai import element_type, jax_bits, penzai_function

SAYS = "wall clock: jax has no events"


def penzai_entrants(device, case, source, copies):
    found = jax.devices()[0].platform
    if found != {"cuda": "gpu", "cpu": "cpu"}[device]:
        raise RuntimeError(f"jax finds no card that it can use, and would run on: {found}")
    apply = penzai_function(case)
    query, key = jnp.array(case.query_positions), jnp.array(case.kv_positions)

    def copies_of_source():
        return [jnp.array(source.view(element_type(case)), copy=True) for _ in range(copies)]

    def entrant(name, run, result, allocates=False):
        return Entrant(name, "peer", run, wall_nanoseconds, result, allocates=allocates, says=SAYS)

    x = copies_of_source()  # in place, each call's result takes the place of its logits
    if case.in_place:
        donated = jax.jit(apply, donate_argnums=0)

        def run_donated(rounds):
            for _ in range(rounds):
                for copy in range(copies):
                    x[copy] = donated(x[copy], query, key)
            jax.block_until_ready(x)

        def result_donated():
            x[0] = donated(x[0], query, key)
            return jax_bits(x[0])

        return [entrant("penzai_jit_donated", run_donated, result_donated)]

    plain = jax.jit(apply)

    def run_plain(rounds):
        for _ in range(rounds):
            for one in x:
                result = plain(one, query, key)
        jax.block_until_ready(result)  # the last of them, and they are done in order

    # The memory of a result that is no longer wanted is given to the next.
    into = jax.jit(lambda x, query, key, old: apply(x, query, key), donate_argnums=3, keep_unused=True)
    out = copies_of_source()

    def run_into(rounds):
        for _ in range(rounds):
            for copy in range(copies):
                out[copy] = into(x[copy], query, key, out[copy])
        jax.block_until_ready(out)

    def result_into():
        out[0] = into(x[0], query, key, out[0])
        return jax_bits(out[0])

    return [entrant("penzai_jit", run_plain, lambda: jax_bits(plain(x[0], query, key)), allocates=True),
            entrant("penzai_jit_into_donated", run_into, result_into)]
