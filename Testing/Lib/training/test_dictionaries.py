"""Learning patch dictionaries: pairs cut where they belong, models better than cubic interpolation, resuming."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from MedSRLib import images
from MedSRLib.errors import Cancelled, OptionError
from MedSRLib.inference.runtime import Runtime
from MedSRLib.models import library
from MedSRLib.progress import Progress
from MedSRLib.sparse.patch_network import enlarged
from MedSRLib.training import checking, engine, history
from MedSRLib.training import recipe as recipes
from MedSRLib.training.dictionaries import config_of
from MedSRLib.training.frames import Frame
from MedSRLib.training.patch_samples import PatchSamples
from MedSRLib.upscaling import upscale

FEATURES = {"components": 8}
METHODS = {"scsr": {"step": 2, "iterations": 10}, "zeyde": FEATURES, "ne-lle": FEATURES, "gr": FEATURES}
METHODS |= {"anr": FEATURES, "a-plus": FEATURES}


def tiny(method: str, **changed) -> dict:
    """Of volumes; ScSR, which takes longest, of slices."""
    axes = 2 if method == "scsr" else 3
    return {
        "name": "tiny",
        "method": method,
        "architecture": {"dimensions": axes, "scale": [2] * axes, "atoms": 12, **METHODS[method]},
        "data": {"modality": "T1w", "normalisation": "percentile", "validation_subjects": 1},
        "sampling": {
            "patch": 12,
            "context": 0,
            "batch": 2,
            "queries": 24,
            "scale_min": 2,
            "scale_max": 2,
            "dimensions": axes,
        },
        "degradation": [{"kind": "physical"}],
        "learning": {"samples": 300, "iterations": 3},
        **changed,
    }


def run(recipe: dict, volumes: Path, out: Path, **more) -> Path:
    path = volumes.parent / "recipe.json"
    path.write_text(json.dumps(recipe), encoding="utf-8")
    progress = more.pop("progress", Progress())
    return engine.train(path, volumes, out, runtime=Runtime(), progress=progress, **more)


def test_the_last_figure_stands_at_the_last_iteration_of_a_recipe_that_names_none(
    volumes: Path, tmp_path: Path
) -> None:
    run(tiny("scsr", learning={"samples": 300, "inner": 1}), volumes, tmp_path / "out")
    assert {f.name: f.step for f in history.read(tmp_path / "out")} == {"loss": 40, "validation_psnr": 40}


@pytest.mark.parametrize("method", METHODS)
def test_a_model_is_learned_and_used(method: str, volumes: Path, tmp_path: Path) -> None:
    path = run(tiny(method), volumes, tmp_path / "out")
    model = library.load(path)
    assert (model.card.axes, model.card.scale_max, model.card.spacing_mm) == (
        "any" if method == "scsr" else "all",
        2.0,
        (2.0, 2.0),
    )
    assert model.card.metrics[0]["samples"] == 300
    figures = history.read(tmp_path / "out")
    assert [f.step for f in figures if f.name == "loss"] == [1, 2, 3]
    (judged,) = (f for f in figures if f.name == "validation_psnr")
    assert judged.step == 3
    assert judged.cubic is not None and (method == "scsr" or judged.value > judged.cubic)
    image = images.read(volumes / "s0.nii.gz")
    assert upscale(image, method, scale=2, model=model, runtime=Runtime()).GetSize() == (60, 56, 52)


@pytest.mark.parametrize("method", ["scsr", "a-plus"])
def test_a_stopped_learning_goes_on_and_ends_alike(method: str, volumes: Path, tmp_path: Path) -> None:
    whole = load_file(run(tiny(method), volumes, tmp_path / "whole"))
    out = tmp_path / "out"
    stop = Progress(cancelled=lambda: out.is_dir() and any(figure.step == 2 for figure in history.read(out)))
    with pytest.raises(Cancelled):
        run(tiny(method), volumes, out, progress=stop)
    again = load_file(run(tiny(method), volumes, out, resume=True))
    assert all(torch.equal(again[name], tensor) for name, tensor in whole.items())


@pytest.mark.parametrize(
    ("scale", "dimensions", "method"), [(2, 3, "anr"), (3, 2, "anr"), (2, 3, "scsr"), (4, 2, "scsr")]
)
def test_samples_lie_where_the_network_looks_for_them(scale: int, dimensions: int, method: str) -> None:
    """Of a volume that is linear along its axes mid is the truth, so nothing is left to learn."""
    k, j, i = np.meshgrid(*(np.arange(68.0) for _ in range(3)), indexing="ij")
    values = ((2 * k - j + 0.5 * i) / 60).astype(np.float32)
    recipe = tiny(
        method,
        architecture={"dimensions": dimensions, "scale": [scale] * dimensions, "atoms": 12},
        sampling={
            "patch": 14,
            "context": 0,
            "batch": 2,
            "queries": 14 * scale,
            "scale_min": scale,
            "scale_max": scale,
            "dimensions": dimensions,
        },
    )
    if method == "scsr":
        recipe["architecture"]["step"] = scale
    loaded = recipes.from_data(recipe)
    config = config_of(loaded)
    windows, differences = PatchSamples([Frame(values, (1.0,) * 3)], loaded, config, "cpu").batch(0)
    assert windows.shape == (len(differences), config.surroundings**dimensions)
    assert len(differences) > 10 and float(windows.std()) > 0.1
    assert float(differences.abs().max()) < 1e-4


def test_samples_are_the_patches_that_the_network_takes() -> None:
    """A window of the enlarged image, and the differences that, added to its patch, are the truth."""
    values = np.random.default_rng(0).random((40, 42, 44), dtype=np.float32)
    recipe = recipes.from_data(tiny("anr"))
    config = config_of(recipe)
    samples = PatchSamples([Frame(values, (1.0,) * 3)], recipe, config, "cpu")
    windows, _ = samples.batch(3)
    again, _ = samples.batch(3)
    assert torch.equal(windows, again), "a batch depends on its number alone"
    batch = samples._pairs.batch(3)
    mid = enlarged(batch.image[:, 0], 2)
    first = windows[0].reshape(10, 10, 10)
    found = mid.unfold(1, 10, 1).unfold(2, 10, 1).unfold(3, 10, 1)
    assert float((found - first).flatten(4).abs().amax(-1).min()) < 1e-6


@pytest.mark.parametrize("method", ["scsr", "anr"])
def test_what_learning_would_be_like(method: str, volumes: Path, tmp_path: Path) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(tiny(method)), encoding="utf-8")
    told = checking.check(path, volumes, runtime=Runtime(), progress=Progress())
    assert (told["steps"], told["problems"]) == (3, []) and 0 < told["hours"] < 0.1


@pytest.mark.parametrize(
    ("section", "changed", "named"),
    [
        ("sampling", {"context": 2}, "sampling.context = 0"),
        ("sampling", {"scale_max": 3}, "sampling.scale_max = 2.0"),
        ("sampling", {"queries": 8}, "sampling.queries = 24"),
        ("sampling", {"patch": 8, "queries": 16}, "sampling.patch = 12"),
        ("learning", {"sparsity": 0}, "learning.sparsity"),
        ("learning", {"neighbours": 3}, "learning.neighbours"),
    ],
)
def test_a_recipe_that_fits_no_dictionary_is_refused(section: str, changed: dict, named: str, volumes: Path) -> None:
    recipe = tiny("anr")
    recipe[section] = {**recipe[section], **changed}
    with pytest.raises(OptionError, match=named.replace(".", r"\.")):
        run(recipe, volumes, volumes / "out")
    assert not (volumes / "out").exists()
