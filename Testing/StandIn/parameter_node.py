"""`slicer.parameterNodeWrapper`: fields of a class kept as texts and references in a parameter node.

Kinds: bool, int, float, str, pathlib.Path, an Enum (stored by its name), list of these, a node, and any of them
with None. A value is checked by the validators of its annotation when it is written, as in Slicer.
"""

from __future__ import annotations

import enum
import json
import pathlib
import types
import typing
from dataclasses import dataclass
from typing import Any

import parameter_gui
import slicer
from parameter_validators import Default, Validator


@dataclass(frozen=True)
class _Kind:
    """How values of a kind are stored."""

    kind: Any
    optional: bool = False

    @staticmethod
    def of(annotation: Any) -> _Kind:
        if typing.get_origin(annotation) in (typing.Union, types.UnionType):
            parts = [part for part in typing.get_args(annotation) if part is not type(None)]
            if len(parts) != 1:
                raise TypeError(f"No serializer for {annotation}")
            return _Kind(parts[0], optional=True)
        return _Kind(annotation)

    @property
    def isNode(self) -> bool:
        return isinstance(self.kind, type) and issubclass(self.kind, slicer.vtkMRMLNode)

    def default(self) -> Any:
        if self.isNode or self.optional:
            return None
        if isinstance(self.kind, type) and issubclass(self.kind, enum.Enum):
            return next(iter(self.kind))
        return [] if self.isList else self.kind()

    @property
    def isList(self) -> bool:
        return typing.get_origin(self.kind) is list

    def check(self, name: str, value: Any) -> None:
        if value is None and (self.optional or self.isNode):
            return
        wanted: Any = (int, float) if self.kind is float else list if self.isList else self.kind
        wanted = pathlib.PurePath if self._isPath() else wanted
        if not isinstance(value, wanted):
            raise ValueError(f"{name}: value must be {self.kind}, not {value!r}")

    def text(self, value: Any) -> str:
        if self.isList:
            part = _Kind.of(typing.get_args(self.kind)[0])
            return json.dumps([part.text(entry) for entry in value])
        return value.name if isinstance(value, enum.Enum) else str(value)

    def value(self, text: str) -> Any:
        if self.optional and text == "None":
            return None
        if self.isList:
            part = _Kind.of(typing.get_args(self.kind)[0])
            return [part.value(entry) for entry in json.loads(text)]
        if isinstance(self.kind, type) and issubclass(self.kind, enum.Enum):
            return self.kind[text]
        return text == "True" if self.kind is bool else self.kind(text)

    def _isPath(self) -> bool:
        return isinstance(self.kind, type) and issubclass(self.kind, pathlib.PurePath)


class Field:
    """One parameter."""

    def __init__(self, name: str, annotation: Any, default: Any) -> None:
        plain = typing.get_origin(annotation) is not typing.Annotated
        hint, *extras = [annotation] if plain else typing.get_args(annotation)
        self.name, self.annotation, self.store = name, hint, _Kind.of(hint)
        self.validators = [extra for extra in extras if isinstance(extra, Validator)]
        self.extras = extras
        given = next((extra.value for extra in extras if isinstance(extra, Default)), None)
        self.default = default if default is not None else given if given is not None else self.store.default()

    def __get__(self, owner: Any, cls: Any = None) -> Any:
        if owner is None:
            return self
        node = owner.parameterNode
        if self.store.isNode:
            return node.GetNodeReference(self.name)
        return self.store.value(node.GetParameter(self.name))

    def __set__(self, owner: Any, value: Any) -> None:
        self.store.check(self.name, value)
        for validator in self.validators:
            validator.validate(value)
        node = owner.parameterNode
        if self.store.isNode:
            node.SetNodeReferenceID(self.name, None if value is None else value.GetID())
            return
        node.SetParameter(self.name, self.store.text(value))

    def start(self, owner: Any) -> None:
        """Write the default, if the node has no value."""
        if not self.store.isNode and not owner.parameterNode.HasParameter(self.name):
            self.__set__(owner, self.default)


class Base:
    """What `@parameterNodeWrapper` adds to a class."""

    _fields: dict[str, Field]

    def __init__(self, parameterNode: Any) -> None:
        self.parameterNode = parameterNode
        self._guis = parameter_gui.Guis(self)
        with slicer.util.NodeModify(parameterNode):
            for field in self._fields.values():
                field.start(self)

    def getValue(self, name: str) -> Any:
        return getattr(self, self._known(name))

    def setValue(self, name: str, value: Any) -> None:
        setattr(self, self._known(name), value)

    def default(self, name: str) -> Default:
        return Default(self._fields[self._known(name)].default)

    def dataType(self, name: str) -> Any:
        return self._fields[self._known(name)].annotation

    def _known(self, name: str) -> str:
        if name not in self._fields:
            raise ValueError(
                f"Cannot find a param with the given name: {name}\n  Found parameters {list(self._fields)}"
            )
        return name

    def connectGui(self, gui: Any) -> int:
        return self._guis.connect(gui)

    def connectParametersToGui(self, mapping: dict[str, Any]) -> int:
        return self._guis.connect_named(mapping)

    def disconnectGui(self, tag: int) -> None:
        self._guis.disconnect(tag)

    def AddObserver(self, event: Any, callback: Any, priority: float = 0.0) -> int:
        return int(self.parameterNode.AddObserver(event, callback, priority))

    def RemoveObserver(self, tag: int) -> None:
        self.parameterNode.RemoveObserver(tag)

    def Modified(self) -> None:
        self.parameterNode.Modified()

    def StartModify(self) -> int:
        return int(self.parameterNode.StartModify())

    def EndModify(self, wasModified: int) -> None:
        self.parameterNode.EndModify(wasModified)


def parameterNodeWrapper(cls: type | None = None) -> Any:
    """A class whose annotated fields live in a parameter node."""
    if cls is None:
        return parameterNodeWrapper
    hints = typing.get_type_hints(cls, include_extras=True)
    reserved = {name for name in hints if hasattr(Base, name)}
    if reserved:
        raise ValueError(f"Cannot use reserved name '{reserved.pop()}' in a parameterNodeWrapper")
    fields = {name: Field(name, hint, getattr(cls, name, None)) for name, hint in hints.items()}
    own = {name: value for name, value in vars(cls).items() if callable(value) or isinstance(value, property)}
    return type(cls.__name__, (Base,), {**own, **fields, "_fields": fields, "__doc__": cls.__doc__})
