"""What the panel offers and recommends: modalities, guides, families, models, devices."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from MedSRLib.methods.contract import MethodInfo
from MedSRLib.models.card import ModelCard

Choose = Callable[[Any, str], None]


def info(identifier: str, family: str, **more: Any) -> MethodInfo:
    return MethodInfo(identifier, identifier.upper(), "Does it.", "A. Author, A paper", "arXiv:1", 2020, family, **more)


def card(name: str, method: str, **more: Any) -> ModelCard:
    return ModelCard(name=name, method=method, architecture={}, scale_max=8, **more)


@pytest.fixture
def more_methods(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A guided method and one that synthesises, with models, as later versions or plug-ins bring."""
    from MedSRPanel import choices

    methods, cards = choices.methods(), choices.cards()
    methods["dual"] = info("dual", "guided", needs_guide=True, needs_model=True)
    methods["pairs"] = info("pairs", "synthesis", needs_model=True)
    cards["t2-guided"] = card("t2-guided", "dual", modalities=["T2w"])
    cards["t1-to-t2"] = card("t1-to-t2", "pairs", modalities=["T1w"], target_modality="T2w")
    monkeypatch.setattr(choices, "methods", lambda: methods)
    monkeypatch.setattr(choices, "cards", lambda: cards)


def seen(part: Any) -> bool:
    return bool(part.isVisibleTo(part.parent()))


def named(volume: Any, name: str) -> Any:
    volume.SetName(name)
    return volume


def thick(scene: Any, name: str, spacing: tuple[float, float, float], size: tuple[int, int, int]) -> Any:
    import numpy as np
    import slicer

    node = slicer.util.addVolumeFromArray(np.zeros(size[::-1], dtype=np.float32), name=name)
    node.SetSpacing(spacing)
    return node


@pytest.mark.parametrize(
    ("name", "modality"),
    [
        ("6: T2 TSE tra", "T2w"),
        ("t1_mprage_sag", "T1w"),
        ("T2 FLAIR dark fluid", "FLAIR"),
        ("PD axial", "PD"),
        ("CT Thorax", "CT"),
        ("RecTum", ""),
        ("patient1 CT", "CT"),
        ("output1", ""),
        ("AXT1POST", "T1w"),
        ("sT2W_TSE", "T2w"),
        ("PET suv", "PET"),
        ("scan 12", ""),
    ],
)
def test_the_modality_is_guessed_from_the_name(panel: Any, volume: Any, name: str, modality: str) -> None:
    panel.ui.inputSelector.setCurrentNode(named(volume, name))
    panel.panel.refresh()
    assert panel.logic.modality(panel.panel.parameters) == modality
    assert panel.ui.modalityComboBox.currentText == modality


def test_a_corrected_modality_is_kept_until_the_input_changes(panel: Any, volume: Any, scene: Any) -> None:
    panel.ui.inputSelector.setCurrentNode(named(volume, "T2 tra"))
    panel.ui.modalityComboBox.setCurrentText("FLAIR")
    assert panel.panel.parameters.modality == "FLAIR"
    panel.ui.inputSelector.setCurrentNode(thick(scene, "T1 sag", (1, 1, 1), (4, 4, 4)))
    assert panel.panel.parameters.modality == "" and panel.ui.modalityComboBox.currentText == "T1w"


def test_a_thick_t1w_brain_is_recommended_the_shipped_model(panel: Any, scene: Any) -> None:
    panel.ui.inputSelector.setCurrentNode(thick(scene, "T1w tra", (1, 1, 4), (20, 20, 5)))
    best = panel.panel.recommendation
    assert (best.method, best.model) == ("wdsr", "wdsr-brain-thick")
    assert panel.ui.methodComboBox.currentText == "★ Recommended: WDSR"
    assert "fits" in panel.ui.methodComboBox.toolTip
    assert panel.logic.job(panel.panel.parameters)["model"] == "wdsr-brain-thick"


