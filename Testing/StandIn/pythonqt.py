"""PythonQt's ways over PySide6: objects as a running Slicer shows them, so that mistakes show without Slicer.

A Qt property is an attribute, so calling one raises TypeError; what is neither property nor method cannot be set;
no keyword arguments; string lists are tuples, enums ints; isinstance knows the exact class only; a wrong
signal string returns False. Which member is a property, a method or a signal is what `slicer_api` has read off Slicer.
"""

from __future__ import annotations

import inspect
import types
import weakref
from collections.abc import Callable
from typing import Any

import calls
import properties
import shiboken6
import signals
import slicer_api
from enums import EnumInt, Scope, is_enum, number
from PySide6 import QtCore
from signals import Signal, slotErrors

__all__ = [
    "EnumInt",
    "Module",
    "Wrapped",
    "builtin_qt_slot",
    "class_of",
    "overrides",
    "slotErrors",
    "unwrapped",
    "wrapped",
]

NEW_NAMES = {"exec_": "exec", "QRegExp": "QRegularExpression"}
"""What Qt 5 calls otherwise than Qt 6."""
NOTHING = ("QOverrideCursorGuard", "Connection")
"""What only Qt 6 returns."""
overrides: dict[str, Callable[..., Any]] = {}
"""Functions in the place of Qt's, by "QClass.function": dialogs must not open in a test."""
_classes: dict[str, type] = {}


class builtin_qt_slot:
    """A method that is not called yet; to use it as a value is an error that PythonQt would hide."""

    def __init__(self, cls: str, name: str, function: Any, owner: Any) -> None:
        self._told, self._name, self._function, self._owner = cls, name, function, owner

    def __call__(self, *values: Any, **named: Any) -> Any:
        calls.refuse_names(self._name, self._function, named)
        if isinstance(self._owner, shiboken6.Object) and not shiboken6.isValid(self._owner):
            raise ValueError(f"Trying to call '{self._name}' on a destroyed {self._told} object")
        return wrapped(calls.call(self._name, self._function, list(map(unwrapped, values))))

    def __repr__(self) -> str:
        if self._owner is None:
            return f"<unbound qt slot static_{self._told}_{self._name} of {self._told} type>"
        return f"<qt slot {self._name} of {self._told} instance at 0x{id(self._owner):x}>"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, builtin_qt_slot):
            return (self._told, self._name) == (other._told, other._name) and self._owner is other._owner
        if other is None or isinstance(other, str | int | float | tuple):
            self._as_value()
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self._told, self._name, id(self._owner)))

    def _as_value(self, *_: Any) -> Any:
        raise TypeError(f"'{self._name}' is a method of {self._told}: write {self._name}()")

    __bool__ = __len__ = __iter__ = __format__ = __lt__ = __gt__ = __le__ = __ge__ = __add__ = __radd__ = _as_value
    __int__ = __float__ = __getitem__ = __sub__ = __mul__ = _as_value


class _Class(type):
    """The class of wrapped objects; constants and static methods are those of the PySide6 class."""

    def __new__(mcs, name: str, bases: tuple[type, ...], members: dict[str, Any]) -> Any:
        base = next((base for base in bases if getattr(base, "_native", None) is not None), None)
        if base is not None:
            members.setdefault("_native", _overriding(base, members))
        return super().__new__(mcs, name, bases, members)

    def __getattr__(cls, name: str) -> Any:
        native = cls.__dict__.get("_native")
        if name.startswith("__") or native is None:
            raise AttributeError(name)
        found = getattr(native, NEW_NAMES.get(name, name), None)
        if is_enum(type(found)):
            return number(found)
        if inspect.isclass(found):
            return Scope(found) if is_enum(found) else class_of(found)
        if _kind(cls._api, native, name) not in ("method", "member") or not callable(found):
            raise AttributeError(f"type object '{cls.__name__}' has no attribute '{name}'")
        return builtin_qt_slot(cls.__name__, name, overrides.get(f"{cls.__name__}.{name}", found), None)


