"""Which axes of a patch are coarse, and how often by factors of their own."""

import numpy as np
import pytest

from MedSRLib.training import scales
from MedSRLib.training.recipe import Sampling


@pytest.mark.parametrize(
    ("dimensions", "axes", "coarse", "voxels"),
    [
        (3, "any", [2.5, 2.5, 2.5], [9, 9, 9]),
        (3, "one", [2.5, 1, 1], [9, 9, 9]),
        (2, "any", [1, 2.5, 2.5], [1, 9, 9]),
        (2, "one", [1, 2.5, 1], [1, 9, 9]),
    ],
)
def test_a_factor_falls_on_the_axes_that_are_coarse(dimensions, axes, coarse, voxels):
    sampling = Sampling.model_construct(dimensions=dimensions, axes=axes)
    assert scales.spread(sampling, 2.5) == coarse
    assert scales.patches(sampling, 9) == voxels


def test_the_chance_of_axes_of_their_own_is_kept():
    sampling = Sampling.model_construct(dimensions=3, axes="any", scale_min=2.0, scale_max=4.0, anisotropic=0.25)
    generator = np.random.default_rng(0)
    found = [scales.drawn(sampling, generator) for _ in range(2000)]
    alike = [scale for scale in found if len(set(scale)) == 1]
    assert len(alike) == pytest.approx(1500, abs=80)  # four standard deviations of the binomial distribution
    assert all(1 <= factor <= 4 for scale in found for factor in scale)
    assert {sum(factor == 1 for factor in scale) for scale in found} == {0, 1, 2}
