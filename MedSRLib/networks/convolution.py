"""Convolutions of two or three dimensions by one name, so that a network is written once for both."""

from __future__ import annotations

from typing import TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm
from torch.nn.utils.parametrize import is_parametrized, remove_parametrizations

Convolution = nn.Conv2d | nn.Conv3d
Layer = TypeVar("Layer", bound=nn.Module)


def convolution(
    dimensions: int, channels_in: int, channels_out: int, kernel: int = 3, *, bias: bool = True
) -> Convolution:
    """A convolution with an odd kernel, zeros around the image, and the size kept."""
    kind: type[Convolution] = nn.Conv2d if dimensions == 2 else nn.Conv3d
    return kind(channels_in, channels_out, kernel, padding=kernel // 2, bias=bias)


def normalised(layer: Convolution) -> Convolution:
    """The layer with normalised weights w = g v / ‖v‖, ‖v‖ over each output channel.

    T. Salimans, D. P. Kingma, "Weight normalization", NIPS 2016, arXiv 1602.07868, Eq. 2.
    """
    weight_norm(layer)
    return layer


def precisely(layer: nn.Module, x: Tensor) -> Tensor:
    """The layer in its weights' precision, whatever is around it: 16 bits would coarsen the intensities of a result."""
    with torch.autocast(x.device.type, enabled=False):
        return cast(Tensor, layer(x.to(next(layer.parameters()).dtype)))


def fold(network: nn.Module) -> None:
    """Replace normalised weights by plain ones, in place: the same function, faster."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Conv3d) and is_parametrized(layer, "weight"):
            remove_parametrizations(layer, "weight")


def transposed(
    dimensions: int, channels_in: int, channels_out: int, scale: tuple[int, ...], margin: int | tuple[int, ...]
) -> nn.ConvTranspose2d | nn.ConvTranspose3d:
    """A transposed convolution that makes every axis exactly ``scale`` times as long.

    Its kernel is ``scale + 2 margin`` long, of which ``margin`` voxels at each end overlap the neighbours'; a tuple
    has one for each axis.
    """
    kind: type[nn.ConvTranspose2d | nn.ConvTranspose3d] = nn.ConvTranspose2d if dimensions == 2 else nn.ConvTranspose3d
    kernel, margins = _kernel_and_margins(scale, margin)
    return kind(channels_in, channels_out, kernel, scale, margins)  # type: ignore[arg-type]


def strided(
    dimensions: int, channels_in: int, channels_out: int, scale: tuple[int, ...], margin: int | tuple[int, ...]
) -> Convolution:
    """A convolution that makes every axis ``scale`` times as short: the way back of `transposed`."""
    kind: type[nn.Conv2d | nn.Conv3d] = nn.Conv2d if dimensions == 2 else nn.Conv3d
    kernel, margins = _kernel_and_margins(scale, margin)
    return kind(channels_in, channels_out, kernel, scale, margins)  # type: ignore[arg-type]


def _kernel_and_margins(
    scale: tuple[int, ...], margin: int | tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    margins = (margin,) * len(scale) if isinstance(margin, int) else margin
    return tuple(factor + 2 * extra for factor, extra in zip(scale, margins, strict=True)), margins


def zeroed(layer: Layer) -> Layer:
    """The layer with weights and biases of zero: what it adds to something else starts at nothing."""
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.zero_()
    return layer


def channels_last(network: nn.Module) -> None:
    """Lay the weights of all convolutions so that a voxel's channels are neighbours: the same function, faster."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            layer.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        elif isinstance(layer, nn.Conv3d | nn.ConvTranspose3d):
            layer.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
