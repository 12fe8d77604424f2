"""A blind reading: no name is seen anywhere, and the key comes out with the exported scores only."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

NAMES = ["bicubic", "network one", "network two"]


@pytest.fixture
def reading(compare: Any, settle: Callable[[], None]) -> Any:
    """Three volumes, compared, in a blind reading with seed 3."""
    import numpy as np
    import slicer

    array = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    nodes = [slicer.util.addVolumeFromArray(array + index, name=name) for index, name in enumerate(NAMES)]
    compare.logic.needsRun = lambda parameters: False
    compare.logic.setVolumes(compare.panel.parameters, None, nodes)
    settle()
    compare.ui.compareButton.click()
    compare.ui.seedSpinBox.setValue(3)
    settle()
    compare.ui.blindButton.click()
    settle()
    return compare


def all_texts(compare: Any) -> str:
    """Whatever the panel and the views say."""
    import slicer
    from PySide6 import QtWidgets

    root = compare.ui.volumesCollapsible._object.window()
    said = [w.text() for w in root.findChildren(QtWidgets.QWidget) if hasattr(w, "text") and callable(w.text)]
    for table in (compare.ui.scoresTable, compare.ui.measuresTable):
        heads = [table.verticalHeaderItem(row) for row in range(table.rowCount)]
        heads += [table.horizontalHeaderItem(column) for column in range(table.columnCount)]
        said += [head.text() for head in heads if head is not None]
    widget = compare.ui.resultsList
    said += [widget.item(row).text() + widget.item(row).toolTip() for row in range(widget.count)]
    for combo in (compare.ui.firstComboBox, compare.ui.secondComboBox):
        said += [combo.itemText(index) for index in range(combo.count)]
    manager = slicer.app.layoutManager()
    for name in manager.sliceViewNames():
        if name.startswith("MedSR"):
            widget = manager.sliceWidget(name)
            node = slicer.mrmlScene.GetNodeByID(widget.mrmlSliceCompositeNode().GetBackgroundVolumeID() or "")
            said += [widget.mrmlSliceNode().GetLayoutLabel(), "" if node is None else node.GetName()]
            said += [widget.sliceView().cornerAnnotation().GetText(corner) or "" for corner in range(4)]
    return "\n".join(said)


def test_no_name_is_seen(reading: Any) -> None:
    said = all_texts(reading)
    assert not [name for name in NAMES if name in said]
    assert [each.title for each in reading.logic.columns(reading.panel.parameters)] == ["A", "B", "C"]
    assert reading.ui.referenceSelector.enabled is False
    reading.ui.blindButton.click()
    reading.panel.refresh()
    assert all(name in all_texts(reading) for name in NAMES)


def test_the_stand_ins_share_the_voxels_and_go_again(reading: Any, scene: Any) -> None:
    columns = reading.logic.columns(reading.panel.parameters)
    assert all(each.node.GetImageData() is each.source.GetImageData() for each in columns)
    assert all(each.node.GetSaveWithScene() == 0 for each in columns)
    count = scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")
    reading.ui.blindButton.click()
    assert scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == count - 3


def test_the_same_seed_gives_the_same_letters(reading: Any, settle: Callable[[], None]) -> None:
    def order() -> list[str]:
        return [each.source.GetName() for each in reading.logic.columns(reading.panel.parameters)]

    first, orders = order(), set()
    for seed in (3, 4, 5, 6):
        reading.logic.endReading(reading.panel.parameters)
        reading.panel.parameters.seed = seed
        reading.logic.startReading(reading.panel.parameters)
        orders.add(tuple(order()))
        assert seed != 3 or order() == first
    assert len(orders) > 1


def test_scores_and_the_key(reading: Any, tmp_path: Path, settle: Callable[[], None]) -> None:
    import dialogs

    ui = reading.ui
    assert ui.recordButton.enabled is False and "Name the case" in ui.recordButton.toolTip
    ui.caseEdit.text = "case 1"
    ui.criteriaEdit.text = "sharpness, noise"
    settle()
    key = {each.title: each.source.GetName() for each in reading.logic.columns(reading.panel.parameters)}
    ui.scoresTable.cellWidget(0, 0).currentIndex = 5
    ui.scoresTable.cellWidget(2, 1).currentIndex = 1
    ui.commentEdit.text = "clear, but noisy"
    ui.recordButton.click()
    settle()
    assert "2 scores of 1 cases" in ui.recordedLabel.text
    path = tmp_path / "scores.csv"
    dialogs.answers["QFileDialog.getSaveFileName"] = str(path)
    ui.saveScoresButton.click()
    rows = list(csv.DictReader(path.open(encoding="utf-8")))
    assert [(row["letter"], row["volume"], row["criterion"], row["score"]) for row in rows] == [
        ("A", key["A"], "sharpness", "5"),
        ("C", key["C"], "noise", "1"),
    ]
    assert {row["comment"] for row in rows} == {"clear, but noisy"} and {row["seed"] for row in rows} == {"3"}


def test_scores_given_again_replace_the_first(reading: Any) -> None:
    parameters = reading.panel.parameters
    parameters.caseName = "one"
    reading.logic.record(parameters, {"A": {"noise": 2}})
    reading.logic.record(parameters, {"A": {"noise": 4}, "B": {"noise": 3}})
    assert [(row["letter"], row["score"]) for row in json.loads(parameters.records)] == [("A", 4), ("B", 3)]
    with pytest.raises(ValueError, match="score"):
        reading.logic.record(parameters, {"A": {"noise": 6}})


def test_no_report_and_no_differences_while_blind(reading: Any) -> None:
    assert reading.ui.reportButton.enabled is False
    assert reading.ui.differenceCheckBox.enabled is False


def test_one_volume_is_no_reading(chosen: Any) -> None:
    assert chosen.ui.blindButton.enabled is False and "two volumes" in chosen.ui.blindButton.toolTip
