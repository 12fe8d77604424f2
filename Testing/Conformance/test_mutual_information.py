"""Mutual information against scikit-image 0.26.0 and in closed form."""

import math

import numpy as np
import pytest
from skimage.metrics import normalized_mutual_information

from MedSRLib.evaluation.mutual_information import mutual_information, normalised_mutual_information


def test_the_normalised_value_is_scikit_images():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(9, 11, 13)).astype(np.float32)
    y = (x**2 + 0.3 * rng.normal(size=x.shape)).astype(np.float32)
    assert normalised_mutual_information(x, y) == pytest.approx(normalized_mutual_information(x, y), abs=1e-6)


def test_four_equal_bins_say_two_bits_about_themselves_and_none_about_a_shuffle():
    x = np.arange(64).reshape(4, 4, 4) % 4
    y = np.arange(64).reshape(4, 4, 4) // 4 % 4
    assert mutual_information(x, 3 - x, bins=4) == pytest.approx(math.log(4))
    assert normalised_mutual_information(x, 3 - x, bins=4) == pytest.approx(2)
    assert mutual_information(x, y, bins=4) == pytest.approx(0, abs=1e-12)
    assert normalised_mutual_information(x, y, bins=4) == pytest.approx(1)


def test_constants_share_nothing_and_only_the_mask_counts():
    x = np.arange(64.0).reshape(4, 4, 4)
    flat = np.zeros_like(x)
    assert mutual_information(x, flat) == 0
    assert math.isnan(normalised_mutual_information(flat, flat))
    mask = x >= 32
    spoiled = np.where(mask, x, 5.0)
    assert normalised_mutual_information(x, spoiled, mask=mask) == pytest.approx(2)
