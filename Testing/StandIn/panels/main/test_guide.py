"""The guide: suggested where the scene holds one, chosen otherwise, checked by a checkerboard of input and guide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from MedSRLib.methods import registry
from MedSRLib.methods.contract import MethodInfo
from MedSRLib.methods.interpolation import Linear
from MedSRLib.models.card import ModelCard

THICK = ((1, 1, 4), (20, 20, 5))
FINE = ((1, 1, 1), (20, 20, 20))


class Dual(Linear):
    """A guided method, as a plug-in brings one."""

    info: ClassVar[MethodInfo] = MethodInfo(
        "dual", "Dual", "Does it.", "A. Author", "arXiv:1", 2020, "guided", needs_guide=True, needs_model=True
    )


@pytest.fixture
def guided(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The method, with models for T2w guided by FLAIR and by T1w, in place of the guided ones that ship."""
    from MedSRPanel import choices

    cards = {name: card for name, card in choices.cards().items() if not card.guide_modalities}
    common: dict[str, Any] = {"method": "dual", "architecture": {}, "scale_max": 8, "modalities": ["T2w"]}
    cards["by-flair"] = ModelCard(name="by-flair", guide_modalities=["FLAIR"], **common)
    cards["by-t1"] = ModelCard(name="by-t1", guide_modalities=["T1w"], **common)
    monkeypatch.setattr(registry, "_plugins", lambda: {"dual": Dual})
    monkeypatch.setattr(choices, "cards", lambda: cards)


@pytest.fixture
def panel(guided: None, panel: Any) -> Any:
    """Opened when the method is there."""
    panel.enter()
    return panel


def added(name: str, spacing: tuple[float, ...], size: tuple[int, ...]) -> Any:
    import numpy as np
    import slicer

    values = np.random.default_rng(0).normal(100, 20, size[::-1]).astype(np.float32)
    node = slicer.util.addVolumeFromArray(values, name=name)
    node.SetSpacing(spacing)
    return node


@pytest.fixture
def pair(panel: Any, scene: Any) -> tuple[Any, Any]:
    """A thick T2w, which is the input, and a fine T1w."""
    coarse, sharp = added("T2 tra", *THICK), added("T1 sag", *FINE)
    panel.ui.inputSelector.setCurrentNode(coarse)
    panel.panel.refresh()
    return coarse, sharp


def seen(part: Any) -> bool:
    return bool(part.isVisibleTo(part.parent()))


def offered(panel: Any) -> list[str]:
    combo = panel.ui.guideComboBox
    return [combo.itemText(n) for n in range(combo.count)]


def test_a_sharper_volume_of_another_modality_is_suggested_and_used(panel: Any, pair: tuple[Any, Any]) -> None:
    ui = panel.ui
    assert ui.guideComboBox.currentText == "★ T1 sag, 1 mm"
    best = panel.panel.recommendation
    assert (best.method, best.model) == ("dual", "by-t1") and "guides" in ui.methodComboBox.toolTip
    assert panel.logic.guide(panel.panel.parameters).GetID() == pair[1].GetID()
    assert ui.applyButton.enabled is True and not seen(ui.guideInfoLabel)


def test_a_suggestion_can_be_declined(panel: Any, pair: tuple[Any, Any], choose: Callable[..., None]) -> None:
    ui = panel.ui
    choose(ui.guideComboBox, "none")
    assert panel.logic.guide(panel.panel.parameters) is None and panel.panel.recommendation.method == "wdsr"
    assert ui.alignmentButton.enabled is False and "guide first" in ui.alignmentButton.toolTip
    choose(ui.methodComboBox, "dual")
    assert ui.applyButton.enabled is False and "needs a guide" in ui.applyButton.toolTip
    assert "a sharper guide" in ui.methodInfoLabel.text
    choose(ui.guideComboBox, "suggested")
    assert ui.applyButton.enabled is True
    choose(ui.methodComboBox, "bspline")
    assert "takes no guide" in ui.guideInfoLabel.text


def test_what_was_done_to_the_guide_is_told_at_the_end(panel: Any, pair: tuple[Any, Any]) -> None:
    panel.panel.apply.view.begin("Dual: T2 tra")
    panel.panel.apply.view.end("done", "", "T2 fine", "moved: shift 0.55 mm")
    assert panel.ui.statusLabel.text.endswith("T2 fine\nThe guide was moved: shift 0.55 mm.")


def test_a_model_for_other_guides_is_marked(panel: Any, pair: tuple[Any, Any], choose: Callable[..., None]) -> None:
    ui = panel.ui
    choose(ui.methodComboBox, "dual")
    assert [ui.modelComboBox.itemText(n) for n in range(ui.modelComboBox.count)] == ["✓ by-t1", "⚠ by-flair"]
    assert "guided by T1w" in ui.modelInfoLabel.text
    choose(ui.modelComboBox, "by-flair")
    assert "The guide is T1w" in ui.modelInfoLabel.text


