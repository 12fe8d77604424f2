"""Every Qt, CTK and Slicer member that module code touches exists in Slicer, and is used as what it is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2] / "MedSR"
FILES = sorted(path for path in ROOT.rglob("*.py") if "__pycache__" not in path.parts)
UI = {"apply": "QPushButton", "input": "qMRMLNodeComboBox", "method": "QComboBox", "log": "QPlainTextEdit"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file(module: Any, path: Path) -> None:
    import api_check

    ui = api_check.ui_classes(ROOT / path.relative_to(ROOT).parts[0])
    assert not api_check.problems(path.read_text(encoding="utf-8"), ui)


RIGHT = [
    "self.ui.apply.enabled = self.ui.apply.isEnabled()",
    "ui.apply.connect('clicked(bool)', self.run)\nui.apply.clicked.connect(self.run)",
    "ui.input.connect('currentNodeChanged(vtkMRMLNode*)', self.run)",
    "label = qt.QLabel('a')\nlabel.setText('b')\nlabel.text = 'c'\nlabel.show()",
    "qt.QTimer.singleShot(0, ui.apply.click)",
    "x = ui.method.currentData\nqt.Qt.AlignRight",
    "slicer.app.layoutManager().sliceWidget('Red').sliceView().cornerAnnotation().SetText(0, 'a')",
    "self.timer = qt.QTimer()\nself.timer.start()",
    "slicer.util.errorDisplay('a')",
]
WRONG = [
    ("ui.apply.text()", "'text' of QPushButton is a property: write it without ()"),
    ("if ui.apply.isEnabled: pass", "'isEnabled' of QPushButton is a method: write isEnabled()"),
    ("ui.apply.isEnabled = True", "'isEnabled' of QPushButton is a method: it cannot be set"),
    ("ui.nobody.text = 'a'", "no widget of the .ui file is named 'nobody'"),
    ("self.ui.input.currentNodeName", "qMRMLNodeComboBox has no 'currentNodeName'"),
    ("self._ui.input.currentNode", "'currentNode' of qMRMLNodeComboBox is a method: write currentNode()"),
    ("ui.apply.connect('clicked', f)", "QPushButton has no signal 'clicked'"),
    ("ui.method.connect('currentIndexChanged(QString)', f)", "QComboBox has no signal 'currentIndexChanged(QString)'"),
    ("qt.QVariant(1)", "Slicer has no qt.QVariant"),
    ("qt.Qt.AlignSideways", "has no attribute 'AlignSideways'"),
    ("label = qt.QLabel('a')\nlabel.text()", "'text' of QLabel is a property"),
    ("def f():\n    t = qt.QTimer()\n    t.singleshot = 1", "QTimer has no 'singleshot'"),
    ("self.t = qt.QTableWidget()\nself.t.rowCount()", "'rowCount' of QTableWidget is a property"),
    ("qt.QLabel(text='a')", "qt.QLabel() takes no keyword arguments"),
    ("slicer.util.errorDialog('a')", "Slicer has no slicer.util.errorDialog"),
    ("slicer.app.layoutManager().sliceView('Red')", "has no 'sliceView'"),
    ("slicer.app.layoutManager().sliceWidget('Red').sliceView.show()", "'sliceView' of"),
    ("slicer.app.layoutManager", "'layoutManager' of slicer.app is a method"),
    ("slicer.app.majorVersion()", "'majorVersion' of slicer.app is a property"),
    ("ui.apply.clicked.bind(f)", "'clicked' is a signal: connect it"),
]


@pytest.mark.parametrize("source", RIGHT)
def test_right_code_passes(module: Any, source: str) -> None:
    import api_check

    assert api_check.problems(source, UI) == []


@pytest.mark.parametrize(("source", "told"), WRONG)
def test_wrong_code_is_told(module: Any, source: str, told: str) -> None:
    import api_check

    found = api_check.problems(source, UI)
    assert found and told in found[0]


def test_every_widget_of_the_ui_files_is_known(module: Any) -> None:
    import api_check
    import slicer_api

    for folder in ROOT.iterdir():
        for name, cls in api_check.ui_classes(folder).items():
            assert slicer_api.is_class(cls), f"{folder.name}: {name} is a {cls}: run cut_api.py"
