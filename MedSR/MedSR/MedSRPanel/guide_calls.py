"""The calls for the guides: which volumes may be one, which are suggested, and which a run takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from slicer.i18n import tr as _

if TYPE_CHECKING:
    from MedSRLib.models.card import ModelCard

ROWS = (("guideVolume", "useGuide"), ("secondGuideVolume", "useSecondGuide"))
"""The parameters of each guide: the chosen volume, None for the suggested one, and whether there is to be one."""


class GuideCalls:
    """A part of `Calls`, whose other parts it calls."""

    if TYPE_CHECKING:
        modality: Any
        volumes: Any

    _known: dict[str, list[Any]] | None = None

    @contextmanager
    def sceneStays(self) -> Iterator[None]:
        """While no volume changes, as when a panel is redrawn, each volume's guides are looked for once."""
        self._known = {}
        try:
            yield
        finally:
            self._known = None

    def whyNoGuide(self, node: Any, volume: Any) -> str:
        """Why a node does not help to sharpen a volume, in the user's words; empty if it may."""
        from MedSRPanel import guides

        return guides.whyNot(node, volume)

    def guides(self, parameters: Any, volume: Any = None) -> list[Any]:
        """The volumes of the scene that could guide a volume (by default the input), the best first.

        Those that the scanner placed in the same frame of reference come first, of these the finest.
        """
        from MedSRPanel import guides

        volume = volume or parameters.inputVolume
        if volume is None:
            return []
        known = {} if self._known is None else self._known
        if volume.GetID() not in known:
            fitting = [node for node in self.volumes() if not self.whyNoGuide(node, volume)]
            fitting.sort(key=lambda node: (guides.elsewhere(node, volume), max(node.GetSpacing())))
            known[volume.GetID()] = fitting
        return known[volume.GetID()]

    def sharperVolume(self, parameters: Any, volume: Any = None, beside: Sequence[Any] = ()) -> Any:
        """The volume of another modality that could guide a volume (by default the input) best; None without one.

        Args:
            beside: other guides; the volume then shows yet another modality, and it is known which.
        """
        own = self.modality(parameters, volume)
        others = [self.modality(parameters, node) for node in beside]
        for node in self.guides(parameters, volume):
            its = self.modality(parameters, node)
            if (not own or its != own) and (not beside or (its and its not in others and "" not in others)):
                return node
        return None

    def guide(self, parameters: Any, volume: Any = None) -> Any:
        """What guides a run of a volume (by default the input) first; None without a guide."""
        return next(iter(self.chosenGuides(parameters, volume)), None)

    def chosenGuides(self, parameters: Any, volume: Any = None) -> list[Any]:
        """What is to guide a run of a volume (by default the input), row by row: the chosen volume, else the suggested.

        A row that is switched off, or has nothing to suggest, is the end.
        """
        found: list[Any] = []
        for chosen, used in ROWS:
            node = getattr(parameters, chosen) or self.sharperVolume(parameters, volume, found)
            if node is None or not getattr(parameters, used):
                break
            found.append(node)
        return found

    def guidesOf(self, parameters: Any, card: ModelCard | None, volume: Any = None) -> list[Any]:
        """The guides that a run with a model gets: without suggestions that it cannot use, and without any beyond those
        that a model takes which the user has chosen himself."""
        from MedSRPanel import choices

        found = self.chosenGuides(parameters, volume)
        if card is None:
            return found[:1]
        if card.name == parameters.model:
            found = found[: choices.room(card)]
        chosen = [getattr(parameters, name) is not None for name, used in ROWS[: len(found)]]
        fit = choices.taken(card, self.shown(parameters, found))
        return [node for n, node in enumerate(found) if n < max(fit, 1) or chosen[n]]

    def shown(self, parameters: Any, nodes: Sequence[Any]) -> list[str]:
        """The modality of each of some volumes."""
        return [self.modality(parameters, node) for node in nodes]

    def whyNotGuides(self, parameters: Any, card: ModelCard) -> str:
        """Why a model cannot take its guides, in the user's words; empty if it can."""
        from MedSRPanel import choices

        its = self.shown(parameters, self.guidesOf(parameters, card))
        if not card.guide_modalities or choices.taken(card, its) == len(its):
            return ""
        names = ", ".join(card.guide_modalities)
        if "" in its:
            return _(
                "What a guide shows is not known; the model is guided by {names}. Name the volume after what it shows."
            ).format(names=names)
        return _("The guide is {its}; the model was guided by {names}.").format(its=_(" and ").join(its), names=names)
