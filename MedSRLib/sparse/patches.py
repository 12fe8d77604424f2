"""Patches of slices and volumes: cut out by unfolding, put back by adding their overlaps.

With w the window and t the step (voxels, alike along all axes), patch g covers the voxels ``g t … g t + w - 1``, and

    fold(unfold(x)) / overlaps = x
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from math import prod

import torch
from torch import Tensor
from torch.nn import functional


def unfold(image: Tensor, window: int, step: int) -> Tensor:
    """All patches as a view: (n, *size) to (n, *places, window, ...), with as many windows as axes; copies nothing.

    Places that would need voxels beyond the image's end are left out.
    """
    for axis in range(1, image.dim()):
        image = image.unfold(axis, window, step)
    return image


def cut(image: Tensor, where: Sequence[slice], first: int = 1) -> Tensor:
    """The part of an image along the axes from ``first`` on, as a view."""
    for axis, part in enumerate(where, first):
        start, stop, _ = part.indices(image.shape[axis])
        image = image.narrow(axis, start, stop - start)
    return image


def fold(total: Tensor, patches: Tensor, start: Sequence[int], step: int) -> None:
    """Add patches to an image where they overlap, in place.

    Args:
        total: (n, *size), with room for whole steps: the window is filled up to a multiple of the step.
        patches: (n, *places, window, ...), see `unfold`.
        start: voxel of the image where the first patch begins, for each axis.
        step: voxels from one patch to the next.
    """
    axes = total.dim() - 1
    places, parts = patches.shape[1 : 1 + axes], -(-patches.shape[-1] // step)
    missing = parts * step - patches.shape[-1]
    if missing:
        patches = functional.pad(patches, (0, missing) * axes)
    blocks = patches.reshape(len(total), *places, *(n for _ in range(axes) for n in (parts, step)))
    for offset in itertools.product(range(parts), repeat=axes):
        where = [slice(a + o * step, a + (o + g) * step) for a, o, g in zip(start, offset, places, strict=True)]
        block = blocks[(slice(None),) * (1 + axes) + tuple(i for o in offset for i in (o, slice(None)))]
        order = (0, *(i for axis in range(axes) for i in (1 + axis, 1 + axes + axis)))
        region = cut(total, where)
        region += block.permute(order).reshape(region.shape)


def overlaps(size: int, window: int, step: int) -> Tensor:
    """How many patches cover each voxel of one axis, (size,), float32; those of several axes multiply."""
    counts = torch.zeros(size)
    for first in range(0, size - window + 1, step):
        counts[first : first + window] += 1
    return counts


def blocks(places: Sequence[int], most: int) -> Iterator[tuple[slice, ...]]:
    """Cut the places of patches into boxes of at most ``most``, whole along all axes but the first two."""
    rest = prod(places[2:])
    columns = max(1, min(places[1], most // rest)) if len(places) > 1 else 1
    rows = max(1, most // (columns * rest))
    whole = tuple(slice(0, n) for n in places[2:])
    for row in range(0, places[0], rows):
        for column in range(0, places[1], columns):
            yield (
                slice(row, min(row + rows, places[0])),
                slice(column, min(column + columns, places[1])),
                *whole,
            )
