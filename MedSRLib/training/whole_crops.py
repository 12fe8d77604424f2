"""Whole crops, of the scale of an architecture, as learners want them of a recipe's sampling."""

from __future__ import annotations

from typing import Protocol

from MedSRLib.errors import OptionError
from MedSRLib.training.recipe import Recipe


class Enlarging(Protocol):
    """A configuration of a network that enlarges all its axes by a whole factor."""

    @property
    def dimensions(self) -> int: ...

    @property
    def factor(self) -> int: ...


def check(recipe: Recipe, config: Enlarging, smallest: int, what: str) -> None:
    """Refuse a recipe whose crops are not whole, of the architecture's scale, and large enough.

    Args:
        recipe: its ``sampling`` is looked at.
        config: of the recipe's network.
        smallest: crop, in input voxels along each axis.
        what: the beginning of the reason: "The patches of a dictionary are cut from".

    Raises:
        OptionError: what must be changed.
    """
    s = recipe.sampling
    wanted = {
        "kind": "product",
        "dimensions": config.dimensions,
        "axes": "all",
        "scale_min": float(config.factor),
        "scale_max": float(config.factor),
        "anisotropic": 0.0,
        "context": 0,
        "queries": max(s.queries, s.patch * config.factor),
        "patch": max(s.patch, smallest),
    }
    for name, value in wanted.items():
        if getattr(s, name) != value:
            raise OptionError(
                f"The recipe '{recipe.name}' has sampling.{name} = {getattr(s, name)}.",
                f"{what} whole crops of the scale of its architecture.",
                f"Set sampling.{name} = {value!r}.",
            )
