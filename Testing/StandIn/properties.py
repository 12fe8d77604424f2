"""Reading and writing Qt properties as PythonQt does: by the kinds that Slicer's listing gives."""

from __future__ import annotations

import enum
from typing import Any

import calls
import slicer_api
from PySide6 import QtCore

_KINDS = {"str": str, "int": int, "float": float, "bool": bool}


def is_dynamic(native: Any, name: str) -> bool:
    return isinstance(native, QtCore.QObject) and name.encode() in native.dynamicPropertyNames()


def _meta(native: Any, name: str) -> Any:
    if not isinstance(native, QtCore.QObject):
        return None
    meta = native.metaObject()
    index = meta.indexOfProperty(name)
    return meta.property(index) if index >= 0 else None


def kind_of(native: Any, name: str) -> str:
    """The kind of a member of which Slicer's listing does not tell it."""
    if _meta(native, name) is not None:
        return "property"
    return "signal" if isinstance(getattr(native, name, None), QtCore.SignalInstance) else "method"


def read(cls: str, native: Any, name: str) -> Any:
    """The value of a property; an enum is a plain int."""
    if _meta(native, name) is not None:
        value = native.property(name)
    else:
        getter = getattr(native, name, None) or getattr(native, f"is{name[0].upper()}{name[1:]}", None)
        if getter is None:
            raise NotImplementedError(f"Slicer has {cls}.{name}, the stand-in has not: add it there")
        value = getter()
    if isinstance(value, enum.Enum):
        return int(value.value)
    return tuple(value) if slicer_api.property_type(cls, name) == "tuple" and value is not None else value


def write(cls: str, native: Any, name: str, value: Any) -> None:
    """Set a property.

    Raises:
        AttributeError: if it is read-only.
    """
    meta = _meta(native, name)
    setter = getattr(native, f"set{name[0].upper()}{name[1:]}", None)
    if (meta is not None and not meta.isWritable()) or (meta is None and setter is None):
        raise AttributeError(f"Property '{name}' of {cls} object is not writable")
    kind = slicer_api.property_type(cls, name)
    if kind == "tuple":
        value = [str(part) for part in value]
    elif kind in _KINDS and not isinstance(value, enum.Enum):
        try:
            value = calls.converted(_KINDS[kind], value)
        except (TypeError, ValueError) as error:
            shown = f"Property '{name}' of type '{kind}' does not accept an object of type {type(value).__name__}"
            raise AttributeError(f"{shown} ({value!r})") from error
    if meta is None:
        setter(value)
    else:
        native.setProperty(name, value)


def shown(cls: str, native: Any) -> str:
    """How PythonQt prints an object."""
    where = f"0x{id(native):x}"
    if isinstance(native, QtCore.QObject):
        if not native.isWidgetType():
            return f"{cls} ({native.metaObject().className()} at: {where})"
        name = f', name="{native.objectName()}"' if native.objectName() else ""
        return f"{cls}({where}{name}) "
    texts = {"QSize": "width height", "QPoint": "x y", "QRect": "x y width height", "QColor": "name"}
    if cls in texts:
        inner = ", ".join(str(getattr(native, part)()) for part in texts[cls].split())
        return f"{cls} ({inner}, at: {where})"
    if cls == "QIcon" and native.isNull():
        return "QIcon(null) "
    return f"{cls} (C++ object at: {where})"
