"""The chart under the views: the profile along the line, or one made of the measures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import slicer
from slicer.i18n import tr as _

from MedSRComparePanel import charts
from MedSRComparePanel.entries import Shown

if TYPE_CHECKING:
    from MedSRScene.plots import Plot
    from MedSRScene.profiles import Profiles

    from MedSRComparePanel.viewer import Viewer


class Drawing:
    """The plots of one comparison; their nodes are used again at every update."""

    def __init__(self) -> None:
        self._plots: dict[str, Plot] = {}

    def draw(self, chart: charts.Chart | None, viewer: Viewer) -> None:
        """Put a chart into the plot view; without one the view is empty."""
        from MedSRScene.plots import Plot

        view = viewer.plotView()
        if view is None:
            return
        if chart is None:
            view.SetPlotChartNodeID(None)
            return
        plot = self._plots.setdefault(chart.kind, Plot(slicer.mrmlScene, f"MedSR {chart.kind}", chart.kind))
        titles = {"title": chart.title, "xTitle": chart.xTitle, "yTitle": chart.yTitle}
        plot.update(chart.columns, chart.x, **titles, colors=chart.colors)
        plot.show(view)
        viewer.fitPlot()

    def clear(self) -> None:
        """Remove the nodes of all charts."""
        for plot in self._plots.values():
            plot.remove()
        self._plots = {}

    def forget(self) -> None:
        """The scene was closed, and the nodes with it."""
        self._plots = {}


def profiles(parameters: Any, shown: Sequence[Shown]) -> Profiles:
    """All volumes along the line of the parameters.

    Raises:
        SceneError: if the line has no length.
    """
    from MedSRScene import profiles as along

    return along.along(parameters.line, [each.node for each in shown])


def whyNoProfile(parameters: Any, shown: Sequence[Shown]) -> str:
    """Why there is no profile; empty if there is one."""
    if not shown:
        return _("Choose volumes first.")
    if parameters.line is None:
        return _("Place a line first.")
    if parameters.line.GetNumberOfDefinedControlPoints() < 2:
        return _("Click both ends of the line in a view.")
    if parameters.line.GetLineLengthWorld() <= 0:
        return _("The line has no length.")
    return ""


def edgeWidths(found: Profiles, shown: Sequence[Shown]) -> list[tuple[str, str, float | None]]:
    """(title, colour, 10-90 % width in mm) of the same edge in every volume; the first one's edge is sought.

    A volume that the line leaves has no width if nothing of it lies on the line.
    """
    import numpy as np

    from MedSRLib.evaluation.profiles import Profile, edge_widths

    x = found.positions_mm
    lines = {}
    for each in shown:
        values = found.values[each.node.GetID()]
        known = np.isfinite(values)
        if known.any():
            lines[each.title] = Profile(x, np.interp(x, x[known], values[known]))
    if not lines:
        return []
    widths = edge_widths(lines, next(iter(lines)))
    return [(each.title, each.color, widths.get(each.title)) for each in shown]


def saveProfile(path: Path | str, found: Profiles, shown: Sequence[Shown]) -> None:
    """Write the profile as CSV.

    Raises:
        OSError: if the file cannot be written.
    """
    from MedSRScene import profiles as along

    along.csv(path, found, {each.node.GetID(): each.title for each in shown})


def placeLine(parameters: Any) -> Any:
    """Let the user click the two ends of the line; an old line is placed anew. Returns the line's node."""
    line = parameters.line
    if line is None:
        line = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsLineNode", _("Profile"))
        line.CreateDefaultDisplayNodes()
        parameters.line = line
    line.RemoveAllControlPoints()
    logic = slicer.app.applicationLogic()
    selection, interaction = logic.GetSelectionNode(), logic.GetInteractionNode()
    selection.SetReferenceActivePlaceNodeClassName("vtkMRMLMarkupsLineNode")
    selection.SetActivePlaceNodeID(line.GetID())
    interaction.SwitchToSinglePlaceMode()
    return line


def endPlacing(parameters: Any) -> None:
    """If the line is being placed, go back to the plain mouse mode."""
    logic = slicer.app.applicationLogic()
    selection, interaction = logic.GetSelectionNode(), logic.GetInteractionNode()
    placing = interaction is not None and interaction.GetCurrentInteractionMode() == interaction.Place
    line = parameters.line
    if placing and line is not None and selection.GetActivePlaceNodeID() == line.GetID():
        interaction.SwitchToViewTransformMode()
