"""Triplets of neighbouring slices: which, how turned, and from which volumes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from MedSRLib.errors import InputError
from MedSRLib.training.frames import Frame
from MedSRLib.training.recipe import Recipe, from_data
from MedSRLib.training.slices import Slices, stack


def recipe(**sampling) -> Recipe:
    given = {"kind": "slices", "patch": 8, "batch": 5, **sampling}
    return from_data({"name": "a", "method": "sander", "sampling": given, "optimisation": {"steps": 1}})


def ramp(shape: tuple[int, ...] = (6, 20, 24), axis: int = 0) -> Frame:
    """Intensities that tell their slice, row and column: 10000 k + 100 j + i, the slices across ``axis``."""
    k, j, i = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in shape), indexing="ij")
    spacing = [1.0, 1.0, 1.0]
    spacing[axis] = 8.0
    return Frame(np.moveaxis(10000 * k + 100 * j + i, 0, axis), tuple(spacing))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_neighbours_are_one_slice_apart_at_one_place(axis: int) -> None:
    slices = Slices([ramp(axis=axis)], recipe())
    batch = slices.batch(3)
    assert batch.middle.shape == (5, 1, 8, 8)
    assert torch.equal(batch.middle - batch.before, torch.full_like(batch.middle, 10000))
    assert torch.equal(batch.after - batch.middle, torch.full_like(batch.middle, 10000))
    steps = {tuple(sorted(abs(float(p[a] - p[0, 0])) for a in ((0, 1), (1, 0)))) for p in batch.middle[:, 0]}
    assert steps == {(1.0, 100.0)}, "turned by quarters and mirrored, not sheared or resampled"
    corners = {tuple(np.sign([float(p[0, 1] - p[0, 0]), float(p[1, 0] - p[0, 0])])) for p in batch.middle[:, 0]}
    assert len(corners) > 1


def test_a_batch_depends_on_seed_step_and_rank_alone() -> None:
    one, other = (Slices([ramp()], recipe(gain=0.2)) for _ in range(2))
    assert torch.equal(one.batch(4, rank=1).middle, other.batch(4, rank=1).middle)
    assert not torch.equal(one.batch(4).middle, one.batch(5).middle)
    assert not torch.equal(one.batch(4).middle, one.batch(4, rank=1).middle)


def test_the_intensity_change_is_one_for_a_triplet() -> None:
    batch = Slices([ramp()], recipe(gain=0.3, offset=0.2)).batch(0)
    gains = ((batch.middle - batch.before) / 10000).flatten(1)
    assert torch.allclose(gains, gains[:, :1].expand_as(gains), atol=1e-4)
    assert len({round(float(g), 3) for g in gains[:, 0]}) == 5
    assert float((gains[:, 0] - 1).abs().max()) <= 0.3


def test_patches_are_cut_to_small_slices_and_thin_volumes_left_out() -> None:
    slices = Slices([ramp((4, 6, 20)), ramp((2, 30, 30))], recipe())
    assert slices.count == 1
    assert slices.batch(0).middle.shape == (5, 1, 6, 6)
    with pytest.raises(InputError, match="3 slices"):
        Slices([ramp((2, 30, 30))], recipe())


def test_every_slice_with_two_neighbours_validates() -> None:
    (batch,) = Slices([ramp()], recipe()).every()
    assert batch.middle.shape == (4, 1, 20, 24)
    assert batch.before[:, 0, 0, 0].tolist() == [0, 10000, 20000, 30000]
    assert batch.after[:, 0, 0, 0].tolist() == [20000, 30000, 40000, 50000]


def test_slices_are_resampled_within_only() -> None:
    """At 2 mm of 1 mm, a ramp keeps its slope a mm: 200 a row, 2 a column, 10000 a slice."""
    values = stack(ramp((3, 40, 48)), 2.0)
    assert values.shape == (3, 20, 24)
    inner = values[:, 8:12, 8:16]
    assert np.allclose(np.diff(inner, axis=0), 10000, atol=0.5)
    assert np.allclose(np.diff(inner, axis=1), 200, atol=0.5)
    assert np.allclose(np.diff(inner, axis=2), 2, atol=0.05)
