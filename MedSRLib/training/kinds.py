"""Which training a recipe's network wants."""

from __future__ import annotations

from MedSRLib.errors import OptionError
from MedSRLib.networks import catalogue
from MedSRLib.training.guided_training import GuidedTraining
from MedSRLib.training.module import Training
from MedSRLib.training.query_training import QueryTraining
from MedSRLib.training.recipe import Guidance, Recipe
from MedSRLib.training.slice_training import SliceTraining

_TRAININGS: dict[str, type[Training]] = {
    "queries": QueryTraining,
    "slices": SliceTraining,
    "guided": GuidedTraining,
}


def training_of(recipe: Recipe) -> type[Training]:
    """The training of the recipe's network.

    Raises:
        OptionError: for a method without a network, or a sampling that its network cannot learn from.
    """
    if recipe.method not in catalogue.known():
        raise OptionError(
            f"The method '{recipe.method}' has no training.",
            "It has no network to train.",
            f"Use one of: {', '.join(catalogue.known())}.",
        )
    kind = catalogue.kind(recipe.method)
    if (recipe.sampling.kind == "slices") != (kind == "slices"):
        raise OptionError(
            f"The method '{recipe.method}' cannot be trained with sampling.kind = '{recipe.sampling.kind}'.",
            "Networks that mix slices learn from neighbouring slices, all others from patches.",
            f"Set sampling.kind = '{'slices' if kind == 'slices' else 'product'}'.",
        )
    if kind == "guided" and recipe.sampling.kind != "product":
        raise OptionError(
            f"The guided method '{recipe.method}' learns from patches with their guide.",
            "",
            "Set sampling.kind = 'product'.",
        )
    if kind != "guided" and recipe.guidance != Guidance():
        raise OptionError(f"The method '{recipe.method}' takes no guide.", "", "Leave out the recipe's guidance.")
    return _TRAININGS[kind]
