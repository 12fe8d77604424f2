"""What is assumed of a scan of which nobody knows how it was made: the kind of the acquisition and the thickness."""

from __future__ import annotations

from dataclasses import dataclass

from MedSRLib.acquisition.degrading import check_kind
from MedSRLib.acquisition.matrices import WITH_PROFILE
from MedSRLib.acquisition.model import AcquisitionModel, build
from MedSRLib.errors import OptionError
from MedSRLib.grids import Grid

PHYSICAL = "physical"
"""The acquisition assumed where none is named: a Gaussian as wide as the scan's voxel along each coarser axis."""


@dataclass(frozen=True)
class Acquisition:
    """How the scan is assumed to have been made of the finer image.

    Attributes:
        kind: one of `acquisition.KINDS`.
        thickness: width of the point spread function in mm along the coarser axes; by default the scan's spacing.
    """

    kind: str = PHYSICAL
    thickness: float | None = None

    def __post_init__(self) -> None:
        """Refuse at once what would fail after the work.

        Raises:
            OptionError: for an unknown kind, or a thickness that is missing, impossible or not used by the kind.
        """
        check_kind(self.kind)
        if self.thickness is None and self.kind == "slice-profile":
            raise OptionError("A slice profile needs the slice thickness.", "", "Give the thickness in mm.")
        if self.thickness is None:
            return
        if not 0 < self.thickness < float("inf"):
            raise OptionError(f"A thickness of {self.thickness:g} mm is not positive.", "", "Give a thickness in mm.")
        if self.kind not in WITH_PROFILE:
            usable = ", ".join(WITH_PROFILE)
            raise OptionError(f"The acquisition '{self.kind}' has no thickness.", "", f"Use one of: {usable}.")

    def model(self, wanted: Grid, acquired: Grid) -> AcquisitionModel:
        """The acquisition model between two grids with the same directions.

        Raises:
            GridError: if the directions differ.
        """
        return build(self.kind, wanted, acquired, thickness=self.thickness)

    def described(self) -> str:
        """In words: "physical, 5 mm"."""
        return self.kind if self.thickness is None else f"{self.kind}, {self.thickness:g} mm"
