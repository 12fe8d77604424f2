"""DCSRN: one densely connected block on the interpolated volume.

Y. Chen et al., "Brain MRI super resolution using 3D deep densely connected neural networks", ISBI 2018,
doi:10.1109/ISBI.2018.8363679, arXiv 1801.02728.

    conv3³ (1 → 2 g);  4 units, each  BN - ELU - conv3³ (→ g)  of all that came before;  conv3³ (→ 1) of everything

With g = 24 about 0.22 million weights; no biases beside the batch normalisation.

Departures: none known. Public re-implementations differ in the last kernel, 3³ in most and 1³ in some: ``last``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from MedSRLib.networks.configuration import NetworkConfig
from MedSRLib.networks.convolution import precisely


@dataclass(frozen=True)
class DCSRNConfig(NetworkConfig):
    """The paper's network.

    Attributes:
        growth: g, the width of a unit; the first convolution has twice as many.
        units: how many.
        last: the last convolution's kernel.
    """

    title: ClassVar[str] = "DCSRN"
    citation: ClassVar[str] = "Y. Chen et al., Brain MRI SR using 3D deep densely connected neural networks, ISBI 2018"
    choices: ClassVar[dict[str, tuple[Any, ...]]] = {"last": (1, 3)}

    growth: int = 24
    units: int = 4
    last: int = 3


class DCSRN(nn.Module):
    """Volumes (n, 1, k, j, i), interpolated to the wanted grid, to sharper ones of the same size."""

    scale = None

    def __init__(self, config: DCSRNConfig) -> None:
        super().__init__()
        self.config = config
        g = config.growth
        self.first = nn.Conv3d(1, 2 * g, 3, padding=1, bias=False)
        self.units = nn.ModuleList(
            nn.Sequential(
                nn.BatchNorm3d((2 + unit) * g),
                nn.ELU(inplace=True),
                nn.Conv3d((2 + unit) * g, g, 3, padding=1, bias=False),
            )
            for unit in range(config.units)
        )
        width = (2 + config.units) * g
        self.last = nn.Conv3d(width, 1, config.last, padding=config.last // 2, bias=False)
        self.halo = 1 + config.units + config.last // 2
        """Voxels that a result depends on, each way."""
        self.live_channels = 4 * width
        """Numbers held at once for a voxel."""

    def forward(self, x: Tensor) -> Tensor:
        features = self.first(x)
        for unit in self.units:
            features = torch.cat([features, unit(features)], dim=1)
        return precisely(self.last, features)
