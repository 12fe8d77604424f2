"""What the Extensions Index of 3D Slicer checks before it takes an extension, as far as it can be checked here.

The index (github.com/Slicer/ExtensionsIndex) reads a JSON file with the fields below, clones the repository and reads
the top CMakeLists.txt by pattern. Whether the addresses answer can only be checked once they are public.
"""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENTRY = ROOT / "Resources" / "ExtensionsIndex" / "MedSR.json"
MAX_REPOSITORY_BYTES = 100 * 2**20

# The fields of version 1.0.2 of the catalogue's schema: type and, where it has one, the allowed range.
FIELDS: dict[str, type] = {
    "$schema": str,
    "category": str,
    "scm_url": str,
    "scm_revision": str,
    "scm_type": str,
    "build_dependencies": list,
    "dicom_support_rule": str,
    "build_subdirectory": str,
    "enabled": bool,
    "tier": int,
}
REQUIRED = {"$schema", "category", "scm_url"}
CATEGORIES = {"Analysis", "Filtering", "Neuroimaging", "Quantification", "Utilities"}
"""Those of the index's list that an extension like this one could choose."""


def schema_problems(entry: dict[str, Any]) -> list[str]:
    """In which ways an entry breaks the schema."""
    problems = [f"{name} is missing" for name in sorted(REQUIRED - entry.keys())]
    for name, value in entry.items():
        if name not in FIELDS:
            problems.append(f"{name} is not a field")
        elif type(value) is not FIELDS[name]:
            problems.append(f"{name} must be {FIELDS[name].__name__}")
    if not 1 <= entry.get("tier", 1) <= 5:
        problems.append("tier must be 1 to 5")
    if entry.get("scm_type", "git") not in ("git", "local"):
        problems.append("scm_type must be git or local")
    if not all(isinstance(name, str) for name in entry.get("build_dependencies", [])):
        problems.append("build_dependencies must hold names")
    return problems


@pytest.fixture(scope="module")
def entry() -> dict[str, Any]:
    return json.loads(ENTRY.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def cmake() -> str:
    return (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")


def setting(cmake: str, name: str) -> str:
    """The value of a quoted one-line ``set(EXTENSION_NAME "...")``, which is all that the index reads."""
    found = re.findall(rf'^set\(EXTENSION_{name} "([^"\n]+)"\)$', cmake, re.MULTILINE)
    assert len(found) == 1, name
    return str(found[0])


def png_size(path: Path) -> tuple[int, int]:
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n", path
    return struct.unpack(">II", head[16:24])


def test_the_entry_follows_the_schema(entry: dict[str, Any]) -> None:
    assert schema_problems(entry) == []
    assert entry["$schema"].endswith("slicer-extension-catalog-entry-schema-v1.0.2.json#")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"category": 3}, "category must be str"),
        ({"tier": 6}, "tier must be 1 to 5"),
        ({"homepage": "x"}, "homepage is not a field"),
        ({"build_dependencies": [1]}, "build_dependencies must hold names"),
    ],
)
def test_the_check_of_the_schema_can_fail(entry: dict[str, Any], change: dict[str, Any], problem: str) -> None:
    assert schema_problems(entry | change) == [problem]


def test_category_and_dependencies_agree_with_cmake(entry: dict[str, Any], cmake: str) -> None:
    assert entry["category"] in CATEGORIES
    assert setting(cmake, "CATEGORY") == entry["category"]
    assert setting(cmake, "DEPENDS").split() == entry["build_dependencies"]


def test_the_project_is_named_as_the_entry_and_the_repository_after_slicer(entry: dict[str, Any], cmake: str) -> None:
    assert re.search(r"^project\((\w+)\)", cmake, re.MULTILINE)[1] == ENTRY.stem
    address = urlsplit(entry["scm_url"])
    name = Path(address.path).stem
    assert address.scheme == "https" and name.startswith("Slicer") and name != ENTRY.stem
    assert setting(cmake, "HOMEPAGE") == entry["scm_url"].removesuffix(".git")


def test_icon_and_screenshots_are_there(entry: dict[str, Any], cmake: str) -> None:
    raw = setting(cmake, "HOMEPAGE").replace("https://github.com/", "https://raw.githubusercontent.com/")
    prefix = f"{raw}/{entry['scm_revision']}/"
    icon, *screenshots = [setting(cmake, "ICONURL"), *setting(cmake, "SCREENSHOTURLS").split()]
    assert screenshots
    for address in (icon, *screenshots):
        assert address.startswith(prefix) and address.endswith(".png")
        assert png_size(ROOT / address.removeprefix(prefix))
    assert png_size(ROOT / icon.removeprefix(prefix)) == (128, 128)


def test_description_names_the_use_in_one_or_two_sentences(cmake: str) -> None:
    text = setting(cmake, "DESCRIPTION")
    assert "uper-resolution" in text and "esearch use only" in text
    assert 1 <= len(re.findall(r"\.(?:\s|$)", text)) <= 3 and len(text) < 250


def test_the_licence_is_at_the_root() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text and "Version 2.0" in text


def test_the_repository_is_small() -> None:
    kept = (
        path for folder in ("MedSR", "MedSRLib", "Resources", "Testing", "docs") for path in (ROOT / folder).rglob("*")
    )
    assert sum(path.stat().st_size for path in kept if path.is_file()) < MAX_REPOSITORY_BYTES


def test_torch_is_never_installed_by_pip() -> None:
    """Reviewers of the index look for it: PyTorch comes from its own extension."""
    for path in (ROOT / "MedSR").rglob("*"):
        if path.name == "requirements.txt":
            assert not re.search(r"^torch\b", path.read_text(encoding="utf-8"), re.MULTILINE), path
        elif path.suffix == ".py":
            assert not re.search(r"pip_install\([^)]*torch", path.read_text(encoding="utf-8")), path
