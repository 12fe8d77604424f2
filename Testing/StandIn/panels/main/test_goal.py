"""The goal of the panel: which voxels the result shall have, and what is off while another goal is chosen."""

from __future__ import annotations

from typing import Any


def test_isotropic_voxels_are_as_fine_as_the_finest_or_as_said(panel: Any, volume: Any) -> None:
    ui, parameters = panel.ui, panel.panel.parameters
    ui.inputSelector.setCurrentNode(volume)
    assert ui.isotropicSpinBox.text == "1 mm (finest)"
    assert panel.logic.job(parameters)["isotropic"] is True
    ui.isotropicSpinBox.setValue(0.5)
    job = panel.logic.job(parameters)
    assert job["spacing"] == [0.5, 0.5, 0.5] and "isotropic" not in job
    assert ui.resultInfoLabel.text.startswith("Result: 14 × 30 × 78 voxels of 0.5 × 0.5 × 0.5 mm")


def test_what_belongs_to_another_goal_says_why_it_is_off(panel: Any, volume: Any) -> None:
    ui = panel.ui
    ui.inputSelector.setCurrentNode(volume)
    assert ui.scaleX.enabled is False and ui.scaleX.toolTip == "Choose the goal Scale factor first."
    assert ui.likeSelector.enabled is False and "Same grid as" in ui.likeSelector.toolTip
    ui.scaleRadio.click()
    assert ui.scaleX.enabled is True and ui.scaleX.toolTip == "Scale factor along x."
    assert ui.isotropicSpinBox.enabled is False and "Isotropic" in ui.isotropicSpinBox.toolTip


def test_the_margin_waits_for_a_region(panel: Any, volume: Any) -> None:
    panel.ui.inputSelector.setCurrentNode(volume)
    assert panel.ui.marginSpinBox.enabled is False and "region first" in panel.ui.marginSpinBox.toolTip
    panel.ui.roiButton.click()
    assert panel.ui.marginSpinBox.enabled is True


def test_a_section_that_is_off_during_a_run_says_why(panel: Any, fake: Any) -> None:
    panel.ui.applyButton.click()
    assert panel.ui.superResolveCollapsible.enabled is False
    assert "under way" in panel.ui.superResolveCollapsible.toolTip
    fake.state = "cancelled"
    panel.panel._poll()
    assert panel.ui.superResolveCollapsible.enabled is True and panel.ui.superResolveCollapsible.toolTip == ""
