"""Run a protocol on the volumes of a manifest; every measurement is kept, so that a run can be continued.

In the output folder:

    cells/KEY.json   one measurement; KEY is a hash of all that decides it (`cells.Cell.decided_by`)
    results.csv      one row a measurement
    results.json     protocol, versions, measurements and summary
    table.md, .tex   the summary as tables
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from MedSRLib import files, images, provenance, upscaling
from MedSRLib.acquisition import degrading
from MedSRLib.errors import InputError, OutputError
from MedSRLib.evaluation.metrics import METRICS, json_ready, measure
from MedSRLib.evaluation.reference import Reference
from MedSRLib.inference.runtime import Runtime, choose
from MedSRLib.manifests import load as load_manifest
from MedSRLib.models import library
from MedSRLib.progress import Progress
from MedSRLib.protocols.cells import Cell, Row, plan
from MedSRLib.protocols.protocol import Protocol
from MedSRLib.protocols.protocol import load as load_protocol
from MedSRLib.protocols.tables import latex, markdown, summarise

if TYPE_CHECKING:
    import SimpleITK as sitk

_NUMBERS = [f"{metric}_{where}" for metric in METRICS for where in ("whole", "mask")]


def run_benchmark(
    protocol_path: str | Path,
    manifest_path: str | Path,
    out_folder: str | Path,
    progress: Progress | None = None,
    runtime: Runtime | None = None,
) -> str:
    """Degrade, upscale and measure every volume as the protocol says, and return the tables as Markdown.

    Args:
        protocol_path: a TOML file, see `protocol`.
        manifest_path: the volumes, see `manifests.load`.
        out_folder: where results go; measurements already there are not made again.
        runtime: device, precision, memory; chosen automatically if None.

    Raises:
        InputError: for a volume that is missing or differs from the manifest, or if none is selected.
        OptionError: for a protocol that cannot be run.
        ModelError: for a method whose model is missing.
        OutputError: if the folder cannot be written.
    """
    progress, runtime = progress or Progress(), runtime or choose()
    protocol = load_protocol(protocol_path)
    cells = plan(protocol, load_manifest(manifest_path), runtime, progress)
    kept = Path(out_folder) / "cells"
    try:
        kept.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder '{kept}' cannot be made.", f"{error.strerror}.") from error
    rows: list[Row] = []
    for _, batch in itertools.groupby(cells, key=lambda cell: (cell.group, cell.volume.path)):
        rows += _measured(list(batch), kept, progress, len(rows), len(cells))
    return _write(Path(out_folder), protocol, rows, runtime)


def _measured(cells: Sequence[Cell], kept: Path, progress: Progress, done: int, total: int) -> list[Row]:
    """The rows of one volume's cells; reads, degrades and upscales only what is not kept yet."""
    rows, reference, coarse, of = [], None, None, None
    for i, cell in enumerate(cells):
        part = progress.part((done + i) / total, (done + i + 1) / total)
        file = cell.file(kept)
        row = _remembered(file)
        if row is None:
            labels = cell.labels()
            progress.stage(f"{labels['subject']}, {labels['degradation']} ×{labels['scale']}: {labels['method']}")
            if reference is None:
                reference = _reference(cell, progress)
            if of != (cell.degradation, cell.scale):
                coarse, of = _degraded(cell, reference), (cell.degradation, cell.scale)
            assert coarse is not None
            row = _measure(cell, reference, coarse, part)
            content = {"cell": cell.decided_by(), "row": row}
            files.write_text_atomic(file, json.dumps(content, indent=1) + "\n")
        rows.append(cell.labels() | row)
        part.update(1.0)
    return rows


def _reference(cell: Cell, progress: Progress) -> Reference:
    image = images.read(cell.volume.path, progress)
    if image.GetDimension() != 3:
        raise InputError(f"The volume '{cell.volume.path}' is not 3D.", "", "A protocol compares 3D volumes.")
    return Reference.of(image, None, progress)


def _degraded(cell: Cell, reference: Reference) -> sitk.Image:
    truth = images.from_array(reference.array, reference.grid)
    return degrading.degrade(
        truth,
        cell.scale,
        kind=cell.degradation.kind,
        noise=cell.degradation.noise,
        seed=cell.noise_seed,
    )


def _measure(cell: Cell, reference: Reference, coarse: sitk.Image, progress: Progress) -> Row:
    """Upscale and measure; a number that is not finite is None (a perfect result has infinite PSNR)."""
    started = time.perf_counter()
    result = upscaling.upscale(
        coarse,
        cell.method.identifier,
        like=reference.grid,
        model=None if cell.model is None else library.load(cell.model, cell.method.identifier),
        options=cell.method.options_for(cell.degradation),
        runtime=cell.runtime,
        progress=progress,
    )
    seconds = time.perf_counter() - started
    measured = measure(reference, result)
    numbers = {name: measured[name.rsplit("_", 1)[0]][name.rsplit("_", 1)[1]] for name in _NUMBERS}
    settings = {"data_range": measured["data_range"], "mask": measured["mask"]}
    return json_ready(numbers) | settings | {"seconds": round(seconds, 3)}


def _remembered(file: Path) -> Row | None:
    """A measurement made before, or None; a file that is not whole is as good as none."""
    try:
        row = json.loads(file.read_text(encoding="utf-8"))["row"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return row if isinstance(row, dict) and set(_NUMBERS) <= set(row) else None


def _write(folder: Path, protocol: Protocol, rows: Sequence[Row], runtime: Runtime) -> str:
    """Write results and tables; returns the Markdown."""
    summary = summarise(protocol, rows)
    about = provenance.record(
        task="benchmark", protocol=protocol.protocol.name, device=runtime.device, precision=runtime.precision
    )
    table = markdown(protocol, summary, about)
    content = {
        "record": about,
        "protocol": protocol.model_dump(mode="json"),
        "summary": summary,
        "rows": rows,
    }
    files.write_text_atomic(folder / "results.json", json.dumps(json_ready(content), indent=1) + "\n")
    files.write_text_atomic(folder / "results.csv", _csv(rows))
    files.write_text_atomic(folder / "table.md", table)
    files.write_text_atomic(folder / "table.tex", latex(protocol, summary))
    return table


def _csv(rows: Sequence[Row]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
