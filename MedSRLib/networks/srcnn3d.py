"""SRCNN3D: three convolutions on the interpolated volume.

C.-H. Pham et al., "Brain MRI super-resolution using deep 3D convolutional networks", ISBI 2017,
doi:10.1109/ISBI.2017.7950500; the released code (https://github.com/rousseau/deepBrain).

    conv9³ (1 → 64) - ReLU - conv1³ (64 → 32) - ReLU - conv5³ (32 → 1)              52 704 weights

Weights start from N(0, 0.001²), biases from zero.

Departures: none inside. The paper trains on patches without padding (33³ → 21³ voxels); here, as where the released
code is applied, the image is continued by its border's values first, so that the size stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional

from MedSRLib.networks.configuration import NetworkConfig
from MedSRLib.networks.convolution import precisely

_KERNELS = (9, 1, 5)


@dataclass(frozen=True)
class SRCNN3DConfig(NetworkConfig):
    """The paper's network.

    Attributes:
        features: widths after the first and the second convolution.
        deviation: of the first weights.
    """

    title: ClassVar[str] = "SRCNN3D"
    citation: ClassVar[str] = "C.-H. Pham et al., Brain MRI super-resolution using deep 3D convolutional networks, 2017"

    features: tuple[int, ...] = (64, 32)
    deviation: float = 0.001


class SRCNN3D(nn.Module):
    """Volumes (n, 1, k, j, i), interpolated to the wanted grid, to sharper ones of the same size."""

    scale = None
    halo = sum(kernel // 2 for kernel in _KERNELS)
    """Voxels that a result depends on, each way."""

    def __init__(self, config: SRCNN3DConfig) -> None:
        super().__init__()
        self.config = config
        first, second = config.features
        sizes = zip((1, first, second), (first, second, 1), _KERNELS, strict=True)
        self.convs = nn.ModuleList(nn.Conv3d(a, b, kernel) for a, b, kernel in sizes)
        self.live_channels = 2 * first + second
        """Numbers held at once for a voxel."""
        for layer in self.convs:
            nn.init.normal_(layer.get_parameter("weight"), std=config.deviation)
            nn.init.zeros_(layer.get_parameter("bias"))

    def forward(self, x: Tensor) -> Tensor:
        x = functional.pad(x, (self.halo,) * 6, mode="replicate")
        *inner, last = self.convs
        for layer in inner:
            x = functional.relu_(layer(x))
        return precisely(last, x)
