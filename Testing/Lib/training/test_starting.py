"""A network that is to learn of more guides starts with what a trained one can do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from MedSRLib.errors import OptionError
from MedSRLib.models import library
from MedSRLib.models.card import ModelCard
from MedSRLib.networks import catalogue
from MedSRLib.training.frames import Frame
from MedSRLib.training.kinds import training_of
from MedSRLib.training.module import Training
from MedSRLib.training.recipe import Recipe
from MedSRLib.training.starting import take_weights

ARCHITECTURES: dict[str, dict[str, Any]] = {
    "lmcsc": {"features": 4, "kernel": 3, "steps": 2, "guide_steps": 2, "scale": (2, 1), "residual": "cubic"},
    "dual-state": {"features": 4, "kernel": 3, "steps": 2, "guide_steps": 2, "scale": (2, 1)},
    "djf": {"features": (4, 3), "fused": (4, 3)},
    "coista": {"patch": 3, "atoms": 6, "layers": 1},
}


def saved(method: str, folder: Path, guides: list[str], **changes: Any) -> tuple[Path, Any]:
    torch.manual_seed(5)
    network = catalogue.build(method, {**ARCHITECTURES[method], "guides": len(guides), **changes})
    with torch.no_grad():
        for p in network.parameters():
            p += 0.1 * torch.randn(p.shape)
    card = ModelCard(
        name="start", method=method, architecture=network.architecture(), scale_max=2, guide_modalities=guides
    )
    return library.save(library.Model(card, dict(network.state_dict())), folder), network.eval()


def training(method: str, guides: list[str], **changes: Any) -> Training:
    recipe = Recipe.model_validate(
        {
            "name": "more",
            "method": method,
            "architecture": {**ARCHITECTURES[method], "guides": len(guides), **changes},
            "data": {"guide": guides},
            "sampling": {
                "patch": 8, "context": 1, "batch": 2, "queries": 64, "scale_max": 2.0, "axes": "one", "dimensions": 2,
            },
            "optimisation": {"steps": 1},
        }
    )  # fmt: skip
    values = np.random.default_rng(0).random((20, 21, 22), np.float32)
    frames = [Frame(values, (1.0, 1.0, 1.0), "a", dict.fromkeys(guides, values))]
    return training_of(recipe).of(recipe, frames, [], "cpu")


@pytest.mark.parametrize("method", ARCHITECTURES)
def test_new_guides_change_nothing_at_first(method: str, tmp_path: Path) -> None:
    path, old = saved(method, tmp_path, ["T1w"])
    module = training(method, ["PD", "T1w", "T2w"])
    take_weights(module, str(path))
    batch = module.draws.batch(0)
    with torch.no_grad():
        wanted = old(batch.image, batch.queries, batch.guide[:, 1:2])
        found = module.network.eval()(batch.image, batch.queries, batch.guide)
        alone = old(batch.image, batch.queries)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    assert (found - alone).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("guides", "changes", "told"),
    [
        (["T2w", "FLAIR"], {}, "guided by T1w, the recipe by T2w, FLAIR"),
        (["T1w", "T2w"], {"features": 5}, "another architecture"),
    ],
)
def test_what_the_model_knows_must_have_its_place(guides: list[str], changes: dict, told: str, tmp_path: Path) -> None:
    path, _ = saved("lmcsc", tmp_path, ["T1w"])
    with pytest.raises(OptionError, match=told):
        take_weights(training("lmcsc", guides, **changes), str(path))


def test_layers_of_another_scale_start_anew(tmp_path: Path) -> None:
    path, old = saved("lmcsc", tmp_path, ["T1w"])
    module = training("lmcsc", ["T1w", "T2w"], scale=(3, 1))
    before = {key: value.clone() for key, value in module.network.state_dict().items()}
    take_weights(module, str(path))
    after, theirs = module.network.state_dict(), old.state_dict()
    anew = {key for key in after if after[key].shape != theirs[key].shape}
    assert anew and all(torch.equal(after[key], before[key] if key in anew else theirs[key]) for key in after)
