"""The scan that results were made of, and how far they contradict it: what can be measured where there is no truth.

    d = |A x - y|,   relative = √(mean d²) / (max y - min y),   over the noise = √(mean d²) / σ

with x the result, y the scan, A the acquisition assumed and σ the noise of y. A residual of about its noise (1 or less)
is all that the scan can tell; whatever the result shows beyond that, the scan neither supports nor denies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from MedSRLib import images
from MedSRLib.acquisition import Acquisition, estimate_sigma
from MedSRLib.errors import GridError, InputError
from MedSRLib.evaluation import resampling
from MedSRLib.foreground import foreground
from MedSRLib.grids import Grid
from MedSRLib.inference import regridding
from MedSRLib.inference.consistency import consistency
from MedSRLib.progress import Progress

AUTOMATIC_MASK = "foreground of the scan, found automatically"


@dataclass(frozen=True, eq=False)
class Scan:
    """The scan, ready for measurements.

    Attributes:
        image: 3D, float32, finite.
        mask: bool (k, j, i), the patient, or where the user wants the numbers taken.
        mask_origin: how the mask was made, in words.
        noise: standard deviation of its noise, in its unit; about 0 if none was found.
    """

    image: sitk.Image
    mask: np.ndarray
    mask_origin: str
    noise: float

    @classmethod
    def of(cls, image: sitk.Image, mask: sitk.Image | None = None, progress: Progress | None = None) -> Scan:
        """The scan of a 3D image; a mask on another grid is resampled (nearest neighbour).

        Raises:
            InputError: for an image that cannot be used, a constant one, or a mask that misses it.
        """
        prepared = volume(image, "input", progress or Progress())
        array = images.to_array(prepared)
        if array.min() == array.max():
            raise InputError("The input is constant.", "", "Give an image that shows something.")
        if mask is None:
            found = foreground(array)
            inside, origin = (found, AUTOMATIC_MASK) if found.any() else (np.ones_like(found), "whole volume")
        else:
            placed = resampling.onto(Grid.of(prepared), images.check_volume(mask, "mask"), nearest=True)
            inside, origin = sitk.GetArrayFromImage(placed) > 0, "given by the user"
        if not inside.any():
            raise InputError("The mask has no voxel above zero inside the input.", "", "Give another, or none.")
        return cls(prepared, inside, origin, estimate_sigma(array))

    @property
    def grid(self) -> Grid:
        """Where its voxels are."""
        return Grid.of(self.image)

    @property
    def array(self) -> np.ndarray:
        """Its intensities, float32 (k, j, i)."""
        return images.to_array(self.image)

    @property
    def span(self) -> tuple[float, float]:
        """Its lowest and highest intensity."""
        return float(self.array.min()), float(self.array.max())

    def residual_or_none(self, result: sitk.Image, acquisition: Acquisition) -> np.ndarray | None:
        """d, float32 (k, j, i) on the scan's grid, NaN where the result does not reach; None for oblique axes."""
        try:
            found = images.to_array(consistency(result, self.image, acquisition=acquisition))
        except GridError:
            return None
        beyond = regridding.outside(self.grid, Grid.of(result))
        if beyond is not None:
            found[beyond] = np.nan
        return found

    def measured(self, residual: np.ndarray) -> dict[str, dict[str, float | None]]:
        """Root mean square of a residual, in the scan's unit, relative and over the noise; in the mask and whole."""
        low, high = self.span
        told: dict[str, dict[str, float | None]] = {"rmse": {}, "relative": {}, "over_noise": {}}
        for where, inside in (("mask", self.mask), ("whole", np.ones_like(self.mask))):
            values = residual[inside & np.isfinite(residual)]
            rmse = float(np.sqrt(np.square(values).mean(dtype=np.float64))) if len(values) else float("nan")
            told["rmse"][where] = rmse
            told["relative"][where] = rmse / (high - low)
            told["over_noise"][where] = rmse / self.noise if self.noise > 0 else None
        return told


def volume(image: sitk.Image, name: str, progress: Progress) -> sitk.Image:
    """A 3D image, checked, float32 and finite.

    Raises:
        InputError: for any other.
    """
    return images.prepared(images.check_volume(image, name), progress)
