"""Attention-mask layers, their plans and attention with them, by kernels that were compiled ahead of time.

    import axismask, numpy as np

    layer = axismask.parse({"axismask": 1, "model": "one", "layers": [{"name": "layers.0",
        "type": "ApplyCausalSlidingWindowAttentionMask", "masked_out_value": "lowest", "sliding_window_size": 4}]}).layers[0]
    masked = layer.apply(logits, "heads seq kv_seq", token_positions=(positions, "seq"))

Arrays are NumPy's, torch's, JAX's, CuPy's, or of any library with __dlpack__; none is copied. Axes have names, which are
given beside each array: "heads seq kv_seq", outermost first. `axismask.torch`, `axismask.transformers`, `axismask.jax` and
`axismask.penzai` are imported when they are asked for.
"""

from __future__ import annotations

import importlib
from typing import Any

from . import _native, positions
from ._errors import Error
from ._layer import Layer, forms
from ._model import Model, from_config, load, load_layers, parse
from ._plan import ALL, NONE, SOME, Plan

__version__ = _native.version()
__all__ = ["ALL", "Error", "Layer", "Model", "NONE", "Plan", "SOME", "forms", "from_config", "load", "load_layers", "parse",
           "positions"]

_OPTIONAL = ("jax", "penzai", "torch", "transformers")


def __getattr__(name: str) -> Any:
    if name in _OPTIONAL:
        return importlib.import_module("." + name, __name__)
    raise AttributeError(f"module 'axismask' has no attribute '{name}'")
