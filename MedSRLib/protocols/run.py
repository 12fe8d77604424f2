"""Run a protocol on the volumes of a manifest; every measurement is kept, so that a run can be continued.

In the output folder:

    cells/KEY.json   one measurement; KEY is a hash of all that decides it (`cells.Cell.decided_by`)
    results.csv      one row a measurement
    slices.csv       one row a measured slice of a measurement
    results.json     protocol, versions, measurements and summary: all that is needed to repeat it
    table.md, .tex   the summary as tables
    benchmark.html   tables and figures on one page
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

from MedSRLib.inference.runtime import Runtime, choose
from MedSRLib.manifests import load as load_manifest
from MedSRLib.progress import Progress
from MedSRLib.protocols import cluster as clusters
from MedSRLib.protocols import experiment, results
from MedSRLib.protocols.cells import Cell, Measured
from MedSRLib.protocols.cluster import Cluster
from MedSRLib.protocols.kept import Kept
from MedSRLib.protocols.planning import plan
from MedSRLib.protocols.protocol import load as load_protocol


def run_benchmark(
    protocol_path: str | Path,
    manifest_path: str | Path,
    out_folder: str | Path,
    progress: Progress | None = None,
    runtime: Runtime | None = None,
    cluster: Cluster | None = None,
) -> str:
    """Degrade, upscale and measure every volume as the protocol says, and return the tables as Markdown.

    Args:
        protocol_path: a TOML file, see `protocol`.
        manifest_path: the volumes, see `manifests.load`.
        out_folder: where results go; measurements already there are not made again.
        runtime: device, precision, memory; chosen automatically if None.
        cluster: where it is computed; in this process if None.

    Raises:
        InputError: for a volume that is missing or differs from the manifest, or if none is selected.
        OptionError: for a protocol that cannot be run.
        ModelError: for a method whose model is missing.
        OutputError: if the folder cannot be written.
        Cancelled: if asked to stop; what was measured is kept.
    """
    progress, runtime = progress or Progress(), runtime or choose()
    protocol = load_protocol(protocol_path)
    progress.stage("Checking volumes, methods and models")
    cells = plan(protocol, load_manifest(manifest_path), runtime, progress)
    kept = Kept(Path(out_folder) / "cells")
    found = {cell.key: measured for cell in cells if (measured := kept.get(cell)) is not None}
    tasks = _tasks([cell for cell in cells if cell.key not in found])
    if found:
        count = sum(cell.key in found for cell in cells)
        progress.log(f"{count} of {len(cells)} measurements are there already.")
    for cell, measured in _measured(tasks, cluster, progress):
        kept.put(cell, measured)
        found[cell.key] = measured
    progress.stage("Writing tables and figures")
    inputs = {"protocol": Path(protocol_path), "manifest": Path(manifest_path)}
    return results.write(Path(out_folder), protocol, [(cell, found[cell.key]) for cell in cells], inputs)


def _tasks(cells: Sequence[Cell]) -> list[list[Cell]]:
    """Cells that are computed together; a measurement that two groups share is made once."""
    once = list({cell.key: cell for cell in cells}.values())
    return [list(task) for _, task in itertools.groupby(once, key=lambda cell: cell.case.task)]


def _measured(
    tasks: Sequence[Sequence[Cell]], cluster: Cluster | None, progress: Progress
) -> Iterator[tuple[Cell, Measured]]:
    if cluster is None:
        yield from experiment.measure([cell for task in tasks for cell in task], progress)
    elif tasks:
        progress.stage(f"Measuring on the cluster ({cluster.address})")
        for answer in clusters.measure(tasks, cluster, progress):
            yield from answer
