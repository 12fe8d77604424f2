"""The numbers of a report as data: metrics.json, metrics.csv, slices.csv."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from MedSRLib.evaluation.measures import MEASURES
from MedSRLib.evaluation.reference import Reference
from MedSRLib.evaluation.slices import positions
from MedSRLib.provenance import record


def content(
    title: str,
    truth: Reference,
    names: Sequence[str],
    measured: Iterable[tuple[str, Mapping[str, Mapping[str, Any]]]],
    reference: Mapping[str, Any],
) -> dict[str, Any]:
    """What metrics.json holds.

    Args:
        title: of the report.
        names: of the measures.
        measured: title of each section, and what was measured by name of the result.
        reference: measures of the reference itself, and their slices.
    """
    settings = truth.settings()
    return {
        "title": title,
        "results": {
            f"{name} {section}".strip(): dict(entry) for section, entries in measured for name, entry in entries.items()
        },
        "reference": {"size": list(truth.grid.size), "spacing_mm": list(truth.grid.spacing)} | dict(reference),
        "data_range": settings["data_range"],
        "mask": settings["mask"],
        "settings": settings
        | {name: MEASURES[name].description for name in names}
        | {"edge_width_mm": "10-90 % of the step across the marked edge, cubic B-spline along the line"},
        "slice_positions_mm": positions(truth.grid),
        "record": record(task="evaluate"),
    }


def metrics_csv(results: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> str:
    """One row a result, one column a number, empty where undefined; labels and lesions of their own last."""
    columns = [(name, region) for name in names for region in reversed(MEASURES[name].regions)]
    for entry in results.values():
        columns += [(n, region) for n in names for region in entry[n] if (n, region) not in columns]
    header = [f"{name}_{region}".replace(" ", "_") for name, region in columns]
    rows = [
        [key, entry["name"], entry["section"], *(_cell(entry[n].get(r)) for n, r in columns), entry["edge_width_mm"]]
        for key, entry in results.items()
    ]
    return _text([["result", "name", "section", *header, "edge_width_mm"], *rows])


def slices_csv(results: Mapping[str, Mapping[str, Any]], where: Mapping[str, Sequence[float]]) -> str:
    """One row a result, measure, image axis and slice; slices without a number are left out.

    Args:
        results: with their "slices": measure, axis ("i", "j", "k"), one a slice.
        where: positions of the slices in mm by axis.
    """
    rows = [
        [key, measure, axis, number, where[axis][number], value]
        for key, entry in results.items()
        for measure, by_axis in entry["slices"].items()
        for axis, values in by_axis.items()
        for number, value in enumerate(values)
        if value is not None and math.isfinite(value)
    ]
    return _text([["result", "measure", "axis", "slice", "position_mm", "value"], *rows])


def _cell(value: float | None) -> float | None:
    """An empty cell for what is undefined; infinity is "inf"."""
    return None if value is None or math.isnan(value) else value


def _text(rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
