"""The lower part of the panel: what a run is doing, how long it will take, and how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from slicer.i18n import tr as _

from MedSRPanel import wording

FULL = 1000


class RunView:
    """Shows a run in the widgets of the panel.

    Args:
        ui: the widgets by name: progressBar, statusLabel, logText.
        now: the clock, in seconds.

    Attributes:
        took: seconds that the last run took.
    """

    def __init__(self, ui: Any, now: Callable[[], float] = time.monotonic) -> None:
        self.took = 0.0
        self._ui = ui
        self._now = now
        self._startedAt = 0.0
        self._stage = ""
        self._warnings: list[str] = []
        ui.progressBar.visible = False
        ui.statusLabel.visible = False

    def begin(self, text: str) -> None:
        """A run starts; the log says which."""
        self._startedAt = self._now()
        self._stage = ""
        self._warnings = []
        self._ui.progressBar.value = 0
        self._ui.progressBar.visible = True
        self.say(_("Starting…"))
        self.note(text)

    def hear(self, event: dict[str, Any]) -> None:
        """Show one event of the run."""
        kind = event["event"]
        if kind == "stage":
            self._stage = str(event.get("name", ""))
            self.say(self._stage)
            self.note(self._stage)
        elif kind == "progress":
            self._advance(float(event.get("fraction") or 0.0), event.get("eta_s"))
        elif kind == "log":
            message = str(event.get("message", ""))
            if event.get("level") == "warning":
                self._warnings.append(message)
                message = _("Warning: {message}").format(message=message)
            self.note(message)

    def cancelling(self) -> None:
        """The user has asked the run to stop."""
        self.say(_("Cancelling…"))
        self.note(_("Cancel was pressed."))

    def end(self, state: str, message: str, name: str = "", guide: str = "") -> None:
        """The run has ended: "done", "cancelled" or "failed".

        Args:
            state: one of these.
            message: why it failed.
            name: of the result.
            guide: what was done to the guide, if there was one; of several, each with its name.
        """
        self.took = self._now() - self._startedAt
        took = wording.duration_text(self.took)
        if state == "done":
            told = _("Done in {time}: {name}").format(time=took, name=name)
            moved = wording.guide_texts(guide)
            told = "\n".join([told, *moved, *(f"⚠ {warning}" for warning in self._warnings)])
        elif state == "cancelled":
            told = _("Cancelled. Nothing was changed.")
        else:
            told = message or _("The run failed. The log says more.")
        self._ui.progressBar.visible = False
        self.say(told)
        self.note(told)

    def say(self, text: str) -> None:
        """One thing under the button; empty hides it."""
        self._ui.statusLabel.text = text
        self._ui.statusLabel.visible = bool(text)

    def note(self, text: str) -> None:
        """A line in the log."""
        self._ui.logText.appendPlainText(text)

    def _advance(self, fraction: float, eta: float | None) -> None:
        self._ui.progressBar.value = round(fraction * FULL)
        parts = [self._stage] if self._stage else []
        if eta is not None and 0 < fraction < 1:
            parts.append(_("{time} left").format(time=wording.duration_text(eta)))
        if parts:
            self.say(" · ".join(parts))
