"""`slicer.parameterNodeWrapper`, as far as the modules use it: numbers, texts, switches and nodes, bound to widgets."""

from __future__ import annotations

import typing
from dataclasses import dataclass
from typing import Any

import vtk


@dataclass(frozen=True)
class WithinRange:
    """The value must lie in [minimum, maximum]."""

    minimum: float
    maximum: float

    def check(self, value: float) -> None:
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"Value must be within range [{self.minimum}, {self.maximum}], got {value}")


class _Field:
    def __init__(self, name: str, annotation: Any, default: Any) -> None:
        plain = typing.get_origin(annotation) is typing.Annotated
        self.name, self.default = name, default
        self.kind, *self.validators = typing.get_args(annotation) if plain else [annotation]
        self.isNode = self.kind not in (str, int, float, bool)

    def __get__(self, owner: Any, cls: Any = None) -> Any:
        node = owner.parameterNode
        if self.isNode:
            return node.GetNodeReference(self.name)
        text = node.GetParameter(self.name)
        if node.GetParameterCount() == 0 or self.name not in node.GetParameterNames():
            return self.default
        return text == "True" if self.kind is bool else self.kind(text)

    def __set__(self, owner: Any, value: Any) -> None:
        node = owner.parameterNode
        if self.isNode:
            if value is not None and not isinstance(value, self.kind):
                raise ValueError(f"{self.name} must be a {self.kind.__name__}")
            node.SetNodeReferenceID(self.name, None if value is None else value.GetID())
            return
        if not isinstance(value, int if self.kind is float and isinstance(value, int) else self.kind):
            raise ValueError(f"{self.name} must be {self.kind.__name__}, not {type(value).__name__}")
        for validator in self.validators:
            validator.check(value)
        node.SetParameter(self.name, str(value))


class _Base:
    def __init__(self, node: Any) -> None:
        self.parameterNode = node
        self._bindings: dict[int, list[tuple[Any, str, Any]]] = {}

    def AddObserver(self, event: Any, callback: Any, priority: float = 0.0) -> int:
        return int(self.parameterNode.AddObserver(event, callback, priority))

    def RemoveObserver(self, tag: int) -> None:
        self.parameterNode.RemoveObserver(tag)

    def connectGui(self, ui: Any) -> int:
        bindings, updates = [], []
        for widget in vars(ui).values():
            name = widget.property("SlicerParameterName") if hasattr(widget, "property") else None
            if not name:
                continue
            if name not in self._fields:
                raise ValueError(f"There is no parameter '{name}'")
            signal, show, slot = _binding(self, widget, self._fields[name])
            show()
            assert widget.connect(signal, slot), signal
            bindings.append((widget, signal, slot))
            updates.append(show)
        tag = self.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: [update() for update in updates])
        self._bindings[tag] = bindings
        return tag

    def disconnectGui(self, tag: int) -> None:
        for widget, signal, slot in self._bindings.pop(tag):
            widget.disconnect(signal, slot)
        self.RemoveObserver(tag)


def _binding(owner: Any, widget: Any, field: _Field) -> tuple[str, Any, Any]:
    """Signal of a widget, how it shows the parameter, and how it writes it."""
    name = field.name
    if widget.inherits("QDoubleSpinBox"):
        for limits in field.validators:
            widget.setRange(limits.minimum, limits.maximum)
        return (
            "valueChanged(double)",
            lambda: widget.setValue(getattr(owner, name)),
            lambda value: setattr(owner, name, value),
        )
    if widget.inherits("qMRMLNodeComboBox"):
        return (
            "currentNodeChanged(vtkMRMLNode*)",
            lambda: widget.setCurrentNode(getattr(owner, name)),
            lambda node: setattr(owner, name, node),
        )
    if widget.inherits("QCheckBox"):
        return (
            "toggled(bool)",
            lambda: widget.setChecked(getattr(owner, name)),
            lambda value: setattr(owner, name, value),
        )
    raise TypeError(f"No connector between {widget} and {field.kind}")


def parameterNodeWrapper(cls: type) -> type:
    """A class whose annotated fields live in a parameter node."""
    hints = typing.get_type_hints(cls, include_extras=True)
    fields = {name: _Field(name, hint, getattr(cls, name, None)) for name, hint in hints.items()}
    return type(cls.__name__, (_Base,), {**fields, "_fields": fields, "__doc__": cls.__doc__})
