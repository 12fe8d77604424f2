"""The panel of MedSR Train, with volumes that are trained on in a second, and a library of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

STEPS = 200
FAKE_JOB = Path(__file__).resolve().parents[3] / "Scene" / "fake_job.py"


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where finished models land; jobs inherit the environment."""
    folder = tmp_path / "library"
    monkeypatch.setenv("MEDSR_MODELS", str(folder))
    monkeypatch.setenv("HOME", str(tmp_path))
    return folder


@pytest.fixture
def volumes(tmp_path: Path) -> Path:
    """A table of three small volumes, T1w."""
    import SimpleITK as sitk

    folder = tmp_path / "Félix 软件"
    folder.mkdir()
    lines = ["path\tsubject\tmodality\trole"]
    for number in range(3):
        noise = np.random.default_rng(number).random((26, 28, 30), dtype=np.float32)
        image = sitk.SmoothingRecursiveGaussian(sitk.GetImageFromArray(noise * 100), 1.5)
        sitk.WriteImage(image, str(folder / f"v{number}.nii.gz"))
        lines.append(f"v{number}.nii.gz\ts{number}\tT1w\ttrain")
    (folder / "manifest.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "manifest.tsv"


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A recipe of one's own: a tiny network, a few seconds."""
    content = {
        "name": "own",
        "method": "arssr",
        "description": "Steps of a tiny network",
        "checkpoint_every": 50,
        "validate_every": 50,
        "architecture": {
            "encoder": "srresnet",
            "feature_dim": 4,
            "channels": 4,
            "blocks": 1,
            "width": 8,
            "coordinates": "local",
            "cell": True,
            "padding": "border",
            "residual": "cubic",
            "final": "linear",
        },
        "sampling": {"patch": 8, "batch": 2, "queries": 6, "scale_max": 3.0},
        "degradation": [{"kind": "physical"}],
        "optimisation": {"rate": 1e-3, "steps": STEPS},
    }
    path = tmp_path / "own.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@pytest.fixture
def train(library: Path, open_panel: Callable[[str], Any]) -> Any:
    """The widget of MedSR Train, opened."""
    return open_panel("MedSRTrain")


@pytest.fixture
def ready(train: Any, volumes: Path, recipe: Path, tmp_path: Path) -> Any:
    """The panel with everything chosen."""
    ui = train.ui
    ui.dataPathEdit.currentPath = str(volumes)
    ui.modalityComboBox.setEditText("T1w")
    train.panel._choices.adopt(str(recipe))
    ui.nameEdit.setText("ours")
    ui.folderPathEdit.currentPath = str(tmp_path / "run")
    ui.deviceComboBox.currentIndex = ui.deviceComboBox.findData("cpu")
    ui.precisionComboBox.currentIndex = ui.precisionComboBox.findData("float32")
    return train


@pytest.fixture
def fake(ready: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the next training or check be a fake job that replays these steps (Testing/Scene/fake_job.py)."""
    from MedSRScene.job_process import JobProcess
    from MedSRScene.train_run import CheckRun, TrainRun

    def replay(*steps: dict[str, Any]) -> None:
        script = tmp_path / "steps.json"
        script.write_text(json.dumps(steps), encoding="utf-8")
        python = [sys.executable, str(FAKE_JOB), str(script)]
        for kind in (TrainRun, CheckRun):
            made = {"process": lambda job, folder: JobProcess(job, folder, python)}
            monkeypatch.setattr(kind.__init__, "__kwdefaults__", {**kind.__init__.__kwdefaults__, **made})

    return replay
