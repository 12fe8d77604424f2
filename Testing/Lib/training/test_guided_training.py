"""The training of guided networks: from a manifest to a model that upscales with a guide and without."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from MedSRLib import images
from MedSRLib.inference.runtime import Runtime
from MedSRLib.manifests import load as load_manifest
from MedSRLib.models import guiding
from MedSRLib.progress import Progress
from MedSRLib.training import engine
from MedSRLib.training import recipe as recipes
from MedSRLib.training.frames import Frame
from MedSRLib.training.kinds import training_of
from MedSRLib.upscaling import upscale

ARCHITECTURES = {
    "lmcsc": {"features": 4, "kernel": 3, "steps": 2, "guide_steps": 2, "scale": [3, 1], "residual": "cubic"},
    "dual-state": {"features": 4, "kernel": 3, "steps": 2, "guide_steps": 2, "scale": [3, 1]},
    "djf": {"features": [4, 3], "fused": [4, 3], "residual": "cubic"},
    "coista": {"patch": 4, "atoms": 6, "layers": 2},
}


@pytest.fixture
def manifest(volumes: Path) -> Path:
    """Each of the three subjects twice: as T2w, and as T1w of the same voxels."""
    rows = [
        {"path": f"volumes/s{n}.nii.gz", "subject": f"s{n}", "dataset": "d", "modality": "T2w", "role": "train"}
        for n in range(3)
    ]
    for n in range(3):
        images.write(images.read(volumes / f"s{n}.nii.gz") * -0.5 + 100, volumes / f"g{n}.nii.gz")
        rows.append({**rows[n], "path": f"volumes/g{n}.nii.gz", "modality": "T1w"})
    path = volumes.parent / "manifest.tsv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter="\t")
        writer.writeheader()
        writer.writerows(rows)
    return path


def recipe(method: str, **changes) -> recipes.Recipe:
    return recipes.from_data(
        {
            "name": "tiny-guided",
            "method": method,
            "validate_every": 2,
            "architecture": ARCHITECTURES[method],
            "data": {"modality": "T2w", "guide": "T1w", "normalisation": "percentile", "validation_subjects": 1},
            "sampling": {
                "patch": 8, "context": 1, "batch": 2, "queries": 64, "scale_max": 3.0, "axes": "one", "dimensions": 2,
            },
            "degradation": [{"kind": "physical", "noise": 0.02}],
            "guidance": {"dropout": 0.3, "shift": 0.5, "rotation": 1.0, "contrast": 0.3, "gain": 0.1, "noise": 0.01},
            "optimisation": {"rate": 1e-3, "steps": 4, "clip": 1.0},
            **changes,
        }
    )  # fmt: skip


@pytest.mark.parametrize("method", ARCHITECTURES)
def test_a_model_tells_what_guided_it_and_works_with_and_without(method: str, manifest: Path) -> None:
    model = engine.fit(recipe(method), load_manifest(manifest), runtime=Runtime(), progress=Progress())
    assert model.card.guide_modalities == ["T1w"]
    assert model.card.guide_optional
    assert model.card.modalities == ["T2w"]
    image, guide = (images.read(manifest.parent / "volumes" / name) for name in ("s0.nii.gz", "g0.nii.gz"))
    results = [
        images.to_array(upscale(image, method, scale=(1, 1, 2), model=model, runtime=Runtime(), **given))
        for given in ({}, {"guide": guide, "options": {"registration": "none"}})
    ]
    assert results[0].shape == (52, 28, 30)
    assert all(np.isfinite(result).all() for result in results)


def test_what_another_modality_left_out_is_warned_of(manifest: Path) -> None:
    text = manifest.read_text().replace("volumes/g2.nii.gz\ts2\td\tT1w", "volumes/g2.nii.gz\ts2\td\tPD")
    manifest.write_text(text)
    events: list = []
    engine.fit(recipe("djf"), load_manifest(manifest), runtime=Runtime(), progress=Progress(events.append))
    assert any("no guide (T1w)" in e.get("message", "") and "s2" in e["message"] for e in events)


def test_without_dropout_a_model_needs_its_guide(manifest: Path) -> None:
    model = engine.fit(recipe("lmcsc", guidance={}), load_manifest(manifest), runtime=Runtime(), progress=Progress())
    assert not model.card.guide_optional


@pytest.mark.parametrize(("slices", "coarsest"), [("any", 12.0), ("k", 4.0)])
def test_axes_that_are_never_coarse_do_not_count_as_spacing_trained_for(slices: str, coarsest: float) -> None:
    sampling = {"patch": 8, "scale_min": 2.0, "scale_max": 4.0, "dimensions": 2, "slices": slices}
    asked = recipe("lmcsc", sampling=sampling)
    values = np.random.default_rng(0).random((30, 40, 40)).astype(np.float32)
    frame = Frame(values, (3.0, 0.8, 0.7), "", {"T1w": values})
    told = training_of(asked).of(asked, [frame], [], "cpu").learned([(0.7, 0.8, 3.0), (1.0, 1.0, 1.0)])
    assert told["spacing_mm"] == (1.4, coarsest)


def test_any_to_any_learns_of_each_modality_by_the_other(manifest: Path) -> None:
    names = ["T1w", "T2w"]
    wanted = recipe(
        "lmcsc",
        architecture={**ARCHITECTURES["lmcsc"], "guides": 2},
        data={"modality": names, "guide": names, "normalisation": "percentile", "validation_subjects": 1},
    )
    model = engine.fit(wanted, load_manifest(manifest), runtime=Runtime(), progress=Progress())
    assert (model.card.guide_modalities, model.card.modalities, guiding.most(model.card)) == (names, names, 1)
    image, guide = (images.read(manifest.parent / "volumes" / name) for name in ("s0.nii.gz", "g0.nii.gz"))
    still = {"registration": "none"}
    made = upscale(image, "lmcsc", scale=(1, 1, 2), model=model, guide={"T1w": guide}, options=still)
    assert np.isfinite(images.to_array(made)).all()
