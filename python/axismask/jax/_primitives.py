"""apply, mask and attend as primitives of JAX: their shapes, batching, derivatives and lowering."""

from __future__ import annotations

import dataclasses
import functools

import jax
import jax.numpy as jnp
from jax._src import dispatch
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from . import _ffi, _reference, _sharding


def _make(name: str) -> Primitive:
    primitive = Primitive(name)
    primitive.multiple_results = True

    @functools.partial(jax.jit, static_argnames="call")
    def compiled(*operands, call):
        return primitive.bind(*operands, call=call)

    def run_now(*operands, call):
        # Outside of jit the logits stay the caller's: in place would be after a copy of them.
        return compiled(*operands, call=dataclasses.replace(call, in_place=False))

    primitive.def_impl(run_now)
    return primitive


apply_p = _make("axismask_apply")
mask_p = _make("axismask_mask")
attend_p = _make("axismask_attend")


@apply_p.def_abstract_eval
def _apply_shape(logits, *_, call):
    del call
    return [logits.update(weak_type=False)]


def _varying(aval) -> int:
    """In shard_map, over how many axes of the mesh an array varies; JAX 0.10 has renamed where that stands."""
    return len(aval.mat.varying if hasattr(aval, "mat") else aval.vma)


def _shaped(call: _ffi.Call, operands, axes: tuple[str, ...], shape: tuple[int, ...], dtype):
    """An array of these axes, each cut over an explicit mesh as the first operand that has it."""
    if not operands:
        return jax.core.ShapedArray(shape, jnp.dtype(dtype))
    spec: dict[str, object] = {}
    of_operands, _ = _sharding.factors(call)
    for aval, of_one in zip(operands, of_operands):
        for axis, part in zip(of_one, aval.sharding.spec):
            spec.setdefault(axis, part)
    like = max(operands, key=_varying)
    used: list[object] = []
    parts = []
    for axis in axes:
        part = spec.get(axis)
        parts.append(None if part in used else part)
        used += [] if part is None else [part]
    sharding = like.sharding.update(spec=jax.sharding.PartitionSpec(*parts))
    return like.update(shape=shape, dtype=jnp.dtype(dtype), weak_type=False, sharding=sharding)


@mask_p.def_abstract_eval
def _mask_shape(*operands, call):
    return [_shaped(call, operands, call.results[0], call.sizes, call.dtype)]


@attend_p.def_abstract_eval
def _attend_shape(*operands, call):
    queries, values = operands[0], operands[2]
    size = dict(zip(call.axes[0], queries.shape))
    size[call.projection] = values.shape[call.axes[2].index(call.projection)]
    _, results = _sharding.factors(call)
    dtypes = (queries.dtype, "float32")
    return [_shaped(call, operands, of_one, tuple(size[axis] for axis in axes), dtype)
            for of_one, axes, dtype in zip(results, call.results, dtypes)]


# ------------------------------------------------------------------------------------------------------------ Lowering


def _lower(primitive: Primitive, shapes_of, platforms: tuple[str, ...]) -> None:
    def run(*operands, call):
        shapes = shapes_of(*(jax.typeof(operand) for operand in operands), call=call)
        shapes = tuple(jax.ShapeDtypeStruct(shape.shape, shape.dtype) for shape in shapes)
        return list(_sharding.partitioned(call, shapes)(*operands))

    # custom_partitioning, which the lowering goes through, must know the devices; JAX has no public name for this.
    dispatch.prim_requires_devices_during_lowering.add(primitive)
    for platform in platforms:
        mlir.register_lowering(primitive, mlir.lower_fun(run, multiple_results=True), platform=platform)


def mask_by_applying(*operands, call):
    """Where the layer keeps ones. The library writes masks on processors only."""
    numbers = call.description.numbers
    first = len(operands) - len(numbers)
    taken = [i for i in range(len(operands)) if i < first or not numbers[i - first].masked_value]
    on_ones = dataclasses.replace(call, target=_ffi.APPLY, description=call.description.unmasked(), leading=("logits",),
                                  axes=(call.results[0], *(call.axes[i] for i in taken)), sizes=(), in_place=True)
    kept = apply_p.bind(jnp.ones(call.sizes, "float16"), *(operands[i] for i in taken), call=on_ones)[0] != 0
    dtype = jnp.dtype(call.dtype)
    if dtype == bool:
        return [kept]
    masked = jnp.finfo(dtype).min if call.masked else -jnp.inf
    return [jnp.where(kept, jnp.zeros((), dtype), jnp.asarray(masked, dtype))]


_lower(apply_p, _apply_shape, ("cpu", "cuda"))
_lower(mask_p, _mask_shape, ("cpu",))
mlir.register_lowering(mask_p, mlir.lower_fun(mask_by_applying, multiple_results=True), platform="cuda")
_lower(attend_p, _attend_shape, ("cpu",))

# ------------------------------------------------------------------------------------------------------------ Batching


