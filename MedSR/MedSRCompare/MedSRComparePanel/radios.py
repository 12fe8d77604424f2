"""Radio buttons that show one parameter, by the name it has in the parameter node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from MedSRPanel.section import Section


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
