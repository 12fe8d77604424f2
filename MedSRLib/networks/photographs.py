"""Networks released for photographs, on grey images.

A grey image is given as equal red, green and blue, less the mean colour of the photographs they were trained on
(DIV2K's, as in the released codes of EDSR, WDSR and SRFBN); the three colours of the result, which differ a little, are
averaged. So E. Ceccarelli's slides apply EDSR and WDSR to slices of MRI, but measure each colour by itself.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from MedSRLib.networks.configuration import NetworkConfig

MEAN = (0.4488, 0.4371, 0.4040)
"""Of DIV2K's training photographs; intensities from 0 to 1."""


class Grey(nn.Module):
    """(n, 1, *size), 0 to 1, to (n, 1, *(size · scale)) by a network of three channels, with what it states."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body
        self.config = cast(NetworkConfig, body.config)
        self.scale = cast("tuple[int, ...]", body.scale)
        self.halo, self.live_channels = cast(int, body.halo), cast(int, body.live_channels)

    def forward(self, x: Tensor) -> Tensor:
        mean = torch.tensor(MEAN, dtype=x.dtype, device=x.device).view(1, 3, *(1,) * (x.dim() - 2))
        return cast(Tensor, (self.body(x - mean) + mean).mean(dim=1, keepdim=True))
