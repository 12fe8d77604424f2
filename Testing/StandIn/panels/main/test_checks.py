"""What tells how far a result can be trusted: what it costs, which methods take it, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def ready(panel: Any, volume: Any) -> Any:
    panel.ui.inputSelector.setCurrentNode(volume)
    panel.panel.parameters.method = "back-projection"
    return panel


def test_the_cost_of_an_uncertainty_map_is_told_before_it_is_asked_for(ready: Any) -> None:
    ui, parameters = ready.ui, ready.panel.parameters
    assert "With the uncertainty map about" in ui.uncertaintyCostLabel.text
    speed = ready.panel.quality.speed()
    without = ready.logic.estimate(parameters, speed)
    ui.uncertaintyCheckBox.click()
    assert parameters.uncertainty is True
    assert ready.logic.estimate(parameters, speed).seconds > without.seconds
    assert ready.logic.estimate(parameters, speed, uncertainty=False) == without


def test_without_a_known_speed_the_factor_is_told(ready: Any) -> None:
    import slicer

    slicer.app.userSettings().setValue("MedSR/Machine", "{}")
    ready.panel.refresh()
    assert "eight times" in ready.ui.uncertaintyCostLabel.text


def test_what_was_measured_corrects_what_is_told(ready: Any) -> None:
    import slicer

    before = ready.ui.uncertaintyCostLabel.text
    slicer.app.userSettings().setValue("MedSR/Measured/back-projection/the processor", "20")
    ready.panel.refresh()
    assert ready.ui.uncertaintyCostLabel.text != before
    assert "min" in ready.ui.uncertaintyCostLabel.text


def test_of_an_interpolation_it_is_said_that_the_map_is_empty(ready: Any) -> None:
    ready.panel.parameters.method = "bspline"
    assert "empty" in ready.ui.uncertaintyCostLabel.text


def test_a_job_says_what_is_wanted(ready: Any) -> None:
    parameters = ready.panel.parameters
    assert not {"ensemble", "refine"} & ready.logic.job(parameters).keys()
    ready.ui.uncertaintyCheckBox.click()
    ready.ui.refineCheckBox.click()
    assert ready.logic.job(parameters) | {"ensemble": "flips", "refine": True} == ready.logic.job(parameters)


def test_labels_are_neither_averaged_nor_corrected(ready: Any) -> None:
    ui, parameters = ready.ui, ready.panel.parameters
    ui.uncertaintyCheckBox.click()
    ui.refineCheckBox.click()
    parameters.method = "nearest"
    assert not ui.uncertaintyCheckBox.enabled and not ui.refineCheckBox.enabled
    assert "labels" in ui.uncertaintyCheckBox.toolTip
    assert not {"ensemble", "refine"} & ready.logic.job(parameters).keys()
    parameters.method = "linear"
    assert ui.uncertaintyCheckBox.enabled and ui.uncertaintyCheckBox.checked


def test_both_maps_come_with_the_result_and_are_shown(ready: Any, wait: Callable[..., None], volume: Any) -> None:
    import slicer

    ui, panel = ready.ui, ready.panel
    panel.parameters.method, panel.parameters.device = "linear", "cpu"
    for box in (ui.consistencyCheckBox, ui.uncertaintyCheckBox, ui.refineCheckBox):
        box.click()
    ui.applyButton.click()
    wait(lambda: not panel.busy())
    assert ui.statusLabel.text.startswith("Done"), ui.statusLabel.text
    composite = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceCompositeNode()
    result = slicer.mrmlScene.GetNodeByID(composite.GetBackgroundVolumeID())
    assert float(result.GetAttribute("MedSR.consistency_after")) <= float(
        result.GetAttribute("MedSR.consistency_before")
    )
    ui.showUncertaintyButton.click()
    shown = slicer.mrmlScene.GetNodeByID(composite.GetForegroundVolumeID())
    assert shown.GetName() == f"{result.GetName()} uncertainty"
    assert shown.GetImageData().GetDimensions() == result.GetImageData().GetDimensions()
    assert shown.GetAttribute("MedSR.uncertainty_of") == result.GetName()
    assert shown.GetAttribute("MedSR.ensemble") == "flips (8 copies)"
    ui.showConsistencyButton.click()
    shown = slicer.mrmlScene.GetNodeByID(composite.GetForegroundVolumeID())
    assert shown.GetAttribute("MedSR.consistency_of") == result.GetName()
    assert shown.GetImageData().GetDimensions() == volume.GetImageData().GetDimensions()
