"""One session as a user has it, through the panels of MedSR and MedSR Compare, with the real jobs."""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

if absent := [name for name in ("torch", "SimpleITK", "nilearn") if importlib.util.find_spec(name) is None]:
    pytest.skip(f"needs {', '.join(absent)}", allow_module_level=True)

MACHINE = {
    "devices": [{"name": "cpu", "title": "Processor", "free_gb": 8.0, "works": True, "reason": ""}],
    "best": "cpu",
    "speed": {"cpu": {"flops": 1e11, "voxels": 1e7}},
}
THICK = 4
SIZE = (40, 40, 12)
CORNER = (50, 80, 70)
"""Where the crop lies in the brain: grey and white matter and a ventricle."""


@pytest.fixture
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which runs make theirs."""
    folder = tmp_path / "temp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def medsr(scene: Any, open_panel: Callable[[str], Any]) -> Iterator[Any]:
    """The widget of MedSR, in an application that has MedSR Compare too, though it was not opened yet."""
    import slicer
    import slicer_modules
    from MedSRPanel.quality_section import QualitySection

    QualitySection.asked = True
    slicer.app.userSettings().setValue("MedSR/Machine", json.dumps(MACHINE))
    slicer_modules.load("MedSRCompare")
    yield open_panel("MedSR")
    slicer_modules.close("MedSRCompare")


@pytest.fixture
def brain(medsr: Any) -> tuple[Any, Any]:
    """A piece of brain with slices of 4 mm in an oblique pose, and the same piece with slices of 1 mm."""
    import SimpleITK as sitk

    from MedSRLib.acquisition.degrading import degrade
    from MedSRLib.demo import reference
    from MedSRLib.progress import Progress

    size = (*SIZE[:2], SIZE[2] * THICK)
    piece = reference(Progress())[tuple(slice(low, low + n) for low, n in zip(CORNER, size, strict=True))]
    coarse = degrade(piece, (1, 1, THICK), kind="physical", noise=0.0, seed=0, progress=Progress())
    turn = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, 0.6, -0.8], [0, 0.8, 0.6]])
    corner = np.array([5.0, -20.0, 30.0])
    sharp = _node("Scan of 1 mm", sitk.GetArrayFromImage(piece), turn, corner)
    middle = corner + turn @ (0, 0, (THICK - 1) / 2)
    return _node("T1w thick", sitk.GetArrayFromImage(coarse), turn * (1, 1, THICK), middle), sharp


def test_a_session(
    medsr: Any, brain: tuple[Any, Any], scene: Any, temp: Path, tmp_path: Path, wait: Callable[..., None]
) -> None:
    import slicer

    thick, sharp = brain
    ui = medsr.ui
    ui.inputSelector.setCurrentNode(thick)
    assert ui.isotropicRadio.checked and ui.applyButton.enabled is True, ui.applyButton.toolTip
    assert "40 × 40 × 48" in ui.resultInfoLabel.text, ui.resultInfoLabel.text

    _cancel_arssr(medsr, temp, wait)
    before = set(_volumes())
    _run(medsr, "bspline", wait)
    result = _run(medsr, "back-projection", wait)
    assert len(set(_volumes()) - before) == 2 and not list(temp.iterdir())
    _same_field_of_view(thick, result, (40, 40, 48))

    ui.compareButton.click()
    assert slicer.util.selectedModule() == "MedSRCompare"
    compare = slicer.modules.MedSRCompareWidget
    assert [shown.source.GetID() for shown in compare.logic.columns(compare.panel.parameters)] == [
        thick.GetID(),
        result.GetID(),
    ]
    _compared(compare, wait)
    _measure(compare, sharp, scene, wait)
    _export(compare, tmp_path, wait)
    _save_and_load(medsr, compare, scene, tmp_path, wait)
    assert not list(temp.iterdir())


def _cancel_arssr(medsr: Any, temp: Path, wait: Callable[..., None]) -> None:
    """Apply, and Apply again when the job has told something: no process, no file and no node stays."""
    ui = medsr.ui
    _choose(ui.methodComboBox, "arssr")
    nodes = _volumes()
    ui.applyButton.click()
    run, said = medsr.panel.apply.run, [ui.statusLabel.text]
    assert ui.applyButton.text == "Cancel" and list(temp.glob("MedSR-*"))
    wait(lambda: ui.statusLabel.text not in said or ui.progressBar.value > 0, 60)
    assert run.state == "running", run.errorMessage
    group, begin = run._process._process.pid, time.monotonic()
    ui.applyButton.click()
    assert ui.applyButton.enabled is False
    wait(lambda: not medsr.panel.busy() and not _lives(group), 10)
    took = time.monotonic() - begin
    assert run.state == "cancelled" and ui.statusLabel.text.startswith("Cancelled")
    assert not list(temp.iterdir()) and _volumes() == nodes
    assert took < 3, f"Cancel took {took:.1f} s"


def _run(medsr: Any, method: str, wait: Callable[..., None]) -> Any:
    """Apply with a method; the result's node."""
    import slicer

    ui, told = medsr.ui, set()
    _choose(ui.methodComboBox, method)
    assert medsr.panel.parameters.method == method
    ui.applyButton.click()
    run = medsr.panel.apply.run

    def ended() -> bool:
        told.add((ui.statusLabel.text, ui.progressBar.value))
        return not medsr.panel.busy()

    wait(ended, 60)
    assert run.state == "done", run.errorMessage
    assert len(told) > 2, told
    assert ui.applyButton.text == "Apply" and ui.applyButton.enabled is True
    return slicer.mrmlScene.GetNodeByID(run.resultNodeID)