def _fresh(call: _ffi.Call) -> str:
    taken = {axis for axes in call.axes + call.results for axis in axes}
    return next(name for i in range(len(taken) + 1) if (name := f"batch of vmap {i}") not in taken)


def _with_batch(call: _ffi.Call, new: str, batched: list[bool], size: int) -> _ffi.Call:
    """The call with one more named axis, the outermost of what is batched and of the results."""
    axes = tuple((new, *of_one) if is_batched else of_one for of_one, is_batched in zip(call.axes, batched))
    description = call.description
    first = len(call.leading) + len(description.inputs)
    numbers, spec = list(description.numbers), description.spec
    for i, number in enumerate(numbers):
        if not batched[first + i]:
            continue
        if number.axis is not None or number.masked_value:
            what = "the masked value" if number.masked_value else f"numbers along {number.axis!r}"
            raise NotImplementedError(f"axismask: vmap over {what} of a layer; give each its own layer")
        numbers[i] = dataclasses.replace(number, axis=new)
        spec = spec.replace(f'"@{i}@"', f'{{"axis": "{new}", "values": "@{i}@"}}')
    description = dataclasses.replace(description, numbers=tuple(numbers), spec=spec)
    sizes = (size, *call.sizes) if call.target == _ffi.MASK else ()
    return dataclasses.replace(call, description=description, axes=axes, sizes=sizes,
                               results=tuple((new, *of_one) for of_one in call.results))


def _batch(primitive: Primitive) -> None:
    def rule(operands, dims, *, call):
        size = next(x.shape[d] for x, d in zip(operands, dims) if d is not None)
        batched = [d is not None for d in dims]
        moved = [jnp.moveaxis(x, d, 0) if is_batched else x for x, d, is_batched in zip(operands, dims, batched)]
        if call.leading and not batched[0]:  # what is masked has every axis that its mask has
            moved[0] = jnp.broadcast_to(moved[0], (size, *moved[0].shape))
            batched[0] = True
        results = primitive.bind(*moved, call=_with_batch(call, _fresh(call), batched, size))
        return results, [0] * len(results)

    batching.primitive_batchers[primitive] = rule


for _primitive in (apply_p, mask_p, attend_p):
    _batch(_primitive)

# --------------------------------------------------------------------------------------------------------- Derivatives


def _is_zero(tangent) -> bool:
    return isinstance(tangent, ad.Zero) or tangent.dtype == jax.dtypes.float0


def _kept(operands, call: _ffi.Call):
    """Where the layer keeps logits: the mask over their axes."""
    one = len(call.leading)
    sizes = tuple(operands[0].shape)
    mask = dataclasses.replace(call, target=_ffi.MASK, leading=(), axes=call.axes[one:], sizes=sizes, dtype="bool",
                               in_place=False)
    return mask_p.bind(*operands[one:], call=mask)[0]


def _apply_jvp(primals, tangents, *, call):
    out = apply_p.bind(*primals, call=call)
    change = tangents[0]
    numbers = call.description.numbers
    first = len(primals) - len(numbers)
    for i, number in enumerate(numbers):
        if number.masked_value and not _is_zero(tangents[first + i]):
            change = ad.instantiate_zeros(change)
            of_masked = tangents[first + i].astype(change.dtype)
            return out, [jnp.where(_kept(primals, call), change, of_masked)]
    if _is_zero(change):
        return out, [ad.Zero.from_primal_value(out[0])]
    kept = [i for i in range(len(primals)) if i < first or not numbers[i - first].masked_value]
    linear = dataclasses.replace(call, description=call.description.unmasked(), linear=True,
                                 axes=tuple(call.axes[i] for i in kept))
    return out, apply_p.bind(change, *(primals[i] for i in kept[1:]), call=linear)


def _apply_transpose(cotangents, logits, *others, call):
    assert call.linear and ad.is_undefined_primal(logits)
    (cotangent,) = cotangents
    nothing = [None] * len(others)
    if isinstance(cotangent, ad.Zero):
        return [ad.Zero(logits.aval), *nothing]
    return [apply_p.bind(cotangent, *others, call=call)[0], *nothing]


def _mask_jvp(primals, tangents, *, call):
    del tangents
    out = mask_p.bind(*primals, call=call)
    return out, [ad.Zero.from_primal_value(one) for one in out]


def _attend_jvp(primals, tangents, *, call):
    """By recomputing it in JAX, with scores and mask in memory; XLA drops what is not needed."""
    out = attend_p.bind(*primals, call=call)
    tangents = [ad.instantiate_zeros(t) if isinstance(t, ad.Zero) else t for t in tangents]
    varied = len(call.leading)
    reference = functools.partial(_reference.attend, apply_p=apply_p, call=call, others=primals[varied:])
    _, changes = jax.jvp(reference, primals[:varied], tuple(tangents[:varied]))
    return out, list(changes)


ad.primitive_jvps[apply_p] = _apply_jvp
ad.primitive_transposes[apply_p] = _apply_transpose
ad.primitive_jvps[mask_p] = _mask_jvp
ad.primitive_jvps[attend_p] = _attend_jvp
