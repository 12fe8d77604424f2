"""Which of the library's models a job takes when it names none: that for the image at hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from MedSRLib import images
from MedSRLib.grids import Grid
from MedSRLib.jobs.upscale import settle
from MedSRLib.jobs.upscale_job import UpscaleParameters
from MedSRLib.models import library
from MedSRLib.models.card import ModelCard
from MedSRLib.networks import catalogue


@pytest.fixture(autouse=True)
def models(tmp_path, monkeypatch) -> None:
    """A library of one model for thick slices and one for isotropic ×2."""
    monkeypatch.setenv("MEDSR_MODELS", str(tmp_path / "user"))
    monkeypatch.setattr(library, "shipped_folder", lambda: tmp_path / "shipped")
    torch.manual_seed(0)
    for name, scale, known in (
        ("double", (2, 2, 2), {"scale_min": 2.0, "scale_max": 2.0, "axes": "all"}),
        ("thick", (4, 1, 1), {"scale_min": 2.0, "scale_max": 4.0, "axes": "one"}),
    ):
        network = catalogue.build("edsr", {"dimensions": 3, "scale": scale, "features": 4, "blocks": 1})
        card = ModelCard(name=name, method="edsr", architecture=network.architecture(), **known)
        library.save(library.Model(card, dict(network.state_dict())), library.user_folder())


def image(spacing: tuple[float, float, float]):
    grid = Grid((12, 11, 9), spacing, (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1, 0, 0, 0, 1))
    return images.from_array(np.random.default_rng(0).random(grid.shape, np.float32), grid)


@pytest.mark.parametrize(
    ("spacing", "wish", "model"),
    [
        ((1.0, 1.0, 4.0), {"isotropic": True}, "thick"),
        ((2.0, 2.0, 2.0), {"scale": 2.0}, "double"),
        ((1.0, 4.0, 1.0), {"scale": [1.0, 3.0, 1.0]}, "thick"),
    ],
)
def test_the_model_fits_the_image(spacing, wish, model) -> None:
    settled = settle(UpscaleParameters(method="edsr", **wish)).chosen_for(image(spacing))
    assert settled.model is not None
    assert settled.model.card.name == settled.settings()["model"] == model


def test_a_named_model_is_taken_whatever_the_image() -> None:
    settled = settle(UpscaleParameters(method="edsr", isotropic=True, model="double")).chosen_for(image((1, 1, 4)))
    assert settled.model is not None
    assert settled.model.card.name == "double"


def test_a_result_made_with_a_model_of_the_library_counts_as_made() -> None:
    settled = settle(UpscaleParameters(method="edsr", isotropic=True))
    assert settled.made_with("thick").settings()["model"] == "thick"
    assert settled.made_with("gone").settings() == settled.settings()
    assert settled.made_with(None) is settled
