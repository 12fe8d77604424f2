"""Recipes: the shipped ones load, mistakes are named."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from MedSRLib.errors import OptionError
from MedSRLib.networks import catalogue
from MedSRLib.networks.arssr import ArSSRConfig
from MedSRLib.training.recipe import load

RECIPES = Path(__file__).parents[3] / "Resources" / "Recipes"


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda p: p.stem)
def test_shipped_recipes_load(path: Path) -> None:
    """Every setting is one the network knows, and comes back as it was given."""
    recipe = load(path)
    with torch.device("meta"):
        settings = catalogue.build(recipe.method, recipe.architecture).architecture()
    assert {name: settings[name] for name in recipe.architecture} == recipe.architecture


def test_the_papers_recipe_is_the_papers() -> None:
    """arXiv 2110.14476 §4.1: 6 crops of 40³, 10³ patches, 15 a batch, 8000 queries, L1, 2500 epochs."""
    recipe = load(RECIPES / "arssr-paper.toml")
    s, o = recipe.sampling, recipe.optimisation
    assert ArSSRConfig.of(recipe.architecture) == ArSSRConfig()
    assert (s.kind, s.crop, s.crops_per_subject, s.patch, s.batch, s.queries) == (
        "paper",
        40,
        6,
        10,
        15,
        8000,
    )
    assert (s.scale_min, s.scale_max, s.scale_step) == (2.0, 4.0, 0.1)
    assert (o.loss, o.rate, o.schedule, o.halve_every, o.epochs) == ("l1", 1e-4, "halving", 200, 2500)
    assert [d.kind for d in recipe.degradation] == ["spline"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("name = 'a'\nmethod = 'arssr'\n[optimisation]\nsteps = 1\nspeed = 2", "speed"),
        ("name = 'a'\nmethod = 'arssr'\n[optimisation]\nsteps = 1\nepochs = 2", "either steps or epochs"),
        ("name = 'a'\nmethod = 'arssr'\n[optimisation]\nepochs = 2", "fixed patches"),
        ("name = 'A b'\nmethod = 'arssr'\n[optimisation]\nsteps = 1", "name"),
        (
            "name = 'a'\nmethod = 'arssr'\n[optimisation]\nsteps = 1\n[[degradation]]\nkind = 'fog'",
            "no degradation 'fog'",
        ),
        (
            "name = 'a'\nmethod = 'arssr'\narchitecture.cell = true\nsampling.kind = 'paper'\noptimisation.epochs = 1",
            "cell needs",
        ),
        ("name = ", "not valid TOML"),
    ],
)
def test_mistakes_are_named(text: str, named: str, tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(OptionError, match=named):
        load(path)
    with pytest.raises(OptionError, match="cannot be read"):
        load(tmp_path / "none.toml")
