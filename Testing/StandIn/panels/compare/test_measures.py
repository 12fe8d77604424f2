"""The table of measures and the charts that are made of them."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest


def test_the_table(ready: Any, pair: tuple[Any, Any], settle: Callable[[], None]) -> None:
    table = ready.ui.measuresTable
    assert table.rowCount == 1 and table.item(0, 0).text() == "18"
    ready.ui.insideComboBox.currentIndex = 1
    settle()
    assert [table.verticalHeaderItem(row).text() for row in range(table.rowCount)] == ["PSNR (dB)", "MAE"]
    assert table.horizontalHeaderItem(0).text() == "result"
    assert table.item(0, 0).text() == "20"


def test_the_best_of_a_row() -> None:
    from MedSRComparePanel import tables

    measured = {"a": {"psnr": {"whole": 30.0}, "mae": {"whole": 2.0}}, "b": {"psnr": {"whole": 31.0}, "mae": {}}}
    psnr, mae = tables.rows({"metrics": measured}, ["a", "b"], "whole")
    assert psnr.best == [1] and mae.best == [] and mae.values == [2.0, None]
    assert tables.row("mae", [2.0, 1.0, 1.0]).best == [1, 2]
    assert tables.row("ssim", [0.2, 0.3]).best == [1]
    same = {"a": {"psnr": {"whole": None}, "mae": {"whole": 0.0}}, "b": measured["b"]}
    psnr = tables.rows({"metrics": same}, ["a", "b"])[0]
    assert psnr.best == [0] and [tables.text(value) for value in psnr.values] == ["∞", "31"]


def test_copied_for_a_spreadsheet(ready: Any) -> None:
    import slicer

    ready.ui.insideComboBox.currentIndex = 1
    ready.ui.copyButton.click()
    assert slicer.app.clipboard().text() == "\tresult\nPSNR (dB)\t20\nMAE\t10"


def test_saved_as_csv(ready: Any, tmp_path: Path) -> None:
    import dialogs

    path = tmp_path / "measures.csv"
    dialogs.answers["QFileDialog.getSaveFileName"] = str(path)
    ready.ui.saveMeasuresButton.click()
    assert list(csv.reader(path.open(encoding="utf-8"))) == [
        ["metric", "inside", "result"],
        ["PSNR (dB)", "whole", "20"],
        ["MAE", "whole", "10"],
        ["PSNR (dB)", "mask", "18"],
    ]


def test_a_file_that_cannot_be_written_is_told(ready: Any, tmp_path: Path) -> None:
    import dialogs

    dialogs.answers["QFileDialog.getSaveFileName"] = str(tmp_path / "no" / "such" / "folder.csv")
    ready.ui.saveMeasuresButton.click()
    assert "No such file" in ready.ui.statusLabel.text


@pytest.mark.parametrize("name", ["slices_mae", "slices_psnr", "histogram", "bland_altman"])
def test_charts(ready: Any, scene: Any, settle: Callable[[], None], name: str) -> None:
    combo = ready.ui.chartComboBox
    combo.currentIndex = combo.findData(name)
    settle()
    assert ready.panel.parameters.chart == name
    view = scene.GetSingletonNode("MedSRPlot", "vtkMRMLPlotViewNode")
    chart = scene.GetNodeByID(view.GetPlotChartNodeID())
    assert chart.GetNthPlotSeriesNode(0).GetName() == "result"
    drawn = ready.logic.chart(ready.panel.parameters)
    if name == "histogram":
        np.testing.assert_allclose(drawn.x, [-8, 0, 8])
    if name == "bland_altman":
        assert "bias -9.5" in ready.ui.chartInfoLabel.text
    if name == "slices_mae":
        assert np.isnan(drawn.columns["result"][1]) and drawn.xTitle == "Position along k (mm)"


def test_a_chart_that_is_not_there_says_why(chosen: Any, settle: Callable[[], None]) -> None:
    chosen.ui.chartComboBox.currentIndex = chosen.ui.chartComboBox.findData("histogram")
    settle()
    assert "press Compare" in chosen.ui.chartInfoLabel.text
    assert "press Compare" in chosen.ui.copyButton.toolTip and chosen.ui.copyButton.enabled is False
    chosen.ui.referenceSelector.setCurrentNode(None)
    settle()
    assert "reference" in chosen.ui.chartInfoLabel.text and "reference" in chosen.ui.differenceCheckBox.toolTip


def test_a_segment_as_mask(ready: Any, scene: Any, settle: Callable[[], None]) -> None:
    segmentation = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "organs")
    segmentation.CreateDefaultDisplayNodes()
    ids = [segmentation.GetSegmentation().AddEmptySegment("", name) for name in ("liver", "spleen")]
    assert ready.ui.segmentComboBox.isHidden()
    ready.ui.maskSelector.setCurrentNode(segmentation)
    settle()
    combo = ready.ui.segmentComboBox
    assert not combo.isHidden()
    assert [combo.itemText(index) for index in range(combo.count)] == ["liver", "spleen"]
    assert ready.panel.parameters.mask.GetID() == segmentation.GetID()
    assert ready.panel.parameters.segment == ids[0]
    combo.currentIndex = 1
    assert ready.panel.parameters.segment == ids[1]
    ready.ui.maskSelector.setCurrentNode(None)
    settle()
    assert ready.panel.parameters.mask is None
