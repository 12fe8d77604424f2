"""A job as a process: events on standard output, one JSON object a line; stopped by a signal or a file.

What libraries print goes to standard error, so that the stream of events stays clean. A second signal ends
the process at once. If nobody reads the events any more, the job stops as if it had been asked to.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from MedSRLib.jobs import job as jobs
from MedSRLib.progress import Event


class JsonLines:
    """A sink that writes every event to a stream as one line of JSON."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.closed = False

    def __call__(self, event: Event) -> None:
        if self.closed:
            return
        try:
            self._stream.write(json.dumps(_plain(event), allow_nan=False, ensure_ascii=False) + "\n")
            self._stream.flush()
        except BrokenPipeError:
            self.closed = True


def _plain(value: Any) -> Any:
    """The value in terms of JSON, which knows neither infinity nor paths."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return _plain(value.item()) if hasattr(value, "item") else str(value)


@contextlib.contextmanager
def stop_on_signal() -> Iterator[Callable[[], bool]]:
    """Yields a question: has a signal asked this process to stop? A second one ends it at once."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def ask(number: int, frame: Any) -> None:
        asked.set()
        signal.signal(number, signal.SIG_DFL)

    for number in before:
        signal.signal(number, ask)
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def execute(
    job: jobs.Job | dict[str, Any] | str | Path,
    sink: Callable[[Event], None],
    cancel_file: Path | None = None,
) -> int:
    """Run a job here, obeying signals, the cancel file and OMP_NUM_THREADS; return its exit code."""
    from MedSRLib.jobs import runner

    _obey_thread_limit()
    with stop_on_signal() as signalled:

        def cancelled() -> bool:
            unheard = isinstance(sink, JsonLines) and sink.closed
            return signalled() or unheard or (cancel_file is not None and cancel_file.exists())

        return runner.run(job, sink, cancelled)


def stream(job: jobs.Job | dict[str, Any] | str | Path, cancel_file: Path | None = None) -> int:
    """`execute` with the events on standard output."""
    sink = JsonLines(sys.stdout)
    with contextlib.redirect_stdout(sys.stderr):
        code = execute(job, sink, cancel_file)
    if sink.closed:  # else Python complains of the closed pipe once more when it exits
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return code


def _obey_thread_limit() -> None:
    """Let ITK use as many threads as torch does, which reads OMP_NUM_THREADS by itself."""
    limit = os.environ.get("OMP_NUM_THREADS", "")
    if limit.isdigit() and int(limit) > 0:
        import SimpleITK as sitk

        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(int(limit))
