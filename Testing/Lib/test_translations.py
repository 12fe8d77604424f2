"""What a user reads in Slicer can be translated: whole sentences in `_()`, with names put in afterwards."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "MedSR").rglob("*.py"))
TOLD = {"SceneError", "SetupError", "errorDisplay", "infoDisplay", "warningDisplay", "showStatusMessage"}
"""What shows its first argument to the user."""


def problems(source: str) -> list[str]:
    """Texts that are put together before they are translated, or that are not translated at all."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        first = node.args[0]
        if name == "_" and not isinstance(first, ast.Constant):
            found.append(f"line {node.lineno}: _() wants a plain text")
        if name in TOLD and isinstance(first, ast.Constant | ast.JoinedStr):
            found.append(f"line {node.lineno}: {name} shows a text that is not translated")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT / "MedSR").as_posix())
def test_texts_can_be_translated(path: Path) -> None:
    assert problems(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "wrong", ["_(f'Found {n}')", "raise SceneError('No.')", "slicer.util.errorDisplay(f'{error}')", "_('a' + b)"]
)
def test_the_check_can_fail(wrong: str) -> None:
    assert len(problems(wrong)) == 1
