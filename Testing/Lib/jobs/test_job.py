"""Job files: what they may say, and where their relative paths start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from MedSRLib.errors import InputError, OptionError
from MedSRLib.jobs import job as jobs

UPSCALE: dict[str, Any] = {
    "task": "upscale",
    "inputs": {"image": "in.nii.gz"},
    "outputs": {"image": "out.nii.gz"},
    "parameters": {"method": "linear", "scale": [1, 1, 4]},
}


def test_relative_paths_start_at_the_job_file(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text(json.dumps(UPSCALE | {"outputs": {"image": str(tmp_path / "o.nrrd")}}))
    job = jobs.read(tmp_path / "job.json")
    assert isinstance(job, jobs.UpscaleJob)
    assert job.inputs.image == tmp_path / "in.nii.gz"
    assert job.outputs.image == tmp_path / "o.nrrd"
    assert jobs.parse(UPSCALE).inputs.image == Path("in.nii.gz")


@pytest.mark.parametrize("task", ["upscale", "batch", "degrade", "evaluate", "benchmark", "train", "demo", "bench"])
def test_every_task_has_a_schema_that_refuses_unknown_keys(task: str) -> None:
    with pytest.raises(OptionError, match="surprise"):
        jobs.parse(_whole(task) | {"surprise": 1})
    assert jobs.parse(_whole(task)).task == task


def _whole(task: str) -> dict[str, Any]:
    folder = {"outputs": {"folder": "out"}}
    cohort = {"manifest": "MANIFEST.tsv"}
    return {
        "upscale": UPSCALE,
        "batch": {"task": task, "inputs": cohort, "parameters": {"isotropic": True}, **folder},
        "degrade": {**UPSCALE, "task": task, "parameters": {"scale": 2}},
        "evaluate": {"task": task, "inputs": {"reference": "r.nrrd", "results": {"a": "a.nrrd"}}, **folder},
        "benchmark": {"task": task, "inputs": {"protocol": "p.toml", **cohort}, **folder},
        "train": {"task": task, "inputs": {"recipe": "r.toml", **cohort}, **folder},
        "demo": {"task": task, **folder},
        "bench": {"task": task},
    }[task]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"task": "dance"}, "dance"),
        ({"inputs": {}}, "inputs.image"),
        ({"parameters": {"scale": 2, "methd": "linear"}}, "parameters.methd"),
        ({"parameters": {"scale": "two"}}, "parameters.scale"),
        ({"parameters": {"scale": 2, "spacing": 1}}, "scale and spacing"),
        ({"parameters": {}}, "exactly one"),
        ({"parameters": {"scale": 2, "seed": -1}}, "parameters.seed"),
        ({"inputs": {"image": "a", "like": "b"}}, "scale and like"),
    ],
)
def test_a_wrong_key_or_value_is_named(change: dict[str, Any], word: str) -> None:
    with pytest.raises(OptionError) as told:
        jobs.parse(UPSCALE | change)
    assert word in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", b"\xff\xfe"])
def test_a_file_that_is_no_job_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "job.json").write_bytes(content)
    with pytest.raises(InputError, match=r"job\.json"):
        jobs.read(tmp_path / "job.json")


def test_a_missing_job_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        jobs.read(tmp_path / "job.json")
