"""What a user of penzai writes for a case: the function that peers.py and gpu_peers.py give to jax.jit."""

import ml_dtypes
import numpy as np
from penzai import pz

from cases import MASKED


def element_type(case):
    return {"float32": np.dtype(np.float32), "bfloat16": np.dtype(ml_dtypes.bfloat16)}[case.dtype]


def jax_bits(array):
    array = np.asarray(array)
    return array.view(np.uint32 if array.itemsize == 4 else np.uint16)


def penzai_function(case):
    """The case's layer, as a function of arrays of logits, query positions and key positions."""
    names = dict(query_positions_input_name="query_positions", kv_positions_input_name="kv_positions")
    if case.window is None:
        layer = pz.nn.ApplyCausalAttentionMask(masked_out_value=MASKED, **names)
    else:
        layer = pz.nn.ApplyCausalSlidingWindowAttentionMask(
            masked_out_value=MASKED, sliding_window_size=case.window, **names)

    def named_positions(positions):
        return pz.nx.wrap(positions, *(["batch"] if positions.ndim == 2 else []), "seq")

    def apply(x, query, key):
        result = layer(pz.nx.wrap(x, *case.axes), query_positions=named_positions(query),
                       kv_positions=named_positions(key))
        return result.untag(*case.axes).unwrap()

    return apply
