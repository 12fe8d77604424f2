"""A MedSR job in its own process: events come back line by line, and it can be stopped.

A crash, an error of the driver or a stop never takes the application down, and its memory is given back. Stopping
is a request at first (a file that the job looks for), a second later a signal, and a second after that the end of the
whole process group, children that hear no signal included.
"""

from __future__ import annotations

import importlib.util
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import IO, Any

Event = dict[str, Any]

TAIL_LINES = 30
JOB_FILE = "job.json"
CANCEL_FILE = "cancel"
_LOOK_S = 0.02


class JobProcess:
    """One job file, run by ``python -m MedSRLib.jobs``.

    Args:
        job: the job, as its JSON file says it.
        folder: exists; the job file and the cancel file are written there.
        python: the command of the interpreter; by default Slicer's, else the one that runs this.
    """

    GRACE_S = 1.0
    """How long a stop may take before the next, harder one: the end comes in less than three seconds."""

    DRAIN_S = 2.0
    """How long events are waited for when the process has ended but a child of it holds its output open."""

    def __init__(self, job: dict[str, Any], folder: Path, python: list[str] | None = None) -> None:
        self._job = job
        self._folder = Path(folder)
        self._python = python or [shutil.which("PythonSlicer") or sys.executable]
        self._process: subprocess.Popen[str] | None = None
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._readers: list[threading.Thread] = []
        self._stopper: threading.Thread | None = None
        self._seen_ended_at: float | None = None

    def start(self) -> None:
        """Write the job file and start the process.

        Raises:
            OSError: if the file cannot be written or the interpreter cannot be started.
        """
        path = self._folder / JOB_FILE
        path.write_text(json.dumps(self._job, ensure_ascii=False), encoding="utf-8")
        self._process = subprocess.Popen(
            [*self._python, "-m", "MedSRLib.jobs", str(path), "--cancel-file", str(self._folder / CANCEL_FILE)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(),
            encoding="utf-8",
            errors="replace",
            **_own_group(),
        )
        for stream, handle in ((self._process.stdout, self._heard), (self._process.stderr, self._tail.append)):
            reader = threading.Thread(target=_read, args=(stream, handle), daemon=True)
            reader.start()
            self._readers.append(reader)

    def poll(self) -> list[Event]:
        """The events since the last poll; never waits."""
        events = []
        while not self._events.empty():
            events.append(self._events.get())
        return events

    @property
    def running(self) -> bool:
        """True from the start until the process has ended and all its events wait to be polled."""
        return self._process is not None and self.exitCode is None

    @property
    def exitCode(self) -> int | None:
        """None before the end, of the children too if it was stopped; negative where a signal ended the process."""
        code = None if self._process is None else self._process.poll()
        if code is None or (self._stopper is not None and self._stopper.is_alive()):
            return None
        if not any(reader.is_alive() for reader in self._readers):
            return code
        if self._seen_ended_at is None:
            self._seen_ended_at = time.monotonic()
        return code if time.monotonic() - self._seen_ended_at > self.DRAIN_S else None

    def cancel(self) -> None:
        """Ask the job to stop; after two times `GRACE_S` it and its children are ended, polled or not."""
        if self._stopper is not None:
            return
        (self._folder / CANCEL_FILE).touch()
        self._stopper = threading.Thread(target=self._press, daemon=True)
        self._stopper.start()

    def kill(self) -> None:
        """End the process and its children at once, and wait until it is gone; a child may outlive its parent."""
        if self._process is not None:
            _end(self._process, hard=True)
            self._process.wait()
        for reader in self._readers:
            reader.join(self.DRAIN_S)

    def tail(self) -> str:
        """The last lines that were written to standard error."""
        return "\n".join(self._tail.copy())

    def _heard(self, line: str) -> None:
        if line.strip():
            self._events.put(_event(line))

    def _press(self) -> None:
        """Wait, signal, wait, end. Children that a process leaves behind by itself have no business any more."""
        if self._process is None:
            return
        if not self._goes_within(self.GRACE_S, self._process):
            _end(self._process, hard=False)
            # A launcher ends with the signal, its child may still be writing: both are waited for.
            self._goes_within(self.GRACE_S, self._process, children=True)
        _end(self._process, hard=True)

    @staticmethod
    def _goes_within(seconds: float, process: subprocess.Popen[str], *, children: bool = False) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if process.poll() is not None and not (children and _group_lives(process)):
                return True
            time.sleep(_LOOK_S)
        return False


def library_folder() -> Path | None:
    """The folder that holds MedSRLib: above this package (source tree or extension), or where pip put it."""
    for folder in Path(__file__).resolve().parents:
        if (folder / "MedSRLib" / "__init__.py").is_file():
            return folder
    found = importlib.util.find_spec("MedSRLib")
    return None if found is None or found.origin is None else Path(found.origin).parents[1]


def _environment() -> dict[str, str]:
    environment = dict(os.environ, PYTHONIOENCODING="utf-8", PYTHONUNBUFFERED="1")
    library = library_folder()
    if library is not None:
        paths = [str(library), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    return environment


def _own_group() -> dict[str, Any]:
    """PythonSlicer is a launcher: the interpreter is its child, and they must be ended together."""
    if os.name == "nt":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}


def _end(process: subprocess.Popen[str], *, hard: bool) -> None:
    """Ask (or, ``hard``, force) a process and its children to end; on Windows there is only force."""
    if os.name == "nt":
        if process.poll() is not None:
            return  # the number may be another's by now, and the tree below it cannot be found any more
        command = ["taskkill", "/T", "/F", "/PID", str(process.pid)]
        subprocess.run(command, check=False, capture_output=True, creationflags=subprocess.CREATE_NO_WINDOW)
        return
    _signal_group(process, signal.SIGKILL if hard else signal.SIGTERM)


def _group_lives(process: subprocess.Popen[str]) -> bool:
    """Whether a process or one of its children runs; on Windows only the process itself can be asked."""
    return process.poll() is None if os.name == "nt" else _signal_group(process, 0)


def _signal_group(process: subprocess.Popen[str], number: int) -> bool:
    """Whether there was a group to signal."""
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):  # all have ended (macOS denies a group of the dead)
        return False
    return True


def _read(stream: IO[str], handle: Any) -> None:
    with stream:
        for line in stream:
            handle(line.rstrip("\r\n"))


def _event(line: str) -> Event:
    """The event a line says; what is no event is a message for the log."""
    try:
        event = json.loads(line)
    except ValueError:
        event = None
    if isinstance(event, dict) and isinstance(event.get("event"), str):
        return event
    return {"event": "log", "level": "info", "message": line}
