"""The application around a module: dialogs, settings, messages, sample data, files, modules and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest


def test_dialogs_answer_what_the_test_has_set(scene: Any) -> None:
    import dialogs
    import qt
    import slicer

    assert qt.QFileDialog.getOpenFileName(None, "Open", "", "*.nrrd") == ""
    dialogs.answers["QFileDialog.getOpenFileName"] = "/a.nrrd"
    assert qt.QFileDialog.getOpenFileName(None, "Open", "", "*.nrrd") == "/a.nrrd"
    assert slicer.util.confirmOkCancelDisplay("Sure?") is True
    dialogs.answers["confirmOkCancelDisplay"] = False
    assert slicer.util.confirmOkCancelDisplay("Sure?") is False
    slicer.util.warningDisplay("Careful")
    assert dialogs.messages == ["Sure?", "Sure?", "Careful"]
    with pytest.raises(AssertionError, match="blocks a test"):
        qt.QMessageBox.question(None, "a", "b")
    with pytest.raises(ValueError, match="odd"), slicer.util.tryWithErrorDisplay("It failed."):
        raise ValueError("odd")
    assert dialogs.messages[-1] == "It failed.\n\nodd"


def test_settings_last_as_long_as_the_process(scene: Any) -> None:
    import slicer
    import slicer_stand_in

    slicer.app.userSettings().setValue("MedSR/a", 3)
    assert slicer.util.settingsValue("MedSR/a", 0, int) == 3
    slicer_stand_in.reset()
    assert slicer.util.settingsValue("MedSR/a", 0, int) == 0


def test_sample_data(scene: Any, tmp_path: Path) -> None:
    import SampleData
    import slicer

    node = slicer.util.addVolumeFromArray(np.arange(24, dtype=np.int16).reshape(2, 3, 4), name="a")
    path = tmp_path / "Félix 软件.nrrd"
    assert slicer.util.saveNode(node, str(path))
    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="MedSR", sampleName="Demo", uris=[path.as_uri()], fileNames=["a.nrrd"], nodeNames=["demo"]
    )
    loaded = SampleData.SampleDataLogic().downloadSample("Demo")
    assert loaded.GetName() == "demo" and np.array_equal(
        slicer.util.arrayFromVolume(loaded), slicer.util.arrayFromVolume(node)
    )


def test_a_scene_is_saved_and_comes_back(scene: Any, tmp_path: Path) -> None:
    import slicer

    slicer.util.addVolumeFromArray(np.ones((2, 3, 4), np.float32), name="kept")
    assert slicer.util.saveScene(str(tmp_path / "a.mrml"))
    scene.Clear(True)
    assert slicer.util.loadScene(str(tmp_path / "a.mrml"))
    assert slicer.util.getNode("kept").GetImageData().GetDimensions() == (4, 3, 2)


def test_modules_come_and_go(open_panel: Any) -> None:
    import slicer

    widget = open_panel("MedSR")
    representation = slicer.modules.medsr.widgetRepresentation()
    assert representation.self() is widget and representation.isEntered is True
    slicer.util.selectModule("Volumes")
    assert representation.isEntered is False and slicer.util.selectedModule() == "Volumes"
    assert slicer.util.getModuleWidget("MedSR") is widget
    for name in ("volumes", "colors", "plots", "markups", "segmentations"):
        assert getattr(slicer.modules, name).logic().GetMRMLScene() is slicer.mrmlScene


def test_a_picture_of_panel_and_views(open_panel: Any) -> None:
    import pictures
    import slicer

    open_panel("MedSR")
    node = slicer.util.addVolumeFromArray(np.full((9, 9, 9), 80, np.float32))
    node.GetDisplayNode().AutoWindowLevelOff()
    node.GetDisplayNode().SetWindowLevelMinMax(0, 160)
    slicer.util.setSliceViewerLayers(background=node, fit=True)
    panel = slicer.modules.medsr.widgetRepresentation()
    image = pictures.window(panel, slicer.app.layoutManager(), (1000, 600))
    colours = {image.pixelColor(x, y).name() for x in range(500, 1000, 9) for y in range(60, 600, 9)}
    assert (image.width(), image.height()) == (1000, 600)
    assert any(name in colours for name in ("#7f7f7f", "#808080")), colours
    assert pictures.panel_only(panel, 430).height() > 300


def test_a_chart_is_drawn_with_its_gaps(scene: Any) -> None:
    import slicer
    from plot_painting import paint_plot, series_of, ticks
    from PySide6.QtCore import QRect
    from PySide6.QtGui import QImage, QPainter

    table = scene.AddNewNodeByClass("vtkMRMLTableNode")
    x = np.linspace(0, 10, 50)
    slicer.util.updateTableFromArray(table, [x, np.where(x > 5, np.nan, x)], ["x", "y"])
    series = scene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", "a")
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetXColumnName("x")
    series.SetYColumnName("y")
    series.SetPlotType(series.PlotTypeScatter)
    series.SetMarkerStyle(series.MarkerStyleNone)
    series.SetColor(1, 0, 0)
    chart = scene.AddNewNodeByClass("vtkMRMLPlotChartNode")
    chart.AddAndObservePlotSeriesNodeID(series.GetID())
    chart.SetLegendVisibility(False)
    chart.SetXAxisRangeAuto(False)
    chart.SetXAxisRange(0, 10)
    view = scene.AddNewNodeByClass("vtkMRMLPlotViewNode")
    view.SetPlotChartNodeID(chart.GetID())
    image = QImage(400, 300, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    paint_plot(view, painter, QRect(0, 0, 400, 300))
    painter.end()

    def reddish(x: int) -> bool:
        colours = (image.pixelColor(x, y) for y in range(300))
        return any(c.red() > 200 and c.green() < 120 for c in colours)

    assert len(series_of(chart)) == 1
    assert reddish(150) and not reddish(330)
    assert ticks(0, 10, 5) == [0, 2, 4, 6, 8, 10]
