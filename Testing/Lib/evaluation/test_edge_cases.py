"""What every metric gives for identical images, one slice, no variance, other grids and partial overlap."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import SimpleITK as sitk

from MedSRLib.evaluation import frequency, metrics, mutual_information, similarity, slicewise
from MedSRLib.evaluation.reference import Reference

Volume = np.ndarray
Metric = Callable[[Volume, Volume], float]


def on_slices(name: str) -> Metric:
    return lambda x, y: slicewise.measure(name, x, y, low=float(x.min()), high=float(x.max())).mean


def volume_vif(x: Volume, y: Volume) -> float:
    return slicewise.volume_vif(x, y, low=float(x.min()), high=float(x.max()))


# The metric, and its value for an image compared with itself.
METRICS: dict[str, tuple[Metric, float]] = {
    "psnr": (lambda x, y: metrics.psnr(x, y, data_range=float(np.ptp(x))), math.inf),
    "nrmse": (lambda x, y: metrics.nrmse(x, y, data_range=float(np.ptp(x))), 0),
    "mae": (lambda x, y: metrics.mae(x, y, data_range=float(np.ptp(x))), 0),
    "ssim": (lambda x, y: metrics.ssim(x, y, data_range=float(np.ptp(x))), 1),
    "ssim, Gaussian": (lambda x, y: similarity.ssim_gaussian(x, y, data_range=float(np.ptp(x))), 1),
    "ms-ssim": (lambda x, y: similarity.ms_ssim(x, y, data_range=float(np.ptp(x)), scales=2), 1),
    "ssim-2d": (on_slices("ssim-2d"), 1),
    "vif": (on_slices("vif"), 1),
    "volume vif": (volume_vif, 1),
    "nmi": (mutual_information.normalised_mutual_information, 2),
    "hfen": (frequency.hfen, 0),
    "fsc": (lambda x, y: float(frequency.shell_correlation(x, y, spacing=(2, 1, 1)).correlations[:8].min()), 1),
}
ALL = pytest.mark.parametrize("name", METRICS)


def head(depth: int = 44) -> Volume:
    """A textured ball in air without any variance, (depth, 46, 49)."""
    k, j, i = np.indices((depth, 46, 49))
    inside = ((k - depth // 2) / max(depth / 2.5, 1)) ** 2 + ((j - 23) / 18) ** 2 + ((i - 24) / 19) ** 2 < 1
    texture = 60 * np.sin(i / 2.0) * np.cos(j / 3.0) + 20 * np.cos(k / 2.0)
    return np.where(inside, 150 + texture, 0).astype(np.float32)


def spoiled(volume: Volume) -> Volume:
    """The volume with noise, but in the air."""
    noise = np.random.default_rng(1).normal(0, 8, volume.shape)
    return (volume + np.where(volume > 0, noise, 0)).astype(np.float32)


@ALL
def test_identical_images_are_perfect(name: str) -> None:
    metric, perfect = METRICS[name]
    assert metric(head(), head()) == pytest.approx(perfect, abs=1e-6)


@ALL
def test_one_slice_has_a_value_and_a_perfect_one(name: str) -> None:
    metric, perfect = METRICS[name]
    picture = head(1)
    assert metric(picture, picture) == pytest.approx(perfect, abs=1e-6)
    value = metric(picture, spoiled(picture))
    assert math.isfinite(value) and value != pytest.approx(perfect, abs=1e-3)


@ALL
def test_air_without_variance_gives_finite_values(name: str) -> None:
    metric, _ = METRICS[name]
    assert math.isfinite(metric(head(), spoiled(head())))


@ALL
def test_a_result_of_zeros_gives_a_defined_value(name: str) -> None:
    metric, _ = METRICS[name]
    volume = head()
    value = metric(volume, np.zeros_like(volume))
    expected = {"vif": 0, "volume vif": 0, "nmi": 1, "hfen": 1}
    if name == "fsc":
        assert math.isnan(value)
    else:
        assert value == pytest.approx(expected.get(name, value), abs=1e-6) and math.isfinite(value)


@ALL
def test_inputs_are_left_alone_and_the_same_gives_the_same(name: str) -> None:
    metric, _ = METRICS[name]
    x, y = head(), spoiled(head())
    for array in (x, y):
        array.setflags(write=False)
    assert metric(x, y) == metric(x, y)


def test_a_result_on_another_grid_or_of_a_part_is_compared_where_the_reference_is() -> None:
    """Whatever the metric: the result is put on the reference's grid first, and the notes say what was done."""
    image = sitk.GetImageFromArray(head())
    image.SetSpacing((1.0, 1.0, 2.0))
    truth = Reference.of(image)  # no mask given: the foreground is found
    assert "found automatically" in truth.mask_origin
    flipped, notes = truth.array_of(sitk.Flip(image, [True, False, False]))
    assert np.abs(flipped - truth.array).max() < 0.01 and "resampled" in notes[0]
    part, notes = truth.array_of(image[:, :, 12:])
    assert any("covers" in note for note in notes)
    for metric, _ in METRICS.values():
        assert math.isfinite(metric(truth.array, part))
