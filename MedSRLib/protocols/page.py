"""A benchmark on one HTML page that opens offline: tables, figures, definitions, settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from MedSRLib.evaluation.html import as_data, rendered
from MedSRLib.evaluation.measures import MEASURES
from MedSRLib.protocols import columns, figures, stretches
from MedSRLib.protocols.protocol import Protocol
from MedSRLib.protocols.summary import methods
from MedSRLib.protocols.tables import Table, note

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI, _CSS_PER_INCH = 110, 96
_CURVES = ("psnr", "ssim-2d")
"""Measures drawn slice by slice, where there are numbers of slices; all others are in slices.csv."""

Picture = dict[str, Any]


def page(protocol: Protocol, shown: Sequence[Table], content: Mapping[str, Any]) -> str:
    """The page.

    Args:
        shown: the tables of the summary.
        content: what results.json holds.

    Raises:
        MissingPackageError: if matplotlib or Jinja2 is not installed.
    """
    sections = list(dict.fromkeys((row["group"], row["degradation"]) for row in content["rows"]))
    return rendered(
        Path(__file__).with_name("benchmark.html.j2").absolute(),
        header=protocol.protocol,
        record=content["record"],
        note=" ".join(filter(None, [note(protocol), stretches.note(content["by_stretch"])])),
        sections=[
            {
                "title": f"{group}, {degradation} degradation",
                "tables": [t for t in shown if t.title.startswith(f"{group}, {degradation} degradation")],
                "pictures": list(_pictures(protocol, content, group, degradation)),
            }
            for group, degradation in sections
        ],
        measures=[(MEASURES[name], text) for name, text in content["measures"].items()],
        content=content,
        degradations=[d.model_dump(exclude_none=True) for d in protocol.degradation],
        methods=[m for m in protocol.method if m.label in methods(protocol, content["rows"])],
    )


def _pictures(protocol: Protocol, content: Mapping[str, Any], group: str, degradation: str) -> Iterator[Picture]:
    """The figures of one group and degradation."""

    def here(entries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        return [e for e in entries if (e["group"], e["degradation"]) == (group, degradation)]

    rows, curves, turned = here(content["rows"]), here(content["curves"]), here(content["by_rotation"])
    scales = list(dict.fromkeys(row["scale"] for row in rows))
    labels = methods(protocol, rows)
    drawn = [column for column in columns.of(protocol) if column.tested] or columns.of(protocol)[:2]
    if len({row["sha256"] for row in rows}) > 1:
        yield _picture(
            figures.boxes(rows, drawn, scales, labels),
            "Spread over volumes: box from quartile to quartile, line at the median, whiskers to 1.5 times the box, "
            "a dot for each volume.",
        )
    for measure in _CURVES:
        if any(len(curve["index"]) > 1 for curve in curves if curve["measure"] == measure):
            yield _picture(
                figures.slice_curves(curves, measure, scales, labels),
                f"{figures.measure_title(measure)} of each measured slice that meets the mask, mean over volumes.",
            )
    for column in drawn if turned else ():
        yield _picture(
            figures.rotation_curves(turned, column, scales, labels),
            f"{figures.measure_title(column.measure)} by rotation, measured after turning back, mean over volumes.",
        )


def _picture(fig: Figure, caption: str) -> Picture:
    """A figure as a PNG data URI with its width in CSS pixels."""
    return as_data(fig, _DPI, _CSS_PER_INCH) | {"caption": caption}
