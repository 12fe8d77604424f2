"""The events of a job for human eyes: a progress bar and messages on stderr, results on stdout."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskProgressColumn, TextColumn
from rich.table import Table
from rich.text import Text


class _TimeLeft(ProgressColumn):
    def render(self, task: Task) -> Text:
        seconds = task.fields.get("eta_s")
        if seconds is None:
            return Text("")
        minutes, rest = divmod(round(seconds), 60)
        hours, minutes = divmod(minutes, 60)
        return Text(f"{hours}:{minutes:02}:{rest:02} left" if hours else f"{minutes}:{rest:02} left")


class Renderer:
    """A sink of job events that draws them; use it as a context manager."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            _TimeLeft(),
            console=self._console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._bar.add_task("Starting", total=1.0, eta_s=None)
        self._ending: dict[str, Any] = {}

    def __enter__(self) -> Renderer:
        self._bar.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._bar.stop()
        self._tell_ending()

    def __call__(self, event: dict[str, Any]) -> None:
        """Draw one event."""
        kind = event["event"]
        if kind == "stage":
            self._bar.update(self._task, description=event["name"])
        elif kind == "progress":
            self._bar.update(self._task, completed=event["fraction"], eta_s=event["eta_s"])
        elif kind == "log":
            self._say(event["message"], "Warning: " if event["level"] == "warning" else "")
        elif kind in ("result", "error", "cancelled"):
            self._ending = event

    def _tell_ending(self) -> None:
        kind = self._ending.get("event")
        if kind == "error":
            self._say(self._ending["message"], "Error: ")
        elif kind == "cancelled":
            self._say(self._ending["message"], "")
        elif kind == "result":
            sys.stdout.write(_result_text(self._ending))

    def _say(self, message: str, prefix: str) -> None:
        self._console.print(f"{prefix}{message}", markup=False)


def _result_text(event: dict[str, Any]) -> str:
    """What a task has to say at its end: its table or numbers, then the paths it wrote."""
    lines = [event["table"]] if "table" in event else []
    lines += [f"{name}: {value}" for name, value in event.get("measured", {}).items()]
    if event.get("skipped"):
        lines.append(f"{len(event['skipped'])} volumes were done already.")
    outputs = event["outputs"]
    if "images" in outputs:
        lines.append(f"{len(outputs['images'])} volumes written to {outputs['folder']}")
    else:
        lines += [f"Wrote {path}" for path in outputs.values()]
    return "".join(f"{line}\n" for line in lines)


def run_job(job: dict[str, Any] | Path, as_json: bool, cancel_file: Path | None = None) -> None:
    """Run a job with a progress bar, or with its events on stdout, and end with its exit code."""
    from MedSRLib.jobs import process

    if as_json:
        raise typer.Exit(process.stream(job, cancel_file))
    with Renderer() as renderer:
        code = process.execute(job, renderer, cancel_file)
    raise typer.Exit(code)


@contextlib.contextmanager
def telling_errors() -> Iterator[None]:
    """Tells an error as a job does: one paragraph on stderr and exit code 2, or 3 for a fault of ours."""
    try:
        yield
    except typer.Exit:
        raise
    except Exception as error:  # the border of the process: nothing may pass it untold
        from MedSRLib.jobs import faults
        from MedSRLib.progress import Progress

        told = faults.describe(error, Progress(lambda event: typer.echo(event["message"], err=True)))
        typer.echo(f"Error: {told}", err=True)
        raise typer.Exit(3 if isinstance(told, faults.FaultError) else 2) from error


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table on stdout, fitted to the terminal."""
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def write_json(value: Any) -> None:
    """Plain data on stdout, as indented JSON."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
