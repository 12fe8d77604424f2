"""Errors lesion by lesion, with numbers worked out by hand, on an oblique anisotropic grid."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import SimpleITK as sitk

from MedSRLib.errors import InputError
from MedSRLib.evaluation.lesions import lesions

SPACING = (1.0, 1.0, 2.0)


def like(image: sitk.Image, array: np.ndarray) -> sitk.Image:
    made = sitk.GetImageFromArray(array)
    made.CopyInformation(image)
    return made


@pytest.fixture
def case(make_image: Callable[..., sitk.Image]) -> tuple[sitk.Image, np.ndarray, np.ndarray]:
    """A grid, a reference of 100 with lesions of 140 (8 voxels) and 120 (1 voxel), and their mask."""
    grid = make_image((16, 15, 9), SPACING, direction="left-handed")
    mask = np.zeros((9, 15, 16), dtype=np.uint8)
    mask[2:4, 3:5, 3:5] = 1
    mask[6, 11, 12] = 1
    reference = np.full(mask.shape, 100.0)
    reference[2:4, 3:5, 3:5] = 140
    reference[6, 11, 12] = 120
    return grid, reference, mask


def test_each_lesion_has_its_own_error_and_the_share_of_its_contrast(case) -> None:
    grid, reference, mask = case
    result = reference.copy()
    result[2:4, 3:5, 3:5] -= 10
    result[2, 3, 3] += 20  # eight errors: seven of -10, one of +10
    result[6, 11, 12] = 100  # the small lesion is gone
    large, small = lesions(like(grid, reference), like(grid, result), like(grid, mask))
    assert (large.label, large.volume_mm3, small.label, small.volume_mm3) == (1, 16, 2, 2)
    assert large.mae == pytest.approx(10) and large.rmse == pytest.approx(10)
    assert large.bias == pytest.approx(-60 / 8)
    assert large.contrast == pytest.approx(40) and large.kept == pytest.approx((40 - 7.5) / 40)
    assert small.kept == 0 and small.bias == -20
    assert small.centre == pytest.approx(grid.TransformIndexToPhysicalPoint((12, 11, 6)))
    assert len(lesions(like(grid, reference), like(grid, result), like(grid, mask), smallest_mm3=3)) == 1


def test_the_surroundings_reach_three_millimetres_and_hold_no_other_lesion(case) -> None:
    grid, reference, mask = case
    far = reference.copy()
    far[6, 11, 12 - 4] = 1e6  # 4 mm away
    mask[6, 11, 10] = 1  # another lesion 2 mm away
    far[6, 11, 10] = 1e6
    place = grid.TransformIndexToPhysicalPoint((12, 11, 6))
    found = lesions(like(grid, far), like(grid, far), like(grid, mask))
    (small,) = (lesion for lesion in found if lesion.centre == pytest.approx(place))
    assert small.contrast == pytest.approx(20)


def test_identical_images_keep_everything_and_flat_ones_have_no_contrast(case) -> None:
    grid, reference, mask = case
    for lesion in lesions(like(grid, reference), like(grid, reference), like(grid, mask)):
        assert (lesion.mae, lesion.bias, lesion.kept) == (0, 0, 1)
    flat = like(grid, np.full(mask.shape, 7.0))
    assert all(math.isnan(lesion.kept) for lesion in lesions(flat, flat, like(grid, mask)))


def test_a_lesion_that_fills_the_volume_has_no_surroundings(case) -> None:
    grid, reference, mask = case
    (lesion,) = lesions(like(grid, reference), like(grid, reference), like(grid, np.ones_like(mask)))
    assert math.isnan(lesion.contrast) and math.isnan(lesion.kept) and lesion.mae == 0


def test_parts_that_touch_by_a_corner_are_one(case) -> None:
    grid, reference, mask = case
    mask[4, 5, 5] = 1
    found = lesions(like(grid, reference), like(grid, reference), like(grid, mask))
    assert [lesion.volume_mm3 for lesion in found] == [18, 2]


def test_empty_masks_and_other_grids_are_refused(case) -> None:
    grid, reference, mask = case
    image = like(grid, reference)
    with pytest.raises(InputError, match="empty"):
        lesions(image, image, like(grid, np.zeros_like(mask)))
    with pytest.raises(InputError, match="different grids"):
        lesions(image, image[1:, :, :], like(grid, mask))
    moved = like(grid, reference)
    moved.SetOrigin((0, 0, 0))
    with pytest.raises(InputError, match="different grids"):
        lesions(image, moved, like(grid, mask))
