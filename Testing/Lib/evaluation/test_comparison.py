"""Results beside a reference in files, for a window: placed right, and with the numbers of the library."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from MedSRLib import images
from MedSRLib.errors import InputError
from MedSRLib.evaluation import agreement, metrics, slices
from MedSRLib.evaluation.comparison import MEASURES_FILE, Result, compare, place
from MedSRLib.grids import Grid
from MedSRLib.progress import Progress

TURN = np.array([[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]])
LEFT_HANDED = TURN @ np.diag([1.0, 1.0, -1.0])


def blob(grid: Grid, centre: np.ndarray, width: float = 4.0) -> sitk.Image:
    """A smooth spot at a physical point, on a slope."""
    k, j, i = np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij")
    points = grid.physical(np.stack([i, j, k], axis=-1))
    distance = np.square(points - centre).sum(axis=-1)
    return images.from_array((100 * np.exp(-distance / (2 * width**2)) + points[..., 0]).astype(np.float32), grid)


@pytest.fixture(params=[TURN, LEFT_HANDED], ids=["oblique", "left-handed"])
def grid(request: pytest.FixtureRequest) -> Grid:
    return Grid((21, 24, 17), (1.0, 1.3, 1.7), (5.0, -7.0, 3.0), tuple(request.param.ravel().tolist()))


@pytest.fixture
def centre(grid: Grid) -> np.ndarray:
    return np.asarray(grid.physical(np.array([10.0, 11.0, 8.0])))


def read(folder: Path, name: str) -> np.ndarray:
    return images.to_array(images.read(folder / name))


def test_numbers_and_volumes_are_those_of_the_library(grid: Grid, centre: np.ndarray, tmp_path: Path) -> None:
    reference = blob(grid, centre)
    noise = np.random.default_rng(0).normal(0, 2, grid.shape).astype(np.float32)
    result = images.from_array(images.to_array(reference) + noise, grid)
    mask = images.to_array(reference) > 40
    given = images.from_array(mask.astype(np.float32), grid)
    found = compare(tmp_path, {"a": Result(result)}, reference, given, progress=Progress())
    x, y = images.to_array(reference), images.to_array(result)
    spread = float(x.max()) - float(x.min())
    assert found["metrics"]["a"]["psnr"]["mask"] == metrics.psnr(x, y, data_range=spread, mask=mask)
    assert found["metrics"]["a"]["ncc"]["whole"] == pytest.approx(np.corrcoef(x.ravel(), y.ravel())[0, 1], abs=1e-9)
    np.testing.assert_array_equal(read(tmp_path, "0.nrrd"), y)
    np.testing.assert_array_equal(read(tmp_path, "0-difference.nrrd"), y - x)
    assert Grid.of(images.read(tmp_path / "0-difference.nrrd")).equals(grid)
    assert sum(found["histogram"]["counts"]["a"]) == mask.sum()
    assert found["histogram"]["edges"][-1] == found["limit"] == -found["histogram"]["edges"][0]
    assert json.loads((tmp_path / MEASURES_FILE).read_text(encoding="utf-8")) == found


def test_a_coarser_grid_turned_otherwise_shows_the_spot_where_it_is(
    grid: Grid, centre: np.ndarray, tmp_path: Path
) -> None:
    other = Grid((30, 30, 30), (1.2, 1.2, 1.2), tuple(centre - 17.4), tuple(np.eye(3).ravel()))
    found = compare(tmp_path, {"a": Result(blob(other, centre))}, blob(grid, centre), progress=Progress())
    assert np.abs(read(tmp_path, "0-difference.nrrd")[5:-5, 5:-5, 5:-5]).max() < 1
    assert "resampled" in found["notes"]["a"][0]


def test_a_field_leads_to_the_spot(grid: Grid, centre: np.ndarray, tmp_path: Path) -> None:
    """The image shows the spot 4 mm away along x; the field says so."""
    shift = np.array([4.0, 0.0, 0.0])
    moved = blob(grid, centre + shift)
    moved = images.from_array(images.to_array(moved) - 4.0, grid)  # the slope moves along
    vectors = sitk.GetImageFromArray(np.broadcast_to(shift, (3, 3, 3, 3)).copy(), isVector=True)
    vectors.SetSpacing((30.0, 30.0, 30.0))
    vectors.SetOrigin(tuple(centre - 30))
    compare(tmp_path, {"plain": Result(moved), "led": Result(moved, vectors)}, blob(grid, centre), progress=Progress())
    inner = (slice(4, -4), slice(5, -5), slice(5, -5))
    assert np.abs(read(tmp_path, "0-difference.nrrd")[inner]).max() > 20
    assert np.abs(read(tmp_path, "1-difference.nrrd")[inner]).max() < 0.5


def test_a_result_of_elsewhere_is_named(grid: Grid, centre: np.ndarray, tmp_path: Path) -> None:
    far = Grid(grid.size, grid.spacing, tuple(centre + 500), grid.direction)
    for name, told in (("", "result 2 covers 0%"), ("T2w", "volume 'T2w' covers 0%")):
        results = {"a": Result(blob(grid, centre)), "b": Result(blob(far, centre), name=name)}
        with pytest.raises(InputError, match=told):
            compare(tmp_path, results, blob(grid, centre), progress=Progress())


def test_without_a_reference_all_lie_on_the_first_grid(grid: Grid, centre: np.ndarray, tmp_path: Path) -> None:
    fine = Grid((60, 60, 60), (0.6, 0.6, 0.6), tuple(centre - 18), tuple(np.eye(3).ravel()))
    found = place(tmp_path, {"a": Result(blob(grid, centre)), "b": Result(blob(fine, centre))}, progress=Progress())
    assert found["keys"] == ["a", "b"] and "metrics" not in found
    assert np.abs(read(tmp_path, "0.nrrd") - read(tmp_path, "1.nrrd"))[6:-6, 6:-6, 6:-6].max() < 0.5


def test_curves_are_the_numbers_of_each_slice_and_empty_ones_have_none() -> None:
    generator = np.random.default_rng(1)
    difference = generator.normal(0, 3, (5, 6, 7)).astype(np.float32)
    mask = generator.random((5, 6, 7)) > 0.4
    mask[2] = False
    difference[3] = 0
    found = slices.curves(difference, mask, 50.0)
    assert found["k"]["mae"][2] is None and found["k"]["psnr"][2] is None
    assert found["k"]["mae"][3] == 0 and found["k"]["psnr"][3] is None
    for axis, array_axis in (("i", 2), ("j", 1), ("k", 0)):
        errors, inside = np.moveaxis(difference, array_axis, 0), np.moveaxis(mask, array_axis, 0)
        for n, value in enumerate(found[axis]["psnr"]):
            if value is not None:
                rmse = np.sqrt(np.square(errors[n][inside[n]].astype(np.float64)).mean())
                assert value == pytest.approx(20 * np.log10(50.0 / rmse), abs=1e-5)


def test_agreement_is_bland_and_altmans() -> None:
    generator = np.random.default_rng(2)
    reference = generator.normal(100, 10, (30, 20, 20)).astype(np.float32)
    difference = generator.normal(1.5, 2, reference.shape).astype(np.float32)
    mask = np.ones(reference.shape, dtype=bool)
    found = agreement.bland_altman(reference, difference, mask)
    d = difference.astype(np.float64)
    assert found.bias == pytest.approx(d.mean())
    assert found.high - found.bias == pytest.approx(1.96 * d.std(ddof=1))
    assert found.bias - found.low == pytest.approx(1.96 * d.std(ddof=1))
    assert len(found.means) == len(found.differences) == agreement.SHOWN_POINTS
    again = agreement.bland_altman(reference, difference, mask)
    np.testing.assert_array_equal(again.means, found.means)
