"""CMake installs what its lists name and nothing else: each list must say exactly what the tree holds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "MedSRLib"
MODULES = sorted(path.parent for path in (ROOT / "MedSR").glob("*/*.py") if path.stem == path.parent.name)
NOT_INSTALLED = {".pyc", ".pyo"}


def listed(file: Path, name: str) -> list[str]:
    """The entries of ``set(NAME ...)`` in a CMake file, in their order."""
    found = re.search(rf"^set\({name}\b([^)]*)\)", file.read_text(encoding="utf-8"), re.MULTILINE)
    assert found, f"{file} has no set({name} ...)"
    return found[1].split()


def present(folder: Path, *, below: tuple[str, ...] = ("",)) -> list[str]:
    """Every file below a folder that belongs into the package, as CMake writes it."""
    files = (path for part in below for path in (folder / part).rglob("*") if path.is_file())
    return sorted(
        path.relative_to(folder).as_posix()
        for path in files
        if path.suffix not in NOT_INSTALLED and path.name != "CMakeLists.txt" and not path.name.startswith(".")
    )


def compare(file: Path, name: str, wanted: list[str]) -> None:
    """Fail with the very lines to add and to take out."""
    entries = listed(file, name)
    missing = [entry for entry in wanted if entry not in entries]
    surplus = [entry for entry in entries if entry not in wanted]
    doubled = sorted({entry for entry in entries if entries.count(entry) > 1})
    told = [f"In {file.relative_to(ROOT)}, set({name} ...):"]
    for what, lines in (("add", missing), ("take out, there is no such file", surplus), ("name once", doubled)):
        if lines:
            told.append(f"{what}:\n" + "\n".join(f"  {line}" for line in lines))
    assert len(told) == 1, "\n".join(told)


def test_every_script_of_the_library_is_installed() -> None:
    scripts = [path for path in present(LIBRARY) if path.endswith(".py")]
    compare(LIBRARY / "CMakeLists.txt", "MEDSRLIB_SCRIPTS", scripts)


def test_every_data_file_of_the_library_is_installed() -> None:
    data = [path for path in present(LIBRARY) if not path.endswith(".py")]
    compare(LIBRARY / "CMakeLists.txt", "MEDSRLIB_DATA", data)


def test_every_model_recipe_and_protocol_is_installed() -> None:
    shared = present(ROOT / "Resources", below=("Models", "Recipes", "Protocols"))
    compare(LIBRARY / "CMakeLists.txt", "MEDSRLIB_SHARED_RESOURCES", shared)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_every_file_of_a_module_is_installed(module: Path) -> None:
    resources = present(module, below=("Resources",))
    scripts = [path for path in present(module) if path not in resources]
    compare(module / "CMakeLists.txt", "MODULE_PYTHON_SCRIPTS", scripts)
    compare(module / "CMakeLists.txt", "MODULE_PYTHON_RESOURCES", resources)


def test_every_module_is_built() -> None:
    built = re.findall(
        r"^add_subdirectory\((\S+)\)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert sorted(built) == sorted(["MedSRLib", *(module.relative_to(ROOT).as_posix() for module in MODULES)])


def test_a_module_folder_holds_one_script_only() -> None:
    """Slicer takes every .py file in the folder of a module for a module of its own."""
    for module in MODULES:
        assert [path.name for path in module.glob("*.py")] == [f"{module.name}.py"]


def test_the_lines_that_the_extension_manager_reads() -> None:
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    names = ("HOMEPAGE", "CATEGORY", "CONTRIBUTORS", "DESCRIPTION", "ICONURL", "SCREENSHOTURLS", "DEPENDS")
    for name in names:
        assert re.search(rf'^set\(EXTENSION_{name} "[^"\n]+"\)$', text, re.MULTILINE), name
