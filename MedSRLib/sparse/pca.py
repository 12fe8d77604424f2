"""Principal axes of samples that are not centred, as the dictionary methods compress their features.

Short samples: the eigenvectors of Σ f fᵀ. Long ones (patches of volumes): the same by a random projection with power
iterations, N. Halko, P. Martinsson, J. Tropp, SIAM Review 53(2), 2011, doi:10.1137/090771806, Algorithm 4.4.
"""

from __future__ import annotations

import torch
from torch import Tensor

_SHORT = 512
_OVERSAMPLED = 10
_POWERS = 3


def principal_axes(samples: Tensor, energy: float, most: int, generator: torch.Generator) -> Tensor:
    """The fewest axes beyond which less than the share ``energy`` of the samples' sum of squares lies.

    Args:
        samples: (n, d).
        energy: share that may be left out.
        most: no more axes than this are taken.
        generator: of the random projection, on the CPU.

    Returns:
        (d, axes), orthonormal, the axis of most energy first.
    """
    found = _exact(samples) if samples.shape[1] <= _SHORT else _randomised(samples, most, generator)
    found = found[:, :most]
    held = (samples @ found).square().sum(0, dtype=torch.float64).cumsum(0)
    missing = 1 - held / samples.square().sum(dtype=torch.float64).clamp_min(1e-30)
    needed = int((missing >= energy).sum()) + 1
    return found[:, :needed].contiguous()


def _exact(samples: Tensor) -> Tensor:
    moments = samples.T @ samples
    return torch.linalg.eigh(moments).eigenvectors.flip(1)


def _randomised(samples: Tensor, most: int, generator: torch.Generator) -> Tensor:
    width = min(most + _OVERSAMPLED, *samples.shape)
    start = torch.randn(samples.shape[1], width, generator=generator).to(samples)
    axes = torch.linalg.qr(start).Q
    for _ in range(_POWERS):
        axes = torch.linalg.qr(samples.T @ (samples @ axes)).Q
    small = samples @ axes
    return axes @ torch.linalg.eigh(small.T @ small).eigenvectors.flip(1)
