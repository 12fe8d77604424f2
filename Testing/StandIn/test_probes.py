"""The stand-in answers what a running Slicer was seen to answer (`probes.txt`)."""

from __future__ import annotations

import re
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

PROBES = [
    line for line in Path(__file__).with_name("probes.txt").read_text(encoding="utf-8").splitlines() if line[:1] != "#"
]


class Probe:
    """The objects that the probes speak of, new for each."""

    def __init__(self) -> None:
        import ctk
        import pythonqt
        import qt
        import slicer

        self.heard: list[Any] = []
        self.overridden: list[str] = []
        self.thing = object()
        heard, self.slotErrors = self.heard, pythonqt.slotErrors
        self.names: dict[str, Any] = {"qt": qt, "ctk": ctk, "slicer": slicer, "np": np, "Path": Path}
        widgets = {
            "le": "QLineEdit", "cb": "QCheckBox", "sb": "QSpinBox", "dsb": "QDoubleSpinBox", "co": "QComboBox",
            "fill": "QComboBox", "w": "QWidget", "btn": "QPushButton", "lab": "QLabel", "te": "QTextEdit",
            "pte": "QPlainTextEdit", "pb": "QProgressBar", "tabs": "QTabWidget", "stack": "QStackedWidget",
            "timer": "QTimer", "box": "QVBoxLayout", "scroll": "QScrollArea", "tree": "QTreeWidget",
            "act": "QAction", "menu": "QMenu", "process": "QProcess", "model": "QStandardItemModel",
            "listing": "QListWidget", "item": "QTableWidgetItem", "table": "QTableWidget",
        }  # fmt: skip
        self.names |= {name: getattr(qt, cls)() for name, cls in widgets.items()}
        self.names |= {"slider": ctk.ctkSliderWidget(), "limits": ctk.ctkRangeWidget(), "path": ctk.ctkPathLineEdit()}
        self.names |= {"button": ctk.ctkCollapsibleButton(), "nc": slicer.qMRMLNodeComboBox(), "partial": partial}
        self.names |= {"heard": heard, "overridden": self.overridden, "thing": self.thing}
        self.names |= {"settings": slicer.app.userSettings(), "put": setattr, "lam0": lambda: heard.append("lam0")}
        self.names |= {"c0": lambda: heard.append(()), "c1": lambda a: heard.append((a,)), "c2": lambda a, b: 1 / 0}
        self.names |= {"cv": lambda *values: heard.append(values), "lam1": lambda a: heard.append(("lam1", a))}
        self.names |= {"c0_with": lambda text: heard.append((text,)), "unreferenced": self.unreferenced}

        class QLabelSubclass(qt.QLabel):
            pass

        self.names["QLabelSubclass"] = QLabelSubclass
        self.names["act"].text = "act"
        own = ("filtered", "node", "click", "swallowed", "subclassed", "named", "destroyed", "raw", "bound", "wait")
        self.names |= {name: getattr(self, name) for name in own}
        for text, data in (("a", 1), ("b", {"k": (1, 2)}), ("c", object())):
            self.names["co"].addItem(text, data)
        self.names["le"].text = "abc"
        self.names["table"].rowCount = self.names["table"].columnCount = 2
        self.names["nc"].noneEnabled = True
        self.names["nc"].nodeTypes = ["vtkMRMLScalarVolumeNode"]
        self.names["nc"].setMRMLScene(slicer.mrmlScene)

    def click(self) -> list[Any]:
        self.heard.clear()
        self.names["btn"].click()
        return self.heard

    def swallowed(self) -> str:
        return type(self.slotErrors.pop()).__name__

    def subclassed(self) -> Any:
        overridden, qt = self.overridden, self.names["qt"]

        class Own(qt.QWidget):
            def __init__(self) -> None:
                super().__init__()
                self.extra = 5

            def resizeEvent(self, event: Any) -> None:
                overridden.append("rs")
                super().resizeEvent(event)

        own = Own()
        own.show()
        overridden.clear()
        self.kept = own
        return own

    def filtered(self) -> None:
        """An event filter written in Python."""
        overridden, qt = self.overridden, self.names["qt"]

        class Filter(qt.QObject):
            def eventFilter(self, watched: Any, event: Any) -> bool:
                if event.type() == qt.QEvent.Resize and "filtered" not in overridden:
                    overridden.append("filtered")
                return False

        self.kept = Filter()
        self.names["w"].installEventFilter(self.kept)
        self.names["w"].show()
        self.names["w"].resize(321, 123)
        self.names["w"].hide()

    def node(self) -> Any:
        return self.names["slicer"].mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "aa")

    def named(self) -> None:
        self.kept = self.names["qt"].QLabel("a", self.names["w"])
        self.kept.objectName = "o2"

    def destroyed(self) -> Any:
        label = self.names["qt"].QLabel("a")
        label.delete()
        return label

    def raw(self) -> Any:
        class Own(self.names["qt"].QWidget):
            def __init__(self) -> None:
                """Forgets super()."""

        return Own()

    def bound(self) -> Any:
        heard = self.heard

        class Own:
            def hear(self, *values: Any) -> None:
                heard.append(("m", values))

        return Own().hear

    def unreferenced(self) -> None:
        timer = self.names["qt"].QTimer()
        timer.timeout.connect(self.names["c0"])
        timer.start(1)

    def wait(self) -> None:
        end = time.monotonic() + 0.05
        while time.monotonic() < end:
            self.names["slicer"].app.processEvents()


def answer(expression: str) -> str:
    probe = Probe()
    try:
        value = eval(expression, probe.names)
    except Exception as error:
        text = str(error).splitlines()[0] if str(error) else ""
        return f"!! {type(error).__name__}: {text}"
    return f"-> {value!r} [{type(value).__name__}]"


@pytest.mark.parametrize("line", PROBES, ids=range(len(PROBES)))
def test_a_probe(module: Any, line: str) -> None:
    expression, told = re.split(r" (?=-> |!! )", line, maxsplit=1)
    assert re.match(re.escape(told).replace("…", ".*"), answer(expression)), answer(expression)
