"""axismask in JAX: layers under jit, vmap, grad and meshes, by handlers of XLA's FFI.

    import axismask, axismask.jax
    layer = axismask.load("model.json").layer("layers.0")

    @jax.jit
    def scores(q, k, positions):
        logits = jnp.einsum("hqd,hkd->hqk", q, k)
        return axismask.jax.apply(layer, logits, "heads seq kv_seq", token_positions=positions)

Arrays are JAX's, or NumPy's; a side input is `name=(array, "axes")`, or an array alone of one axis, if it is of positions or
segment ids. Errors are `axismask.Error` where names, sizes and dtypes say it, when the function is
traced; what depends on values ("empty_rows": "error") comes when it runs, as XLA's error with the same line in it.
"""

from __future__ import annotations

from ._api import apply, attend, mask
from ._ffi import register

__all__ = ["apply", "attend", "mask", "register"]
