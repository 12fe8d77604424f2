"""Curves of a benchmark: the mean over volumes, frames and rotations of each slice's numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

PLACES = ("axis", "index", "position_mm")
_BY = ("group", "degradation", "scale")

Curve = dict[str, Any]


def means(by_slice: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> list[Curve]:
    """One entry for each group, degradation, scale, measure and method.

    Slices are told by their number, as in the thesis; a mean runs over the volumes that have the slice and a number
    for it.

    Returns:
        ``{"group", "degradation", "scale", "measure", "method", "index": [...], "mean": [...], "n": [...]}``.
    """
    gathered: dict[tuple[str, ...], dict[int, list[float]]] = {}
    for labels, found in by_slice:
        for measure in (name for name in found if name not in PLACES):
            key = (*(labels[name] for name in _BY), measure, labels["method"])
            slices = gathered.setdefault(key, {})
            for index, value in zip(found["index"], found[measure], strict=True):
                if value is not None:
                    slices.setdefault(index, []).append(value)
    return [
        dict(zip((*_BY, "measure", "method"), key, strict=True))
        | {
            "index": sorted(slices),
            "mean": [float(np.mean(slices[n])) for n in sorted(slices)],
            "n": [len(slices[n]) for n in sorted(slices)],
        }
        for key, slices in gathered.items()
    ]
