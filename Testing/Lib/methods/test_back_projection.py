"""Iterative back-projection: it undoes blur, respects the input, and leaves noise alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from MedSRLib import images
from MedSRLib.acquisition import KINDS, RicianNoise, acquired_grid, build
from MedSRLib.errors import OptionError
from MedSRLib.grids import Grid
from MedSRLib.inference.runtime import Runtime
from MedSRLib.methods import registry
from MedSRLib.progress import Progress

WANTED = Grid((48, 44, 40), (1.0, 0.9, 1.1), (-3.0, 5.0, 9.0), (0.8, 0.6, 0.0, -0.6, 0.8, 0.0, 0.0, 0.0, -1.0))


def _phantom() -> torch.Tensor:
    """Soft-edged shells with fine folds in an empty background, up to 100."""
    k, j, i = np.meshgrid(*(np.linspace(-1, 1, n) for n in WANTED.shape), indexing="ij")
    radius = np.sqrt(k**2 + j**2 + i**2)
    folds = 0.06 * np.sin(9 * np.arctan2(j, i)) * np.cos(7 * k)
    shells = 1 / (1 + np.exp((radius + folds - 0.6) / 0.015)) + 1 / (1 + np.exp((radius - 0.85) / 0.015))
    return torch.from_numpy((50 * shells).astype(np.float32))


def _psnr(result, truth) -> float:
    error = np.square(images.to_array(result) - truth.numpy()).mean()
    return float(10 * np.log10(100**2 / error))


def _upscale(method, image, wanted=WANTED, progress=None, **options):
    return registry.create(method, options).upscale(image, wanted, runtime=Runtime(), progress=progress or Progress())


@pytest.fixture(scope="module")
def truth():
    return _phantom()


def _measured(truth, kind="physical", scale=2.0, sigma=0.0):
    model = build(kind, WANTED, acquired_grid(kind, WANTED, scale))
    noise = RicianNoise(sigma) if sigma else None
    y = model(truth, noise, torch.Generator().manual_seed(0))
    return model, images.from_array(y.numpy(), model.acquired)


@pytest.mark.parametrize("scale", [2.0, 2.5, (1, 1, 3)])
def test_noise_free_it_gains_over_cubic_and_explains_the_input(truth, scale):
    model, image = _measured(truth, scale=scale)
    result = _upscale("back-projection", image)
    assert _psnr(result, truth) > _psnr(_upscale("cubic", image), truth) + 1.0
    again = model.A(torch.from_numpy(images.to_array(result))).numpy()
    assert np.sqrt(np.square(again - images.to_array(image)).mean()) < 0.25


@pytest.mark.parametrize("sigma", [2.0, 5.0])
def test_with_noise_it_stops_in_time_and_does_not_lose_to_cubic(truth, sigma):
    _, image = _measured(truth, sigma=sigma)
    messages = []
    stopped = _upscale("back-projection", image, progress=Progress(messages.append))
    endless = _upscale("back-projection", image, noise=0)
    assert _psnr(stopped, truth) >= _psnr(_upscale("cubic", image), truth)
    assert _psnr(stopped, truth) > _psnr(endless, truth)
    assert any("back-projection stopped" in event.get("message", "") for event in messages)


def test_it_stops_at_the_first_result_within_the_noise(truth):
    model, image = _measured(truth)
    y = torch.from_numpy(images.to_array(image))
    signal = int((y > y.min() + 1e-6 * (y.max() - y.min())).sum())
    residuals = []
    for iterations in range(6):
        result = _upscale("back-projection", image, iterations=iterations, noise=0)
        residuals.append(float((y - model.A(torch.from_numpy(images.to_array(result)))).square().sum()))
    assert residuals == sorted(residuals, reverse=True)
    sigma = float(np.sqrt(np.sqrt(residuals[2] * residuals[3]) / signal))  # reached between 2 and 3
    expected = images.to_array(_upscale("back-projection", image, iterations=3, noise=0))
    stopped = images.to_array(_upscale("back-projection", image, noise=sigma, discrepancy=1.0))
    assert np.array_equal(stopped, expected)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "slice-profile"])
def test_it_undoes_the_acquisition_it_is_told(truth, kind):
    model, image = _measured(truth, kind=kind)
    result = _upscale("back-projection", image, acquisition=kind)
    residual = model.A(torch.from_numpy(images.to_array(result))).numpy() - images.to_array(image)
    start = model.A(torch.from_numpy(images.to_array(_upscale("cubic", image)))).numpy() - images.to_array(image)
    assert np.abs(residual).mean() < 0.3 * np.abs(start).mean() + 1e-6


def test_a_slice_thickness_can_be_told(truth):
    thick = build("slice-profile", WANTED, acquired_grid("physical", WANTED, (1, 1, 3)), thickness=5.0)
    image = images.from_array(thick.A(truth).numpy(), thick.acquired)
    told = _upscale("back-projection", image, acquisition="slice-profile", thickness=5.0)
    assert _psnr(told, truth) > _psnr(_upscale("back-projection", image), truth) + 0.3


def test_voxels_beyond_a_smaller_wanted_field_of_view_do_no_harm(truth):
    _, image = _measured(truth)
    part = dataclasses.replace(WANTED, size=(24, 24, 20), origin=tuple(WANTED.physical((12, 10, 10))))
    whole = images.to_array(_upscale("back-projection", image))[10:30, 10:34, 12:36]
    cropped = images.to_array(_upscale("back-projection", image, part))
    assert np.abs(whole - cropped)[5:-5, 5:-5, 5:-5].max() < 2.0
    assert np.abs(whole - cropped).max() < 15.0


@pytest.mark.parametrize(
    "wrong",
    [{"acquisition": "fourier"}, {"noise": -1.0}, {"noise": "much"}, {"iterations": -1}, {"thickness": 0}],
)
def test_impossible_options_are_refused(wrong):
    with pytest.raises(OptionError, match=next(iter(wrong))):
        registry.create("back-projection", wrong)


def test_nothing_to_do_does_nothing():
    flat = images.from_array(np.full(WANTED.shape, 7.0), WANTED)
    assert np.array_equal(images.to_array(_upscale("back-projection", flat)), images.to_array(flat))
