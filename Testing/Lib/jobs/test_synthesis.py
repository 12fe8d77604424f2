"""From the modality that is wanted to a labelled volume: which model is taken, what is refused, what is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from MedSRLib import images, intensity, upscaling
from MedSRLib.errors import OptionError
from MedSRLib.grids import Grid
from MedSRLib.inference.refinement import Refinement
from MedSRLib.inference.runtime import Runtime
from MedSRLib.jobs import runner
from MedSRLib.jobs.upscale import settle
from MedSRLib.jobs.upscale_job import UpscaleParameters
from MedSRLib.models import library
from MedSRLib.models.card import ModelCard
from MedSRLib.networks import catalogue

SMALL = {"filters": 2, "support": 3, "iterations": 2, "base": "input"}


@pytest.fixture(autouse=True)
def models(tmp_path, monkeypatch) -> None:
    """WEENIE for one modality, for T1w to T2w at both resolutions, and for FLAIR to T2w; all but the base is zero."""
    monkeypatch.setenv("MEDSR_MODELS", str(tmp_path / "user"))
    monkeypatch.setattr(library, "shipped_folder", lambda: tmp_path / "shipped")
    network = catalogue.build("weenie", SMALL)
    for name, source, target, scale in (
        ("double", "T1w", "", 2.0),
        ("t1w-t2w", "T1w", "T2w", 1.0),
        ("t1w-t2w-x2", "T1w", "T2w", 2.0),
        ("flair-t2w", "FLAIR", "T2w", 1.0),
    ):
        card = ModelCard(
            name=name,
            method="weenie",
            architecture=network.architecture(),
            scale_min=scale,
            scale_max=scale,
            axes="all",
            modalities=[source],
            target_modality=target,
            normalisation="foreground",
        )
        library.save(library.Model(card, dict(network.state_dict())), library.user_folder())


@pytest.fixture
def image():
    grid = Grid((28, 27, 26), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1, 0, 0, 0, 1))
    values = np.zeros(grid.shape, np.float32)
    values[3:-3, 3:-3, 3:-3] = 500 + 40 * torch.rand(20, 21, 22, generator=torch.Generator().manual_seed(0)).numpy()
    return images.from_array(values, grid)


@pytest.mark.parametrize(
    ("wish", "model"),
    [
        ({"scale": 2.0}, "double"),
        ({"scale": 1.0, "target": "T2w", "modality": "T1w"}, "t1w-t2w"),
        ({"scale": 2.0, "target": "t2w", "modality": "T1w"}, "t1w-t2w-x2"),
        ({"scale": 1.0, "target": "T2w", "modality": "flair"}, "flair-t2w"),
    ],
)
def test_source_target_and_scale_choose_the_model(wish, model, image) -> None:
    settled = settle(UpscaleParameters(method="weenie", **wish)).chosen_for(image)
    assert settled.model is not None and settled.model.card.name == model
    assert settled.synthetic is (True if "target" in wish else None)


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"target": "PET"}, "does not make PET"),
        ({"target": "T2w"}, "FLAIR or T1w"),
        ({"target": "T2w", "modality": "CT"}, "makes T2w of CT"),
        ({"target": "T2w", "modality": "T1w", "model": "double"}, "does not make T2w"),
        ({"target": "T2w", "method": "bspline"}, "does not make T2w"),
    ],
)
def test_what_no_model_makes_is_refused_with_what_there_is(wish, words) -> None:
    with pytest.raises(OptionError, match=words):
        settle(UpscaleParameters(**{"method": "weenie", "scale": 1.0, **wish}))


def test_a_synthesised_volume_has_its_own_unit_and_says_so(image, tmp_path: Path) -> None:
    source, made = tmp_path / "t1.nii.gz", tmp_path / "t2.nii.gz"
    images.write(image, source)
    parameters = {"method": "weenie", "scale": 1.0, "target": "T2w", "modality": "T1w", "device": "cpu"}
    job = {
        "task": "upscale",
        "inputs": {"image": str(source)},
        "outputs": {"image": str(made)},
        "parameters": parameters,
    }
    events: list[dict] = []
    assert runner.run(job, events.append) == 0
    assert events[-1]["provenance"]["synthetic"] is True
    found = images.to_array(images.read(made))
    inside = images.to_array(image) > 0
    assert float(np.median(found[inside])) == pytest.approx(intensity.SYNTHETIC_UNIT, rel=0.15)


def test_a_synthesised_volume_is_not_compared_with_its_input(image, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="refined"):
        upscaling.upscale(image, "weenie", scale=1, model="t1w-t2w", refine=Refinement(), runtime=Runtime())
    source = tmp_path / "t1.nii.gz"
    images.write(image, source)
    job = {
        "task": "upscale",
        "inputs": {"image": str(source)},
        "outputs": {"image": str(tmp_path / "a.nii.gz"), "consistency": str(tmp_path / "c.nii.gz")},
        "parameters": {"method": "weenie", "scale": 1.0, "target": "T2w", "modality": "T1w"},
    }
    events: list[dict] = []
    assert runner.run(job, events.append) == 2
    assert not (tmp_path / "a.nii.gz").exists()
