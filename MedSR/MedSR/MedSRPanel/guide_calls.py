"""The calls for the guide: which volumes may be one, which is suggested, and which a run takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any


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

    def sharperVolume(self, parameters: Any, volume: Any = None) -> Any:
        """The volume of another modality that could guide a volume (by default the input) best; None without one."""
        own = self.modality(parameters, volume)
        found = ((node, self.modality(parameters, node)) for node in self.guides(parameters, volume))
        return next((node for node, its in found if not own or its != own), None)

    def guide(self, parameters: Any, volume: Any = None) -> Any:
        """What guides a run of a volume (by default the input): the chosen volume, else the one that is suggested.

        None if there is none, or ``parameters.useGuide`` is off.
        """
        if not parameters.useGuide:
            return None
        return parameters.guideVolume or self.sharperVolume(parameters, volume)