def test_a_model_that_can_do_without_a_guide_runs_without_one(
    panel: Any, pair: tuple[Any, Any], choose: Callable[..., None]
) -> None:
    from MedSRPanel import choices

    card = choices.cards()["by-t1"]
    choices.cards()["by-t1"] = card.model_copy(update={"guide_optional": True})
    panel.enter()
    choose(panel.ui.methodComboBox, "dual")
    choose(panel.ui.modelComboBox, "by-t1")
    choose(panel.ui.guideComboBox, "none")
    assert panel.ui.applyButton.enabled is True and "better with a guide" in panel.ui.guideInfoLabel.text


def test_fitting_volumes_come_first_and_others_say_why_not(
    panel: Any, pair: tuple[Any, Any], choose: Callable[..., None]
) -> None:
    import qt

    far = added("A T1 elsewhere", *FINE)
    far.SetOrigin(500, 0, 0)
    finer = added("FLAIR", (0.8, 0.8, 0.8), (25, 25, 25))
    panel.panel.refresh()
    assert offered(panel) == [
        "★ FLAIR, 0.8 mm",
        "No guide",
        "FLAIR, 0.8 mm",
        "T1 sag, 1 mm",
        "⚠ A T1 elsewhere, 1 mm",
    ]
    assert panel.panel.recommendation.model == "by-flair"
    assert "another place" in panel.ui.guideComboBox.itemData(4, qt.Qt.ToolTipRole)
    choose(panel.ui.guideComboBox, far.GetID())
    assert "another place" in panel.ui.guideInfoLabel.text and panel.panel.recommendation.method == "wdsr"
    choose(panel.ui.guideComboBox, pair[1].GetID())
    assert panel.panel.parameters.guideVolume.GetID() == pair[1].GetID()
    assert panel.panel.recommendation.model == "by-t1"
    assert finer.GetID() != panel.panel.parameters.guideVolume.GetID()


def test_a_run_gets_the_guide_that_is_shown(panel: Any, pair: tuple[Any, Any], monkeypatch: Any) -> None:
    from MedSRScene import upscale_run

    given: dict[str, Any] = {}
    monkeypatch.setattr(upscale_run.UpscaleRun, "start", lambda self: given.update(vars(self)))
    panel.logic.start(panel.panel.parameters)
    assert (given["_otherIDs"], given["_guides"]) == ({"guide0": pair[1].GetID()}, {"guide0": "T1w"})


@pytest.fixture
def three(panel: Any, pair: tuple[Any, Any]) -> tuple[Any, Any, Any]:
    """A FLAIR more than the pair, and a model of T2w by both."""
    from MedSRPanel import choices

    choices.cards()["by-both"] = ModelCard(
        name="by-both",
        method="dual",
        architecture={"guides": 2},
        scale_max=8,
        modalities=["T2w"],
        guide_modalities=["FLAIR", "T1w"],
        guide_optional=True,
    )
    flair = added("FLAIR sag", *FINE)
    panel.enter()
    return (*pair, flair)


def test_a_second_guide_is_suggested_where_a_model_takes_two(
    panel: Any, three: tuple[Any, ...], choose: Callable[..., None], monkeypatch: Any
) -> None:
    from MedSRScene import upscale_run

    ui, logic, parameters = panel.ui, panel.logic, panel.panel.parameters
    assert (ui.guideComboBox.currentText, ui.secondGuideComboBox.currentText) == (
        "★ T1 sag, 1 mm",
        "★ FLAIR sag, 1 mm",
    )
    assert panel.panel.recommendation.model == "by-both" and "2 sharper volumes" in panel.panel.recommendation.reason
    assert "guided by FLAIR and T1w" in ui.modelInfoLabel.text
    given: dict[str, Any] = {}
    monkeypatch.setattr(upscale_run.UpscaleRun, "start", lambda self: given.update(vars(self)))
    logic.start(parameters)
    assert given["_guides"] == {"guide0": "T1w", "guide1": "FLAIR"}
    assert [given["_otherIDs"][name] for name in given["_guides"]] == [three[1].GetID(), three[2].GetID()]
    choose(ui.guideComboBox, three[2].GetID())
    assert ui.secondGuideComboBox.currentText == "★ T1 sag, 1 mm"
    assert [ui.secondGuideComboBox.itemData(n) for n in range(ui.secondGuideComboBox.count)] == [
        "suggested",
        "none",
        three[1].GetID(),
    ]


