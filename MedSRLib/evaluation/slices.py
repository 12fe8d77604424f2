"""Errors slice by slice along the three axes of a volume: where in the body a result is good.

A slice without a voxel of the mask has no number (None). PSNR is taken with the data range of the whole reference, so
that slices can be compared with each other; a slice without any error has no finite PSNR, and None as well.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from MedSRLib.grids import Grid

AXES = ("i", "j", "k")
"""Image axes x, y, z by the names of their voxel indices."""


def curves(difference: np.ndarray, mask: np.ndarray, data_range: float) -> dict[str, dict[str, list[float | None]]]:
    """PSNR (dB) and MAE (the image's unit) inside the mask of every slice across every axis.

    Args:
        difference: result - reference, (k, j, i).
        mask: bool (k, j, i).
        data_range: R of the PSNR, in the image's unit.

    Returns:
        ``{"i" | "j" | "k": {"psnr" | "mae": [one per slice]}}``.
    """
    inside = np.where(mask, difference, np.float32(0))
    absolute, squared = np.abs(inside), np.square(inside)
    found: dict[str, dict[str, list[float | None]]] = {}
    for number, axis in enumerate(AXES):
        others = tuple(a for a in range(3) if a != 2 - number)
        count = mask.sum(axis=others)
        mse = squared.sum(axis=others, dtype=np.float64)
        mae = absolute.sum(axis=others, dtype=np.float64)
        found[axis] = {
            "psnr": [_psnr(s / n, data_range) if n and s else None for s, n in zip(mse, count, strict=True)],
            "mae": [float(a / n) if n else None for a, n in zip(mae, count, strict=True)],
        }
    return found


def positions(grid: Grid) -> dict[str, list[float]]:
    """Distance of every slice from the first, in mm, along every axis."""
    return {
        axis: [round(n * h, 6) for n in range(size)]
        for axis, size, h in zip(AXES, grid.size, grid.spacing, strict=True)
    }


def gathered(by_result: dict[str, dict[str, dict[str, list[float | None]]]], grid: Grid) -> dict[str, Any]:
    """The curves of several results, ordered by axis and metric, with the slices' positions.

    Returns:
        ``{"i" | "j" | "k": {"psnr" | "mae": {result: [one per slice]}, "position_mm": [...]}}``.
    """
    where = positions(grid)
    return {
        axis: {metric: {name: found[axis][metric] for name, found in by_result.items()} for metric in ("psnr", "mae")}
        | {"position_mm": where[axis]}
        for axis in AXES
    }


def _psnr(mse: float, data_range: float) -> float:
    return float(20 * np.log10(data_range) - 10 * np.log10(mse))
