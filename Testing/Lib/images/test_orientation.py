"""Reorientation relabels voxels; nothing moves in the patient."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
import SimpleITK as sitk

from MedSRLib import images
from MedSRLib.grids import Grid
from MedSRLib.images import Reorientation

ALL = [Reorientation(p, f) for p in permutations(range(3)) for f in product((False, True), repeat=3)]


def assert_voxels_stay_in_place(before: sitk.Image, after: sitk.Image) -> None:
    """Every voxel of ``after`` holds what ``before`` holds at that physical point."""
    assert sorted(before.GetSize()) == sorted(after.GetSize())
    for index in product(*(range(0, n, 3) for n in after.GetSize())):
        point = after.TransformIndexToPhysicalPoint(index)
        continuous = before.TransformPhysicalPointToContinuousIndex(point)
        np.testing.assert_allclose(continuous, np.rint(continuous), atol=1e-9)
        assert before[tuple(round(x) for x in continuous)] == after[index]


@pytest.mark.parametrize("direction", ["oblique", "left-handed"])
@pytest.mark.parametrize("turn", ALL, ids=str)
def test_every_reorientation_keeps_voxels_in_place_and_can_be_undone(
    make_image, turn: Reorientation, direction: str
) -> None:
    image = make_image(direction=direction, kind="noise")
    turned = turn.image(image)
    assert_voxels_stay_in_place(image, turned)
    assert turn.grid(Grid.of(image)).equals(Grid.of(turned), tolerance_mm=1e-9)
    back = turn.undo_image(turned)
    assert Grid.of(back).equals(Grid.of(image), tolerance_mm=1e-9)
    np.testing.assert_array_equal(images.to_array(back), images.to_array(image))


@pytest.mark.parametrize("turn", ALL, ids=str)
def test_a_finer_image_is_brought_back_too(make_image, turn: Reorientation) -> None:
    fine = make_image(size=(6, 5, 4), spacing=(0.3, 0.4, 0.5), kind="noise")
    assert_voxels_stay_in_place(fine, turn.undo_image(fine))


@pytest.mark.parametrize("direction", ["identity", "oblique", "left-handed", "sagittal"])
@pytest.mark.parametrize("turn", ALL, ids=str)
def test_canonical_undoes_any_storage_order(make_image, turn: Reorientation, direction: str) -> None:
    image = make_image(direction=direction, kind="noise")
    stored = turn.image(image)
    a = images.canonical(Grid.of(image)).image(image)
    b = images.canonical(Grid.of(stored)).image(stored)
    assert Grid.of(a).equals(Grid.of(b), tolerance_mm=1e-9)
    np.testing.assert_array_equal(images.to_array(a), images.to_array(b))
    axes = Grid.of(b).axes
    assert (np.diag(axes) > 0.7).all()


def test_an_lps_image_is_left_alone(make_image) -> None:
    turn = images.canonical(Grid.of(make_image(direction="identity")))
    assert turn == Reorientation((0, 1, 2), (False, False, False))


def test_a_sagittal_series_becomes_axial(make_image) -> None:
    """Stored along posterior, inferior, left."""
    image = make_image(size=(13, 10, 7), direction="sagittal")
    turn = images.canonical(Grid.of(image))
    assert turn == Reorientation((2, 0, 1), (False, False, True))
    assert turn.grid(Grid.of(image)).size == (7, 13, 10)


def test_the_assignment_is_the_best_of_all_not_axis_by_axis() -> None:
    """Taken one by one, both first axes of this sheared grid would be nearest to x."""
    axes = np.array([[0.80, 0.75, 0.0], [0.60, -0.66, 0.0], [0.0, 0.0, 1.0]])
    turn = images.canonical(Grid((3, 3, 3), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), tuple(axes.ravel())))
    assert turn == Reorientation((0, 1, 2), (False, True, False))


def test_a_45_degree_tie_is_decided_the_same_whatever_the_rounding() -> None:
    c = np.sqrt(0.5)
    for noise in (0.0, 1e-15, -1e-15):
        direction = (c + noise, -c, 0.0, c, c + noise, 0.0, 0.0, 0.0, 1.0)
        grid = Grid((3, 3, 3), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), direction)
        assert images.canonical(grid).permutation == (0, 1, 2)
