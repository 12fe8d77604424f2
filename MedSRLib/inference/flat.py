"""Where an image is perfectly flat, as the zeros around a stripped or defaced head: nothing is to be learned there."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_RADIUS = 3


def active(image: Tensor) -> Tensor:
    """Voxels within three of which the image is not constant, bool (k, j, i)."""
    window = 2 * _RADIUS + 1
    highest, lowest = image[None, None], -image[None, None]
    for axis in range(3):
        size, pad = [1, 1, 1], [0, 0, 0]
        size[axis], pad[axis] = window, _RADIUS
        highest, lowest = (functional.max_pool3d(x, size, 1, pad) for x in (highest, lowest))
    different: Tensor = (highest + lowest > 0)[0, 0]
    return different


def everywhere(image: Tensor) -> Tensor:
    """All voxels, bool (k, j, i)."""
    return torch.ones(image.shape, dtype=torch.bool)
