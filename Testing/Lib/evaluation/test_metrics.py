"""Metrics in closed form, their masks, and putting results on the reference's grid."""

import json
import math

import numpy as np
import pytest
import SimpleITK as sitk

from MedSRLib.errors import InputError
from MedSRLib.evaluation.metrics import json_ready, mae, measure, nrmse, psnr, ssim
from MedSRLib.evaluation.reference import Reference

OBLIQUE = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, -1.0)  # left-handed too


def image_of(array, spacing=(1.0, 1.5, 2.0), origin=(5.0, -3.0, 11.0), direction=OBLIQUE):
    image = sitk.GetImageFromArray(np.asarray(array, dtype=np.float32))
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    image.SetDirection(direction)
    return image


def ball(shape=(15, 14, 19), radius=5.5):
    """A bright ball with a smooth inside, in air, (k, j, i)."""
    centre = (np.array(shape) - 1) / 2
    k, j, i = (g - c for g, c in zip(np.indices(shape), centre, strict=True))
    inside = k**2 + j**2 + i**2 <= radius**2
    return np.where(inside, 100 + 10 * np.cos(i / 2) + 3 * k, 0).astype(np.float32), inside


def test_constant_error_has_metrics_in_closed_form():
    array, inside = ball()
    off = array + np.where(inside, 4.0, 0.0)
    share = inside.mean()
    assert mae(array, off, data_range=50, mask=inside) == pytest.approx(4, rel=1e-6)
    assert mae(array, off, data_range=50) == pytest.approx(4 * share, rel=1e-6)
    assert nrmse(array, off, data_range=50, mask=inside) == pytest.approx(0.08, rel=1e-6)
    assert psnr(array, off, data_range=50, mask=inside) == pytest.approx(20 * math.log10(50 / 4), abs=1e-6)
    # An empty background raises PSNR by 10 log10(N / N_mask).
    gain = psnr(array, off, data_range=50) - psnr(array, off, data_range=50, mask=inside)
    assert gain == pytest.approx(10 * math.log10(1 / share), abs=1e-6)


def test_identical_images_are_perfect():
    array, _ = ball()
    assert psnr(array, array, data_range=100) == math.inf
    assert ssim(array, array, data_range=100) == pytest.approx(1, abs=1e-6)


def test_ssim_of_a_mask_in_the_outermost_voxels_is_a_number():
    array, _ = ball()
    mask = np.zeros(array.shape, dtype=bool)
    mask[0] = True
    assert ssim(array, array, data_range=100, mask=mask) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("metric", [psnr, ssim, mae, nrmse])
def test_impossible_comparisons_are_refused(metric):
    array, _ = ball()
    with pytest.raises(InputError, match="different shapes"):
        metric(array, array[1:], data_range=1)
    with pytest.raises(InputError, match="data range"):
        metric(array, array, data_range=0)
    with pytest.raises(InputError, match="empty"):
        metric(array, array, data_range=1, mask=np.zeros(array.shape, dtype=bool))


def test_measure_states_how_it_measured_and_leaves_its_inputs_alone():
    array, inside = ball()
    reference, result = image_of(array), image_of(array + 2)
    before = sitk.GetArrayFromImage(result).copy()
    found = measure(reference, result, image_of(inside))
    assert found["psnr"]["mask"] == pytest.approx(20 * math.log10(np.ptp(array) / 2), abs=1e-4)
    assert found["data_range"] == pytest.approx(np.ptp(array))
    assert f"{inside.sum()} voxels" in found["mask"] and "given by the user" in found["mask"]
    assert found["ssim_window"] == [7, 7, 7] and found["border"] == 0 and found["notes"] == []
    assert np.array_equal(sitk.GetArrayFromImage(result), before)


def test_the_default_mask_is_the_patient_without_air():
    array, inside = ball((25, 25, 25), 8)
    found = Reference.of(image_of(array)).mask
    assert (found & inside).sum() / inside.sum() > 0.9 and found.mean() < 0.5


def test_a_mask_on_another_grid_is_resampled_in_space():
    array, _ = ball()
    mask = np.zeros(array.shape, dtype=np.uint8)
    mask[4:9, 3:10, 5:12] = 1
    reference = image_of(array)
    flipped = sitk.Flip(sitk.Cast(image_of(mask), sitk.sitkUInt8), [True, False, True])
    truth = Reference.of(reference, flipped)
    assert np.array_equal(truth.mask, mask > 0)
    assert "resampled" in truth.mask_origin


def test_a_result_on_another_grid_is_resampled_and_the_notes_say_so():
    array, _ = ball()
    reference = image_of(array)
    moved = sitk.Flip(reference, [False, True, True])
    found = measure(reference, moved)
    assert found["psnr"]["whole"] > 60
    assert any("cubic B-spline" in note for note in found["notes"])
    cropped = reference[2:, :, :]
    notes = measure(reference, cropped)["notes"]
    assert any("covers" in note for note in notes) or Reference.of(reference).mask[..., :2].sum() == 0


def test_a_thin_result_is_resampled_linearly():
    array = np.repeat(ball((1, 20, 20), 7)[0], 6, axis=0)
    reference = image_of(array, spacing=(1, 1, 1))
    thin = image_of(array[::3], spacing=(1, 1, 3), origin=reference.TransformContinuousIndexToPhysicalPoint((0, 0, 1)))
    found = measure(reference, thin)
    assert any("linear" in note for note in found["notes"])
    assert found["psnr"]["whole"] > 60


def test_a_result_of_elsewhere_is_refused():
    array, _ = ball()
    with pytest.raises(InputError, match="covers 0%"):
        measure(image_of(array), image_of(array, origin=(500.0, 0.0, 0.0)))


def test_constant_references_and_empty_masks_are_refused():
    array, _ = ball()
    with pytest.raises(InputError, match="constant"):
        Reference.of(image_of(np.ones((5, 6, 7))))
    with pytest.raises(InputError, match="no voxel above zero"):
        Reference.of(image_of(array), image_of(np.zeros(array.shape)))


def test_numbers_that_json_does_not_know_become_null():
    ready = json_ready({"a": [math.inf, 1.5], "b": (math.nan,)})
    assert json.dumps(ready, allow_nan=False) == '{"a": [null, 1.5], "b": [null]}'
