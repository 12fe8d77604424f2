"""What is said of a training before it starts, and what a folder or a number of held-out subjects mean."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from MedSRLib import images
from MedSRLib.errors import InputError, OptionError
from MedSRLib.grids import Grid
from MedSRLib.jobs import runner
from MedSRLib.manifests import load as load_manifest
from MedSRLib.models import library
from MedSRLib.training import recipe as recipes
from MedSRLib.training.split import split_by_subject


def write(recipe: dict, folder: Path) -> Path:
    path = folder / "recipe.json"
    path.write_text(json.dumps(recipe), encoding="utf-8")
    return path


def run(task: str, recipe: dict, data: Path, tmp_path: Path, **more) -> tuple[int, list[dict]]:
    events: list[dict] = []
    inputs = {"manifest": str(data), "recipe": str(write(recipe, tmp_path))}
    parameters = {"device": "cpu", "precision": "float32", **more.pop("parameters", {})}
    return runner.run({"task": task, "inputs": inputs, "parameters": parameters, **more}, events.append), events


def test_what_a_training_would_be_like(tiny: dict, volumes: Path, tmp_path: Path) -> None:
    tiny["optimisation"]["steps"] = 7200
    code, events = run("check-training", tiny, volumes, tmp_path)
    told = events[-1]
    assert code == 0, told
    assert (told["subjects"], told["validation_subjects"], told["steps"]) == (3, 1, 7200)
    assert (told["volumes"], told["validation_volumes"], told["patches_per_step"]) == (3, 1, 2)
    assert (told["modalities"], told["spacing_mm"], told["problems"]) == (["T1w"], [1.0, 1.0], [])
    assert told["seconds_per_step"] > 0 and told["parameters"] > 100
    assert told["hours"] == pytest.approx(told["seconds_per_step"] * 7200 * 2 / 3600, rel=0.02), "4 steps in 4 validate"


def test_what_may_spoil_a_training_is_said(tiny: dict, volumes: Path, tmp_path: Path) -> None:
    axes = (1, 0, 0, 0, 1, 0, 0, 0, 1)
    flat = Grid((30, 28, 5), (1, 1, 4), (0, 0, 0), axes)
    image = images.read(volumes / "s0.nii.gz")[:, :, :5]
    images.write(images.from_array(images.to_array(image), flat), volumes / "t1.nii.gz")
    (volumes / "t2.nii.gz").write_bytes(b"no image")
    tiny["data"]["validation_subjects"] = 0
    tiny["name"] = library.names()[0]
    _, events = run("check-training", tiny, volumes, tmp_path)
    problems = "\n".join(events[-1]["problems"])
    for words in ("t2.nii.gz' cannot be read", "left out: t1.nii.gz", "4 mm", "No subject is held out", "has a model"):
        assert words in problems


def test_volumes_that_fill_the_memory_are_told(
    tiny: dict, volumes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from MedSRLib.inference import machine

    small = machine.Device("cpu", "Processor", free_gb=1e-4, total_gb=1.0, precisions=("float32",))
    monkeypatch.setattr(machine, "devices", lambda: [small])
    _, events = run("check-training", tiny, volumes, tmp_path)
    (problem,) = events[-1]["problems"]
    assert "all at once" in problem and "free on cpu" in problem


def test_what_cannot_be_trained_on_is_refused(tiny: dict, volumes: Path, tmp_path: Path) -> None:
    tiny["sampling"]["scale_max"] = 16.0
    code, events = run("check-training", tiny, volumes, tmp_path)
    assert code == 2 and "has 112 voxels along every axis" in events[-1]["message"]
    tiny["data"]["validation_subjects"] = 3
    code, events = run("check-training", tiny, volumes, tmp_path)
    assert code == 2 and "3 subjects cannot be held out" in events[-1]["message"]


def test_a_finished_model_is_installed_and_a_taken_name_refused_at_once(
    tiny: dict, volumes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDSR_MODELS", str(tmp_path / "library"))
    tiny["optimisation"]["steps"] = 2
    more = {"outputs": {"folder": str(tmp_path / "out")}, "parameters": {"install": True}}
    code, events = run("train", tiny, volumes, tmp_path, **more)
    assert (code, events[-1]["installed"]) == (0, "tiny"), events[-1]
    card = library.load("tiny", "arssr").card
    assert card.modalities == ["T1w"], "a folder says nothing: the recipe's word is taken"
    assert card.metrics[0]["validation_subjects"] == ["s1"]
    assert recipes.load(tmp_path / "out" / "recipe.json") == recipes.Recipe.model_validate(tiny)
    more = {"outputs": {"folder": str(tmp_path / "again")}, "parameters": {"install": True}}
    code, events = run("train", tiny, volumes, tmp_path, **more)
    assert code == 2 and "has a model 'tiny' already" in events[-1]["message"]
    assert not (tmp_path / "again").exists()


def test_held_out_subjects_are_spread_over_the_list(tiny: dict, tmp_path: Path) -> None:
    lines = "".join(f"{n}.nii.gz\tp{n:02}\n" for n in range(20))
    (tmp_path / "manifest.tsv").write_text("path\tsubject\n" + lines, encoding="utf-8")
    tiny["data"]["validation_subjects"] = 4
    split = split_by_subject(load_manifest(tmp_path / "manifest.tsv"), recipes.Recipe.model_validate(tiny))
    assert split.validation_subjects == ["p02", "p07", "p12", "p17"]
    assert len(split.train.volumes) == 16


def test_a_manifest_that_says_the_modality_is_believed(tiny: dict, tmp_path: Path) -> None:
    text = "path\tsubject\tmodality\na.nii.gz\ta\tT2w\nb.nii.gz\tb\t\n"
    (tmp_path / "manifest.tsv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="No volume"):
        split_by_subject(load_manifest(tmp_path / "manifest.tsv"), recipes.Recipe.model_validate(tiny))


def test_mistakes_in_a_json_recipe_are_named(tmp_path: Path) -> None:
    path = tmp_path / "recipe.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(OptionError, match="not valid JSON"):
        recipes.load(path)
    path.write_text('{"name": "a", "method": "arssr", "optimisation": {"steps": 1, "speed": 2}}', encoding="utf-8")
    with pytest.raises(OptionError, match="speed"):
        recipes.load(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(OptionError, match="not a text file"):
        recipes.load(path)


def test_the_shipped_recipes_have_names() -> None:
    assert "arssr-compact" in recipes.shipped()
