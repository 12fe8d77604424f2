"""Computations from the panel: a real one to its end, progress, cancel, and what else ends or prevents one."""

from __future__ import annotations

import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest


class FakeRun:
    """A run whose events and end the test decides."""

    def __init__(self) -> None:
        self.state, self.errorMessage = "running", ""
        self.measures, self.resampled, self.differences, self.notes = {}, {}, {}, ["a note"]
        self.events: list[dict[str, Any]] = []
        self.cancelled = self.cleaned = False

    def poll(self) -> list[dict[str, Any]]:
        events, self.events = self.events, []
        return events

    def cancel(self) -> None:
        self.cancelled = True

    def clean(self) -> None:
        self.cleaned = True


@pytest.fixture
def fake(chosen: Any, monkeypatch: pytest.MonkeyPatch) -> FakeRun:
    """The run that Compare starts."""
    run = FakeRun()
    monkeypatch.setattr(chosen.logic, "startRun", lambda parameters: run)
    chosen.ui.compareButton.click()
    return run


def test_the_self_test_of_the_module(compare: Any) -> None:
    import dialogs
    import MedSRCompare

    result = unittest.TestResult()
    MedSRCompare.MedSRCompareTest("test_volumes_are_compared_where_they_are").run(result)
    assert result.wasSuccessful(), (result.errors, result.failures)
    assert not any(message.startswith("Skipped") for message in dialogs.messages)


def test_compare_to_the_end(
    chosen: Any, pair: tuple[Any, Any], settle: Callable[[], None], wait: Callable[..., None]
) -> None:
    import slicer

    chosen.ui.compareButton.click()
    assert not chosen.ui.cancelButton.isHidden() and chosen.ui.compareButton.enabled is False
    assert "under way" in chosen.ui.compareButton.toolTip
    wait(lambda: not chosen.panel.runs.running)
    settle()
    assert chosen.ui.statusLabel.text.startswith("Done"), chosen.ui.statusLabel.text
    node = chosen.logic.differenceNode(chosen.panel.parameters, pair[1])
    inner = slicer.util.arrayFromVolume(node)[3:-3, 3:-3, 3:-3]
    np.testing.assert_allclose(inner, -10, atol=0.1)
    rows = {row.metric: row.values[0] for row in chosen.logic.measures(chosen.panel.parameters)[1]}
    assert rows["mae"] == pytest.approx(10, abs=0.5)
    assert chosen.ui.measuresTable.rowCount == len(rows)
    assert chosen.ui.wipeRadio.enabled is True and chosen.ui.cancelButton.isHidden()
    for name in ("slices_mae", "slices_psnr", "histogram", "bland_altman"):
        chosen.panel.parameters.chart = name
        assert chosen.logic.chart(chosen.panel.parameters) is not None, name


def test_the_report(chosen: Any, settle: Callable[[], None], wait: Callable[..., None], tmp_path: Path) -> None:
    import dialogs
    import slicer

    dialogs.answers["QFileDialog.getExistingDirectory"] = str(tmp_path)
    chosen.ui.reportButton.click()
    assert chosen.panel.runs.running
    wait(lambda: not chosen.panel.runs.running)
    assert "result" in (tmp_path / "report.html").read_text(encoding="utf-8"), chosen.ui.statusLabel.text
    assert (tmp_path / "metrics.csv").is_file()
    assert str(slicer.app._object.openedUrls[-1]).endswith("report.html")


def test_progress_and_cancel(chosen: Any, fake: FakeRun, settle: Callable[[], None]) -> None:
    fake.events = [{"event": "stage", "name": "Measuring"}, {"event": "progress", "fraction": 0.4, "eta_s": 9.0}]
    chosen.panel.runs._poll()
    assert chosen.ui.progressBar.value == 400 and "9 s left" in chosen.ui.statusLabel.text
    chosen.ui.cancelButton.click()
    button = chosen.ui.cancelButton
    assert fake.cancelled and button.enabled is False
    chosen.panel.runs.show()
    assert button.enabled is False and "being stopped" in button.toolTip, "it takes one press"
    fake.state = "cancelled"
    chosen.panel.runs._poll()
    assert chosen.ui.statusLabel.text.startswith("Cancelled") and chosen.ui.compareButton.enabled is True
    assert chosen.logic.shown(), "the views stay"
    fake.state = "running"
    chosen.ui.compareButton.click()
    assert button.enabled is True and "the views stay" in button.toolTip, "another run can be cancelled, too"


