"""From what the panel shows to the recipe of a run: a shipped recipe, or one's own, with the user's few changes."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slicer.i18n import tr as _

if TYPE_CHECKING:
    from MedSRLib.methods.contract import MethodInfo
    from MedSRLib.models.card import ModelCard
    from MedSRLib.training.recipe import Recipe

_NAME = r"[a-z0-9][a-z0-9._-]*"
_ENDLESS = 10**9
QUICK, BALANCED = "arssr-quick", "arssr-compact"


def methods() -> dict[str, MethodInfo]:
    """The methods that learn, by identifier."""
    from MedSRLib.methods import registry

    return {info.identifier: info for info in registry.infos() if info.learns}


def shipped(method: str) -> dict[str, Recipe]:
    """The recipes of a method that come with MedSR, by name: the shortest first, those that refine a model last."""
    from MedSRLib.training import recipe as recipes

    found = {name: recipes.load(path) for name, path in recipes.shipped().items()}
    mine = {name: recipe for name, recipe in found.items() if recipe.method == method}
    order = {name: (bool(r.start_from), _steps(r) or _ENDLESS, name) for name, r in mine.items()}
    return {name: mine[name] for name in sorted(mine, key=order.__getitem__)}


def preferred(method: str) -> str:
    """The recipe to begin with: a short one, unless there is a graphics card."""
    names = list(shipped(method))
    wanted = BALANCED if shutil.which("nvidia-smi") else QUICK
    return wanted if wanted in names else next(iter(names), "")


def base(name: str) -> Recipe:
    """The recipe of a name, or of a file.

    Raises:
        ValueError: with the reason, if it cannot be used.
    """
    from MedSRLib.errors import MedSRError
    from MedSRLib.training import recipe as recipes

    try:
        return recipes.load(recipes.shipped().get(name) or Path(name))
    except MedSRError as error:
        raise ValueError(str(error)) from error


def starts(method: str) -> dict[str, ModelCard]:
    """The models of the library that a training of this method can refine, by name."""
    from MedSRLib.models import library

    return {name: card for name, card in library.cards().items() if card.method == method}


def freeName(method: str) -> str:
    """A name for a new model that the library does not have yet."""
    from MedSRLib.models import library

    taken, wanted, number = library.names(), f"my-{method}", 1
    while wanted in taken:
        number += 1
        wanted = f"my-{method}-{number}"
    return wanted


def adopted(name: str, method: str) -> dict[str, Any]:
    """The parameters that a recipe brings: what the panel shows when it is chosen."""
    recipe = base(name)
    held_out = recipe.data.validation_subjects
    models = starts(method)
    wanted = [start for start in (recipe.start_from, recipe.name) if recipe.start_from and start in models]
    return {
        "scaleMin": recipe.sampling.scale_min,
        "scaleMax": recipe.sampling.scale_max,
        "batch": recipe.sampling.batch,
        "steps": _steps(recipe),
        "validationSubjects": (held_out if isinstance(held_out, int) else len(held_out)) or 1,
        "startFrom": next(iter(wanted), ""),
    }


def beginning(method: str) -> dict[str, Any]:
    """The parameters to begin with: those of the preferred recipe of a method, none where it has no recipe."""
    recipe = preferred(method)
    return {"recipe": recipe, **adopted(recipe, method)} if recipe else {"recipe": ""}


def effective(parameters: Any) -> dict[str, Any]:
    """The recipe that the parameters describe, as plain data.

    Raises:
        ValueError: with the reason, if they describe none.
    """
    from MedSRLib.errors import MedSRError
    from MedSRLib.training import recipe as recipes

    if not re.fullmatch(_NAME, parameters.modelName):
        raise ValueError(
            _("The name takes lower-case letters, digits and . _ - only, and begins with a letter or digit.")
            if parameters.modelName
            else _("Give the new model a name.")
        )
    if not parameters.recipe:
        raise ValueError(_("Choose a recipe."))
    recipe = base(parameters.recipe)
    if recipe.method != parameters.method:
        raise ValueError(
            _("The recipe is for the method '{method}'. Choose another recipe.").format(method=recipe.method)
        )
    data = recipe.model_dump(mode="json")
    data["name"] = parameters.modelName
    data["data"].update(modality=parameters.modality or None, validation_subjects=parameters.validationSubjects)
    data["sampling"].update(scale_min=parameters.scaleMin, scale_max=parameters.scaleMax, batch=parameters.batch)
    if parameters.steps and data["optimisation"]:
        data["optimisation"].update(steps=parameters.steps, epochs=0)
    data["start_from"] = parameters.startFrom
    if parameters.startFrom:
        data.update(_networkOf(parameters.startFrom, parameters.method))
        data["data"]["normalisation"] = starts(parameters.method)[parameters.startFrom].normalisation
    try:
        return recipes.from_data(data).model_dump(mode="json")
    except MedSRError as error:
        raise ValueError(str(error)) from error


def _steps(recipe: Recipe) -> int:
    """Steps of a recipe; 0 for one whose length is not told in steps."""
    return recipe.optimisation.steps if recipe.optimisation else 0


def _networkOf(model: str, method: str) -> dict[str, Any]:
    known = starts(method)
    if model not in known:
        raise ValueError(_("There is no model '{name}' any more. Start from another.").format(name=model))
    return {"architecture": known[model].architecture}
