"""How each measure of `measures` is taken: functions of a result beside what is known of its reference.

A function is given a `Pair` and returns a `Score`: a number for each region and, where the measure is one of slices,
those of the slices. What several measures share is made once for the pair, or once for the reference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import SimpleITK as sitk

from MedSRLib import images
from MedSRLib.errors import InputError
from MedSRLib.evaluation import resampling
from MedSRLib.evaluation.metrics import measure_arrays
from MedSRLib.evaluation.reference import Reference
from MedSRLib.grids import Grid
from MedSRLib.progress import Progress

if TYPE_CHECKING:
    from MedSRLib.evaluation.lesions import Lesion
    from MedSRLib.evaluation.segmentation import Overlap

MASK, WHOLE = "mask", "whole"
_MARGIN = 4
"""Voxels around mask and labels that a segmentation is given."""


@dataclass(frozen=True)
class Score:
    """What a measure found.

    Attributes:
        regions: the number by region, NaN where undefined; a label or a lesion of its own may be a region too.
        slices: by array axis ("k", "j", "i"), one a slice, NaN for those not counted; empty if not one of slices.
    """

    regions: Mapping[str, float]
    slices: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Known:
    """What is known before there is a result.

    Attributes:
        truth: the reference.
        device: "cpu" or a CUDA device.
        labels: whole numbers (k, j, i) on the reference's grid, given by the user, or None.
        lesions: mask on the reference's grid, or None.
    """

    truth: Reference
    device: str = "cpu"
    labels: np.ndarray | None = None
    lesions: sitk.Image | None = None

    @classmethod
    def of(cls, truth: Reference, device: str, labels: sitk.Image | None, lesions: sitk.Image | None) -> Known:
        """From images, which are put on the reference's grid (nearest neighbour) where they lie on another.

        Raises:
            InputError: for labels that are no whole numbers, or where nothing is left on that grid.
        """
        numbers = None if labels is None else _labels(truth, labels)
        return cls(truth, device, numbers, None if lesions is None else _on_grid(truth, lesions, "lesion mask"))

    @property
    def black_and_white(self) -> dict[str, float]:
        """The intensities that stand for black and white in measures of slices: the reference's extremes."""
        return {"low": float(self.truth.array.min()), "high": float(self.truth.array.max())}

    @cached_property
    def segmentation(self) -> np.ndarray:
        """The labels that a result's are compared with: the user's, or the tissues found in the reference."""
        return self.segmented(self.truth.array) if self.labels is None else self.labels

    def segmented(self, array: np.ndarray) -> np.ndarray:
        """Labels of an image, found in the box around the mask without looking at the reference's intensities."""
        from MedSRLib.evaluation import segmentation

        spacing, mask, box = self.truth.grid.spacing[::-1], self.truth.mask, self._box
        found = np.zeros(array.shape, dtype=np.int64)
        if self.labels is None:
            found[box] = segmentation.tissues(array[box], mask[box], spacing=spacing)
        else:
            found[box] = segmentation.by_priors(array[box], self.labels[box], mask[box], spacing=spacing)
        return found

    @property
    def _box(self) -> tuple[slice, ...]:
        """The bounding box of mask and labels, in array order, with a margin."""
        inside = self.truth.mask if self.labels is None else self.truth.mask | (self.labels > 0)
        found = [np.flatnonzero(inside.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3)]
        return tuple(slice(max(0, int(at[0]) - _MARGIN), int(at[-1]) + 1 + _MARGIN) for at in found)


