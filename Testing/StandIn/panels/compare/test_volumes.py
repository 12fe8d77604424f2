"""Choosing what is compared: by clicks, with names and an order of one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def many(compare: Any) -> list[Any]:
    """Ten small volumes in the scene, and a label map that is not offered."""
    import numpy as np
    import slicer

    slicer.util.addVolumeFromArray(np.ones((2, 3, 4), np.uint8), name="mask", nodeClassName="vtkMRMLLabelMapVolumeNode")
    array = np.ones((2, 3, 4), np.float32)
    return [slicer.util.addVolumeFromArray(array, name=f"volume {letter}") for letter in "JIHGFEDCBA"]


def listed(compare: Any) -> list[str]:
    widget = compare.ui.resultsList
    return [widget.item(row).text() for row in range(widget.count)]


def test_nothing_chosen_says_what_to_do(compare: Any) -> None:
    assert compare.ui.compareButton.enabled is False
    assert "Add a volume" in compare.ui.compareButton.toolTip
    assert compare.ui.viewCollapsible.collapsed is True


def test_a_volume_is_added_by_choosing_it(compare: Any, many: list[Any], settle: Callable[[], None]) -> None:
    for node in (many[1], many[0], many[1]):
        compare.ui.addSelector.setCurrentNode(node)
        settle()
    assert listed(compare) == ["volume I", "volume J"]
    assert compare.ui.addSelector.currentNode() is None
    assert compare.ui.compareButton.enabled is True


def test_eight_at_most(compare: Any, many: list[Any], settle: Callable[[], None]) -> None:
    settle()
    compare.ui.addAllButton.click()
    settle()
    assert len(listed(compare)) == 8
    assert compare.ui.addSelector.enabled is False and "Eight" in compare.ui.addAllButton.toolTip
    with pytest.raises(ValueError, match="At most 8"):
        compare.logic.setVolumes(compare.panel.parameters, None, many)


def test_sorting_moving_removing(compare: Any, many: list[Any], settle: Callable[[], None]) -> None:
    ui = compare.ui
    compare.logic.setVolumes(compare.panel.parameters, None, many[:3])
    settle()
    ui.sortButton.click()
    settle()
    assert listed(compare) == ["volume H", "volume I", "volume J"]
    ui.resultsList.setCurrentRow(2)
    assert ui.downButton.enabled is False and ui.downButton.toolTip
    ui.upButton.click()
    ui.upButton.click()
    settle()
    assert listed(compare) == ["volume J", "volume H", "volume I"]
    ui.removeButton.click()
    settle()
    assert listed(compare) == ["volume H", "volume I"]


def test_a_sort_is_not_taken_for_a_drag(compare: Any, many: list[Any], settle: Callable[[], None]) -> None:
    """The timer that looks for drags may tick between the sort and the moment the list shows it."""
    compare.logic.setVolumes(compare.panel.parameters, None, many[:3])
    settle()
    before = listed(compare)
    compare.ui.sortButton.click()
    compare.panel.volumes._onOrder()
    settle()
    assert listed(compare) == sorted(before) != before


def test_dragging(compare: Any, many: list[Any], settle: Callable[[], None], wait: Callable[..., None]) -> None:
    compare.logic.setVolumes(compare.panel.parameters, None, many[:3])
    settle()
    widget = compare.ui.resultsList
    widget.insertItem(0, widget.takeItem(2))
    wait(lambda: compare.logic.columns(compare.panel.parameters)[0].title == "volume H", 5)


def test_a_title_renames_no_node(compare: Any, many: list[Any], settle: Callable[[], None]) -> None:
    compare.logic.setVolumes(compare.panel.parameters, None, many[:2])
    settle()
    compare.ui.resultsList.item(0).setText("A+ ×2; <mine>")
    settle()
    assert many[0].GetName() == "volume J"
    assert [c.title for c in compare.logic.columns(compare.panel.parameters)] == ["A+ ×2; <mine>", "volume I"]
    compare.ui.resultsList.item(0).setText("")
    settle()
    assert listed(compare) == ["volume J", "volume I"]


def test_an_unticked_volume_is_left_out(compare: Any, many: list[Any], settle: Callable[[], None]) -> None:
    import qt

    compare.logic.setVolumes(compare.panel.parameters, many[0], many[:3])
    settle()
    titles = [c.title for c in compare.logic.columns(compare.panel.parameters)]
    assert titles == ["Reference", "volume I", "volume H"], "the reference is not compared with itself"
    compare.ui.resultsList.item(1).setCheckState(qt.Qt.Unchecked)
    settle()
    assert [c.title for c in compare.logic.columns(compare.panel.parameters)] == ["Reference", "volume H"]


def test_equal_names_are_told_apart(compare: Any, many: list[Any]) -> None:
    compare.logic.setVolumes(compare.panel.parameters, None, many[:3], ["same", "same", "same"])
    titles = [c.title for c in compare.logic.columns(compare.panel.parameters)]
    assert titles == ["same", "same (2)", "same (3)"]


def test_a_deleted_volume_takes_no_other_name(
    compare: Any, many: list[Any], scene: Any, settle: Callable[[], None]
) -> None:
    compare.logic.setVolumes(compare.panel.parameters, None, many[:3], ["one", "two", "three"])
    scene.RemoveNode(many[1])
    settle()
    assert listed(compare) == ["one", "three"]


def test_what_medsr_made_is_offered_at_once(open_panel: Callable[[str], Any], scene: Any) -> None:
    import numpy as np
    import slicer

    array = np.ones((2, 3, 4), np.float32)
    for name in ("other", "T2w", "T2w fine"):
        slicer.util.addVolumeFromArray(array, name=name)
    made = slicer.util.getNode("T2w fine")
    made.SetAttribute("MedSR.method", "bspline")
    made.SetAttribute("MedSR.input", "T2w")
    assert listed(open_panel("MedSRCompare")) == ["T2w", "T2w fine"]
