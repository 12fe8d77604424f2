"""From measurements to means, gains over each baseline, and whether they are more than chance.

One volume is one vote: its frames and rotations are averaged first, since they are not independent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from MedSRLib.evaluation.statistics import holm, mean_and_deviation, wilcoxon_greater
from MedSRLib.protocols import columns
from MedSRLib.protocols.columns import Column
from MedSRLib.protocols.protocol import Protocol
from MedSRLib.protocols.scales import scale_text

Row = Mapping[str, Any]
Entry = dict[str, Any]
ByVolume = Mapping[str, float]


def summarise(protocol: Protocol, rows: Sequence[Row]) -> list[Entry]:
    """One entry for each group, degradation, scale and method.

    ``{"group", "degradation", "scale", "method", "n", "psnr_mask": {"mean", "sd", "against": {baseline:
    {"gain", "p"}}}, "ssim_mask": ...}``; p is the one-sided paired Wilcoxon p that the method is better (higher or
    lower, as is better for the measure), Holm-corrected over all tests of the same group, degradation and scale; None
    with too few volumes. A gain is the difference of the means.
    """
    summary = []
    for place, chosen in _places(protocol, rows):
        summary += [place | entry for entry in _compared(protocol, chosen)]
    return summary


def by_rotation(protocol: Protocol, rows: Sequence[Row]) -> list[Entry]:
    """Means by angle, where there are several.

    ``{"group", "degradation", "scale", "rotation", "method", "n", "psnr_mask": mean, ...}``
    """
    if len(protocol.protocol.rotations) < 2:
        return []
    entries = []
    for place, chosen in _places(protocol, rows):
        for angle in protocol.protocol.rotations:
            turned = [row for row in chosen if row["rotation"] == angle]
            for method in methods(protocol, turned):
                own = [row for row in turned if row["method"] == method]
                found = {c.key: by_volume(own, c) for c in columns.of(protocol)}
                numbers = {key: mean_and_deviation(list(values.values()))[0] for key, values in found.items()}
                count = len({row["sha256"] for row in own})
                entries.append(place | {"rotation": angle, "method": method, "n": count} | numbers)
    return entries


def methods(protocol: Protocol, rows: Sequence[Row]) -> list[str]:
    """The labels of the methods that were measured, in the protocol's order."""
    measured = {row["method"] for row in rows}
    return [m.label for m in protocol.method if m.label in measured]


def by_volume(rows: Sequence[Row], column: Column) -> ByVolume:
    """The number of each volume, by its checksum in one order; a number that is undefined makes it not a number.

    A perfect result has an infinite PSNR, kept as null: it is not a number here.
    """
    found: dict[str, list[float]] = {}
    for row in rows:
        value = row.get(column.key)
        found.setdefault(row["sha256"], []).append(float("nan") if value is None else float(value))
    return {volume: float(np.mean(found[volume])) for volume in sorted(found)}


def _places(protocol: Protocol, rows: Sequence[Row]) -> Iterator[tuple[Entry, list[Row]]]:
    """Each group, degradation and scale, with its rows."""
    for group in [v.label for v in protocol.volumes]:
        for degradation in [d.name for d in protocol.degradation]:
            for scale in [scale_text(s) for s in protocol.protocol.scales]:
                chosen = [r for r in rows if (r["group"], r["degradation"], r["scale"]) == (group, degradation, scale)]
                if chosen:
                    yield {"group": group, "degradation": degradation, "scale": scale}, chosen


def _compared(protocol: Protocol, rows: Sequence[Row]) -> list[Entry]:
    """The entries of one group, degradation and scale."""
    labels = methods(protocol, rows)
    values = {
        (label, column.key): by_volume([r for r in rows if r["method"] == label], column)
        for label in labels
        for column in columns.of(protocol)
    }
    entries: list[Entry] = []
    tests: list[tuple[Entry, float | None]] = []
    for label in labels:
        entry: Entry = {"method": label, "n": len({r["sha256"] for r in rows if r["method"] == label})}
        for column in columns.of(protocol):
            ours = values[label, column.key]
            mean, deviation = mean_and_deviation(list(ours.values()))
            entry[column.key] = {"mean": mean, "sd": deviation, "against": {}}
            for baseline in rivals(protocol, label, labels) if column.tested else ():
                test, p = _test(column, ours, values[baseline, column.key])
                entry[column.key]["against"][baseline] = test
                tests.append((test, p))
        entries.append(entry)
    for (test, _), p in zip(tests, holm([p for _, p in tests]), strict=True):
        test["p"] = p
    return entries


def _test(column: Column, ours: ByVolume, theirs: ByVolume) -> tuple[Entry, float | None]:
    """The gain of the mean, and p before correction."""
    shared = [volume for volume in ours if volume in theirs]
    mine, other = [ours[v] for v in shared], [theirs[v] for v in shared]
    better, worse = (mine, other) if column.higher_is_better else (other, mine)
    gain = mean_and_deviation(mine)[0] - mean_and_deviation(other)[0]
    return {"gain": gain, "p": None}, wilcoxon_greater(better, worse)


def rivals(protocol: Protocol, method: str, measured: Sequence[str]) -> list[str]:
    """The baselines a method is compared with; a baseline itself only with those named before it."""
    baselines = protocol.protocol.baselines
    before = baselines[: baselines.index(method)] if method in baselines else baselines
    return [baseline for baseline in before if baseline in measured]