@dataclass(frozen=True, eq=False)
class Pair:
    """A result, float32 (k, j, i) on the reference's grid, beside what is known."""

    known: Known
    array: np.ndarray

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Reference and result."""
        return self.known.truth.array, self.array

    @cached_property
    def core(self) -> dict[str, Any]:
        """PSNR, SSIM, MAE, NRMSE and NCC."""
        return measure_arrays(self.known.truth, self.array)

    @cached_property
    def overlaps(self) -> list[Overlap]:
        """Dice and volume of every label; a result that is constant in the mask has none."""
        from MedSRLib.evaluation import segmentation

        flat = np.ptp(self.array[self.known.truth.mask]) == 0
        found = np.zeros_like(self.known.segmentation) if flat else self.known.segmented(self.array)
        return segmentation.overlaps(self.known.segmentation, found, spacing=self.known.truth.grid.spacing)

    @cached_property
    def lesions(self) -> list[Lesion]:
        """Errors and contrast of every lesion."""
        from MedSRLib.evaluation.lesions import lesions

        grid = self.known.truth.grid
        truth, result = (images.from_array(array, grid) for array in self.arrays)
        assert self.known.lesions is not None
        return lesions(truth, result, self.known.lesions)


Function = Callable[[Pair, Progress], Score]


def core(name: str) -> Function:
    """A measure of `metrics.METRICS`."""
    return lambda pair, progress: Score(pair.core[name])


def of_slices(name: str) -> Function:
    """The mean of a measure of `slicewise.SLICE_METRICS` over the slices that touch the mask."""

    def function(pair: Pair, progress: Progress) -> Score:
        from MedSRLib.evaluation import slicewise

        known, (truth, array) = pair.known, pair.arrays
        scores = slicewise.measure(
            name, truth, array, mask=known.truth.mask, device=known.device, progress=progress, **known.black_and_white
        )
        return Score({MASK: scores.mean}, scores.values)

    return function


def vif_volume(pair: Pair, progress: Progress) -> Score:
    """One VIF for all slices together."""
    from MedSRLib.evaluation import slicewise

    known, (truth, array) = pair.known, pair.arrays
    mask, limits = known.truth.mask, known.black_and_white
    return Score(
        {MASK: slicewise.volume_vif(truth, array, mask=mask, device=known.device, progress=progress, **limits)}
    )


def ssim_gaussian(pair: Pair, progress: Progress) -> Score:
    """Means of one map."""
    from MedSRLib.evaluation.similarity import gaussian_map

    known = pair.known
    values = gaussian_map(*pair.arrays, data_range=known.truth.data_range, device=known.device)
    inside = values[known.truth.mask]
    return Score({MASK: float(inside.mean(dtype=np.float64)), WHOLE: float(values.mean(dtype=np.float64))})


def ms_ssim(pair: Pair, progress: Progress) -> Score:
    """With as many of the five scales as fit; NaN if none does."""
    from MedSRLib.evaluation import similarity

    scales = similarity.most_scales(pair.array.shape)
    if not scales:
        return Score({WHOLE: float("nan")})
    known = pair.known
    value = similarity.ms_ssim(*pair.arrays, data_range=known.truth.data_range, scales=scales, device=known.device)
    return Score({WHOLE: value})


def information(name: str) -> Function:
    """A function of `mutual_information`."""

    def function(pair: Pair, progress: Progress) -> Score:
        from MedSRLib.evaluation import mutual_information

        take, known = getattr(mutual_information, name), pair.known
        return Score(
            {where: take(*pair.arrays, mask=mask, device=known.device) for where, mask in _regions(known.truth)}
        )

    return function


def hfen(pair: Pair, progress: Progress) -> Score:
    """High-frequency error norm."""
    from MedSRLib.evaluation import frequency

    known = pair.known
    return Score(
        {where: frequency.hfen(*pair.arrays, mask=mask, device=known.device) for where, mask in _regions(known.truth)}
    )


def fsc_resolution(threshold: float) -> Function:
    """The wavelength at which the Fourier shell correlation falls below a threshold."""

    def function(pair: Pair, progress: Progress) -> Score:
        from MedSRLib.evaluation.frequency import shell_correlation

        spacing = pair.known.truth.grid.spacing[::-1]
        curve = shell_correlation(*pair.arrays, spacing=spacing, device=pair.known.device)
        return Score({WHOLE: curve.resolution_mm(threshold)})

    return function


def dice(pair: Pair, progress: Progress) -> Score:
    """Dice of each label, and their mean."""
    return _mean_and_parts({f"label {o.label}": o.dice for o in pair.overlaps}, _plain)


def volume_error(pair: Pair, progress: Progress) -> Score:
    """Relative volume error of each label, and the mean of their sizes."""
    return _mean_and_parts({f"label {o.label}": o.volume_error for o in pair.overlaps}, abs)


def lesion_mae(pair: Pair, progress: Progress) -> Score:
    """Mean absolute error of each lesion, and their mean."""
    return _mean_and_parts({f"lesion {found.label}": found.mae for found in pair.lesions}, _plain)


def lesion_contrast(pair: Pair, progress: Progress) -> Score:
    """The part of each lesion's contrast that is kept, and their mean."""
    return _mean_and_parts({f"lesion {found.label}": found.kept for found in pair.lesions}, _plain)


def _regions(truth: Reference) -> tuple[tuple[str, np.ndarray | None], ...]:
    return (MASK, truth.mask), (WHOLE, None)


def _plain(value: float) -> float:
    return value


def _mean_and_parts(parts: Mapping[str, float], size: Callable[[float], float]) -> Score:
    """Every part a vote; those that are undefined have none."""
    valid = [size(value) for value in parts.values() if np.isfinite(value)]
    return Score({MASK: float(np.mean(valid)) if valid else float("nan"), **parts})


def _on_grid(truth: Reference, image: sitk.Image, name: str) -> sitk.Image:
    """A mask or a label image on the reference's grid, nearest neighbour.

    Raises:
        InputError: if nothing of it is left there.
    """
    placed = image if Grid.of(image).equals(truth.grid) else resampling.onto(truth.grid, image, nearest=True)
    if not sitk.GetArrayViewFromImage(placed).any():
        raise InputError(f"The {name} has no voxel above zero inside the reference.", "", "Give one of this patient.")
    return placed


def _labels(truth: Reference, image: sitk.Image) -> np.ndarray:
    array = sitk.GetArrayFromImage(_on_grid(truth, image, "label image")).astype(np.float64)
    if not np.array_equal(array, np.rint(array)) or array.min() < 0:
        raise InputError(
            "The label image has fractional or negative values.", "Labels are whole numbers.", "Give a label map."
        )
    return array.astype(np.int64)
