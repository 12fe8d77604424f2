"""MedSR Train from data to model: choose, check, start, stop, go on, use."""

from __future__ import annotations

import ast
import json
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MODULE = Path(__file__).resolve().parents[4] / "MedSR" / "MedSRTrain"
STEPS = 200
IN_EVERY_SLICER = {"qt", "ctk", "vtk", "slicer", "numpy", "MedSRTrainPanel"}


def shown(widget: Any) -> bool:
    return bool(widget.isVisibleTo(widget.parent()))


def test_from_volumes_to_a_model_in_medsr(ready: Any, wait: Callable, library: Path, tmp_path: Path) -> None:
    """A true training: started, stopped, gone on with, done, and chosen in MedSR."""
    ui, panel = ready.ui, ready.panel.underWay
    assert ui.startButton.enabled is True, ui.startButton.toolTip
    ui.startButton.click()
    assert ui.startButton.enabled is False and "running" in ui.startButton.toolTip
    assert ui.stopButton.enabled is True and ui.makeCollapsible.enabled is False and shown(ui.progressBar)
    wait(lambda: panel.run is None or len(panel.run.figures) > 0)
    ui.stopButton.click()
    assert "Saving" in ui.statusLabel.text and ui.stopButton.text == "Stop now"
    wait(lambda: panel.run is None)
    assert ui.statusLabel.text.startswith("Stopped after"), ui.logText.plainText
    assert ui.startButton.enabled is False and "Resume" in ui.startButton.toolTip
    measured = points(chart_of(panel, "loss"), 0)
    assert 0 < measured < STEPS and not (library / "ours.safetensors").exists()
    ui.resumeButton.click()
    assert points(chart_of(panel, "loss"), 0) == measured, "the curve goes on where it stood"
    wait(lambda: panel.run is None)
    assert ui.statusLabel.text.startswith("Done in"), ui.logText.plainText
    check_what_is_shown(ui, panel)
    assert (library / "ours.safetensors").is_file()
    check_use_in_medsr(ui)


def check_what_is_shown(ui: Any, panel: Any) -> None:
    assert "Validation" in ui.logText.plainText and "cubic interpolation" in ui.curvesLabel.text
    loss, validation = (chart_of(panel, name) for name in ("loss", "validation"))
    assert points(loss, 0) == STEPS and points(loss, 1) == STEPS
    assert points(validation, 0) == 4 and points(validation, 1) == 4, "the model, and the cubic line"
    assert shown(ui.previewLabel) and ui.previewLabel.pixmap.width() == 420
    assert shown(ui.cardCollapsible) and "ours" in ui.cardLabel.text and "T1w" in ui.cardLabel.text
    assert ui.startButton.enabled is False and "has a model 'ours' already" in ui.startButton.toolTip
    assert "finished" in ui.resumeButton.toolTip


def check_use_in_medsr(ui: Any) -> None:
    import slicer

    ui.useButton.click()
    assert slicer.util.selectedModule() == "MedSR"
    chosen = slicer.util.getModuleWidget("MedSR").logic.getParameterNode()
    assert (chosen.method, chosen.model) == ("arssr", "ours")


def chart_of(panel: Any, name: str) -> Any:
    node = panel._shown._curves._nodes[name]
    return node.GetScene().GetNodeByID(node.GetPlotChartNodeID())


def points(chart: Any, series: int) -> int:
    return int(chart.GetNthPlotSeriesNode(series).GetTableNode().GetTable().GetNumberOfRows())


def test_a_stopped_run_is_found_again_in_another_session(ready: Any, tmp_path: Path) -> None:
    import slicer

    stopped_run(tmp_path / "run")
    ui = ready.ui
    slicer.mrmlScene.Clear(True)
    assert ui.resumeButton.enabled is False, "another scene, another folder"
    ui.folderPathEdit.currentPath = str(tmp_path / "run")
    assert ui.resumeButton.enabled is True and ui.startButton.enabled is False
    assert points(chart_of(ready.panel.underWay, "loss"), 0) == 2, "the curve of the earlier session"
    assert "1.00 dB better than cubic" in ui.curvesLabel.text
    (tmp_path / "run" / "data.json").unlink()
    ui.resumeButton.click()
    assert "does not say which volumes" in ui.statusLabel.text


def stopped_run(folder: Path) -> None:
    folder.mkdir()
    (folder / "last.ckpt").write_bytes(b"checkpoint")
    (folder / "recipe.json").write_text("{}", encoding="utf-8")
    (folder / "data.json").write_text(json.dumps({"manifest": "somewhere"}), encoding="utf-8")
    lines = "step,name,value,cubic\n2,loss,0.75,\n4,loss,0.5,\n4,validation_psnr,31.0,30.0\n"
    (folder / "history.csv").write_text(lines, encoding="utf-8")


