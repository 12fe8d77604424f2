"""What would have been shown in dialogs: nothing opens in a test; what a dialog answers is what the test has set."""

from __future__ import annotations

from typing import Any

from PySide6 import QtWidgets

messages: list[str] = []
"""What would have been shown in message boxes."""
answers: dict[str, Any] = {}
"""What a dialog answers, by its function: {"QFileDialog.getOpenFileName": path, "confirmOkCancelDisplay": False}."""
_CANCELLED = {
    "QFileDialog.getOpenFileName": "",
    "QFileDialog.getSaveFileName": "",
    "QFileDialog.getExistingDirectory": "",
    "QFileDialog.getOpenFileNames": [],
    "QInputDialog.getText": "",
    "QInputDialog.getItem": "",
    "QDialog.exec": 0,
    "QMenu.exec": None,
}


def answer(function: str, default: Any = None) -> Any:
    """The answer to a dialog; as if it were cancelled, unless the test has set another."""
    return answers.get(function, _CANCELLED.get(function, default))


def overrides() -> dict[str, Any]:
    """Functions for `pythonqt.overrides`."""

    def asked(function: str) -> Any:
        return lambda *values: answer(function)

    def boxed(*values: Any) -> Any:
        raise AssertionError("A QMessageBox blocks a test: use slicer.util.infoDisplay and the like")

    found = {name: asked(name) for name in _CANCELLED}
    for kind in ("question", "information", "warning", "critical"):
        found[f"QMessageBox.{kind}"] = boxed
    for cls in ("QMessageBox", "ctkMessageBox"):
        found[f"{cls}.exec"] = found[f"{cls}.exec_"] = boxed
    for cls in ("QDialog", "QMenu"):
        found[f"{cls}.exec_"] = found[f"{cls}.exec"]
    return found


def display(name: str, default: Any = None) -> Any:
    """A function like slicer.util.infoDisplay: it keeps the text, and answers what the test has set."""

    def show(text: str, windowTitle: Any = None, parent: Any = None, standardButtons: Any = None, **more: Any) -> Any:
        assert isinstance(text, str), f"{name} wants a text, not {text!r}"
        messages.append(text)
        return answer(name, default)

    return show


def clear() -> None:
    messages.clear()
    answers.clear()


def close_all() -> None:
    """Close windows that a test has left open."""
    for widget in QtWidgets.QApplication.topLevelWidgets():
        widget.close()
