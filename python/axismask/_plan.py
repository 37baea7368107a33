"""Plans: for each tile of the logits whether none, some or all of it is kept."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from . import _arrays, _native

NONE, SOME, ALL = 0, 1, 2
"""The verdicts on a tile."""


class Plan:
    """What a layer keeps of each tile, without a dense mask. `Layer.plan` makes one, calls take it.

    Attributes:
        tile: queries and keys of a tile, (int, int), made no larger than the axes.
        queries, keys: the sizes of the query and the key axis.
        query_axis, kv_axis: their names.
        plane_axes, plane_sizes: the further axes along which the mask changes, and their sizes.
        rows, columns: tiles of a plane.
        none, some, all: how many tiles there are of each verdict.
    """

    query_axis: str
    kv_axis: str
    tile: tuple[int, int]
    queries: int
    keys: int
    rows: int
    columns: int
    none: int
    some: int
    all: int

    def __init__(self, handle: object, info: dict[str, Any]) -> None:
        self._handle = handle
        planes = info.pop("planes")
        self.__dict__.update(info)
        self.plane_axes: tuple[str, ...] = tuple(name for name, _ in planes)
        self.plane_sizes: tuple[int, ...] = tuple(size for _, size in planes)

    @functools.cached_property
    def verdicts(self) -> np.ndarray:
        """The verdicts, uint8 of [*plane_sizes, rows, columns]: NONE, SOME, ALL are 0, 1, 2."""
        out = np.empty((*self.plane_sizes, self.rows, self.columns), np.uint8)
        _native.plan_verdicts(self._handle, out)
        return out

    def list(self, verdict: int) -> tuple[np.ndarray, np.ndarray]:
        """The tiles of one verdict.

        Returns:
            starts, int64 of [planes * rows + 1], and tiles, int32: row r has tiles[starts[r]:starts[r + 1]].
        """
        arrays = _arrays.taken(_native.plan_list(self._handle, verdict))
        return arrays["starts"], arrays["tiles"]

    def __repr__(self) -> str:
        planes = "".join(f"{name} {size}, " for name, size in zip(self.plane_axes, self.plane_sizes))
        return (f"<axismask.Plan of {planes}{self.rows} x {self.columns} tiles of {self.tile[0]} x {self.tile[1]}: "
                f"{self.none} none, {self.some} some, {self.all} all>")


def by_columns(counts: np.ndarray, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turns lists of tiles: of each row's list of columns it makes each column's list of rows, ascending.

    Args:
        counts: int32 of [..., rows], how many columns a row has.
        indices: int32 of [..., rows, columns], which; as the form "flex" has them.

    Returns:
        int32 of [..., columns] and of [..., columns, rows], with zeros behind the last row of a list.
    """
    *planes, rows, columns = indices.shape
    if indices.size == 0:
        return np.zeros((*planes, columns), np.int32), np.zeros((*planes, columns, rows), np.int32)
    out_counts = np.empty((*planes, columns), np.int32)
    out_indices = np.empty((*planes, columns, rows), np.int32)
    _native.turn_lists(counts, indices, out_counts, out_indices)
    return out_counts, out_indices
