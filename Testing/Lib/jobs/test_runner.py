"""How a job ends: events and exit codes for success, mistakes, faults, lack of memory and a stop."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from MedSRLib.errors import InputError
from MedSRLib.jobs import job, process, runner, tasks
from MedSRLib.methods import interpolation
from MedSRLib.models.card import ModelCard
from MedSRLib.models.library import Model

Events = list[dict[str, Any]]
DEMO = {"task": "demo", "outputs": {"folder": "out"}}


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    path = tmp_path / "scan.nrrd"
    values = np.random.default_rng(0).uniform(0, 1, (13, 10, 7)).astype(np.float32)
    sitk.WriteImage(sitk.GetImageFromArray(values), path)
    return path


def upscale_job(scan: Path, **parameters: Any) -> dict[str, Any]:
    return {
        "task": "upscale",
        "inputs": {"image": str(scan)},
        "outputs": {"image": str(scan.with_name("out.nrrd"))},
        "parameters": {"method": "linear", "scale": 1.7, "device": "cpu"} | parameters,
    }


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> Events:
    """The events of a job whose task raises the error."""

    def fail(job: object, progress: object) -> None:
        raise error

    monkeypatch.setattr(tasks, "perform", fail)
    events: Events = []
    events.append({"code": runner.run(DEMO, events.append)})
    return events


def test_a_result_tells_paths_and_provenance(scan: Path) -> None:
    events: Events = []
    assert runner.run(upscale_job(scan), events.append) == 0
    assert events[-1]["event"] == "result"
    assert events[-1]["task"] == "upscale"
    assert Path(events[-1]["outputs"]["image"]).is_file()
    assert events[-1]["provenance"]["method"] == "linear"
    assert {"stage", "progress"} <= {event["event"] for event in events}


def test_the_checks_of_a_result_are_told_and_written(scan: Path) -> None:
    told = upscale_job(scan, ensemble="flips", refine=True, acquisition="slice-profile", thickness=1.5)
    told["outputs"] |= {name: str(scan.with_name(f"{name}.nrrd")) for name in ("consistency", "uncertainty")}
    events: Events = []
    assert runner.run(told, events.append) == 0
    origin = events[-1]["provenance"]
    assert origin["ensemble"] == "flips (8 copies)"
    assert origin["acquisition"] == "slice-profile, 1.5 mm"
    assert origin["consistency_after"] <= origin["consistency_before"]
    assert sitk.ReadImage(events[-1]["outputs"]["uncertainty"]).GetSize() == (12, 17, 22)
    assert sitk.ReadImage(events[-1]["outputs"]["consistency"]).GetSize() == (7, 10, 13)
    assert json.loads(scan.with_name("uncertainty.json").read_text(encoding="utf-8"))["map"] == "uncertainty"


@pytest.mark.parametrize(
    "parameters, told",
    [
        ({}, "give ensemble too"),
        ({"ensemble": "mirrors"}, "no ensemble 'mirrors'"),
        ({"ensemble": "flips", "acquisition": "fysical"}, "Did you mean 'physical'"),
        ({"ensemble": "flips", "acquisition": "slice-profile"}, "thickness"),
    ],
)
def test_checks_that_cannot_be_made_are_refused_before_anything_is_read(
    scan: Path, parameters: dict[str, Any], told: str
) -> None:
    wrong = upscale_job(scan, **parameters)
    wrong["outputs"]["uncertainty"] = str(scan.with_name("uncertainty.nrrd"))
    events: Events = []
    assert runner.run(wrong, events.append) == 2
    assert told in events[-1]["message"]
    assert not any(event["event"] == "stage" for event in events)


def test_a_consistency_map_across_oblique_axes_is_refused_before_the_work(scan: Path) -> None:
    turned = sitk.ReadImage(scan)
    turned.SetDirection((0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, 1))
    sitk.WriteImage(turned, scan.with_name("turned.nrrd"))
    wanted = upscale_job(scan)
    del wanted["parameters"]["scale"]
    wanted["inputs"]["like"] = str(scan.with_name("turned.nrrd"))
    wanted["outputs"]["consistency"] = str(scan.with_name("consistency.nrrd"))
    events: Events = []
    assert runner.run(wanted, events.append) == 2
    assert "oblique" in events[-1]["message"]
    assert not any(event["event"] == "progress" for event in events)
    del wanted["outputs"]["consistency"]
    assert runner.run(wanted, events.append) == 0


def test_a_change_of_modality_is_told(scan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from MedSRLib.jobs import upscale

    events: Events = []
    runner.run(upscale_job(scan), events.append)
    assert events[-1]["provenance"]["synthetic"] is None
    monkeypatch.setattr(interpolation.Linear, "info", replace(interpolation.Linear.info, family="synthesis"))
    runner.run(upscale_job(scan), events.append)
    assert events[-1]["provenance"]["synthetic"] is True
    card = ModelCard(name="a", method="arssr", architecture={}, scale_max=2, target_modality="T2w")
    settled = upscale.settle(job.parse(upscale_job(scan, method="cubic")).parameters)
    assert replace(settled, model=Model(card, {})).synthetic is True


def test_a_job_file_runs_like_its_content(scan: Path) -> None:
    content = upscale_job(scan) | {"inputs": {"image": scan.name}, "outputs": {"image": "here.nrrd"}}
    (scan.parent / "job.json").write_text(json.dumps(content))
    assert runner.run(scan.parent / "job.json") == 0
    assert (scan.parent / "here.nrrd").is_file()


def test_the_same_job_gives_the_same_voxels(scan: Path) -> None:
    arrays = []
    for _ in range(2):
        assert runner.run(upscale_job(scan)) == 0
        arrays.append(sitk.GetArrayFromImage(sitk.ReadImage(scan.with_name("out.nrrd"))))
    assert np.array_equal(*arrays)


def test_a_mistake_is_told_without_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    *told, error, end = failing(monkeypatch, InputError("No.", "Because.", "Mend it."))
    assert (told, end) == ([], {"code": 2})
    assert error == {
        "event": "error",
        "fault": False,
        "kind": "InputError",
        "message": "No. Because. Mend it.",
    }


def test_a_fault_leaves_its_traceback_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    log, error, end = failing(monkeypatch, ZeroDivisionError("oops"))
    assert end == {"code": 3}
    assert error["fault"]
    assert "ZeroDivisionError: oops" in error["message"]
    assert log["event"] == "log"
    assert "Traceback" in log["message"]


def test_lack_of_memory_comes_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    for error in (
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes."),
        RuntimeError("Exception thrown in SimpleITK: std::bad_alloc"),
    ):
        told, end = failing(monkeypatch, error)
        assert end == {"code": 2}
        assert told["kind"] == "ResourceError"
        assert "--memory-gb" in told["message"]


def test_a_stop_leaves_nothing_behind(scan: Path) -> None:
    before = set(scan.parent.iterdir())
    for patience in range(4):
        asked = iter([False] * patience + [True] * 1000)
        events: Events = []
        code = runner.run(upscale_job(scan), events.append, lambda asked=asked: next(asked))
        assert code == 4
        assert events[-1]["event"] == "cancelled"
        assert set(scan.parent.iterdir()) == before


def test_events_are_json_whatever_they_hold() -> None:
    stream = io.StringIO()
    sink = process.JsonLines(stream)
    sink(
        {
            "event": "metric",
            "value": np.float32(0.5),
            "bad": float("inf"),
            "path": Path("a"),
            "list": (1, None),
        }
    )
    assert json.loads(stream.getvalue()) == {
        "event": "metric",
        "value": 0.5,
        "bad": None,
        "path": "a",
        "list": [1, None],
    }


def test_a_job_nobody_listens_to_stops(scan: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    stream = os.fdopen(writer, "w")
    sink = process.JsonLines(stream)
    assert process.execute(upscale_job(scan), sink) == 4
    assert sink.closed
    with contextlib.suppress(BrokenPipeError):
        stream.close()
    assert not scan.with_name("out.nrrd").exists()


def test_the_cancel_file_stops_a_job(scan: Path, tmp_path: Path) -> None:
    (tmp_path / "stop").touch()
    events: Events = []
    assert process.execute(upscale_job(scan), events.append, tmp_path / "stop") == 4
    assert [event["event"] for event in events] == ["cancelled"]


def test_one_signal_asks_and_the_handlers_come_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with process.stop_on_signal() as asked:
        assert not asked()
        os.kill(os.getpid(), signal.SIGTERM)
        assert asked()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) is before
