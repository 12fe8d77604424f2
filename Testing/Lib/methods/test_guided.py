"""Guided methods: a guide on any grid, none, or half of one; nothing of the guide alone shows in the result."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
import torch

from MedSRLib import images
from MedSRLib.acquisition.degrading import degrade
from MedSRLib.errors import GridError, OptionError
from MedSRLib.grids import Grid
from MedSRLib.inference.refinement import Refinement
from MedSRLib.inference.runtime import Runtime
from MedSRLib.methods.guided import GuidedMethod
from MedSRLib.models.card import ModelCard
from MedSRLib.models.library import Model
from MedSRLib.networks import catalogue
from MedSRLib.progress import Progress
from MedSRLib.training.frames import Frame
from MedSRLib.training.kinds import training_of
from MedSRLib.training.recipe import Recipe
from MedSRLib.upscaling import outcome, target_grid, upscale

FINE = Grid((24, 28, 32), (1, 1, 1), (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
STILL = {"registration": "none"}
ARCHITECTURE = {
    "residual": "cubic",
    "scale": [4, 1],
    "features": 16,
    "kernel": 3,
    "steps": 3,
    "guide_steps": 2,
    "form": "direct",
    "threshold": 0.1,
    "last_zero": True,
}


def model_of(network: torch.nn.Module, optional: bool = True) -> Model:
    card = ModelCard(
        name="tiny",
        method="lmcsc",
        architecture=network.architecture(),
        scale_max=4,
        axes="one",
        guide_modalities=["T1w"],
        guide_optional=optional,
    )
    return Model(card, dict(network.state_dict()))


@pytest.fixture(scope="module")
def random_model() -> Model:
    torch.manual_seed(0)
    network = catalogue.build("lmcsc", ARCHITECTURE)
    with torch.no_grad():
        for p in network.parameters():
            p += 0.05 * torch.randn(p.shape)
    return model_of(network)


def bodies(seed: int, grid: Grid = FINE) -> tuple[np.ndarray, np.ndarray]:
    """Overlapping ellipsoids of random intensities: the same edges in two contrasts, (k, j, i)."""
    generator = np.random.default_rng(seed)
    k, j, i = np.indices(grid.shape)
    one, other = np.zeros(grid.shape, np.float32), np.zeros(grid.shape, np.float32)
    for _ in range(14):
        centre, radii = generator.uniform(0.15, 0.85, 3) * grid.shape, generator.uniform(3, 9, 3)
        place = sum(((a - c) / r) ** 2 for a, c, r in zip((k, j, i), centre, radii, strict=True))
        one[place < 1], other[place < 1] = generator.uniform(0.1, 1, 2)
    return one, other


def thick(values: np.ndarray) -> sitk.Image:
    return degrade(images.from_array(values, FINE), [1, 1, 4])


def messages(events: list) -> str:
    return " ".join(event.get("message", "") for event in events if event["event"] == "log")


def test_a_guide_stored_in_another_order_or_finer_guides_alike(random_model: Model) -> None:
    image, guide = thick(bodies(1)[0]), images.from_array(bodies(1)[1], FINE)
    wanted = images.to_array(upscale(image, "lmcsc", like=FINE, guide=guide, model=random_model, options=STILL))
    turned = sitk.PermuteAxes(sitk.Flip(guide, (True, False, True)), (2, 0, 1))
    found = upscale(image, "lmcsc", like=FINE, guide=turned, model=random_model, options=STILL)
    np.testing.assert_allclose(images.to_array(found), wanted, atol=2e-3)
    alone = images.to_array(upscale(image, "lmcsc", like=FINE, model=random_model))
    assert np.abs(alone - wanted).max() > 0.02
    finer = sitk.Expand(guide, (2, 2, 2), sitk.sitkBSpline)
    found = upscale(image, "lmcsc", like=FINE, guide=finer, model=random_model, options=STILL)
    inside = (slice(6, -6),) * 3
    difference = np.abs(images.to_array(found) - wanted)[inside].mean()
    assert difference < 0.3 * np.abs(alone - wanted)[inside].mean()


def test_without_a_guide_it_warns_and_works_unless_the_model_cannot(random_model: Model) -> None:
    image, events = thick(bodies(1)[0]), []
    found = upscale(image, "lmcsc", like=FINE, model=random_model, progress=Progress(events.append))
    assert found.GetSize() == FINE.size
    assert "no guide" in messages(events)
    dependent = Model(random_model.card.model_copy(update={"guide_optional": False}), random_model.tensors)
    with pytest.raises(OptionError, match="needs a guide"):
        upscale(image, "lmcsc", like=FINE, model=dependent)


def test_beyond_the_guide_the_network_works_without(random_model: Model) -> None:
    one, other = bodies(2)
    image, events = thick(one), []
    half = images.from_array(other[:16], Grid((24, 28, 16), (1, 1, 1), (0, 0, 0), FINE.direction))
    found = upscale(
        image, "lmcsc", like=FINE, guide=half, model=random_model, options=STILL, progress=Progress(events.append)
    )
    alone = images.to_array(upscale(image, "lmcsc", like=FINE, model=random_model))
    assert "50% of the image's field of view" in messages(events)
    np.testing.assert_allclose(images.to_array(found)[16:], alone[16:], atol=1e-5)
    assert np.abs(images.to_array(found)[:10] - alone[:10]).max() > 0.02


def test_a_guide_of_another_place_is_refused(random_model: Model) -> None:
    far = images.from_array(bodies(1)[1], Grid(FINE.size, FINE.spacing, (900, 0, 0), FINE.direction))
    with pytest.raises(GridError, match="does not overlap"):
        upscale(thick(bodies(1)[0]), "lmcsc", like=FINE, guide=far, model=random_model)


def test_the_guide_is_placed_once_whatever_follows_and_its_place_is_told(
    random_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed = []
    original = GuidedMethod.place_guide

    def counted(self, *args, **kwargs):
        placed.append(args)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(GuidedMethod, "place_guide", counted)
    image, guide = thick(bodies(3)[0]), images.from_array(bodies(3)[1], FINE)
    found = outcome(
        image,
        target_grid(image, like=FINE),
        "lmcsc",
        guide=guide,
        model=random_model,
        runtime=Runtime(),
        ensemble="flips",
        refine=Refinement(),
    )
    assert len(placed) == 1
    assert found.uncertainty is not None
    assert "mutual information" in found.image.GetMetaData("MedSR_guide")


@pytest.fixture(scope="module")
def trained() -> Model:
    """Trained for seconds on bodies whose edges agree; the recipe draws lesions that one contrast alone shows."""
    recipe = Recipe.model_validate(
        {
            "name": "tiny",
            "method": "lmcsc",
            "seed": 1,
            "architecture": ARCHITECTURE,
            "data": {"guide": "T1w"},
            "sampling": {
                "patch": 7, "context": 1, "batch": 8, "queries": 64, "scale_min": 4.0, "scale_max": 4.0,
                "axes": "one", "dimensions": 2,
            },
            "degradation": [{"kind": "physical", "noise": 0.01}],
            "guidance": {"dropout": 0.25, "lesions": 0.5},
            "optimisation": {"rate": 4e-3, "loss": "mse", "steps": 150, "schedule": "cosine", "clip": 1.0},
        }
    )  # fmt: skip
    frames = []
    for seed in range(6):
        one, other = bodies(100 + seed)
        frames.append(Frame(one, (1.0,) * 3, "", {"T1w": other}))
    torch.manual_seed(0)
    training = training_of(recipe).of(recipe, frames, [], "cpu")
    settings = training.configure_optimizers()
    for step in range(recipe.optimisation.steps):
        settings["optimizer"].zero_grad()
        training.loss(training.draws.batch(step)).backward()
        torch.nn.utils.clip_grad_norm_(training.network.parameters(), 1.0)
        settings["optimizer"].step()
        settings["lr_scheduler"]["scheduler"].step()
    return model_of(training.network.eval())


def lesion(seed: int) -> np.ndarray:
    """A bright ball somewhere."""
    generator = np.random.default_rng(1000 + seed)
    k, j, i = np.indices(FINE.shape)
    centre = generator.uniform(0.25, 0.75, 3) * FINE.shape
    distance = sum((a - c) ** 2 for a, c in zip((k, j, i), centre, strict=True))
    return np.where(distance < generator.uniform(2.5, 4) ** 2, 0.7, 0).astype(np.float32)


def test_a_lesion_of_one_modality_neither_vanishes_nor_leaks(trained: Model) -> None:
    """Over several patients: a lesion of the image alone is restored as well as without the guide; one of the guide
    alone hardly shows; everywhere else the guide helps."""
    rms: dict[str, list[float]] = {"kept": [], "kept alone": [], "leaked": [], "rest": [], "rest alone": []}
    for seed in range(4):
        one, other = bodies(200 + seed)
        mine, theirs = lesion(300 + seed), lesion(400 + seed)
        truth, guide = one + mine, images.from_array(other + theirs, FINE)
        image = thick(truth)
        clean = images.from_array(other, FINE)
        guided, unspoilt = (
            images.to_array(upscale(image, "lmcsc", like=FINE, guide=g, model=trained, options=STILL))
            for g in (guide, clean)
        )
        alone = images.to_array(upscale(image, "lmcsc", like=FINE, model=trained))
        inside, leak = (mine > 0) & (theirs == 0), (theirs > 0) & (mine == 0)
        outside = (mine == 0) & (theirs == 0)
        rms["kept"].append(_rms(guided - truth, inside))
        rms["kept alone"].append(_rms(alone - truth, inside))
        rms["leaked"].append(abs(float((guided - unspoilt)[leak].mean())))
        rms["rest"].append(_rms(guided - truth, outside))
        rms["rest alone"].append(_rms(alone - truth, outside))
    found = {name: float(np.mean(values)) for name, values in rms.items()}
    assert found["rest"] < 0.97 * found["rest alone"]
    assert found["kept"] < found["kept alone"]
    assert found["leaked"] < 0.1 * 0.7


def _rms(values: np.ndarray, where: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values[where] ** 2)))
