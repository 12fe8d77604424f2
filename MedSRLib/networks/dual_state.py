"""A recurrent network with coupled sparse priors: coarse and fine codes feed each other, and a guide helps both.

I. Marivani, E. Tsiligianni, B. Cornelis, N. Deligiannis, "Joint image super-resolution via recurrent convolutional
neural networks with coupled sparse priors", ICIP 2020. Of the network its slides tell the parts: convolutional sparse
codes of image and guide, LeSITA to join them, a recurrent network of two states for the fine codes, a convolutional
dictionary at the end, and no interpolation at the start. With an image y, a guide z on a grid that is s times as fine,
and as in DSRN (see `dsrn`) a coarse state l and a fine state h:

    a    = ACSC(z),     b = down(a)                                         down: strided, kernel 2 s, stride s
    l_0  = ACSC(y),     h_0 = up(l_0)                                       up: transposed, kernel 2 s, stride s
    l_t  = ξ(l_{t-1} - Q * R * l_{t-1} + P * y + mean over s (h_{t-1}); b)              t = 1 ... T-1
    h_t  = ξ(h_{t-1} + conv3 ReLU conv3 (h_{t-1}) + up(l_{t-1}); a)                     t = 1 ... T
    x    = D * mean of h_1 ... h_T

The weights are the same at all times. ACSC has the direct form of `acsc`, as the slides write it.

Departures: how the parts are joined is published as a figure only, so that the wiring, T = 5 and all sizes are ours. A
factor s is met by a kernel of s + 2 ⌊s/2⌋ along its axis. The kernels of ACSC, Q, R, P and D start as in `acsc`; "up"
starts as linear interpolation of each code, scaled so that the states keep their size, and the second conv3 at zero.
Without a guide, a = b = 0. ``dimensions=3``, a factor for each axis and ``guides`` > 1 are ours; so are the ablations:
``guided=False`` (soft thresholding, no branch for a guide), ``lesita=False`` (codes mixed at each voxel, then
thresholded) and ``single_state=True`` (l_t = l_0: nothing is fed back to the coarse codes).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from MedSRLib.errors import ModelError
from MedSRLib.networks.acsc import ACSC, FORMS, Coding, Frame, shrinkage
from MedSRLib.networks.configuration import NetworkConfig
from MedSRLib.networks.convolution import convolution, precisely, strided, transposed, zeroed
from MedSRLib.networks.lesita import FIRST_THRESHOLD


@dataclass(frozen=True)
class DualStateConfig(NetworkConfig):
    """A network of two dimensions, ×2.

    Attributes:
        scale: whole factors along the image's axes (j, i, or k, j, i).
        guides: images in the guide.
        features: k, of the codes.
        kernel: length of the edges of P, Q, R, D and those of ACSC, odd.
        steps: T.
        image_steps: iterations for the image's first codes.
        guide_steps: iterations for the guide's codes.
        form: of the iterations of ACSC, see `acsc`.
        shared: whether they share their weights.
        guided: false for the same network without a guide.
        lesita: false for codes that are concatenated.
        single_state: whether the coarse codes stay as they are first.
        last_zero: whether D starts at zero.
        equal: whether LeSITA's two weights are the same.
        threshold: what the weights of ξ start from: what a guide can change of a code grows with them.
        pull: what its weight of the guide starts from where the weights differ; ``threshold`` if None.
    """

    title: ClassVar[str] = "dual-state"
    citation: ClassVar[str] = (
        "I. Marivani et al., Joint image super-resolution via recurrent convolutional neural networks with coupled "
        "sparse priors, ICIP 2020"
    )
    choices: ClassVar[dict[str, tuple[Any, ...]]] = {"dimensions": (2, 3), "kernel": (3, 5, 7, 9, 11), "form": FORMS}

    scale: tuple[int, ...] = (2, 2)
    dimensions: int = 2
    guides: int = 1
    features: int = 64
    kernel: int = 7
    steps: int = 5
    image_steps: int = 3
    guide_steps: int = 3
    form: str = "direct"
    shared: bool = True
    guided: bool = True
    lesita: bool = True
    single_state: bool = False
    last_zero: bool = False
    equal: bool = True
    threshold: float = FIRST_THRESHOLD
    pull: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.scale) != self.dimensions or min(self.scale) < 1:
            raise ModelError(
                f"The scale {self.scale} does not fit images of {self.dimensions} dimensions.",
                "It needs a whole factor of 1 or more for each axis.",
                f"Use scale = {(2,) * self.dimensions}.",
            )


class DualState(nn.Module):
    """An image (n, 1, *size), and a guide (n, guides, *(size · scale)) or none, to (n, 1, *(size · scale))."""

    def __init__(self, config: DualStateConfig) -> None:
        super().__init__()
        self.config = config
        self.scale = config.scale
        d, k = config.dimensions, config.features
        margin = tuple(factor // 2 for factor in config.scale)
        frame = Frame.random(d, k, config.kernel)
        self.image_codes = ACSC(_coding(config, 1, config.image_steps), frame)
        self.up = _interpolating(transposed(d, k, k, config.scale, margin), config)
        self.fine = nn.Sequential(convolution(d, k, k), nn.ReLU(inplace=True), zeroed(convolution(d, k, k)))
        self.fine_shrink = _shrinkage(config)
        self.coarse: _CoarseStep | None = None
        if not config.single_state and config.steps > 1:
            self.coarse = _CoarseStep(config, frame)
        self.guide_codes: ACSC | None = None
        self.down: nn.Module | None = None
        if config.guided:
            self.guide_codes = ACSC(_coding(config, config.guides, config.guide_steps), frame.over(config.guides))
            if self.coarse is not None:
                self.down = strided(d, k, k, config.scale, margin)
        self.last = frame.synthesis()
        if config.last_zero:
            zeroed(self.last)
        self.halo = max(_halo(config, factor) for factor in config.scale)
        """Voxels of the input that a result depends on, each way."""
        self.live_channels = k * (13 * prod(config.scale) + 10)
        """Numbers held at once for a voxel of the input."""

    def forward(self, image: Tensor, guide: Tensor | None = None) -> Tensor:
        side = None if guide is None or self.guide_codes is None else self.guide_codes(guide)
        coarse_side = None if side is None or self.down is None else self.down(side)
        coarse = self.image_codes(image)
        drive = None if self.coarse is None else self.coarse.inward(image)
        fine = rising = self.up(coarse)
        total: Tensor | None = None
        for step in range(1, self.config.steps + 1):
            grown = fine + self.fine(fine) + rising
            if self.coarse is not None and drive is not None and step < self.config.steps:  # who asks for the last?
                coarse = self.coarse(coarse, drive, fine, coarse_side)
                rising = self.up(coarse)
            fine = self.fine_shrink(grown, side)
            total = fine if total is None else total + fine
        assert total is not None  # there is a step or more
        return precisely(self.last, total / self.config.steps)


class _CoarseStep(nn.Module):
    """l_{t-1}, P * y, h_{t-1} and the guide's coarse codes to l_t."""

    def __init__(self, config: DualStateConfig, frame: Frame) -> None:
        super().__init__()
        self.inward = frame.analysis()
        self.outward = frame.synthesis()
        self.back = frame.analysis()
        self.shrink = _shrinkage(config)
        self.pool = (nn.AvgPool2d if config.dimensions == 2 else nn.AvgPool3d)(config.scale)  # type: ignore[arg-type]

    def forward(self, coarse: Tensor, drive: Tensor, fine: Tensor, side: Tensor | None) -> Tensor:
        return self.shrink(coarse - self.back(self.outward(coarse)) + drive + self.pool(fine), side)


