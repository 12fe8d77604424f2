"""The panel of MedSR Compare, opened as a user does, and volumes to compare."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def compare(open_panel: Callable[[str], Any]) -> Any:
    """The widget of the module, entered."""
    return open_panel("MedSRCompare")


@pytest.fixture
def settle(compare: Any, wait: Callable[..., None]) -> Callable[[], None]:
    """Let the panel show what was changed."""

    def until() -> None:
        import slicer

        slicer.app.processEvents()
        wait(lambda: not compare.panel.timer.isActive(), 10)

    return until


@pytest.fixture
def pair(compare: Any) -> tuple[Any, Any]:
    """A ball, and the same 10 darker at the same place of the patient, under a transform of its own."""
    import MedSRCompare

    reference, result = MedSRCompare.MedSRCompareTest()._obliquePair()
    return reference, result


@pytest.fixture
def chosen(compare: Any, pair: tuple[Any, Any], settle: Callable[[], None]) -> Any:
    """The widget with the reference and one volume chosen."""
    compare.ui.referenceSelector.setCurrentNode(pair[0])
    compare.ui.addSelector.setCurrentNode(pair[1])
    settle()
    return compare


@pytest.fixture
def ready(chosen: Any, pair: tuple[Any, Any], settle: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> Any:
    """As after Compare: in the views, with results of a run that a test does not wait for."""
    panel = chosen.panel
    monkeypatch.setattr(chosen.logic, "needsRun", lambda parameters: False)
    chosen.ui.compareButton.click()
    chosen.logic.finishRun(panel.parameters, done_run(pair))
    panel.refresh()
    settle()
    return chosen


@pytest.fixture
def line(compare: Any, pair: tuple[Any, Any]) -> Any:
    """A line from the middle of the ball outwards, in the scene."""
    import MedSRCompare

    return MedSRCompare.MedSRCompareTest()._lineThrough(pair[0])


def done_run(pair: tuple[Any, Any]) -> Any:
    """What a `CompareRun` of the pair gives."""
    import numpy as np
    import slicer
    import vtk
    from MedSRScene import derived

    reference, result = pair
    made = []
    for name, value in (("resampled", None), ("difference", -10.0)):
        array = slicer.util.arrayFromVolume(reference).astype(np.float32)
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", f"{result.GetName()} {name}")
        derived.mark(node)
        matrix = vtk.vtkMatrix4x4()
        reference.GetIJKToRASMatrix(matrix)
        node.SetIJKToRASMatrix(matrix)
        slicer.util.updateVolumeFromArray(node, array - 10 if value is None else np.full_like(array, value))
        node.CreateDefaultDisplayNodes()
        made.append(node.GetID())
    key = result.GetID()
    measures = {
        "keys": [key],
        "metrics": {key: {"psnr": {"whole": 20.0, "mask": 18.0}, "mae": {"whole": 10.0, "mask": None}}},
        "data_range": 100.0,
        "limit": 12.0,
        "slices": {
            axis: {"mae": {key: [10.0, None, 9.0]}, "psnr": {key: [20.0, None, 21.0]}, "position_mm": [0.0, 1.5, 3.0]}
            for axis in "ijk"
        },
        "histogram": {"edges": [-12.0, -4.0, 4.0, 12.0], "counts": {key: [7, 1, 0]}},
        "bland_altman": {key: {"mean": [1.0, 2.0], "difference": [-10, -9], "bias": -9.5, "low": -10.5, "high": -8.5}},
        "notes": {key: []},
    }
    return types.SimpleNamespace(
        state="done", errorMessage="", measures=measures, resampled={key: made[0]}, differences={key: made[1]}, notes=[]
    )
