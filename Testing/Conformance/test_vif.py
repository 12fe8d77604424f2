"""Pixel VIF against sewar 0.4.10 and torchmetrics 1.9.0, called in the tests themselves."""

import numpy as np
import pytest
import torch
from sewar.full_ref import vifp
from torchmetrics.functional.image import visual_information_fidelity

from MedSRLib.evaluation.vif import SMALLEST, vif


def pair(shape=(3, 61, 48), noise=6.0):
    rng = np.random.default_rng(11)
    k, j, i = np.indices(shape)
    x = 110 + 80 * np.sin(i / (3 + k)) * np.cos(j / 5)
    x[:, :20, :20] = 0  # air without variance in both
    y = np.where(x > 0, 0.8 * x + noise * rng.normal(size=shape), 0)
    y[:, 40:, 30:] = 90  # detail wiped out in the image only
    return torch.from_numpy(x).clamp(0, 255), torch.from_numpy(y).clamp(0, 255)


def test_it_gives_sewars_value():
    reference, image = pair()
    expected = [vifp(r.numpy(), i.numpy()) for r, i in zip(reference, image, strict=True)]
    assert vif(reference, image).tolist() == pytest.approx(expected, abs=1e-6)


def test_it_gives_torchmetrics_value():
    reference, image = pair()
    expected = visual_information_fidelity(image[:, None], reference[:, None], reduction="none")
    assert vif(reference, image).tolist() == pytest.approx(expected.flatten().tolist(), abs=1e-3)


def test_the_smallest_picture_has_a_value_and_a_batch_is_its_slices():
    reference, image = pair((2, SMALLEST, SMALLEST))
    both = vif(reference, image)
    assert both.isfinite().all()
    assert both[1] == pytest.approx(float(vif(reference[1:], image[1:])), abs=1e-12)


def test_identical_slices_have_one_contrast_counts_and_constants_say_nothing():
    reference, _ = pair()
    assert vif(reference, reference).tolist() == pytest.approx([1, 1, 1], abs=1e-6)
    assert (vif(reference, 1.2 * reference) > 1).all()
    flat = torch.full((1, 50, 50), 9.0)
    assert vif(flat, flat).isnan().all()
    assert float(vif(reference[:1], torch.zeros_like(reference[:1]))) == 0
