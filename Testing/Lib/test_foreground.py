"""The patient is found in noisy air, in exact zeros, and in a crop without any background."""

from __future__ import annotations

import numpy as np
import pytest

from MedSRLib.foreground import foreground


def ball(shape: tuple[int, int, int], radius: float, centre: tuple[float, ...] | None = None) -> np.ndarray:
    """True inside an ellipsoid of ``radius`` (1 touches the borders), (k, j, i)."""
    centre = centre or tuple((n - 1) / 2 for n in shape)
    axes = [(np.arange(n) - c) / (n / 2) for n, c in zip(shape, centre, strict=True)]
    k, j, i = np.meshgrid(*axes, indexing="ij")
    return k**2 + j**2 + i**2 < radius**2


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Dice coefficient."""
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


@pytest.fixture
def head(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A head with dark ventricles in Rician air of 3 %, and its true mask."""
    truth = ball((40, 47, 36), 0.75)
    tissue = np.where(truth, 100.0, 0.0) + rng.normal(0, 5, truth.shape) * truth
    tissue[ball(truth.shape, 0.2)] = 5
    noise = rng.normal(0, 3, (2, *truth.shape))
    return np.hypot(tissue + noise[0], noise[1]).astype(np.float32), truth


def test_a_head_is_found_in_noisy_air_with_its_ventricles(head) -> None:
    array, truth = head
    mask = foreground(array)
    assert mask.dtype == bool
    assert mask.shape == array.shape
    assert overlap(mask, truth) > 0.95
    assert mask[ball(truth.shape, 0.2)].all()


@pytest.mark.parametrize("offset", [-1024.0, 0.0, 5000.0])
@pytest.mark.parametrize("factor", [1e-3, 1.0, 40.0])
def test_units_do_not_matter(head, offset: float, factor: float) -> None:
    array, _ = head
    assert overlap(foreground(array * factor + offset), foreground(array)) > 0.999


def test_specks_of_noise_are_left_out(head, rng: np.random.Generator) -> None:
    array, truth = head
    air = np.argwhere(~ball(truth.shape, 0.95))
    array[tuple(air[rng.choice(len(air), 30, replace=False)].T)] = 100
    assert overlap(foreground(array), truth) > 0.95


def test_a_skull_stripped_brain_is_all_that_is_not_zero(rng: np.random.Generator) -> None:
    truth = ball((40, 47, 36), 0.6)
    brain = np.where(truth, rng.uniform(60, 140, truth.shape), 0)
    assert overlap(foreground(brain), truth) > 0.93


def test_two_limbs_are_both_kept() -> None:
    shape = (30, 30, 61)
    limbs = ball(shape, 0.4, (15, 15, 14)) | ball(shape, 0.4, (15, 15, 46))
    assert overlap(foreground(limbs * 100.0), limbs) > 0.9


def test_what_is_open_in_the_volume_but_closed_in_a_slice_is_filled() -> None:
    """A windpipe leaves the volume through its lowest slice."""
    neck = np.zeros((20, 40, 40), bool)
    neck[:, 5:35, 5:35] = True
    array = neck * 100.0
    array[:, 15:24, 15:24] = 0
    mask = foreground(array)
    assert mask[:, 15:24, 15:24].all()
    assert not mask[:, :3].any()


def test_a_crop_without_background_is_kept(rng: np.random.Generator) -> None:
    """Tissue everywhere, with the spread of a T1-weighted hippocampus crop (P1 9, P50 63, P99 106)."""
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(rng.normal(0, 1, (35, 51, 35)), 2)
    crop = np.clip(63 + 22 * smooth / smooth.std(), 2, 120)
    assert foreground(crop).mean() > 0.98


@pytest.mark.parametrize("shape", [(1, 20, 20), (20, 2, 20), (2, 2, 2), (1, 1, 1), (1, 1, 9)])
@pytest.mark.parametrize("value", [0.0, 3.0])
def test_thin_and_constant_volumes_are_whole(shape: tuple[int, int, int], value: float) -> None:
    assert foreground(np.full(shape, value, np.float32)).all()


def test_a_single_slice_is_parted_like_a_volume(head) -> None:
    array, truth = head
    assert overlap(foreground(array[20:21]), truth[20:21]) > 0.93


def test_integers_are_parted_and_left_as_they_are(head) -> None:
    array = np.round(head[0]).astype(np.int16)
    before = array.copy()
    assert overlap(foreground(array), head[1]) > 0.95
    np.testing.assert_array_equal(array, before)
