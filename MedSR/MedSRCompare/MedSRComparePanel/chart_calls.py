"""The calls of `MedSRCompareLogic` about the line and the charts; see `calls`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from slicer.i18n import tr as _

from MedSRComparePanel import charts, drawing

if TYPE_CHECKING:
    from MedSRScene.profiles import Profiles
    from slicer import vtkMRMLMarkupsLineNode


class ChartCalls:
    """A part of `calls.Calls`."""

    def placeLine(self, parameters: Any) -> vtkMRMLMarkupsLineNode:
        """Let the user click the two ends of the line in a view."""
        return drawing.placeLine(parameters)

    def whyNoProfile(self, parameters: Any) -> str:
        """Why there is no profile; empty if there is one."""
        return drawing.whyNoProfile(parameters, self.columns(parameters))

    def profile(self, parameters: Any) -> Profiles | None:
        """All volumes along the line, at the same places in mm; None where `whyNoProfile` says why."""
        if self.whyNoProfile(parameters):
            return None
        return drawing.profiles(parameters, self.columns(parameters))

    def edgeWidths(self, parameters: Any) -> list[tuple[str, str, float | None]]:
        """(title, colour, width of the edge from 10 to 90 % in mm) of every volume, at one and the same edge."""
        found = self.profile(parameters)
        return [] if found is None else drawing.edgeWidths(found, self.columns(parameters))

    def saveProfile(self, parameters: Any, path: Path | str) -> None:
        """Write the profile as CSV: position, place and a column for each volume.

        Raises:
            OSError: if the file cannot be written.
            ValueError: if there is no profile.
        """
        found = self.profile(parameters)
        if found is None:
            raise ValueError(self.whyNoProfile(parameters))
        drawing.saveProfile(path, found, self.columns(parameters))

    def chart(self, parameters: Any) -> charts.Chart | None:
        """What is plotted; None where `whyNoChart` says why."""
        shown = self.columns(parameters)
        if parameters.chart == charts.PROFILE:
            found = self.profile(parameters)
            return None if found is None else charts.of_profile(found, shown)
        current = self._current(parameters)
        return charts.of_measures(parameters.chart, self._comparison.computed.measures, current, parameters.sliceAxis)

    def whyNoChart(self, parameters: Any) -> str:
        """Why there is no chart; empty if there is one."""
        if parameters.chart == charts.PROFILE:
            return self.whyNoProfile(parameters)
        if parameters.chart == charts.NONE or self.chart(parameters) is not None:
            return ""
        if parameters.reference is None:
            return _("Differences are taken to a reference: choose one above.")
        return _("Not computed yet: press Compare.")

    def agreement(self, parameters: Any) -> str:
        """Bias and limits of agreement of the Bland-Altman chart, in words."""
        return charts.agreement(self._comparison.computed.measures, self._current(parameters))

    def draw(self, parameters: Any) -> None:
        """Draw the chart into the plot view, if there is one."""
        if parameters.chart != charts.NONE:
            self._drawing.draw(self.chart(parameters), self._comparison.viewer)