def test_a_second_guide_can_be_declined_and_a_model_of_one_says_so(
    panel: Any, three: tuple[Any, ...], choose: Callable[..., None]
) -> None:
    ui = panel.ui
    choose(ui.secondGuideComboBox, "none")
    assert panel.panel.recommendation.model == "by-t1" and ui.secondGuideComboBox.enabled is True
    choose(ui.methodComboBox, "dual")
    choose(ui.modelComboBox, "by-both")
    choose(ui.modelComboBox, "by-t1")
    assert ui.secondGuideComboBox.enabled is False and ui.applyButton.enabled is True
    assert "by-t1 takes one guide" in ui.secondGuideComboBox.toolTip
    choose(ui.modelComboBox, "by-both")
    assert ui.secondGuideComboBox.enabled is True and ui.applyButton.enabled is True
    choose(ui.secondGuideComboBox, "suggested")
    choose(ui.methodComboBox, "bspline")
    assert "takes no guide" in ui.secondGuideComboBox.toolTip
    choose(ui.guideComboBox, "none")
    assert "Choose a guide first" in ui.secondGuideComboBox.toolTip


def test_a_guide_that_the_model_does_not_know_keeps_it_from_running(
    panel: Any, three: tuple[Any, ...], choose: Callable[..., None]
) -> None:
    ui = panel.ui
    other = added("T2 sag", *FINE)
    nameless = added("volume", *FINE)
    panel.panel.refresh()
    choose(ui.methodComboBox, "dual")
    choose(ui.secondGuideComboBox, other.GetID())
    assert ui.applyButton.enabled is False and "The guide is T1w and T2w" in ui.applyButton.toolTip
    assert "The guide is T1w and T2w" in ui.modelInfoLabel.text
    choose(ui.secondGuideComboBox, nameless.GetID())
    assert ui.applyButton.enabled is True  # it can only be the FLAIR
    choose(ui.modelComboBox, "by-t1")
    choose(ui.modelComboBox, "by-both")
    choose(ui.guideComboBox, nameless.GetID())
    choose(ui.secondGuideComboBox, "none")
    assert ui.applyButton.enabled is False and "not known" in ui.applyButton.toolTip


def test_what_was_done_to_each_guide_is_told(panel: Any, three: tuple[Any, ...]) -> None:
    panel.panel.apply.view.begin("Dual: T2 tra")
    panel.panel.apply.view.end("done", "", "T2 fine", "T1w guide moved: shift 1 mm | FLAIR guide left where it was")
    assert panel.ui.statusLabel.text.endswith("T1w guide moved: shift 1 mm.\nFLAIR guide left where it was.")


def test_a_second_guide_is_hidden_where_no_model_takes_two(panel: Any, pair: tuple[Any, Any]) -> None:
    added("FLAIR sag", *FINE)
    panel.panel.refresh()
    assert not seen(panel.ui.secondGuideComboBox)


def test_a_folder_has_no_guides(panel: Any, pair: tuple[Any, Any], choose: Callable[..., None]) -> None:
    ui = panel.ui
    ui.batchFolderRadio.checked = True
    assert ui.batchButton.enabled is False and "no guide" in ui.batchButton.toolTip
    choose(ui.guideComboBox, "none")
    assert "Choose the folder" in ui.batchButton.toolTip


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("T2 sag", ""),  # of the input's modality: it may be chosen, and is not suggested
        ("T1 result", "result of MedSR"),
        ("T1 thick", "not sharper"),
        ("T1 of somebody", "another patient"),
    ],
)
def test_what_is_not_suggested(panel: Any, scene: Any, name: str, why: str) -> None:
    coarse = added("T2 tra", *THICK)
    other = added(name, *(THICK if name == "T1 thick" else FINE))
    if name == "T1 result":
        other.SetAttribute("MedSR.method", "wdsr")
    if name == "T1 of somebody":
        hierarchy = scene.GetSubjectHierarchyNode()
        for node in (coarse, other):
            patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), f"patient of {node.GetName()}")
            study = hierarchy.CreateStudyItem(patient, "study")
            hierarchy.CreateItem(study, node)
    panel.ui.inputSelector.setCurrentNode(coarse)
    panel.panel.refresh()
    parameters = panel.panel.parameters
    assert panel.logic.sharperVolume(parameters) is None
    assert why in panel.logic.whyNoGuide(other, coarse) if why else panel.logic.whyNoGuide(other, coarse) == ""


