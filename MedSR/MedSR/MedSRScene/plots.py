"""A chart of several columns over one: table, series and chart nodes that are used again at every update."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import vtk
from vtk.util.numpy_support import numpy_to_vtk

from MedSRScene import colors as accents
from MedSRScene import derived

if TYPE_CHECKING:
    from slicer import vtkMRMLPlotChartNode, vtkMRMLPlotViewNode, vtkMRMLScene

KINDS = ("line", "bar", "scatter")
_X = "x"


class Plot:
    """One chart.

    Args:
        scene: gets the nodes at the first update.
        name: of the nodes.
        kind: "line", "bar" or "scatter".
    """

    def __init__(self, scene: vtkMRMLScene, name: str, kind: str = "line") -> None:
        if kind not in KINDS:
            raise ValueError(f"'{kind}' is none of {KINDS}.")
        self._scene, self._name, self._kind = scene, name, kind
        self._chartID: str | None = None
        self._parts: list[tuple[str, str]] = []

    @property
    def chartNode(self) -> vtkMRMLPlotChartNode | None:
        """None before the first update, and after the scene was closed."""
        return self._node(self._chartID)

    def update(
        self,
        columns: Mapping[str, np.ndarray],
        x: np.ndarray | Mapping[str, np.ndarray],
        *,
        title: str = "",
        xTitle: str = "",
        yTitle: str = "",
        colors: Sequence[str] = (),
    ) -> vtkMRMLPlotChartNode:
        """Show these values.

        Args:
            columns: name to values; where a value is not finite the point is left out.
            x: for all columns, or one for each by name (scatter).
            colors: "#RRGGBB" of each column; by default the accents in their order.
        """
        chart = self._chart()
        self._grow(len(columns))
        modifying = chart.StartModify()
        chart.SetTitle(title)
        chart.SetXAxisTitle(xTitle)
        chart.SetYAxisTitle(yTitle)
        chart.SetLegendVisibility(len(columns) > 1)
        wanted = []
        for number, (name, values) in enumerate(columns.items()):
            color = colors[number] if number < len(colors) else accents.accent(number)
            wanted.append(self._fill(number, name, x[name] if isinstance(x, Mapping) else x, values, color))
        if list(self._series(chart)) != wanted:
            chart.RemoveAllPlotSeriesNodeIDs()
            for seriesID in wanted:
                chart.AddAndObservePlotSeriesNodeID(seriesID)
        chart.EndModify(modifying)
        return chart

    def show(self, plotViewNode: vtkMRMLPlotViewNode | None) -> None:
        """Put the chart into a plot view."""
        if plotViewNode is not None and self.chartNode is not None:
            plotViewNode.SetPlotChartNodeID(self._chartID)

    def remove(self) -> None:
        """Remove all nodes of the chart; an update makes them anew."""
        for nodeID in (self._chartID, *(nodeID for pair in self._parts for nodeID in pair)):
            node = self._node(nodeID)
            if node is not None:
                derived.remove(self._scene, node)
        self._chartID, self._parts = None, []

    def _chart(self) -> vtkMRMLPlotChartNode:
        parts = [nodeID for pair in self._parts for nodeID in pair]
        if self.chartNode is None or any(self._node(nodeID) is None for nodeID in parts):
            self.remove()
            self._chartID = self._new("vtkMRMLPlotChartNode", self._name).GetID()
        return self.chartNode

    def _grow(self, count: int) -> None:
        while len(self._parts) < count:
            number = len(self._parts) + 1
            table = self._new("vtkMRMLTableNode", f"{self._name} table {number}")
            series = self._new("vtkMRMLPlotSeriesNode", f"{self._name} series {number}")
            series.SetAndObserveTableNodeID(table.GetID())
            series.SetPlotType(self._plotType(series))
            line = self._kind == "line"
            series.SetMarkerStyle(series.MarkerStyleNone if line else series.MarkerStyleCircle)
            series.SetLineStyle(series.LineStyleSolid if line else series.LineStyleNone)
            series.SetLineWidth(2.0)
            series.SetMarkerSize(4.0)
            self._parts.append((table.GetID(), series.GetID()))

    def _fill(self, number: int, name: str, x: np.ndarray, values: np.ndarray, color: str) -> str:
        """Table and series of one column; the series' node ID."""
        tableID, seriesID = self._parts[number]
        x, values = np.asarray(x, dtype=float), np.asarray(values, dtype=float)
        kept = np.isfinite(x) & np.isfinite(values)
        table, y = vtk.vtkTable(), name if name != _X else f"{name} (y)"
        for title, column in ((_X, x[kept]), (y, values[kept])):
            data = numpy_to_vtk(np.ascontiguousarray(column), deep=True)
            data.SetName(title)
            table.AddColumn(data)
        series = self._node(seriesID)
        modifying = series.StartModify()
        self._node(tableID).SetAndObserveTable(table)
        series.SetName(name)
        series.SetXColumnName(_X)
        series.SetYColumnName(y)
        series.SetColor(*accents.rgb(color))
        series.EndModify(modifying)
        return seriesID

    def _plotType(self, series: Any) -> int:
        # A line in Slicer takes its x values only as a scatter plot; "line" counts the rows.
        return series.PlotTypeScatterBar if self._kind == "bar" else series.PlotTypeScatter

    def _series(self, chart: vtkMRMLPlotChartNode) -> list[str]:
        return [chart.GetNthPlotSeriesNodeID(number) for number in range(chart.GetNumberOfPlotSeriesNodes())]

    def _new(self, className: str, name: str) -> Any:
        node = self._scene.AddNewNodeByClass(className, name)
        derived.mark(node)
        return node

    def _node(self, nodeID: str | None) -> Any:
        return None if nodeID is None else self._scene.GetNodeByID(nodeID)