@pytest.mark.parametrize(
    ("spacing", "goal", "model"),
    [
        ((2, 2, 2), "scale", "wdsr-t1w-brain-x2"),
        ((1, 1, 3), "isotropic", "wdsr-brain-thick"),
        ((2, 4, 4), "isotropic", "arssr-t1w-brain"),  # coarse along two axes: only the model of any axes fits
    ],
)
def test_each_task_is_recommended_the_model_made_for_it(
    panel: Any, scene: Any, spacing: tuple[float, float, float], goal: str, model: str
) -> None:
    panel.ui.inputSelector.setCurrentNode(thick(scene, "T1w sag", spacing, (20, 20, 20)))
    panel.panel.parameters.goal = goal
    assert panel.panel.recommendation.model == model


def test_what_no_model_fits_is_recommended_a_method_without_one(panel: Any, scene: Any) -> None:
    panel.ui.inputSelector.setCurrentNode(thick(scene, "CT Thorax", (0.7, 0.7, 5), (20, 20, 5)))
    assert panel.panel.recommendation.method == "self-training"
    assert "minutes" in panel.ui.methodComboBox.toolTip and "on this very scan" in panel.ui.methodInfoLabel.text
    panel.ui.inputSelector.setCurrentNode(thick(scene, "CT Head", (0.7, 0.7, 0.7), (20, 20, 20)))
    assert panel.panel.recommendation.method == "back-projection"
    assert "invents nothing" in panel.ui.methodComboBox.toolTip


def test_learning_on_the_scan_needs_thick_slices(panel: Any, scene: Any, choose: Choose) -> None:
    panel.ui.inputSelector.setCurrentNode(thick(scene, "CT Head", (0.7, 0.7, 0.7), (20, 20, 20)))
    choose(panel.ui.methodComboBox, "self-training")
    assert panel.ui.applyButton.enabled is False and "no thick slices" in panel.ui.applyButton.toolTip
    panel.ui.inputSelector.setCurrentNode(thick(scene, "CT Thorax", (0.7, 0.7, 5), (20, 20, 5)))
    assert panel.ui.applyButton.enabled is True


def test_the_family_narrows_the_methods(panel: Any, volume: Any, choose: Choose) -> None:
    panel.ui.inputSelector.setCurrentNode(volume)
    choose(panel.ui.familyComboBox, "interpolation")
    combo = panel.ui.methodComboBox
    offered = [combo.itemData(n) for n in range(combo.count)]
    assert offered == ["recommended", "nearest", "linear", "cubic", "bspline", "lanczos"]
    assert combo.currentText == "★ Recommended: Cubic B-spline"


def test_methods_without_a_model_come_last_and_say_so(panel: Any, volume: Any, choose: Choose) -> None:
    panel.ui.inputSelector.setCurrentNode(volume)
    choose(panel.ui.familyComboBox, "single-image")
    combo = panel.ui.methodComboBox
    offered = [combo.itemText(n) for n in range(1, combo.count)]
    ready = [text for text in offered if not text.endswith(" – no model")]
    assert {"ArSSR", "WDSR"} <= set(ready) and offered[: len(ready)] == ready and len(offered) > len(ready)


def test_the_card_says_what_a_model_makes_and_what_guides_it(module: Any) -> None:
    from MedSRPanel import wording

    pair = card("t1-to-t2", "pairs", modalities=["T1w"], target_modality="T2w", scale_min=8)
    told = wording.model_html(pair, [])
    assert "makes T2w of it" in told and "scale 8." in told
    led = card("t2-by-t1", "dual", modalities=["T2w"], guide_modalities=["T1w", "PD"])
    assert "guided by T1w or PD" in wording.model_html(led, [])
    assert wording.model_row(led)[2] == "T2w + T1w, PD" and "Guided by" in wording.card_html(led)


def test_a_method_that_is_not_shown_does_not_run(panel: Any, volume: Any, choose: Choose) -> None:
    panel.ui.inputSelector.setCurrentNode(volume)
    choose(panel.ui.methodComboBox, "back-projection")
    choose(panel.ui.familyComboBox, "interpolation")
    assert panel.panel.parameters.method == "recommended"
    assert panel.logic.job(panel.panel.parameters)["method"] == "bspline"


