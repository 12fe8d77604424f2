"""Keys that work while the panel is shown, and only then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import qt
import slicer


class Shortcuts:
    """Shortcuts of Slicer's window.

    Args:
        actions: function by key, as `qt.QKeySequence` reads it.
        widget: used where there is no main window.
    """

    def __init__(self, actions: Mapping[str, Callable[[], None]], widget: Any) -> None:
        window = slicer.util.mainWindow() or widget
        self._made = []
        for key, function in actions.items():
            shortcut = qt.QShortcut(window)
            shortcut.setKey(qt.QKeySequence(key))
            shortcut.setEnabled(False)
            shortcut.connect("activated()", function)
            self._made.append(shortcut)

    def enable(self, on: bool) -> None:
        """Switch all on or off."""
        for shortcut in self._made:
            shortcut.setEnabled(on)

    def remove(self) -> None:
        """The panel goes away."""
        for shortcut in self._made:
            shortcut.setEnabled(False)
            shortcut.deleteLater()
        self._made = []