class Wrapped(metaclass=_Class):
    """A PySide6 object, seen as PythonQt shows it."""

    _native: Any = None
    _api = ""
    _object: Any

    def __init__(self, *values: Any, **named: Any) -> None:
        slicer_api.check_class(self._api, _is_value(self._native))
        calls.refuse_names(self._api, self._native, named)
        own = type(self).__name__ not in _classes
        native = calls.call(self._api, self._native, list(map(unwrapped, values)))
        object.__setattr__(self, "_object", native)
        if isinstance(native, QtCore.QObject):
            native._wrapper = self if own else weakref.ref(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Wrapped):
            return False
        mine, its = self._object, other._object
        return mine is its or (not isinstance(mine, QtCore.QObject) and type(mine) is type(its) and bool(mine == its))

    def __hash__(self) -> int:
        return hash(self._object) if isinstance(self._object, QtCore.QObject) else hash(repr(self._object))

    def __repr__(self) -> str:
        return properties.shown(type(self).__name__, self._object)

    def __bool__(self) -> bool:
        return bool(shiboken6.isValid(self._object))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        native = self.__dict__.get("_object")
        name = "objectName" if name == "name" and isinstance(native, QtCore.QObject) else name
        kind = _kind(self._api, type(self)._native, name)
        if native is None or not shiboken6.isValid(native):
            act = f"read property '{name}' from" if kind == "property" else f"call '{name}' on"
            raise ValueError(f"Trying to {act} a destroyed {self._api} object")
        if kind is None:
            return self._unlisted(name)
        kind = properties.kind_of(native, name) if kind == "member" else kind
        if kind == "property":
            return wrapped(properties.read(self._api, native, name))
        if kind == "signal":
            return Signal(native, name, wrapped, unwrapped)
        found = overrides.get(f"{self._api}.{name}") or getattr(native, NEW_NAMES.get(name, name), None)
        if found is None:
            raise NotImplementedError(f"Slicer has {self._api}.{name}(), the stand-in has not: add it there")
        return builtin_qt_slot(self._api, NEW_NAMES.get(name, name), found, native)

    def _unlisted(self, name: str) -> Any:
        if properties.is_dynamic(self._object, name):
            return wrapped(self._object.property(name))
        constant = getattr(type(self._object), name, None)
        if is_enum(type(constant)):
            return number(constant)
        raise AttributeError(f"{type(self).__name__} has no attribute named '{name}'{slicer_api.hint(self._api, name)}")

    def __setattr__(self, name: str, value: Any) -> None:
        own = type(self).__name__
        kind = _kind(self._api, type(self)._native, name)
        if kind == "property" or (kind == "member" and properties.kind_of(self._object, name) == "property"):
            properties.write(self._api, self._object, name, unwrapped(value))
        elif properties.is_dynamic(self._object, name):
            self._object.setProperty(name, unwrapped(value))
        elif own not in _classes:
            object.__setattr__(self, name, value)
        else:
            where = f"'{name}' does not exist on {own} and creating new attributes on C++ objects is not allowed"
            raise AttributeError(where + slicer_api.hint(self._api, name))

    def connect(self, signature: str, slot: Any) -> bool:
        return self._has(signature) and Signal(self._object, signature, wrapped, unwrapped).connect(slot)

    def disconnect(self, signature: str, slot: Any) -> bool:
        return self._has(signature) and Signal(self._object, signature, wrapped, unwrapped).disconnect(slot)

    def inherits(self, name: str) -> bool:
        return bool(self._object.inherits(name))

    def className(self) -> str:
        return str(self._object.metaObject().className())

    def delete(self) -> None:
        shiboken6.delete(self._object)

    def _has(self, signature: str) -> bool:
        listed = slicer_api.kind(self._api, signature.split("(")[0]) in ("signal", "member")
        return listed and signals.exists(self._object, signature)


def _is_value(native: type) -> bool:
    """Whether a class holds a value: PythonQt shows all of its members as methods, listed or not."""
    return not issubclass(native, QtCore.QObject)


def _kind(api: str, native: type, name: str) -> str | None:
    if slicer_api.is_class(api) or not _is_value(native):
        return slicer_api.kind(api, name)
    return "method" if callable(getattr(native, NEW_NAMES.get(name, name), None)) else None


def _overriding(base: type, members: dict[str, Any]) -> type:
    """A PySide6 class whose virtual functions are those of a Python subclass; `super()` reaches Qt's."""
    native = base._native  # type: ignore[attr-defined]
    names = [n for n, f in members.items() if isinstance(f, types.FunctionType) and callable(getattr(native, n, None))]
    names = [name for name in names if not name.startswith("__")]
    for name in names:
        original = getattr(native, name)
        setattr(base, name, lambda self, *values, f=original: wrapped(f(self._object, *map(unwrapped, values))))

    def forward(name: str, original: Any) -> Any:
        def run(self: Any, *values: Any) -> Any:
            shell = getattr(self, "_wrapper", None)
            if shell is None:
                return original(self, *values)
            return unwrapped(getattr(shell, name)(*map(wrapped, values)))

        return run

    return type(native.__name__, (native,), {name: forward(name, getattr(native, name)) for name in names})


def class_of(native: type) -> type:
    """The wrapper of a PySide6 class; wrappers do not inherit from each other."""
    name = native.__name__
    if name not in _classes:
        _classes[name] = _Class(name, (Wrapped,), {"_native": native, "_api": name})
    return _classes[name]


def wrapped(value: Any) -> Any:
    """A PySide6 value as PythonQt gives it."""
    if is_enum(type(value)):
        return number(value)
    if isinstance(value, list):
        return tuple(map(wrapped, value))
    if not isinstance(value, shiboken6.Object):
        return value
    if type(value).__name__ in NOTHING:
        return None
    known = getattr(value, "_wrapper", None)
    known = known() if isinstance(known, weakref.ref) else known
    if known is not None:
        return known
    shell = object.__new__(class_of(_public(type(value))))
    object.__setattr__(shell, "_object", value)
    if isinstance(value, QtCore.QObject):
        value._wrapper = weakref.ref(shell)
    return shell


def _public(native: type) -> type:
    """The class that Slicer would show: helpers of the stand-in itself are what they derive from."""
    return next(c for c in native.__mro__ if slicer_api.is_class(c.__name__) or c.__module__.startswith("PySide6"))


def unwrapped(value: Any) -> Any:
    """The PySide6 value of what PythonQt code gives."""
    if isinstance(value, Wrapped):
        return value._object
    if isinstance(value, EnumInt):
        return value.original
    if isinstance(value, _Class):
        return value._native
    return list(map(unwrapped, value)) if isinstance(value, tuple) else value


class Module(types.ModuleType):
    """A module like `qt` or `ctk`: classes by their names, from PySide6 or from the stand-in."""

    def __init__(self, name: str, libraries: tuple[Any, ...]) -> None:
        super().__init__(name)
        self._libraries = libraries

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or not slicer_api.exists_in(self.__name__, name):
            raise AttributeError(f"module '{self.__name__}' has no attribute '{name}'")
        for library in self._libraries:
            native = getattr(library, NEW_NAMES.get(name, name), None)
            if native is not None:
                return class_of(native) if inspect.isclass(native) else native
        raise NotImplementedError(f"Slicer has {self.__name__}.{name}, but the stand-in has not: add it there")