def _same_field_of_view(before: Any, after: Any, size: tuple[int, ...]) -> None:
    """The outer edges of the voxels of both lie at the same places of the patient."""
    assert after.GetImageData().GetDimensions() == size
    corners = []
    for node in (before, after):
        matrix = _ijk_to_ras(node)
        whole = np.array(node.GetImageData().GetDimensions())
        corners.append([(matrix @ [*(np.array(c) * whole - 0.5), 1])[:3] for c in np.ndindex(2, 2, 2)])
    np.testing.assert_allclose(corners[1], corners[0], rtol=0, atol=1e-6)


def _measure(compare: Any, sharp: Any, scene: Any, wait: Callable[..., None]) -> None:
    """Reference, Compare, a line: numbers in the table and curves in the plot."""
    ui = compare.ui
    ui.referenceSelector.setCurrentNode(sharp)
    wait(lambda: not compare.panel.timer.isActive(), 10)
    assert ui.compareButton.enabled is True
    ui.compareButton.click()
    _compared(compare, wait)
    table = ui.measuresTable
    assert (table.columnCount, table.rowCount > 2) == (2, True)
    shown, rows = compare.logic.measures(compare.panel.parameters)
    psnr = next(row.values for row in rows if row.metric == "psnr")
    assert psnr[0] < psnr[1], "back-projection is nearer to the reference than what it was made from"
    assert psnr[1] == pytest.approx(_psnr(sharp, shown[1].source), abs=0.01)
    assert table.item(0, 0).text() and table.horizontalHeaderItem(1).text() == shown[1].title

    line = scene.AddNewNodeByClass("vtkMRMLMarkupsLineNode", "Across")
    matrix = _ijk_to_ras(sharp)
    for index in ((4, 20, 24), (35, 20, 24)):
        line.AddControlPointWorld(*(matrix @ [*index, 1.0])[:3])
    ui.lineSelector.setCurrentNode(line)
    _choose(ui.chartComboBox, "profile")
    wait(lambda: _curves(scene) == 3, 10)
    wait(lambda: ui.saveProfileButton.enabled and ui.edgeWidthLabel.text, 10)


def _export(compare: Any, folder: Path, wait: Callable[..., None]) -> None:
    """Measures, profile and report in files."""
    import dialogs
    import slicer
    from PySide6 import QtWidgets

    ui = compare.ui
    for button, name, least in ((ui.saveMeasuresButton, "measures", 4), (ui.saveProfileButton, "profile", 25)):
        dialogs.answers["QFileDialog.getSaveFileName"] = str(folder / name)
        button.click()
        lines = list(csv.reader((folder / f"{name}.csv").open(encoding="utf-8")))
        assert len(lines) > least and len({len(line) for line in lines}) == 1, lines[:3]
        assert np.isfinite(float(lines[1][-1]))
    if importlib.util.find_spec("matplotlib") is None or importlib.util.find_spec("jinja2") is None:
        return
    (folder / "report").mkdir()
    dialogs.answers["QFileDialog.getExistingDirectory"] = str(folder / "report")
    assert ui.reportButton.enabled is True, ui.reportButton.toolTip
    ui.reportButton.click()
    _compared(compare, wait)
    page = (folder / "report" / "report.html").read_text(encoding="utf-8")
    assert "PSNR" in page and "back-projection" in page.lower()
    assert (folder / "report" / "metrics.csv").is_file() and slicer.util.selectedModule() == "MedSRCompare"
    assert any(url.endswith("report.html") for url in QtWidgets.QApplication.instance().openedUrls)


