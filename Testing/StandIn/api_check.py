"""Finds, without running it, where module code uses Slicer's Qt otherwise than Slicer offers it.

The class of an expression is known for widgets of the .ui file (`ui.applyButton`), for `qt.X(...)`, `ctk.X(...)`,
`slicer.app` and what their listed methods return, and for names and attributes of `self` that are assigned one of
these and nothing else. Of these, every attribute must be listed, a property must not be called, a method must be
called or handed on, only a property may be set, and the signal of a `connect("...")` must exist.
"""

from __future__ import annotations

import ast
import functools
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pythonqt
import signals
import slicer_api

CHAIN = {
    ("slicer.app", "layoutManager"): "slicer.app.layoutManager()",
    ("slicer.app.layoutManager()", "sliceWidget"): 'layoutManager.sliceWidget("Red")',
    ("slicer.app.layoutManager()", "plotWidget"): "layoutManager.plotWidget(0)",
    ("slicer.app.layoutManager()", "threeDWidget"): "layoutManager.threeDWidget(0)",
    ('layoutManager.sliceWidget("Red")', "sliceView"): "sliceWidget.sliceView()",
    ('layoutManager.sliceWidget("Red")', "sliceController"): "sliceWidget.sliceController()",
    ("layoutManager.plotWidget(0)", "plotView"): "plotWidget.plotView()",
}
"""What these methods return: live objects that Slicer's listing gives apart."""
MODULES, UI, UTIL = ("qt", "ctk"), "a .ui file", "slicer.util"


def ui_classes(folder: Path) -> dict[str, str]:
    """Class of every named widget of the .ui files under a folder."""
    roots = (ET.parse(path).getroot() for path in sorted(folder.rglob("*.ui")))
    return {w.get("name", ""): w.get("class", "") for root in roots for w in root.iter("widget")}


