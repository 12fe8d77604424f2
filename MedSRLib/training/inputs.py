"""What a card says of the inputs that a recipe's pairs of patches had."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from MedSRLib.training.recipe import Recipe


def told_of_inputs(recipe: Recipe, spacings: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Scales, axes, spacing and degradation, as a card has them.

    Args:
        recipe: its ``sampling`` and ``degradation`` are used.
        spacings: of the training volumes, mm; the inputs' are these times the scales.
    """
    s = recipe.sampling
    every = [h for spacing in spacings for h in spacing]
    return {
        "scale_min": 1.0 if s.anisotropic else s.scale_min,
        "scale_max": s.scale_max,
        "axes": "one" if s.axes == "one" else "any" if s.anisotropic or s.dimensions == 2 else "all",
        "spacing_mm": (round(min(every) * s.scale_min, 3), round(max(every) * s.scale_max, 3)),
        "degradation": "; ".join(
            f"{g.kind}" + (f" with Rician noise up to {g.noise:.3g} of the normalised range" if g.noise else "")
            for g in recipe.degradation
        ),
    }
