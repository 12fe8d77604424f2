"""The measures of a comparison as tables: which number is the best, as text for a cell, the clipboard and CSV."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from slicer.i18n import tr as _

WHERE = ("whole", "mask")
_LESS_IS_BETTER = {"mae", "nrmse", "rmse"}
_TITLES = {"psnr": "PSNR (dB)"}
"""Of the others, the identifier in capitals."""


class Row(NamedTuple):
    """One metric.

    Attributes:
        metric: its identifier.
        title: what the user reads, with the unit.
        values: one for each volume, None where there is none.
        best: indices of the best volumes; empty if there is nothing to compare.
    """

    metric: str
    title: str
    values: list[float | None]
    best: list[int]


def rows(measures: Mapping[str, Any], nodeIDs: Sequence[str], where: str = "whole") -> list[Row]:
    """A row a metric.

    Args:
        measures: as `CompareRun.measures`.
        nodeIDs: of the volumes, in the order of the columns.
        where: "whole" or "mask".
    """
    measured = measures.get("metrics") or {}
    metrics = list(dict.fromkeys(metric for nodeID in nodeIDs for metric in measured.get(nodeID, {})))
    made = []
    for metric in metrics:
        values = [_value(measured.get(nodeID, {}), metric, where) for nodeID in nodeIDs]
        if any(value is not None for value in values):
            made.append(row(metric, values))
    return made


def row(metric: str, values: Sequence[float | None]) -> Row:
    """One row of values, with its best."""
    return Row(metric, _TITLES.get(metric, metric.upper()), list(values), _best(metric, values))


def unreferenced(measures: Mapping[str, Any], nodeIDs: Sequence[str]) -> list[Row]:
    """What can be told of each volume without a reference; no best is marked, as none of it proves a detail.

    Their difference from the input when degraded (RMSE, and its part of the input's range), sharpness and noise.
    """
    measured = measures.get("unreferenced") or {}
    found = [measured.get(nodeID) or {} for nodeID in nodeIDs]
    noise = measures.get("input_noise")
    titles = {
        "rmse": _("Residual to the input"),
        "relative": _("Residual, % of the range"),
        "psi": "PSI",
        "lpc_si": "LPC-SI",
        "noise": _("Noise") if noise is None else _("Noise (input: {noise})").format(noise=text(noise)),
    }
    made = []
    for metric, title in titles.items():
        values = [_scaled(each.get(metric), metric) for each in found]
        if any(value is not None for value in values):
            made.append(Row(metric, title, values, []))
    return made


def text(value: float | None) -> str:
    """A number for a cell."""
    return "–" if value is None else "∞" if math.isinf(value) else f"{value:.4g}"


def as_text(titles: Sequence[str], made: Sequence[Row]) -> str:
    """The table for the clipboard: columns parted by tabs, as spreadsheets take it."""
    lines = [["", *titles], *([each.title, *map(text, each.values)] for each in made)]
    return "\n".join("\t".join(line) for line in lines)


def save(path: Path | str, titles: Sequence[str], parts: Mapping[str, Sequence[Row]]) -> None:
    """Write tables as CSV: one row a metric and place.

    Args:
        titles: of the volumes.
        parts: rows by where they were measured.

    Raises:
        OSError: if the file cannot be written.
    """
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["metric", "inside", *titles])
        for where, made in parts.items():
            for each in made:
                writer.writerow([each.title, where, *("" if v is None else f"{v:.6g}" for v in each.values)])


def _value(measured: Mapping[str, Any], metric: str, where: str) -> float | None:
    """A measured number; the PSNR of a volume without any difference is infinite, which JSON cannot say."""
    value = (measured.get(metric) or {}).get(where)
    if value is None and metric == "psnr" and (measured.get("mae") or {}).get(where) == 0:
        return math.inf
    return None if value is None else float(value)


def _scaled(value: float | None, metric: str) -> float | None:
    return None if value is None else value * 100 if metric == "relative" else value


def _best(metric: str, values: Sequence[float | None]) -> list[int]:
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return []
    best = min(known) if metric in _LESS_IS_BETTER else max(known)
    return [index for index, value in enumerate(values) if value == best]
