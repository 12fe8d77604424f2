"""LeSITA: shrinkage towards zero and towards side information at once.

E. Tsiligianni, N. Deligiannis, "Deep coupled-representation learning for sparse linear inverse problems with side
information", IEEE Signal Processing Letters 26(12), 2019; I. Marivani et al., "Multimodal deep unfolding for guided
image super-resolution", IEEE TIP 29, 2020, doi:10.1109/TIP.2020.3014729, arXiv 2001.07575. The proximal operator

    ξ(u; s) = argmin_a  ½ (a - u)² + μ₁ |a| + μ₂ |a - s|

which the papers write case by case for μ₁ = μ₂ = μ and each sign of s, is in all cases

    c = clamp(u - sign(s) (μ₁ - μ₂), min(s, 0), max(s, 0)),      ξ = c + S(u - c),     S soft, threshold μ₁ + μ₂

It has slope 1 in u wherever it is on neither plateau, and slope 1 in s on the plateau at s. Between zero and s equal
weights leave u as it is; only with μ₂ > μ₁ are codes pulled up to those of the guide.

Departures: the one formula, and weights that may differ, are ours. Where s = 0 the plateaus are one, and count as the
one at zero. Without side information s is 0 everywhere.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

FIRST_THRESHOLD = 0.01


class LeSITA(nn.Module):
    """The operator on codes (n, k, *size), with positive weights of their own for each of the k channels.

    Args:
        dimensions: of the images, 2 or 3.
        features: k.
        first: the weights to start from, μ₁.
        pull: what μ₂ starts from; None for μ₁ = μ₂ for good.
    """

    def __init__(
        self, dimensions: int, features: int, first: float = FIRST_THRESHOLD, pull: float | None = None
    ) -> None:
        super().__init__()
        shape = (features, *(1,) * dimensions)
        self.to_zero = nn.Parameter(before_softplus(torch.full(shape, first)))
        self.to_side = None if pull is None else nn.Parameter(before_softplus(torch.full(shape, pull)))

    def weights(self) -> tuple[Tensor, Tensor]:
        """μ₁ and μ₂, (k, 1, ...)."""
        to_zero = functional.softplus(self.to_zero)
        return to_zero, to_zero if self.to_side is None else functional.softplus(self.to_side)

    def forward(self, u: Tensor, side: Tensor | None = None) -> Tensor:
        to_zero, to_side = self.weights()
        return lesita(u, side, to_zero, None if self.to_side is None else to_side)


class SoftThreshold(nn.Module):
    """S_γ(u) on codes (n, k, *size), with a positive γ for each of the k channels, whatever the side information."""

    def __init__(self, dimensions: int, features: int, first: float = FIRST_THRESHOLD) -> None:
        super().__init__()
        self.threshold = nn.Parameter(before_softplus(torch.full((features, *(1,) * dimensions), first)))

    def forward(self, u: Tensor, side: Tensor | None = None) -> Tensor:
        return cast(Tensor, _Shrunk.apply(u, functional.softplus(self.threshold).to(u.dtype)))


def lesita(u: Tensor, side: Tensor | None, to_zero: Tensor, to_side: Tensor | None = None) -> Tensor:
    """ξ(u; s) of codes (n, k, *size).

    Args:
        u: the codes.
        side: s, of the shape of ``u``; 0 if None.
        to_zero: μ₁ ≥ 0, (k, 1, ...).
        to_side: μ₂ ≥ 0, likewise; μ₁ if None.
    """
    second = to_zero if to_side is None else to_side
    if side is None:
        return cast(Tensor, _Shrunk.apply(u, (to_zero + second).to(u.dtype)))
    weights = (to_zero.to(u.dtype), None if to_side is None else to_side.to(u.dtype))
    return cast(Tensor, _ShrunkBetween.apply(u, side.to(u.dtype), *weights))


def before_softplus(positive: Tensor) -> Tensor:
    """What softplus turns into ``positive``."""
    return positive + torch.log(-torch.expm1(-positive))


class _Shrunk(torch.autograd.Function):
    """Soft thresholding; keeps only its result for the way back."""

    @staticmethod
    def forward(ctx: Any, u: Tensor, threshold: Tensor) -> Tensor:
        found = u - u.clamp(-threshold, threshold)
        ctx.save_for_backward(found)
        return found

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, Tensor]:
        (found,) = ctx.saved_tensors
        by_threshold = found.sign().mul_(slope)
        return slope * (found != 0), -_by_channel(by_threshold)


class _ShrunkBetween(torch.autograd.Function):
    """ξ(u; s) with μ₁ and μ₂, μ₁ if None; keeps only ξ and s for the way back.

    Off the plateaus ξ = u - μ₁ sign(ξ) - μ₂ sign(ξ - s), which has the slopes.
    """

    @staticmethod
    def forward(ctx: Any, u: Tensor, side: Tensor, to_zero: Tensor, to_side: Tensor | None) -> Tensor:
        total = 2 * to_zero if to_side is None else to_zero + to_side
        wanted = u if to_side is None else u - side.sign() * (to_zero - to_side)
        found = torch.clamp(wanted, side.clamp(max=0), side.clamp(min=0))
        beyond = u - found
        found += beyond.sub_(beyond.clamp(-total, total))
        ctx.save_for_backward(found, side)
        ctx.equal = to_side is None
        return found

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        found, side = ctx.saved_tensors
        moved = slope * (found != 0)
        by_side = moved * (found == side)
        by_u = moved.sub_(by_side)
        from_zero, from_side = found.sign(), (found - side).sign_()
        if ctx.equal:
            return by_u, by_side, -_by_channel(from_zero.add_(from_side).mul_(by_u)), None
        return by_u, by_side, -_by_channel(from_zero.mul_(by_u)), -_by_channel(from_side.mul_(by_u))


def _by_channel(values: Tensor) -> Tensor:
    """(n, k, *size) summed to (k, 1, ...)."""
    return values.sum(dim=(0, *range(2, values.dim()))).reshape(-1, *(1,) * (values.dim() - 2))
