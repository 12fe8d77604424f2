"""The scene comes and goes: saved and opened again, closed, nodes deleted, the panel closed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def test_a_saved_scene_brings_the_comparison_back(
    ready: Any, line: Any, scene: Any, tmp_path: Path, settle: Callable[[], None]
) -> None:
    import slicer

    ready.ui.lineSelector.setCurrentNode(line)
    ready.ui.cellsSpinBox.setValue(12)
    ready.ui.resultsList.item(0).setText("A+ ×2; <mine>")
    ready.ui.rowsComboBox.currentIndex = ready.ui.rowsComboBox.findData("Coronal")
    ready.panel.parameters.records = '[{"case": "1; ü"}]'
    settle()
    path = tmp_path / "scene.mrml"
    for node in scene.GetNodesByClass("vtkMRMLStorableNode"):
        if node.GetSaveWithScene():
            slicer.util.saveNode(node, str(tmp_path / f"{node.GetID()}{suffix(node)}"))
    assert slicer.util.saveScene(str(path))
    scene.Clear(True)
    settle()
    assert ready.logic.columns(ready.panel.parameters) == [] and not ready.logic.shown()
    slicer.util.loadScene(str(path))
    settle()
    parameters, ui = ready.panel.parameters, ready.ui
    assert [each.title for each in ready.logic.columns(parameters)] == ["Reference", "A+ ×2; <mine>"]
    assert ui.cellsSpinBox.value == 12 and ui.rowsComboBox.currentData == "Coronal"
    assert parameters.line.GetName() == "Profile" and parameters.records == '[{"case": "1; ü"}]'
    assert ready.logic.shown()
    assert not [n for n in scene.GetNodesByClass("vtkMRMLScalarVolumeNode") if "difference" in n.GetName()]


def suffix(node: Any) -> str:
    return {"vtkMRMLScalarVolumeNode": ".nrrd", "vtkMRMLLinearTransformNode": ".h5"}.get(
        node.GetClassName(), ".mrk.json"
    )


def test_a_closed_scene_leaves_nothing_behind(ready: Any, scene: Any, settle: Callable[[], None]) -> None:
    import slicer

    scene.Clear(False)
    settle()
    assert slicer.app.layoutManager().layout == 3
    assert ready.ui.resultsList.count == 0 and ready.ui.compareButton.enabled is False
    assert ready.panel.parameters.shown is False and ready.panel.parameters.mode == "side"


def test_a_scene_closed_while_another_module_is_shown(ready: Any, scene: Any, settle: Callable[[], None]) -> None:
    import slicer

    ready.panel.parameters.cells = 20
    slicer.util.selectModule("Volumes")
    scene.Clear(False)
    slicer.util.selectModule("MedSRCompare")
    settle()
    assert ready.panel.parameters.cells == 8 and ready.ui.cellsSpinBox.value == 8


@pytest.mark.parametrize("which", ["reference", "result", "both"])
def test_deleting_what_is_shown(
    ready: Any, pair: tuple[Any, Any], scene: Any, settle: Callable[[], None], which: str
) -> None:
    for node, name in zip(pair, ("reference", "result"), strict=True):
        if which in (name, "both"):
            scene.RemoveNode(node)
    settle()
    titles = [each.title for each in ready.logic.columns(ready.panel.parameters)]
    assert titles == {"reference": ["result"], "result": ["Reference"], "both": []}[which]
    assert ready.logic.differenceNode(ready.panel.parameters, pair[1]) is None
    for mode in ("flicker", "fade", "wipe", "checker"):
        assert ready.logic.whyNotMode(ready.panel.parameters, mode)


def test_cleanup_leaves_no_timer_observer_or_node(
    ready: Any, line: Any, scene: Any, settle: Callable[[], None]
) -> None:
    from MedSRScene import derived

    ready.ui.lineSelector.setCurrentNode(line)
    settle()
    panel, crosshair = ready.panel, scene.GetSingletonNode("default", "vtkMRMLCrosshairNode")
    event = type(crosshair).CursorPositionModifiedEvent
    assert crosshair.HasObserver(event) and line.HasObserver(line.PointModifiedEvent)
    before = panel.windows._tags
    ready.cleanup()
    assert before and panel.windows._tags == [] and panel.parameters is None
    assert not line.HasObserver(line.PointModifiedEvent) and panel.view._crosshairTag is None
    timers = [panel.timer, panel.view._flicker, panel.view._readout, panel.volumes._order, panel.runs._timer]
    assert not any(timer.isActive() for timer in timers)
    assert derived.nodes(scene) == []


def test_a_script_needs_no_panel(scene: Any, pair: tuple[Any, Any]) -> None:
    import MedSRCompare

    logic = MedSRCompare.MedSRCompareLogic()
    parameters = logic.getParameterNode()
    assert logic.getParameterNode() is parameters
    logic.setVolumes(parameters, pair[0], [pair[1]], ["darker"])
    logic.show(parameters)
    assert logic.shown() and [each.title for each in logic.columns(parameters)] == ["Reference", "darker"]
    logic.clear()
    assert not logic.shown()
