"""One job with its folder, its process and its end; the base of everything that MedSR lets run beside Slicer.

run = JobRun({"task": "machine"})
run.start()
run.waitForEnd()                    # a script; a window calls run.poll() from a timer instead
run.state, run.result

Files are written and read in a thread (SimpleITK and numpy let others run meanwhile), the job runs in a process, and
nodes are touched in the calling thread only: an event loop that polls never waits.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from MedSRScene.errors import SceneError
from MedSRScene.i18n import tr as _
from MedSRScene.job_process import Event, JobProcess

_CANCELLED_CODE = 4
_POLL_S = 0.02
_FILE_ERRORS = (SceneError, OSError, RuntimeError, ValueError, MemoryError)


class JobRun:
    """A job from start to end, in a temporary folder that is always removed.

    A subclass with nodes overrides `_prepare`, `_job`, `_read` and `_import`.

    Args:
        job: the job, as its JSON file says it; for a subclass that makes its own, nothing.
        scene: when it closes, the run is cancelled: IDs of the next scene may be those of this one.
        process: makes the process of a job from the job and a folder.

    Attributes:
        state: "idle", "running", "done", "cancelled" or "failed".
        errorMessage: what went wrong, when "failed".
        result: what the job told at its end (its "result" event).
    """

    def __init__(
        self,
        job: dict[str, Any] | None = None,
        *,
        scene: Any = None,
        process: Callable[[dict[str, Any], Path], JobProcess] = JobProcess,
    ) -> None:
        self.state = "idle"
        self.errorMessage = ""
        self.result: dict[str, Any] = {}
        self._scene = scene
        self._givenJob = dict(job or {})
        self._makeProcess = process
        self._process: JobProcess | None = None
        self._work: _Work | None = None
        self._afterWork: Callable[[Any], None] = self._launch
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._closeTag: int | None = None
        self._lastError = ""
        self._cancelAsked = False

    def start(self) -> None:
        """Write the inputs and start the job; what prevents that is told by the state and the message."""
        if self.state != "idle":
            raise RuntimeError("A run can be started once; make a new one.")
        try:
            self._folder = tempfile.TemporaryDirectory(prefix="MedSR-", ignore_cleanup_errors=True)
            writers = self._prepare(self._path())
        except _FILE_ERRORS as error:
            self._end("failed", _("The job could not be started: {error}").format(error=error))
            return
        self.state = "running"
        if self._scene is not None:
            self._closeTag = self._scene.AddObserver(self._scene.StartCloseEvent, self._sceneCloses)
        self._begin(lambda: [write() for write in writers], self._launch)

    def poll(self) -> list[Event]:
        """The events since the last poll; at the end of the job its result is imported, and the state tells."""
        if self.state != "running":
            return []
        if self._work is not None:
            self._pollWork(self._work)
            return []
        return self._pollProcess(self._process)

    def cancel(self) -> None:
        """Ask the job to stop; the state is "cancelled" when it has (go on polling)."""
        if self.state == "running":
            self._cancelAsked = True
            if self._process is not None:
                self._process.cancel()

    def waitForEnd(self, timeout: float | None = None) -> str:
        """Poll until the job has ended, or for ``timeout`` seconds; the state."""
        start = time.monotonic()
        while self.state == "running" and (timeout is None or time.monotonic() - start < timeout):
            self.poll()
            time.sleep(_POLL_S)
        return self.state

    def clean(self) -> None:
        """End the job if it still runs, and remove its files; called at every end, harmless when repeated."""
        if self._closeTag is not None:
            self._scene.RemoveObserver(self._closeTag)
            self._closeTag = None
        if self._process is not None:
            self._process.kill()
        folder, self._folder = self._folder, None
        if folder is not None and not (self._work is not None and self._work.leaveTo(folder.cleanup)):
            folder.cleanup()
        self._work = None
        if self.state == "running":
            self.state = "cancelled"

    # What a subclass gives

    def _prepare(self, folder: Path) -> Sequence[Callable[[], Any]]:
        """Take what is needed from the nodes, quickly; the returned callables write the files, in a thread."""
        return ()

    def _job(self, folder: Path) -> dict[str, Any]:
        """The job, once its inputs are written."""
        return self._givenJob

    def _read(self, folder: Path) -> Any:
        """Read the files of the result, in a thread."""

    def _import(self, loaded: Any) -> None:
        """Show what was read in the scene."""

    def _problem(self) -> str:
        """Why the job is not worth going on with; empty while it is."""
        return ""

    # From one step to the next

    def _begin(self, task: Callable[[], Any], then: Callable[[Any], None]) -> None:
        self._afterWork = then
        self._work = _Work(task)

    def _pollWork(self, work: _Work) -> None:
        if not work.ended:
            return
        self._work = None
        if self._cancelAsked:
            self._end("cancelled")
            return
        try:
            self._afterWork(work.outcome())
        except _FILE_ERRORS as error:
            told = _("The job is done, but its result cannot be shown: {error}")
            if self._process is None:
                told = _("The job could not be started: {error}")
            self._end("failed", told.format(error=error))

    def _launch(self, written: Any) -> None:
        self._process = self._makeProcess(self._job(self._path()), self._path())
        self._process.start()

    def _pollProcess(self, process: JobProcess) -> list[Event]:
        ended = not process.running
        events = process.poll()
        for event in events:
            if event["event"] == "error":
                self._lastError = str(event.get("message", ""))
            elif event["event"] == "result":
                self.result = {key: value for key, value in event.items() if key != "event"}
        if ended:
            self._processEnded(process)
        elif problem := self._problem():
            self._end("failed", problem)
        return events

    def _processEnded(self, process: JobProcess) -> None:
        code = process.exitCode
        if self._cancelAsked or code == _CANCELLED_CODE:
            self._end("cancelled")
        elif code != 0:
            self._end("failed", self._lastError or _crash(code, process.tail()))
        else:
            folder = self._path()
            self._begin(lambda: self._read(folder), self._show)

    def _show(self, loaded: Any) -> None:
        self._import(loaded)
        self._end("done")

    def _end(self, state: str, message: str = "") -> None:
        self.state = state
        self.errorMessage = message
        self.clean()

    def _sceneCloses(self, caller: Any, event: str) -> None:
        self._end("cancelled")

    def _path(self) -> Path:
        return Path(self._folder.name)


class _Work:
    """A task in a thread of its own, and what came of it."""

    def __init__(self, task: Callable[[], Any]) -> None:
        self._task = task
        self._outcome: Any = None
        self._error: BaseException | None = None
        self._finally: Callable[[], None] | None = None
        self._lock = threading.Lock()
        self.ended = False
        threading.Thread(target=self._run, daemon=True).start()

    def outcome(self) -> Any:
        """What the task returned; what it raised is raised again."""
        if self._error is not None:
            raise self._error
        return self._outcome

    def leaveTo(self, last: Callable[[], None]) -> bool:
        """Let the thread do this at its end, as nobody waits for it any more; False if it has ended already."""
        with self._lock:
            self._finally = last
            return not self.ended

    def _run(self) -> None:
        try:
            self._outcome = self._task()
        except BaseException as error:  # raised again where the outcome is asked for
            self._error = error
        with self._lock:
            self.ended = True
            last = self._finally
        if last is not None:
            last()


def _crash(code: int | None, tail: str) -> str:
    told = _("The job ended unexpectedly (exit code {code}).").format(code=code)
    return told + (" " + _("Its last lines:") + "\n" + tail if tail else "")
