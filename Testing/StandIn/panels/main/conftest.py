"""The panel of MedSR, opened as a user does, on a machine that has told already what it can."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MODULE = Path(__file__).resolve().parents[4] / "MedSR" / "MedSR"
MACHINE = {
    "devices": [
        {"name": "cpu", "title": "Processor, 2 cores", "free_gb": 21.5, "works": True, "reason": ""},
        {"name": "cuda:0", "title": "New Card", "free_gb": None, "works": False, "reason": "No kernel image."},
    ],
    "best": "cpu",
    "speed": {"cpu": {"flops": 1e11, "voxels": 1e7}},
}


@pytest.fixture
def panel(scene: Any, open_panel: Callable[[str], Any]) -> Any:
    """The widget of the module, entered."""
    import slicer
    from MedSRPanel.quality_section import QualitySection

    QualitySection.asked = True
    slicer.app.userSettings().setValue("MedSR/Machine", json.dumps(MACHINE))
    return open_panel("MedSR")


class FakeRun:
    """A run whose events and end the test decides."""

    def __init__(self) -> None:
        self.state, self.resultNodeID, self.errorMessage = "running", None, ""
        self.consistencyNodeID = self.uncertaintyNodeID = None
        self.events: list[dict[str, Any]] = []
        self.result: dict[str, Any] = {}
        self.cancelled = self.cleaned = False

    def poll(self) -> list[dict[str, Any]]:
        events, self.events = self.events, []
        return events

    def cancel(self) -> None:
        self.cancelled = True

    def clean(self) -> None:
        self.cleaned = True


@pytest.fixture
def fake(panel: Any, volume: Any, monkeypatch: pytest.MonkeyPatch) -> FakeRun:
    """A run in the place of the one that Apply would start."""
    run = FakeRun()
    monkeypatch.setattr(panel.logic, "start", lambda parameters: run)
    panel.ui.inputSelector.setCurrentNode(volume)
    return run


@pytest.fixture
def choose() -> Callable[[Any, str], None]:
    """Choose the item of a combo box by its value."""

    def by_value(combo: Any, value: str) -> None:
        combo.currentIndex = combo.findData(value)
        assert combo.currentData == value

    return by_value
