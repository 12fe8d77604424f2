"""What is no usable image is refused; single broken voxels are repaired and counted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from MedSRLib import images
from MedSRLib.errors import InputError
from MedSRLib.progress import Progress

Events = list[dict[str, Any]]


@pytest.fixture
def log() -> Events:
    return []


def float64(image: sitk.Image, value: float) -> sitk.Image:
    return sitk.Cast(image, sitk.sitkFloat64) * 0 + value


@pytest.mark.parametrize("kind", [sitk.sitkUInt8, sitk.sitkInt16, sitk.sitkInt64, sitk.sitkFloat64])
def test_scalar_images_of_three_and_four_dimensions_are_accepted(make_image, kind: int) -> None:
    image = sitk.Cast(make_image(kind="blobs"), kind)
    images.check(image)
    images.check(sitk.JoinSeries([image, image]))
    images.check(image * 0)
    images.check(make_image(size=(9, 8, 1)))
    images.check(make_image(direction="left-handed"))


def test_every_other_image_is_refused_by_its_name(make_image) -> None:
    image = make_image(kind="blobs")
    plane = sitk.GetImageFromArray(np.ones((4, 5), np.float32))
    refused = {
        "2 dimensions": plane,
        "5 dimensions": sitk.JoinSeries([sitk.JoinSeries([image])]),
        "vector": sitk.Compose(image, image),
        "colour": sitk.Cast(sitk.Compose(image, image, image), sitk.sitkVectorUInt8),
        "complex": sitk.RealAndImaginaryToComplex(image, image),
        "empty": sitk.Image((4, 0, 4), sitk.sitkFloat32),
        "finite": float64(image, float("nan")),
        "infinite": float64(image, float("inf")),
    }
    for word, bad in refused.items():
        with pytest.raises(InputError, match=word) as error:
            images.check(bad, "fancy thing")
        assert "fancy thing" in str(error.value)
        assert "\n" not in str(error.value)


def test_impossible_places_in_space_are_refused(make_image) -> None:
    for method, value in (
        ("SetSpacing", (1.0, float("nan"), 1.0)),
        ("SetSpacing", (1.0, float("inf"), 1.0)),
        ("SetOrigin", (0.0, float("nan"), 0.0)),
        ("SetDirection", (1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1e-5)),
        ("SetDirection", (2.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)),
    ):
        image = make_image()
        try:
            getattr(image, method)(value)
        except RuntimeError:
            continue  # ITK itself refuses
        with pytest.raises(InputError):
            images.check(image)


def test_a_prepared_image_is_float32_in_the_same_place(make_image, log: Events) -> None:
    image = sitk.Cast(make_image(kind="blobs"), sitk.sitkInt16)
    prepared = images.prepared(image, Progress(log.append))
    assert prepared.GetPixelID() == sitk.sitkFloat32
    np.testing.assert_array_equal(images.to_array(prepared), images.to_array(image))
    assert prepared.IsSameImageGeometryAs(image)
    assert image.GetPixelID() == sitk.sitkInt16
    assert log == []


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e300])
def test_broken_voxels_take_the_nearest_finite_value_in_millimetres(make_image, log: Events, value: float) -> None:
    """Voxels are 0.9 × 1.1 × 2.5 mm: the nearest of a broken 3 × 3 × 3 cube's centre lies along x."""
    image = sitk.Cast(make_image(kind="noise"), sitk.sitkFloat64)
    values = sitk.GetArrayFromImage(image)
    broken = values.copy()
    broken[2:5, 3:6, 4:7] = value
    broken[0, 0, 0] = value
    given = sitk.GetImageFromArray(broken)
    given.CopyInformation(image)
    prepared = images.prepared(given, Progress(log.append))
    repaired = images.to_array(prepared)
    assert np.isfinite(repaired).all()
    good = np.ones(values.shape, bool)
    good[2:5, 3:6, 4:7] = False
    good[0, 0, 0] = False
    np.testing.assert_array_equal(repaired[good], values[good].astype(np.float32))
    assert repaired[3, 4, 5] in values[3, 4, [3, 7]].astype(np.float32)
    assert repaired[0, 0, 0] == np.float32(values[0, 0, 1])
    assert prepared.IsSameImageGeometryAs(image)
    assert [event["level"] for event in log] == ["warning"]
    assert "28 of the 910 voxels (3.1 %)" in log[0]["message"]
    np.testing.assert_array_equal(sitk.GetArrayFromImage(given), broken)


def test_values_beyond_32_bits_everywhere_are_told(make_image) -> None:
    with pytest.raises(InputError, match="32 bits"):
        images.prepared(float64(make_image(), 1e300), Progress())


def test_a_frame_without_a_finite_value_is_told(make_image) -> None:
    series = sitk.JoinSeries([make_image(), make_image() * float("nan")])
    images.check(series)
    with pytest.raises(InputError, match="finite"):
        images.prepared(images.frames(series)[1], Progress())