def test_nothing_is_asked_that_no_method_needs(panel: Any, volume: Any) -> None:
    panel.ui.inputSelector.setCurrentNode(volume)
    panel.ui.modalityComboBox.setCurrentText("CT")  # no model makes another modality of it
    assert not seen(panel.ui.guideComboBox) and not seen(panel.ui.targetComboBox)


def test_another_modality_chooses_among_the_models_that_make_it(
    more_methods: None, panel: Any, scene: Any, choose: Choose
) -> None:
    panel.ui.inputSelector.setCurrentNode(thick(scene, "T1 sag", (1, 1, 2), (20, 20, 5)))
    assert seen(panel.ui.targetComboBox)
    choose(panel.ui.targetComboBox, "T2w")
    combo = panel.ui.methodComboBox
    assert [combo.itemData(n) for n in range(combo.count)] == ["recommended", "weenie", "pairs"]
    choose(combo, "weenie")
    assert panel.logic.chosen(panel.panel.parameters) == ("weenie", "weenie-t1w-t2w")
    choose(combo, "pairs")
    assert panel.logic.chosen(panel.panel.parameters) == ("pairs", "t1-to-t2")
    assert panel.logic.resultName(panel.panel.parameters) == "T1 sag – MedSR T2w 1 mm (synthetic)"
    panel.ui.modalityComboBox.setCurrentText("CT")
    assert panel.panel.parameters.target == ""


def test_a_method_of_synthesis_is_offered_without_it_where_a_model_leaves_the_modality(
    more_methods: None, module: Any
) -> None:
    from MedSRPanel import choices

    methods, cards = choices.methods(), choices.cards()
    assert "pairs" not in choices.offered(methods, cards, "")
    cards["t1-finer"] = card("t1-finer", "pairs", modalities=["T1w"])
    assert "pairs" in choices.offered(methods, cards, "")
    assert list(choices.models(cards, "pairs", "T1w", "")) == ["t1-finer"]
    assert list(choices.models(cards, "pairs", "T1w", "T2w")) == ["t1-to-t2"]


def test_a_model_outside_its_range_is_marked_and_says_why(panel: Any, scene: Any, choose: Choose) -> None:
    panel.ui.inputSelector.setCurrentNode(thick(scene, "T1 tra", (1, 1, 9), (20, 20, 5)))
    choose(panel.ui.methodComboBox, "arssr")
    assert panel.ui.modelComboBox.currentText == "⚠ arssr-t1w-brain"
    assert "trained for" in panel.ui.modelInfoLabel.text and "⚠" in panel.ui.modelInfoLabel.text
    assert panel.ui.applyButton.enabled is True


def test_the_card_is_one_click_away(panel: Any, scene: Any) -> None:
    import dialogs

    panel.ui.inputSelector.setCurrentNode(thick(scene, "T1w tra", (1, 1, 4), (20, 20, 5)))
    panel.ui.cardButton.click()
    assert "CC-BY" in dialogs.messages[-1] and "Trained on" in dialogs.messages[-1]


def test_a_device_that_cannot_be_used_says_why(panel: Any, volume: Any, choose: Choose) -> None:
    panel.ui.inputSelector.setCurrentNode(volume)
    assert "21.5 GB" in panel.ui.deviceComboBox.itemText(panel.ui.deviceComboBox.findData("cpu"))
    assert "No kernel image." in panel.ui.deviceInfoLabel.text
    choose(panel.ui.deviceComboBox, "cuda:0")
    assert panel.ui.applyButton.enabled is False and "No kernel image" in panel.ui.applyButton.toolTip


