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
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from MedSRLib.errors import InputError, OptionError
from MedSRLib.progress import Progress

if TYPE_CHECKING:
    from torch import Tensor

ORIENTATIONS = ("k", "j", "i")
"""The array axis along which the slices of each orientation are stacked."""

FLAT = 0.01
"""A slice whose intensities span less than this part of [low, high] is empty."""

BATCH = 4
"""Slices measured at once: few enough for the cache of a core."""


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
    work = _Work(SLICE_METRICS[name], reference, image, low, high, mask, device)
    work.refuse()
    function = work.metric.load(device)
    values: dict[str, np.ndarray] = {}
    for axis, numbers, scores in work.on_each(function, progress or Progress()):
        found = values.setdefault(ORIENTATIONS[axis], np.full(image.shape[axis], np.nan))
        found[numbers] = scores.cpu().numpy()
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

    work = _Work(SLICE_METRICS["vif"], reference, image, low, high, mask, device)
    work.refuse()
    kept = whole = 0.0
    for _, _, (some, all_) in work.on_each(information, progress or Progress()):
        kept, whole = kept + float(some.sum()), whole + float(all_.sum())
    return kept / whole if whole > 0 else float("nan")


@dataclass(frozen=True, eq=False)
class _Work:
    """The counted slices of volumes and how a measure wants them; attributes as the arguments of `measure`."""

    metric: SliceMetric
    reference: np.ndarray | None
    image: np.ndarray
    low: float
    high: float
    mask: np.ndarray | None
    device: str

    def refuse(self) -> None:
        """Raise `InputError` for what cannot be measured."""
        if self.metric.needs_reference and self.reference is None:
            raise InputError(f"{self.metric.title} compares with a reference, and there is none.", "", "Give one.")
        shapes = {a.shape for a in (self.reference, self.image, self.mask) if a is not None}
        if len(shapes) > 1:
            raise InputError(f"Reference, image and mask have different shapes: {sorted(shapes)}.")
        if not self.high > self.low:
            raise InputError(
                f"Black at {self.low:g} and white at {self.high:g} cannot be used.",
                "Intensities are scaled to their distance.",
                "Use a reference that is not constant.",
            )

    def on_each(self, function: Callable[..., Any], progress: Progress) -> Iterator[tuple[int, np.ndarray, Any]]:
        """The function of every batch of slices: the array axis, the slices' numbers, and what it gave.

        On a processor the batches run in threads, each with one thread of torch's: threads that share every
        operation wait for one another, and on a busy machine that is most of the time.
        """
        import torch

        batches = list(self._batches())

        def one(batch: tuple[int, np.ndarray]) -> Any:
            return function(*self._tensors(*batch))

        threads = torch.get_num_threads()
        workers = threads if self.device == "cpu" else 1

        def alone() -> None:
            torch.set_num_threads(1 if workers > 1 else threads)

        try:
            with ThreadPoolExecutor(workers, initializer=alone) as pool:
                for n, (batch, found) in enumerate(zip(batches, pool.map(one, batches), strict=True)):
                    yield *batch, found
                    progress.update((n + 1) / len(batches))
        finally:
            torch.set_num_threads(threads)

    def _batches(self) -> Iterator[tuple[int, np.ndarray]]:
        for axis in range(len(ORIENTATIONS)):
            if min(np.delete(self.image.shape, axis)) < self.metric.smallest:
                continue
            deciding = np.moveaxis(self.image if self.reference is None else self.reference, axis, 0)
            inside = None if self.mask is None else np.moveaxis(self.mask, axis, 0)
            chosen = _not_empty(deciding, inside, FLAT * (self.high - self.low))
            for start in range(0, len(chosen), BATCH):
                yield axis, chosen[start : start + BATCH]

    def _tensors(self, axis: int, numbers: np.ndarray) -> list[Tensor]:
        """What the measure is given: slices with [low, high] at its scale, float32 on the device."""
        import torch

        black, white = self.metric.scale
        factor = (white - black) / (self.high - self.low)
        made = []
        for volume in (self.reference, self.image) if self.metric.needs_reference else (self.image,):
            assert volume is not None
            slices = np.moveaxis(volume, axis, 0)[numbers].astype(np.float64)
            made.append(torch.from_numpy((slices * factor + (black - self.low * factor)).astype(np.float32)))
        return [tensor.contiguous().to(self.device) for tensor in made]


def _not_empty(stack: np.ndarray, mask: np.ndarray | None, least: float) -> np.ndarray:
    """The numbers of the slices that count, rising."""
    counted = stack.max(axis=(1, 2)) - stack.min(axis=(1, 2)) >= least
    return np.flatnonzero(counted if mask is None else counted & mask.any(axis=(1, 2)))
