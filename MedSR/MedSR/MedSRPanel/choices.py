"""What can be chosen (methods, models, devices), and what a choice leads to (the grid of the result)."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from slicer.i18n import tr as _

if TYPE_CHECKING:
    from MedSRLib.methods.contract import MethodInfo
    from MedSRLib.models.card import ModelCard

Triple = tuple[float, float, float]


def methods() -> dict[str, MethodInfo]:
    """The methods that the panel can run, by identifier; those that want a guide are not among them."""
    from MedSRLib.methods import registry

    return {info.identifier: info for info in registry.infos() if not info.needs_guide}


def models(method: str) -> dict[str, ModelCard]:
    """The models of a method, by name."""
    from MedSRLib.models import library

    return {name: card for name, card in library.cards().items() if card.method == method}


def model_warnings(card: ModelCard, spacing: Sequence[float], wanted: Sequence[float]) -> list[str]:
    """In which ways an input lies outside what a model was trained for."""
    from MedSRLib.models.card import warnings_for

    return warnings_for(card, spacing, [h / h_new for h, h_new in zip(spacing, wanted, strict=True)])


def devices() -> dict[str, str]:
    """Text of every device that can be asked for, by its name in a job; PyTorch is not loaded for this."""
    card = {"mps": _("Graphics processor (Apple)")} if sys.platform == "darwin" else {"cuda": _("Graphics card (CUDA)")}
    return {"auto": _("Automatic"), "cpu": _("Processor (CPU)"), **card}


def result_grid(size: Sequence[int], spacing: Sequence[float], target: dict[str, Any]) -> tuple[tuple, Triple]:
    """Size and spacing of the result for one of scale, spacing or isotropic of a job's parameters.

    Raises:
        ValueError: with the reason, if there can be no such grid.
    """
    from MedSRLib import grids
    from MedSRLib.errors import MedSRError

    grid = grids.Grid(tuple(size), tuple(spacing), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))
    try:
        if "scale" in target:
            wanted = grids.scaled(grid, target["scale"])
        elif "spacing" in target:
            wanted = grids.with_spacing(grid, target["spacing"])
        else:
            wanted = grids.isotropic(grid)
    except MedSRError as error:
        raise ValueError(str(error)) from error
    return wanted.size, wanted.spacing