def _coding(config: DualStateConfig, channels: int, steps: int) -> Coding:
    return Coding(config.dimensions, channels, config.features, config.kernel, steps, config.form, config.shared)


def _shrinkage(config: DualStateConfig) -> nn.Module:
    fusion = "soft" if not config.guided else "lesita" if config.lesita else "concatenation"
    pull = None if config.equal else config.pull or config.threshold
    return shrinkage(fusion, config.dimensions, config.features, config.threshold, pull)


def _interpolating(up: nn.Module, config: DualStateConfig) -> nn.Module:
    """``up``, as linear interpolation of each channel by itself; divided by T, as T of it are added."""
    weight = up.get_parameter("weight")
    hats = torch.ones(())
    for factor, length in zip(config.scale, weight.shape[2:], strict=True):
        hat = 1 - (torch.arange(length) - (length - 1) / 2).abs() / factor
        hats = hats[..., None] * hat
    with torch.no_grad():
        weight.copy_(torch.eye(config.features).reshape(*weight.shape[:2], *(1,) * hats.dim()) * hats / config.steps)
        up.get_parameter("bias").zero_()
    return up


def _halo(config: DualStateConfig, factor: int) -> int:
    """Along an axis, in voxels of the input: the longest of the ways from image and guide to a result."""
    radius, margin, times = config.kernel // 2, factor // 2, config.steps
    image = _coding(config, 1, config.image_steps).reach
    guide = _coding(config, config.guides, config.guide_steps).reach if config.guided else 0
    ways = [image + -(-(radius + 2 * times + margin) // factor), -(-(radius + 2 * (times - 1) + guide) // factor)]
    if not config.single_state and times > 1:
        back = -(-(radius + margin) // factor)
        ways += [back + 2 * radius * (times - 1) + image]
        ways += [back + 2 * radius * (times - 2) - (-(margin + guide) // factor)] if config.guided else []
    return max(ways)
