"""Measurements on other processes or machines, by Dask distributed: one task a volume, degradation and scale.

The workers compute and nothing else: this process plans, keeps the results and can stop at any time. On other
machines MedSR must be installed in the same version, the volumes lie at the same paths, and the models have the same
names; what differs is refused, so that the numbers are those of one machine.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from MedSRLib._optional import require
from MedSRLib.errors import InputError, OptionError, ResourceError
from MedSRLib.progress import Event, Progress
from MedSRLib.protocols import experiment, sources
from MedSRLib.protocols.cells import Cell, Measured

LOCAL = "LOCAL"
DEFAULT_WORKERS = 2
_POLL_S = 0.1
_ANSWER_S = 20

Answer = tuple[list[tuple[Cell, Measured]], list[Event]]


@dataclass(frozen=True)
class Cluster:
    """Where measurements are made.

    Attributes:
        address: "LOCAL" for processes of this machine, or that of a running scheduler, "tcp://host:8786".
        workers: how many processes, with "LOCAL" only; 2 if not given.

    Raises:
        OptionError: for a number of workers that cannot be had.
        MissingPackageError: if Dask distributed is not installed.
    """

    address: str
    workers: int | None = None

    def __post_init__(self) -> None:
        if self.workers is not None and self.address != LOCAL:
            raise OptionError(
                f"The scheduler at {self.address} has its own workers.", "", "Leave --workers out, or use --dask LOCAL."
            )
        if self.workers is not None and self.workers < 1:
            raise OptionError(f"{self.workers} workers measure nothing.", "", "Give 1 or more.")
        require("distributed", "cluster")


def measure(
    tasks: Sequence[Sequence[Cell]], cluster: Cluster, progress: Progress
) -> Iterator[list[tuple[Cell, Measured]]]:
    """Measure tasks, each a list of cells, in the order in which they end.

    The cluster is closed however the loop over this ends.

    Raises:
        MedSRError: the first of any task.
        ResourceError: if no scheduler answers or workers die.
        Cancelled: if asked to stop; tasks that run on a foreign cluster end there, unused.
    """
    distributed = require("distributed", "cluster")
    with ExitStack() as stack:
        client = _client(distributed, cluster, stack)
        waiting = {client.submit(_work, list(task), pure=False) for task in tasks}
        stack.callback(lambda: client.cancel(list(waiting), force=True))
        done = 0
        while waiting:
            progress.check()
            for future in _ended(waiting):
                waiting.discard(future)
                found, events = _result(distributed, future)
                for event in events:
                    progress.log(event["message"], event["level"])
                done += 1
                yield found
                progress.update(done / len(tasks))


def _client(distributed: Any, cluster: Cluster, stack: ExitStack) -> Any:
    address: Any = cluster.address
    if cluster.address == LOCAL:
        workers = cluster.workers or DEFAULT_WORKERS
        address = stack.enter_context(
            distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                dashboard_address=None,
                memory_limit=0,  # MedSR keeps its own budget; Dask would stop workers that use the machine's memory
                silence_logs="ERROR",
            )
        )
    try:
        client = stack.enter_context(distributed.Client(address, timeout=_ANSWER_S, set_as_default=False))
    except (OSError, ValueError) as error:
        raise InputError(
            f"No Dask scheduler answers at '{cluster.address}'.",
            f"{error}.",
            "Start one with `dask scheduler`, check the address, or use LOCAL.",
        ) from error
    if cluster.address == LOCAL:
        client.run(_share_cores, max(1, (os.cpu_count() or 1) // workers))
    return client


def _ended(waiting: set[Any]) -> list[Any]:
    """The futures that have ended; perhaps none, after a short pause."""
    ended = [future for future in waiting if future.done()]
    if not ended:
        time.sleep(_POLL_S)
    return ended


def _result(distributed: Any, future: Any) -> Answer:
    try:
        answer: Answer = future.result()
    except distributed.KilledWorker as error:
        raise ResourceError(
            "A worker of the cluster died again and again.",
            f"Most often its memory was too small. {error}.",
            "Use fewer workers or a smaller --memory-gb, and start again: what was measured is kept.",
        ) from error
    return answer


def _share_cores(threads: int) -> None:
    """On a worker: leave the other workers their share of the processor."""
    import torch

    torch.set_num_threads(threads)


def _work(cells: list[Cell]) -> Answer:
    """On a worker: measure the cells of one task; and what there was to say.

    Raises:
        OptionError: if another version of MedSR is installed there.
    """
    for identifier, code in {(cell.method.identifier, cell.code) for cell in cells}:
        if sources.digest(identifier) != code:
            raise OptionError(
                "A worker of the cluster has another version of MedSR.",
                f"Its code for the method '{identifier}' differs.",
                "Install the same version everywhere, and start again: what was measured is kept.",
            )
    events: list[Event] = []
    progress = Progress(lambda event: events.append(event) if event["event"] == "log" else None)
    return list(experiment.measure(cells, progress)), events
