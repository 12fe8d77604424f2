"""A row of the panel for one option of a method: a widget that suits its kind, made by `row`."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import qt
from slicer.i18n import tr as _

from MedSRPanel.section import enable

if TYPE_CHECKING:
    from MedSRLib.methods.options import Option

_LARGEST = 10**9
_DECIMALS = 3


class Row(ABC):
    """Base of the rows.

    Args:
        option: that is shown.
        changed: called with the option's name and its new value when the user has changed it.

    Attributes:
        widget: goes beside the label.
    """

    def __init__(self, option: Option, changed: Callable[[str, Any], None]) -> None:
        self.option = option
        self._changed = changed
        self._showing = False
        self.widget = self._made()

    def show(self, value: Any) -> None:
        """Show a value; `changed` is not called."""
        self._showing = True
        self._write(value)
        self._showing = False

    def _tell(self, value: Any) -> None:
        if not self._showing:
            self._changed(self.option.name, value)

    @abstractmethod
    def _made(self) -> Any:
        """The widget."""

    @abstractmethod
    def _write(self, value: Any) -> None:
        """Have the widget show a value."""


class _Switch(Row):
    """A check box."""

    def _made(self) -> Any:
        self._box = qt.QCheckBox()
        self._box.toolTip = self.option.description
        self._box.connect("toggled(bool)", lambda checked: self._tell(bool(checked)))
        return self._box

    def _write(self, value: Any) -> None:
        self._box.checked = bool(value)


class _Choice(Row):
    """A combo box."""

    def _made(self) -> Any:
        self._combo = qt.QComboBox()
        self._combo.toolTip = self.option.description
        for choice in self.option.choices:
            self._combo.addItem(_("automatic") if choice is None else str(choice))
        self._combo.connect("currentIndexChanged(int)", lambda index: self._tell(self.option.choices[index]))
        return self._combo

    def _write(self, value: Any) -> None:
        known = value in self.option.choices
        self._combo.currentIndex = self.option.choices.index(value) if known else -1


class _Number(Row):
    """A spin box, with a check box before it where the number may be left open."""

    def _made(self) -> Any:
        option = self.option
        whole = option.kind == "integer"
        self._spin = qt.QSpinBox() if whole else qt.QDoubleSpinBox()
        if not whole:
            self._spin.decimals = _DECIMALS
            self._spin.singleStep = 0.1
        self._spin.minimum, self._spin.maximum = self._limits(whole)
        self._spin.suffix = " mm" if option.name.endswith("_mm") else ""
        self._spin.keyboardTracking = False
        self._spin.toolTip = option.description
        self._spin.connect("valueChanged(int)" if whole else "valueChanged(double)", self._tell)
        if not option.optional:
            return self._spin
        self._automatic = qt.QCheckBox(_("automatic"))
        self._automatic.toolTip = option.description
        self._automatic.connect("toggled(bool)", self._onAutomatic)
        both = qt.QWidget()
        beside = qt.QHBoxLayout(both)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.addWidget(self._automatic)
        beside.addWidget(self._spin, 1)
        return both

    def _limits(self, whole: bool) -> tuple[float, float]:
        smallest = 1 if whole else 10**-_DECIMALS
        least = -_LARGEST if self.option.minimum is None else self.option.minimum
        least = least + smallest if self.option.positive else least
        most = _LARGEST if self.option.maximum is None else self.option.maximum
        return (int(least), int(most)) if whole else (float(least), float(most))

    def _write(self, value: Any) -> None:
        own = isinstance(value, int | float)
        if own:
            self._spin.value = int(value) if self.option.kind == "integer" else float(value)
        if self.option.optional:
            self._automatic.checked = not own
            self._allow(own)

    def _allow(self, own: bool) -> None:
        enable(self._spin, "" if own else _("Switch “automatic” off to give a number."), self.option.description)

    def _onAutomatic(self, checked: bool) -> None:
        self._allow(not checked)
        self._tell(self.option.otherwise if checked else self._spin.value)


class _Text(Row):
    """A line of text, read as the command line reads it: a number, true, false or a list where it looks like one."""

    def _made(self) -> Any:
        self._line = qt.QLineEdit()
        self._line.toolTip = self.option.description
        self._line.connect("editingFinished()", self._onFinished)
        return self._line

    def _write(self, value: Any) -> None:
        self._line.text = value if isinstance(value, str) else json.dumps(value)

    def _onFinished(self) -> None:
        try:
            self._tell(json.loads(self._line.text))
        except ValueError:
            self._tell(self._line.text)


_KINDS: dict[str, type[Row]] = {"switch": _Switch, "choice": _Choice, "integer": _Number, "number": _Number}


def row(option: Option, changed: Callable[[str, Any], None]) -> Row:
    """The row of an option, by its kind."""
    return _KINDS.get(option.kind, _Text)(option, changed)


def title(option: Option) -> str:
    """What the label says: "skip_flat" is "Skip flat:"."""
    words = option.name.removesuffix("_mm").replace("_", " ")
    return f"{words[:1].upper()}{words[1:]}:"
