"""One volume of a benchmark as methods and measures need it: read once, used for all its cases."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import SimpleITK as sitk

from MedSRLib import images
from MedSRLib.errors import InputError
from MedSRLib.evaluation import resampling
from MedSRLib.evaluation.measures import Measurer
from MedSRLib.evaluation.reference import Reference
from MedSRLib.grids import Grid
from MedSRLib.progress import Progress
from MedSRLib.protocols.cells import Case
from MedSRLib.protocols.protocol import DROP
from MedSRLib.protocols.scales import factors, slice_axis

PARTS_ON_THE_GRID = ("labels", "lesions")


@dataclass(frozen=True, eq=False)
class Region:
    """The slices that are measured: all, or those that were taken away.

    Attributes:
        axis: image axis, 0 to 2 for x to z.
        index: of the slices along it, rising.
        is_whole: whether these are all slices.
    """

    axis: int
    index: np.ndarray
    is_whole: bool

    def of(self, array: np.ndarray) -> np.ndarray:
        """The measured slices of a volume (k, j, i)."""
        return array if self.is_whole else np.take(array, self.index, axis=2 - self.axis)

    def grid(self, grid: Grid) -> Grid:
        """The stack of the measured slices, as close together as they lie on average."""
        if self.is_whole:
            return grid
        size, spacing = list(grid.size), list(grid.spacing)
        size[self.axis] = count = len(self.index)
        span = self.index[-1] - self.index[0]
        spacing[self.axis] *= float(span) / (count - 1) if count > 1 else 1.0
        first = [0.0, 0.0, 0.0]
        first[self.axis] = float(self.index[0])
        x, y, z = (float(v) for v in grid.physical(first))
        return Grid((size[0], size[1], size[2]), (spacing[0], spacing[1], spacing[2]), (x, y, z), grid.direction)


class Subject:
    """A volume, or a frame of one, with its reference, mask, labels and guide, all on one grid.

    Args:
        case: any case of the volume and frame.
        device: where measures are taken.

    Raises:
        InputError: for a file that cannot be used.
    """

    def __init__(self, case: Case, device: str, progress: Progress) -> None:
        self._case, self._device, self._progress = case, device, progress
        self.image = self._read("volume", case.frame)
        self.grid = Grid.of(self.image)
        self.axis = slice_axis(self.grid, case.group.axis)
        self.truth = self._reference()
        self._measurers: dict[tuple[int, ...], Measurer] = {}

    @cached_property
    def guide(self) -> np.ndarray | None:
        """The guide on the grid, (k, j, i)."""
        return images.to_array(self._placed("guide")) if "guide" in self._case.scan.paths else None

    def region(self, case: Case) -> Region:
        """Which slices are measured.

        Raises:
            InputError: if no slice was taken away between two that were kept.
        """
        axis, step = self.axis, 1.0
        if case.degradation.kind == DROP:
            scale = factors(case.scale, self.axis)
            axis = int(np.argmax(scale))
            step = scale[axis]
        index = np.arange(self.grid.size[axis])
        if step == 1:
            return Region(axis, index, True)
        kept = index[:: int(step)]
        away = index[(index % int(step) != 0) & (index < kept[-1])]
        if not len(away):
            raise InputError(
                f"The volume '{case.scan.volume.path.name}' has {len(index)} slices.",
                "None can be taken away between two that are kept.",
                "Take it out of the manifest, or lower the scale.",
            )
        return Region(axis, away, False)

    def measurer(self, region: Region) -> Measurer:
        """What measures results in a region; made once for each."""
        key = () if region.is_whole else (region.axis, *(int(n) for n in region.index))
        if key not in self._measurers:
            beside = {
                part: self._cut(self._placed(part, nearest=True), region)
                for part in PARTS_ON_THE_GRID
                if part in self._case.scan.paths
            }
            self._measurers[key] = Measurer(
                self.measured_reference(region), self._case.measures, device=self._device, **beside
            )
        return self._measurers[key]

    def measured_reference(self, region: Region) -> Reference:
        """The truth in the measured slices.

        Raises:
            InputError: if nothing is there.
        """
        if region.is_whole:
            return self.truth
        array, mask = region.of(self.truth.array), region.of(self.truth.mask)
        if not mask.any() or array.min() == array.max():
            raise InputError(f"The slices taken away of '{self._case.scan.volume.path.name}' show nothing.")
        return Reference(region.grid(self.grid), array, mask, f"{self.truth.mask_origin}; the slices taken away")

    def _reference(self) -> Reference:
        truth = self._placed("target") if "target" in self._case.scan.paths else self.image
        mask = self._read("mask", None) if "mask" in self._case.scan.paths else None
        return Reference.of(truth, mask, self._progress)

    def _read(self, part: str, frame: int | None) -> sitk.Image:
        image = images.read(self._case.scan.paths[part], self._progress)
        return images.prepared(images.frames(image)[frame or 0], self._progress)

    def _placed(self, part: str, *, nearest: bool = False) -> sitk.Image:
        """A volume that belongs to this one, on its grid.

        Raises:
            InputError: if it shows another place.
        """
        image = self._read(part, None)
        if Grid.of(image).equals(self.grid):
            return image
        covered = resampling.coverage(np.ones(self.grid.shape, dtype=bool), self.grid, image)
        if covered < 0.5:
            raise InputError(
                f"'{self._case.scan.paths[part].name}' covers {covered:.0%} of '{self._case.scan.volume.path.name}'.",
                f"As {part} of the same subject it should show the same place.",
                "Register the two, or correct the manifest.",
            )
        return resampling.onto(self.grid, image, nearest=nearest)

    def _cut(self, image: sitk.Image, region: Region) -> sitk.Image:
        return images.from_array(region.of(images.to_array(image)), region.grid(self.grid))
