"""2D measures of volumes: of every slice in the three orientations, as the papers report them.

The mean runs over all counted slices of the three orientations together, one vote each, as in ArSSR (Wu et al.
2022, doi:10.1109/JBHI.2022.3223106). A slice is *empty*, and not counted, if no voxel of it lies in the mask or
if its intensities in the reference (without a reference: in the image) span less than one per cent of
[low, high]: measures of air are noise, and divide by zero.
An orientation whose slices are smaller than the measure can use is left out whole: of a volume of one slice,
that picture alone counts. Intensities are scaled linearly from [low, high], given by the caller, to what the
measure expects, and are not clipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from MedSRLib.errors import InputError, OptionError
from MedSRLib.progress import Progress

if TYPE_CHECKING:
    from torch import Tensor

ORIENTATIONS = ("k", "j", "i")
"""The array axis along which the slices of each orientation are stacked."""

FLAT = 0.01
"""A slice whose intensities span less than this part of [low, high] is empty."""

BATCH = 8
"""Slices measured at once: enough to keep two cores busy, little enough for their caches."""


@dataclass(frozen=True)
class SliceMetric:
    """A measure of slices.

    Attributes:
        title: as reports show it.
        scale: intensities it expects for [low, high].
        smallest: pixels a slice needs along each side.
        needs_reference: whether it compares, or judges the image alone.
        higher_is_better: the direction.
        load: gives, for a device, the function: batches (n, j, i) of reference and image (or of the image alone)
            to scores (n,).
    """

    title: str
    scale: tuple[float, float]
    smallest: int
    needs_reference: bool
    higher_is_better: bool
    load: Callable[[str], Callable[..., Tensor]]


def _ssim(device: str) -> Callable[..., Tensor]:
    from MedSRLib.evaluation import similarity

    return lambda reference, image: similarity.slices(reference, image, data_range=1.0)


def _vif(device: str) -> Callable[..., Tensor]:
    from MedSRLib.evaluation.vif import vif

    return vif


def _lpips(device: str) -> Callable[..., Tensor]:
    from MedSRLib.evaluation import lpips_weights

    return lpips_weights.load(device)


def _psi(device: str) -> Callable[..., Tensor]:
    from MedSRLib.evaluation.psi import psi

    return psi


def _lpc_si(device: str) -> Callable[..., Tensor]:
    from MedSRLib.evaluation.lpc_si import lpc_si

    return lpc_si


SLICE_METRICS: Mapping[str, SliceMetric] = {
    "ssim-2d": SliceMetric("SSIM, slices", (0, 1), 3, True, True, _ssim),
    "vif": SliceMetric("VIF", (0, 255), 41, True, True, _vif),
    "lpips": SliceMetric("LPIPS", (-1, 1), 31, True, False, _lpips),
    "psi": SliceMetric("PSI", (0, 1), 32, False, True, _psi),
    "lpc-si": SliceMetric("LPC-SI", (0, 255), 16, False, True, _lpc_si),
}


@dataclass(frozen=True, eq=False)
class SliceScores:
    """Scores of the slices of a volume.

    Attributes:
        values: by orientation, one a slice, NaN for those not counted; orientations of which none counts are missing.
    """

    values: Mapping[str, np.ndarray]

    @property
    def mean(self) -> float:
        """Over all counted slices; NaN if there is none."""
        everything = np.concatenate([v[np.isfinite(v)] for v in self.values.values()] or [np.empty(0)])
        return float(everything.mean()) if len(everything) else float("nan")

    @property
    def counted(self) -> dict[str, int]:
        """How many slices counted, by orientation; 0 for one left out."""
        return {o: int(np.isfinite(self.values[o]).sum()) if o in self.values else 0 for o in ORIENTATIONS}


def measure(
    name: str,
    reference: np.ndarray | None,
    image: np.ndarray,
    *,
    low: float,
    high: float,
    mask: np.ndarray | None = None,
    device: str = "cpu",
    progress: Progress | None = None,
) -> SliceScores:
    """One measure of `SLICE_METRICS` on all slices of a volume.

    Args:
        name: of the measure.
        reference, image: (k, j, i), same shape and unit; the reference is None for a measure without one, and
            if given there, decides which slices are empty.
        low, high: the intensities that stand for black and white: the reference's minimum and maximum in the
            papers; without a reference, the image's own.
        mask: bool (k, j, i); slices that it does not touch are empty. The rest of a slice that it touches counts.
        device: "cpu" or a CUDA device.

    Raises:
        OptionError: for an unknown name.
        InputError: for shapes that differ, a missing reference, or high ≤ low.
    """
    if name not in SLICE_METRICS:
        raise OptionError(f"There is no slice measure '{name}'.", "", f"Use one of: {', '.join(SLICE_METRICS)}.")
    metric, progress = SLICE_METRICS[name], progress or Progress()
    _refuse(metric, reference, image, low, high, mask)
    function = metric.load(device)
    values: dict[str, np.ndarray] = {}
    for axis, part, tensors in _parts(metric, reference, image, low, high, mask, device):
        scores = values.setdefault(ORIENTATIONS[axis], np.full(image.shape[axis], np.nan))
        scores[part] = function(*tensors).cpu().numpy()
        progress.update((axis + float(part[-1] + 1) / image.shape[axis]) / len(ORIENTATIONS))
    return SliceScores(values)


def volume_vif(
    reference: np.ndarray,
    image: np.ndarray,
    *,
    low: float,
    high: float,
    mask: np.ndarray | None = None,
    device: str = "cpu",
    progress: Progress | None = None,
) -> float:
    """One VIF for a volume: the information of all counted slices, kept over whole; arguments as `measure`.

    A slice weighs as much as it holds, where in the mean of the slices' own VIF a nearly empty one, whose ratio
    can be anything, weighs as much as any other. NaN if no slice counts.
    """
    from MedSRLib.evaluation.vif import information

    metric, progress = SLICE_METRICS["vif"], progress or Progress()
    _refuse(metric, reference, image, low, high, mask)
    kept = whole = 0.0
    for axis, part, tensors in _parts(metric, reference, image, low, high, mask, device):
        some, all_ = information(*tensors)
        kept, whole = kept + float(some.sum()), whole + float(all_.sum())
        progress.update((axis + float(part[-1] + 1) / image.shape[axis]) / len(ORIENTATIONS))
    return kept / whole if whole > 0 else float("nan")


def _parts(
    metric: SliceMetric,
    reference: np.ndarray | None,
    image: np.ndarray,
    low: float,
    high: float,
    mask: np.ndarray | None,
    device: str,
) -> Iterator[tuple[int, np.ndarray, list[Tensor]]]:
    """The counted slices in batches: the array axis, the slices' numbers, and what the measure is given."""
    for axis in range(len(ORIENTATIONS)):
        stack, truth, inside = (None if a is None else np.moveaxis(a, axis, 0) for a in (image, reference, mask))
        assert stack is not None
        if min(stack.shape[1:]) < metric.smallest:
            continue
        chosen = _not_empty(stack if truth is None else truth, inside, FLAT * (high - low))
        given = [truth, stack] if metric.needs_reference and truth is not None else [stack]
        for start in range(0, len(chosen), BATCH):
            part = chosen[start : start + BATCH]
            yield axis, part, [_scaled(s[part], low, high, metric.scale, device) for s in given]


