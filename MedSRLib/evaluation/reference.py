"""The reference and its mask, made once; and putting what is compared with it on its grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk

from MedSRLib import images
from MedSRLib.errors import InputError
from MedSRLib.evaluation import resampling
from MedSRLib.foreground import foreground
from MedSRLib.grids import Grid
from MedSRLib.progress import Progress

MIN_COVERAGE = 0.5
"""A result that covers less of the mask than this is taken for one of another patient or position."""

AUTOMATIC_MASK = "foreground of the reference, found automatically"


@dataclass(frozen=True, eq=False)
class Reference:
    """The true image, ready for comparisons.

    Attributes:
        grid: where its voxels are.
        array: float32 (k, j, i).
        mask: bool (k, j, i), the voxels that masked numbers count.
        mask_origin: how the mask was made, in words.
    """

    grid: Grid
    array: np.ndarray
    mask: np.ndarray
    mask_origin: str

    @classmethod
    def of(cls, image: sitk.Image, mask: sitk.Image | None = None, progress: Progress | None = None) -> Reference:
        """The reference of a 3D image; a mask on another grid is resampled (nearest neighbour).

        Raises:
            InputError: for an image that cannot be used, a constant one, or a mask that misses it.
        """
        prepared = images.prepared(images.check_volume(image, "reference"), progress or Progress())
        array, grid = images.to_array(prepared), Grid.of(prepared)
        if array.min() == array.max():
            raise InputError(
                "The reference is constant.",
                "Its data range is zero.",
                "Give a reference that shows something.",
            )
        if mask is None:
            found = foreground(array)
            if not found.any():
                return cls(grid, array, np.ones_like(found), "whole volume, as no foreground was found")
            return cls(grid, array, found, AUTOMATIC_MASK)
        origin = "given by the user"
        if not Grid.of(images.check_volume(mask, "mask")).equals(grid):
            mask = resampling.onto(grid, mask, nearest=True)
            origin += ", resampled to the reference's grid (nearest neighbour)"
        inside = sitk.GetArrayFromImage(mask) > 0
        if not inside.any():
            raise InputError(
                "The mask has no voxel above zero inside the reference.",
                "",
                "Give a mask drawn on this patient, or none: the foreground is then found automatically.",
            )
        return cls(grid, array, inside, origin)

    @property
    def data_range(self) -> float:
        """R, the maximum minus the minimum of the whole reference."""
        return float(self.array.max()) - float(self.array.min())

    def settings(self) -> dict[str, Any]:
        """What a reader must know beside any number: data range, mask and border."""
        share = float(self.mask.mean())
        return {
            "data_range": self.data_range,
            "data_range_rule": "max - min of the whole reference",
            "mask": f"{self.mask_origin}; {int(self.mask.sum())} voxels, {share:.1%} of the volume",
            "border": 0,
        }

    def array_of(
        self,
        image: sitk.Image,
        name: str = "result",
        progress: Progress | None = None,
        field: sitk.Image | None = None,
    ) -> tuple[np.ndarray, list[str]]:
        """The image on the reference's grid, float32 (k, j, i), and what was done to put it there.

        An image on another grid is resampled with a cubic B-spline (linearly where it is thinner than four
        voxels); reference voxels outside its field of view take its border values.

        Raises:
            InputError: if it cannot be used or covers less than half of the mask.
        """
        prepared = images.prepared(images.check_volume(image, name), progress or Progress())
        if field is None and Grid.of(prepared).equals(self.grid):
            return images.to_array(prepared), []
        covered = resampling.coverage(self.mask, self.grid, prepared, field)
        if covered < MIN_COVERAGE:
            raise InputError(
                f"The {name} covers {covered:.0%} of the reference's mask.",
                f"At least {MIN_COVERAGE:.0%} is needed for a comparison.",
                "Check that both show the same patient in the same position, or register them first.",
            )
        array = images.to_array(resampling.onto(self.grid, prepared, field))
        notes = [f"resampled to the reference's grid ({resampling.interpolator_name(prepared)})"]
        if covered < 1:
            notes.append(f"covers {covered:.1%} of the mask; elsewhere its border values were used")
        return array, notes

    def displayed(self, image: sitk.Image, name: str = "input") -> np.ndarray:
        """The image on the reference's grid by nearest neighbour, so that its own voxels can be seen."""
        prepared = images.prepared(images.check_volume(image, name), Progress())
        return images.to_array(resampling.onto(self.grid, prepared, nearest=True))
