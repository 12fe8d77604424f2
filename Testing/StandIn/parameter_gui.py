"""`connectGui`: which widget shows which kind of parameter, by the connectors of Slicer 5.13's guiConnectors.

A widget is found by its dynamic property `SlicerParameterName`. Its class must be exactly the one of a connector;
a combo box for a text needs a `Choice`; a slider needs limits.
"""

from __future__ import annotations

import enum
import pathlib
from collections.abc import Callable
from typing import Any

import slicer
import vtk
from parameter_validators import Choice, Decimals, Maximum, Minimum, SingleStep, WithinRange
from PySide6 import QtWidgets

NAME = "SlicerParameterName"


class Guis:
    """The widgets that a parameter node is connected to."""

    def __init__(self, owner: Any) -> None:
        self._owner = owner
        self._connected: dict[int, tuple[int, list[Connector]]] = {}
        self._showing = False

    def connect(self, gui: Any) -> int:
        if hasattr(gui, "isWidgetType"):
            import pythonqt

            widgets = [pythonqt.wrapped(child) for child in gui._object.findChildren(QtWidgets.QWidget)]
        else:
            widgets = list(vars(gui).values())
        return self.connect_named({name: w for w in widgets if (name := w._object.property(NAME))})

    def connect_named(self, mapping: dict[str, Any]) -> int:
        owner, connectors = self._owner, []
        for name, widget in mapping.items():
            connectors.append(Connector(widget, owner._fields[owner._known(name)], self._write))
        self._show(connectors)
        for connector in connectors:
            connector.connect()
        observer = owner.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: self._show(connectors))
        tag = len(self._connected) + 1
        self._connected[tag] = (observer, connectors)
        return tag

    def disconnect(self, tag: int) -> None:
        observer, connectors = self._connected.pop(tag, (None, []))
        for connector in connectors:
            connector.disconnect()
        if observer is not None:
            self._owner.RemoveObserver(observer)

    def _show(self, connectors: list[Connector]) -> None:
        if self._showing:
            return
        self._showing = True
        try:
            for connector in connectors:
                connector.show(self._owner.getValue(connector.field.name))
        finally:
            self._showing = False

    def _write(self, connector: Connector) -> None:
        if not self._showing:
            with slicer.util.NodeModify(self._owner):
                self._owner.setValue(connector.field.name, connector.read())


class Connector:
    """One widget of one parameter."""

    def __init__(self, widget: Any, field: Any, write: Callable[[Connector], None]) -> None:
        self.widget, self.field, self._tell = widget, field, write
        cls, kind = type(widget).__name__, field.store.kind
        plain = isinstance(kind, type)
        self._entries: list[Any] = []
        if cls in ("QCheckBox", "QPushButton") and kind is bool:
            self._signal, self._property = ("stateChanged" if cls == "QCheckBox" else "toggled"), "checked"
            if cls == "QPushButton":
                widget.checkable = True
        elif (cls in ("QSlider", "QSpinBox") and kind is int) or (
            cls in ("QDoubleSpinBox", "ctkSliderWidget") and kind is float
        ):
            self._signal, self._property = "valueChanged", "value"
            self._limit(needed=cls in ("QSlider", "ctkSliderWidget"))
        elif cls == "QComboBox" and plain and issubclass(kind, enum.Enum | int | float | str):
            self._signal, self._property = "currentIndexChanged", ""
            self._fill(kind)
        elif cls == "QLineEdit" and kind is str:
            self._signal, self._property = "textChanged", "text"
        elif cls == "QTextEdit" and kind is str:
            self._signal, self._property = "textChanged", "plainText"
        elif cls == "ctkPathLineEdit" and plain and issubclass(kind, pathlib.PurePath):
            self._signal, self._property = "currentPathChanged", "currentPath"
        elif cls == "ctkDirectoryButton" and plain and issubclass(kind, pathlib.PurePath):
            self._signal, self._property = "directoryChanged", "directory"
        elif cls == "qMRMLNodeComboBox" and field.store.isNode:
            self._signal, self._property = "currentNodeChanged", "node"
            widget.nodeTypes = [kind.__name__]
        else:
            raise RuntimeError(f"Unable to create GUI connector from datatype '{kind}' to widget type '{cls}'")

    def connect(self) -> None:
        assert getattr(self.widget, self._signal).connect(self._changed)

    def disconnect(self) -> None:
        getattr(self.widget, self._signal).disconnect(self._changed)

    def _changed(self) -> None:
        self._tell(self)

    def read(self) -> Any:
        if self._entries:
            return self._entries[self.widget.currentIndex]
        if self._property == "node":
            return self.widget.currentNode()
        value = getattr(self.widget, self._property)
        kind = self.field.store.kind
        return kind(value) if issubclass(kind, pathlib.PurePath) else value

    def show(self, value: Any) -> None:
        if self._entries:
            if value not in self._entries:
                raise ValueError(f"Unable to find value {value} in choices {self._entries}")
            self.widget.currentIndex = self._entries.index(value)
        elif self._property == "node":
            self.widget.setCurrentNode(value)
        else:
            value = str(value) if isinstance(value, pathlib.PurePath) else value
            if getattr(self.widget, self._property) != value:
                setattr(self.widget, self._property, value)

    def _extra(self, kind: type) -> Any:
        return next((extra for extra in self.field.extras if isinstance(extra, kind)), None)

    def _limit(self, needed: bool) -> None:
        within, low, high = self._extra(WithinRange), self._extra(Minimum), self._extra(Maximum)
        if needed and within is None and (low is None or high is None):
            raise RuntimeError(f"{self.field.name}: a slider needs WithinRange")
        for extra, name in ((self._extra(Decimals), "decimals"), (self._extra(SingleStep), "singleStep")):
            if extra is not None:
                setattr(self.widget, name, extra.value)
        widest = 2**31 - 1 if self.field.store.kind is int else 1e300
        self.widget.maximum = within.maximum if within else high.maximum if high else widest
        self.widget.minimum = within.minimum if within else low.minimum if low else -widest

    def _fill(self, kind: Any) -> None:
        choice = self._extra(Choice)
        if issubclass(kind, enum.Enum):
            self._entries = list(kind)
        elif choice is None:
            raise RuntimeError("ComboBoxToStringableConnector requires the Choice annotation to be used.")
        else:
            self._entries = list(choice.choices)
        self.widget.clear()
        for entry in self._entries:
            label = getattr(entry, "label", None)
            text = label() if callable(label) else entry.name if isinstance(entry, enum.Enum) else str(entry)
            self.widget.addItem(text)