def _refuse(
    metric: SliceMetric,
    reference: np.ndarray | None,
    image: np.ndarray,
    low: float,
    high: float,
    mask: np.ndarray | None,
) -> None:
    if metric.needs_reference and reference is None:
        raise InputError(f"{metric.title} compares with a reference, and there is none.", "", "Give one.")
    shapes = {a.shape for a in (reference, image, mask) if a is not None}
    if len(shapes) > 1:
        raise InputError(f"Reference, image and mask have different shapes: {sorted(shapes)}.")
    if not high > low:
        raise InputError(
            f"Black at {low:g} and white at {high:g} cannot be used.",
            "Intensities are scaled to their distance.",
            "Use a reference that is not constant.",
        )


def _not_empty(stack: np.ndarray, mask: np.ndarray | None, least: float) -> np.ndarray:
    """The numbers of the slices that count, rising."""
    counted = stack.max(axis=(1, 2)) - stack.min(axis=(1, 2)) >= least
    return np.flatnonzero(counted if mask is None else counted & mask.any(axis=(1, 2)))


def _scaled(slices: np.ndarray, low: float, high: float, scale: tuple[float, float], device: str) -> Tensor:
    """Slices with [low, high] at the measure's scale, float32 on the device, contiguous."""
    import torch

    factor = (scale[1] - scale[0]) / (high - low)
    values = np.ascontiguousarray(slices, dtype=np.float64) * factor + (scale[0] - low * factor)
    return torch.from_numpy(values.astype(np.float32)).to(device)
