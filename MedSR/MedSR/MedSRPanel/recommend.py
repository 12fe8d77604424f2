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
        guided: whether a guide is chosen.
        spacing: of the input, mm.
        wanted: of the result, mm.
    """
    fitting = {
        name: card
        for name, card in cards.items()
        if card.method in methods and choices.fits(card, modality, target) and not _outside(card, spacing, wanted)
    }
    for name, card in fitting.items():
        if methods[card.method].needs_guide == guided:
            return Recommendation(card.method, name, _reason(card, modality, target, guided))
    if target:
        return None
    for info in methods.values():
        if info.trains_on_scan and info.needs_guide == guided:
            return Recommendation(
                info.identifier, "", _("No trained model fits; this method learns on the scan itself.")
            )
    for identifier in _FALLBACKS:
        if identifier in methods:
            return Recommendation(
                identifier, "", _("No trained model fits this volume; this method needs none and invents nothing.")
            )
    return None


def _outside(card: ModelCard, spacing: Triple | None, wanted: Triple | None) -> bool:
    return spacing is not None and wanted is not None and bool(choices.model_warnings(card, spacing, wanted))


def _reason(card: ModelCard, modality: str, target: str, guided: bool) -> str:
    if target:
        return _("The model {name} makes {target} of {modality}.").format(
            name=card.name, target=target, modality=modality or _("this modality")
        )
    if guided:
        return _("A sharper guide is chosen, and the model {name} fits.").format(name=card.name)
    return _("The trained model {name} fits modality, spacing and scale.").format(name=card.name)
