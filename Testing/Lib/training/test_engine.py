"""Training runs: a model comes out, a kill does not matter, two processes work together."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from MedSRLib import images
from MedSRLib.errors import InputError, OptionError, OutputError
from MedSRLib.grids import Grid
from MedSRLib.inference.runtime import Runtime
from MedSRLib.manifests import load as load_manifest
from MedSRLib.methods.registry import create
from MedSRLib.models import library
from MedSRLib.models.card import TrainingData
from MedSRLib.progress import Progress
from MedSRLib.training import engine, recipe
from MedSRLib.upscaling import upscale

RECIPE = """
name = "tiny"
method = "arssr"
checkpoint_every = 2
validate_every = 4

[architecture]
encoder = "srresnet"
feature_dim = 4
channels = 4
blocks = 1
width = 8
coordinates = "local"
cell = true
padding = "border"
residual = "cubic"
final = "linear"

[data]
modality = "T1w"
normalisation = "percentile"
validation_subjects = ["s2"]

[sampling]
patch = 8
batch = 2
queries = 6
scale_max = 3.0

[[degradation]]
kind = "physical"
noise = 0.02

[optimisation]
rate = 1e-3
schedule = "cosine"
clip = 1.0
steps = {steps}
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A manifest of three small volumes."""
    lines = ["path\trole\tsubject\tmodality\tdataset\tlicence"]
    for number in range(3):
        generator = np.random.default_rng(number)
        coarse = torch.from_numpy(generator.random((1, 1, 6, 6, 6), dtype=np.float32))
        fine = torch.nn.functional.interpolate(coarse, size=(26, 28, 30), mode="trilinear")[0, 0]
        grid = Grid((30, 28, 26), (1, 1, 1), (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
        images.write(images.from_array(fine.numpy() * 100, grid), tmp_path / f"v{number}.nii.gz")
        lines.append(f"v{number}.nii.gz\ttrain\ts{number}\tT1w\tmade\tCC0")
    manifest = tmp_path / "manifest.tsv"
    manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return manifest


def write_recipe(folder: Path, steps: int, **replaced: str) -> Path:
    text = RECIPE.format(steps=steps)
    for old, new in replaced.items():
        text = text.replace(old, new)
    path = folder / f"recipe{steps}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def run(recipe_path: Path, data: Path, out: Path, **more) -> Path:
    return engine.train(recipe_path, data, out, runtime=Runtime(), progress=Progress(), **more)


def test_a_run_leaves_a_model_that_upscales(data: Path, tmp_path: Path) -> None:
    events: list[dict] = []
    path = engine.train(
        write_recipe(tmp_path, 8),
        data,
        tmp_path / "out",
        runtime=Runtime(),
        progress=Progress(events.append),
    )
    model = library.load(path)
    assert model.card.method == "arssr"
    assert model.card.modalities == ["T1w"]
    assert [entry.subjects for entry in model.card.training_data] == [2], "the held-out subject is not data"
    assert model.card.spacing_mm == (2.0, 3.0)
    assert model.card.licence == "CC0"
    names = {event.get("name") for event in events if event["event"] == "metric"}
    assert {"loss", "validation_psnr"} <= names
    image = images.read(data.parent / "v2.nii.gz")
    assert upscale(image, "arssr", scale=1.5, model=model, runtime=Runtime()).GetSize() == (45, 42, 39)


def test_killed_and_resumed_ends_like_an_undisturbed_run(data: Path, tmp_path: Path) -> None:
    path = write_recipe(tmp_path, 60)
    undisturbed = load_file(run(path, data, tmp_path / "undisturbed"))
    folder = tmp_path / "killed"
    code = (  # as many threads as here: sums over other numbers of threads round otherwise
        f"import torch; torch.set_num_threads({torch.get_num_threads()});"
        "import sys; from pathlib import Path; from MedSRLib.training import engine;"
        "from MedSRLib.inference.runtime import Runtime; from MedSRLib.progress import Progress;"
        "engine.train(*map(Path, sys.argv[1:]), runtime=Runtime(), progress=Progress())"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(path), str(data), str(folder)])
    deadline = time.monotonic() + 120
    while not (folder / "last.ckpt").exists():
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    step = torch.load(folder / "last.ckpt", weights_only=True)["global_step"]
    assert 0 < step < 60, "the kill must come half-way"

    resumed = load_file(run(path, data, folder, resume=True))

    assert resumed.keys() == undisturbed.keys()
    for name, tensor in undisturbed.items():
        assert torch.equal(resumed[name], tensor), name


def test_two_processes_train_together(data: Path, tmp_path: Path) -> None:
    """Lightning's distributed strategy over gloo on the CPU, as `--devices 2`."""
    recipe_path, out = write_recipe(tmp_path, 6), tmp_path / "two"
    job = {
        "task": "train",
        "inputs": {"recipe": str(recipe_path), "manifest": str(data)},
        "outputs": {"folder": str(out)},
        "parameters": {"devices": 2, "device": "cpu", "precision": "float32"},
    }
    (tmp_path / "job.json").write_text(json.dumps(job), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "MedSRLib.jobs", str(tmp_path / "job.json")],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    two = load_file(out / "tiny.safetensors")
    one = load_file(run(recipe_path, data, tmp_path / "one"))
    assert any(not torch.equal(one[name], two[name]) for name in one), "the second process adds its batches"