def test_sharp_counts_where_the_input_is_coarse(panel: Any, scene: Any) -> None:
    """Sagittal slices are thick from left to right, and fine where axial ones are thick; a turned volume counts too."""
    import slicer
    import vtk

    coarse, sagittal = added("T2 tra", *THICK), added("T1 sag", (1, 1, 3.5), (20, 20, 6))
    assert "not sharper" in panel.logic.whyNoGuide(sagittal, coarse)
    directions = ((0, 0, -1), (-1, 0, 0), (0, -1, 0))  # i along A, j along S, k along R, in columns
    sagittal.SetIJKToRASDirections([[row[0] for row in zip(c, strict=True)] for c in directions])
    pose = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "pose")
    sagittal.SetAndObserveTransformNodeID(pose.GetID())
    bounds, own = [0.0] * 6, [0.0] * 6
    sagittal.GetRASBounds(bounds)
    coarse.GetRASBounds(own)
    matrix = vtk.vtkMatrix4x4()
    for axis in range(3):
        shift = (own[2 * axis] + own[2 * axis + 1] - bounds[2 * axis] - bounds[2 * axis + 1]) / 2
        matrix.SetElement(axis, 3, shift)
    pose.SetMatrixTransformToParent(matrix)
    assert panel.logic.whyNoGuide(sagittal, coarse) == ""


def test_another_frame_of_reference_asks_for_a_look(panel: Any, pair: tuple[Any, Any], monkeypatch: Any) -> None:
    import slicer

    class Database:
        isOpen = True

        def instanceValue(self, uid: str, tag: str) -> str:
            return f"frame of {uid}" if tag == "0020,0052" else ""

    monkeypatch.setattr(slicer, "dicomDatabase", Database(), raising=False)
    for node, uid in zip(pair, ("1.1", "1.2"), strict=True):
        node.SetAttribute("DICOM.instanceUIDs", uid)
    panel.panel.refresh()
    assert "check the alignment" in panel.ui.guideInfoLabel.text
    near = added("FLAIR", (1.5, 1.5, 1.5), (14, 14, 14))
    near.SetAttribute("DICOM.instanceUIDs", "1.1")
    assert panel.logic.guides(panel.panel.parameters)[0].GetID() == near.GetID()


def test_the_checkerboard_comes_and_the_layout_comes_back(panel: Any, pair: tuple[Any, Any], scene: Any) -> None:
    import slicer
    from MedSRScene import derived, layouts, views

    manager, ui = slicer.app.layoutManager(), panel.ui
    manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
    before = scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")
    assert not seen(ui.squaresSlider)
    ui.alignmentButton.click()
    assert manager.layout == layouts.LAYOUT_ID and seen(ui.squaresSlider)
    board = next(node for node in derived.nodes(scene) if node.GetName().startswith("MedSR composition"))
    shown = [views.compositeNode(scene, f"MedSRCoronal{n}").GetBackgroundVolumeID() for n in (1, 2, 3)]
    assert shown == [pair[0].GetID(), board.GetID(), pair[1].GetID()]
    made = board.GetAttribute("MedSR.composition")
    ui.squaresSlider.setValue(5)
    assert board.GetAttribute("MedSR.composition") != made
    assert [node.GetName() for node in panel.logic.volumes()] == ["T2 tra", "T1 sag"]
    ui.alignmentButton.click()
    assert manager.layout == slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView and not seen(ui.squaresSlider)
    assert scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == before


@pytest.mark.parametrize("leave", ["module", "scene", "guide", "layout"])
def test_what_ends_the_check(panel: Any, pair: tuple[Any, Any], scene: Any, leave: str, choose: Any) -> None:
    import slicer
    from MedSRScene import derived

    manager, layout = slicer.app.layoutManager(), slicer.vtkMRMLLayoutNode
    manager.setLayout(layout.SlicerLayoutFourUpView)
    panel.ui.alignmentButton.click()
    expected = layout.SlicerLayoutFourUpView
    if leave == "module":
        panel.exit()
    elif leave == "scene":
        scene.Clear(False)
    elif leave == "guide":
        choose(panel.ui.guideComboBox, "none")
    else:
        manager.setLayout(layout.SlicerLayoutOneUpRedSliceView)
        expected = layout.SlicerLayoutOneUpRedSliceView
        panel.ui.alignmentButton.click()
    assert manager.layout == expected and not derived.nodes(scene)
    assert panel.ui.alignmentButton.checked is False


def test_another_guide_is_shown_at_once(panel: Any, pair: tuple[Any, Any], scene: Any, choose: Any) -> None:
    from MedSRScene import derived, views

    flair = added("FLAIR", *FINE)
    panel.panel.refresh()
    panel.ui.alignmentButton.click()
    choose(panel.ui.guideComboBox, flair.GetID())
    assert views.compositeNode(scene, "MedSRAxial3").GetBackgroundVolumeID() == flair.GetID()
    assert len(derived.nodes(scene)) == 3
