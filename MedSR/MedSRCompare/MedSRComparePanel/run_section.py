"""The computations: one at a time, in a process of its own, with progress and cancel; and the packages they need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer
from MedSRPanel.section import Section, enable
from slicer.i18n import tr as _

from MedSRComparePanel.files import ask_for_folder

_POLL_MS = 100


class RunSection(Section):
    """Set up, Compare, Export report, progress, Cancel, log."""

    def __init__(self, panel: Any) -> None:
        from MedSRPanel.run_view import RunView

        super().__init__(panel)
        self.run: Any = None
        self._done: Callable[[Any], None] | None = None
        self._view = RunView(self.ui)
        self._timer = qt.QTimer(self.ui.cancelButton)
        self._timer.setInterval(_POLL_MS)
        self._timer.connect("timeout()", self._poll)
        self._missing: list[str] = []
        self._what = ""
        self._stopping = False

    def connect(self) -> None:
        ui = self.ui
        ui.setupButton.connect("clicked(bool)", self._onSetup)
        ui.compareButton.connect("clicked(bool)", self._onCompare)
        ui.cancelButton.connect("clicked(bool)", self._onCancel)
        ui.reportButton.connect("clicked(bool)", self._onReport)

    def look(self) -> None:
        """Find out which packages are missing."""
        from MedSRPanel import packages

        self._missing = self.logic.missingPackages()
        ui = self.ui
        ui.setupCollapsible.visible = bool(self._missing)
        if self._missing:
            told = _("The views and profiles work without them; measures, differences and reports do not.")
            ui.setupLabel.text = packages.explanation(self._missing) + told
            ui.setupButton.toolTip = _("Download and install {names}.").format(names=", ".join(self._missing))

    @property
    def running(self) -> bool:
        """Whether a computation is under way."""
        return self.run is not None and self.run.state == "running"

    def show(self) -> None:
        parameters, ui = self.parameters, self.ui
        busy = _("A computation is under way; cancel it first.") if self.running else ""
        reason = busy or self.logic.whyNot(parameters)
        enable(ui.compareButton, reason, _("Show the volumes, and compute differences and measures."))
        ui.compareButton.text = _("Compare again") if self.logic.shown() else _("Compare")
        report = busy or self._packagesReason() or self.logic.whyNoReport(parameters)
        enable(
            ui.reportButton, report, _("Pictures, differences, measures and profiles as one page that opens offline.")
        )
        ui.cancelButton.visible = self.running
        stopping = _("The computation is being stopped.") if self._stopping else ""
        enable(ui.cancelButton, stopping, _("Stop the computation; the views stay."))

    def stop(self) -> None:
        """End a computation at once: the scene, the panel or Slicer goes away."""
        self._timer.stop()
        run, self.run = self.run, None
        if run is not None:
            run.clean()
            self._view.end("cancelled", "")

    def say(self, text: str) -> None:
        """One line under the button."""
        self._view.say(text)

    def note(self, text: str) -> None:
        """One line in the log."""
        self._view.note(text)

    def _packagesReason(self) -> str:
        return _("Packages are missing. Press Set up above.") if self._missing else ""

    def _onCompare(self, checked: bool = False) -> None:
        parameters = self.parameters
        first = not parameters.shown
        parameters.shown = True
        if first:
            self.ui.viewCollapsible.collapsed = False
        if self._missing:
            self.say(self._packagesReason())
        elif self.logic.needsRun(parameters):
            self._what = _("differences and measures are there")
            self._start(_("Comparing"), self.logic.startRun(parameters), self._onCompared)
        self.panel.refresh()

    def _onCompared(self, run: Any) -> None:
        self.logic.finishRun(self.parameters, run)
        for note in getattr(run, "notes", ()):
            self.note(note)

    def _onReport(self, checked: bool = False) -> None:
        folder = ask_for_folder(_("Folder for the report"))
        if folder:
            run = self.panel.attempt(lambda: self.logic.startReport(self.parameters, folder))
            if run is not None:
                self._what = _("report in {folder}").format(folder=folder)
                self._start(_("Report in {folder}").format(folder=folder), run, self._onReported)

    def _onReported(self, run: Any) -> None:
        qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(run.page)))

    def _start(self, text: str, run: Any, done: Callable[[Any], None]) -> None:
        self._view.begin(text)
        self.run, self._done, self._stopping = run, done, False
        if self.running:
            self._timer.start()
            self.show()
        else:
            self._finish()

    def _poll(self) -> None:
        if self.run is None:
            self._timer.stop()
            return
        for event in self.run.poll():
            self._view.hear(event)
        if not self.running and self.run is not None:
            self._finish()

    def _finish(self) -> None:
        """Show how the computation ended."""
        self._timer.stop()
        run, self.run = self.run, None
        if run.state == "done":
            self._done(run)
        self._view.end(run.state, run.errorMessage, self._what)
        if run.state == "failed":
            self.ui.logCollapsible.collapsed = False
        self.panel.refresh()

    def _onCancel(self, checked: bool = False) -> None:
        if self.running:
            self.run.cancel()
            self._view.cancelling()
            self._stopping = True
            self.show()

    def _onSetup(self, checked: bool = False) -> None:
        from MedSRPanel import packages

        try:
            self.logic.installPackages()
        except packages.SetupError as error:
            self.note(str(error))
            slicer.util.errorDisplay(str(error))
        self.look()
        self.panel.refresh()
