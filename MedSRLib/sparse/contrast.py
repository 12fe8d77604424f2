"""A learned smooth map from the intensities of one modality, seen at several scales, to those of another.

    b(p) = T[x_0(p), x_1(p), ..., x_m(p)],    x_s = Gaussian of standard deviation σ_s voxels * x,   x_0 = x for σ = 0

T is a table over a lattice of intensities, interpolated linearly in all its axes, and learned by ridge regression:

    min_T  Σ_p (y(p) − b(p))² + ε Σ (differences of neighbouring entries of T)²

so that entries no voxel speaks for are as their neighbours. With σ = (0,) it is the regression of the joint histogram;
further scales tell a dark ventricle from dark bone or air by what lies around.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from MedSRLib.inference.sampling import apply_separable

Cell = tuple[Tensor, Tensor]
"""Lower entry, and place between it and the next, of every voxel."""

_REACH = 3
"""Half the width of a Gaussian in standard deviations."""


def reach(scales: Sequence[float]) -> int:
    """Voxels each way that the map depends on."""
    return max(math.ceil(_REACH * s) for s in scales)


def looked_up(table: Tensor, limits: Tensor, scales: Sequence[float], image: Tensor) -> Tensor:
    """The map of an image (k, j, i).

    Args:
        table: one axis of equal length for each scale.
        limits: (scales, 2), lowest and highest intensity of each axis; beyond them the border counts.
        scales: σ in voxels.
    """
    found = torch.zeros_like(image).flatten()
    flat = table.flatten()
    for entry, weight in _corners(_cells(limits, table.shape[0], scales, image, None), table.shape[0]):
        found += flat[entry] * weight
    return found.view(image.shape)


class TableFit:
    """What volumes say about the table.

    Args:
        bins: entries along each axis.
        scales: σ in voxels.
        limits: (scales, 2), lowest and highest intensity.
    """

    def __init__(self, bins: int, scales: Sequence[float], limits: Tensor) -> None:
        self._bins, self._scales, self._limits = bins, tuple(scales), limits
        self._size = bins ** len(self._scales)
        self._gram = torch.zeros(self._size, self._size, dtype=torch.float64)
        self._right = torch.zeros(self._size, dtype=torch.float64)

    def add(self, source: Tensor, target: Tensor, mask: Tensor) -> None:
        """A volume (k, j, i) in both modalities, where ``mask`` is true."""
        cells = _cells(self._limits, self._bins, self._scales, source, mask)
        corners = [(entry, weight.double()) for entry, weight in _corners(cells, self._bins)]
        wanted = target[mask].double()
        for (entry, weight), (other, share) in itertools.product(corners, corners):
            pairs = torch.bincount(entry * self._size + other, weight * share, self._size**2)
            self._gram += pairs.view(self._size, self._size)
        for entry, weight in corners:
            self._right += torch.bincount(entry, weight * wanted, self._size)

    def table(self, smoothness: float) -> Tensor:
        """T, float32; ε is ``smoothness``, in voxels."""
        shape = (self._bins,) * len(self._scales)
        regular = self._gram + smoothness * _roughness(shape) + 1e-6 * torch.eye(self._size, dtype=torch.float64)
        return torch.linalg.solve(regular, self._right).float().view(shape)


def limits_of(image: Tensor, mask: Tensor, scales: Sequence[float], highest: float = 0.995) -> Tensor:
    """Lowest and ``highest`` quantile of each scale's intensities under a mask, (scales, 2)."""
    rows = []
    for scale in scales:
        values = smoothed(image, scale)[mask]
        top = values.kthvalue(max(1, int(highest * len(values)))).values
        rows.append(torch.stack([values.min().clamp_min(0), top]))
    return torch.stack(rows)


def smoothed(image: Tensor, sigma: float) -> Tensor:
    """A Gaussian of an image (k, j, i), continued by its border."""
    if sigma == 0:
        return image
    return apply_separable(image, [_gaussian(n, sigma).to(image) for n in image.shape])


def _gaussian(n: int, sigma: float) -> Tensor:
    """(n, n): every row a Gaussian around its own place, what lies beyond the border counted to the border."""
    radius = math.ceil(_REACH * sigma)
    offsets = torch.arange(-radius, radius + 1)
    kernel = torch.exp(-offsets.double().square() / (2 * sigma**2))
    rows = torch.arange(n)[:, None].expand(-1, len(offsets))
    columns = (rows + offsets).clamp(0, n - 1)
    matrix = torch.zeros(n, n, dtype=torch.float64)
    return matrix.index_put_((rows, columns), (kernel / kernel.sum()).expand(n, -1), accumulate=True)


def _cells(limits: Tensor, bins: int, scales: Sequence[float], image: Tensor, mask: Tensor | None) -> list[Cell]:
    """For each scale the cell of the table that a voxel lies in, and where in it, of all voxels or those of a mask."""
    found = []
    for scale, (low, high) in zip(scales, limits.tolist(), strict=True):
        values = smoothed(image, scale)
        values = values.flatten() if mask is None else values[mask]
        place = ((values - low) / max(high - low, 1e-6) * (bins - 1)).clamp(0, bins - 1)
        cell = place.floor().clamp_max(bins - 2)
        found.append((cell.long(), place - cell))
    return found


def _corners(cells: list[Cell], bins: int) -> Iterator[tuple[Tensor, Tensor]]:
    """For each corner of a voxel's cell its entry and its weight."""
    for corner in itertools.product((0, 1), repeat=len(cells)):
        entry, weight = torch.zeros_like(cells[0][0]), torch.ones_like(cells[0][1])
        for (cell, share), up in zip(cells, corner, strict=True):
            entry = entry * bins + cell + up
            weight = weight * (share if up else 1 - share)
        yield entry, weight


def _roughness(shape: tuple[int, ...]) -> Tensor:
    """DᵀD of the differences between neighbouring entries."""
    size = math.prod(shape)
    number = torch.arange(size).view(shape)
    total = torch.zeros(size, size, dtype=torch.float64)
    for axis, length in enumerate(shape):
        a = number.narrow(axis, 0, length - 1).flatten()
        b = number.narrow(axis, 1, length - 1).flatten()
        total.index_put_((a, a), torch.ones(len(a), dtype=torch.float64), accumulate=True)
        total.index_put_((b, b), torch.ones(len(b), dtype=torch.float64), accumulate=True)
        total.index_put_((a, b), -torch.ones(len(a), dtype=torch.float64), accumulate=True)
        total.index_put_((b, a), -torch.ones(len(a), dtype=torch.float64), accumulate=True)
    return total
