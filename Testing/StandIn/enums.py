"""Enums as PythonQt shows them: ints that know neither `.name` nor `.value`, and print as numbers."""

from __future__ import annotations

import enum
import functools
from typing import Any


class EnumInt(int):
    """An enum value of Qt: an int whose type bears the name of the enum (`CheckState`)."""

    original: Any

    __repr__ = int.__repr__


@functools.cache
def _kind(name: str) -> type[EnumInt]:
    return type(name, (EnumInt,), {})


def is_enum(cls: Any) -> bool:
    return isinstance(cls, type) and issubclass(cls, enum.Enum)


def number(value: enum.Enum) -> EnumInt:
    found = _kind(_SHOWN.get(type(value).__name__, type(value).__name__))(value.value)
    found.original = value
    return found


_SHOWN = {"WindowType": "WindowFlags", "EditTrigger": "EditTriggers"}
"""Enums that Slicer shows under the name of their flags."""


class Scope:
    """An enum itself, as `qt.Qt.AlignmentFlag`: `AlignRight` is one of its values, and it makes one of an int."""

    def __init__(self, native: type[enum.Enum]) -> None:
        self._native = native

    def __getattr__(self, name: str) -> EnumInt:
        if name.startswith("__") or name not in self._native.__members__:
            raise AttributeError(f"type object '{self._native.__name__}' has no attribute '{name}'")
        return number(self._native[name])

    def __call__(self, value: int) -> EnumInt:
        return number(self._native(value))
