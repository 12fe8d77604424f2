"""Tiles cover what they must, once, and stay inside the budget."""

from __future__ import annotations

import numpy as np
import pytest

from MedSRLib.inference.tiles import bounding_box, queries_of, tiles


@pytest.mark.parametrize("budget", [1e9, 30_000, 9_000])
@pytest.mark.parametrize("shape", [(31, 17, 40), (9, 9, 9), (1, 50, 2)])
def test_every_query_belongs_to_exactly_one_tile(shape: tuple[int, int, int], budget: float) -> None:
    box = tuple(slice(0, n) for n in shape)
    positions = [(np.arange(round(n * 1.7)) + 0.5) * n / round(n * 1.7) - 0.5 for n in shape]
    counted = np.zeros([len(p) for p in positions], dtype=int)
    for tile in tiles(box, shape, 3, lambda voxels: voxels, budget):
        mine = tuple(queries_of(tile.core[a], positions[a], box[a]) for a in range(3))
        counted[mine] += 1
        for axis in range(3):
            inside = positions[axis][mine[axis]]
            low, high = tile.region[axis].start, tile.region[axis].stop
            neighbours = np.clip([np.floor(inside), np.floor(inside) + 1], 0, shape[axis] - 1)
            assert neighbours.min() >= low
            assert neighbours.max() < high
    assert (counted == 1).all()


def test_the_budget_decides_how_many() -> None:
    shape = (40, 40, 40)
    box = tuple(slice(0, n) for n in shape)
    assert len(tiles(box, shape, 4, lambda voxels: voxels, 64_000)) == 1
    many = tiles(box, shape, 4, lambda voxels: voxels, 30_000)
    assert len(many) > 1
    for tile in many:
        assert np.prod([s.stop - s.start for s in tile.region]) <= 30_000


def test_bounding_box() -> None:
    mask = np.zeros((5, 6, 7), dtype=bool)
    assert bounding_box(mask) is None
    mask[1, 2, 3] = mask[3, 4, 3] = True
    assert bounding_box(mask) == (slice(1, 4), slice(2, 5), slice(3, 4))
