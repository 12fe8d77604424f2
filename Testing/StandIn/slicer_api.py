"""Which members Slicer's classes have, and of which kind, as read off a running Slicer (`slicer_api.json`).

The file is cut from the whole listing by `cut_api.py` to what the modules use. A class lists what it adds to the
class that it extends.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("slicer_api.json")
_INSTANCES = {
    "QApplication": "slicer.app",
    "qSlicerApplication": "slicer.app",
    "qSlicerAppMainWindow": "slicer.util.mainWindow()",
    "qSlicerScriptedLoadableModule": "slicer.modules.volumes",
    "qSlicerScriptedLoadableModuleWidget": "module widget representation",
}
"""Classes that the listing gives by a live object."""
_UNLISTED = {"qSlicerScriptedLoadableModuleWidget": {"self"}}
"""Methods that the listing lacks, because it was read off a module written in C++."""
KINDS = {"properties": "property", "methods": "method", "signals": "signal"}


@functools.cache
def listing() -> dict[str, Any]:
    """The data file."""
    return json.loads(FILE.read_text(encoding="utf-8"))


def entry(name: str) -> str:
    """The name under which a class is listed."""
    return _INSTANCES.get(name, name)


def is_class(name: str) -> bool:
    return entry(name) in listing()["classes"]


def check_class(name: str, isValue: bool = False) -> None:
    """Raise if a class is not in the file; a class that Slicer names but does not list is known only as a value."""
    if not is_class(name) and not isValue:
        raise NotImplementedError(f"{name} is not in {FILE.name}: does Slicer list it? Then run cut_api.py")


@functools.cache
def kind(name: str, member: str) -> str | None:
    """ "property", "method", "signal", "member" where Slicer does not tell, or None: the class has no such member."""
    if member == "exec_":
        return kind(name, "exec")
    check_class(name)
    if member in _UNLISTED.get(name, ()):
        return "method"
    where = listing()["classes"][entry(name)]
    for group, found in KINDS.items():
        if member in where[group]:
            return found
    if member in where.get("members", ()):
        return "member"
    return kind(where["extends"], member) if where.get("extends") else None


@functools.cache
def property_type(name: str, member: str) -> str:
    where = listing()["classes"][entry(name)]
    if member in where["properties"]:
        return str(where["properties"][member])
    return property_type(where["extends"], member) if where.get("extends") else ""


def exists_in(module: str, name: str) -> bool:
    """Whether module `qt`, `ctk` or `slicer` has a name."""
    return name in listing()["names"].get(module, ())


def hint(name: str, member: str) -> str:
    """What to write instead of a member that does not exist; empty if nothing comes close."""
    if not is_class(name):
        return ""
    for other in (f"is{member[:1].upper()}{member[1:]}", f"set{member[:1].upper()}{member[1:]}", f"{member}s"):
        if kind(name, other):
            return f" (Slicer has {other}{'()' if kind(name, other) == 'method' else ''})"
    return ""


@functools.cache
def returned(name: str, method: str) -> str | None:
    """The class of what a method returns, if it is listed; None if not known."""
    if not is_class(name):
        return None
    where = listing()["classes"][entry(name)]
    found = where["returns"].get(method)
    if found is None:
        return returned(where["extends"], method) if where.get("extends") else None
    return str(found) if is_class(found) else None
