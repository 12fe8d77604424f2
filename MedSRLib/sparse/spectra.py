"""Filters and maps on a periodic grid, in real Fourier transforms.

    (f * z)(p) = Σ_q f(q) z(p − q + c),   c = support // 2: a filter is centred on the place of its coefficient

A filter's spectrum f̂ is that of the filter laid on the grid with its centre at the origin, so that Σ_k f_k * z_k has
the spectrum Σ_k f̂_k ẑ_k. Any number of spatial axes; they are always the last ones:

    filters (K, *support) · maps (n, K, *size) · images (n, *size) · spectra (..., *size with its last axis halved)
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor
from torch.nn import functional


def forward(x: Tensor, dimensions: int) -> Tensor:
    """The real transform along the last ``dimensions`` axes."""
    return torch.fft.rfftn(x, dim=tuple(range(-dimensions, 0)))


def inverse(x: Tensor, size: Sequence[int]) -> Tensor:
    """The real array of ``size`` along the last axes that has this spectrum."""
    return torch.fft.irfftn(x, s=tuple(size), dim=tuple(range(-len(size), 0)))


def of_filters(filters: Tensor, size: Sequence[int]) -> Tensor:
    """Spectra of filters (K, *support) on a grid of ``size``.

    Raises:
        ValueError: if the grid is smaller than the filters.
    """
    return forward(embedded(filters, size), len(size))


def embedded(filters: Tensor, size: Sequence[int]) -> Tensor:
    """Filters (K, *support) on a grid (K, *size), their centres at the origin; `cropped` is the adjoint."""
    support = filters.shape[1:]
    if len(support) != len(size) or any(s > n for s, n in zip(support, size, strict=True)):
        raise ValueError(f"filters of {tuple(support)} do not fit a grid of {tuple(size)}")
    room = [n - s for s, n in zip(support, size, strict=True)]
    padded = functional.pad(filters, [x for r in reversed(room) for x in (0, r)])
    return padded.roll([-(s // 2) for s in support], dims=tuple(range(1, filters.ndim)))


def cropped(grids: Tensor, support: Sequence[int]) -> Tensor:
    """The values of grids (K, *size) on the support of centred filters, (K, *support)."""
    grids = grids.roll([s // 2 for s in support], dims=tuple(range(1, grids.ndim)))
    for axis, s in enumerate(support, start=1):
        grids = grids.narrow(axis, 0, s)
    return grids


def synthesised(spectra: Tensor, maps: Tensor) -> Tensor:
    """Σ_k f_k * z_k: maps (n, K, *size) and the filters' spectra (K, ...) to images (n, *size)."""
    size = maps.shape[2:]
    total = torch.zeros(maps.shape[0], *spectra.shape[1:], dtype=spectra.dtype, device=maps.device)
    for k, spectrum in enumerate(spectra):
        total.addcmul_(spectrum.expand_as(total), forward(maps[:, k], len(size)))
    return inverse(total, size)


def analysed(spectra: Tensor, images: Tensor) -> Tensor:
    """The adjoint of `synthesised`: every filter correlated with images (n, *size), to (n, K, *size)."""
    size = images.shape[1:]
    return inverse(spectra.conj() * forward(images, len(size))[:, None], size)


def squared_norm(spectrum: Tensor, size: Sequence[int]) -> Tensor:
    """Σ x² of the real arrays (..., *size) of which these are the spectra, over all of them (Parseval)."""
    energy = spectrum.real.square() + spectrum.imag.square()
    once = energy[..., 0].sum() + (energy[..., -1].sum() if size[-1] % 2 == 0 else 0)
    return (2 * energy.sum() - once) / prod(size)
