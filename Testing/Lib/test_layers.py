"""The import laws of the house: arrows point down, and what is slow or foreign stays outside."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "MedSRLib"
MODULES = ROOT / "MedSR"

# A room may import rooms of lower rank, and itself. Rank 1 is split so that no two rooms need each other.
RANKS = {
    "errors": 0,
    "_optional": 0.5,
    "progress": 0.5,
    "files": 1,
    "grids": 1,
    "foreground": 1,
    "intensity": 1.25,
    "modalities": 1,
    "provenance": 1,
    "images": 1.5,
    "manifests": 1.5,
    "inference.sampling": 2,
    "acquisition": 2.5,
    "networks.configuration": 2.25,
    "sparse": 2.5,
    "networks": 2.75,
    "inference": 3,
    "models": 3,
    "evaluation": 4,
    "training": 5,
    "methods": 6,
    "upscaling": 7,
    "estimate": 7,
    "protocols": 8,
    "bench": 8,
    "demo": 8,
    "jobs": 9,
    "cli": 10,
}

# The packages that an installation without extras has; scipy comes with scikit-image.
CORE_PACKAGES = {"torch", "numpy", "SimpleITK", "skimage", "safetensors", "pydantic", "scipy"}
EXTRA_PACKAGES = {
    "typer": {"cli"},
    "rich": {"cli"},
    "click": {"cli"},
    "lightning": {"training"},
    "tomli": {"training", "protocols"},
    "tomllib": {"training", "protocols"},
    "matplotlib": {"evaluation", "protocols"},
    "jinja2": {"evaluation", "protocols"},
    "distributed": {"protocols"},
}
# Rooms where torch may be imported with the module; everywhere else it is imported inside a function.
TORCH_ROOMS = {
    "sparse",
    "networks",
    "training",
    "inference.sampling",
    "inference",
    "acquisition",
    "bench",
    "models",
    "evaluation",
}
LIGHT_MODULES = (
    "MedSRLib",
    "MedSRLib.cli",
    "MedSRLib.errors",
    "MedSRLib.grids",
    "MedSRLib.images",
    "MedSRLib.jobs",
    "MedSRLib.methods.registry",
    "MedSRLib.models.card",
    "MedSRLib.upscaling",
)


@dataclass(frozen=True)
class Import:
    """One imported module: its full name, the line, and whether importing the file imports it."""

    name: str
    line: int
    eager: bool


def imports(path: Path) -> Iterator[Import]:
    """All imports of a file, wherever they stand; those outside functions and TYPE_CHECKING are eager."""
    yield from _walk(ast.parse(path.read_text(encoding="utf-8")), path, eager=True)


def _walk(node: ast.AST, path: Path, *, eager: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, child.lineno, eager)
        elif isinstance(child, ast.ImportFrom):
            for name in _targets(child, path):
                yield Import(name, child.lineno, eager)
        else:
            yield from _walk(child, path, eager=eager and not _runs_later(child))


def _runs_later(node: ast.AST) -> bool:
    if isinstance(node, ast.If):
        return "TYPE_CHECKING" in ast.unparse(node.test)
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def _targets(node: ast.ImportFrom, path: Path) -> Iterator[str]:
    """What ``from X import a, b`` reaches: X.a and X.b where those are modules of ours, else X."""
    base = node.module or ""
    if node.level:
        parts = path.relative_to(ROOT).with_suffix("").parts[: -node.level]
        base = ".".join([*parts, base]).rstrip(".")
    for alias in node.names:
        inner = ROOT.joinpath(*base.split("."), alias.name)
        yield f"{base}.{alias.name}" if inner.is_dir() or inner.with_suffix(".py").is_file() else base


def room(module: str) -> str:
    """The room of a module of ours: the longest name in RANKS that begins ``module`` (MedSRLib removed)."""
    inner = module.removeprefix("MedSRLib").lstrip(".")
    matches = [name for name in RANKS if inner == name or inner.startswith(name + ".")]
    return max(matches, key=len, default=inner)


def room_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return room(".".join(part for part in parts if part != "__init__"))


def python_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", python_files(LIBRARY), ids=named)
def test_arrows_point_down(path: Path) -> None:
    here = room_of(path)
    assert here in RANKS or here == "", f"{named(path)}: give the room '{here}' a rank in RANKS"
    wrong = [
        f"{named(path)}:{found.line} imports {found.name}"
        for found in imports(path)
        if found.name.split(".")[0] == "MedSRLib" and here and not _may_import(here, room(found.name))
    ]
    assert not wrong, "\n".join(wrong)


def _may_import(here: str, there: str) -> bool:
    # "" is MedSRLib itself (the version), which every room may ask for.
    family = here.split(".")[0] == there.split(".")[0]
    return there == "" or (family and RANKS[there] <= RANKS[here]) or RANKS[there] < RANKS[here]


@pytest.mark.parametrize("path", python_files(LIBRARY), ids=named)
def test_library_imports_only_what_its_extras_bring(path: Path) -> None:
    ours = {"MedSRLib"} | CORE_PACKAGES | (set(sys.stdlib_module_names) - {"tomllib"})
    here = room_of(path).split(".")[0]
    wrong = []
    for found in imports(path):
        top = found.name.split(".")[0]
        if top not in ours and here not in EXTRA_PACKAGES.get(top, set()):
            wrong.append(f"{named(path)}:{found.line} imports {found.name}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", python_files(LIBRARY), ids=named)
def test_torch_is_imported_late_outside_the_rooms_that_compute(path: Path) -> None:
    if room_of(path) in TORCH_ROOMS and path.name not in ("card.py", "__init__.py"):
        return
    wrong = [found.line for found in imports(path) if found.eager and found.name.split(".")[0] == "torch"]
    assert not wrong, f"{named(path)} imports torch with the module, line {wrong}"


@pytest.mark.parametrize("module", LIGHT_MODULES)
def test_light_modules_do_not_load_torch(module: str) -> None:
    code = f"import sys, {module}; sys.exit('torch' in sys.modules and 'torch was imported')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", python_files(MODULES), ids=named)
def test_slicer_modules_import_no_numerics(path: Path) -> None:
    """Slicer brings scipy, but slowly: inside functions only. The rest it does not bring."""
    heavy = {"torch", "skimage", "safetensors", "pydantic", *EXTRA_PACKAGES} - {"tomllib"}
    found = [(f, f.name.split(".")[0]) for f in imports(path)]
    wrong = [f"{named(path)}:{f.line} {f.name}" for f, root in found if root in heavy or (root == "scipy" and f.eager)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", python_files(MODULES), ids=named)
def test_slicer_modules_leave_the_library_to_its_process(path: Path) -> None:
    """Widgets start jobs in another process; nothing of MedSRLib is imported with a module."""
    wrong = [f"{named(path)}:{f.line} {f.name}" for f in imports(path) if f.eager and "MedSRLib" in f.name]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", [p for p in python_files(MODULES) if "MedSRScene" in p.parts], ids=named)
def test_scene_work_knows_neither_qt_nor_the_library(path: Path) -> None:
    foreign = {"qt", "ctk", "PySide6", "MedSRLib"}
    wrong = [f"{named(path)}:{f.line} {f.name}" for f in imports(path) if f.name.split(".")[0] in foreign]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("line", "name", "eager"),
    [
        ("import torch.nn", "torch.nn", True),
        ("def f():\n    import torch", "torch", False),
        ("try:\n    import torch\nexcept ImportError:\n    raise", "torch", True),
        ("class A:\n    import torch", "torch", True),
        ("if TYPE_CHECKING:\n    import torch", "torch", False),
        ("from MedSRLib import grids", "MedSRLib.grids", True),
        ("from MedSRLib.grids import Grid", "MedSRLib.grids", True),
        ("from ..errors import MedSRError", "MedSRLib.errors", True),
    ],
)
def test_the_test_sees_every_kind_of_import(line: str, name: str, eager: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    source = LIBRARY / "methods" / "example.py"
    monkeypatch.setattr(Path, "read_text", lambda self, encoding=None: line)
    (found,) = imports(source)
    assert (found.name, found.eager) == (name, eager)


def test_an_arrow_that_points_up_is_seen() -> None:
    assert not _may_import("networks", "methods")
    assert not _may_import("sparse", "networks")
    assert not _may_import("acquisition", "networks")
    assert not _may_import("inference.sampling", "inference")
    assert _may_import("acquisition", "inference.sampling")
    assert _may_import("inference", "inference.sampling")
