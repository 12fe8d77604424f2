"""Progress, log and cancel: how long work talks to whoever started it.

Work receives a `Progress` and calls it; a sink receives plain dictionaries, the events of the job protocol
(``{"event": "stage" | "progress" | "log" | "metric" | "preview", ...}``). Nothing in MedSRLib prints.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from MedSRLib.errors import Cancelled

Event = dict[str, Any]


class Progress:
    """Reports the progress of one piece of work, 0 to 1, and raises `Cancelled` when asked to stop.

    Args:
        sink: receives each event; silent by default.
        cancelled: asked at every update; True stops the work.
    """

    def __init__(
        self, sink: Callable[[Event], None] | None = None, cancelled: Callable[[], bool] | None = None
    ) -> None:
        self._sink = sink or (lambda event: None)
        self._cancelled = cancelled or (lambda: False)
        self._started = time.monotonic()
        self._from = 0.0

    def stage(self, name: str) -> None:
        """Say what is being done now, in the user's words."""
        self.check()
        self._sink({"event": "stage", "name": name})

    def update(self, fraction: float) -> None:
        """Report the fraction done, 0 to 1.

        Raises:
            Cancelled: if the user asked to stop.
        """
        self.check()
        self.tell(fraction)

    def tell(self, fraction: float) -> None:
        """`update` where the work cannot stop at once: nothing is raised."""
        fraction = min(max(float(fraction), 0.0), 1.0)
        elapsed, done = time.monotonic() - self._started, fraction - self._from
        eta = elapsed * (1 - fraction) / done if done > 0 else None
        self._sink(
            {
                "event": "progress",
                "fraction": round(fraction, 4),
                "eta_s": None if eta is None else round(eta, 1),
            }
        )

    def start_at(self, fraction: float) -> None:
        """Measure the time left from here: what was done before, and the time it took, do not count."""
        self._started, self._from = time.monotonic(), fraction

    def log(self, message: str, level: str = "info") -> None:
        """Leave a line in the log; ``level`` is "info" or "warning"."""
        self._sink({"event": "log", "level": level, "message": message})

    def warn(self, message: str) -> None:
        """Tell the user something that may spoil the result."""
        self.log(message, level="warning")

    def metric(self, name: str, value: float, **labels: Any) -> None:
        """Report one measured number."""
        self._sink({"event": "metric", "name": name, "value": value, **labels})

    def preview(self, path: Path, **labels: Any) -> None:
        """Say that a picture of the work in progress was written."""
        self._sink({"event": "preview", "path": str(path), **labels})

    def check(self) -> None:
        """Raise `Cancelled` if the user asked to stop."""
        if self._cancelled():
            raise Cancelled("The work was stopped as asked.")

    def part(self, start: float, end: float) -> Progress:
        """A progress for a sub-task that fills ``start`` to ``end`` of this one."""
        return _Part(self, start, end)


class _Part(Progress):
    def __init__(self, whole: Progress, start: float, end: float) -> None:
        super().__init__(whole._sink, whole._cancelled)
        self._whole, self._start, self._end = whole, start, end

    def tell(self, fraction: float) -> None:
        self._whole.tell(self._start + (self._end - self._start) * min(max(float(fraction), 0.0), 1.0))

    def start_at(self, fraction: float) -> None:
        self._whole.start_at(self._start + (self._end - self._start) * fraction)
