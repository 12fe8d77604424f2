"""Combo boxes and radio buttons that show one parameter, by the name it has in the parameter node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Section:
    """A part of the panel: it shows the parameters, and writes what the user changes.

    Args:
        panel: has ``ui`` (widgets by name), ``logic``, ``parameters`` (None while there are none), ``showing``
            (True while widgets are written to) and ``say(text)``.
    """

    def __init__(self, panel: Any) -> None:
        self.panel, self.ui, self.logic = panel, panel.ui, panel.logic

    @property
    def parameters(self) -> Any:
        """The parameter node that is shown."""
        return self.panel.parameters

    def connect(self) -> None:
        """Connect the widgets; called once."""

    def show(self) -> None:
        """Show the parameters in the widgets."""

    def stop(self) -> None:
        """Remove timers and observers; the panel is hidden, or the scene closes."""


class Choice:
    """A combo box with the values of one text or number parameter.

    Args:
        section: whose parameters.
        combo: the widget.
        name: of the parameter.
    """

    def __init__(self, section: Section, combo: Any, name: str) -> None:
        self._section, self._combo, self._name = section, combo, name
        self._texts: dict[Any, str] = {}
        combo.connect("currentIndexChanged(int)", self._chosen)

    def show(self, texts: Mapping[Any, str]) -> None:
        """Offer these values by their texts, and select the parameter's."""
        if texts != self._texts:
            self._texts = dict(texts)
            self._combo.clear()
            for value, text in texts.items():
                self._combo.addItem(text, value)
        index = list(texts).index(value) if (value := getattr(self._section.parameters, self._name)) in texts else -1
        self._combo.currentIndex = index

    def _chosen(self, index: int) -> None:
        panel = self._section.panel
        if not panel.showing and panel.parameters is not None and 0 <= index < len(self._texts):
            setattr(panel.parameters, self._name, list(self._texts)[index])


class Radios:
    """Radio buttons, one for each value of a text parameter.

    Args:
        section: whose parameters.
        buttons: by value.
        name: of the parameter.
    """

    def __init__(self, section: Section, buttons: Mapping[str, Any], name: str) -> None:
        self._section, self._buttons, self._name = section, dict(buttons), name
        for button in self._buttons.values():
            button.connect("toggled(bool)", self._toggled)

    def show(self) -> None:
        """Check the button of the parameter's value."""
        value = getattr(self._section.parameters, self._name)
        if value in self._buttons:
            self._buttons[value].checked = True

    def _toggled(self, checked: bool) -> None:
        panel = self._section.panel
        if checked and not panel.showing and panel.parameters is not None:
            chosen = next(value for value, button in self._buttons.items() if button.checked)
            setattr(panel.parameters, self._name, chosen)


def enable(widget: Any, reason: str, tip: str) -> None:
    """Switch a widget off for a reason, which its tooltip says; without a reason it is on."""
    widget.enabled = not reason
    widget.toolTip = reason or tip
