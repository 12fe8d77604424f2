"""The table of complaints: every row names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROWS = [
    line.split("|")[1:-1]
    for line in (ROOT / "docs" / "complaints.md").read_text(encoding="utf-8").splitlines()
    if re.match(r"\| \d+ \|", line)
]
BROUGHT_BY_SLICER = {"numpy", "simpleitk", "scipy", "requests", "vtk", "pip", "packaging", "pydicom", "torch"}


def test_the_table_has_every_complaint() -> None:
    assert [int(row[0]) for row in ROWS] == list(range(1, 16))


@pytest.mark.parametrize("row", ROWS, ids=[row[0].strip() for row in ROWS])
def test_every_proof_exists(row: list[str]) -> None:
    proofs = re.findall(r"`(Testing/[^`]+)`", row[3])
    assert proofs
    for proof in proofs:
        path, _, name = proof.partition("::")
        assert (ROOT / path).is_file(), path
        assert not name or re.search(rf"^def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE), proof


def test_requirements_leave_slicers_packages_alone() -> None:
    files = list((ROOT / "MedSR").glob("*/Resources/requirements.txt"))
    assert len(files) == 3
    for path in files:
        lines = [line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines()]
        for line in filter(None, lines):
            name = re.match(r"[\w.-]+", line)[0].lower()
            assert name not in BROUGHT_BY_SLICER, f"{path}: {line}"
            assert re.fullmatch(r"[\w.-]+>=[\d.]+", line), f"{path}: {line} fixes a version, or none"
