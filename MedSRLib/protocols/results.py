"""What a benchmark found, written to files: rows, slices, settings, tables, page."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from MedSRLib import files, provenance
from MedSRLib.evaluation.metrics import json_ready
from MedSRLib.protocols import columns, curves, machine, page, stretches
from MedSRLib.protocols.cells import Cell, Measured, Row
from MedSRLib.protocols.protocol import Protocol
from MedSRLib.protocols.summary import by_rotation, summarise
from MedSRLib.protocols.tables import latex, markdown, tables

PLACES = ("axis", "index", "position_mm")


def write(folder: Path, protocol: Protocol, found: Sequence[tuple[Cell, Measured]], inputs: Mapping[str, Path]) -> str:
    """Write all result files of a benchmark and return the tables as Markdown.

    Args:
        found: every measurement, in the order of the plan.
        inputs: paths of "protocol" and "manifest"; their names and checksums are written.

    Raises:
        OutputError: if a file cannot be written.
    """
    rows = [cell.labels() | measured.row for cell, measured in found]
    by_slice = [(cell.labels(), measured.slices) for cell, measured in found]
    summary = summarise(protocol, rows)
    along = stretches.by_stretch(protocol, by_slice)
    content: dict[str, Any] = {
        "record": _record(protocol, found, inputs),
        "protocol": protocol.model_dump(mode="json", by_alias=True),
        "measures": {name: columns.description(protocol, name) for name in columns.names(protocol)},
        "models": _models(found),
        "volumes": _volumes(found),
        "summary": summary,
        "by_stretch": along,
        "by_rotation": by_rotation(protocol, rows),
        "curves": curves.means(by_slice),
        "rows": rows,
    }
    shown = tables(protocol, summary) + stretches.tables(along)
    table = markdown(protocol, shown, content["record"], stretches.note(along))
    files.write_text_atomic(folder / "results.json", json.dumps(json_ready(content), indent=1) + "\n")
    files.write_text_atomic(folder / "results.csv", _csv(rows))
    files.write_text_atomic(folder / "slices.csv", _csv(_slice_rows(by_slice)))
    files.write_text_atomic(folder / "table.md", table)
    files.write_text_atomic(folder / "table.tex", latex(protocol, shown))
    files.write_text_atomic(folder / "benchmark.html", page.page(protocol, shown, content))
    return table


def _record(protocol: Protocol, found: Sequence[tuple[Cell, Measured]], inputs: Mapping[str, Path]) -> dict[str, Any]:
    runtime = found[0][0].runtime
    return provenance.record(
        task="benchmark",
        protocol=protocol.protocol.name,
        device=runtime.device,
        precision=runtime.precision,
        seed=protocol.protocol.seed,
        inputs={name: path.name for name, path in inputs.items()},
        sha256={name: files.sha256(path) for name, path in inputs.items() if path.is_file()},
        packages=machine.packages(),
        machine=machine.machine(),
    )


def _models(found: Sequence[tuple[Cell, Measured]]) -> dict[str, str | None]:
    """Checksum of every model by its name."""
    return {cell.model: cell.model_sha256 for cell, _ in found if cell.model is not None}


def _volumes(found: Sequence[tuple[Cell, Measured]]) -> list[dict[str, Any]]:
    """Every volume with the checksums of all files that belong to it, and its data set and licence."""
    listed = {}
    for cell, _ in found:
        scan = cell.case.scan
        listed[cell.case.group.label, scan.sums["volume"]] = {
            "group": cell.case.group.label,
            "dataset": scan.volume.dataset,
            "subject": scan.volume.subject,
            "licence": scan.volume.licence,
            "files": {part: path.name for part, path in scan.paths.items()},
            "sha256": dict(scan.sums),
        }
    return list(listed.values())


def _slice_rows(by_slice: Iterable[tuple[Row, Mapping[str, Any]]]) -> list[Row]:
    """One row a slice."""
    rows = []
    for labels, found in by_slice:
        names = [name for name in found if name not in PLACES]
        for n, (index, position) in enumerate(zip(found["index"], found["position_mm"], strict=True)):
            place = {"axis": found["axis"], "slice": index, "position_mm": position}
            rows.append(labels | place | {name: found[name][n] for name in names})
    return rows


def _csv(rows: Sequence[Row]) -> str:
    """The rows as a table; columns that some rows lack are empty there."""
    text = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, fieldnames=names, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