def test_a_model_outside_the_library_cannot_be_used_yet(ready: Any, tmp_path: Path) -> None:
    import shutil

    ui, shipped = ready.ui, MODULE.parents[1] / "Resources" / "Models"
    stopped_run(tmp_path / "run")
    for suffix in (".json", ".safetensors"):
        shutil.copy(shipped / f"arssr-t1w-brain{suffix}", tmp_path / "run" / f"foreign{suffix}")
    card = (tmp_path / "run" / "foreign.json").read_text(encoding="utf-8")
    renamed = card.replace('"name": "arssr-t1w-brain"', '"name": "foreign"')
    (tmp_path / "run" / "foreign.json").write_text(renamed, encoding="utf-8")
    ui.folderPathEdit.currentPath = str(tmp_path)
    ui.folderPathEdit.currentPath = str(tmp_path / "run")
    assert shown(ui.cardCollapsible) and "foreign" in ui.cardLabel.text
    assert ui.useButton.enabled is False and "Import it" in ui.useButton.toolTip
    (tmp_path / "run" / "foreign.json").write_text("{}", encoding="utf-8")
    ready.panel._runs.showModel(tmp_path / "run")
    assert not shown(ui.cardCollapsible) and "not valid" in ui.logText.plainText


CHECKED = {
    "event": "result",
    "task": "check-training",
    "subjects": 24,
    "validation_subjects": 4,
    "modalities": ["T1w"],
    "spacing_mm": [0.5, 1.0],
    "hours": 0.5,
    "steps": 2000,
    "patches_per_step": 4,
    "parameters": 301863,
    "problems": ["2 volumes are <small>"],
}


def test_a_check_tells_what_a_training_would_be_like(ready: Any, fake: Callable, wait: Callable) -> None:
    ui, panel = ready.ui, ready.panel.underWay
    assert ui.dataInfoLabel.text == "3 subjects · 3 volumes · T1w"
    fake({"event": CHECKED})
    ui.checkButton.click()
    assert ui.checkButton.enabled is False and "looked at" in ui.checkButton.toolTip
    wait(lambda: panel.check is None)
    assert ui.dataInfoLabel.text == "24 subjects · T1w · 0.5 to 1 mm · split 20 / 4 by subject", ui.logText.plainText
    assert ui.checkHintLabel.text == "about 30 min 0 s · 8 000 patches in 2 000 steps · 301 863 weights"
    assert ui.problemsLabel.text == "⚠ 2 volumes are &lt;small&gt;"
    ui.validationSpinBox.value = 0
    assert ui.checkHintLabel.text == "Changed since the last check."
    ui.validationSpinBox.value = 1
    assert "8 000 patches" in ui.checkHintLabel.text, "the check still holds"


def test_a_check_can_be_stopped(ready: Any, fake: Callable, wait: Callable) -> None:
    ui, panel = ready.ui, ready.panel.underWay
    fake({"wait": "for ever"})
    ui.checkButton.click()
    ui.stopButton.click()
    wait(lambda: panel.check is None, 5)
    assert ui.statusLabel.text == "The check was stopped." and ui.checkButton.enabled is True


def test_a_second_stop_does_not_wait(ready: Any, fake: Callable, wait: Callable) -> None:
    ui, panel = ready.ui, ready.panel.underWay
    fake({"wait": "for ever", "deaf": True})
    ui.startButton.click()
    wait(lambda: "Waiting" in ui.statusLabel.text)
    ui.stopButton.click()
    assert panel.run is not None and "without waiting" in ui.stopButton.toolTip
    ui.stopButton.click()
    wait(lambda: panel.run is None, 5)
    assert ui.statusLabel.text.endswith("before the first checkpoint.") and ui.resumeButton.enabled is False


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda ui, folder: setattr(ui.dataPathEdit, "currentPath", ""), "Choose a folder of volumes"),
        (lambda ui, folder: setattr(ui.dataPathEdit, "currentPath", "/nowhere"), "There is no file or folder"),
        (lambda ui, folder: ui.nameEdit.setText("Our Model"), "lower-case letters"),
        (lambda ui, folder: ui.nameEdit.setText(""), "Give the new model a name"),
        (lambda ui, folder: ui.nameEdit.setText("arssr-t1w-brain"), "has a model"),
        (lambda ui, folder: setattr(ui.scaleMinSpinBox, "value", 8.0), "scale_max is below scale_min"),
    ],
)
def test_what_prevents_a_start_is_said(ready: Any, tmp_path: Path, change: Callable, said: str) -> None:
    change(ready.ui, tmp_path)
    assert ready.ui.startButton.enabled is False and said in ready.ui.startButton.toolTip
    assert ready.ui.stopButton.toolTip == "Nothing is running."
    assert "no training that was stopped" in ready.ui.resumeButton.toolTip


