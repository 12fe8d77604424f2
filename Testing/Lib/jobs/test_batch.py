"""Batches: resumable, unmoved by one bad volume, never over an input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from MedSRLib.jobs import runner

Events = list[dict[str, Any]]


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    """Two volumes of one name in two folders, and their manifest."""
    rows = ["path\tsubject"]
    for number, subject in enumerate(("anna", "ben")):
        (tmp_path / "data" / subject).mkdir(parents=True)
        values = np.random.default_rng(number).uniform(0, 1, (7, 10, 5)).astype(np.float32)
        sitk.WriteImage(sitk.GetImageFromArray(values), tmp_path / "data" / subject / "t1.nrrd")
        rows.append(f"{subject}/t1.nrrd\t{subject}")
    (tmp_path / "data" / "MANIFEST.tsv").write_text("\n".join(rows) + "\n")
    return tmp_path / "data" / "MANIFEST.tsv"


def run(manifest: Path, out: Path, maps: dict[str, str] | None = None, **parameters: Any) -> tuple[int, Events]:
    job = {
        "task": "batch",
        "inputs": {"manifest": str(manifest)},
        "outputs": {"folder": str(out), **(maps or {})},
        "parameters": {"method": "linear", "scale": 2, "device": "cpu"} | parameters,
    }
    events: Events = []
    return runner.run(job, events.append), events


def made(events: Events) -> list[str]:
    return [Path(path).parent.name for path in events[-1]["outputs"]["images"]]


def test_results_keep_the_manifests_structure_and_are_not_made_twice(cohort: Path, tmp_path: Path) -> None:
    code, events = run(cohort, tmp_path / "out")
    assert (code, made(events)) == (0, ["anna", "ben"])
    assert sitk.ReadImage(tmp_path / "out" / "ben" / "t1.nii.gz").GetSize() == (10, 20, 14)
    code, events = run(cohort, tmp_path / "out")
    assert (code, made(events), len(events[-1]["skipped"])) == (0, [], 2)
    fractions = [event["fraction"] for event in events if event["event"] == "progress"]
    assert fractions[-1] == 1


def test_other_settings_a_changed_input_or_a_damaged_result_are_made_again(cohort: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(cohort, out)
    assert made(run(cohort, out, scale=3)[1]) == ["anna", "ben"]
    assert made(run(cohort, out, scale=3, method="nearest")[1]) == ["anna", "ben"]
    assert made(run(cohort, out, scale=3, method="nearest", memory_gb=1)[1]) == []
    sitk.WriteImage(sitk.ReadImage(cohort.parent / "anna" / "t1.nrrd") * 2, cohort.parent / "anna" / "t1.nrrd")
    assert made(run(cohort, out, scale=3, method="nearest")[1]) == ["anna"]
    result = out / "ben" / "t1.nii.gz"
    result.write_bytes(result.read_bytes()[:-100])
    assert made(run(cohort, out, scale=3, method="nearest")[1]) == ["ben"]
    (out / "ben" / "t1.json").unlink()
    assert made(run(cohort, out, scale=3, method="nearest")[1]) == ["ben"]


def test_one_bad_volume_is_told_at_the_end(cohort: Path, tmp_path: Path) -> None:
    (cohort.parent / "anna" / "t1.nrrd").write_text("not an image")
    code, events = run(cohort, tmp_path / "out")
    assert code == 2
    assert "1 of 2" in events[-1]["message"]
    assert "anna" in events[-1]["message"]
    assert "ben" not in events[-1]["message"]
    assert (tmp_path / "out" / "ben" / "t1.nii.gz").is_file()
    assert not (tmp_path / "out" / "anna" / "t1.nii.gz").exists()
    assert any(event["event"] == "log" and "anna" in event["message"] for event in events)


def test_a_fault_in_one_volume_gives_exit_code_3(cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from MedSRLib import upscaling

    whole = upscaling.outcome
    turns = iter([True, False])

    def sometimes(*arguments: Any, **named: Any) -> upscaling.Outcome:
        if next(turns):
            raise ZeroDivisionError("oops")
        return whole(*arguments, **named)

    monkeypatch.setattr(upscaling, "outcome", sometimes)
    code, events = run(cohort, tmp_path / "out")
    assert code == 3
    assert any("Traceback" in event.get("message", "") for event in events)
    assert (tmp_path / "out" / "ben" / "t1.nii.gz").is_file()


def test_a_stop_ends_the_batch(cohort: Path, tmp_path: Path) -> None:
    job = {
        "task": "batch",
        "inputs": {"manifest": str(cohort)},
        "outputs": {"folder": str(tmp_path / "out")},
        "parameters": {"method": "linear", "scale": 2, "device": "cpu"},
    }
    events: Events = []
    anna = tmp_path / "out" / "anna" / "t1.nii.gz"
    assert runner.run(job, events.append, anna.exists) == 4
    assert anna.is_file()
    assert not (tmp_path / "out" / "ben" / "t1.nii.gz").exists()


def test_results_never_lie_over_inputs_or_each_other(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    image = sitk.GetImageFromArray(np.ones((4, 4, 4), np.float32))
    sitk.WriteImage(image, folder / "a.nii.gz")
    assert run(folder, folder)[0] == 2
    sitk.WriteImage(image, folder / "a.nrrd")
    code, events = run(folder, tmp_path / "out")
    assert code == 2
    assert "a.nii.gz" in events[-1]["message"]
    assert not (tmp_path / "out").exists()


def test_results_stay_in_their_folder_wherever_the_inputs_lie(cohort: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "lists" / "MANIFEST.tsv"
    manifest.parent.mkdir()
    manifest.write_text("path\tsubject\n../data/anna/t1.nrrd\tanna\n")
    assert run(manifest, tmp_path / "deep" / "out")[0] == 0
    assert (tmp_path / "deep" / "out" / "t1.nii.gz").is_file()


def test_maps_lie_in_their_own_folders_and_are_made_again_when_they_are_gone(cohort: Path, tmp_path: Path) -> None:
    maps = {name: str(tmp_path / name) for name in ("consistency", "uncertainty")}
    wanted = {"ensemble": "flips", "refine": True}
    code, events = run(cohort, tmp_path / "out", maps, **wanted)
    assert (code, made(events)) == (0, ["anna", "ben"])
    assert sitk.ReadImage(tmp_path / "consistency" / "ben" / "t1.nii.gz").GetSize() == (5, 10, 7)
    uncertainty = tmp_path / "uncertainty" / "ben" / "t1.nii.gz"
    assert sitk.ReadImage(uncertainty).GetSize() == (10, 20, 14)
    assert made(run(cohort, tmp_path / "out", maps, **wanted)[1]) == []
    uncertainty.unlink()
    assert made(run(cohort, tmp_path / "out", maps, **wanted)[1]) == ["ben"]
    assert made(run(cohort, tmp_path / "out", maps, ensemble="flips")[1]) == ["anna", "ben"]


def test_maps_never_lie_over_results(cohort: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, events = run(cohort, out, {"consistency": str(out)})
    assert code == 2
    assert "another result" in events[-1]["message"]
