"""Batch, models, and what can be done with a result: driven as a user drives them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def seen(part: Any) -> bool:
    return bool(part.isVisibleTo(part.parent()))


@pytest.fixture
def two(scene: Any, volume: Any) -> tuple[Any, Any]:
    import numpy as np
    import slicer

    return volume, slicer.util.addVolumeFromArray(np.ones((5, 6, 7), dtype=np.float32), name="second")


@pytest.fixture
def settled(panel: Any, two: tuple[Any, Any], choose: Callable[..., None]) -> Any:
    panel.ui.inputSelector.setCurrentNode(two[0])
    panel.panel.refresh()
    choose(panel.ui.methodComboBox, "linear")
    panel.ui.scaleRadio.click()
    return panel


def tick(panel: Any, row: int) -> None:
    import qt

    panel.ui.batchList.item(row).setCheckState(qt.Qt.Checked)


def test_a_batch_of_ticked_volumes(settled: Any, wait: Callable[..., None], scene: Any) -> None:
    ui = settled.ui
    assert [ui.batchList.item(row).text() for row in range(ui.batchList.count)] == ["oblique", "second"]
    assert ui.batchButton.enabled is False and "Tick" in ui.batchButton.toolTip
    tick(settled, 0)
    tick(settled, 1)
    assert ui.batchButton.enabled is True
    ui.batchButton.click()
    assert ui.batchButton.text == "Cancel batch" and ui.applyButton.enabled is False
    assert "batch" in ui.applyButton.toolTip
    wait(lambda: not settled.panel.busy())
    assert ui.batchStatusLabel.text == "The batch is done."
    names = {node.GetName() for node in settled.logic.volumes()}
    assert {"oblique – MedSR Linear 0.5 × 0.75 × 1.5 mm", "second – MedSR Linear 0.5 mm"} <= names
    assert ui.batchList.item(0).checkState() and ui.batchButton.text == "Start batch"


def test_a_batch_of_a_folder(settled: Any, wait: Callable[..., None], tmp_path: Path) -> None:
    import dialogs
    import SimpleITK as sitk

    ui = settled.ui
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    sitk.WriteImage(sitk.Image(4, 5, 6, sitk.sitkFloat32) + 1, str(source / "a.nii.gz"))
    ui.batchFolderRadio.click()
    assert seen(ui.batchInEdit) and not seen(ui.batchList) and "folder" in ui.batchButton.toolTip
    for button, path in ((ui.batchInButton, source), (ui.batchOutButton, target)):
        dialogs.answers["QFileDialog.getExistingDirectory"] = str(path)
        button.click()
    assert ui.batchButton.enabled is True
    ui.batchButton.click()
    wait(lambda: not settled.panel.busy())
    assert [path.name for path in target.rglob("*.nii.gz")] == ["a.nii.gz"], ui.batchStatusLabel.text


def test_results_beside_their_volumes_are_refused(settled: Any, tmp_path: Path) -> None:
    ui = settled.ui
    ui.batchFolderRadio.click()
    ui.batchInEdit.currentPath = ui.batchOutEdit.currentPath = str(tmp_path)
    assert ui.batchButton.enabled is False and "of their own" in ui.batchButton.toolTip


def test_the_grid_of_one_volume_is_no_goal_of_a_batch(settled: Any) -> None:
    tick(settled, 0)
    settled.ui.likeRadio.click()
    assert settled.ui.batchButton.enabled is False and "another goal" in settled.ui.batchButton.toolTip


def test_installed_models_are_listed_with_their_cards(panel: Any, volume: Any) -> None:
    import dialogs

    table = panel.ui.modelsTable
    names = sorted(panel.panel.cards)
    assert [table.item(row, 0).text() for row in range(table.rowCount)] == names
    assert panel.ui.modelCardButton.enabled is False and "Select" in panel.ui.modelCardButton.toolTip
    table.setCurrentCell(names.index("arssr-t1w-brain-decimated"), 0)
    panel.ui.modelCardButton.click()
    assert "arssr-t1w-brain-decimated" in dialogs.messages[-1]


def test_a_model_is_imported(panel: Any, wait: Callable[..., None], tmp_path: Path, monkeypatch: Any) -> None:
    import dialogs
    import torch

    from MedSRLib.models import library
    from MedSRLib.models.card import ModelCard

    monkeypatch.setenv("MEDSR_MODELS", str(tmp_path / "mine"))
    card = ModelCard(name="theirs", method="arssr", architecture={}, scale_max=2)
    path = library.save(library.Model(card, {"a": torch.zeros(2)}), tmp_path)
    dialogs.answers["QFileDialog.getOpenFileName"] = str(path)
    panel.ui.importButton.click()
    assert panel.ui.importButton.enabled is False
    wait(lambda: not panel.panel.busy())
    assert "theirs" in panel.panel.cards and "theirs is in the library" in panel.ui.logText.plainText
    panel.ui.importButton.click()
    wait(lambda: not panel.panel.busy())
    assert "has a model 'theirs' already" in dialogs.messages[-1]


def test_what_follows_a_result(settled: Any, wait: Callable[..., None], two: tuple[Any, Any]) -> None:
    import slicer
    import slicer_modules

    slicer_modules.load("MedSRCompare")
    ui = settled.ui
    ui.inputSelector.setCurrentNode(two[1])
    assert not seen(ui.compareButton) and not seen(ui.showConsistencyButton)
    ui.consistencyCheckBox.click()
    ui.applyButton.click()
    wait(lambda: not settled.panel.busy())
    assert ui.statusLabel.text.startswith("Done"), ui.statusLabel.text
    assert seen(ui.compareButton) and seen(ui.showConsistencyButton)
    ui.showConsistencyButton.click()
    composite = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceCompositeNode()
    assert composite.GetBackgroundVolumeID() == two[1].GetID()
    assert "consistency" in slicer.mrmlScene.GetNodeByID(composite.GetForegroundVolumeID()).GetName()
    ui.compareButton.click()
    compared = slicer.modules.MedSRCompareWidget
    shown = [each.node.GetName() for each in compared.logic.results(compared.panel.parameters)]
    assert shown == ["second", "second – MedSR Linear 0.5 mm"]
    wait(lambda: not compared.panel.timer.isActive())
    slicer_modules.close("MedSRCompare")
