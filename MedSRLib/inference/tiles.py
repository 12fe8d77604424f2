"""Tiles: how a volume too large for the memory budget is cut, so that the pieces fit together exactly.

A tile owns a *core* of input voxels and is computed from a *region*: the core and a halo of context, cut off at
the volume's borders. Every query belongs to the one tile whose core holds the input voxel nearest to it, and
its two linear neighbours lie at most one voxel outside the core, so a halo as wide as the network's receptive
field makes tiles and whole agree.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Box = tuple[slice, slice, slice]
_SMALLEST_CORE = 8


@dataclass(frozen=True)
class Tile:
    """A box of input voxels (k, j, i) and the larger box it is computed from."""

    core: Box
    region: Box


def bounding_box(mask: np.ndarray) -> Box | None:
    """The smallest box that holds every True voxel of (k, j, i), or None if there is none."""
    ranges = []
    for axis in range(3):
        filled = np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis)))
        if len(filled) == 0:
            return None
        ranges.append(slice(int(filled[0]), int(filled[-1]) + 1))
    return ranges[0], ranges[1], ranges[2]


def tiles(
    box: Box,
    shape: tuple[int, int, int],
    halo: int | tuple[int, int, int],
    cost: Callable[[int], float],
    budget: float,
) -> list[Tile]:
    """Cut ``box`` into equal parts, as few as keep ``cost(region voxels)`` within the budget.

    Args:
        box: the input voxels to be covered.
        shape: of the whole input (k, j, i).
        halo: context around a core, voxels (k, j, i, or one for all); one more is added for the interpolation.
        cost: bytes needed for a region of so many voxels.
        budget: bytes there are. Where even the smallest tile costs more, the smallest is used.
    """
    lengths = [s.stop - s.start for s in box]
    around = [h + 1 for h in ((halo,) * 3 if isinstance(halo, int) else halo)]
    smallest = [_SMALLEST_CORE if h > 1 else 1 for h in around]
    counts = [1, 1, 1]
    while True:
        cores = [math.ceil(n / c) for n, c in zip(lengths, counts, strict=True)]
        regions = [min(c + 2 * h, n) for c, h, n in zip(cores, around, shape, strict=True)]
        axis = max(range(3), key=lambda a: (cores[a] > smallest[a], cores[a] / around[a]))
        if cost(math.prod(regions)) <= budget or cores[axis] <= smallest[axis]:
            break
        counts[axis] += 1
    parts = [_parts(s, count, n, h) for s, count, n, h in zip(box, counts, shape, around, strict=True)]
    return [Tile((k[0], j[0], i[0]), (k[1], j[1], i[1])) for k in parts[0] for j in parts[1] for i in parts[2]]


def queries_of(core: slice, positions: np.ndarray, box: slice) -> slice:
    """The run of rising query positions that a core owns; the outermost cores own what lies beyond the box."""
    start = 0 if core.start == box.start else int(np.searchsorted(positions, core.start - 0.5))
    stop = len(positions) if core.stop == box.stop else int(np.searchsorted(positions, core.stop - 0.5))
    return slice(start, stop)


def _parts(whole: slice, count: int, size: int, margin: int) -> list[tuple[slice, slice]]:
    edges = np.linspace(whole.start, whole.stop, count + 1).round().astype(int)
    return [
        (slice(int(a), int(b)), slice(max(0, int(a) - margin), min(size, int(b) + margin)))
        for a, b in itertools.pairwise(edges)
    ]
