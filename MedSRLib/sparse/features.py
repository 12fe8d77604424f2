"""Gradient features of an interpolated image, in two and three dimensions, as convolutions.

Along every axis a first and a second difference whose taps lie ``spacing`` voxels apart. With O = spacing - 1 zeros:

    G = [1, O, -1],   L = c [1, O, -2, O, 1]

Zeyde et al. and Timofte et al. take the spacing from the scale, and c = ½; Yang et al. take spacing 2 and c = 1.

The features of a patch are linear in the patch and the voxels around it, `reach` each way: `feature_matrix` is that
map, so that differences, cutting out and any projection after them are one matrix product.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

HALF = 0.5


def reach(spacing: int) -> int:
    """Voxels around a patch that its features depend on, each way."""
    return spacing


def difference_filters(spacing: int, curvature: float = HALF) -> Tensor:
    """G and L as weights of the voxels around one, (2, 2 spacing + 1).

    The sign is that of a convolution with the taps above. Where the spacing is odd, G lies half a voxel after its
    voxel, as in the authors' programs.
    """
    filters = torch.zeros(2, 2 * spacing + 1)
    filters[0, spacing - spacing // 2] = -1.0
    filters[0, spacing + (spacing + 1) // 2] = 1.0
    filters[1, 0] = filters[1, -1] = curvature
    filters[1, spacing] = -2.0 * curvature
    return filters


def gradients(image: Tensor, spacing: int, curvature: float = HALF) -> Tensor:
    """Both differences along every axis where all their taps lie inside.

    Args:
        image: (n, *size).

    Returns:
        (n, 2 · axes, *(size - 2 spacing)), G before L for each axis.
    """
    axes = image.dim() - 1
    filters = difference_filters(spacing, curvature).to(image)
    found = []
    for axis in range(axes):
        inner = image
        for other in range(axes):
            if other != axis:
                inner = inner.narrow(1 + other, spacing, image.shape[1 + other] - 2 * spacing)
        lines = inner.movedim(1 + axis, -1)
        flat = lines.reshape(-1, 1, lines.shape[-1])
        made = functional.conv1d(flat, filters[:, None])  # a correlation: the filters are laid as they stand
        made = made.reshape(*lines.shape[:-1], 2, -1) if axes == 1 else _unflat(made, lines.shape[:-1])
        found.append(made.movedim(-1, 2 + axis))
    return torch.cat(found, dim=1)


def _unflat(made: Tensor, lead: torch.Size) -> Tensor:
    """(lines, 2, length) to (n, 2, *other axes, length)."""
    return made.reshape(*lead, 2, made.shape[-1]).movedim(-2, 1)


def feature_matrix(window: int, spacing: int, axes: int, curvature: float = HALF) -> Tensor:
    """From the voxels of a window with its surroundings to the features of the window.

    Args:
        window: edge of a patch.
        spacing: of the taps.
        axes: 2 or 3.

    Returns:
        ((window + 2 reach)^axes, 2 · axes · window^axes).
    """
    edge = window + 2 * reach(spacing)
    count = edge**axes
    basis = torch.eye(count).reshape(count, *(edge,) * axes)
    return gradients(basis, spacing, curvature).reshape(count, 2 * axes * window**axes)
