"""A picture of a dictionary's atoms or filters, as papers print them: mid grey is zero, each with a range of its own.

An atom of three dimensions is shown by its three central slices, across k, j and i, side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from MedSRLib.evaluation.sheet import figure
from MedSRLib.files import atomic_path

MOST = 200
"""Atoms of a kind that are drawn, the first ones."""

_WIDTH, _TITLE = 10.0, 0.35
"""Inches."""

_GAP = 1


def draw(kinds: Mapping[str, np.ndarray], title: str, path: Path) -> None:
    """Write a picture.

    Args:
        kinds: titles and atoms (count, j, i) or (count, k, j, i).
        title: of the picture.
        path: a file that matplotlib can write; its ending tells the kind.
    """
    mosaics = {f"{name} ({min(len(a), MOST)} of {len(a)})": mosaic(a[:MOST]) for name, a in kinds.items()}
    heights = [_WIDTH * m.shape[0] / m.shape[1] for m in mosaics.values()]
    total = sum(heights) + _TITLE * (1 + len(heights))
    sheet = figure(_WIDTH, total)
    sheet.suptitle(title, y=1 - 0.5 * _TITLE / total, va="center")
    below = total - _TITLE
    for height, (name, picture) in zip(heights, mosaics.items(), strict=True):
        below -= height + _TITLE
        axis = sheet.add_axes((0.01, below / total, 0.98, height / total))
        axis.imshow(picture, cmap="gray", vmin=-1, vmax=1, interpolation="nearest")
        axis.set_title(name, fontsize=9)
        axis.set_axis_off()
    with atomic_path(path) as scratch:
        sheet.savefig(scratch, dpi=150, format=path.suffix.lstrip(".").lower() or "png")


def mosaic(atoms: np.ndarray) -> np.ndarray:
    """Atoms laid out in rows, each divided by its largest magnitude; NaN between them."""
    tiles = [_tile(atom / max(float(np.abs(atom).max()), 1e-12)) for atom in atoms]
    height, width = (n + _GAP * (1 if atoms.ndim == 3 else 2) for n in tiles[0].shape)
    columns = max(1, min(len(tiles), round((1.6 * len(tiles) * height / width) ** 0.5)))
    rows = -(-len(tiles) // columns)
    picture = np.full((rows * height + _GAP, columns * width + _GAP), np.nan)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, columns)
        top, left = row * height + _GAP, column * width + _GAP
        picture[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    return picture


def _tile(atom: np.ndarray) -> np.ndarray:
    """A slice as it is; of a volume the three central slices beside one another."""
    if atom.ndim == 2:
        return atom
    slices = [np.take(atom, size // 2, axis=axis) for axis, size in enumerate(atom.shape)]
    tall = max(s.shape[0] for s in slices)
    parts = [np.pad(s, ((0, tall - len(s)), (0, _GAP)), constant_values=np.nan) for s in slices]
    return np.concatenate(parts, axis=1)[:, :-_GAP]
