"""The lower part of the panel: a training under way, its curves and picture, and the model it leaves."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import qt
from slicer.i18n import tr as _

from MedSRTrainPanel import telling
from MedSRTrainPanel.curves import Curves

if TYPE_CHECKING:
    from MedSRScene.train_run import TrainRun

    from MedSRLib.models.card import ModelCard

FULL = 1000
_PICTURE_WIDTH = 420


class RunSection:
    """Shows a run, or what the folder of an earlier one holds.

    Args:
        ui: the widgets by name.
        now: the clock, in seconds.

    Attributes:
        folder: of the run that is shown, or None.
        card: of the finished model that is shown, or None.
    """

    def __init__(self, ui: Any, now: Callable[[], float] = time.monotonic) -> None:
        self._ui, self._now = ui, now
        self._startedAt = 0.0
        self._stage = ""
        self._step = ""
        self.folder: Path | None = None
        self.card: ModelCard | None = None
        self._pictured: tuple[Path, int] | None = None
        self._curves = Curves(ui.curvesFrame)
        for part in (ui.progressBar, ui.statusLabel, ui.progressCollapsible, ui.cardCollapsible):
            part.visible = False

    def begin(self, text: str) -> None:
        """A run, or a check, starts; the log says which."""
        ui = self._ui
        self._startedAt, self._stage, self._step = self._now(), "", ""
        ui.progressBar.value = 0
        ui.progressBar.visible = True
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
        elif kind == "metric" and event["name"] == "loss":
            self._step = _("step {step}").format(step=event["step"])
        elif kind == "metric":
            self.note(_("{told} at step {step}").format(told=_psnr(event), step=event["step"]))
        elif kind == "log":
            warning = event.get("level") == "warning"
            message = str(event.get("message", ""))
            self.note(_("Warning: {message}").format(message=message) if warning else message)

    def follow(self, run: TrainRun) -> None:
        """Show the curves and the picture of a run as they are now."""
        self.folder = run.folder
        self._draw(run.figures, run.previewPath)

    def look(self, folder: Path) -> None:
        """Show what the run in a folder has left: curves, picture and, when it is finished, the model.

        A folder without a run changes nothing: the last run stays in sight.
        """
        from MedSRScene import train_run

        state = train_run.stateOf(folder)
        if folder == self.folder or not state:
            return
        self.folder = folder
        self._draw(train_run.figuresOf(folder), train_run.previewOf(folder))
        self.showModel(folder if state == "finished" else None)

    def showModel(self, folder: Path | None) -> None:
        """Show the card of the model that a finished run has left in its folder; None hides it."""
        from MedSRScene import train_run

        from MedSRLib.errors import ModelError
        from MedSRLib.models import library
        from MedSRLib.models.card import read_card

        path = None if folder is None else train_run.modelOf(folder)
        try:
            self.card = None if path is None else read_card(path)
        except ModelError as error:
            self.card = None
            self.note(str(error))
        ui = self._ui
        ui.cardCollapsible.visible = self.card is not None
        ui.cardLabel.text = "" if self.card is None else telling.card(self.card)
        ui.useButton.enabled = self.card is not None and self.card.name in library.names()
        ui.useButton.toolTip = (
            _("Open MedSR with this model chosen.")
            if ui.useButton.enabled
            else _("The model is not in the library. Import it in MedSR first.")
        )

    def end(self, text: str) -> None:
        """The run, or the check, has ended; the text says how."""
        self._ui.progressBar.visible = False
        self.say(text)
        self.note(text)

    def fail(self, text: str) -> None:
        """The run, or the check, has failed; the text says why, and the log opens."""
        self.end(text)
        self._ui.logCollapsible.collapsed = False

    def took(self) -> str:
        """The time since the begin, in words."""
        from MedSRPanel import wording

        return wording.duration_text(self._now() - self._startedAt)

    def say(self, text: str) -> None:
        """One thing under the buttons; empty hides it."""
        self._ui.statusLabel.text = text
        self._ui.statusLabel.visible = bool(text)

    def note(self, text: str) -> None:
        """A line in the log."""
        self._ui.logText.appendPlainText(text)

    def clean(self) -> None:
        """Let go of the plots."""
        self._curves.clean()

    def _advance(self, fraction: float, eta: float | None) -> None:
        from MedSRPanel import wording

        self._ui.progressBar.value = round(fraction * FULL)
        parts = [part for part in (self._stage, self._step) if part]
        if eta is not None and 0 < fraction < 1:
            parts.append(_("{time} left").format(time=wording.duration_text(eta)))
        if parts:
            self.say(" · ".join(parts))

    def _draw(self, figures: list[Any], preview: Path | None) -> None:
        ui = self._ui
        ui.progressCollapsible.visible = bool(figures) or preview is not None
        ui.progressCollapsible.text = _("Progress of {name}").format(name=self.folder.name)
        if (len(figures), str(figures[-1:])) != self._curves.shown:
            self._curves.update(figures)
        validations = [figure for figure in figures if figure.name == "validation_psnr"]
        ui.curvesLabel.text = _verdict(validations[-1]) if validations else ""
        ui.curvesLabel.visible = bool(validations)
        self._drawPreview(preview)

    def _drawPreview(self, path: Path | None) -> None:
        stamp = None if path is None or not path.is_file() else (path, path.stat().st_mtime_ns)
        if stamp == self._pictured:
            return
        self._pictured = stamp
        ui, picture = self._ui, qt.QPixmap()
        loaded = stamp is not None and picture.load(str(path))
        if loaded:
            ui.previewLabel.setPixmap(picture.scaledToWidth(_PICTURE_WIDTH, qt.Qt.SmoothTransformation))
        ui.previewLabel.visible = loaded
        ui.previewCaption.visible = loaded
        ui.previewCaption.text = _("input  |  model now  |  truth")


def _psnr(event: dict[str, Any]) -> str:
    return _("Validation {value:.2f} dB").format(value=event["value"])


def _verdict(figure: Any) -> str:
    """Whether the model beats cubic interpolation by now."""
    if figure.cubic is None:
        return _("Validation: {value:.2f} dB.").format(value=figure.value)
    told = _("{gain:.2f} dB better than cubic interpolation ({value:.2f} against {cubic:.2f} dB).")
    if figure.value <= figure.cubic:
        told = _("Not yet better than cubic interpolation ({value:.2f} against {cubic:.2f} dB).")
    return told.format(gain=figure.value - figure.cubic, value=figure.value, cubic=figure.cubic)
