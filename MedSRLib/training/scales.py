"""How coarse the patches of a training batch are along k, j and i, and how many input voxels they have.

Patches of ``dimensions`` 2 are slices across k; of ``axes`` "one", only one axis is coarse (k, or j in a slice).
"""

from __future__ import annotations

import numpy as np

from MedSRLib.training.recipe import Sampling


def patches(sampling: Sampling, edge: int) -> list[int]:
    """Input voxels of a patch along k, j and i."""
    return [1, edge, edge] if sampling.dimensions == 2 else [edge] * 3


def spread(sampling: Sampling, factor: float) -> list[float]:
    """The scale along k, j and i of a patch that is coarse by one factor."""
    volumes = sampling.dimensions == 3
    coarse = [volumes, not volumes, False] if sampling.axes == "one" else [volumes, True, True]
    return [factor if axis else 1.0 for axis in coarse]


def drawn(sampling: Sampling, generator: np.random.Generator) -> list[float]:
    """The scale along k, j and i of a batch: one factor; with the chance ``anisotropic``, one or two axes of any."""
    factor = float(generator.uniform(sampling.scale_min, sampling.scale_max))
    if generator.random() >= sampling.anisotropic:
        return spread(sampling, factor)
    scale = [1.0, 1.0, 1.0]
    scale[int(generator.integers(3))] = factor
    if generator.random() < 0.5:  # two coarse axes, or one
        scale[int(generator.integers(3))] = float(generator.uniform(1.0, sampling.scale_max))
    return scale