class Check(ast.NodeVisitor):
    """The mistakes of one file, as "line: what is wrong" in `problems`."""

    def __init__(self, tree: ast.Module, ui: dict[str, str]) -> None:
        self.problems: list[str] = []
        self._ui = ui
        self._parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
        self._scopes: list[dict[str, str | None]] = [{}]
        self._attributes: dict[str, str | None] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign):
                self._learn(node, self._attributes, ast.Attribute)
        for node in tree.body:
            if isinstance(node, ast.Assign):
                self._learn(node, self._scopes[0], ast.Name)
        self.visit(tree)

    def _learn(self, node: ast.Assign, known: dict[str, str | None], kind: type) -> None:
        """Remember the class of a name; None once it has been assigned something else."""
        for target in node.targets:
            if not isinstance(target, kind):
                continue
            if isinstance(target, ast.Attribute) and not _is_self(target.value):
                continue
            name = target.attr if isinstance(target, ast.Attribute) else target.id  # type: ignore[attr-defined]
            if isinstance(node.value, ast.Constant) and node.value.value is None:
                continue
            found = self._class_of(node.value)
            known[name] = found if known.get(name, found) == found else None

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        arguments = [*node.args.args, *node.args.kwonlyargs]
        scope: dict[str, str | None] = {argument.arg: None for argument in arguments if argument.arg != "ui"}
        self._scopes.append(scope)
        for inner in ast.walk(node):
            if isinstance(inner, ast.Assign):
                self._learn(inner, scope, ast.Name)
            if isinstance(inner, ast.For | ast.comprehension):
                scope |= {name.id: None for name in ast.walk(inner.target) if isinstance(name, ast.Name)}
        self.generic_visit(node)
        self._scopes.pop()

    def visit_Attribute(self, node: ast.Attribute) -> None:
        base = self._class_of(node.value)
        if base in MODULES or base == UTIL:
            names = slicer_api.listing()["names"].get(base, slicer_api.listing()["python"].get(base, ()))
            if node.attr not in names:
                self._tell(node, f"Slicer has no {base}.{node.attr} (or run cut_api.py)")
        elif base == UI:
            if node.attr not in self._ui:
                self._tell(node, f"no widget of the .ui file is named '{node.attr}'")
        elif base is not None and base.startswith("class "):
            self._check_static(node, base.removeprefix("class "))
        elif base is not None:
            self._check_member(node, base)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in ("connect", "disconnect") and node.args:
            base, signature = self._class_of(function.value), node.args[0]
            known = base is not None and base not in (*MODULES, UI, UTIL) and not base.startswith(("class ", "signal "))
            text = signature.value if isinstance(signature, ast.Constant) else None
            if known and isinstance(text, str) and not _has_signal(str(base), text):
                self._tell(node, f"{base} has no signal '{text}'")
        if node.keywords and (self._class_of(function) or "").startswith("class "):
            self._tell(node, f"{ast.unparse(function)}() takes no keyword arguments")
        self.generic_visit(node)

    def _check_static(self, node: ast.Attribute, cls: str) -> None:
        try:
            getattr(pythonqt.class_of(_native(cls)), node.attr)
        except (AttributeError, NotImplementedError) as error:
            self._tell(node, str(error))

    def _check_member(self, node: ast.Attribute, cls: str) -> None:
        if cls.startswith("signal "):
            if node.attr not in ("connect", "disconnect", "emit"):
                self._tell(node, f"'{cls.removeprefix('signal ')}' is a signal: connect it")
            return
        try:
            kind = slicer_api.kind(cls, "objectName" if node.attr == "name" else node.attr)
        except NotImplementedError as error:
            self._tell(node, str(error))
            return
        parent = self._parents[node]
        called = isinstance(parent, ast.Call) and parent.func is node
        if kind is None:
            if not _is_constant(cls, node.attr):
                self._tell(node, f"{cls} has no '{node.attr}'{slicer_api.hint(cls, node.attr)}")
        elif isinstance(node.ctx, ast.Store):
            if kind not in ("property", "member"):
                self._tell(
                    node, f"'{node.attr}' of {cls} is a {kind}: it cannot be set{slicer_api.hint(cls, node.attr)}"
                )
        elif kind == "property" and called:
            self._tell(node, f"'{node.attr}' of {cls} is a property: write it without ()")
        elif kind == "method" and not called and not _handed_on(parent):
            self._tell(node, f"'{node.attr}' of {cls} is a method: write {node.attr}()")

    def _tell(self, node: ast.AST, text: str) -> None:
        self.problems.append(f"{getattr(node, 'lineno', 0)}: {text}")

    def _class_of(self, node: ast.expr) -> str | None:
        """The class of an expression; "class X" for a class itself, "signal x" for a signal; None if unknown."""
        if isinstance(node, ast.Name):
            if node.id in MODULES:
                return node.id
            scope = next((scope for scope in reversed(self._scopes) if node.id in scope), {})
            return UI if node.id == "ui" and node.id not in scope else scope.get(node.id)
        if isinstance(node, ast.Call):
            return self._returned(node.func)
        return self._member_class(node) if isinstance(node, ast.Attribute) else None

    def _member_class(self, node: ast.Attribute) -> str | None:
        if isinstance(node.value, ast.Name) and node.value.id == "slicer":
            return {"app": "slicer.app", "util": UTIL}.get(node.attr)
        if _is_self(node.value):
            return UI if node.attr in ("ui", "_ui") else self._attributes.get(node.attr)
        base = self._class_of(node.value)
        if base == UI:
            return self._ui.get(node.attr)
        if base in MODULES:
            return f"class {node.attr}" if node.attr[0].isupper() or node.attr.startswith("ctk") else None
        if base is None or base == UTIL or base.startswith(("class ", "signal ")) or not slicer_api.is_class(base):
            return None
        kind = slicer_api.kind(base, node.attr)
        if kind == "signal":
            return f"signal {node.attr}"
        found = slicer_api.property_type(base, node.attr) if kind == "property" else ""
        return found if slicer_api.is_class(found) else None

    def _returned(self, function: ast.expr) -> str | None:
        if not isinstance(function, ast.Attribute):
            return None
        base = self._class_of(function.value)
        if base in MODULES:
            return function.attr if slicer_api.is_class(function.attr) else None
        if base == UTIL:
            return "slicer.util.mainWindow()" if function.attr == "mainWindow" else None
        if base is None or base == UI or base.startswith(("class ", "signal ")):
            return None
        found = CHAIN.get((base, function.attr)) or slicer_api.returned(base, function.attr)
        return None if found in ("QWidget", "QObject") else found


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _handed_on(parent: ast.AST) -> bool:
    """Whether a method that is not called is passed to somebody who may."""
    return isinstance(parent, ast.Call | ast.keyword | ast.Tuple | ast.List | ast.Dict | ast.Assign | ast.Return)


def _native(cls: str) -> Any:
    import sys

    for module in MODULES:
        if slicer_api.exists_in(module, cls):
            return getattr(sys.modules[module], cls)._native
    raise AttributeError(f"Slicer has no class {cls}")


def _native_of(cls: str) -> Any:
    import ui_files
    from PySide6 import QtWidgets

    custom = ui_files.custom_widgets()
    if cls in custom:
        return custom[cls]
    return type(QtWidgets.QApplication.instance()) if cls == "slicer.app" else _native(cls)


def _is_constant(cls: str, name: str) -> bool:
    try:
        return hasattr(_native_of(cls), name) and name[0].isupper()
    except AttributeError:
        return False


def _has_signal(cls: str, signature: str) -> bool:
    if not slicer_api.is_class(cls):
        return False
    if slicer_api.kind(cls, signature.split("(")[0]) not in ("signal", "member") or "(" not in signature:
        return False
    if cls.endswith(")"):
        return True
    return signals.exists(_example(cls), signature)


@functools.cache
def _example(cls: str) -> Any:
    """An object of a class: PySide6 loses a class's own meta-object when one of its objects ends."""
    from PySide6 import QtWidgets

    if cls == "slicer.app":
        return QtWidgets.QApplication.instance()
    native = _native_of(cls)
    return native(QtWidgets.QApplication.instance()) if cls == "QShortcut" else native()


def problems(source: str, ui: dict[str, str]) -> list[str]:
    """What is wrong with a file of module code."""
    return Check(ast.parse(source), ui).problems
