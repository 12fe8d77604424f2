"""The rows for the options of a method: made of what the library says, kept with the scene, given to the job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Choose = Callable[[Any, str], None]


@pytest.fixture
def thick(panel: Any, scene: Any) -> Any:
    """A CT with thick slices as the input: self-training is recommended."""
    import numpy as np
    import slicer

    node = slicer.util.addVolumeFromArray(np.zeros((8, 30, 30), dtype=np.float32), name="CT Thorax")
    node.SetSpacing(0.7, 0.7, 5)
    panel.ui.inputSelector.setCurrentNode(node)
    return node


def rows(panel: Any) -> dict[str, Any]:
    section = panel.panel.options
    return {row.option.name: row for row in section._pages[section._method][1]}


def seen(part: Any) -> bool:
    return bool(part.isVisibleTo(part.parent()))


def test_every_option_has_a_row_with_its_default_and_its_sentence(panel: Any, thick: Any) -> None:
    found = rows(panel)
    assert list(found) == ["preset", "steps", "profile", "consistent"]
    assert panel.ui.advancedCollapsible.text == "Advanced: options of Self-training on the scan"
    assert panel.ui.advancedCollapsible.collapsed is True
    assert found["preset"].widget.currentText == "quick" and "minutes" in found["preset"].widget.toolTip
    assert found["consistent"].widget.checked is True
    assert found["steps"]._automatic.checked is True and found["steps"]._spin.enabled is False
    assert "automatic" in found["steps"]._spin.toolTip
    assert "options" not in panel.logic.job(panel.panel.parameters)


def test_what_is_chosen_reaches_the_job_and_the_estimate(panel: Any, thick: Any) -> None:
    parameters, found = panel.panel.parameters, rows(panel)
    quick = panel.logic.estimate(parameters, panel.panel.quality.speed()).seconds
    found["preset"].widget.currentIndex = 1
    assert panel.logic.job(parameters)["options"] == {"preset": "full"}
    assert panel.logic.estimate(parameters, panel.panel.quality.speed()).seconds > 3 * quick
    found["consistent"].widget.click()
    found["steps"]._automatic.click()
    found["steps"]._spin.setValue(20)
    assert panel.logic.job(parameters)["options"] == {"preset": "full", "consistent": False, "steps": 20}
    found["steps"]._automatic.click()
    assert "steps" not in panel.logic.job(parameters)["options"]


def test_every_method_keeps_its_own_options_and_defaults_come_back(panel: Any, thick: Any, choose: Choose) -> None:
    parameters, ui = panel.panel.parameters, panel.ui
    assert ui.optionsResetButton.enabled is False and "defaults" in ui.optionsResetButton.toolTip
    rows(panel)["preset"].widget.currentIndex = 1
    choose(ui.methodComboBox, "back-projection")
    rows(panel)["iterations"].widget.setValue(5)
    assert panel.logic.job(parameters)["options"] == {"iterations": 5}
    choose(ui.methodComboBox, "self-training")
    assert rows(panel)["preset"].widget.currentText == "full"
    assert panel.logic.job(parameters)["options"] == {"preset": "full"}
    ui.optionsResetButton.click()
    assert rows(panel)["preset"].widget.currentText == "quick" and "options" not in panel.logic.job(parameters)
    choose(ui.methodComboBox, "bspline")
    assert not seen(ui.advancedCollapsible)


def test_options_come_back_with_the_scene(panel: Any, thick: Any, scene: Any, tmp_path: Any) -> None:
    import slicer

    rows(panel)["preset"].widget.currentIndex = 1
    assert slicer.util.saveScene(str(tmp_path / "scene.mrml"))
    scene.Clear(False)
    assert panel.panel.parameters.methodOptions == "{}"
    slicer.util.loadScene(str(tmp_path / "scene.mrml"))
    assert panel.logic.options(panel.panel.parameters, "self-training") == {"preset": "full"}
    assert rows(panel)["preset"].widget.currentText == "full"


def test_limits_are_those_of_the_method(panel: Any, thick: Any, choose: Choose) -> None:
    choose(panel.ui.methodComboBox, "back-projection")
    found = rows(panel)
    assert (found["iterations"].widget.minimum, found["iterations"].widget.maximum) == (0, 1000)
    assert found["discrepancy"].widget.minimum == pytest.approx(0.001) and found["discrepancy"].widget.maximum == 10
    assert found["noise"]._spin.minimum == 0


def test_options_that_do_not_fit_are_told_before_the_start(panel: Any, thick: Any, choose: Choose) -> None:
    choose(panel.ui.methodComboBox, "back-projection")
    panel.logic.setOption(panel.panel.parameters, "back-projection", "iterations", -1)
    assert panel.ui.applyButton.enabled is False and "iterations" in panel.ui.applyButton.toolTip


def test_a_run_with_options(panel: Any, volume: Any, wait: Callable[..., None], scene: Any) -> None:
    import json

    panel.ui.inputSelector.setCurrentNode(volume)
    panel.panel.parameters.method = "back-projection"
    rows(panel)["iterations"].widget.setValue(3)
    panel.ui.applyButton.click()
    wait(lambda: not panel.panel.busy())
    assert panel.ui.statusLabel.text.startswith("Done in "), panel.ui.statusLabel.text
    result = next(n for n in scene.GetNodesByClass("vtkMRMLScalarVolumeNode") if n.GetAttribute("MedSR.settings"))
    assert json.loads(result.GetAttribute("MedSR.settings"))["options"] == {"iterations": 3}


def test_other_kinds_of_options_have_rows_too(module: Any, scene: Any) -> None:
    from MedSRPanel import option_rows

    from MedSRLib.methods.options import Option

    told: list[Any] = []
    line = option_rows.row(
        Option("sizes", "text", (1, 2), "Two sizes."), lambda name, value: told.append((name, value))
    )
    line.show([1, 2])
    assert line.widget.text == "[1, 2]" and option_rows.title(line.option) == "Sizes:" and not told
    line.widget.text = "[3, 4]"
    line.widget.editingFinished.emit()
    line.widget.text = "as it is"
    line.widget.editingFinished.emit()
    assert told == [("sizes", [3, 4]), ("sizes", "as it is")]
