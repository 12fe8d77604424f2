"""Which code computes a measurement: a hash that changes when, and only when, that code may have changed.

It is taken of the modules of MedSRLib that the experiment and the method reach by imports, those inside functions
included. For a method of another package, the name and version of that package stand for its code.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import MedSRLib
from MedSRLib.methods import registry

ROOT = "MedSRLib.protocols.experiment"

# What these hold decides no number (messages, files, the list of methods), or is in the key of a cell itself: the
# protocol, and weights by their checksum, whatever training made them.
PASSED_OVER = (
    "MedSRLib.errors",
    "MedSRLib.progress",
    "MedSRLib._optional",
    "MedSRLib.files",
    "MedSRLib.provenance",
    "MedSRLib.manifests",
    "MedSRLib.methods.registry",
    "MedSRLib.protocols.cells",
    "MedSRLib.protocols.protocol",
    "MedSRLib.protocols.columns",
    "MedSRLib.training",
)


@functools.cache
def digest(identifier: str) -> str:
    """Hash of all code that computes a cell with the method, or of what stands for it; 16 hexadecimal digits."""
    module = registry.get(identifier).__module__
    own = module.split(".")[0] == "MedSRLib"
    text = "" if own else _package(module)
    reached = closure((ROOT, module, *_network(identifier)) if own else (ROOT,))
    text += "".join(f"{name} {hashlib.sha256(_file(name).read_bytes()).hexdigest()}\n" for name in reached)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _network(identifier: str) -> tuple[str, ...]:
    """The module of the method's network, which the catalogue names in a string."""
    from MedSRLib.networks.catalogue import GRID_NETWORKS

    return (GRID_NETWORKS[identifier][0],) if identifier in GRID_NETWORKS else ()


def closure(roots: tuple[str, ...]) -> list[str]:
    """The modules of MedSRLib that the roots reach by imports, sorted; without those passed over."""
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in found and not _is_passed_over(name):
            found.add(name)
            waiting += _imports(name)
    return sorted(found)


def _is_passed_over(name: str) -> bool:
    return any(name == passed or name.startswith(f"{passed}.") for passed in PASSED_OVER)


@functools.cache
def _imports(name: str) -> list[str]:
    tree = ast.parse(_file(name).read_bytes())
    return [found for node in ast.walk(tree) for found in _named(node) if _exists(found)]


def _named(node: ast.AST) -> Iterator[str]:
    """Modules of MedSRLib that an import may mean; the house imports by full names only."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name.startswith("MedSRLib."))
    elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "MedSRLib":
        base = str(node.module)
        yield base
        yield from (f"{base}.{alias.name}" for alias in node.names)


def _exists(name: str) -> bool:
    return name != "MedSRLib" and (_path(name).is_dir() or _path(name).with_suffix(".py").is_file())


def _path(name: str) -> Path:
    return Path(str(MedSRLib.__file__)).parent.joinpath(*name.split(".")[1:])


def _file(name: str) -> Path:
    path = _path(name)
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _package(module: str) -> str:
    """Name and version of the package that brings a module; a hash of its file where it comes with none."""
    top = module.split(".")[0]
    packages = metadata.packages_distributions().get(top, [])
    if packages:
        return f"{packages[0]} {metadata.version(packages[0])}\n"
    file = getattr(sys.modules[module], "__file__", None)
    return f"{module} {hashlib.sha256(Path(file).read_bytes()).hexdigest()}\n" if file else f"{module}\n"
