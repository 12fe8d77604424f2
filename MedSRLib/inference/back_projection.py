"""The iteration of back-projection: correct an image until its degradation equals the measurement.

    x ← x + P (y - A x)   until   ‖y - A x‖² <= τ² N σ²,   or the residual grows

A is the acquisition model (`acquisition`), P cubic B-spline interpolation, σ the noise of y, N the voxels of y that
are not a constant background; a correction that makes the residual grow is taken back. `methods.back_projection`
starts it from an interpolation, `inference.refinement` from the result of any method; the paper and what differs from
it are told there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from MedSRLib.grids import relate
from MedSRLib.inference.sampling import interpolate

if TYPE_CHECKING:
    import torch

    from MedSRLib.acquisition import AcquisitionModel
    from MedSRLib.progress import Progress

DISCREPANCY = 0.7
"""τ: see `methods.back_projection` for why it is below 1."""

_BACKGROUND_TOLERANCE = 1e-6  # of the intensity range


@dataclass(frozen=True)
class Corrected:
    """How the iteration went.

    Attributes:
        corrections: how many were made.
        residuals: root mean square of ``y - A x`` over the seen voxels before each correction and after the last.
    """

    corrections: int
    residuals: tuple[float, ...]


def correct(
    x: torch.Tensor,
    y: torch.Tensor,
    forward: AcquisitionModel,
    *,
    sigma: float,
    iterations: int,
    discrepancy: float = DISCREPANCY,
    progress: Progress,
) -> Corrected:
    """Correct the image x (k, j, i), in place, until it explains the measurement y (k', j', i').

    Args:
        x: on ``forward.wanted``; the start, and then the result.
        y: on ``forward.acquired``; voxels beyond the wanted field of view are not asked.
        sigma: standard deviation of the noise of y, in its unit.
        iterations: the most corrections made.
        discrepancy: τ.
    """
    import torch

    inside = seen(forward, y)
    signal = inside * (y > y.min() + _BACKGROUND_TOLERANCE * (y.max() - y.min()))
    goal = discrepancy**2 * float(signal.sum()) * sigma**2
    count = max(float(inside.sum()), 1.0)
    sizes: list[float] = []
    step = torch.zeros(())
    for done in range(iterations + 1):
        residual = (y - forward.A(x)).mul_(inside)
        size = float(residual.square().sum())
        if sizes and size >= sizes[-1]:
            x -= step  # it made things worse
            break
        sizes.append(size)
        if done == iterations or size <= goal:
            break
        step = interpolate(residual, forward.acquired, forward.wanted, "bspline")
        x += step
        progress.update((done + 1) / iterations)
    progress.update(1.0)
    return Corrected(len(sizes) - 1, tuple(float(np.sqrt(size / count)) for size in sizes))


def seen(forward: AcquisitionModel, y: torch.Tensor) -> torch.Tensor:
    """1 for the acquired voxels whose centres lie in the wanted field of view, 0 for the others."""
    along = relate(forward.acquired, forward.wanted)
    if along is None:
        raise AssertionError("an acquisition model has grids of one direction")
    k, j, i = (
        y.new_tensor(((positions >= -0.5 - 1e-6) & (positions <= size - 0.5 + 1e-6)).astype(np.float32))
        for positions, size in zip(along.positions(forward.acquired), forward.wanted.shape, strict=True)
    )
    return k[:, None, None] * j[:, None] * i
