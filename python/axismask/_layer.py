"""A layer of a model: calls of it on logits, its masks, plans, forms, and attention."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from . import _arrays, _inputs, _native
from ._errors import Error
from ._plan import Plan

if TYPE_CHECKING:
    from ._model import Model

Axes = str | Sequence[str]
"""Names of an array's axes, outermost first: "heads seq kv_seq", or ("heads", "seq", "kv_seq")."""
Array = Any
"""An array of NumPy, torch, JAX, CuPy, or of a library with __dlpack__."""


class Layer:
    """A mask layer of a model; it keeps the model.

    Side inputs are keywords by the names that the layer gives them: `token_positions=(positions, "seq")`, an array of int32
    or int64 and the names of its axes. An array of positions or segment ids with one axis may stand alone: its axis is the
    layer's query or key axis.

    Attributes:
        name: of the layer in its model, "layers.0".
        type: the mask's, "ApplyCausalSlidingWindowAttentionMask".
        formula: what it keeps, of positions q and k: "q >= k && q - k < 512 && k >= 0".
        place: a JSON pointer into the spec.
        model: its model.
    """

    def __init__(self, model: Model, handle: int, name: str, type: str, formula: str, place: str) -> None:
        self.model = model
        self._handle = handle
        self.name = name
        self.type = type
        self.formula = formula
        self.place = place
        # Made at once: torch.compile reads them, and does not see how they are made.
        self._known_axes = _inputs.KnownAxes(self)
        self._text = json.dumps({"axismask": 1, "model": name, "layers": [{**self._mask, "name": name}]})

    def __repr__(self) -> str:
        return f"<axismask.Layer {self.name}: {self.type}, {self.formula}>"

    def to_json(self) -> str:
        """Returns the spec of a model that has this layer alone, under its name."""
        return self._text

    @property
    def _mask(self) -> dict[str, Any]:
        return self.model._masks[self.name]

    def _axes_of(self, name: str, array: Array) -> tuple[str, ...]:
        return _inputs.axes_of(self, name, array)

    def apply(self, logits: Array, axes: Axes, /, *, out: Array | None = None, plan: Plan | None = None, threads: int = 0,
              **inputs: Array | tuple[Array, Axes]) -> Array:
        """Masks logits: gives them where the layer keeps them, and its masked value elsewhere.

        Args:
            logits: float16, bfloat16, float32 or float64, of any strides.
            axes: the names of its axes; the layer's query and key axes are among them.
            out: where the result goes, of the logits' shape and dtype, which does not overlap them; or a pair of that and
                its axes, in any order. None: a new array of the logits' library, in C order.
            plan: of the same layer and side inputs. None: the call makes one.
            threads: at most so many work at once; 0: one for each processor.
            **inputs: the layer's side inputs.

        Returns:
            `out`, or the new array.

        Raises:
            Error: when an argument is wrong; nothing is written then.
        """
        if out is not None:
            _native.apply(self, logits, axes, out, plan, threads, inputs)
            return out[0] if isinstance(out, tuple) else out
        if type(logits) is np.ndarray:
            made = np.empty(logits.shape, logits.dtype)
            _native.apply(self, logits, axes, made, plan, threads, inputs)
            return made
        memory = _arrays.memory_for(logits, _arrays.shape_of(logits, "logits"))
        _native.apply(self, logits, axes, memory, plan, threads, inputs)
        return _arrays.finished(memory, logits)

    def apply_in_place(self, logits: Array, axes: Axes, /, *, plan: Plan | None = None, threads: int = 0,
                       **inputs: Array | tuple[Array, Axes]) -> Array:
        """Masks logits where they lie, as `apply`. Arrays that cannot be written, JAX's among them, are an Error.

        Returns:
            the logits.
        """
        _native.apply_in_place(self, logits, axes, plan, threads, inputs)
        return logits

    def mask(self, axes: Axes, /, *, sizes: Mapping[str, int] | None = None, dtype: Any = bool,
             masked: float | Literal["-inf", "lowest"] = "-inf", out: Array | None = None, like: Array | None = None,
             pad_keys: bool = False, threads: int = 0, **inputs: Array | tuple[Array, Axes]) -> Array:
        """Writes the mask itself.

        Args:
            axes: the axes that the mask is to have, as logits would.
            sizes: the sizes of those axes that no side input has; the key axis is as long as the query axis where
                nothing says how long it is.
            dtype: bool gives True where a logit is kept; a dtype of floats, of any library or as text, 0 there and
                `masked` elsewhere.
            masked: what floats have where logits are masked: -infinity, the dtype's lowest number, or a number.
            out: where the mask goes; its shape and dtype are taken then. None: a new array.
            like: an array of the library and on the device that the new one is to have. None: the first side input.
            pad_keys: the key axis of the mask may be longer than the keys; what is past them is masked.
            threads: as in `apply`.
        """
        kind, number = _masked(masked)
        if out is not None:
            _native.mask(self, out, axes, kind, number, int(pad_keys), threads, inputs)
            return out
        names = _names(axes, "axes")
        shape = self._sizes(names, sizes or {}, inputs)
        if like is None:
            like = next((one[0] if isinstance(one, tuple) else one for one in inputs.values()), np.empty(0))
        memory = _arrays.memory_for(like, shape, _arrays.dtype_name(dtype))
        _native.mask(self, memory, names, kind, number, int(pad_keys), threads, inputs)
        return _arrays.finished(memory, like)

    def _sizes(self, names: tuple[str, ...], sizes: Mapping[str, int], inputs: dict[str, Any]) -> tuple[int, ...]:
        known: dict[str, int] = {}
        for name, given in inputs.items():
            array, axes = given if isinstance(given, tuple) else (given, self._axes_of(name, given))
            known |= dict(zip(_names(axes, name), _arrays.shape_of(array, name)))
        known |= sizes
        for name in names:
            if name not in known and (same := self._known_axes.like.get(name)) in known:
                known[name] = known[same]
            if name not in known:
                raise Error("axis-size", "sizes", f'no side input says how long the axis "{name}" is',
                            f'give it, sizes={{"{name}": ...}}')
        return tuple(int(known[name]) for name in names)

    def plan(self, *, tile: tuple[int, int] = (128, 128), exact: bool = False,
             **inputs: Array | tuple[Array, Axes]) -> Plan:
        """Tells of each tile of the logits whether none, some or all of it is kept, without a dense mask.

        Args:
            tile: queries and keys of a tile.
            exact: "none" and "all" are proofs; with exact, "some" is a fact, too.
            **inputs: the layer's side inputs, in the host's memory.
        """
        return Plan(*_native.make_plan(self, *_tile(tile), exact, inputs))

    def spans(self, *, threads: int = 0, **inputs: Array | tuple[Array, Axes]) -> dict[str, np.ndarray]:
        """For each query the keys that it sees, as half-open ranges of indices.

        Returns:
            int64 arrays: row r, plane after plane, sees begins[i] to before ends[i] for i from starts[r] to
            starts[r + 1] - 1; shape has the sizes of the planes' axes, the queries, the keys.
        """
        return _arrays.taken(_native.spans(self, threads, inputs))

    def form(self, name: str, /, *, tile: tuple[int, int] = (128, 128), batch_axis: str = "batch", heads_axis: str = "heads",
             pages: Array | None = None, page_count: int = 0, **inputs: Array | tuple[Array, Axes]) -> dict[str, np.ndarray]:
        """The mask as another system takes it: "flex", "splash", "flashinfer-packed" and so on, docs/forms.md.

        Args:
            name: of the form; `axismask.forms()` lists them.
            tile: queries and keys of a tile, where the form has tiles.
            batch_axis, heads_axis: the names of the axes that are the target's.
            pages: int32 or int64, sequences by pages, -1 where there is none, for forms over pages.
            page_count: pages of the cache; 0: as many as the highest number in the table says.

        Returns:
            the arrays by the names that they have there.
        """
        return _arrays.taken(_native.form(self, name, _tile(tile), (batch_axis, heads_axis), (pages, page_count), inputs))

    def attend(self, queries: Array, q_axes: Axes, keys: Array, k_axes: Axes, values: Array, v_axes: Axes, /, *,
               out: Array | None = None, log_sum_exp: Any = None, scale: float | None = None, softcap: float | None = None,
               sinks: tuple[Array, Axes] | None = None, projection: str = "projection", plan: Plan | None = None,
               threads: int = 0, **inputs: Array | tuple[Array, Axes]) -> Array:
        """Attention with this mask: softmax(mask(scale * queries . keys)) . values, computed in float32.

        Args:
            queries: float32, float16 or bfloat16 in the host's memory; its axes are the mask's but its key axis, any
                others, and the projection.
            keys, values: the key axis, the projection, and any of the queries' other axes; those that they lack are shared.
            out: where the result goes, of the queries' axes with the values' projection; or a pair of that and its axes.
                None: a new array of the queries' library and dtype.
            log_sum_exp: True: also give the logarithm of each softmax's denominator, float32, of the queries' axes
                without the projection; or an array of that to write it to.
            scale: of the scores. None: the layer's spec's, or 1 / sqrt(projection).
            softcap: bounds scores before the mask. None: the spec's, or none.
            sinks: (array, axes), float32 over axes of the queries: a score that each softmax has besides. None: the spec's.
            projection: the name of that axis.
            plan, threads, **inputs: as in `apply`.

        Returns:
            the result, or (result, log_sum_exp) when that is True.
        """
        q_names = _names(q_axes, "queries")
        result, out_axes = out if isinstance(out, tuple) else (out, q_names)
        if out is None:
            shape = self._attended(queries, q_names, values, v_axes, projection)
            result = _arrays.memory_for(queries, shape)
        sum_axes = tuple(name for name in q_names if name != projection)
        sums = log_sum_exp
        if log_sum_exp is True:
            of = dict(zip(q_names, _arrays.shape_of(queries, "queries")))
            sums = _arrays.memory_for(queries, tuple(of[name] for name in sum_axes), "float32")
        elif log_sum_exp is False:
            sums = None
        _native.attend(self, queries, q_names, keys, k_axes, values, v_axes, result, out_axes,
                       None if sums is None else (sums, sum_axes), sinks, (scale or 0.0, softcap or 0.0, projection), plan,
                       threads, inputs)
        if out is None:
            result = _arrays.finished(result, queries)
        return (result, _arrays.finished(sums, queries)) if log_sum_exp is True else result

    def _attended(self, queries: Array, q_names: tuple[str, ...], values: Array, v_axes: Axes,
                  projection: str) -> tuple[int, ...]:
        of_values = dict(zip(_names(v_axes, "values"), _arrays.shape_of(values, "values")))
        of_queries = dict(zip(q_names, _arrays.shape_of(queries, "queries")))
        return tuple(of_values.get(name, size) if name == projection else size for name, size in of_queries.items())


def _names(axes: Axes, argument: str) -> tuple[str, ...]:
    if isinstance(axes, str):
        return tuple(axes.replace(",", " ").split())
    if isinstance(axes, (tuple, list)):
        return tuple(axes)
    raise Error("argument-type", argument, f"its axes are a {type(axes).__name__}",
                'give their names as one str, "heads seq kv_seq", or as a tuple of str')


def _tile(tile: tuple[int, int]) -> tuple[int, int]:
    if isinstance(tile, (tuple, list)) and len(tile) == 2:
        return tile[0], tile[1]
    raise Error("argument-type", "tile", f"it is {tile!r}", "give queries and keys of a tile, (128, 128)")


def _masked(masked: float | str) -> tuple[int, float]:
    if masked == "-inf":
        return 0, 0.0
    if masked == "lowest":
        return 1, 0.0
    if isinstance(masked, str):
        raise Error("argument-type", "masked", f'it is "{masked}"', 'give "-inf", "lowest" or a number')
    return 2, float(masked)


def forms() -> list[tuple[str, str, bool, bool]]:
    """Lists the forms that `Layer.form` writes: (name, for which system, whether it has tiles, whether it has pages)."""
    return _native.forms()
