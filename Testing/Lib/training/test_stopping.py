"""A run that is asked to stop saves its very step, and goes on from there as if nothing had happened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from MedSRLib.errors import Cancelled
from MedSRLib.inference.runtime import Runtime
from MedSRLib.progress import Progress
from MedSRLib.training import engine, history


def train(recipe: dict, volumes: Path, folder: Path, stop_after: int | None = None, resume: bool = False) -> Any:
    """Run; ``stop_after`` cancels when that step has been told. Returns the events, and the weights if done."""
    path = folder.parent / "recipe.json"
    path.write_text(json.dumps(recipe), encoding="utf-8")
    events: list[dict] = []
    steps = recipe["optimisation"]["steps"]

    def cancelled() -> bool:
        told = [event["fraction"] for event in events if event["event"] == "progress"]
        return stop_after is not None and bool(told) and round(told[-1] * steps) >= stop_after

    progress = Progress(events.append, cancelled)
    weights = engine.train(path, volumes, folder, resume=resume, runtime=Runtime(), progress=progress)
    return events, load_file(weights)


@pytest.mark.parametrize("step", [1, 4, 6])
def test_stopped_and_resumed_ends_like_an_undisturbed_run(step: int, tiny: dict, volumes: Path, tmp_path: Path) -> None:
    """Step 4 is validated, so that the run stops one step later: its validation must not be lost."""
    _, undisturbed = train(tiny, volumes, tmp_path / "undisturbed")
    folder = tmp_path / "stopped"
    with pytest.raises(Cancelled):
        train(tiny, volumes, folder, stop_after=step)
    saved = torch.load(folder / "last.ckpt", weights_only=True)["global_step"]
    assert saved == (5 if step == 4 else step)

    _, resumed = train(tiny, volumes, folder, resume=True)

    for name, tensor in undisturbed.items():
        assert torch.equal(resumed[name], tensor), name
    assert history.read(folder) == history.read(tmp_path / "undisturbed")


def test_a_resumed_run_drops_the_figures_of_steps_it_takes_again(tmp_path: Path) -> None:
    history.begin(tmp_path, 0)
    figures = [history.Figure(step, "loss", 1 / step) for step in (1, 2, 3)]
    figures.append(history.Figure(3, "validation_psnr", 30.125, 29.5))
    for figure in figures:
        history.append(tmp_path, figure)
    assert history.read(tmp_path) == figures
    with (tmp_path / history.FILE).open("a", encoding="utf-8") as file:
        file.write("4,loss,0.")  # killed in the middle of a line
    assert history.read(tmp_path) == figures
    history.begin(tmp_path, 2)
    assert history.read(tmp_path) == figures[:2]


def test_the_time_left_counts_the_steps_of_this_session_only(
    tiny: dict, volumes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from MedSRLib import progress

    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    events: list[dict] = []
    told = Progress(events.append)
    now[0] = 100.0  # reading the volumes took long
    told.start_at(0.5)
    told.update(0.5)
    assert events[-1]["eta_s"] is None
    now[0] = 110.0
    told.update(0.75)
    assert events[-1]["eta_s"] == 10.0


def test_pictures_are_drawn_and_told(tiny: dict, volumes: Path, tmp_path: Path) -> None:
    import SimpleITK as sitk

    events, _ = train(tiny, volumes, tmp_path / "out")
    told = [event for event in events if event["event"] == "preview"]
    assert [event["step"] for event in told] == [4, 8, 11]
    picture = sitk.GetArrayFromImage(sitk.ReadImage(told[-1]["path"]))
    height, width = picture.shape
    side = (width - 8) // 3
    assert height >= 128 and side >= 128
    coarse, now, truth = (picture[:, n * (side + 4) : n * (side + 4) + side] for n in range(3))
    assert len({part.tobytes() for part in (coarse, now, truth)}) == 3
    error = [abs(part.astype(float) - truth).mean() for part in (coarse, now)]
    assert error[1] < error[0], "even a young network starts from the cubic"


def test_the_papers_patches_have_a_picture_too(tiny: dict, volumes: Path, tmp_path: Path) -> None:
    tiny["architecture"]["cell"] = False
    tiny["sampling"] = {"kind": "paper", "crop": 18, "margin": 2, "patch": 6, "batch": 3, "queries": 50}
    tiny["sampling"] |= {"crops_per_subject": 3, "scale_max": 3.0, "scale_step": 0.1}
    tiny["degradation"] = [{"kind": "spline"}]
    tiny["optimisation"] = {"epochs": 2, "steps": 0}
    tiny["validate_every"] = 2
    events, _ = train(tiny, volumes, tmp_path / "out")
    assert [event["step"] for event in events if event["event"] == "preview"] == [2, 4]
    figures = history.read(tmp_path / "out")
    assert [figure.cubic for figure in figures if figure.name == "validation_psnr"] == [None, None]