def test_a_failure_is_told_and_the_log_opens(chosen: Any, fake: FakeRun) -> None:
    fake.state, fake.errorMessage = "failed", "The mask is empty."
    chosen.panel.runs._poll()
    assert chosen.ui.statusLabel.text == "The mask is empty." and chosen.ui.logCollapsible.collapsed is False


def test_another_module_does_not_end_it(chosen: Any, fake: FakeRun) -> None:
    import slicer

    slicer.util.selectModule("Volumes")
    assert chosen.panel.runs.running and not fake.cleaned
    fake.state = "done"
    chosen.panel.runs._poll()
    assert "a note" in chosen.ui.logText.plainText and not chosen.logic.shown()


@pytest.mark.parametrize("leave", ["scene", "cleanup", "reload", "quit"])
def test_what_ends_it_at_once(
    chosen: Any, fake: FakeRun, scene: Any, leave: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from MedSRPanel import library

    monkeypatch.setattr(library, "forget", lambda: None)
    panel = chosen.panel
    actions = {
        "scene": lambda: scene.Clear(True),
        "cleanup": chosen.cleanup,
        "reload": panel.stop,
        "quit": chosen._onQuit,
    }
    actions[leave]()
    assert fake.cleaned and not panel.runs.running and not panel.runs._timer.isActive()


def test_without_packages_the_views_work(
    chosen: Any, settle: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    from MedSRPanel import packages

    monkeypatch.setattr(packages, "missing", lambda path, torch=True: ["pydantic", "jinja2"])
    chosen.panel.runs.look()
    assert not chosen.ui.setupCollapsible.isHidden() and "pydantic" in chosen.ui.setupLabel.text
    chosen.ui.compareButton.click()
    settle()
    assert chosen.logic.shown() and not chosen.panel.runs.running
    assert "Set up" in chosen.ui.statusLabel.text and "Set up" in chosen.ui.reportButton.toolTip
    installed: list[Any] = []
    monkeypatch.setattr(packages, "install", lambda names, path, torch=True: installed.extend(names))
    monkeypatch.setattr(packages, "missing", lambda path, torch=True: [] if installed else ["pydantic"])
    chosen.ui.setupButton.click()
    assert installed == ["pydantic"] and chosen.ui.setupCollapsible.isHidden()


def test_what_can_be_told_without_a_reference(chosen: Any, pair: tuple[Any, Any], settle: Callable[[], None]) -> None:
    import types

    chosen.ui.referenceSelector.setCurrentNode(None)
    chosen.ui.acquiredSelector.setCurrentNode(pair[0])
    settle()
    assert chosen.logic.needsRun(chosen.panel.parameters)
    found = {"rmse": 2.0, "relative": 0.03, "psi": 0.25, "lpc_si": None, "noise": 1.5}
    measures = {"unreferenced": {pair[1].GetID(): found}, "input_noise": 1.25}
    run = types.SimpleNamespace(measures=measures, resampled={pair[1].GetID(): ""}, differences={})
    chosen.logic.finishRun(chosen.panel.parameters, run)
    chosen.panel.refresh()
    table = chosen.ui.consistencyTable
    assert [table.item(row, 0).text() for row in range(table.rowCount)] == ["2", "3", "0.25", "1.5"]
    assert table.verticalHeaderItem(3).text() == "Noise (input: 1.25)"
    assert not any(table.item(row, 0).font().bold() for row in range(table.rowCount))
    assert "proves" in chosen.ui.checksInfoLabel.text
    assert "reference" in chosen.ui.reportButton.toolTip


def test_another_module_can_ask_for_a_comparison(
    compare: Any, pair: tuple[Any, Any], settle: Callable[[], None]
) -> None:
    import slicer

    compare.logic.startRun = lambda parameters: FakeRun()
    slicer.modules.MedSRCompareWidget.compareVolumes(None, list(pair), ["before", "after"])
    settle()
    assert [each.title for each in compare.logic.columns(compare.panel.parameters)] == ["before", "after"]
    assert compare.logic.shown() and compare.panel.runs.running


def test_results_that_come_while_views_are_made_are_shown(
    ready: Any, pair: tuple[Any, Any], settle: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    monkeypatch.setattr(ready.panel.view, "show", lambda: seen.append(True))
    ready.panel.showing = True  # as in the event loop of a refresh that goes on
    ready.panel.refresh()
    assert not seen and ready.panel.timer.isActive()
    ready.panel.showing = False
    settle()
    assert seen
