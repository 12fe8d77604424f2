"""A MedSR job in its own process: events come back line by line, and it can be stopped.

A crash, an error of the driver or a stop never takes the application down, and its memory is given back. Stopping
is a request at first (a file that the job looks for), then a signal, then the end of the whole process group.
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


class JobProcess:
    """One job file, run by ``python -m MedSRLib.jobs``.

    Args:
        job: the job, as its JSON file says it.
        folder: exists; the job file and the cancel file are written there.
        python: the command of the interpreter; by default Slicer's, else the one that runs this.
    """

    GRACE_S = 1.2
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
        self._asked_at: float | None = None
        self._signalled = False
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
        """The events since the last poll; never waits. A stop that takes too long is made harder here."""
        self._press()
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
        """None before the end; negative where a signal ended the process."""
        code = None if self._process is None else self._process.poll()
        if code is None or not any(reader.is_alive() for reader in self._readers):
            return code
        if self._seen_ended_at is None:
            self._seen_ended_at = time.monotonic()
        return code if time.monotonic() - self._seen_ended_at > self.DRAIN_S else None

    def cancel(self) -> None:
        """Ask the job to stop; go on polling until it has."""
        if self._asked_at is None:
            self._asked_at = time.monotonic()
            (self._folder / CANCEL_FILE).touch()

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
        if self._asked_at is None or self._process is None:
            return
        if self._process.poll() is not None:
            if any(reader.is_alive() for reader in self._readers):
                _end(self._process, hard=True)  # a child of it that did not hear
            return
        waited = time.monotonic() - self._asked_at
        if waited > 2 * self.GRACE_S:
            _end(self._process, hard=True)
        elif waited > self.GRACE_S and not self._signalled:
            self._signalled = True
            _end(self._process, hard=False)


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
    try:
        os.killpg(process.pid, signal.SIGKILL if hard else signal.SIGTERM)
    except ProcessLookupError:
        return  # it has ended by itself in the meantime


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
