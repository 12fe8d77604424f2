"""Refinement: any result is made consistent with its scan, down to the scan's noise and no further."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from MedSRLib import images, upscaling
from MedSRLib.acquisition import Acquisition, GaussianNoise, acquired_grid, build
from MedSRLib.errors import OptionError
from MedSRLib.grids import Grid
from MedSRLib.inference.refinement import Refinement, refine
from MedSRLib.inference.runtime import Runtime
from MedSRLib.methods import interpolation
from MedSRLib.progress import Progress

WANTED = Grid((40, 36, 30), (1.0, 0.9, 1.1), (-3.0, 5.0, 9.0), (0.8, 0.6, 0.0, -0.6, 0.8, 0.0, 0.0, 0.0, -1.0))
RUNTIME = Runtime()


def _truth() -> np.ndarray:
    """Two soft-edged shells in an empty background, up to 100."""
    k, j, i = np.meshgrid(*(np.linspace(-1, 1, n) for n in WANTED.shape), indexing="ij")
    radius = np.sqrt(k**2 + j**2 + i**2)
    shells = 1 / (1 + np.exp((radius - 0.6) / 0.02)) + 1 / (1 + np.exp((radius - 0.85) / 0.02))
    return (50 * shells).astype(np.float32)


def _scan(scale=(1, 1, 3), sigma: float = 0.0, thickness: float | None = None):
    forward = build("physical", WANTED, acquired_grid("physical", WANTED, scale), thickness=thickness)
    noise = GaussianNoise(sigma) if sigma else None
    y = forward(torch.from_numpy(_truth()), noise, torch.Generator().manual_seed(0))
    return images.from_array(y.numpy(), forward.acquired)


def _psnr(result) -> float:
    return float(10 * np.log10(100**2 / np.square(images.to_array(result) - _truth()).mean()))


def _exaggerating(self, image, grid, *, guides=(), model=None, runtime, progress):
    """A method that contradicts its input: 20 % too bright."""
    plain = interpolation.BSpline().upscale(image, grid, runtime=runtime, progress=progress)
    return images.from_array(1.2 * images.to_array(plain), grid)


@pytest.fixture
def liar(monkeypatch):
    monkeypatch.setattr(interpolation.Linear, "upscale", _exaggerating)
    return "linear"


def test_a_contradiction_is_mended_and_both_residuals_are_told(liar):
    scan = _scan()
    result = upscaling.upscale(scan, liar, like=WANTED, runtime=RUNTIME)
    refined = upscaling.upscale(scan, liar, like=WANTED, refine=Refinement(noise=0), runtime=RUNTIME)
    before, after = (float(refined.GetMetaData(f"MedSR_consistency_{name}")) for name in ("before", "after"))
    span = np.ptp(images.to_array(scan))
    for volume, told in ((result, before), (refined, after)):
        residual = images.to_array(upscaling.consistency(volume, scan))
        assert np.sqrt(np.square(residual).mean()) / span == pytest.approx(told, rel=1e-3)
    assert after < 0.1 * before
    assert _psnr(refined) > _psnr(result) + 6
    assert refined.GetMetaData("MedSR_acquisition") == "physical"
    assert refined.GetMetaData("MedSR_refined") == "5 corrections"


def test_the_noise_of_the_scan_is_not_copied():
    """What explains the scan within its noise is left exactly as it is; without that knowledge it would be changed."""
    scan = _scan((2, 2, 2), sigma=4.0)
    result = images.from_array(_truth(), WANTED)
    kept = refine(result, scan, Refinement(noise=6.0), progress=Progress())
    assert kept.corrections == 0
    assert kept.before == kept.after
    assert np.array_equal(images.to_array(kept.image), _truth())
    copied = refine(result, scan, Refinement(noise=0, iterations=5), progress=Progress())
    assert copied.after < copied.before
    assert _psnr(copied.image) < 35


def test_the_result_given_is_left_as_it_is():
    scan, result = _scan(), images.from_array(1.1 * _truth(), WANTED)
    before = images.to_array(result).copy()
    refine(result, scan, Refinement(noise=0), progress=Progress())
    assert np.array_equal(images.to_array(result), before)


def test_the_right_thickness_serves_better_than_the_spacing(liar):
    scan = _scan(thickness=5.5)
    told, untold = (
        upscaling.upscale(scan, liar, like=WANTED, refine=Refinement(how, noise=0), runtime=RUNTIME)
        for how in (Acquisition("slice-profile", 5.5), Acquisition())
    )
    assert told.GetMetaData("MedSR_acquisition") == "slice-profile, 5.5 mm"
    assert _psnr(told) > _psnr(untold) + 0.3


def test_it_follows_an_ensemble_and_keeps_its_uncertainty(liar):
    scan = _scan()
    found = upscaling.outcome(scan, WANTED, liar, ensemble="flips", refine=Refinement(noise=0), runtime=RUNTIME)
    assert found.uncertainty is not None
    assert float(found.image.GetMetaData("MedSR_consistency_after")) < 0.02


@pytest.mark.parametrize("size", [(9, 8, 1), (2, 2, 2), (1, 9, 8)])
def test_thin_scans_and_oblique_grids_are_refined_along_their_own_axes(size):
    grid = dataclasses.replace(WANTED, size=size)
    scan = images.from_array(np.random.default_rng(0).uniform(0, 100, grid.shape), grid)
    like = Grid((5, 5, 5), (0.5, 0.5, 0.5), tuple(grid.physical((0, 0, 0))), tuple(np.eye(3).ravel()))
    for wish in ({"scale": (2, 1.7, 2)}, {"like": like}):
        result = upscaling.upscale(scan, "lanczos", refine=Refinement(), runtime=RUNTIME, **wish)
        assert np.isfinite(images.to_array(result)).all()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Refinement(iterations=-1),
        lambda: Refinement(noise=-2.0),
        lambda: Acquisition("fourier"),
        lambda: Acquisition("kspace", 3.0),
        lambda: Acquisition("slice-profile"),
        lambda: Acquisition(thickness=0),
    ],
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(OptionError):
        wrong()
