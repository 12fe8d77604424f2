"""Weights to start from: those of a trained model, whose network may take fewer guides or have another scale.

A guide that the model did not know has a channel of zeros at first, so that the network begins with what the model can
do. Layers that depend on the scale start anew (EDSR trains ×4 from ×2 in this way).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from MedSRLib.errors import OptionError

if TYPE_CHECKING:
    import torch

    from MedSRLib.training.module import Training

_MAY_DIFFER = ("scale", "guides")


def take_weights(module: Training, name: str) -> None:
    """Start from a model of the library, or of a file.

    Raises:
        ModelError: if the model cannot be read.
        OptionError: if its architecture differs in more than its scale and the number of guides, or its guides are not
            among the recipe's.
    """
    from MedSRLib.models import building, library

    model = library.load(name, module.recipe.method)
    start = building.trained(model)
    theirs, ours = (
        {k: v for k, v in n.architecture().items() if k not in _MAY_DIFFER} for n in (start, module.network)
    )
    if theirs != ours:
        raise OptionError(
            f"The model '{name}' has another architecture than the recipe.",
            "start_from refines the weights of a model, so both must agree in all but scale and number of guides.",
            "Copy the architecture from the model's card into the recipe.",
        )
    own = module.network.state_dict()
    count = getattr(module.network, "guides", 0)
    places = None
    if getattr(start, "guides", 0) != count:
        places = _places(name, model.card.guide_modalities, getattr(start, "guides", 0), module)
    fitting = {
        key: value if places is None or value.shape == own[key].shape else _spread(value, own[key], places, count)
        for key, value in start.state_dict().items()
        if value.shape == own[key].shape or (places is not None and start.scale == module.network.scale)
    }
    module.network.load_state_dict({**own, **fitting})


def _places(name: str, known: Sequence[str], count: int, module: Training) -> list[int]:
    """In which of the recipe's channels the model's guides lie."""
    wanted = module.recipe.data.guide
    channels = [wanted] if isinstance(wanted, str) else list(wanted or [])
    found = [channels.index(each) for each in known if each in channels]
    if len(found) != count or len(known) != count:
        raise OptionError(
            f"The model '{name}' is guided by {', '.join(known) or 'nothing'}, the recipe by {', '.join(channels)}.",
            "Each guide that the model knows keeps its weights, so it must have its channel in the recipe.",
            "Name the model's guides in data.guide, or start from another model.",
        )
    return found


def _spread(weights: torch.Tensor, own: torch.Tensor, places: Sequence[int], count: int) -> torch.Tensor:
    """Weights over the channels of some guides as weights over those of all ``count``; 0 for the others."""
    import torch

    axis = next(a for a, (n, m) in enumerate(zip(weights.shape, own.shape, strict=True)) if n != m)
    spread = list(torch.zeros_like(own).chunk(count, dim=axis))
    for place, block in zip(places, weights.chunk(len(places), dim=axis), strict=True):
        spread[place] = block
    return torch.cat(spread, dim=axis)
