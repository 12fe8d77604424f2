"""The real panel: MedSR.py and MedSR.ui, driven as a user drives them."""

from __future__ import annotations

import ast
import sys
import types
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MODULE = Path(__file__).resolve().parents[4] / "MedSR" / "MedSR"
IN_EVERY_SLICER = {"qt", "ctk", "vtk", "slicer", "MedSRPanel", "MedSRScene"}


def test_without_a_volume_apply_says_why_it_is_off(panel: Any) -> None:
    assert panel.ui.applyButton.enabled is False
    assert panel.ui.applyButton.toolTip == "Select an input volume."


def test_choosing_a_volume_shows_what_will_come_of_it(panel: Any, volume: Any) -> None:
    panel.ui.inputSelector.setCurrentNode(volume)
    assert panel.ui.applyButton.enabled is True
    assert panel.ui.inputInfoLabel.text == "7 × 10 × 13 voxels of 1 × 1.5 × 3 mm"
    assert panel.ui.resultInfoLabel.text.startswith("Result: 7 × 15 × 39 voxels")
    panel.ui.scaleRadio.click()
    panel.ui.linkedCheckBox.click()
    panel.ui.scaleZ.setValue(4)
    assert panel.ui.resultInfoLabel.text.startswith("Result: 14 × 20 × 52 voxels")


def test_every_method_is_explained_and_cited(panel: Any, choose: Callable[..., None], volume: Any) -> None:
    from MedSRLib.methods import registry

    panel.ui.inputSelector.setCurrentNode(volume)
    for info in registry.infos():
        choose(panel.ui.methodComboBox, info.identifier)
        assert panel.panel.parameters.method == info.identifier
        assert str(info.year) in panel.ui.methodInfoLabel.text
        assert 'href="https://' in panel.ui.methodInfoLabel.text
        assert panel.ui.modelComboBox.isVisibleTo(panel.ui.superResolveCollapsible) is info.needs_model


def test_the_model_offered_first_is_the_default(panel: Any, choose: Callable[..., None], volume: Any) -> None:
    from MedSRLib.models import library

    panel.ui.inputSelector.setCurrentNode(volume)
    choose(panel.ui.methodComboBox, "arssr")
    assert panel.ui.modelComboBox.currentData == library.default("arssr")
    assert panel.logic.chosen(panel.panel.parameters) == ("arssr", library.default("arssr"))


