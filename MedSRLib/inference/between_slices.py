"""Planes between the slices of a volume, by the mixed codes of both neighbours, in bounded memory.

A plane at position n + α lies between slices n and n+1. The codes of as many slices as memory allows are made, mixed
and decoded as one batch; a slice too large for that is cut into tiles whose context is the network's receptive field.
In a slice, the wanted positions are interpolated by Keys' cubic. Beyond the end slices nothing is extrapolated.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from MedSRLib.inference.runtime import Runtime
from MedSRLib.inference.sampling import apply_separable
from MedSRLib.networks.latent_autoencoder import LatentAutoencoder
from MedSRLib.networks.queries import Queries, axis_matrices
from MedSRLib.progress import Progress

_ON_A_SLICE = 1e-5
"""Slices: a plane so near to a slice is that slice."""

_Area = tuple[slice, slice]

_MOST_AT_ONCE = 16
"""Planes in a batch; more would not be faster."""


@dataclass(frozen=True)
class Planes:
    """Planes between slices: numbers of the slices below and above (m,), and the fraction of the way (m,)."""

    lower: np.ndarray
    upper: np.ndarray
    fraction: np.ndarray


def planes(positions: np.ndarray, count: int) -> Planes:
    """Where planes lie at ``positions`` (m,) among ``count`` slices; those beyond the ends lie on the end slices."""
    inside = np.clip(positions, 0, count - 1)
    nearest = np.rint(inside)
    inside = np.where(np.abs(inside - nearest) < _ON_A_SLICE, nearest, inside)
    lower = np.minimum(np.floor(inside).astype(int), max(count - 2, 0))
    upper = np.minimum(lower + 1, count - 1)
    return Planes(lower, upper, inside - lower)


@torch.inference_mode()
def evaluate(
    network: LatentAutoencoder,
    image: Tensor,
    queries: Queries,
    *,
    keep_slices: bool,
    runtime: Runtime,
    progress: Progress,
) -> Tensor:
    """The volume on the product grid of ``queries``.

    Args:
        network: in float32, on the CPU; left as it is.
        image: normalised slices (k, j, i), float32, on the CPU.
        queries: rising positions of lengths k', j', i'.
        keep_slices: planes that coincide with a slice are that slice; else its reconstruction.
        runtime: device, precision and memory budget.
        progress: told the fraction done.

    Returns:
        (k', j', i'), float32, on the CPU.
    """
    count = len(image)
    where = planes(queries.positions[0], count)
    _, mj, mi = axis_matrices("cubic", tuple(image.shape), queries)
    out = torch.empty([len(where.lower), len(mj), len(mi)])
    engine = _Engine(network, runtime)
    whole = (where.fraction == 0) | (where.fraction == 1)
    made = np.flatnonzero(~whole) if keep_slices else np.arange(len(whole))
    for number in np.flatnonzero(whole) if keep_slices else []:
        progress.check()
        slice_number = where.upper[number] if where.fraction[number] else where.lower[number]
        out[number] = apply_separable(image[slice_number][None], [torch.eye(1), mj, mi])[0]
    budget = max(runtime.memory_bytes - out.nbytes - image.nbytes, runtime.memory_bytes / 8)
    at_once = engine.planes_at_once(tuple(image.shape[1:]), budget)
    for start in range(0, len(made), at_once):
        chosen = made[start : start + at_once]
        part = progress.part(start / len(made), (start + len(chosen)) / len(made))
        between = Planes(where.lower[chosen], where.upper[chosen], where.fraction[chosen])
        decoded = engine.decoded(image, between, budget, part)
        out[torch.from_numpy(chosen)] = apply_separable(decoded, [torch.eye(len(chosen)), mj, mi])
    progress.update(1.0)
    return out


class _Engine:
    """A network made ready for one runtime."""

    def __init__(self, network: LatentAutoencoder, runtime: Runtime) -> None:
        self._device = torch.device(runtime.device)
        self._dtype = runtime.dtype
        self._network = copy.deepcopy(network).eval().to(self._device)
        for layer in self._network.modules():
            if isinstance(layer, nn.Conv2d):
                layer.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def planes_at_once(self, size: tuple[int, ...], budget: float) -> int:
        """How many planes (j, i) go through the network in one batch, with the slices they are made of."""
        return int(np.clip(budget / (2 * self._bytes(size)), 1, _MOST_AT_ONCE))

    def decoded(self, image: Tensor, where: Planes, budget: float, progress: Progress) -> Tensor:
        """The planes (m, j, i) between slices (k, j, i), tile by tile where a slice is large."""
        size = image.shape[1], image.shape[2]
        found = torch.empty((len(where.lower), *size))
        todo = self._tiles(size, budget)
        for number, ((rows, columns), (region_j, region_i)) in enumerate(todo):
            progress.update(number / len(todo))
            values = self._region(image[:, region_j, region_i], where)
            inner_j, inner_i = _inside(rows, region_j), _inside(columns, region_i)
            found[:, rows, columns] = values[:, inner_j, inner_i]
        return found

    def _region(self, image: Tensor, where: Planes) -> Tensor:
        """The planes (m, j, i) between slices that fit into memory."""
        used, index = np.unique(np.concatenate([where.lower, where.upper]), return_inverse=True)
        slices = image[torch.from_numpy(used)][:, None].to(self._device)
        lower, upper = torch.from_numpy(index).to(self._device).chunk(2)
        fraction = torch.from_numpy(where.fraction).to(slices)
        with torch.autocast(self._device.type, self._dtype, enabled=self._dtype != torch.float32):
            mixed = self._network.code(slices).mixed(lower, upper, fraction)
            return self._network.decode(mixed)[:, 0].float().cpu()

    def _bytes(self, size: tuple[int, ...]) -> float:
        return 4.0 * self._network.live_channels * size[0] * size[1]

    def _tiles(self, size: tuple[int, int], budget: float) -> list[tuple[_Area, _Area]]:
        """Cores that cover a slice, and the regions they are made of, as few as fit into memory."""
        stride, halo = self._network.stride, self._network.halo
        parts = [1, 1]
        while True:
            rows, columns = (_cuts(n, p, stride, halo) for n, p in zip(size, parts, strict=True))
            longest = [max(region.stop - region.start for _, region in cuts) for cuts in (rows, columns)]
            axis = int(longest[1] > longest[0])
            if 2 * self._bytes(tuple(longest)) <= budget or parts[axis] * stride >= size[axis]:
                return [((rj, ri), (cj, ci)) for rj, cj in rows for ri, ci in columns]
            parts[axis] *= 2


def _inside(core: slice, region: slice) -> slice:
    return slice(core.start - region.start, core.stop - region.start)


def _cuts(length: int, parts: int, stride: int, halo: int) -> list[tuple[slice, slice]]:
    """Cores along an axis and their regions, which begin at whole cells of the latent grid."""
    edge = -(-length // (parts * stride)) * stride
    around = -(-halo // stride) * stride
    starts = range(0, length, edge)
    return [
        (slice(s, min(s + edge, length)), slice(max(0, s - around), min(s + edge + around, length))) for s in starts
    ]
