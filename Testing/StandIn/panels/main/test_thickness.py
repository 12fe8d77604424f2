"""How thick the slices are: found where the scene still has it, else typed, and told to the job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


class Database:
    """As `slicer.dicomDatabase`, with one series whose slices are 4 mm thick and 5 mm apart."""

    isOpen = True

    def instanceValue(self, uid: str, tag: str) -> str:
        return {("1.2.3", "0018,0050"): "4.0", ("1.2.3", "0018,0088"): "5.0"}.get((uid, tag), "")


@pytest.fixture
def thick(panel: Any, scene: Any) -> Any:
    import numpy as np
    import slicer

    node = slicer.util.addVolumeFromArray(np.zeros((8, 30, 30), dtype=np.float32), name="CT Thorax")
    node.SetSpacing(0.7, 0.7, 5)
    panel.ui.inputSelector.setCurrentNode(node)
    return node


@pytest.fixture
def dicom(thick: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    import slicer

    monkeypatch.setattr(slicer, "dicomDatabase", Database(), raising=False)
    thick.SetAttribute("DICOM.instanceUIDs", "1.2.3 1.2.4")
    return thick


def seen(part: Any) -> bool:
    return bool(part.isVisibleTo(part.parent()))


def test_what_dicom_files_tell_is_shown_and_used(panel: Any, dicom: Any) -> None:
    panel.panel.refresh()
    ui, parameters = panel.ui, panel.panel.parameters
    assert seen(ui.thicknessSpinBox) and ui.thicknessSpinBox.text == "4 mm (DICOM)"
    assert not seen(ui.thicknessInfoLabel) and parameters.thickness == 0
    assert panel.logic.job(parameters)["options"] == {"thickness_mm": 4.0}
    ui.thicknessSpinBox.setValue(4.5)
    assert panel.logic.job(parameters)["options"] == {"thickness_mm": 4.5}


def test_where_nobody_tells_it_is_asked_for(panel: Any, thick: Any) -> None:
    ui = panel.ui
    assert ui.thicknessSpinBox.text == "5 mm (distance of the slices)"
    assert seen(ui.thicknessInfoLabel) and "Give it" in ui.thicknessInfoLabel.text
    assert "options" not in panel.logic.job(panel.panel.parameters)
    ui.thicknessSpinBox.setValue(3)
    assert not seen(ui.thicknessInfoLabel)
    assert panel.logic.job(panel.panel.parameters)["options"] == {"thickness_mm": 3.0}


def test_the_checks_and_back_projection_are_told_too(panel: Any, dicom: Any, choose: Callable[..., None]) -> None:
    parameters = panel.panel.parameters
    choose(panel.ui.methodComboBox, "bspline")
    assert not seen(panel.ui.thicknessSpinBox)
    parameters.refine = True
    assert seen(panel.ui.thicknessSpinBox) and panel.logic.job(parameters)["thickness"] == 4.0
    choose(panel.ui.methodComboBox, "back-projection")
    assert panel.logic.job(parameters)["options"] == {"thickness": 4.0}
    panel.logic.setOption(parameters, "back-projection", "acquisition", "kspace")
    assert "thickness" not in panel.logic.job(parameters)["options"]


def test_it_is_not_taken_for_the_width_of_voxels_within_slices(panel: Any, dicom: Any) -> None:
    """Where other axes get finer too, one number would stand for all of them."""
    parameters = panel.panel.parameters
    parameters.method, parameters.refine, parameters.goal = "back-projection", True, "scale"
    job = panel.logic.job(parameters)
    assert "thickness" not in job and "options" not in job


def test_another_input_has_a_thickness_of_its_own(panel: Any, dicom: Any, scene: Any) -> None:
    import numpy as np
    import slicer

    panel.ui.thicknessSpinBox.setValue(3)
    other = slicer.util.addVolumeFromArray(np.zeros((20, 20, 20), dtype=np.float32), name="CT Head")
    assert panel.logic.thickness(panel.panel.parameters, other) is None
    panel.ui.inputSelector.setCurrentNode(other)
    assert panel.panel.parameters.thickness == 0 and not seen(panel.ui.thicknessSpinBox)
    assert panel.logic.thickness(panel.panel.parameters, dicom) == 4.0


def test_a_folder_is_not_told_what_was_found_for_the_input(panel: Any, dicom: Any) -> None:
    parameters = panel.panel.parameters
    parameters.refine = True
    job = panel.logic.job(parameters)
    assert job["options"]["thickness_mm"] == job["thickness"] == 4.0
    found = panel.logic.ofAnyVolume(parameters, job)
    assert "thickness" not in found and "options" not in found
    parameters.thickness = 3.0
    assert panel.logic.ofAnyVolume(parameters, panel.logic.job(parameters))["options"] == {"thickness_mm": 3.0}
