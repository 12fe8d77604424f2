"""SSIM in all its forms against scikit-image 0.26.0 and torchmetrics 1.9.0, called in the tests themselves."""

import os
import sys

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity
from torchmetrics.functional.image import (
    multiscale_structural_similarity_index_measure,
    structural_similarity_index_measure,
)

from MedSRLib.errors import InputError
from MedSRLib.evaluation import box_similarity, similarity


def pair(shape, offset=0.0):
    """A structured volume with empty air, and a noisy, darker copy, float32 (k, j, i)."""
    rng = np.random.default_rng(5)
    z, y, x = np.indices(shape)
    reference = np.maximum(100 * np.sin(x / 3) * np.cos(y / 4) + 30 * np.cos(z / 2), 0) + offset
    noisy = np.where(reference > offset, 0.9 * reference + 0.1 * offset + 5 * rng.normal(size=shape), reference)
    return reference.astype(np.float32), noisy.astype(np.float32)


def oracle(reference, image, **options):
    return structural_similarity(
        reference.astype(np.float64), image.astype(np.float64), data_range=float(np.ptp(reference)), **options
    )


def of(array):
    return torch.from_numpy(array.astype(np.float64))[None, None]


@pytest.mark.parametrize("offset", [0.0, 1000.0])
@pytest.mark.parametrize("shape", [(7, 10, 13), (41, 22, 19)])
def test_the_uniform_window_gives_scikit_images_value_and_map(shape, offset, monkeypatch):
    monkeypatch.setitem(box_similarity._SLAB_VOXELS, "cpu", 1500)  # several slabs
    reference, image = pair(shape, offset)
    settings = {"data_range": float(np.ptp(reference)), "window": (7, 7, 7)}
    value, values = oracle(reference, image, full=True)
    assert box_similarity.box_mean(reference, image, **settings) == pytest.approx(value, abs=1e-6)
    assert box_similarity.box_map(reference, image, **settings) == pytest.approx(values, abs=1e-4)


def test_what_a_gpu_would_compute_is_the_same():
    """ "cpu:0" takes the way of a GPU: tensors instead of NumPy's threads."""
    reference, image = pair((41, 22, 19))
    settings = {"data_range": float(np.ptp(reference)), "window": (7, 5, 7)}
    found = box_similarity.box_map(reference, image, device="cpu:0", **settings)
    assert found == pytest.approx(box_similarity.box_map(reference, image, **settings), abs=1e-5)


@pytest.mark.parametrize(("wanted", "threads"), [("3", 3), ("2,1", 2), ("", None), ("many", None), ("0", None)])
def test_without_torch_there_are_as_many_threads_as_it_would_have(wanted, threads, monkeypatch):
    monkeypatch.delitem(sys.modules, "torch")
    monkeypatch.setenv("OMP_NUM_THREADS", wanted)
    found = box_similarity._threads()
    assert found == threads if threads else 1 <= found <= os.cpu_count()


def test_slices_have_scikit_images_2d_values():
    reference, image = pair((5, 23, 18))
    found = similarity.slices(torch.from_numpy(reference), torch.from_numpy(image), data_range=float(np.ptp(reference)))
    data_range = float(np.ptp(reference))
    expected = [
        structural_similarity(r.astype(np.float64), i.astype(np.float64), data_range=data_range)
        for r, i in zip(reference, image, strict=True)
    ]
    assert found.tolist() == pytest.approx(expected, abs=1e-6)


def test_the_gaussian_window_gives_torchmetrics_value():
    reference, image = pair((15, 20, 13))
    data_range = float(np.ptp(reference))
    expected = structural_similarity_index_measure(of(image), of(reference), data_range=data_range)
    found = similarity.ssim_gaussian(reference, image, data_range=data_range)
    assert found == pytest.approx(float(expected), abs=1e-6)


def test_the_gaussian_map_is_scikit_images_away_from_the_border():
    reference, image = pair((17, 20, 15))
    data_range = float(np.ptp(reference))
    _, expected = oracle(reference, image, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True)
    inside = (slice(5, -5),) * 3
    found = similarity.gaussian_map(reference, image, data_range=data_range)
    assert found[inside] == pytest.approx(expected[inside], abs=1e-5)
    mask = np.zeros(reference.shape, dtype=bool)
    mask[inside] = True
    masked = similarity.ssim_gaussian(reference, image, data_range=data_range, mask=mask)
    assert masked == pytest.approx(expected[inside].mean(), abs=1e-6)


def test_a_volume_of_one_slice_is_compared_as_a_picture():
    reference, image = pair((1, 24, 30))
    data_range = float(np.ptp(reference))
    expected = structural_similarity_index_measure(of(image)[0], of(reference)[0], data_range=data_range)
    assert similarity.ssim_gaussian(reference, image, data_range=data_range) == pytest.approx(float(expected), abs=1e-6)


def test_multiscale_similarity_gives_torchmetrics_value():
    reference, image = pair((1, 190, 180))
    data_range = float(np.ptp(reference))
    expected = multiscale_structural_similarity_index_measure(of(image)[0], of(reference)[0], data_range=data_range)
    assert similarity.ms_ssim(reference, image, data_range=data_range) == pytest.approx(float(expected), abs=1e-6)


def test_fewer_scales_use_the_first_weights_in_their_proportion():
    reference, image = pair((23, 24, 22))
    data_range = float(np.ptp(reference))
    first, second = similarity.SCALE_WEIGHTS[:2]
    betas = (first / (first + second), second / (first + second))
    expected = multiscale_structural_similarity_index_measure(
        of(image), of(reference), data_range=data_range, betas=betas
    )
    found = similarity.ms_ssim(reference, image, data_range=data_range, scales=2)
    assert found == pytest.approx(float(expected), abs=1e-6)


@pytest.mark.parametrize(("shape", "advice"), [((40, 40, 40), "at most 2"), ((8, 40, 40), "Use SSIM")])
def test_volumes_too_small_for_the_scales_are_refused(shape, advice):
    reference, image = pair(shape)
    with pytest.raises(InputError, match=advice):
        similarity.ms_ssim(reference, image, data_range=1.0)


def test_identical_volumes_and_flat_regions_have_similarity_one():
    reference, _ = pair((12, 13, 14), 500.0)
    assert similarity.ssim_gaussian(reference, reference, data_range=100) == 1
    assert box_similarity.box_mean(reference, reference, data_range=100, window=(7, 7, 7)) == 1
    flat = np.full((12, 12, 12), 7.0, dtype=np.float32)
    assert similarity.ms_ssim(flat, flat, data_range=1, scales=1) == 1
    # Two different constants: no structure is lost, the luminance term alone speaks.
    expected = (2 * 7 * 8 + 0.01) / (49 + 64 + 0.01)
    assert similarity.ssim_gaussian(flat, flat + 1, data_range=10) == pytest.approx(expected, abs=1e-6)
