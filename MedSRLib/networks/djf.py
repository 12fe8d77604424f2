"""DJF: a joint filter of an image and its guide, and DJFR, which adds to the image.

Y. Li et al., "Deep joint image filtering", ECCV 2016, and "Joint image filtering with deep convolutional networks",
IEEE TPAMI 41(8), 2019, doi:10.1109/TPAMI.2018.2890623; the released code
(https://github.com/Yijunmaverick/DeepJointFilter):

    y' = conv5 (48 → 1)  ReLU conv1 (96 → 48)  ReLU conv9 (1 → 96)      of the image y, interpolated
    z' = the same, with weights of its own                              of the guide z
    x  = conv5 (32 → 1)  ReLU conv1 (64 → 32)  ReLU conv9 (2 → 64)      of [y', z']

Weights start from N(0, 0.1²), those of each stage's last convolution from N(0, 0.001²), biases from zero.

DJFR finds x - y with the same network: `on_grid`'s residual "cubic".

Departures: the image and the guide are continued by their border's values, once, where the released code pads each
convolution of the first stage by 2 zeros, whatever its kernel, and its results are smaller than the image; far from the
border both are the same. ``dimensions=3`` is ours. Without a guide, z = 0 everywhere, which has to be learned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from MedSRLib.networks.configuration import NetworkConfig
from MedSRLib.networks.convolution import precisely

_KERNELS = (9, 1, 5)
_DEVIATIONS = (0.1, 0.1, 0.001)


@dataclass(frozen=True)
class DJFConfig(NetworkConfig):
    """The released network but for ``guides``, 3 there, and ``dimensions``.

    Attributes:
        guides: images in the guide.
        features: widths in the branches of the image and of the guide.
        fused: widths in the last stage.
    """

    title: ClassVar[str] = "DJF"
    citation: ClassVar[str] = (
        "Y. Li et al., Joint image filtering with deep convolutional networks, IEEE TPAMI 41, 2019"
    )
    choices: ClassVar[dict[str, tuple[Any, ...]]] = {"dimensions": (2, 3)}

    dimensions: int = 2
    guides: int = 1
    features: tuple[int, ...] = (96, 48)
    fused: tuple[int, ...] = (64, 32)


class DJF(nn.Module):
    """An interpolated image (n, 1, *size), and a guide (n, guides, *size) or none, to a sharper image (n, 1, *size)."""

    scale = None
    halo = 2 * sum(kernel // 2 for kernel in _KERNELS)
    """Voxels that a result depends on, each way."""

    def __init__(self, config: DJFConfig) -> None:
        super().__init__()
        self.config = config
        self.of_image = _stage(config.dimensions, 1, config.features)
        self.of_guide = _stage(config.dimensions, config.guides, config.features)
        self.of_both = _stage(config.dimensions, 2, config.fused)
        self.live_channels = 2 * max(*config.features, *config.fused) + config.features[-1]
        """Numbers held at once for a voxel."""

    def forward(self, image: Tensor, guide: Tensor | None = None) -> Tensor:
        if guide is None:
            guide = image.new_zeros(image.shape[0], self.config.guides, *image.shape[2:])
        around = (self.halo,) * (2 * self.config.dimensions)
        image, guide = (functional.pad(x, around, mode="replicate") for x in (image, guide))
        both = torch.cat([_filtered(self.of_image, image), _filtered(self.of_guide, guide)], dim=1)
        return _filtered(self.of_both, both)


def _filtered(stage: nn.ModuleList, x: Tensor) -> Tensor:
    *inner, last = stage
    for layer in inner:
        x = functional.relu_(layer(x))
    return precisely(last, x)


def _stage(dimensions: int, channels: int, features: tuple[int, ...]) -> nn.ModuleList:
    """Three convolutions without padding, to one channel."""
    kind: type[nn.Conv2d | nn.Conv3d] = nn.Conv2d if dimensions == 2 else nn.Conv3d
    widths = (channels, *features, 1)
    layers = nn.ModuleList(kind(a, b, kernel) for a, b, kernel in zip(widths[:-1], widths[1:], _KERNELS, strict=True))
    for layer, deviation in zip(layers, _DEVIATIONS, strict=True):
        nn.init.normal_(layer.get_parameter("weight"), std=deviation)
        nn.init.zeros_(layer.get_parameter("bias"))
    return layers
