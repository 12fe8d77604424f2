"""Signals as PythonQt connects them: by name or by signature, to functions that may take fewer arguments.

An exception in a slot is printed in Slicer and nothing more; here it is also kept in `slotErrors`.
"""

from __future__ import annotations

import inspect
import re
import traceback
from collections.abc import Callable
from typing import Any

import shiboken6
from PySide6 import QtCore

slotErrors: list[BaseException] = []
_connections: dict[tuple[int, str], list[tuple[Any, Any]]] = {}


def guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose exceptions are printed and kept."""

    def call(*values: Any) -> Any:
        try:
            return function(*values)
        except Exception as error:  # Slicer prints it and goes on
            slotErrors.append(error)
            traceback.print_exc()
            return None

    return call


class Signal:
    """One signal of one object; `convert` makes of a PySide6 value what PythonQt would pass."""

    def __init__(
        self, native: Any, signature: str, convert: Callable[[Any], Any], revert: Callable[[Any], Any]
    ) -> None:
        self._native, self._signature = native, signature
        self._convert, self._revert = convert, revert

    def __repr__(self) -> str:
        own = self._native.metaObject().className()
        return f"<qt signal {self._signature} of {own} instance at 0x{id(self._native):x}>"

    def __bool__(self) -> bool:
        raise TypeError(f"'{self._signature}' is a signal: connect it, or emit() it")

    def __eq__(self, other: object) -> bool:
        same = isinstance(other, Signal) and self._native is other._native
        return same and self._signature == other._signature

    def __hash__(self) -> int:
        return hash((self._native, self._signature))

    def connect(self, slot: Any) -> bool:
        taker = _taker(slot, self._convert)
        self._bound().connect(taker)
        if self._key() not in _connections:
            key = self._key()
            self._native.destroyed.connect(lambda *_: _connections.pop(key, None))
        _connections.setdefault(self._key(), []).append((slot, taker))
        return True

    def disconnect(self, slot: Any = None) -> bool:
        entries = _connections.get(self._key(), [])
        for entry in entries:
            if entry[0] == slot:
                self._bound().disconnect(entry[1])
                entries.remove(entry)
                return True
        return False

    def emit(self, *values: Any) -> None:
        self._bound().emit(*map(self._revert, values))

    __call__ = emit

    def _key(self) -> tuple[int, str]:
        return shiboken6.getCppPointer(self._native)[0], self._signature

    def _bound(self) -> Any:
        bound = getattr(self._native, self._signature.split("(")[0])
        kinds = plain(self._signature if "(" in self._signature else self._first())
        kinds = kinds[kinds.index("(") + 1 : -1]
        return bound[tuple(kinds.split(",")) if "," in kinds else kinds or ()]

    def _first(self) -> str:
        """The overload that a bare name means: the one declared first, with all its arguments."""
        meta, start = self._native.metaObject(), f"{self._signature}("
        signatures = (meta.method(index).methodSignature().data().decode() for index in range(meta.methodCount()))
        return next(signature for signature in signatures if signature.startswith(start))


def plain(signature: str) -> str:
    """A signature in Qt's normal form; pointers to VTK objects are Python objects here."""
    normal = QtCore.QMetaObject.normalizedSignature(signature).data().decode()
    return re.sub(r"vtk\w+\*", "PyObject", normal)


def exists(native: Any, signature: str) -> bool:
    """Whether an object has a signal of exactly this signature."""
    return "(" in signature and native.metaObject().indexOfSignal(plain(signature)) >= 0


def _taker(slot: Any, convert: Callable[[Any], Any]) -> Any:
    """Drops surplus arguments; a slot that wants more than there are is never called."""
    try:
        parameters = list(inspect.signature(slot).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    needed = sum(p.default is p.empty for p in positional)
    every = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    run = guarded(slot)

    def take(*values: Any) -> None:
        if needed <= len(values):
            run(*map(convert, values if every else values[: len(positional)]))

    return take