def test_the_machine_is_asked_once_a_session_and_again_on_demand(panel: Any, volume: Any, monkeypatch: Any) -> None:
    started: list[Any] = []

    class Asked:
        def __init__(self) -> None:
            self.state, self.errorMessage = "running", ""
            self.result = {"devices": [], "best": "cpu", "speed": {}}

        def poll(self) -> list[Any]:
            self.state = "done"
            return []

        def clean(self) -> None:
            self.state = "cancelled"

    monkeypatch.setattr(panel.logic, "startMachine", lambda: started.append(Asked()) or started[-1])
    panel.enter()
    assert not started
    monkeypatch.setattr(type(panel.panel.quality), "asked", False)
    panel.enter()
    panel.panel._poll()
    panel.enter()
    assert len(started) == 1
    panel.ui.machineButton.click()
    assert panel.ui.machineButton.enabled is False or started[-1].state == "running"
    panel.panel._poll()
    assert len(started) == 2 and panel.panel.quality.machine["devices"] == [] and panel.ui.machineButton.enabled is True


def test_a_device_of_another_computer_is_refused(panel: Any, volume: Any) -> None:
    panel.ui.inputSelector.setCurrentNode(volume)
    panel.panel.parameters.device = "mps"
    assert panel.ui.applyButton.enabled is False and "no device mps" in panel.ui.applyButton.toolTip


def test_time_and_memory_are_told_before_and_corrected_after(panel: Any, fake: Any, monkeypatch: Any) -> None:
    panel.ui.scaleRadio.click()
    before = panel.ui.estimateLabel.text
    assert before.startswith("about ") and " on the processor · " in before and before.endswith("GB")
    estimated = panel.panel.apply._estimated
    panel.ui.applyButton.click()
    import slicer

    clock = panel.panel.apply.view
    monkeypatch.setattr(clock, "_now", lambda: clock._startedAt + 10 * estimated)
    fake.resultNodeID, fake.state = panel.panel.parameters.inputVolume.GetID(), "done"
    panel.panel._poll()
    assert panel.panel.apply._estimated == pytest.approx(10 * estimated, rel=0.01)
    assert any("MedSR/Measured" in key for key in slicer.app.userSettings().allKeys())


def test_only_the_region_is_estimated_and_run(panel: Any, volume: Any, monkeypatch: Any) -> None:
    from MedSRScene import upscale_run

    panel.ui.inputSelector.setCurrentNode(volume)
    whole = panel.logic.estimate(panel.panel.parameters)
    panel.ui.roiButton.click()
    assert panel.panel.parameters.roi is not None
    assert panel.logic.estimate(panel.panel.parameters).memory_bytes < whole.memory_bytes
    given: dict[str, Any] = {}
    monkeypatch.setattr(upscale_run.UpscaleRun, "start", lambda self: given.update(vars(self)))
    panel.logic.start(panel.panel.parameters)
    assert given["_otherIDs"]["region"] == panel.panel.parameters.roi.GetID()


def test_every_choice_comes_back_with_the_scene(panel: Any, volume: Any, scene: Any, tmp_path: Any) -> None:
    import slicer

    parameters = panel.panel.parameters
    parameters.inputVolume = volume
    wanted = {"goal": "scale", "linked": False, "scaleZ": 4.0, "method": "cubic", "device": "cpu", "memory": 3.0}
    wanted |= {
        "precision": "float32",
        "thickness": 3.5,
        "useGuide": False,
        "useSecondGuide": False,
        "consistency": True,
        "uncertainty": True,
        "refine": True,
        "margin": 2.0,
        "family": "interpolation",
    }
    for name, value in wanted.items():
        setattr(parameters, name, value)
    assert slicer.util.saveScene(str(tmp_path / "scene.mrml"))
    scene.Clear(False)
    assert panel.panel.parameters.goal == "isotropic"
    slicer.util.loadScene(str(tmp_path / "scene.mrml"))
    back = panel.panel.parameters
    assert {name: getattr(back, name) for name in wanted} == wanted
    assert back.inputVolume.GetName() == volume.GetName()
    assert panel.ui.scaleZ.value == 4 and panel.ui.consistencyCheckBox.checked is True


def test_family_titles_cover_every_family(module: Any) -> None:
    from MedSRPanel import choices

    from MedSRLib.methods.contract import FAMILIES

    some = info("a", "interpolation")
    assert set(choices.families({f: dataclasses.replace(some, family=f) for f in FAMILIES})) == set(FAMILIES)
