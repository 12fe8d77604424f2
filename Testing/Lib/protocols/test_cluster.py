"""Measuring on a Dask cluster of two processes: the same numbers, closed in any case."""

import csv
import sys
import threading
import time

import pytest

from MedSRLib.errors import Cancelled, InputError, MissingPackageError, OptionError
from MedSRLib.progress import Progress
from MedSRLib.protocols import cluster as clusters
from MedSRLib.protocols.cluster import LOCAL, Cluster


def rows(folder):
    """The rows without what a clock says."""
    return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader((folder / "results.csv").open())]


@pytest.mark.timeout(180)
def test_two_workers_find_the_same_numbers(study):
    study.run(out="here")
    study.run(out="there", cluster=Cluster(LOCAL, 2))
    assert rows(study.folder / "there") == rows(study.folder / "here")
    here, there = (study.folder / out / "slices.csv" for out in ("here", "there"))
    assert here.read_text(encoding="utf-8") == there.read_text(encoding="utf-8")
    names = [sorted(path.name for path in (study.folder / out / "cells").iterdir()) for out in ("here", "there")]
    assert names[0] == names[1]


@pytest.mark.timeout(180)
def test_a_users_mistake_on_a_worker_is_told_as_here(empty):
    import numpy as np

    empty.add("flat.nii.gz", np.ones((12, 12, 12), np.float32), subject="a")
    with pytest.raises(InputError, match="reference is constant"):
        empty.run(cluster=Cluster(LOCAL, 1))


@pytest.mark.timeout(180)
def test_a_cancel_ends_the_cluster_soon(study):
    started = threading.Event()

    def events(event):
        if "cluster" in event.get("name", ""):
            started.set()

    before = time.monotonic()
    with pytest.raises(Cancelled):
        study.run(progress=Progress(events, cancelled=started.is_set), cluster=Cluster(LOCAL, 1))
    assert time.monotonic() - before < 60


def test_a_scheduler_that_does_not_answer_is_named(study, monkeypatch):
    monkeypatch.setattr(clusters, "_ANSWER_S", 1)
    with pytest.raises(InputError, match=r"No Dask scheduler answers at 'tcp://127\.0\.0\.1:1'"):
        study.run(cluster=Cluster("tcp://127.0.0.1:1"))


def test_workers_belong_to_a_cluster_of_ones_own():
    with pytest.raises(OptionError, match="has its own workers"):
        Cluster("tcp://host:8786", 2)
    with pytest.raises(OptionError, match="0 workers"):
        Cluster(LOCAL, 0)


def test_without_dask_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingPackageError, match=r"\[cluster\]"):
        Cluster(LOCAL)


def test_a_worker_with_other_code_is_refused(study):
    import dataclasses

    from MedSRLib.manifests import load as load_manifest
    from MedSRLib.protocols import protocol
    from MedSRLib.protocols.planning import plan

    manifest = load_manifest(study.folder / "manifest.tsv")
    cells = plan(protocol.load(study.folder / "tiny.toml"), manifest, study.runtime, Progress())
    with pytest.raises(OptionError, match="another version of MedSR"):
        clusters._work([dataclasses.replace(cells[0], code="0" * 16)])
