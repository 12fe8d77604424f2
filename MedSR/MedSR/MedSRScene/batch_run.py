"""Many volumes one after the other: those of the scene; a folder of files is one job (`folderRun`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from MedSRScene.errors import SceneError
from MedSRScene.i18n import tr as _
from MedSRScene.job_process import Event
from MedSRScene.job_run import JobRun


class BatchRun:
    """A queue of runs with the face of one run: start, poll, cancel, clean, state.

    A run that fails does not keep the others from their turn.

    Args:
        makers: by the name of the volume; each makes the run of one volume when its turn has come, or
            raises `SceneError`.

    Attributes:
        state: "idle", "running", "done", "cancelled" or "failed" (all of them failed).
        errorMessage: what went wrong, one line a volume.
        done: names of the volumes that are done.
        failures: what went wrong, by name.
    """

    def __init__(self, makers: Sequence[tuple[str, Callable[[], JobRun]]]) -> None:
        self.state = "idle"
        self.done: list[str] = []
        self.failures: dict[str, str] = {}
        self._makers = list(makers)
        self._next = 0
        self._run: JobRun | None = None

    @property
    def errorMessage(self) -> str:
        """What went wrong."""
        return "\n".join(f"{name}: {problem}" for name, problem in self.failures.items())

    def start(self) -> None:
        """Start with the first volume."""
        if self.state != "idle":
            raise RuntimeError("A run can be started once; make a new one.")
        self.state = "running"
        self._begin()

    def poll(self) -> list[Event]:
        """The events since the last poll; fractions are those of the whole batch."""
        if self.state != "running" or self._run is None:
            return []
        events = [self._ofWhole(event) for event in self._run.poll()]
        if self._run.state != "running":
            events += self._finish(self._run)
        return events

    def cancel(self) -> None:
        """Stop the volume that is being worked on, and leave out those that follow."""
        if self._run is not None:
            self._run.cancel()

    def clean(self) -> None:
        """End at once; what is done stays."""
        if self._run is not None:
            self._run.clean()
        if self.state == "running":
            self.state = "cancelled"

    def _begin(self) -> list[Event]:
        """Start the next volume that can be started."""
        events: list[Event] = []
        while self._next < len(self._makers):
            name, make = self._makers[self._next]
            self._next += 1
            events.append(
                {
                    "event": "stage",
                    "name": _("{name} ({number} of {count})").format(
                        name=name, number=self._next, count=len(self._makers)
                    ),
                }
            )
            try:
                self._run = make()
            except SceneError as error:
                self.failures[name] = str(error)
                continue
            self._run.start()
            if self._run.state == "running":
                return events
            self.failures[name] = self._run.errorMessage
        self._run = None
        self.state = "done" if self.done or not self.failures else "failed"
        return events

    def _finish(self, run: JobRun) -> list[Event]:
        name = self._makers[self._next - 1][0]
        if run.state == "cancelled":
            self.state = "cancelled"
            return []
        if run.state == "failed":
            self.failures[name] = run.errorMessage
            told = [{"event": "log", "level": "warning", "message": f"{name}: {run.errorMessage}"}]
        else:
            self.done.append(name)
            told = [{"event": "progress", "fraction": self._next / len(self._makers), "eta_s": None}]
        return told + self._begin()

    def _ofWhole(self, event: Event) -> Event:
        if event["event"] != "progress":
            return event
        fraction = (self._next - 1 + float(event.get("fraction") or 0.0)) / len(self._makers)
        return {"event": "progress", "fraction": fraction, "eta_s": None}


def folderRun(
    source: Path | str,
    target: Path | str,
    parameters: dict[str, Any],
    *,
    consistency: bool = False,
    uncertainty: bool = False,
) -> JobRun:
    """A run that upscales every volume of a folder (or manifest) into another folder; see the job "batch".

    Args:
        consistency, uncertainty: whether such maps are written, into folders of these names in the other folder.
    """
    maps = {"consistency": consistency, "uncertainty": uncertainty}
    folders = {name: str(Path(target) / name) for name, wanted in maps.items() if wanted}
    job = {
        "task": "batch",
        "inputs": {"manifest": str(source)},
        "outputs": {"folder": str(target), **folders},
        "parameters": parameters,
    }
    return JobRun(job)
