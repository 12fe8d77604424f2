"""The slice thickness that a header tells, or does not."""

from __future__ import annotations

import pytest
import SimpleITK as sitk

from MedSRLib.acquisition.degrading import degrade
from MedSRLib.images import keep_thickness, slice_thickness


@pytest.mark.parametrize(
    ("said", "thickness"), [("2.5 ", 2.5), ("unknown", None), ("", None), ("0", None), ("-1", None), ("nan", None)]
)
def test_what_is_no_positive_number_is_no_thickness(said: str, thickness: float | None) -> None:
    image = sitk.Image(2, 2, 2, sitk.sitkFloat32)
    image.SetMetaData("0018|0050", said)
    assert slice_thickness(image) == thickness


def test_it_is_kept_where_a_filter_loses_it() -> None:
    image, copy = sitk.Image(2, 2, 2, sitk.sitkFloat32), sitk.Image(2, 2, 2, sitk.sitkFloat32)
    keep_thickness(copy, like=image)
    assert slice_thickness(copy) is None
    image.SetMetaData("0018|0050", "2.5")
    keep_thickness(copy, like=image)
    assert slice_thickness(copy) == 2.5


@pytest.mark.parametrize(
    ("scale", "kind", "given", "told"),
    [
        ((1, 1, 3), "physical", None, 6.0),  # 6 voxels of 2 mm become 2 slices
        ((1, 1, 3), "slice-profile", 5.0, 5.0),
        ((1, 1, 3), "spline", None, None),  # no profile
        ((2, 2, 2), "physical", None, None),  # no slices
    ],
)
def test_a_degraded_image_tells_its_thickness(scale, kind, given, told) -> None:
    image = sitk.Image(6, 6, 6, sitk.sitkFloat32)
    image.SetSpacing((1.0, 1.0, 2.0))
    assert slice_thickness(degrade(image, scale, kind=kind, thickness=given)) == told
