"""Turning volumes in the plane of their slices, and back."""

import numpy as np
import pytest

from MedSRLib.grids import Grid
from MedSRLib.protocols.rotations import Turn

FLAT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
GRID = Grid((7, 6, 5), (1.0, 1.5, 2.0), (3.0, 4.0, 5.0), FLAT)


def smooth(grid):
    """A blob off the centre, its place told in mm."""
    k, j, i = np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij")
    points = grid.physical(np.stack([i, j, k], axis=-1))
    centre = grid.physical([0.62 * (n - 1) for n in grid.size])
    return np.exp(-((points - centre) ** 2).sum(-1) / 8).astype(np.float32)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_quarter_turns_move_voxels_and_come_back_exactly(axis, degrees):
    turn = Turn(GRID, axis, degrees)
    volume = np.random.default_rng(0).random(GRID.shape, dtype=np.float32)
    turned = turn.apply(volume)
    assert turned.shape == turn.turned_grid.shape
    assert np.array_equal(np.sort(turned, axis=None), np.sort(volume, axis=None))
    assert np.array_equal(turn.undo(turned), volume)


def test_a_quarter_turn_turns_the_spacing_too():
    assert Turn(GRID, 2, 90).turned_grid.spacing == (1.5, 1.0, 2.0)
    assert Turn(GRID, 0, 270).turned_grid.size == (7, 5, 6)
    assert Turn(GRID, 1, 180).turned_grid == GRID


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("degrees", [15, 130.5])
def test_other_angles_come_back_to_nearly_the_same(axis, degrees):
    grid = Grid((31, 26, 25), (1.0, 1.2, 1.1), (0.0, 0.0, 0.0), FLAT)
    turn = Turn(grid, axis, degrees)
    volume = smooth(grid)
    turned = turn.apply(volume)
    assert turned.shape == turn.turned_grid.shape and turned.dtype == np.float32
    assert np.abs(turn.undo(turned) - volume).max() < 0.01


def test_other_angles_turn_the_same_way_as_quarter_turns():
    grid = Grid((25, 25, 3), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), FLAT)
    volume = smooth(grid)
    nearly, exactly = Turn(grid, 2, 89.999), Turn(grid, 2, 90)
    turned = nearly.apply(volume)
    pad = (turned.shape[1] - 25) // 2
    np.testing.assert_allclose(turned[:, pad:-pad, pad:-pad], exactly.apply(volume), atol=1e-3)
