"""Training from thick slices alone: a model comes out, and it learns what lies between slices."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import torch

from MedSRLib import images
from MedSRLib.errors import OptionError
from MedSRLib.grids import Grid
from MedSRLib.inference.runtime import Runtime
from MedSRLib.jobs import runner
from MedSRLib.models import library
from MedSRLib.progress import Progress
from MedSRLib.training import engine, history
from MedSRLib.training.frames import Frame
from MedSRLib.training.recipe import from_data
from MedSRLib.training.slice_training import SliceTraining
from MedSRLib.training.slices import Triplets
from MedSRLib.upscaling import upscale

TINY = {
    "name": "tiny-slices",
    "method": "sander",
    "validate_every": 4,
    "architecture": {"features": 4, "blocks": 2, "latent": 4},
    "data": {"normalisation": "percentile", "validation_subjects": 1},
    "sampling": {"kind": "slices", "patch": 16, "batch": 2, "gain": 0.1},
    "optimisation": {"loss": "mse", "rate": 1e-3, "steps": 8},
}


@pytest.fixture
def cine(tmp_path: Path) -> Path:
    """Three subjects of two frames each, seven slices of 22 × 18 pixels, 1.4 × 1.4 × 8 mm."""
    folder = tmp_path / "cine"
    folder.mkdir()
    grid = Grid((18, 22, 7), (1.4, 1.4, 8.0), (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    for number in range(3):
        values = np.random.default_rng(number).random((2, *grid.shape), np.float32)
        images.write(sitk.JoinSeries([images.from_array(v, grid) for v in values]), folder / f"s{number}.nii.gz")
    return folder


def test_thick_slices_alone_make_a_model_that_upscales(cine: Path, tmp_path: Path) -> None:
    path, out = tmp_path / "recipe.json", tmp_path / "out"
    path.write_text(json.dumps(TINY), encoding="utf-8")
    model = library.load(engine.train(path, cine, out, runtime=Runtime(), progress=Progress()))
    assert model.card.method == "sander"
    assert (model.card.axes, model.card.spacing_mm) == ("one", (8.0, 8.0))
    figures = history.read(out)
    made = [f for f in figures if f.name == "validation_psnr"]
    assert [f.step for f in made] == [4, 8] and all(f.cubic is None for f in made)
    linear = [f.value for f in figures if f.name == "linear_psnr"]
    assert linear == [linear[0]] * 2 and linear[0] == pytest.approx(_linear_psnr(cine / "s1.nii.gz"), abs=1e-3)
    assert (out / "preview.png").is_file()
    result = upscale(images.read(cine / "s1.nii.gz"), "sander", spacing=(1.4, 1.4, 2), model=model, runtime=Runtime())
    assert result.GetSize() == (18, 22, 28, 2)


def test_half_precision_is_for_weights_not_for_counts(cine: Path, tmp_path: Path) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps({**TINY, "storage": "float16"}), encoding="utf-8")
    model = library.load(engine.train(path, cine, tmp_path / "out", runtime=Runtime(), progress=Progress()))
    kinds = {name.endswith("num_batches_tracked"): tensor.dtype for name, tensor in model.tensors.items()}
    assert kinds == {False: torch.float16, True: torch.int64}


def test_a_training_is_checked_before_it_starts(cine: Path, tmp_path: Path) -> None:
    path, events = tmp_path / "recipe.json", []
    path.write_text(json.dumps(TINY), encoding="utf-8")
    inputs = {"manifest": str(cine), "recipe": str(path)}
    job = {"task": "check-training", "inputs": inputs, "parameters": {"device": "cpu", "precision": "float32"}}
    assert runner.run(job, events.append) == 0, events[-1]
    assert events[-1]["problems"] == [], "thick slices are what is wanted"


@pytest.mark.parametrize("residual", ["none", "linear"])
def test_the_loss_is_the_papers(residual: str) -> None:
    """Reconstruction and, weighted, the middle slice of its neighbours' codes, each put together by hand."""
    architecture = {**TINY["architecture"], "residual": residual}
    recipe = from_data({**TINY, "architecture": architecture, "optimisation": {**OPTIMISATION, "semantic_weight": 0.5}})
    module = _module(recipe)
    module.network.eval()
    batch = Triplets.of(torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0)))
    network = module.network
    reconstructed = [network(part) for part in (batch.before, batch.middle, batch.after)]
    codes = [network.code(part).latent for part in (batch.before, batch.after)]
    made = network._decoded((codes[0] + codes[1]) / 2, (16, 16))
    if residual == "linear":
        made = made + (batch.before - reconstructed[0] + batch.after - reconstructed[2]) / 2
        again = torch.cat(reconstructed) - torch.cat([batch.before, batch.middle, batch.after])
    else:
        again = reconstructed[1] - batch.middle
    expected = again.square().mean() + 0.5 * (made - batch.middle).square().mean()
    assert torch.allclose(module.loss(batch), expected, rtol=1e-5)
    assert torch.allclose(module.between(batch), made, atol=1e-6)
    assert torch.allclose(module.error(batch), (made - batch.middle).square().mean())


def test_without_the_semantic_term_it_is_the_first_papers_loss() -> None:
    module = _module(from_data({**TINY, "optimisation": {**OPTIMISATION, "semantic_weight": 0}}))
    module.network.eval()
    batch = Triplets.of(torch.rand(2, 3, 16, 16))
    assert torch.allclose(module.loss(batch), (module.network(batch.middle) - batch.middle).square().mean())


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"sampling": {"kind": "product"}}, "sampling.kind = 'slices'"),
        ({"sampling": {"kind": "slices", "scale_max": 3.0}}, "no use of scale_max"),
        ({"degradation": [{"kind": "physical"}]}, "degrades nothing"),
        ({"method": "arssr", "architecture": {}}, "sampling.kind = 'product'"),
        ({"sampling": {"kind": "product", "in_plane_mm": 1.4}}, "need sampling.kind"),
    ],
)
def test_settings_of_another_training_are_refused(changed: dict, said: str) -> None:
    from MedSRLib.training.kinds import training_of

    with pytest.raises(OptionError, match=said):
        training_of(from_data({**TINY, **changed}))


OPTIMISATION = TINY["optimisation"]


def _module(recipe) -> SliceTraining:
    torch.manual_seed(0)
    frame = Frame(np.random.default_rng(0).random((4, 16, 16), np.float32), (8.0, 1.0, 1.0))
    module = SliceTraining.of(recipe, [frame], [], "cpu")
    assert isinstance(module, SliceTraining)
    return module


def _linear_psnr(path: Path) -> float:
    """Of the mean of both neighbours, range 1 from percentile 1 to 99, every inner slice of every frame."""
    errors = []
    for frame in images.frames(images.read(path)):
        values = images.to_array(frame)
        low, high = np.percentile(values, (1, 99))
        values = (values - low) / (high - low)
        errors.append(np.square((values[:-2] + values[2:]) / 2 - values[1:-1]).mean())
    return float(-10 * np.log10(np.mean(errors)))
