"""SRReCNN3D: what 10 or 20 small convolutions find missing in the interpolated volume.

C.-H. Pham et al., "Multiscale brain MRI super-resolution using deep 3D convolutional networks", Computerized Medical
Imaging and Graphics 77, 2019, doi:10.1016/j.compmedimag.2019.101647; https://github.com/rousseau/deepBrain.

    x + (conv3³ (64 → 1)) ∘ (ReLU conv3³ (64 → 64)) ∘ ... ∘ (ReLU conv3³ (1 → 64)) (x)      0.89 million weights (10)

Weights start as He's (K. He et al., ICCV 2015), biases at zero.

Departures: ``last_zero`` (ours) starts the last convolution at zero, and so the network as the interpolation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from MedSRLib.errors import ModelError
from MedSRLib.networks.configuration import NetworkConfig
from MedSRLib.networks.convolution import precisely, zeroed


@dataclass(frozen=True)
class SRReCNN3DConfig(NetworkConfig):
    """The paper's network of 10 layers; its larger one has 20.

    Attributes:
        layers: convolutions, 2 or more.
        features: width between them.
        last_zero: whether the last convolution starts at zero.
    """

    title: ClassVar[str] = "SRReCNN3D"
    citation: ClassVar[str] = "C.-H. Pham et al., Multiscale brain MRI super-resolution, CMIG 77, 2019"

    layers: int = 10
    features: int = 64
    last_zero: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.layers < 2:
            raise ModelError(f"The {self.title} setting layers = {self.layers!r} is below 2.")


class SRReCNN3D(nn.Module):
    """Volumes (n, 1, k, j, i), interpolated to the wanted grid, to sharper ones of the same size."""

    scale = None

    def __init__(self, config: SRReCNN3DConfig) -> None:
        super().__init__()
        self.config = config
        n = config.features
        layers: list[nn.Module] = []
        for channels_in in (1, *(n,) * (config.layers - 2)):
            layers += [nn.Conv3d(channels_in, n, 3, padding=1), nn.ReLU(inplace=True)]
        self.inner = nn.Sequential(*layers)
        self.last = nn.Conv3d(n, 1, 3, padding=1)
        self.halo = config.layers
        """Voxels that a result depends on, each way."""
        self.live_channels = 4 * n
        """Numbers held at once for a voxel."""
        for layer in self.modules():
            if isinstance(layer, nn.Conv3d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.get_parameter("bias"))
        if config.last_zero:
            zeroed(self.last)

    def forward(self, x: Tensor) -> Tensor:
        return x + precisely(self.last, self.inner(x))
