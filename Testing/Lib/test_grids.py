"""Grids keep the field of view to 1e-6 mm, whatever the directions, sizes, scales and spacings."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
import SimpleITK as sitk

from MedSRLib import grids
from MedSRLib.errors import GridError
from MedSRLib.grids import AxisMap, Grid

DIRECTIONS = ("identity", "oblique", "left-handed", "sagittal")
SIZES = ((13, 10, 7), (35, 51, 35), (7, 10, 2), (9, 8, 1), (1, 1, 1))
SCALES = (1, 1.7, 2, 2.5, (1, 1, 4), (1.3, 2, 3.99))
SPACINGS = (0.8, 0.3, (1, 1, 3), (0.8, 5, 0.7))


@pytest.fixture
def grid(make_image) -> Grid:
    return Grid.of(make_image())


def assert_same_extent(a: Grid, b: Grid) -> None:
    np.testing.assert_allclose(a.corners(), b.corners(), rtol=0, atol=1e-6)


def test_a_grid_agrees_with_simpleitk_about_physical_space(make_image) -> None:
    for direction in DIRECTIONS:
        image = make_image(direction=direction)
        grid = Grid.of(image)
        assert grid.shape == sitk.GetArrayViewFromImage(image).shape
        assert grid.voxels == image.GetNumberOfPixels()
        for index in ((0, 0, 0), (12, 9, 6), (3, 7, 2)):
            np.testing.assert_allclose(grid.physical(index), image.TransformIndexToPhysicalPoint(index), atol=1e-9)
        point = (1.25, -3.5, 8.0)
        np.testing.assert_allclose(grid.index(point), image.TransformPhysicalPointToContinuousIndex(point), atol=1e-9)


def test_physical_and_index_are_inverse_for_any_array_of_points(grid: Grid, rng: np.random.Generator) -> None:
    index = rng.uniform(-5, 20, (4, 5, 3))
    np.testing.assert_allclose(grid.index(grid.physical(index)), index, atol=1e-10)


def test_corners_are_voxel_edges() -> None:
    grid = Grid((4, 3, 2), (1.0, 2.0, 5.0), (0.5, 1.0, 2.5), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    corners = sorted(tuple(corner) for corner in grid.corners())
    assert corners == sorted(product((0.0, 4.0), (0.0, 6.0), (0.0, 10.0)))


@pytest.mark.parametrize("scale", SCALES, ids=str)
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_scaling_keeps_the_field_of_view(make_image, direction: str, size, scale) -> None:
    before = Grid.of(make_image(size=size, direction=direction))
    after = grids.scaled(before, scale)
    assert_same_extent(before, after)
    for n, m, f in zip(before.size, after.size, grids.as_triple(scale, "scale"), strict=True):
        assert abs(m - n * f) <= 0.5
    assert_same_extent(before, grids.coarsened(after, scale))


@pytest.mark.parametrize("spacing", SPACINGS, ids=str)
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_spacing_keeps_the_field_of_view(make_image, direction: str, size, spacing) -> None:
    before = Grid.of(make_image(size=size, direction=direction))
    after = grids.with_spacing(before, spacing)
    assert_same_extent(before, after)
    for n, h, m, w in zip(before.size, before.spacing, after.size, grids.as_triple(spacing, "spacing"), strict=True):
        assert m == max(1, math.floor(n * h / w + 0.5))


def test_scaling_follows_the_formula_of_voxel_edges(grid: Grid) -> None:
    fine = grids.scaled(grid, (2, 3, 4))
    assert fine.size == (26, 30, 28)
    np.testing.assert_allclose(fine.spacing, (0.45, 1.1 / 3, 0.625), atol=1e-12)
    shift = grid.axes @ ((np.array(fine.spacing) - grid.spacing) / 2)
    np.testing.assert_allclose(fine.origin, np.array(grid.origin) + shift, atol=1e-12)
    new = np.array((5, 11, 17))
    np.testing.assert_allclose(grid.index(fine.physical(new)), (new + 0.5) / (2, 3, 4) - 0.5, atol=1e-10)


def test_a_size_that_is_not_whole_is_rounded_and_the_spacing_adjusted() -> None:
    grid = Grid((7, 10, 3), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    fine = grids.scaled(grid, 1.5)
    assert fine.size == (11, 15, 5)  # 10.5 and 4.5 are rounded up
    np.testing.assert_allclose(fine.spacing, (7 / 11, 10 / 15, 3 / 5), atol=1e-12)


def test_scale_one_gives_the_same_grid(grid: Grid) -> None:
    assert grids.scaled(grid, 1).equals(grid, tolerance_mm=1e-12)


def test_isotropic_takes_the_finest_spacing(grid: Grid) -> None:
    fine = grids.isotropic(grid)
    assert fine.size == (13, 12, 19)  # 11.7 / 0.9, 11 / 0.9, 17.5 / 0.9
    assert_same_extent(grid, fine)


@pytest.mark.parametrize("scale", [0, 0.5, -2, math.nan, math.inf, 1e9, (1, 1, 0.99), (2, 2), (1, 2, 3, 4)])
def test_an_impossible_scale_is_told(grid: Grid, scale) -> None:
    with pytest.raises(GridError) as error:
        grids.scaled(grid, scale)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("scale", [0, 0.5, math.nan, math.inf, (2, 2)])
def test_an_impossible_coarsening_is_told(grid: Grid, scale) -> None:
    with pytest.raises(GridError):
        grids.coarsened(grid, scale)


@pytest.mark.parametrize("spacing", [0, -1, math.nan, math.inf, 1e-9, (1, 1), (1, 0, 1)])
def test_an_impossible_spacing_is_told(grid: Grid, spacing) -> None:
    with pytest.raises(GridError):
        grids.with_spacing(grid, spacing)


def test_one_number_or_a_list_of_one_stands_for_all_axes() -> None:
    assert grids.as_triple(2, "scale") == grids.as_triple([2], "scale") == (2.0, 2.0, 2.0)
    assert grids.as_triple((1, 2, 3.5), "scale") == (1.0, 2.0, 3.5)


def test_a_coarser_spacing_than_the_field_of_view_leaves_one_voxel(grid: Grid) -> None:
    one = grids.with_spacing(grid, 500)
    assert one.size == (1, 1, 1)
    assert_same_extent(grid, one)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_relate_gives_the_positions_of_target_voxels_in_the_source(make_image, direction: str) -> None:
    source = Grid.of(make_image(direction=direction))
    target = grids.scaled(source, (1.7, 2, 4))
    relation = grids.relate(target, source)
    assert relation is not None
    z, y, x = relation.positions(target)
    assert (len(z), len(y), len(x)) == target.shape
    for index in ((0, 0, 0), (21, 19, 27), (4, 5, 6)):
        np.testing.assert_allclose(
            source.index(target.physical(index)), (x[index[0]], y[index[1]], z[index[2]]), atol=1e-9
        )


def test_relate_covers_grids_that_are_shifted(grid: Grid) -> None:
    moved = Grid(grid.size, grid.spacing, tuple(grid.physical((2, -1, 0.5))), grid.direction)
    relation = grids.relate(moved, grid)
    assert relation is not None
    np.testing.assert_allclose(relation.start, (2, -1, 0.5), atol=1e-10)
    assert relation.step == (1.0, 1.0, 1.0)


def test_relate_is_none_for_other_directions(make_image) -> None:
    grids_ = [Grid.of(make_image(direction=direction)) for direction in DIRECTIONS]
    for a, b in product(grids_, grids_):
        assert (grids.relate(a, b) is None) == (a is not b)


def test_positions_are_in_array_order(grid: Grid) -> None:
    z, y, x = AxisMap((0.0, 10.0, 100.0), (1.0, 2.0, 3.0)).positions(grid)
    assert (x[1], y[1], z[1]) == (1.0, 12.0, 103.0)


def test_scale_between_counts_wanted_voxels_per_acquired_one(grid: Grid) -> None:
    fine = grids.scaled(grid, (1, 2, 4))
    np.testing.assert_allclose(grids.scale_between(fine, grid), (1, 2, 4), atol=1e-12)


def test_equality_is_of_voxels_within_a_tolerance(grid: Grid) -> None:
    def moved(mm: float) -> Grid:
        return Grid(grid.size, grid.spacing, (grid.origin[0] + mm, *grid.origin[1:]), grid.direction)

    assert grid.equals(moved(5e-5))
    assert not grid.equals(moved(5e-4))
    assert not grid.equals(grids.scaled(grid, 2))
