"""penzai's layer under jit, by its own masks and by axismask.penzai's, on logits that are donated."""

import functools
import time

import jax
import jax.numpy as jnp
import numpy as np
from penzai import pz
from report import row_of
from turns import Contender, Failure, progress, take_turns

import axismask.penzai

WINDOW, MASKED = 1024, -2.3819763e38


class InPlace:
    """A layer compiled for logits that it may take over; each call has the result of the last one."""

    def __init__(self, layer, logits, positions):
        self.program = jax.jit(lambda x, positions: layer(x, **positions), donate_argnums=0)
        self.positions = positions
        self.given = logits
        self.logits = self.fresh()

    def fresh(self):
        return pz.nx.wrap(jnp.array(self.given)).tag("heads", "seq", "kv_seq")

    def time(self, calls):
        begin = time.perf_counter_ns()
        for _ in range(calls):
            self.logits = self.program(self.logits, self.positions)
            jax.block_until_ready(self.logits)
        return time.perf_counter_ns() - begin

    def result(self):
        self.logits = self.fresh()
        self.time(1)
        return np.asarray(self.logits.unwrap("heads", "seq", "kv_seq"))


def in_place(shape, name, small, seconds):
    logits = np.random.default_rng(0).standard_normal(shape, np.float32)
    keys = np.arange(shape[2], dtype=np.int32)
    positions = {"queries": pz.nx.wrap(keys[-shape[1]:]).tag("seq"), "keys": pz.nx.wrap(keys).tag("seq")}
    layers = {"axismask.penzai": axismask.penzai.ApplyCausalSlidingWindowAttentionMask(MASKED, WINDOW, "queries", "keys"),
              "penzai": pz.nn.ApplyCausalSlidingWindowAttentionMask(MASKED, WINDOW, "queries", "keys")}  # fmt: skip
    progress(f"{name}: comparing")
    programs = {which: InPlace(layer, logits, positions) for which, layer in layers.items()}
    ours, theirs = (program.result() for program in programs.values())
    if not np.array_equal(ours.view(np.uint32), theirs.view(np.uint32)):
        raise Failure(f"{name}: penzai has another result")
    del ours, theirs
    contenders = [
        Contender("axismask.penzai", programs["axismask.penzai"].time, kind="ours"),
        Contender("penzai", programs["penzai"].time, kind="peer", allocates=False, differs=None, says="jit, donated"),
    ]
    take_turns(name, contenders, small, seconds)
    return row_of(name, contenders)


CASES = {
    "penzai_in_place": functools.partial(in_place, (8, 4096, 4096), "penzai_in_place", False),
    "penzai_decode": functools.partial(in_place, (32, 1, 4096), "penzai_decode", True),
}
