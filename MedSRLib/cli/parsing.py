"""Command-line texts as values: ``2`` or ``1,1,4``, ``key=value``, results by name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer


def factors(text: str | None) -> float | list[float] | None:
    """``2`` as one number, ``1,1,4`` as three along x, y, z."""
    if text is None:
        return None
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise typer.BadParameter(f"'{text}' is not a number, nor three with commas like 1,1,4.") from error
    return numbers[0] if len(numbers) == 1 else numbers


def names(text: str) -> list[str]:
    """``psnr,lpips`` as a list."""
    return [name.strip() for name in text.split(",") if name.strip()]


def options(texts: Sequence[str]) -> dict[str, Any]:
    """``key=value`` pairs; a value is a number, true, false or a JSON list where it looks like one."""
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise typer.BadParameter(f"'{text}' is not of the form key=value.")
        found[key] = _value(value)
    return found


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def guides(texts: Sequence[str]) -> list[dict[str, Any]]:
    """``FILE``, or ``MODALITY=FILE`` unless there is a file of that very name."""
    found = []
    for text in texts:
        modality, equals, path = text.partition("=")
        named = bool(equals and modality and path) and "/" not in modality and not Path(text).exists()
        found.append({"image": Path(path), "modality": modality} if named else {"image": Path(text)})
    return found


def named_files(texts: Sequence[str]) -> dict[str, Path]:
    """``name=FILE`` pairs."""
    found = {}
    for text in texts:
        name, equals, path = text.rpartition("=")
        if not name or not equals or not path:
            raise typer.BadParameter(f"'{text}' is not of the form name=FILE, with the name of a result.")
        found[name] = Path(path)
    return found


def named_results(paths: Sequence[Path]) -> dict[str, Path]:
    """Results by file name without suffixes; where two are alike, with the folder's name in front."""
    stems = [_stem(path) for path in paths]
    names = [
        stem if stems.count(stem) == 1 else f"{path.absolute().parent.name}/{stem}"
        for path, stem in zip(paths, stems, strict=True)
    ]
    if len(set(names)) < len(names):
        raise typer.BadParameter("Two results have the same name in folders of the same name; rename one.")
    return dict(zip(names, paths, strict=True))


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").rsplit(".", 1)[0] if path.suffix else path.name
