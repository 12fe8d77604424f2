"""A part of the panel: it shows the parameters, and writes what the user changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


class Section:
    """Base of the parts.

    Args:
        panel: the whole; see `panel.Panel`.
    """

    def __init__(self, panel: Any) -> None:
        self.panel, self.ui, self.logic = panel, panel.ui, panel.logic

    @property
    def parameters(self) -> Any:
        """The parameter node that is shown, or None."""
        return self.panel.parameters

    def connect(self) -> None:
        """Connect the widgets; called once."""

    def show(self) -> None:
        """Show the parameters in the widgets."""

    def stop(self) -> None:
        """End what runs: the scene, the panel or Slicer goes away."""


class Choice:
    """A combo box for one parameter: its items have a text for people and a value, text or number, for the parameter.

    Args:
        section: whose parameters.
        combo: the widget.
        name: of the parameter.
        write: called with the value that the user chooses; by default the parameter gets it.
    """

    def __init__(self, section: Section, combo: Any, name: str, write: Callable[[Any], None] | None = None) -> None:
        self._section, self._combo, self._name = section, combo, name
        self._write = write or (lambda value: setattr(section.parameters, name, value))
        self._texts: dict[Any, str] = {}
        combo.connect("currentIndexChanged(int)", self._chosen)

    def show(self, texts: Mapping[Any, str], value: Any = None) -> None:
        """Offer these values by their texts, and select one: by default the parameter's."""
        if list(texts.items()) != list(self._texts.items()) or self._combo.count != len(texts):
            self._texts = dict(texts)
            self._combo.clear()
            for each, text in texts.items():
                self._combo.addItem(text, each)
        chosen = getattr(self._section.parameters, self._name) if value is None else value
        self._combo.currentIndex = list(texts).index(chosen) if chosen in texts else -1

    def _chosen(self, index: int) -> None:
        panel = self._section.panel
        if not panel.showing and panel.parameters is not None and 0 <= index < len(self._texts):
            self._write(list(self._texts)[index])


def enable(widget: Any, reason: str, tip: str) -> None:
    """Switch a widget off for a reason, which its tooltip says; without a reason it is on."""
    widget.enabled = not reason
    widget.toolTip = reason or tip
