"""Whether a method is better all along a volume, where there are too few volumes for a test over volumes.

The slices of each `LENGTH_MM` of a volume are averaged, since neighbours are alike, and each such stretch is one vote.
Stretches of one person are no sample of people: a small p says that a gain is not made by a few slices, and nothing
about other patients.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from MedSRLib.evaluation.measures import MEASURES
from MedSRLib.evaluation.statistics import MIN_SUBJECTS, holm, wilcoxon_greater
from MedSRLib.evaluation.tables import Cell
from MedSRLib.protocols import columns
from MedSRLib.protocols.protocol import Protocol
from MedSRLib.protocols.summary import Entry, rivals
from MedSRLib.protocols.tables import Table, p_text

LENGTH_MM = 10.0

Slices = tuple[Mapping[str, Any], Mapping[str, Any]]
"""Labels of a measurement, and its numbers by slice."""


def by_stretch(protocol: Protocol, found: Sequence[Slices]) -> list[Entry]:
    """Gains and p over stretches, for groups of fewer than `MIN_SUBJECTS` volumes.

    ``{"group", "degradation", "scale", "method", "measure", "baseline", "n", "gain", "p"}`` for each tested measure
    that has a number a slice; p as in `summary`, corrected within the scale.
    """
    places = dict.fromkeys((labels["group"], labels["degradation"], labels["scale"]) for labels, _ in found)
    entries = []
    for place in places:
        here = [(x, s) for x, s in found if (x["group"], x["degradation"], x["scale"]) == place]
        if len({labels["sha256"] for labels, _ in here}) < MIN_SUBJECTS:
            where = dict(zip(("group", "degradation", "scale"), place, strict=True))
            entries += [where | entry for entry in _compared(protocol, here)]
    return entries


def tables(entries: Sequence[Entry]) -> list[Table]:
    """One table for each group, degradation and measure."""
    found = []
    for key in dict.fromkeys((e["group"], e["degradation"], e["measure"]) for e in entries):
        here = [e for e in entries if (e["group"], e["degradation"], e["measure"]) == key]
        against = list(dict.fromkeys(e["baseline"] for e in here))
        header = ["Scale", "Method"]
        for baseline in against:
            header += [f"Δ {baseline}", "p"]
        rows = list(dict.fromkeys((e["scale"], e["method"]) for e in here))
        title = f"{key[0]}, {key[1]} degradation: {MEASURES[key[2]].title}, by stretches of {LENGTH_MM:g} mm"
        lines = [_line(row, here, against) for row in rows]
        found.append(Table(title, max(e["n"] for e in here), header, lines, [scale for scale, _ in rows]))
    return found


def note(entries: Sequence[Entry]) -> str:
    """How those tables are to be read; nothing where there are none."""
    if not entries:
        return ""
    return (
        f"By stretches: slices of each {LENGTH_MM:g} mm of a volume are averaged and count once (n). Stretches of one "
        "person depend on each other: p tells whether a gain holds all along these volumes, not whether it would hold "
        "for other patients."
    )


def _compared(protocol: Protocol, found: Sequence[Slices]) -> list[Entry]:
    measured = [m.label for m in protocol.method if any(labels["method"] == m.label for labels, _ in found)]
    entries: list[Entry] = []
    tests: list[float | None] = []
    for label in measured:
        for name in columns.tested(protocol):
            ours = _votes([one for one in found if one[0]["method"] == label], name)
            for baseline in rivals(protocol, label, measured):
                theirs = _votes([one for one in found if one[0]["method"] == baseline], name)
                shared = [vote for vote in ours if vote in theirs]
                mine, other = [ours[v] for v in shared], [theirs[v] for v in shared]
                if shared:
                    higher = MEASURES[name].higher_is_better
                    tests.append(wilcoxon_greater(*((mine, other) if higher else (other, mine))))
                    gain = float(np.mean(mine) - np.mean(other))
                    what = {"method": label, "measure": name, "baseline": baseline}
                    entries.append(what | {"n": len(shared), "gain": gain})
    return [entry | {"p": p} for entry, p in zip(entries, holm(tests), strict=True)]


def _votes(found: Sequence[Slices], name: str) -> dict[tuple[str, int], float]:
    """The mean of each stretch of each volume."""
    numbers: dict[tuple[str, int], list[float]] = {}
    for labels, by_slice in found:
        for position, value in zip(by_slice["position_mm"], by_slice.get(name, ()), strict=False):
            if value is not None:
                numbers.setdefault((labels["sha256"], int(position // LENGTH_MM)), []).append(value)
    return {vote: float(np.mean(values)) for vote, values in numbers.items()}


def _line(row: tuple[str, str], entries: Sequence[Entry], against: Sequence[str]) -> list[Cell]:
    cells = [Cell(f"×{row[0]}"), Cell(row[1])]
    own = {e["baseline"]: e for e in entries if (e["scale"], e["method"]) == row}
    for baseline in against:
        entry = own.get(baseline)
        digits = MEASURES[entry["measure"]].digits if entry else 0
        gain = "" if entry is None else f"{entry['gain']:+.{4 if digits is None else digits}f}"
        cells += [Cell(gain), Cell("" if entry is None else p_text(entry["p"]))]
    return cells
