"""Arrays, frames and pixel types come and go without loss."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from MedSRLib import images
from MedSRLib.grids import Grid


@pytest.mark.parametrize("direction", ["identity", "oblique", "left-handed", "sagittal"])
def test_an_array_comes_back_as_an_image_exactly_on_the_grid(make_image, direction: str) -> None:
    image = make_image(direction=direction, kind="noise")
    array = images.to_array(image)
    assert (array.shape, array.dtype) == ((7, 10, 13), np.float32)
    assert array[6, 2, 11] == image[11, 2, 6]
    made = images.from_array(array, Grid.of(image))
    assert Grid.of(made) == Grid.of(image)
    np.testing.assert_array_equal(images.to_array(made), array)


def test_an_array_is_a_copy(make_image) -> None:
    image = make_image()
    before = image[0, 0, 0]
    images.to_array(image)[:] = 0
    assert image[0, 0, 0] == before


def test_from_array_takes_any_float_type_and_strides_but_no_other_shape(make_image) -> None:
    grid = Grid.of(make_image())
    values = np.arange(910, dtype=np.float64).reshape(13, 10, 7)
    made = images.from_array(values.transpose(2, 1, 0), grid)
    assert made.GetPixelID() == sitk.sitkFloat32
    assert made[3, 4, 5] == values[3, 4, 5]
    with pytest.raises(ValueError, match="shape"):
        images.from_array(values, grid)


def test_frames_are_joined_to_what_they_were(make_image) -> None:
    parts = [make_image(kind=kind) for kind in ("ramp", "noise", "blobs")]
    series = sitk.JoinSeries(parts, 12.5, 33.0)
    frames = images.frames(series)
    assert len(frames) == 3
    for frame, part in zip(frames, parts, strict=True):
        assert Grid.of(frame).equals(Grid.of(part), tolerance_mm=1e-9)
        np.testing.assert_array_equal(images.to_array(frame), images.to_array(part))
    joined = images.join(frames, like=series)
    assert joined.IsSameImageGeometryAs(series)
    assert (joined.GetSpacing()[3], joined.GetOrigin()[3]) == (33.0, 12.5)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(joined), sitk.GetArrayFromImage(series))


def test_frames_on_a_finer_grid_keep_the_fourth_spacing(make_image) -> None:
    series = sitk.JoinSeries([make_image(), make_image()], 0.0, 33.0)
    fine = [sitk.Expand(frame, (2, 2, 2)) for frame in images.frames(series)]
    joined = images.join(fine, like=series)
    assert joined.GetSize() == (26, 20, 14, 2)
    np.testing.assert_allclose(joined.GetSpacing(), (0.45, 0.55, 1.25, 33.0))


def test_a_3d_image_is_its_only_frame(make_image) -> None:
    image = make_image()
    assert images.frames(image) == [image]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (sitk.sitkUInt8, [0, 2, 2, 4, 255, 255, 0]),
        (sitk.sitkInt8, [-2, 2, 2, 4, 127, 127, -128]),
        (sitk.sitkUInt16, [0, 2, 2, 4, 300, 65535, 0]),
        (sitk.sitkInt16, [-2, 2, 2, 4, 300, 32767, -32768]),
        (sitk.sitkInt32, [-2, 2, 2, 4, 300, 2**31 - 1, -(2**31)]),
        (sitk.sitkUInt32, [0, 2, 2, 4, 300, 2**32 - 1, 0]),
        (sitk.sitkInt64, [-2, 2, 2, 4, 300, 2**63 - 1024, -(2**63)]),
        (sitk.sitkUInt64, [0, 2, 2, 4, 300, 2**64 - 2048, 0]),
        (sitk.sitkFloat32, [-1.75, 1.5, 2.25, 3.5, 300.0, 1e30, -1e30]),
    ],
)
def test_a_type_is_restored_by_rounding_and_clipping(make_image, kind: int, expected: list[float]) -> None:
    """The largest float64 below 2^63 is 2^63 - 1024, and below 2^64 it is 2^64 - 2048."""
    values = np.array([-1.75, 1.5, 2.25, 3.5, 300.0, 1e30, -1e30], np.float32).reshape(1, 1, 7)
    result = images.from_array(values, Grid.of(make_image(size=(7, 1, 1))))
    restored = images.restored_type(result, like=sitk.Cast(make_image(), kind))
    assert restored.GetPixelID() == kind
    assert Grid.of(restored) == Grid.of(result)
    found = sitk.GetArrayFromImage(restored).ravel()
    np.testing.assert_array_equal(found, np.array(expected).astype(found.dtype))


def test_float64_is_restored_without_rounding(make_image) -> None:
    restored = images.restored_type(make_image(), like=sitk.Cast(make_image(), sitk.sitkFloat64))
    assert restored.GetPixelID() == sitk.sitkFloat64
    np.testing.assert_array_equal(images.to_array(restored), images.to_array(make_image()))
