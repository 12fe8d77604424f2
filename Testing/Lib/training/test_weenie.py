"""Learning WEENIE: it learns what it should, goes on after a stop, and says what it did with unpaired volumes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from MedSRLib import images, upscaling
from MedSRLib.errors import Cancelled, OptionError
from MedSRLib.grids import Grid
from MedSRLib.inference.runtime import Runtime
from MedSRLib.manifests import load as load_manifest
from MedSRLib.models import library
from MedSRLib.progress import Progress
from MedSRLib.training import engine
from MedSRLib.training import recipe as recipes

LEARNING = {"iterations": 2, "crops": 2, "edge": 20, "decoding_crops": 6, "decoding_ridge": 1.0}
ARCHITECTURE = {"filters": 4, "support": 3, "iterations": 6, "penalty": 0.005, "rho": 0.2, "direct": 3}


def _volume(seed: int, kind: str) -> sitk.Image:
    """Smooth tissue in air; the other contrast is a curve of the first that no line follows."""
    generator = np.random.default_rng(seed)
    grid = Grid((32, 30, 28), (1, 1, 1), (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    noise = sitk.SmoothingRecursiveGaussian(images.from_array(generator.random(grid.shape, np.float32), grid), 1.5)
    values = images.to_array(noise)
    values = (values - values.min()) / np.ptp(values)
    k, j, i = np.indices(grid.shape)
    head = (k - 14) ** 2 + (j - 15) ** 2 + (i - 16) ** 2 < 13**2
    other = 1.5 - np.abs(values - 0.5) * 2
    return images.from_array(
        np.where(head, 100 * (values + 0.5 if kind == "T1w" else other), 0).astype(np.float32), grid
    )


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Two registered subjects, a T1w and a T2w volume of others, and one to be held out."""
    rows = ["path\trole\tdataset\tsubject\tmodality\torgan\tlicence"]
    for subject, seed, kinds in (
        ("a", 0, "T1w T2w"),
        ("b", 1, "T1w T2w"),
        ("c", 2, "T1w T2w"),
        ("d", 3, "T1w"),
        ("e", 4, "T2w"),
    ):
        for kind in kinds.split():
            images.write(_volume(seed, kind), tmp_path / f"{subject}_{kind}.nii.gz")
            rows.append(f"{subject}_{kind}.nii.gz\ttrain\tset-{subject}\t{subject}\t{kind}\tbrain\tCC0")
    path = tmp_path / "manifest.tsv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def _recipe(target: str = "", scale: float = 1.0, **more: Any) -> dict[str, Any]:
    learning = {**LEARNING, **more.pop("learning", {})}
    data = {"modality": "T1w", "target": target, "normalisation": "foreground", "validation_subjects": ["c"]}
    return {
        "name": "tiny-weenie",
        "method": "weenie",
        "architecture": {**ARCHITECTURE, "base": "contrast" if target else "input", "scales": (0.0, 2.0), "bins": 8},
        "data": {**data, **more.pop("data", {})},
        "sampling": {"scale_min": scale, "scale_max": scale},
        "degradation": [{"kind": "physical", "noise": 0.0}],
        "learning": learning,
    }


def _fitted(recipe: dict[str, Any], manifest: Path, said: list[dict] | None = None) -> library.Model:
    progress = Progress(None if said is None else said.append)
    checked = recipes.Recipe.model_validate(recipe)
    return engine.fit(checked, load_manifest(manifest), runtime=Runtime(), progress=progress)


def _error(model: library.Model, folder: Path, truth: np.ndarray) -> float:
    made = upscaling.upscale(images.read(folder / "c_T1w.nii.gz"), "weenie", scale=1, model=model, runtime=Runtime())
    return float(np.sqrt(np.mean((images.to_array(made) - truth)[truth > 0] ** 2)))


def test_synthesis_learns_the_other_contrast_in_its_own_unit(manifest: Path) -> None:
    model = _fitted(_recipe("T2w"), manifest)
    card = model.card
    assert (card.modalities, card.target_modality, card.scale_min, card.scale_max) == (["T1w"], "T2w", 1.0, 1.0)
    truth = images.to_array(images.read(manifest.parent / "c_T2w.nii.gz"))
    normal = 100 * truth / np.median(truth[truth > 0])
    assert _error(model, manifest.parent, normal) < 0.6 * normal[normal > 0].std()


def test_super_resolution_is_better_than_its_input(manifest: Path) -> None:
    model = _fitted(_recipe(scale=2.0), manifest)
    told = model.card.metrics[0]
    assert model.card.target_modality == ""
    assert told["validation_psnr"] > told["validation_psnr_of_base"] + 0.3


@pytest.mark.parametrize(("alignment", "words"), [("mutual", "were matched"), ("none", "their own modality")])
def test_unpaired_volumes_are_learned_from(alignment: str, words: str, manifest: Path) -> None:
    said: list[dict] = []
    recipe = _recipe("T2w", data={"unpaired": True}, learning={"alignment": alignment, "unpaired_patches": 60})
    model = _fitted(recipe, manifest, said)
    assert any(words in event.get("message", "") for event in said)
    assert {entry.name for entry in model.card.training_data} == {"set-a", "set-b", "set-d", "set-e"}
    plain = _fitted(_recipe("T2w"), manifest)
    assert not np.array_equal(plain.tensors["body.source"].numpy(), model.tensors["body.source"].numpy())


def test_a_stopped_run_goes_on_and_ends_with_the_same_numbers(manifest: Path, tmp_path: Path) -> None:
    import json

    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(_recipe("T2w")), encoding="utf-8")
    folders = [tmp_path / "stopped", tmp_path / "straight"]

    def run(folder: Path, resume: bool, progress: Progress) -> Path:
        return engine.train(path, manifest, folder, resume=resume, runtime=Runtime(), progress=progress)

    with pytest.raises(Cancelled):
        run(folders[0], False, Progress(cancelled=(folders[0] / "last.ckpt").exists))
    models = [
        library.load(run(folder, resume, Progress())) for folder, resume in zip(folders, (True, False), strict=True)
    ]
    for name, tensor in models[0].tensors.items():
        assert np.array_equal(tensor.numpy(), models[1].tensors[name].numpy())


@pytest.mark.parametrize(
    ("section", "changed", "named"),
    [
        ("sampling", {"scale_min": 1.0, "scale_max": 2.0}, "scale_min"),
        ("sampling", {"patch": 9}, "sampling.patch"),
        ("learning", {"filterz": 3}, "filterz"),
        ("degradation", [{"kind": "physical"}, {"kind": "spline"}], "degradation"),
        ("learning", {"refit": False}, "architecture.direct"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(section: str, changed: Any, named: str, manifest: Path) -> None:
    recipe = _recipe("T2w")
    recipe[section] = changed if isinstance(changed, list) else {**recipe[section], **changed}
    with pytest.raises(OptionError, match=named):
        _fitted(recipe, manifest)
