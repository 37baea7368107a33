"""How a call is cut over a mesh: each axis by its name, so that nothing is gathered that need not be.

Every axis of logits and masks may be cut, and of attention every axis but the keys' and the projection of queries and
keys. Side inputs are cut like the axis that they lie along, positions of keys like the keys.
"""

from __future__ import annotations

import functools
import math

import jax
from jax.experimental.custom_partitioning import ArrayMapping, SdyShardingRule, custom_partitioning
from jax.sharding import NamedSharding, PartitionSpec

from . import _describe, _ffi

_VALUES = "\tvalues"  # the values' projection, which no axis is called


def factors(call: _ffi.Call) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """For each operand and result the axes of the whole that its own lie along."""
    description = call.description
    operands = []
    inputs = description.inputs
    for i, axes in enumerate(call.axes):
        at = i - len(call.leading)
        along = inputs[at].along if 0 <= at < len(inputs) else _describe.ANY
        if along == _describe.KEYS:
            axes = tuple(description.kv_axis if axis == description.query_axis else axis for axis in axes)
        elif i < len(call.leading) and call.leading[i] == "values":
            axes = tuple(_VALUES if axis == call.projection else axis for axis in axes)
        operands.append(axes)
    results = [tuple(_VALUES if axis == call.projection and call.target == _ffi.ATTEND else axis for axis in axes)
               for axes in call.results]
    return operands, results


def _named_factors(call: _ffi.Call, operands) -> list[tuple[str, ...]]:
    """The operands' axes as XLA is told them. What is masked says how a call is cut, and side inputs follow: XLA hears
    of their axes as others, since what gives positions of queries and of keys would else be cut in two ways at once.
    Of a mask only such inputs do not say it."""
    inputs = call.description.inputs
    sources = [one.source for one in inputs]
    told = []
    for i, axes in enumerate(operands):
        at = i - len(call.leading)
        follows = at >= 0 and (call.leading or at >= len(inputs) or sources.count(sources[at]) > 1)
        told.append(tuple(f"{axis}\t{i}" for axis in axes) if follows else axes)
    return told


def _whole(call: _ffi.Call, names: set[str]) -> set[str]:
    """The axes that no device may have a part of."""
    if not call.description.known:
        return names
    return {call.description.kv_axis, call.projection} if call.target == _ffi.ATTEND else set()


def _axes_of(spec, index: int) -> tuple[str, ...]:
    part = spec[index] if index < len(spec) else None
    return () if part is None else (part,) if isinstance(part, str) else tuple(part)


def _cut(call: _ffi.Call, operands, results, whole, arg_shapes, result_shapes) -> dict[str, tuple[str, ...]]:
    """Each axis' axes of the mesh: as the logits, the queries or the mask are cut, and what only the result says."""
    cut: dict[str, tuple[str, ...]] = {}
    used: set[str] = set()
    first = [(operands[0], arg_shapes[0])] if call.leading else []
    for axes, shape in first + list(zip(results, result_shapes)):
        for i, axis in enumerate(axes):
            found = _axes_of(shape.sharding.spec, i)
            if axis not in whole and axis not in cut and not used.intersection(found):
                cut[axis] = found
                used.update(found)
    return cut


def _part(shape: tuple[int, ...], sharding: NamedSharding) -> tuple[int, ...]:
    """The sizes of a device's part; XLA fills up the last ones where it is not even."""
    sizes = sharding.mesh.shape
    return tuple(-(-size // math.prod(sizes[axis] for axis in _axes_of(sharding.spec, i))) for i, size in enumerate(shape))


def _sharding(mesh, axes, cut) -> NamedSharding:
    return NamedSharding(mesh, PartitionSpec(*(cut.get(axis) or None for axis in axes)))


def _replicated(shape):
    """On every device: XLA gives shardings without a mesh where no mesh was met, as of arguments that have none."""
    sharding = shape.sharding
    return sharding if sharding.is_fully_replicated else type(sharding).get_replicated(sharding._device_assignment)


@functools.lru_cache(maxsize=512)
def partitioned(call: _ffi.Call, result_shapes: tuple[jax.ShapeDtypeStruct, ...]):
    """The call as a function of its operands that XLA may cut over a mesh; it gives a tuple."""
    operands, results = factors(call)
    whole = _whole(call, {axis for axes in operands + results for axis in axes})
    named = _named_factors(call, operands) + results
    names = list(dict.fromkeys(axis for axes in named for axis in axes))  # XLA wants them as they are met
    factor = {axis: f"f{i}" for i, axis in enumerate(names)}
    mappings = [ArrayMapping(*(factor[axis] for axis in axes)) for axes in named]

    @custom_partitioning
    def run(*arrays):
        return tuple(_ffi.run(call, list(result_shapes), arrays))

    def partition(mesh, arg_shapes, results_of_xla):
        if not all(isinstance(one.sharding, NamedSharding) for one in (*arg_shapes, *results_of_xla)):
            return (mesh, lambda *arrays: tuple(_ffi.run(call, list(result_shapes), arrays)),
                    tuple(_replicated(one) for one in results_of_xla), tuple(_replicated(one) for one in arg_shapes))
        cut = _cut(call, operands, results, whole, arg_shapes, results_of_xla)
        arg_shardings = tuple(_sharding(mesh, axes, cut) for axes in operands)
        result_shardings = tuple(_sharding(mesh, axes, cut) for axes in results)
        shapes = [jax.ShapeDtypeStruct(_part(shape.shape, sharding), shape.dtype)
                  for sharding, shape in zip(result_shardings, result_shapes)]
        return mesh, lambda *arrays: tuple(_ffi.run(call, shapes, arrays)), result_shardings, arg_shardings

    def infer(mesh, arg_shapes, results_of_xla):  # for XLA's older partitioner, which JAX can still be set to
        cut = _cut(call, operands, [], whole, arg_shapes, ())
        return tuple(_sharding(mesh, axes, cut) for axes in results)

    rule = SdyShardingRule(tuple(mappings[: len(operands)]), tuple(mappings[len(operands):]),
                           need_replication_factors=tuple(factor[axis] for axis in names if axis in whole))
    run.def_partition(partition=partition, infer_sharding_from_operands=infer, sharding_rule=rule)
    return run
