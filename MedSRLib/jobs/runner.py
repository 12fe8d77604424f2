"""Runs one job and tells how it ended, by events and by an exit code.

    0  done: the last event is ``{"event": "result", "task": …, "outputs": {…}, …}``
    2  a user's mistake or a limit of the machine: ``{"event": "error", "fault": false, "message": …}``
    3  a fault of MedSR: the traceback in a "log" event, then ``{"event": "error", "fault": true, …}``
    4  stopped as asked: ``{"event": "cancelled", "message": …}``

Outputs are written to a temporary name and renamed when whole, so that 2, 3 and 4 leave nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from MedSRLib.errors import Cancelled
from MedSRLib.jobs import faults, tasks
from MedSRLib.jobs import job as jobs
from MedSRLib.progress import Event, Progress

DONE, MISTAKE, FAULT, CANCELLED = 0, 2, 3, 4


def run(
    job: jobs.Job | dict[str, Any] | str | Path,
    sink: Callable[[Event], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> int:
    """Run a job and return its exit code; nothing is raised.

    Args:
        job: a job, a dictionary that describes one, or the path of a job file.
        sink: receives every event.
        cancelled: asked often; True stops the job.
    """
    send = sink or (lambda event: None)
    progress = Progress(send, cancelled)
    try:
        progress.check()
        described = _described(job)
        result = tasks.perform(described, progress)
    except Cancelled as stop:
        send({"event": "cancelled", "message": str(stop)})
        return CANCELLED
    except Exception as error:  # the border of the process: nothing may pass it untold
        told = faults.describe(error, progress)
        fault = isinstance(told, faults.FaultError)
        send({"event": "error", "fault": fault, "kind": type(told).__name__, "message": str(told)})
        return FAULT if fault else MISTAKE
    send({"event": "result", "task": described.task, **result})
    return DONE


def _described(job: jobs.Job | dict[str, Any] | str | Path) -> jobs.Job:
    if isinstance(job, str | Path):
        return jobs.read(Path(job))
    return jobs.parse(job) if isinstance(job, dict) else job