def test_bad_input_is_told_in_words(ready: Any, fake: Callable, wait: Callable, tmp_path: Path) -> None:
    ui = ready.ui
    table = tmp_path / "table.tsv"
    table.write_text("path\nv0.nii.gz\n", encoding="utf-8")
    ui.dataPathEdit.currentPath = str(table)
    assert "no column subject" in ui.dataInfoLabel.text
    error = {"event": "error", "fault": False, "kind": "InputError", "message": "No volume fits the recipe."}
    fake({"event": error}, {"exit": 2})
    ui.startButton.click()
    wait(lambda: ready.panel.underWay.run is None)
    assert ui.statusLabel.text == "No volume fits the recipe." and ui.logCollapsible.collapsed is False
    assert ui.startButton.enabled is True


def test_a_recipe_brings_its_numbers_and_a_model_its_network(train: Any) -> None:
    ui, parameters = train.ui, train.logic.getParameterNode()
    names = [ui.recipeComboBox.itemData(n) for n in range(ui.recipeComboBox.count)]
    assert names[0] == "arssr-quick" and "arssr-paper" in names
    ui.recipeComboBox.currentIndex = names.index("arssr-quick")
    assert (parameters.steps, parameters.batch, parameters.validationSubjects) == (2000, 4, 1)
    assert "some minutes" in ui.recipeInfoLabel.text
    ui.startFromComboBox.currentIndex = ui.startFromComboBox.findData("arssr-t1w-brain")
    recipe = train.logic.recipe(parameters)
    assert recipe["start_from"] == "arssr-t1w-brain" and recipe["architecture"]["blocks"] == 8
    ui.recipeComboBox.currentIndex = names.index("arssr-paper")
    assert ui.startFromComboBox.currentData == "" and ui.stepsSpinBox.value == 0
    assert train.logic.recipe(parameters)["optimisation"]["epochs"] == 2500
    ui.stepsSpinBox.value = 100
    optimisation = train.logic.recipe(parameters)["optimisation"]
    assert (optimisation["steps"], optimisation["epochs"]) == (100, 0)
    ui.startFromComboBox.currentIndex = ui.startFromComboBox.findData("arssr-t1w-brain")
    with pytest.raises(ValueError, match="cell needs"):
        train.logic.recipe(parameters)


def test_a_recipe_of_ones_own_that_cannot_be_read_is_told(train: Any, volumes: Path, tmp_path: Path) -> None:
    import dialogs

    ui, parameters = train.ui, train.logic.getParameterNode()
    broken = tmp_path / "broken.json"
    broken.write_text("{", encoding="utf-8")
    dialogs.answers["QFileDialog.getOpenFileName"] = str(broken)
    ui.dataPathEdit.currentPath = str(volumes)
    ui.recipeFileButton.click()
    assert ui.recipeComboBox.currentText == "broken.json" and "not valid JSON" in ui.recipeInfoLabel.text
    assert ui.startButton.enabled is False and "not valid JSON" in ui.startButton.toolTip
    parameters.recipe = ""
    assert ui.startButton.toolTip == "Choose a recipe."


def test_the_folder_follows_the_name_until_it_is_chosen(train: Any, tmp_path: Path) -> None:
    ui, parameters = train.ui, train.logic.getParameterNode()
    assert ui.nameEdit.text == "my-arssr"
    ui.nameEdit.setText("knee")
    assert Path(ui.folderPathEdit.currentPath) == tmp_path / "MedSR" / "Training" / "knee"
    assert parameters.folder == ""
    ui.folderPathEdit.currentPath = str(tmp_path / "mine")
    ui.nameEdit.setText("hip")
    assert train.logic.folder(parameters) == tmp_path / "mine"


LOSS = {"event": "metric", "name": "loss", "value": 0.5, "step": 50}
RESULT = {"event": "result", "task": "train", "installed": "ours"}


def test_another_module_and_another_scene_do_not_end_a_training(ready: Any, fake: Callable, wait: Callable) -> None:
    import slicer

    panel = ready.panel.underWay
    fake({"event": LOSS}, {"wait": "cancel"}, {"exit": 4})
    ready.ui.startButton.click()
    slicer.util.selectModule("MedSR")
    slicer.mrmlScene.Clear(True)
    wait(lambda: len(panel.run.figures) > 0)
    slicer.util.selectModule("MedSRTrain")
    assert panel.run.state == "running" and ready.ui.stopButton.enabled is True
    assert points(chart_of(panel, "loss"), 0) == 1
    slicer.util.selectModule("MedSR")
    panel.run.cancel()
    wait(lambda: panel.run is None)
    slicer.util.selectModule("MedSRTrain")
    assert ready.ui.statusLabel.text.startswith("Stopped after")


