"""The views: real slice logics over real volumes, and the user's own layout when the module is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


def slice_widget(name: str) -> Any:
    import slicer

    return slicer.app.layoutManager().sliceWidget(name)


def layout() -> int:
    import slicer

    return slicer.app.layoutManager().layout


def test_compare_shows_the_volumes_side_by_side(ready: Any, pair: tuple[Any, Any]) -> None:
    from MedSRScene.layouts import LAYOUT_ID

    assert layout() == LAYOUT_ID
    for column, node in enumerate(pair):
        widget = slice_widget(f"MedSRAxial{column + 1}")
        assert widget.mrmlSliceCompositeNode().GetBackgroundVolumeID() == node.GetID()
        assert widget.mrmlSliceCompositeNode().GetHotLinkedControl() == 1
    first, second = (slice_widget(f"MedSRAxial{n}").mrmlSliceNode() for n in (1, 2))
    assert first.GetSliceToRAS().GetElement(2, 3) == second.GetSliceToRAS().GetElement(2, 3)
    assert ready.ui.viewCollapsible.collapsed is False


def test_the_difference_lies_under_its_volume(ready: Any, pair: tuple[Any, Any], settle: Callable[[], None]) -> None:
    widget = slice_widget("MedSRAxialDifference2")
    node = ready.logic.differenceNode(ready.panel.parameters, pair[1])
    assert widget.mrmlSliceCompositeNode().GetBackgroundVolumeID() == node.GetID()
    display = node.GetDisplayNode()
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (-12, 12)
    ready.ui.limitComboBox.currentIndex = ready.ui.limitComboBox.findText("5 % of the range")
    ready.ui.absoluteRadio.click()
    settle()
    assert display.GetWindowLevelMax() == 5 and "5 %" in ready.ui.differenceInfoLabel.text
    ready.ui.differenceCheckBox.click()
    settle()
    assert slice_widget("MedSRAxialDifference2") is None or not slice_widget("MedSRAxialDifference2").isVisible()


def test_rows(ready: Any, settle: Callable[[], None]) -> None:
    ready.ui.rowsComboBox.currentIndex = ready.ui.rowsComboBox.findText("All three")
    settle()
    for row in ("Axial", "Sagittal", "Coronal"):
        assert slice_widget(f"MedSR{row}2").mrmlSliceNode().GetOrientation() == row
    ready.ui.alignCheckBox.click()
    settle()
    assert slice_widget("MedSRSagittal2").mrmlSliceNode().GetOrientation() == "Sagittal of volume"


def test_zoom_and_place_stay_when_something_else_changes(ready: Any, settle: Callable[[], None]) -> None:
    node = slice_widget("MedSRAxial1").mrmlSliceNode()
    width = node.GetFieldOfView()[0] / node.GetDimensions()[0]
    node.SetFieldOfView(*(part / 2 for part in node.GetFieldOfView()[:2]), 1)
    node.SetSliceOffset(40)
    ready.ui.differenceCheckBox.click()
    settle()
    for number in (1, 2):
        after = slice_widget(f"MedSRAxial{number}").mrmlSliceNode()
        assert after.GetSliceOffset() == pytest.approx(40)
        assert after.GetFieldOfView()[0] / after.GetDimensions()[0] == pytest.approx(width / 2)


def test_one_grey_scale(ready: Any, pair: tuple[Any, Any], settle: Callable[[], None]) -> None:
    reference, result = (node.GetDisplayNode() for node in pair)
    assert reference.GetWindowLevelMin() == result.GetWindowLevelMin()
    assert reference.GetWindowLevelMax() == result.GetWindowLevelMax() > 100
    result.SetWindowLevelMinMax(30, 70)  # by mouse in a view
    settle()
    assert (reference.GetWindowLevelMin(), reference.GetWindowLevelMax()) == pytest.approx((30, 70))
    assert ready.panel.parameters.window == "manual" and ready.ui.windowHighSpinBox.value == pytest.approx(70)
    ready.ui.windowComboBox.currentIndex = ready.ui.windowComboBox.findText("Each its own")
    settle()
    result.SetWindowLevelMinMax(10, 20)
    settle()
    assert reference.GetWindowLevelMax() != 20


def test_native_voxels(ready: Any, pair: tuple[Any, Any], settle: Callable[[], None]) -> None:
    ready.ui.nativeCheckBox.click()
    settle()
    assert [node.GetDisplayNode().GetInterpolate() for node in pair] == [0, 0]


def test_two_volumes_at_one_place(ready: Any, pair: tuple[Any, Any], settle: Callable[[], None]) -> None:
    ready.ui.fadeRadio.click()
    settle()
    ready.ui.blendSlider.value = 0.25
    settle()
    composite = slice_widget("MedSRAxial1").mrmlSliceCompositeNode()
    assert composite.GetBackgroundVolumeID() == pair[0].GetID()
    assert composite.GetForegroundVolumeID() == pair[1].GetID()
    assert composite.GetForegroundOpacity() == pytest.approx(0.25)
    text = slice_widget("MedSRAxial1").sliceView().cornerAnnotation().GetText(1)
    assert text == "Reference 75 %\nresult 25 %"


def test_flicker_by_key_and_by_timer(ready: Any, settle: Callable[[], None], wait: Callable[..., None]) -> None:
    ready.panel.view.step()
    settle()
    composite = slice_widget("MedSRAxial1").mrmlSliceCompositeNode()
    assert ready.panel.parameters.mode == "flicker"
    seen = set()
    ready.ui.speedSpinBox.setValue(10)
    ready.ui.playButton.click()
    wait(lambda: seen.add(composite.GetForegroundOpacity()) or len(seen) > 1, 5)
    assert seen == {0.0, 1.0}
    ready.ui.sideRadio.click()
    settle()
    assert ready.ui.playButton.checked is False and composite.GetForegroundVolumeID() is None


@pytest.mark.parametrize("mode", ["wipe", "checker"])
def test_two_volumes_in_one_picture(ready: Any, pair: tuple[Any, Any], settle: Callable[[], None], mode: str) -> None:
    import numpy as np
    import slicer

    getattr(ready.ui, f"{mode}Radio").click()
    settle()
    shown = slice_widget("MedSRAxial1").mrmlSliceCompositeNode().GetBackgroundVolumeID()
    mixed = slicer.util.arrayFromVolume(slicer.mrmlScene.GetNodeByID(shown))
    first = slicer.util.arrayFromVolume(pair[0])
    assert set(np.unique((mixed - first).round(3))) == {-10.0, 0.0}
    ready.ui.blendSlider.value = 1.0
    settle()


def test_wipe_waits_for_one_grid(chosen: Any) -> None:
    assert chosen.ui.wipeRadio.enabled is False and "one grid" in chosen.ui.wipeRadio.toolTip
    assert chosen.ui.fadeRadio.enabled is True


def test_what_changed_since_does_not_count(ready: Any, pair: tuple[Any, Any], settle: Callable[[], None]) -> None:
    import slicer

    assert ready.logic.computed(ready.panel.parameters)
    slicer.util.updateVolumeFromArray(pair[1], slicer.util.arrayFromVolume(pair[1]) * 2)
    ready.panel.refresh()
    assert not ready.logic.computed(ready.panel.parameters)
    assert ready.logic.differenceNode(ready.panel.parameters, pair[1]) is None
    assert "press Compare" in ready.ui.differenceInfoLabel.text


def test_corner_tells_title_spacing_and_what_is_synthetic(ready: Any, pair: tuple[Any, Any]) -> None:
    pair[1].SetAttribute("MedSR.synthetic", "true")
    ready.panel.refresh()
    corner = slice_widget("MedSRAxial2").sliceView().cornerAnnotation().GetText(1)
    assert corner == "result\n1 × 1.25 × 1.5 mm\nSYNTHETIC"


def test_leaving_brings_back_what_was_there(ready: Any, pair: tuple[Any, Any], scene: Any) -> None:
    import slicer
    from MedSRScene.layouts import LAYOUT_ID

    crosshair = scene.GetSingletonNode("default", "vtkMRMLCrosshairNode")
    assert crosshair.GetCrosshairMode() != crosshair.NoCrosshair
    slicer.util.selectModule("Volumes")
    assert layout() == 3 and crosshair.GetCrosshairMode() == crosshair.NoCrosshair
    assert pair[1].GetDisplayNode().GetAutoWindowLevel() == 1
    assert not ready.panel.shortcuts._made[0].isEnabled()
    slicer.util.selectModule("MedSRCompare")
    assert layout() == LAYOUT_ID and ready.panel.shortcuts._made[0].isEnabled()


def test_a_layout_that_the_user_chose_meanwhile_stays(ready: Any) -> None:
    import slicer

    slicer.app.layoutManager().setLayout(6)
    slicer.util.selectModule("Volumes")
    assert layout() == 6


def test_values_at_the_cursor(ready: Any, scene: Any, wait: Callable[..., None]) -> None:
    crosshair = scene.GetSingletonNode("default", "vtkMRMLCrosshairNode")
    centre = ready.panel.parameters.reference
    ras = [0.0] * 6
    centre.GetRASBounds(ras)
    crosshair.SetCursorPositionRAS([(ras[0] + ras[1]) / 2, (ras[2] + ras[3]) / 2, (ras[4] + ras[5]) / 2])
    wait(lambda: "Reference" in ready.ui.readoutLabel.text, 5)
    values = [reading.value for _t, _c, reading in ready.logic.readout(ready.panel.parameters, [99.0, 0.0, 0.0])]
    assert values == [None, None]


def test_by_hand_begins_with_what_was_automatic(ready: Any, settle: Callable[[], None]) -> None:
    automatic = ready.logic.window(ready.panel.parameters)
    ready.ui.windowComboBox.currentIndex = ready.ui.windowComboBox.findData("manual")
    settle()
    assert (ready.ui.windowLowSpinBox.value, ready.ui.windowHighSpinBox.value) == pytest.approx(automatic, abs=1e-3)
    ready.logic.setWindow(ready.panel.parameters, -1e9, 1e9)
    assert ready.panel.parameters.windowHigh == 1e6


def test_keys(ready: Any, settle: Callable[[], None]) -> None:
    space, difference, native = ready.panel.shortcuts._made
    difference.activated.emit()
    native.activated.emit()
    assert ready.panel.parameters.showDifference is False and ready.panel.parameters.native is True
    space.activated.emit()
    settle()
    assert ready.panel.parameters.mode == "flicker"


def test_an_empty_list_brings_the_layout_back(ready: Any, settle: Callable[[], None]) -> None:
    ready.ui.resultsList.setCurrentRow(0)
    ready.ui.removeButton.click()
    ready.ui.referenceSelector.setCurrentNode(None)
    settle()
    assert layout() == 3 and ready.ui.compareButton.enabled is False


def test_eight_volumes_in_three_rows(ready: Any, pair: tuple[Any, Any], settle: Callable[[], None]) -> None:
    import slicer

    for number in range(7):
        copy = slicer.modules.volumes.logic().CloneVolume(slicer.mrmlScene, pair[1], f"copy {number}")
        ready.logic.addVolume(ready.panel.parameters, copy)
    ready.panel.parameters.rows = "all"
    ready.panel.parameters.showDifference = False
    settle()
    names = slicer.app.layoutManager().sliceViewNames()
    assert {f"MedSR{row}{n}" for row in ("Axial", "Sagittal", "Coronal") for n in range(1, 10)} <= set(names)
    colors = [each.color for each in ready.logic.columns(ready.panel.parameters)]
    assert len(set(colors)) == 9
