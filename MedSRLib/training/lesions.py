"""Lesions that one modality shows and the other does not, drawn into training patches.

Healthy anatomy has its edges in all modalities, so that a network could learn that an image shows nothing which its
guide does not. Smooth ellipsoids of another intensity, in the image alone or in the guide alone, teach it otherwise:

    patch · (1 - m) + level · m,      m = strength · clamp(1/2 + (1 - |x|) r / edge, 0, 1)

with |x| the distance from the centre in semi-axes, r the mean semi-axis, and a level between the patch's darkest and a
little above its brightest voxel. Overlapping ones make other shapes.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

LONGEST_MM, SHORTEST_MM = 10.0, 2.0
"""Lengths of the axes."""

_MOST = 6
_EDGE_MM = (0.5, 2.0)
_STRENGTH = (0.5, 1.0)
_BRIGHTEST = 1.2


def with_lesions(patches: Tensor, spacings: np.ndarray, share: float, generator: np.random.Generator) -> Tensor:
    """Some patches with lesions, the others as they are.

    Args:
        patches: (n, c, k, j, i); all channels of a patch have the same lesions.
        spacings: of each patch, mm, (n, 3), k, j, i.
        share: the probability that a patch gets any.
        generator: the draw.
    """
    chosen = generator.random(len(patches)) < share
    drawn = [_drawn(p, s, generator) if c else p for p, s, c in zip(patches, spacings, chosen, strict=True)]
    return torch.stack(drawn)


def _drawn(patch: Tensor, spacing: np.ndarray, generator: np.random.Generator) -> Tensor:
    low, high = float(patch.min()), float(patch.max())
    for _ in range(int(generator.integers(1, _MOST + 1))):
        level = low + (high - low) * float(generator.uniform(0, _BRIGHTEST))
        share = torch.from_numpy(_ellipsoid(patch.shape[1:], spacing, generator)).to(patch)
        patch = patch + share * (level - patch)
    return patch


def _ellipsoid(shape: tuple[int, ...], spacing: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """How much of each voxel a lesion is, float32 (k, j, i); it reaches into the patch."""
    half = generator.uniform(SHORTEST_MM, LONGEST_MM, 3) / 2
    axes, _ = np.linalg.qr(generator.normal(size=(3, 3)))
    extent = np.array(shape) * spacing
    margin = min(half)  # at most so far outside: thin patches are cut anywhere
    centre = generator.uniform(np.minimum(0, extent / 2 - margin), np.maximum(extent, extent / 2 + margin))
    places = [(np.arange(n) + 0.5) * h - c for n, h, c in zip(shape, spacing, centre, strict=True)]
    k, j, i = np.meshgrid(*places, indexing="ij", sparse=True)
    squared = sum(((a[0] * k + a[1] * j + a[2] * i) / r) ** 2 for a, r in zip(axes, half, strict=True))
    edge, strength = generator.uniform(*_EDGE_MM), generator.uniform(*_STRENGTH)
    inside = 0.5 + (1 - np.sqrt(squared)) * math.prod(half) ** (1 / 3) / edge
    return (strength * np.clip(inside, 0, 1)).astype(np.float32)
