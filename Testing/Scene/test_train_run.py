"""A training as a run: its figures, its picture, stopping and going on; the job is replayed by a fake one."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest
from MedSRScene.train_run import CheckRun, Figure, PatientProcess, TrainRun, dataOf, figuresOf, modelOf, stateOf

RECIPE = {"name": "mine", "method": "arssr", "optimisation": {"steps": 10}}
LOSS = {"event": "metric", "name": "loss", "value": 0.5, "step": 5}
PSNR = {"event": "metric", "name": "validation_psnr", "value": 31.5, "step": 5, "cubic": 30.0}
DONE = {"event": {"event": "result", "task": "train", "installed": "mine"}}


@pytest.fixture
def jobs(fake_job):
    """Fake jobs, and what they were asked for: the job, and the recipe as it was on the disk."""
    asked = []

    def make(*steps):
        inner = fake_job(*steps)

        def process(job, folder):
            asked.append((job, json.loads(Path(job["inputs"]["recipe"]).read_text(encoding="utf-8"))))
            return inner(job, folder)

        return process

    make.asked = asked
    return make


@pytest.fixture
def stopped(tmp_path):
    """The folder of a run that was stopped at step 5."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "last.ckpt").write_bytes(b"checkpoint")
    (folder / "recipe.json").write_text(json.dumps(RECIPE), encoding="utf-8")
    (folder / "data.json").write_text(json.dumps({"manifest": str(tmp_path / "data.tsv")}), encoding="utf-8")
    lines = "step,name,value,cubic\n2,loss,0.75,\n4,loss,0.625,\n4,validation_psnr,29.5,30.0\n6,loss,0."
    (folder / "history.csv").write_text(lines, encoding="utf-8")
    return folder


def _heard(run, count=1):
    events = []
    while len(events) < count:
        events += run.poll()
        time.sleep(0.01)
    return events


def test_a_training_tells_figures_picture_and_model(jobs, tmp_path):
    preview = tmp_path / "run" / "preview.png"
    steps = [{"event": LOSS}, {"event": PSNR}, {"event": {"event": "preview", "path": str(preview), "step": 5}}]
    run = TrainRun(tmp_path / "data.tsv", RECIPE, tmp_path / "run", process=jobs(*steps, DONE))
    run.start()
    assert run.waitForEnd(20) == "done"
    assert run.figures == [Figure(5, "loss", 0.5), Figure(5, "validation_psnr", 31.5, 30.0)]
    assert run.previewPath == preview and run.result["installed"] == "mine"
    job, recipe = jobs.asked[0]
    assert recipe == RECIPE and job["task"] == "train"
    assert job["outputs"] == {"folder": str(tmp_path / "run")}
    assert job["parameters"] == {"resume": False, "install": True, "device": "auto", "precision": "auto"}


def test_a_stop_is_asked_for_and_waited_for(jobs, tmp_path):
    run = TrainRun(tmp_path / "data.tsv", RECIPE, tmp_path / "run", process=jobs({"wait": "cancel"}, {"exit": 4}))
    run.start()
    _heard(run)
    run.cancel()
    assert run.waitForEnd(20) == "cancelled"


def test_a_quitting_application_does_not_wait_for_ever(jobs, tmp_path):
    run = TrainRun(tmp_path / "data.tsv", RECIPE, tmp_path / "run", process=jobs({"wait": "for ever", "deaf": True}))
    run.start()
    _heard(run)
    begun = time.monotonic()
    run.stopNow(0.5)
    assert time.monotonic() - begun < 3 and run.state == "cancelled"


def test_a_failure_is_told(jobs, tmp_path):
    error = {"event": {"event": "error", "fault": False, "kind": "InputError", "message": "No volume fits."}}
    run = TrainRun(tmp_path / "data.tsv", RECIPE, tmp_path / "run", process=jobs(error, {"exit": 2}))
    run.start()
    assert run.waitForEnd(20) == "failed" and run.errorMessage == "No volume fits."


def test_going_on_takes_recipe_data_and_figures_of_the_folder(jobs, stopped, tmp_path):
    assert stateOf(stopped) == "stopped" and dataOf(stopped) == tmp_path / "data.tsv"
    earlier = [Figure(2, "loss", 0.75), Figure(4, "loss", 0.625), Figure(4, "validation_psnr", 29.5, 30.0)]
    assert figuresOf(stopped) == earlier
    again = {"event": "metric", "name": "loss", "value": 0.375, "step": 3}  # after the last checkpoint came a kill
    run = TrainRun.resumed(stopped, device="cpu", process=jobs({"event": again}, DONE))
    run.start()
    assert run.waitForEnd(20) == "done"
    assert run.figures == [earlier[0], Figure(3, "loss", 0.375)], "steps that are taken again replace the old ones"
    job, _ = jobs.asked[0]
    assert job["inputs"] == {"manifest": str(tmp_path / "data.tsv"), "recipe": str(stopped / "recipe.json")}
    assert job["parameters"]["resume"] is True and job["parameters"]["device"] == "cpu"


def test_a_folder_without_a_run_cannot_go_on(tmp_path):
    assert stateOf(tmp_path) == "" and modelOf(tmp_path) is None and figuresOf(tmp_path) == []
    with pytest.raises(FileNotFoundError, match="no training that can go on"):
        TrainRun.resumed(tmp_path)


def test_a_finished_run_is_known_by_its_model(stopped):
    (stopped / "best.safetensors").write_bytes(b"weights")
    assert stateOf(stopped) == "stopped", "the best weights so far are no model yet"
    (stopped / "mine.safetensors").write_bytes(b"weights")
    (stopped / "mine.json").write_text("{}", encoding="utf-8")
    assert stateOf(stopped) == "finished" and modelOf(stopped) == stopped / "mine.json"


def test_a_check_tells_its_result(jobs, tmp_path):
    result = {"event": {"event": "result", "task": "check-training", "subjects": 3}}
    run = CheckRun(tmp_path / "data.tsv", RECIPE, device="cpu", process=jobs(result))
    run.start()
    assert run.waitForEnd(20) == "done" and run.result["subjects"] == 3
    job, recipe = jobs.asked[0]
    assert (job["task"], recipe) == ("check-training", RECIPE)
    assert job["parameters"] == {"device": "cpu", "precision": "auto"}


def test_a_stopped_training_may_finish_its_step(tmp_path):
    """Other jobs are ended when they do not stop within a second or so; a checkpoint may take longer to reach."""
    saved = tmp_path / "last.ckpt"
    code = (
        "import sys, time; from pathlib import Path\n"
        'print(\'{"event": "stage", "name": "Training"}\', flush=True)\n'
        "while not Path(sys.argv[-1]).exists(): time.sleep(0.01)\n"
        f"time.sleep(1.5); Path({str(saved)!r}).touch(); sys.exit(4)"
    )
    python = [sys.executable, "-c", code]
    run = TrainRun(
        tmp_path / "data.tsv",
        RECIPE,
        tmp_path / "run",
        process=lambda job, folder: PatientProcess(job, folder, python),
    )
    run.start()
    _heard(run)
    run.cancel()
    assert run.waitForEnd(20) == "cancelled" and saved.exists()