def test_a_method_without_its_model_cannot_be_applied(
    panel: Any, choose: Callable[..., None], volume: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from MedSRLib.models import library

    monkeypatch.setattr(library, "cards", dict)
    panel.ui.inputSelector.setCurrentNode(volume)
    choose(panel.ui.methodComboBox, "arssr")
    assert panel.ui.applyButton.enabled is False
    assert "No model" in panel.ui.applyButton.toolTip


def test_the_parameter_node_reaches_the_widgets_and_the_widgets_it(
    panel: Any, choose: Callable[..., None], volume: Any
) -> None:
    parameters, ui = panel.panel.parameters, panel.ui
    parameters.goal = "spacing"
    assert ui.spacingRadio.checked is True and ui.spacingX.enabled is True and ui.scaleX.enabled is False
    parameters.spacingY = 2.5
    assert ui.spacingY.value == 2.5
    ui.spacingY.setValue(3.5)
    assert parameters.spacingY == 3.5
    ui.likeRadio.click()
    assert parameters.goal == "like" and ui.likeSelector.enabled is True
    choose(ui.deviceComboBox, "cpu")
    assert parameters.device == "cpu"


@pytest.mark.parametrize(
    ("goal", "target"),
    [
        ("isotropic", {"isotropic": True}),
        ("scale", {"scale": [2.0, 2.0, 3.0]}),
        ("spacing", {"spacing": [1.0, 1.0, 1.0]}),
        ("like", {}),
    ],
)
def test_what_a_job_is_told(panel: Any, goal: str, target: dict[str, Any]) -> None:
    panel.panel.parameters.scaleZ = 3
    panel.panel.parameters.goal = goal
    assert panel.logic.target(panel.panel.parameters) == target


def test_the_reasons_why_not(panel: Any, volume: Any, scene: Any) -> None:
    parameters, logic = panel.panel.parameters, panel.logic
    parameters.inputVolume = volume
    assert logic.whyNot(parameters) == ""
    parameters.outputVolume = volume
    assert "overwrite" in logic.whyNot(parameters)
    parameters.outputVolume = None
    parameters.goal = "like"
    assert "grid" in logic.whyNot(parameters)
    parameters.likeVolume = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
    assert "no image" in logic.whyNot(parameters)
    parameters.inputVolume = parameters.likeVolume
    assert "no image" in logic.whyNot(parameters)


def test_a_run_from_apply_to_the_result(panel: Any, volume: Any, wait: Callable[..., None], scene: Any) -> None:
    panel.ui.inputSelector.setCurrentNode(volume)
    panel.panel.parameters.method = "back-projection"
    panel.ui.scaleRadio.click()
    panel.ui.applyButton.click()
    assert panel.panel.busy() and panel.ui.applyButton.text == "Cancel"
    assert panel.ui.superResolveCollapsible.enabled is False
    wait(lambda: not panel.panel.busy())
    assert panel.ui.statusLabel.text.startswith("Done in "), panel.ui.statusLabel.text
    results = [n for n in scene.GetNodesByClass("vtkMRMLScalarVolumeNode") if n.GetID() != volume.GetID()]
    assert [node.GetImageData().GetDimensions() for node in results] == [(14, 20, 26)]
    assert panel.ui.applyButton.text == "Apply" and panel.ui.superResolveCollapsible.enabled is True
    assert panel.panel.timer.active is False


def test_progress_with_the_time_left(panel: Any, fake: Any) -> None:
    panel.ui.applyButton.click()
    fake.events = [{"event": "stage", "name": "Decoding"}, {"event": "progress", "fraction": 0.63, "eta_s": 14.2}]
    panel.panel._poll()
    assert panel.ui.progressBar.value == 630
    assert panel.ui.statusLabel.text == "Decoding · 14 s left"
    fake.events = [{"event": "log", "level": "warning", "message": "odd spacing"}]
    fake.state = "done"
    panel.panel._poll()
    assert "⚠ odd spacing" in panel.ui.statusLabel.text
    assert "Warning: odd spacing" in panel.ui.logText.plainText


def test_cancel(panel: Any, fake: Any) -> None:
    panel.ui.applyButton.click()
    panel.ui.applyButton.click()
    assert fake.cancelled and panel.ui.applyButton.enabled is False
    assert "being stopped" in panel.ui.applyButton.toolTip
    fake.state = "cancelled"
    panel.panel._poll()
    assert panel.ui.statusLabel.text.startswith("Cancelled") and panel.ui.applyButton.enabled is True


def test_a_failure_is_told_and_the_log_opens(panel: Any, fake: Any) -> None:
    panel.ui.applyButton.click()
    fake.state, fake.errorMessage = "failed", "Not enough memory."
    panel.panel._poll()
    assert panel.ui.statusLabel.text == "Not enough memory."
    assert panel.ui.logCollapsible.collapsed is False
    assert panel.ui.applyButton.enabled is True


@pytest.mark.parametrize("leave", ["scene", "cleanup", "reload"])
def test_what_ends_a_run_at_once(panel: Any, fake: Any, scene: Any, leave: str, monkeypatch: Any) -> None:
    from MedSRPanel import library

    monkeypatch.setattr(library, "forget", lambda: None)
    panel.ui.applyButton.click()
    {"scene": lambda: scene.Clear(True), "cleanup": panel.cleanup, "reload": panel.onReload}[leave]()
    assert fake.cleaned and panel.panel.apply.run is None and panel.panel.timer.active is False


def test_another_module_does_not_end_a_run(panel: Any, fake: Any) -> None:
    panel.ui.applyButton.click()
    panel.exit()
    fake.events = [{"event": "progress", "fraction": 0.5, "eta_s": 1}]
    panel.panel._poll()
    panel.enter()
    assert panel.panel.busy() and panel.ui.applyButton.text == "Cancel" and panel.ui.progressBar.value == 500
    panel.exit()
    fake.state = "done"
    panel.panel._poll()
    assert panel.panel.apply.run is None


def test_the_panel_after_a_new_scene(panel: Any, volume: Any, scene: Any) -> None:
    panel.ui.inputSelector.setCurrentNode(volume)
    panel.panel.parameters.goal = "scale"
    scene.Clear(True)
    assert panel.panel.parameters.goal == "isotropic" and panel.ui.isotropicRadio.checked is True
    assert panel.ui.applyButton.enabled is False


def test_missing_packages_are_offered_not_installed(panel: Any, volume: Any, monkeypatch: Any) -> None:
    from MedSRPanel import packages

    installed: list[Any] = []
    monkeypatch.setattr(packages, "missing", lambda path: [] if installed else ["torch", "pydantic"])
    monkeypatch.setattr(packages, "install", lambda names, path: installed.append(names))
    panel.ui.inputSelector.setCurrentNode(volume)
    panel.enter()
    assert panel.ui.setupCollapsible.isVisibleTo(panel.ui.setupCollapsible.parent()) is True
    assert "PyTorch" in panel.ui.setupLabel.text
    assert panel.ui.applyButton.enabled is False and "Set up" in panel.ui.applyButton.toolTip
    panel.ui.setupButton.click()
    assert installed == [["torch", "pydantic"]]
    assert panel.ui.applyButton.enabled is True
    assert panel.ui.setupCollapsible.isVisibleTo(panel.ui.setupCollapsible.parent()) is False


def test_torch_comes_from_the_pytorch_extension_only(module: Any, monkeypatch: Any) -> None:
    import slicer
    from MedSRPanel import packages

    path, asked = MODULE / "Resources" / "requirements.txt", []
    with pytest.raises(packages.SetupError, match="PyTorch extension is missing"):
        packages.install(["torch"], path)
    logic = types.SimpleNamespace(installTorch=lambda **how: asked.append(how) or "torch")
    monkeypatch.setitem(sys.modules, "PyTorchUtils", types.SimpleNamespace(PyTorchUtilsLogic=lambda: logic))
    monkeypatch.setattr(slicer.util, "pip_install", asked.append, raising=False)
    packages.install(["torch", "safetensors"], path)
    assert asked == [{"askConfirmation": True, "torchVersionRequirement": ">=2.4"}, "safetensors>=0.4.3"]
    logic.installTorch = lambda **how: int("no network")
    with pytest.raises(packages.SetupError, match="no network"):
        packages.install(["torch"], path)
    ensured: list[Any] = []
    newer = types.SimpleNamespace(pip_ensure=lambda wanted, requester: ensured.extend(map(str, wanted)))
    monkeypatch.setitem(sys.modules, "slicer.packaging", newer)
    packages.install(["pydantic"], path)
    assert ensured == ["pydantic>=2.6"]


def test_a_package_that_is_too_old_is_missing(module: Any, monkeypatch: Any) -> None:
    from MedSRPanel import packages

    path, versions = MODULE / "Resources" / "requirements.txt", {"torch": "2.13.0+cu130", "pydantic": "2.6"}
    there = packages.metadata.version
    monkeypatch.setattr(packages.metadata, "version", lambda name: versions.get(name) or there(name))
    assert packages.missing(path) == []
    versions.update(torch="2.3.1+cpu", pydantic="1.10.2")
    assert packages.missing(path) == ["torch", "pydantic"]


def test_the_self_test(module: Any, scene: Any) -> None:
    import slicer_stand_in

    module.MedSRTest().runTest()
    assert slicer_stand_in.messages == ["The test passed."]


def test_nothing_else_is_imported_at_file_scope() -> None:
    """Slicer loads the file at its start, before the packages are installed."""
    for path in [MODULE / "MedSR.py", *(MODULE / "MedSRPanel").glob("*.py")]:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
                roots = {str(name).split(".")[0] for name in names}
                assert roots <= IN_EVERY_SLICER | set(sys.stdlib_module_names), f"{path.name}: {roots}"


def test_every_parameter_of_the_ui_exists(module: Any) -> None:
    root = ET.parse(MODULE / "Resources" / "UI" / "MedSR.ui").getroot()
    named = {p.findtext("string") for p in root.iter("property") if p.get("name") == "SlicerParameterName"}
    assert named and named <= set(module.MedSRParameterNode._fields)


def test_the_panel_can_be_drawn(panel: Any, volume: Any, tmp_path: Path) -> None:
    panel.ui.inputSelector.setCurrentNode(volume)
    import pictures
    import slicer

    image = pictures.panel_only(slicer.modules.medsr.widgetRepresentation())
    assert image.save(str(tmp_path / "panel.png"))
    colours = {image.pixel(x, y) for x in range(0, image.width(), 7) for y in range(0, image.height(), 7)}
    assert len(colours) > 10


def test_linked_factors_change_together_and_a_script_may_set_each(panel: Any, volume: Any) -> None:
    parameters, ui = panel.panel.parameters, panel.ui
    ui.scaleRadio.click()
    ui.scaleY.setValue(3)
    assert (parameters.scaleX, parameters.scaleY, parameters.scaleZ) == (3, 3, 3)
    parameters.scaleZ = 4.0
    assert (parameters.scaleX, parameters.scaleZ) == (3, 4) and ui.scaleZ.value == 4
    ui.linkedCheckBox.click()
    ui.scaleX.setValue(1)
    assert (parameters.scaleX, parameters.scaleY, parameters.scaleZ) == (1, 3, 4)
    ui.linkedCheckBox.click()
    assert (parameters.scaleX, parameters.scaleY, parameters.scaleZ) == (1, 1, 1)
