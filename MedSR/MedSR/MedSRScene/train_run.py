"""One training in its own process, and what it tells while it goes on.

run = TrainRun("volumes", recipe, "runs/mine")      # a recipe as plain data, as its JSON file says it
run.start()
run.waitForEnd()                                    # a script; a window calls run.poll() from a timer instead
run.result["installed"]                             # the name of the model in the library

A training touches no node: it outlives scenes and panels. Asked to stop it saves its very step, and
``TrainRun.resumed("runs/mine")`` goes on from there, in another session too.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from MedSRScene.i18n import tr as _
from MedSRScene.job_process import Event, JobProcess
from MedSRScene.job_run import JobRun

CHECKPOINT, HISTORY, PREVIEW = "last.ckpt", "history.csv", "preview.png"
"""What the job keeps in the folder of a run (MedSRLib.training)."""

_DATA = "data.json"
_RECIPES = ("recipe.json", "recipe.toml")
_BEST = "best.safetensors"


@dataclass(frozen=True)
class Figure:
    """One measured number: a "loss", or a "validation_psnr" (dB) beside what cubic interpolation reaches."""

    step: int
    name: str
    value: float
    cubic: float | None = None


class PatientProcess(JobProcess):
    """A process that may finish the step it is in before it stops: a step of a large network takes a while."""

    GRACE_S = 60.0


class CheckRun(JobRun):
    """What a training would be like; ``result`` tells it (see the job "check-training").

    Args:
        data: a manifest, or a folder of volumes.
        recipe: plain data, as the JSON file of a recipe says it.
        device: of the job.
        precision: of the job.
        process: makes the process of a job from the job and a folder.
    """

    def __init__(
        self,
        data: Path | str,
        recipe: dict[str, Any],
        *,
        device: str = "auto",
        precision: str = "auto",
        process: Callable[[dict[str, Any], Path], JobProcess] = JobProcess,
    ) -> None:
        super().__init__(process=process)
        self._data, self._recipe = Path(data).absolute(), recipe
        self._where = {"device": device, "precision": precision}

    def _job(self, folder: Path) -> dict[str, Any]:
        inputs = {"manifest": str(self._data), "recipe": str(_written(self._recipe, folder))}
        return {"task": "check-training", "inputs": inputs, "parameters": self._where}


class TrainRun(JobRun):
    """A training as a run.

    Args:
        data: a manifest, or a folder of volumes.
        recipe: plain data, as the JSON file of a recipe says it; or the path of a recipe.
        folder: receives checkpoint, history, preview and model; made if missing.
        resume: go on with the run in that folder.
        device: of the job.
        precision: of the job.
        install: put the model into the library when it is done.
        process: makes the process of a job from the job and a folder.

    Attributes:
        folder: of the run.
        figures: all that was measured so far, in earlier sessions too.
        previewPath: the picture of the run's progress, once it is drawn.
    """

    def __init__(
        self,
        data: Path | str,
        recipe: dict[str, Any] | Path | str,
        folder: Path | str,
        *,
        resume: bool = False,
        device: str = "auto",
        precision: str = "auto",
        install: bool = True,
        process: Callable[[dict[str, Any], Path], JobProcess] = PatientProcess,
    ) -> None:
        super().__init__(process=process)
        self.folder = Path(folder).absolute()
        self.figures: list[Figure] = figuresOf(self.folder) if resume else []
        self.previewPath: Path | None = previewOf(self.folder) if resume else None
        self._data, self._recipe = Path(data).absolute(), recipe
        self._parameters = {"resume": resume, "install": install, "device": device, "precision": precision}

    @classmethod
    def resumed(cls, folder: Path | str, data: Path | str | None = None, **more: Any) -> TrainRun:
        """The run that goes on with the one in a folder: with its recipe and, if none are given, its volumes.

        Raises:
            FileNotFoundError: if the folder holds no run that can go on.
        """
        folder = Path(folder)
        recipe = next((path for name in _RECIPES if (path := folder / name).is_file()), None)
        if recipe is None or not (folder / CHECKPOINT).is_file():
            raise FileNotFoundError(_("The folder '{folder}' holds no training that can go on.").format(folder=folder))
        known = dataOf(folder) if data is None else Path(data)
        if known is None:
            raise FileNotFoundError(
                _("The folder '{folder}' does not say which volumes its training is on.").format(folder=folder)
            )
        return cls(known, recipe, folder, resume=True, **more)

    def poll(self) -> list[Event]:
        """The events since the last poll; figures and the preview are kept."""
        events = super().poll()
        for event in events:
            if event["event"] == "metric" and event.get("value") is not None:
                self._keep(Figure(event["step"], event["name"], event["value"], event.get("cubic")))
            elif event["event"] == "preview":
                self.previewPath = Path(event["path"])
        return events

    def stopNow(self, patience: float = 3.0) -> None:
        """Ask the training to save its step and stop, wait so many seconds, then end it: the application quits."""
        self.cancel()
        self.waitForEnd(patience)
        self.clean()

    def _keep(self, figure: Figure) -> None:
        """Add a figure, in place of those of steps that an earlier session took after its last checkpoint."""
        while self.figures and self.figures[-1].step > figure.step:
            self.figures.pop()
        if figure not in self.figures[-2:]:
            self.figures.append(figure)

    def _job(self, folder: Path) -> dict[str, Any]:
        recipe = _written(self._recipe, folder) if isinstance(self._recipe, dict) else Path(self._recipe).absolute()
        return {
            "task": "train",
            "inputs": {"manifest": str(self._data), "recipe": str(recipe)},
            "outputs": {"folder": str(self.folder)},
            "parameters": self._parameters,
        }


def stateOf(folder: Path) -> str:
    """What a folder holds: "" (no run), "stopped" (a run that can go on) or "finished" (a run with its model)."""
    if not (folder / CHECKPOINT).is_file():
        return ""
    return "stopped" if modelOf(folder) is None else "finished"


def modelOf(folder: Path) -> Path | None:
    """The card of the model that a finished run has left."""
    weights = (path for path in sorted(folder.glob("*.safetensors")) if path.name != _BEST)
    return next((card for path in weights if (card := path.with_suffix(".json")).is_file()), None)


def dataOf(folder: Path) -> Path | None:
    """The manifest, or folder of volumes, that the run in a folder trains on."""
    try:
        return Path(json.loads((folder / _DATA).read_text(encoding="utf-8"))["manifest"])
    except (OSError, ValueError, KeyError):
        return None


def previewOf(folder: Path) -> Path | None:
    """The last picture of the run in a folder."""
    path = folder / PREVIEW
    return path if path.is_file() else None


def figuresOf(folder: Path) -> list[Figure]:
    """What the run in a folder has measured so far; a line that a kill cut short is left out."""
    try:
        text = (folder / HISTORY).read_text(encoding="utf-8")
    except OSError:
        return []
    whole = text[: text.rfind("\n") + 1]
    rows = csv.DictReader(whole.splitlines())
    return [
        Figure(int(row["step"]), row["name"], float(row["value"]), float(row["cubic"]) if row["cubic"] else None)
        for row in rows
    ]


def _written(recipe: dict[str, Any], folder: Path) -> Path:
    path = folder / "recipe.json"
    path.write_text(json.dumps(recipe, ensure_ascii=False, indent=1), encoding="utf-8")
    return path
