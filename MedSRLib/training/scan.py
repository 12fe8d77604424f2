"""Training on one scan alone: its fine slices, made coarse along one axis, are the examples.

A scan of thick slices is fine within them. Blurred by the slice profile and sampled at the slices' distance along one
of its fine axes, a slice shows what the scan shows across its slices; the slice itself is what should be seen. No other
image is needed, and the network learns this scan's contrast, organ and noise.

S. W. Remedios et al., "ECLARE: Efficient cross-planar learning for anisotropic resolution enhancement", 2025, arXiv
2503.11787; after C. Zhao et al., "SMORE", IEEE Trans. Med. Imaging 40(3), 2021, doi:10.1109/TMI.2020.3037187.

Departures: samples lie exactly the slices' distance apart, at a random place between voxels, with no rounding to whole
patches; examples are blurred from beyond their patch, as the scanner does; what the blur takes of the noise is added
again (`Scan.noise`), so that the network is asked what it will be asked of the scan.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from math import ceil, cos, pi, sqrt
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from MedSRLib.acquisition.matrices import axis_matrix
from MedSRLib.inference.sampling import apply_separable
from MedSRLib.networks.queries import Queries

if TYPE_CHECKING:
    from MedSRLib.inference.runtime import Runtime
    from MedSRLib.networks.on_grid import OnGrid
    from MedSRLib.progress import Progress

_BLOCK = 4
"""Edge, in fine voxels, of the squares whose gradient decides how often they are drawn."""


@dataclass(frozen=True)
class Scan:
    """A scan as training needs it.

    Attributes:
        values: normalised intensities (k, j, i), float32; slices lie across k.
        factors: distance of slices over the distance of voxels along j and along i.
        widths: width of the slice profile in voxels along j and along i.
        profile: "gaussian" (the width is that at half maximum) or "box".
        noise: standard deviation of the scan's noise, normalised.
    """

    values: np.ndarray
    factors: tuple[float, float]
    widths: tuple[float, float]
    profile: Literal["gaussian", "box"] = "gaussian"
    noise: float = 0.0


@dataclass(frozen=True)
class Schedule:
    """How long and on what to train.

    Attributes:
        steps: of Adam.
        batch: examples a step.
        patch: coarse samples of an example, and its fine voxels across.
        rate: highest learning rate, reached after ``warm_up`` steps and lowered to a hundredth along a cosine.
        warm_up: steps.
        clip: the gradient's largest norm.
    """

    steps: int
    batch: int = 16
    patch: tuple[int, int] = (12, 32)
    rate: float = 1e-3
    warm_up: int = 20
    clip: float = 1.0


class Examples:
    """Draws pairs of a coarse and a fine patch; each batch is a pure function of the seed and the step.

    Args:
        scan: where from.
        schedule: its ``batch`` and ``patch``, which are cut to the size of the slices.
        seed: of all that is drawn.

    At least one axis of the slices must be `learnable`.
    """

    def __init__(self, scan: Scan, schedule: Schedule, seed: int) -> None:
        self._scan, self._schedule, self._seed = scan, schedule, seed
        self._volume = torch.from_numpy(np.ascontiguousarray(scan.values, dtype=np.float32))
        self._squares = _gradient_of_squares(scan.values)
        shape = scan.values.shape[1:]
        self._axes = [a for a in range(2) if learnable(shape[a], scan.factors[a])]  # 0: j is made coarse, 1: i
        self._sums = np.cumsum(self._squares.ravel(), dtype=np.float64)

    def batch(self, step: int) -> tuple[Tensor, Tensor, Queries]:
        """Coarse patches (n, 1, 1, j, i), what should be found (n, 1, 1, j', i'), and where."""
        generator = _generator(self._seed, step)
        coarse_axis = self._axes[int(generator.integers(len(self._axes)))]
        factor, width = self._scan.factors[coarse_axis], self._scan.widths[coarse_axis]
        sizes = self._scan.values.shape[1:]
        along, across = sizes[coarse_axis], sizes[1 - coarse_axis]
        reach = ceil(width if self._scan.profile == "gaussian" else width / 2)
        count = min(self._schedule.patch[0], max(2, int((along - 1 - 2 * reach) / factor)))
        length = min(along, ceil(factor * (count - 1)) + 2 + 2 * reach)
        first = (length - 1 - factor * (count - 1)) / 2 + float(generator.uniform(-0.5, 0.5))
        matrix = axis_matrix(
            "slice-profile", length, count, start=first, step=factor, width=width, profile=self._scan.profile
        )
        extent = (length, min(across, self._schedule.patch[1]))
        fine = torch.stack([self._patch(coarse_axis, extent, generator) for _ in range(self._schedule.batch)])
        fine = fine[:, None, None]
        identity = torch.eye(extent[1])
        coarse = apply_separable(fine, [torch.eye(1), torch.tensor(matrix, dtype=torch.float32), identity])
        coarse = self._with_noise(coarse, float((matrix**2).sum(axis=1).mean()), generator)
        positions = (np.arange(length) - first) / factor
        inside = np.flatnonzero((positions >= -0.5) & (positions <= count - 0.5))
        where = (np.zeros(1), positions[inside], np.arange(extent[1], dtype=np.float64))
        return coarse, fine[..., inside[0] : inside[-1] + 1, :], Queries(where, (1.0, 1 / factor, 1.0))

    def _patch(self, coarse_axis: int, extent: tuple[int, int], generator: np.random.Generator) -> Tensor:
        """Around a random place, drawn by its gradient; turned at random; the axis to be made coarse comes first."""
        drawn = min(int(np.searchsorted(self._sums, generator.random() * self._sums[-1])), self._squares.size - 1)
        place = np.unravel_index(drawn, self._squares.shape)
        centre = np.array(place[1:]) * _BLOCK + generator.integers(0, _BLOCK, 2)
        size = np.array(extent)[[coarse_axis, 1 - coarse_axis]]
        start = np.clip(centre - size // 2, 0, np.array(self._volume.shape[1:]) - size)
        (j, i), (height, width) = start, size
        patch = self._volume[int(place[0]), j : j + height, i : i + width]
        patch = patch.T if coarse_axis else patch
        return patch.flip([axis for axis in range(2) if generator.random() < 0.5])

    def _with_noise(self, coarse: Tensor, kept: float, generator: np.random.Generator) -> Tensor:
        """With as much noise as the scan has: the blur left the share ``kept`` of its variance."""
        missing = self._scan.noise * sqrt(max(0.0, 1 - kept))
        if missing == 0:
            return coarse
        drawn = torch.from_numpy(generator.standard_normal(coarse.shape, dtype=np.float32))
        return coarse + missing * drawn


def train(network: OnGrid, scan: Scan, schedule: Schedule, *, runtime: Runtime, progress: Progress) -> float:
    """Train a network of slices on one scan, in place; it ends on the CPU, in evaluation mode.

    Args:
        network: refines the first axis of its slices.
        scan: what it learns from.
        schedule: how long.
        runtime: device, precision and seed.
        progress: told the fraction of steps; a cancel stops between two steps.

    Returns:
        Mean squared error of the last tenth of the steps, normalised intensities.
    """
    device = torch.device(runtime.device)
    network.to(device).train()
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            layer.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    examples = Examples(scan, schedule, runtime.seed)
    optimiser = torch.optim.Adam(network.parameters(), lr=schedule.rate)
    errors: list[Tensor] = []
    for step in range(schedule.steps):
        progress.check()
        for group in optimiser.param_groups:
            group["lr"] = schedule.rate * _share_of_rate(step, schedule)
        coarse, fine, queries = examples.batch(step)
        with torch.autocast(device.type, runtime.dtype, enabled=runtime.dtype != torch.float32):
            found = network(coarse.to(device), queries)
        error = functional.mse_loss(found.float(), fine.to(device))
        optimiser.zero_grad(set_to_none=True)
        error.backward()
        nn.utils.clip_grad_norm_(network.parameters(), schedule.clip)
        optimiser.step()
        if step >= 0.9 * schedule.steps - 1:
            errors.append(error.detach())
        progress.update((step + 1) / schedule.steps)
    network.cpu().eval()
    return float(torch.stack(errors).mean())


def learnable(size: int, factor: float) -> bool:
    """Whether an axis of so many voxels holds two samples ``factor`` voxels apart."""
    return size >= factor + 1


def _share_of_rate(step: int, schedule: Schedule) -> float:
    rising = min(1.0, (step + 1) / schedule.warm_up)
    return rising * (0.01 + 0.99 * 0.5 * (1 + cos(pi * step / schedule.steps)))


def _gradient_of_squares(values: np.ndarray) -> np.ndarray:
    """How often each square of each slice is drawn: its mean gradient, (k, j/4, i/4), nowhere zero."""
    slope = np.zeros_like(values)
    for axis in (1, 2):
        if values.shape[axis] > 1:
            slope += np.abs(np.gradient(values, axis=axis))
    for axis in (1, 2):
        starts = np.arange(0, values.shape[axis], _BLOCK)
        counts = np.diff(np.append(starts, values.shape[axis]))
        means = np.add.reduceat(slope, starts, axis=axis)
        slope = means / (counts[:, None] if axis == 1 else counts)
    return slope + 1e-3 * slope.mean() + np.finfo(np.float32).tiny


def _generator(seed: int, step: int) -> np.random.Generator:
    digest = hashlib.sha256(f"{seed}/scan/{step}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))
