"""LPC-SI by a literal reading of the paper's formulas, in closed form, and on real slices under blur."""

import math

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from scipy.ndimage import gaussian_filter

from MedSRLib.demo import reference
from MedSRLib.evaluation.lpc_si import coherence_map, lpc_si
from MedSRLib.progress import Progress


def filters(shape):
    """Log-Gabor filters by orientation and scale, one frequency at a time."""
    made = np.zeros((8, 3, *shape))
    for j in range(shape[0]):
        for i in range(shape[1]):
            fy, fx = (n if n < s / 2 else n - s for n, s in ((j, shape[0]), (i, shape[1])))
            fy, fx = fy / shape[0], fx / shape[1]
            f = math.hypot(fy, fx)
            if f == 0:
                continue
            for o in range(8):
                apart = math.remainder(math.atan2(-fy, fx) - o * math.pi / 8, 2 * math.pi)
                angular = math.exp(-(apart**2) / (2 * (math.pi / 8 / 1.5) ** 2))
                for s, scale in enumerate((1, 1.5, 2)):
                    radial = math.exp(-(math.log(f * 4 * scale) ** 2) / (2 * math.log(0.75) ** 2))
                    made[o, s, j, i] = radial * angular / (1 + (f / 0.45) ** 30)
    return made


def literal(image):
    """The index in double precision, by arguments and cosines."""
    border = round(min(image.shape) / 16)
    centre = tuple(slice(border, n - border) for n in image.shape)
    spectrum = np.fft.fft2(image)
    top, energy = np.zeros(image.shape), np.zeros(image.shape)
    for some in filters(image.shape):
        fine, middle, coarse = (np.fft.ifft2(spectrum * f) for f in some)
        phase = np.angle(fine) - 3 * np.angle(middle) + 2 * np.angle(coarse)
        size = np.abs(fine)
        e = np.maximum(0, size - size[centre].mean() - 2 * size[centre].std(ddof=1))
        top += np.maximum(0, np.cos(phase)) * e
        energy += e
    strengths = np.sort((top / (energy + 2))[centre].ravel())[::-1]
    weights = np.exp(-np.arange(len(strengths)) / (len(strengths) - 1) / 1e-4)
    return float(strengths @ weights / weights.sum())


@pytest.mark.parametrize("shape", [(48, 40), (33, 51)])
def test_it_is_the_papers_formula_read_literally(shape):
    rng = np.random.default_rng(6)
    image = np.clip(gaussian_filter(rng.normal(size=shape), 1) * 200 + 120, 0, 255)
    expected = literal(image)
    assert 0.1 < expected < 1
    both = torch.from_numpy(np.stack([image, image[::-1].copy()]))
    assert lpc_si(both)[0].item() == pytest.approx(expected, abs=1e-9)
    assert lpc_si(both.float())[0].item() == pytest.approx(expected, abs=1e-4)


def test_a_point_is_wholly_coherent():
    """All one-sided responses of a point are real and positive there: coherence one, so the map is Σe / (Σe + 2)."""
    shape, height = (64, 64), 255.0
    image = np.zeros(shape)
    image[32, 32] = height
    made = filters(shape)
    border = 4
    energy = 0.0
    for some in made:
        size = np.abs(np.fft.ifft2(np.fft.fft2(image) * some[0]))[border:-border, border:-border]
        energy += height * some[0].sum() / some[0].size - size.mean() - 2 * size.std(ddof=1)
    found = coherence_map(torch.from_numpy(image)[None])[0, 32, 32].item()
    assert found == pytest.approx(energy / (energy + 2), abs=1e-9)


def test_constants_have_no_sharpness_and_contrast_raises_it():
    assert lpc_si(torch.full((1, 40, 40), 77.0)).item() == pytest.approx(0, abs=1e-6)
    rng = np.random.default_rng(7)
    image = torch.from_numpy(gaussian_filter(rng.normal(size=(1, 64, 64)), (0, 1, 1)))
    assert lpc_si(image * 200).item() > lpc_si(image * 20).item() > 0


def test_real_slices_lose_sharpness_with_every_step_of_blur():
    array = sitk.GetArrayFromImage(reference(Progress()))[50:110:15].astype(np.float64)
    blurred = [gaussian_filter(array, (0, s, s)) if s else array for s in (0, 0.5, 0.8, 1.2, 1.6, 2.4)]
    scores = np.array([lpc_si(torch.from_numpy(b)).numpy() for b in blurred])
    assert (np.diff(scores, axis=0) < 0).all()
