"""Which method suits a volume best, and why: what the panel offers before anybody has chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slicer.i18n import tr as _

from MedSRPanel import choices

if TYPE_CHECKING:
    from MedSRLib.methods.contract import MethodInfo
    from MedSRLib.models.card import ModelCard
    from MedSRPanel.choices import Triple

_FALLBACKS = ("back-projection", "bspline")
_WEAKER = ("dictionary", "synthesis")
"""Families that keep a modality less well than networks do: only where no network fits."""


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
    guides: Sequence[str] = (),
    spacing: Triple | None = None,
    wanted: Triple | None = None,
) -> Recommendation | None:
    """The method to start with; None if there is none at all.

    Args:
        methods: what can be run, by identifier.
        cards: the models of the library, by name.
        modality: of the input; empty if not known.
        target: modality to synthesise; empty if it stays.
        guides: modalities of sharper volumes of the same place that may guide, the best first; empty where not known.
        spacing: of the input, mm.
        wanted: of the result, mm.
    """
    fitting = {
        name: card
        for name, card in cards.items()
        if card.method in methods and choices.fits(card, modality, target) and not _outside(card, spacing, wanted)
    }
    if guides:
        best = _guided(methods, fitting, modality, target, guides)
        if best is not None:
            return best
    for name, card in sorted(fitting.items(), key=lambda entry: _order(methods, entry[1])):
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


def _order(methods: Mapping[str, MethodInfo], card: ModelCard) -> tuple[bool, float]:
    """The lowest first: networks, then those made for just this scale."""
    return methods[card.method].family in _WEAKER, _range(card)


def _range(card: ModelCard) -> float:
    return card.scale_max - card.scale_min


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
    methods: Mapping[str, MethodInfo],
    fitting: Mapping[str, ModelCard],
    modality: str,
    target: str,
    guides: Sequence[str],
) -> Recommendation | None:
    """What uses the guides: a model that fits input and guides, most of them, else a method that needs none.

    Of equals that comes first which is no second choice and was made for just these axes, as in `library.default`.
    """
    listed = list(methods)

    def order(entry: tuple[str, ModelCard]) -> tuple[float, ...]:
        card = entry[1]
        made = (card.second_choice, card.axes == "any", _range(card))
        return *choices.use(card, guides), *made, -listed.index(card.method)

    for name, card in sorted(fitting.items(), key=order):
        if methods[card.method].needs_guide and choices.guided_by(card, guides):
            count = choices.taken(card, guides)
            reason = _("A sharper volume guides, and the model {name} fits both.").format(name=card.name)
            if count > 1:
                reason = _("{n} sharper volumes guide, and the model {name} fits all.").format(n=count, name=card.name)
            return Recommendation(card.method, name, _reason(card, modality, target) if target else reason)
    for info in methods.values():
        if info.needs_guide and not info.needs_model and not target:
            return Recommendation(info.identifier, "", _("A sharper volume guides: this method uses its edges."))
    return None


def _reason(card: ModelCard, modality: str, target: str) -> str:
    if target:
        return _("The model {name} makes {target} of {modality}.").format(
            name=card.name, target=target, modality=modality or _("this modality")
        )
    return _("The trained model {name} fits modality, spacing and scale.").format(name=card.name)
