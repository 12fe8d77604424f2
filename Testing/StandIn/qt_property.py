"""Qt properties that a widget only keeps."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Property

_EMPTY = {bool: False, int: 0, float: 0.0, str: "", "QStringList": ()}


def stored(name: str, kind: Any) -> Property:
    """A property kept in the `_values` of its widget, which is told of a change by `_fill()` if it has that."""

    def get(self: Any) -> Any:
        return self._values.get(name, _EMPTY[kind])

    def put(self: Any, value: Any) -> None:
        self._values[name] = list(value) if kind == "QStringList" else value
        getattr(self, "_fill", int)()

    return Property(kind, get, put)
