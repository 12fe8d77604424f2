"""The profile along a line: placed, plotted while it is dragged, measured, saved."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest


def plotted(scene: Any) -> dict[str, np.ndarray]:
    """y values of every curve in the comparison's plot view."""
    import vtk.util.numpy_support as support

    view = scene.GetSingletonNode("MedSRPlot", "vtkMRMLPlotViewNode")
    chart = None if view is None else scene.GetNodeByID(view.GetPlotChartNodeID() or "")
    curves = {}
    for index in range(0 if chart is None else chart.GetNumberOfPlotSeriesNodes()):
        series = chart.GetNthPlotSeriesNode(index)
        column = series.GetTableNode().GetTable().GetColumnByName(series.GetYColumnName())
        curves[series.GetName()] = support.vtk_to_numpy(column).copy()
    return curves


def test_place_line_lets_the_user_click(ready: Any, scene: Any, settle: Callable[[], None]) -> None:
    import slicer

    ready.ui.placeLineButton.click()
    settle()
    logic = slicer.app.applicationLogic()
    interaction, line = logic.GetInteractionNode(), ready.panel.parameters.line
    assert interaction.GetCurrentInteractionMode() == interaction.Place
    assert logic.GetSelectionNode().GetActivePlaceNodeID() == line.GetID()
    assert ready.panel.parameters.chart == "profile"
    assert "both ends" in ready.ui.edgeWidthLabel.text or "both ends" in ready.ui.saveProfileButton.toolTip
    slicer.util.selectModule("Volumes")
    assert interaction.GetCurrentInteractionMode() != interaction.Place


def test_the_plot_follows_the_line(
    ready: Any, line: Any, scene: Any, settle: Callable[[], None], wait: Callable[..., None]
) -> None:
    ready.ui.lineSelector.setCurrentNode(line)
    ready.panel.parameters.chart = "profile"
    settle()
    before = plotted(scene)
    assert list(before) == ["Reference", "result"]
    np.testing.assert_allclose(before["result"], before["Reference"] - 10, atol=0.5)
    point = np.zeros(3)
    line.GetNthControlPointPositionWorld(1, point)
    line.SetNthControlPointPositionWorld(1, point + np.array([0, 0, 6]))
    wait(lambda: len(plotted(scene)["result"]) != len(before["result"]), 5)


def test_edge_widths(ready: Any, line: Any, settle: Callable[[], None], wait: Callable[..., None]) -> None:
    ready.ui.lineSelector.setCurrentNode(line)
    settle()
    wait(lambda: " mm" in ready.ui.edgeWidthLabel.text, 5)
    widths = ready.logic.edgeWidths(ready.panel.parameters)
    # A logistic edge of scale s climbs from 10 to 90 % over 2 ln(9) s; here s = 1.2 mm.
    assert [width for _t, _c, width in widths] == pytest.approx([2 * np.log(9) * 1.2] * 2, rel=0.15)


def test_no_line_no_profile(ready: Any) -> None:
    assert ready.ui.saveProfileButton.enabled is False
    assert "Place a line" in ready.ui.saveProfileButton.toolTip
    assert ready.logic.profile(ready.panel.parameters) is None
    with pytest.raises(ValueError, match="Place a line"):
        ready.logic.saveProfile(ready.panel.parameters, "never.csv")


def test_a_line_that_leaves_a_volume(ready: Any, line: Any, settle: Callable[[], None]) -> None:
    line.SetNthControlPointPositionWorld(1, 300, 0, 0)
    ready.ui.lineSelector.setCurrentNode(line)
    settle()
    values = next(iter(ready.logic.profile(ready.panel.parameters).values.values()))
    assert np.isnan(values).any() and np.isfinite(values).any()
    assert all(width is None or width > 0 for _t, _c, width in ready.logic.edgeWidths(ready.panel.parameters))


def test_a_deleted_line_is_let_go(ready: Any, line: Any, scene: Any, settle: Callable[[], None]) -> None:
    ready.ui.lineSelector.setCurrentNode(line)
    ready.panel.parameters.chart = "profile"
    settle()
    scene.RemoveNode(line)
    settle()
    assert ready.panel.parameters.line is None and plotted(scene) == {}


def test_saved_as_csv(ready: Any, line: Any, tmp_path: Path, settle: Callable[[], None]) -> None:
    import dialogs

    ready.ui.lineSelector.setCurrentNode(line)
    settle()
    path = tmp_path / "Félix 软件.csv"
    dialogs.answers["QFileDialog.getSaveFileName"] = str(path)
    ready.ui.saveProfileButton.click()
    rows = list(csv.reader(path.open(encoding="utf-8")))
    assert rows[0] == ["position_mm", "R", "A", "S", "Reference", "result"]
    assert float(rows[1][4]) - float(rows[1][5]) == pytest.approx(10, abs=0.5)
