"""Cut the listing of a running Slicer to what the modules use: `python cut_api.py API_JSON [CLASS...]`.

Run it again when a module uses a class or a function of Slicer that it did not use before. It writes
`slicer_api.json`; classes on the command line are kept whether they are used or not.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
MODULES = HERE.parents[1] / "MedSR"


def sources() -> str:
    """The text of every module and panel, and of the stand-in's tests and probes."""
    files = [*MODULES.rglob("*.py"), *MODULES.rglob("*.ui"), *HERE.rglob("*.py"), *HERE.glob("*.txt")]
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(files))


def used_classes(listed: dict[str, Any], words: set[str], more: Iterable[str]) -> set[str]:
    """Classes named in the text, those that their used methods return, and what all of them extend."""
    named, found = {name for name in listed if name in words} | set(more), set[str]()
    while named:
        name = named.pop()
        if name not in found and "error" not in listed.get(name, {"error": ""}):
            found.add(name)
            named.add(extended(listed[name]))
            for method, told in listed[name].get("methods", {}).items():
                if method in words:
                    named |= set(re.findall(r"-> [\w.]*?(\w+)$", told))
    return found


def extended(where: dict[str, Any]) -> str:
    """The class that a class extends; a class without kinds lists what it inherits, too."""
    members = where.get("members", ())
    return where.get("extends", "") or ("QWidget" if "windowTitle" in members else "QObject" * ("sender" in members))


def kept(listed: dict[str, Any], name: str) -> dict[str, Any]:
    """A class as the data file has it; `members` are those of which Slicer did not tell the kind."""
    where = listed[name]
    part = {"extends": extended(where), "properties": where.get("properties", {})}
    part |= {group: sorted(where.get(group, ())) for group in ("methods", "signals")}
    inherited = set(listed["QWidget" if part["extends"] == "QWidget" else "QObject"].get("methods", ()))
    part["returns"] = {
        method: found[1]
        for method, told in where.get("methods", {}).items()
        if (found := re.search(r"-> [\w.]*?(\w+)$", told)) and found[1] in listed
    }
    members = [m for m in where.get("members", ()) if m[0].islower() and m not in inherited]
    return {**part, "members": members} if members else part


def cut(api: dict[str, Any], text: str, more: Iterable[str]) -> dict[str, Any]:
    """The part of the listing that the text uses."""
    listed, words = {**api["classes"], **api["instances"]}, set(re.findall(r"\w+", text))
    classes = used_classes(listed, words, [*more, *api["instances"], "QObject", "QWidget"])
    python = {
        module: {name: told if isinstance(told, str) else sorted(told) for name, told in names.items() if name in words}
        for module, names in api["python"].items()
    }
    ctk = [name for name, where in api["classes"].items() if where["module"] == "ctk"]
    return {
        "slicer": api["slicer"],
        "classes": {name: kept(listed, name) for name in sorted(classes)},
        "names": {"qt": api["qt names"], "ctk": ctk, "slicer": api["slicer names"]},
        "modules": api["slicer.modules"],
        "python": python,
    }


def main(arguments: list[str]) -> None:
    api = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    part = cut(api, sources(), arguments[1:])
    lines = []
    for group, content in part.items():
        if isinstance(content, dict):
            inner = ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in content.items())
            lines.append(f"{json.dumps(group)}: {{\n{inner}\n}}")
        else:
            lines.append(f"{json.dumps(group)}: {json.dumps(content)}")
    (HERE / "slicer_api.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
