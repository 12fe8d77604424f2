"""Slice measures of volumes: three orientations, empty slices, thin volumes, and the same numbers as one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from MedSRLib.errors import Cancelled, InputError, OptionError
from MedSRLib.evaluation import slicewise
from MedSRLib.evaluation.psi import psi
from MedSRLib.evaluation.slicewise import SLICE_METRICS, measure, volume_vif
from MedSRLib.evaluation.vif import information, vif
from MedSRLib.progress import Progress

WITHOUT_WEIGHTS = sorted(set(SLICE_METRICS) - {"lpips"})


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray]:
    """A volume (45, 50, 47) from 200 to 900 with air in its first slices, and a blurred copy."""
    rng = np.random.default_rng(4)
    x = gaussian_filter(rng.normal(size=(45, 50, 47)), 1.5)
    x = 200 + 700 * (x - x.min()) / np.ptp(x)
    x[:4] = 200
    return x.astype(np.float32), gaussian_filter(x, 1).astype(np.float32)


def test_every_slice_has_the_value_it_has_alone(pair: tuple[np.ndarray, np.ndarray]) -> None:
    reference, image = pair
    found = measure("vif", reference, image, low=200, high=900)
    assert found.counted == {"k": 41, "j": 50, "i": 47}
    assert np.isnan(found.values["k"][:4]).all()
    x, y = (torch.from_numpy((a[:, :, 13] - 200.0) / 700 * 255)[None] for a in (reference, image))
    assert found.values["i"][13] == pytest.approx(vif(x, y).item(), abs=1e-5)
    everything = np.concatenate([v[np.isfinite(v)] for v in found.values.values()])
    assert len(everything) == 138 and found.mean == pytest.approx(everything.mean())


def test_a_measure_without_reference_judges_the_image_alone(pair: tuple[np.ndarray, np.ndarray]) -> None:
    _, image = pair
    alone = measure("psi", None, image, low=200, high=900)
    x = torch.from_numpy((image[20] - 200.0) / 700)[None]
    assert alone.values["k"][20] == pytest.approx(psi(x).item(), rel=1e-4)
    beside = measure("psi", pair[0], image, low=200, high=900)
    assert beside.counted["k"] == 41 and beside.values["k"][20] == alone.values["k"][20]


@pytest.mark.parametrize("name", WITHOUT_WEIGHTS)
def test_slices_outside_the_mask_do_not_count(name: str, pair: tuple[np.ndarray, np.ndarray]) -> None:
    reference, image = pair
    mask = np.zeros(reference.shape, dtype=bool)
    mask[10:12, 20, 30:33] = True
    found = measure(name, reference, image, low=200, high=900, mask=mask)
    assert found.counted == {"k": 2, "j": 1, "i": 3}
    assert math.isfinite(found.mean)


@pytest.mark.parametrize("name", WITHOUT_WEIGHTS)
def test_of_a_volume_of_one_slice_that_picture_counts(name: str, pair: tuple[np.ndarray, np.ndarray]) -> None:
    reference, image = (a[20:21] for a in pair)
    found = measure(name, reference, image, low=200, high=900)
    assert found.counted == {"k": 1, "j": 0, "i": 0} and set(found.values) == {"k"}
    assert math.isfinite(found.mean)


@pytest.mark.parametrize("name", WITHOUT_WEIGHTS)
def test_batches_change_nothing(
    name: str, pair: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    reference, image = pair
    together = measure(name, reference, image, low=200, high=900)
    monkeypatch.setattr(slicewise, "BATCH", 3)
    apart = measure(name, reference, image, low=200, high=900)
    for orientation in "kji":
        assert apart.values[orientation] == pytest.approx(together.values[orientation], abs=1e-5, nan_ok=True)


@pytest.mark.parametrize("name", WITHOUT_WEIGHTS)
def test_the_better_of_two_images_scores_better(name: str, pair: tuple[np.ndarray, np.ndarray]) -> None:
    reference, image = pair
    worse = gaussian_filter(reference, 2)
    good, bad = (measure(name, reference, i, low=200, high=900).mean for i in (image, worse))
    assert (good > bad) == SLICE_METRICS[name].higher_is_better


def test_volumes_without_a_slice_to_count_have_no_mean(pair: tuple[np.ndarray, np.ndarray]) -> None:
    tiny = np.random.default_rng(0).random((5, 6, 7))
    found = measure("vif", tiny, tiny, low=0, high=1)
    assert found.values == {} and math.isnan(found.mean) and sum(found.counted.values()) == 0
    flat = np.zeros((45, 50, 47))
    assert math.isnan(measure("lpc-si", flat, pair[1], low=0, high=1).mean)


def test_the_vif_of_a_volume_weighs_slices_by_what_they_hold(pair: tuple[np.ndarray, np.ndarray]) -> None:
    reference, image = pair
    found = volume_vif(reference, image, low=200, high=900)
    kept = whole = 0.0
    for axis in range(3):
        x, y = (torch.from_numpy((np.moveaxis(a, axis, 0) - 200.0) / 700 * 255) for a in (reference, image))
        one, both = information(x, y)
        kept, whole = kept + float(one.sum()), whole + float(both.sum())
    assert found == pytest.approx(kept / whole, abs=1e-4)
    assert volume_vif(reference, reference, low=200, high=900) == pytest.approx(1, abs=1e-6)
    assert math.isnan(volume_vif(reference[:4], image[:4], low=200, high=900))


def test_slices_that_show_next_to_nothing_are_empty(pair: tuple[np.ndarray, np.ndarray]) -> None:
    reference, image = (a.copy() for a in pair)
    reference[0] = 200 + np.linspace(0, 6, reference[0].size).reshape(reference[0].shape)  # below 1 % of 700
    reference[1] = 200 + np.linspace(0, 8, reference[1].size).reshape(reference[1].shape)
    assert np.isfinite(measure("ssim-2d", reference, image, low=200, high=900).values["k"][:4]).tolist() == [
        False,
        True,
        False,
        False,
    ]


def test_what_cannot_be_measured_is_refused(pair: tuple[np.ndarray, np.ndarray]) -> None:
    reference, image = pair
    with pytest.raises(OptionError, match="ssim-2d, vif, lpips, psi, lpc-si"):
        measure("sharpness", reference, image, low=0, high=1)
    with pytest.raises(InputError, match="there is none"):
        measure("vif", None, image, low=0, high=1)
    with pytest.raises(InputError, match="different shapes"):
        measure("vif", reference, image[1:], low=0, high=1)
    with pytest.raises(InputError, match="Black at 1 and white at 1"):
        measure("vif", reference, image, low=1, high=1)


def test_threads_of_torch_are_as_before_whatever_happens(pair: tuple[np.ndarray, np.ndarray]) -> None:
    before = torch.get_num_threads()
    measure("psi", *pair, low=200, high=900)
    assert torch.get_num_threads() == before
    with pytest.raises(Cancelled):
        measure("psi", *pair, low=200, high=900, progress=Progress(cancelled=lambda: True))
    assert torch.get_num_threads() == before
