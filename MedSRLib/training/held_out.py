"""Patches of subjects that are not trained on: what a network makes of them, and what cubic interpolation does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from MedSRLib.inference.sampling import apply_separable
from MedSRLib.networks.queries import axis_matrices
from MedSRLib.training.frames import Frame
from MedSRLib.training.keeping import Keeper
from MedSRLib.training.pairs import Batch, pairs_of
from MedSRLib.training.recipe import Recipe

_BATCHES = 12
_FIRST = 1_000_000_000  # step numbers no training run reaches


def batches(frames: Sequence[Frame], recipe: Recipe, device: str) -> list[Batch]:
    """Validation batches, drawn as those of a training; none without volumes."""
    if not frames:
        return []
    pairs = pairs_of(frames, recipe, device)
    return [pairs.batch(_FIRST + number) for number in range(_BATCHES)]


def cubic_error(given: Sequence[Batch]) -> float | None:
    """Mean squared error of Keys' cubic interpolation; None without batches, and for batches of scattered points."""
    errors = []
    for batch in given:
        if batch.queries is None:
            return None
        matrices = axis_matrices("cubic", batch.image.shape[2:], batch.queries)
        cubic = apply_separable(batch.image, [m.to(batch.image) for m in matrices])
        errors.append(float((cubic - batch.target).square().mean()))
    return float(np.mean(errors)) if errors else None


def network_error(network: Any, given: Sequence[Batch]) -> float | None:
    """Mean squared error of a network that answers queries; None without batches."""
    with torch.inference_mode():
        errors = [float((network(b.image, b.queries).float() - b.target).square().mean()) for b in given]
    return float(np.mean(errors)) if errors else None


def psnr_of(mean_squared_error: float) -> float:
    """PSNR in dB of normalised intensities with range 1."""
    return round(-10 * math.log10(max(mean_squared_error, 1e-12)), 3)


def measure(network: Any, validation: Sequence[Frame], recipe: Recipe, keeper: Keeper, step: int) -> None:
    """Tell the PSNR that a learner's network reaches on the volumes held out, beside cubic's; nothing without any."""
    given = batches(validation, recipe, "cpu")
    error, cubic = network_error(network, given), cubic_error(given)
    if error is not None and cubic is not None:
        keeper.figure("validation_psnr", psnr_of(error), step=step, cubic=psnr_of(cubic))
