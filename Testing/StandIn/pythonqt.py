"""PythonQt's ways over PySide6: module `qt` as a running Slicer answers, so that mistakes show without Slicer.

A Qt property is an attribute, so calling one raises TypeError; what is neither property nor method cannot be set;
no keyword arguments; string lists are tuples, enums ints; isinstance knows the exact class only; a wrong
signal string returns False. An exception in a slot is printed in Slicer; here it is also kept in `slotErrors`.
"""

from __future__ import annotations

import enum
import inspect
import traceback
import types
from typing import Any

import shiboken6
from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets

slotErrors: list[BaseException] = []

_LIBRARIES = (QtCore, QtGui, QtWidgets, QtUiTools)
_classes: dict[str, type] = {}


class EnumInt(int):
    """An enum as PythonQt shows it, an int; it remembers what it was."""

    original: Any


class Signal:
    """One signal of one object."""

    def __init__(self, bound: Any) -> None:
        self._bound = bound
        self._slots: list[tuple[Any, Any]] = []

    def connect(self, slot: Any) -> bool:
        taker = _taker(slot)
        self._bound.connect(taker)
        self._slots.append((slot, taker))
        return True

    def disconnect(self, slot: Any) -> bool:
        for entry in self._slots:
            if entry[0] == slot:
                self._bound.disconnect(entry[1])
                self._slots.remove(entry)
                return True
        return False

    def emit(self, *values: Any) -> None:
        self._bound.emit(*map(unwrapped, values))


class _Class(type):
    """The class of wrapped objects; constants and static methods are those of the PySide6 class."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__") or "_native" not in cls.__dict__:
            raise AttributeError(name)
        found = getattr(cls._native, name)
        return _method(found) if callable(found) and not inspect.isclass(found) else wrapped(found)


class Wrapped(metaclass=_Class):
    """A PySide6 object, seen as PythonQt shows it."""

    def __init__(self, *values: Any) -> None:
        object.__setattr__(self, "_object", self._native(*map(unwrapped, values)))
        object.__setattr__(self, "_signals", {})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Wrapped) and self._object is other._object

    def __hash__(self) -> int:
        return hash(self._object)

    def __getattr__(self, name: str) -> Any:
        native = object.__getattribute__(self, "_object")
        if isinstance(native, QtCore.QObject):
            name = "objectName" if name == "name" else name
            if _property(native, name) is not None or name.encode() in native.dynamicPropertyNames():
                return wrapped(native.property(name))
        found = getattr(native, name, None)
        if found is None or name.startswith("_"):
            raise AttributeError(f"{type(self).__name__} has no attribute named '{name}'")
        return self._signal(name) if isinstance(found, QtCore.SignalInstance) else _method(found)

    def __setattr__(self, name: str, value: Any) -> None:
        meta = _property(self._object, name)
        if meta is None:
            where = f"'{name}' does not exist on {type(self).__name__}"
            raise AttributeError(f"{where} and creating new attributes on C++ objects is not allowed")
        if not meta.isWritable():
            raise AttributeError(f"Property '{name}' of {type(self).__name__} object is not writable")
        kinds = {"QString": str, "int": int, "bool": bool, "double": float}
        self._object.setProperty(name, kinds.get(meta.typeName(), lambda given: given)(unwrapped(value)))

    def connect(self, signature: str, slot: Any) -> bool:
        signal = self._named(signature)
        return signal is not None and signal.connect(slot)

    def disconnect(self, signature: str, slot: Any) -> bool:
        signal = self._named(signature)
        return signal is not None and signal.disconnect(slot)

    def inherits(self, name: str) -> bool:
        return bool(self._object.inherits(name))

    def _named(self, signature: str) -> Signal | None:
        meta = self._object.metaObject()
        for text in (signature, signature.replace("vtkMRMLNode*", "PyObject")):
            if "(" in text and meta.indexOfSignal(QtCore.QMetaObject.normalizedSignature(text).data().decode()) >= 0:
                return self._signal(text)
        return None

    def _signal(self, text: str) -> Signal:
        if text not in self._signals:
            bound = getattr(self._object, text.split("(")[0])
            self._signals[text] = Signal(bound[_overload(text)] if "(" in text else bound)
        return self._signals[text]


def _overload(text: str) -> Any:
    """What PySide6 wants in brackets for a signature."""
    kinds = {"": (), "int": int, "bool": bool, "double": float, "QString": str, "PyObject": object}
    return kinds[text[text.index("(") + 1 : -1]]


def _property(native: Any, name: str) -> Any:
    if not isinstance(native, QtCore.QObject):
        return None
    meta = native.metaObject()
    index = meta.indexOfProperty(name)
    return meta.property(index) if index >= 0 else None


def _taker(slot: Any) -> Any:
    """Drops surplus arguments; a slot that wants more than there are is never called."""
    try:
        parameters = list(inspect.signature(slot).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    plain = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    needed = sum(p.default is p.empty for p in plain)
    every = any(p.kind is p.VAR_POSITIONAL for p in parameters)

    def take(*values: Any) -> None:
        if needed > len(values):
            return
        try:
            slot(*map(wrapped, values if every else values[: len(plain)]))
        except Exception as error:  # Slicer prints it and goes on
            slotErrors.append(error)
            traceback.print_exc()

    return take


def _method(native: Any) -> Any:
    def call(*values: Any) -> Any:
        return wrapped(native(*map(unwrapped, values)))

    return call


def class_of(native: type) -> type:
    """The wrapper of a PySide6 class; wrappers do not inherit from each other."""
    if native.__name__ not in _classes:
        _classes[native.__name__] = _Class(native.__name__, (Wrapped,), {"_native": native})
    return _classes[native.__name__]


def wrapped(value: Any) -> Any:
    """A PySide6 value as PythonQt gives it."""
    if isinstance(value, enum.Enum):
        number = EnumInt(value.value)
        number.original = value
        return number
    if isinstance(value, list):
        return tuple(map(wrapped, value))
    if isinstance(value, shiboken6.Object):
        known = getattr(value, "_wrapper", None)
        if known is not None:
            return known
        shell = object.__new__(class_of(type(value)))
        object.__setattr__(shell, "_object", value)
        object.__setattr__(shell, "_signals", {})
        return shell
    return value


def unwrapped(value: Any) -> Any:
    """The PySide6 value of what PythonQt code gives."""
    if isinstance(value, Wrapped):
        return value._object
    if isinstance(value, EnumInt):
        return value.original
    return list(map(unwrapped, value)) if isinstance(value, tuple) else value


class QtModule(types.ModuleType):
    """The module `qt`: every class of Qt by its name."""

    def __getattr__(self, name: str) -> Any:
        for library in _LIBRARIES:
            native = getattr(library, name, None)
            if native is not None:
                return class_of(native) if inspect.isclass(native) else native
        raise AttributeError(f"module 'qt' has no attribute '{name}'")