def test_progress_is_told_with_the_time_left(ready: Any, fake: Callable, wait: Callable) -> None:
    ui = ready.ui
    progress = {"event": "progress", "fraction": 0.25, "eta_s": 1261.0}
    stage = {"event": "stage", "name": "Training"}
    fake({"wait": "cancel"}, *({"event": event} for event in (stage, LOSS, progress)))
    seen: list[str] = []
    ui.startButton.click()
    wait(lambda: "Waiting" in ui.statusLabel.text)
    shown_by = ready.panel.underWay._shown
    for event in (stage, LOSS, progress):
        shown_by.hear(event)
        seen.append(ui.statusLabel.text)
    assert seen == ["Training", "Training", "Training · step 50 · 21 min 1 s left"]
    assert ui.progressBar.value == 250


@pytest.mark.parametrize("leave", ["quit", "reload"])
def test_what_ends_a_training_lets_it_save_its_step(ready: Any, fake: Callable, wait: Callable, leave: str) -> None:
    import slicer

    panel = ready.panel.underWay
    fake({"event": LOSS}, {"wait": "cancel"}, {"exit": 4})
    ready.ui.startButton.click()
    wait(lambda: len(panel.run.figures) > 0)
    run = panel.run
    begun = time.monotonic()
    slicer.app.aboutToQuit.emit() if leave == "quit" else ready.panel.underWay.stopNow()
    assert time.monotonic() - begun < 4
    assert run.state == "cancelled" and panel.run is None


def test_parameters_come_back_with_the_scene(ready: Any, tmp_path: Path) -> None:
    import slicer

    path = str(tmp_path / "scene.mrml")
    assert slicer.util.saveScene(path)
    slicer.mrmlScene.Clear(True)
    assert ready.ui.dataPathEdit.currentPath == ""
    assert slicer.util.loadScene(path)
    assert ready.ui.nameEdit.text == "ours" and ready.ui.modalityComboBox.currentText == "T1w"
    assert ready.ui.recipeComboBox.currentText == "own.json" and ready.ui.scaleMaxSpinBox.value == 3.0


def test_missing_packages_are_offered(train: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from MedSRPanel import packages

    installed: list[Any] = []
    monkeypatch.setattr(packages, "missing", lambda path: [] if installed else ["lightning"])
    monkeypatch.setattr(packages, "install", lambda names, path: installed.append(names))
    train.enter()
    ui = train.ui
    assert shown(ui.setupCollapsible) and "lightning" in ui.setupLabel.text.lower()
    assert "Set up" in ui.startButton.toolTip and ui.startButton.enabled is False
    ui.setupButton.click()
    assert installed == [["lightning"]] and not shown(ui.setupCollapsible)
    assert "Set up" not in ui.startButton.toolTip


def test_showing_the_panel_is_quick(ready: Any) -> None:
    begun = time.perf_counter()
    for number in range(5):
        ready.ui.batchSpinBox.value = 10 + number
    assert (time.perf_counter() - begun) / 5 < 0.1


def test_the_self_test(train: Any) -> None:
    import slicer_stand_in

    sys.modules["MedSRTrain"].MedSRTrainTest().runTest()
    assert slicer_stand_in.messages == ["The test passed."]


def test_nothing_else_is_imported_at_file_scope() -> None:
    """Slicer loads the file at its start, before the packages are installed and MedSR's folder is on the path."""
    for path in [MODULE / "MedSRTrain.py", *(MODULE / "MedSRTrainPanel").glob("*.py")]:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
                roots = {str(name).split(".")[0] for name in names}
                assert roots <= IN_EVERY_SLICER | set(sys.stdlib_module_names), f"{path.name}: {roots}"


def test_every_parameter_of_the_ui_exists(train: Any) -> None:
    root = ET.parse(MODULE / "Resources" / "UI" / "MedSRTrain.ui").getroot()
    named = {p.findtext("string") for p in root.iter("property") if p.get("name") == "SlicerParameterName"}
    fields = sys.modules["MedSRTrain"].MedSRTrainParameterNode._fields
    assert named and named <= set(fields)


def test_every_widget_says_what_it_is_for(train: Any) -> None:
    root = ET.parse(MODULE / "Resources" / "UI" / "MedSRTrain.ui").getroot()
    asking = ("QComboBox", "QSpinBox", "QDoubleSpinBox", "QLineEdit", "ctkPathLineEdit", "QToolButton")
    for widget in root.iter("widget"):
        if widget.get("class") in asking:
            tips = [p for p in widget.findall("property") if p.get("name") == "toolTip"]
            assert tips, widget.get("name")