def test_a_method_fits_without_files(data: Path, tmp_path: Path) -> None:
    loaded = recipe.load(write_recipe(tmp_path, 3))
    model = create("arssr").fit(loaded, load_manifest(data), runtime=Runtime(), progress=Progress())
    assert model.path is None
    trained = load_file(run(write_recipe(tmp_path, 3), data, tmp_path / "out"))
    assert all(torch.equal(model.tensors[name], tensor) for name, tensor in trained.items())


def test_subjects_are_split_whole_and_missing_ones_named(data: Path, tmp_path: Path) -> None:
    split = engine.split_by_subject(load_manifest(data), recipe.load(write_recipe(tmp_path, 2)))
    assert {v.subject for v in split.train.volumes} == {"s0", "s1"}
    assert {v.subject for v in split.validation.volumes} == {"s2"}
    with pytest.raises(InputError, match="s9"):
        run(write_recipe(tmp_path, 3, s2="s9"), data, tmp_path / "out")
    with pytest.raises(InputError, match="No volume"):
        engine.split_by_subject(load_manifest(data), recipe.load(write_recipe(tmp_path, 4, T1w="CT", **{'"s2"': ""})))


def test_a_run_is_not_overwritten_nor_resumed_by_another_recipe(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(write_recipe(tmp_path, 2), data, out)
    with pytest.raises(OutputError, match="--resume"):
        run(write_recipe(tmp_path, 2), data, out)
    with pytest.raises(OptionError, match="not the one"):
        run(write_recipe(tmp_path, 3), data, out, resume=True)


def test_refining_a_model_starts_from_its_weights_and_keeps_its_data_on_the_card(data: Path, tmp_path: Path) -> None:
    first = run(write_recipe(tmp_path, 4), data, tmp_path / "first")
    card = library.load(first).card
    older = card.model_copy(update={"training_data": [TrainingData(name="older", licence="CC0", subjects=3)]})
    start = library.save(library.Model(older, library.load(first).tensors), tmp_path)
    text = write_recipe(tmp_path, 1).read_text(encoding="utf-8").replace("rate = 1e-3", "rate = 1e-9")
    refining = tmp_path / "refining.toml"
    refining.write_text(f'start_from = "{start}"\n{text}', encoding="utf-8")
    refined = library.load(run(refining, data, tmp_path / "refined"))
    assert [entry.name for entry in refined.card.training_data] == ["made", "older"]
    for name, tensor in library.load(first).tensors.items():
        torch.testing.assert_close(refined.tensors[name], tensor, atol=1e-6, rtol=0)
    refining.write_text(refining.read_text(encoding="utf-8").replace("width = 8", "width = 9"), encoding="utf-8")
    with pytest.raises(OptionError, match="another architecture"):
        run(refining, data, tmp_path / "other")
