"""Which method suits a volume best, and why: what the panel offers before anybody has chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slicer.i18n import tr as _

from MedSRPanel import choices

if TYPE_CHECKING:
    from MedSRLib.methods.contract import MethodInfo
    from MedSRLib.models.card import ModelCard
    from MedSRPanel.choices import Triple

_FALLBACKS = ("back-projection", "bspline")


@dataclass(frozen=True)
class Recommendation:
    """A method, its model ("" if it needs none), and the reason in a sentence."""

    method: str
    model: str
    reason: str


def recommend(
    methods: Mapping[str, MethodInfo],
    cards: Mapping[str, ModelCard],
    *,
    modality: str = "",
    target: str = "",
    guided: bool = False,
    spacing: Triple | None = None,
    wanted: Triple | None = None,
) -> Recommendation | None:
    """The method to start with; None if there is none at all.

    Args:
        methods: what can be run, by identifier.
        cards: the models of the library, by name.
        modality: of the input; empty if not known.
        target: modality to synthesise; empty if it stays.
        guided: whether a guide is chosen that is sharper and shows the same place.
        spacing: of the input, mm.
        wanted: of the result, mm.
    """
    fitting = {
        name: card
        for name, card in cards.items()
        if card.method in methods and choices.fits(card, modality, target) and not _outside(card, spacing, wanted)
    }
    if guided:
        best = _guided(methods, fitting, modality, target)
        if best is not None:
            return best
    # The model for the narrowest range of scales was made for just this.
    for name, card in sorted(fitting.items(), key=lambda entry: entry[1].scale_max - entry[1].scale_min):
        if not methods[card.method].needs_guide:
            return Recommendation(card.method, name, _reason(card, modality, target))
    if target:
        return None
    for info in methods.values():
        if info.trains_on_scan and not info.needs_guide and _can_learn(info, spacing, wanted):
            reason = _("No trained model fits. This method learns from the scan itself, which takes minutes.")
            return Recommendation(info.identifier, "", reason)
    for identifier in _FALLBACKS:
        if identifier in methods:
            return Recommendation(identifier, "", _plain(methods))
    return None


def _outside(card: ModelCard, spacing: Triple | None, wanted: Triple | None) -> bool:
    return spacing is not None and wanted is not None and bool(choices.model_warnings(card, spacing, wanted))


def _can_learn(info: MethodInfo, spacing: Triple | None, wanted: Triple | None) -> bool:
    """Whether the scan has what the method learns from, and is to be finer where that helps."""
    if info.axes != "through-plane":
        return True
    axis = None if spacing is None else choices.thick_axis(spacing)
    return axis is not None and spacing is not None and wanted is not None and wanted[axis] < spacing[axis]


def _plain(methods: Mapping[str, MethodInfo]) -> str:
    """Why a method without a model, which of a family that has none says nothing of the models."""
    if any(info.needs_model for info in methods.values()):
        return _("No trained model fits this volume; this method needs none and invents nothing.")
    return _("This method needs no trained model and invents nothing.")


def _guided(
    methods: Mapping[str, MethodInfo], fitting: Mapping[str, ModelCard], modality: str, target: str
) -> Recommendation | None:
    """What uses the guide: a model that fits, else a method that needs none."""
    for name, card in fitting.items():
        if methods[card.method].needs_guide:
            reason = _("A sharper guide is chosen, and the model {name} fits.").format(name=card.name)
            return Recommendation(card.method, name, _reason(card, modality, target) if target else reason)
    for info in methods.values():
        if info.needs_guide and not info.needs_model and not target:
            return Recommendation(info.identifier, "", _("A sharper guide is chosen, and this method uses its edges."))
    return None


def _reason(card: ModelCard, modality: str, target: str) -> str:
    if target:
        return _("The model {name} makes {target} of {modality}.").format(
            name=card.name, target=target, modality=modality or _("this modality")
        )
    return _("The trained model {name} fits modality, spacing and scale.").format(name=card.name)