def _save_and_load(medsr: Any, compare: Any, scene: Any, folder: Path, wait: Callable[..., None]) -> None:
    """What both panels show is in the file of the scene."""
    import slicer

    path = str(folder / "scene" / "session.mrml")
    Path(path).parent.mkdir()
    slicer.util.saveNode(compare.panel.parameters.line, str(folder / "scene" / "line.mrk.json"))
    shown = _shown(compare)
    assert shown["reference"] == "Scan of 1 mm" and len(shown["columns"]) == 3
    assert slicer.util.saveScene(path)
    scene.Clear(False)
    slicer.app.processEvents()
    assert compare.panel.parameters.reference is None and compare.ui.resultsList.count == 0
    assert slicer.util.loadScene(path)
    slicer.app.processEvents()
    wait(lambda: not compare.panel.timer.isActive(), 10)
    assert _shown(compare) == shown
    assert compare.ui.referenceSelector.currentNode().GetName() == "Scan of 1 mm"
    assert compare.panel.parameters.line.GetNumberOfControlPoints() == 2
    slicer.util.selectModule("MedSR")
    back = medsr.panel.parameters
    assert (back.inputVolume.GetName(), back.goal, back.method) == ("T1w thick", "isotropic", "back-projection")
    assert medsr.ui.methodComboBox.currentData == "back-projection"
    assert medsr.ui.inputSelector.currentNode().GetName() == "T1w thick" and medsr.ui.applyButton.enabled is True


def _compared(compare: Any, wait: Callable[..., None]) -> None:
    """Wait for a computation of MedSR Compare that is under way."""
    assert compare.panel.runs.running, compare.ui.statusLabel.text
    run = compare.panel.runs.run
    wait(lambda: not compare.panel.runs.running and not compare.panel.timer.isActive(), 60)
    assert run.state == "done", run.errorMessage


def _shown(compare: Any) -> dict[str, Any]:
    parameters = compare.panel.parameters
    return {
        "reference": parameters.reference.GetName(),
        "line": parameters.line.GetName(),
        "chart": parameters.chart,
        "columns": [(each.title, each.source.GetName()) for each in compare.logic.columns(parameters)],
    }


def _curves(scene: Any) -> int:
    """How many curves the plot has, each with points."""
    view = scene.GetSingletonNode("MedSRPlot", "vtkMRMLPlotViewNode")
    chart = None if view is None else scene.GetNodeByID(view.GetPlotChartNodeID() or "")
    if chart is None:
        return 0
    series = [chart.GetNthPlotSeriesNode(index) for index in range(chart.GetNumberOfPlotSeriesNodes())]
    return sum(each.GetTableNode().GetTable().GetNumberOfRows() > 10 for each in series)


def _node(name: str, array: np.ndarray, axes: np.ndarray, origin: np.ndarray) -> Any:
    import slicer

    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = axes, origin
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(matrix))
    slicer.util.updateVolumeFromArray(node, array.astype(np.float32))
    node.CreateDefaultDisplayNodes()
    return node


def _ijk_to_ras(node: Any) -> np.ndarray:
    import slicer
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def _psnr(reference: Any, other: Any) -> float:
    """In dB, of two volumes on the same grid, to the range of the reference."""
    import slicer

    x, y = (slicer.util.arrayFromVolume(node).astype(float) for node in (reference, other))
    return float(10 * np.log10(np.ptp(x) ** 2 / np.mean((x - y) ** 2)))


def _volumes() -> list[str]:
    """IDs of the volumes of the scene."""
    import slicer

    return [node.GetID() for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")]


def _choose(combo: Any, value: str) -> None:
    combo.currentIndex = combo.findData(value)
    assert combo.currentData == value


def _lives(group: int) -> bool:
    """Whether a process of this group runs."""
    if os.name == "nt":
        return False
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
