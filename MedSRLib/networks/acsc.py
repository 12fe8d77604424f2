"""ACSC: the convolutional sparse codes of an image, by a few unfolded iterations with learned kernels.

H. Sreter, R. Giryes, "Learned convolutional sparse coding", ICASSP 2018, arXiv 1711.00328; I. Marivani et al., "Joint
image super-resolution via recurrent convolutional neural networks with coupled sparse priors", ICIP 2020. For an
image y and α⁰ = 0, with a shrinkage φ (soft thresholding, or one that knows the codes s of a guide):

    direct       α^{t+1} = φ(S * α^t + W * y; s)                        S: k → k, W: c → k
    factorised   α^{t+1} = φ(α^t - Q * R * α^t + P * y; s)              R: k → c, Q and P: c → k

With Q = P = Dᵀ/L, R = D and thresholds λ/L the second is ISTA for ½ ‖y - D α‖² + λ ‖α‖₁; its two thin convolutions cost
2 c / k of the first's.

Departures: the slides give neither the number of iterations nor the kernels (defaults: see `lmcsc`), nor do they say
whether the iterations share their weights, though their equations number none (``shared``, true by default; false: each
has its own Q and R, or S, and thresholds, as in the public code of CU-Net). The kernels start as ISTA of a random
frame with D Dᵀ near 1, so that an image and its codes agree before anything is learned.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import cast

import torch
from torch import Tensor, nn

from MedSRLib.networks.convolution import Convolution, convolution
from MedSRLib.networks.lesita import FIRST_THRESHOLD, LeSITA, SoftThreshold
from MedSRLib.networks.synthesis import Synthesis

FORMS = ("factorised", "direct")

_GAIN = 3.0
_FREQUENCIES = 32


@dataclass(frozen=True)
class Coding:
    """Of what codes and kernels are.

    Attributes:
        dimensions: of the images, 2 or 3.
        channels: c, of the image.
        features: k, of the codes.
        kernel: length of the kernels' edges, odd.
        steps: iterations, each with one shrinkage.
        form: one of `FORMS`.
        shared: whether all iterations have the same weights; W and P are always the same.
        threshold: what the weights of the shrinkages start from.
        pull: what LeSITA's weight of side information starts from, if it is another.
    """

    dimensions: int
    channels: int
    features: int
    kernel: int
    steps: int
    form: str = "factorised"
    shared: bool = True
    threshold: float = FIRST_THRESHOLD
    pull: float | None = None

    @property
    def reach(self) -> int:
        """Voxels of the image that a code depends on, each way."""
        later = self.kernel // 2 * (2 if self.form == "factorised" else 1)
        return self.kernel // 2 + later * (self.steps - 1)


class ACSC(nn.Module):
    """Images (n, c, *size) to codes (n, k, *size).

    Args:
        coding: sizes.
        frame: what its kernels start from.
        shrink: see `shrinkage`.
    """

    def __init__(self, coding: Coding, frame: Frame, shrink: str = "soft") -> None:
        super().__init__()
        self.coding = coding
        later = 0 if coding.steps == 1 else 1 if coding.shared else coding.steps - 1
        thresholds = 1 if coding.shared else coding.steps
        settings = (coding.dimensions, coding.features, coding.threshold, coding.pull)
        self.shrinks = nn.ModuleList(shrinkage(shrink, *settings) for _ in range(thresholds))
        self.inward = frame.analysis()
        if coding.form == "direct":
            self.mixes = nn.ModuleList(frame.mixing() for _ in range(later))
        else:
            self.outwards = nn.ModuleList(frame.synthesis() for _ in range(later))
            self.backs = nn.ModuleList(frame.analysis() for _ in range(later))

    def forward(self, image: Tensor, side: Tensor | None = None) -> Tensor:
        drive = self.inward(image)
        codes: Tensor = self.shrinks[0](drive, side)
        for step in range(1, self.coding.steps):
            own = 0 if self.coding.shared else step
            codes = self.shrinks[own](self._carried(codes, max(0, own - 1)) + drive, side)
        return codes

    def _carried(self, codes: Tensor, own: int) -> Tensor:
        if self.coding.form == "direct":
            return cast(Tensor, self.mixes[own](codes))
        return cast(Tensor, codes - self.backs[own](self.outwards[own](codes)))


class Concatenation(nn.Module):
    """In LeSITA's place: S_γ(V₁ u + V₂ s), a learned mixture of both codes at each voxel; first V₁ = 1 and V₂ = 0."""

    def __init__(self, dimensions: int, features: int, first: float = FIRST_THRESHOLD) -> None:
        super().__init__()
        self.mix = convolution(dimensions, 2 * features, features, 1, bias=False)
        self.soft = SoftThreshold(dimensions, features, first)
        with torch.no_grad():
            self.mix.weight.zero_().flatten(1).fill_diagonal_(1.0)

    def forward(self, u: Tensor, side: Tensor | None = None) -> Tensor:
        both = torch.cat([u, torch.zeros_like(u) if side is None else side.to(u.dtype)], dim=1)
        return cast(Tensor, self.soft(self.mix(both)))


def shrinkage(
    name: str, dimensions: int, features: int, first: float = FIRST_THRESHOLD, pull: float | None = None
) -> nn.Module:
    """φ: "soft", without side information; "lesita", with it; or "concatenation"."""
    if name == "soft":
        return SoftThreshold(dimensions, features, first)
    if name == "concatenation":
        return Concatenation(dimensions, features, first)
    return LeSITA(dimensions, features, first, pull)


@dataclass(frozen=True)
class Frame:
    """Kernels (k, c, *kernel): their analysis, then their synthesis amplifies the strongest frequency by 1."""

    kernels: Tensor

    @classmethod
    def random(cls, dimensions: int, features: int, kernel: int) -> Frame:
        """Random directions, c = 1; a tight frame where there are at least as many kernels as numbers in one."""
        kernels = nn.init.orthogonal_(torch.empty(features, 1, *(kernel,) * dimensions))
        axes = tuple(range(2, 2 + dimensions))
        spectra = torch.fft.fftn(kernels, s=(_FREQUENCIES,) * dimensions, dim=axes)
        return cls(kernels / spectra.abs().square().sum(dim=0).max().sqrt())

    def over(self, channels: int) -> Frame:
        """The same codes, of the mean of several images (``kernels`` are of one)."""
        return Frame(self.kernels.repeat(1, channels, *(1,) * (self.kernels.dim() - 2)) / channels**0.5)

    def analysis(self) -> Convolution:
        """c → k."""
        return self._layer(_GAIN * self.kernels)

    def synthesis(self) -> Synthesis:
        """k → c, the transpose."""
        axes = tuple(range(2, self.kernels.dim()))
        return Synthesis(self.kernels.flip(axes).transpose(0, 1) / _GAIN)

    def mixing(self) -> Convolution:
        """k → k: the identity without what synthesis and analysis make of the codes, as far as the kernel reaches."""
        k, _, *kernel = self.kernels.shape
        impulses = torch.zeros(k, k, *kernel)
        impulses.flatten(2)[range(k), range(k), prod(kernel) // 2] = 1.0
        with torch.no_grad():
            left = impulses - self.analysis()(self.synthesis()(impulses))
        return self._layer(left.transpose(0, 1).flip(tuple(range(2, left.dim()))))

    def _layer(self, kernels: Tensor) -> Convolution:
        out, into, *kernel = kernels.shape
        layer = convolution(len(kernel), into, out, kernel[0], bias=False)
        with torch.no_grad():
            layer.weight.copy_(kernels)
        return layer
