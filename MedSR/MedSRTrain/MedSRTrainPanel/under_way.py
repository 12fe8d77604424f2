"""The training or the check that is under way: started, polled, stopped, and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
from slicer.i18n import tr as _

from MedSRTrainPanel.run_section import RunSection


class UnderWay:
    """At most one training or check at a time.

    Args:
        logic: of the module.
        timer: polls what is under way; not started yet.
        shown: shows what it tells.
        changed: called when something has begun or ended.
        checked: called with the result of a check.

    Attributes:
        run: the training, or None.
        check: the check, or None.
        asked: whether the training was asked to stop already.
    """

    def __init__(
        self,
        logic: Any,
        timer: Any,
        shown: RunSection,
        changed: Callable[[], None],
        checked: Callable[[dict[str, Any]], None],
    ) -> None:
        self.run: Any = None
        self.check: Any = None
        self.asked = False
        self._logic, self._timer, self._shown = logic, timer, shown
        self._changed, self._checked = changed, checked
        timer.connect("timeout()", self.poll)

    def busy(self) -> str:
        """What is under way, in the user's words; empty if nothing is."""
        if self.run is not None:
            return _("A training is running.")
        return _("The volumes are being looked at.") if self.check is not None else ""

    def startCheck(self, parameters: Any) -> None:
        """Start to look at the volumes and to time a few steps."""
        self._shown.begin(_("Check of {path}").format(path=parameters.data))
        self.check = self._logic.check(parameters)
        self._started()

    def start(self, parameters: Any) -> None:
        """Start a new training."""
        self._shown.begin(_("Training of {name}").format(name=parameters.modelName))
        self.run = self._logic.start(parameters)
        self._started()

    def resume(self, parameters: Any) -> None:
        """Go on with the training in the folder."""
        self._shown.begin(_("Going on in {folder}").format(folder=self._logic.folder(parameters)))
        try:
            self.run = self._logic.resume(parameters)
        except OSError as error:
            self._shown.end(str(error))
            slicer.util.errorDisplay(str(error))
            return
        self._started()

    def stop(self) -> None:
        """Ask the training to save its step and stop; asked again, or a check, it is ended at once."""
        under = self.run or self.check
        if under is None:
            return
        if self.asked or self.check is not None:
            under.clean()
            self.poll()
            return
        self.asked = True
        under.cancel()
        self._shown.say(_("Saving the step, then stopping…"))
        self._shown.note(_("Stop was pressed."))
        self._changed()

    def poll(self) -> None:
        """Hear what is under way; the timer calls this."""
        under = self.run or self.check
        if under is None:
            self._timer.stop()
            return
        events = under.poll()
        last = max((n for n, event in enumerate(events) if event["event"] == "progress"), default=-1)
        for n, event in enumerate(events):
            if (event["event"] != "progress" or n == last) and not self.asked:
                self._shown.hear(event)
        if self.run is not None and any(event["event"] in ("metric", "preview") for event in events):
            self._shown.follow(self.run)
        if under.state != "running":
            self._finish(under)

    def stopNow(self) -> None:
        """Slicer quits, or the module is loaded again: let the training save its step, then end it."""
        self._timer.stop()
        if self.check is not None:
            self.check.clean()
        if self.run is not None:
            self.run.stopNow()
        self.run = self.check = None

    def _started(self) -> None:
        self.asked = False
        if self.run is not None:
            self._shown.showModel(None)
            self._shown.follow(self.run)
        self._timer.start()
        self._changed()

    def _finish(self, under: Any) -> None:
        """Say how the run or the check ended."""
        self._timer.stop()
        isCheck, self.asked = under is self.check, False
        self.run = self.check = None
        if under.state == "failed":
            self._shown.fail(under.errorMessage)
        elif isCheck:
            self._endCheck(under)
        else:
            self._endRun(under)
        self._changed()

    def _endCheck(self, check: Any) -> None:
        if check.state == "done":
            self._checked(check.result)
            self._shown.end(_("Checked in {time}.").format(time=self._shown.took()))
        else:
            self._shown.end(_("The check was stopped."))

    def _endRun(self, run: Any) -> None:
        from MedSRScene import train_run

        if run.state != "done":
            stopped = _("Stopped after {time}. Resume goes on from there.")
            if not train_run.stateOf(run.folder):
                stopped = _("Stopped after {time}, before the first checkpoint.")
            self._shown.end(stopped.format(time=self._shown.took()))
            return
        self._shown.showModel(run.folder)
        self._shown.end(
            _("Done in {time}: the model '{name}' is in the library.").format(
                time=self._shown.took(), name=run.result.get("installed", "")
            )
        )
