"""Many volumes in a queue: each has its turn, whatever became of the others."""

from __future__ import annotations

import pytest


class FakeRun:
    """A run that ends as it is told, at its second poll."""

    def __init__(self, end, message=""):
        self.state, self.errorMessage, self._end, self._polls = "idle", message, end, 0

    def start(self):
        self.state = "failed" if self._end == "not started" else "running"

    def poll(self):
        self._polls += 1
        if self._polls > 1:
            self.state = self._end
        return [{"event": "progress", "fraction": 0.5, "eta_s": 1.0}]

    def cancel(self):
        self._end = "cancelled"

    def clean(self):
        self.state = "cancelled"


def _batch(*ends):
    from MedSRScene.batch_run import BatchRun

    made = []

    def maker(end):
        def make():
            made.append(FakeRun(end, f"was {end}"))
            return made[-1]

        return make

    return BatchRun([(f"v{number}", maker(end)) for number, end in enumerate(ends)]), made


def _to_end(batch):
    events = []
    for _ in range(50):
        events += batch.poll()
        if batch.state != "running":
            return events
    raise AssertionError(batch.state)


def test_every_volume_has_its_turn_and_failures_are_told():
    batch, made = _batch("done", "failed", "not started", "done")
    batch.start()
    events = _to_end(batch)
    assert (batch.state, batch.done, len(made)) == ("done", ["v0", "v3"], 4)
    assert batch.failures == {"v1": "was failed", "v2": "was not started"}
    assert batch.errorMessage.splitlines() == ["v1: was failed", "v2: was not started"]
    fractions = [event["fraction"] for event in events if event["event"] == "progress"]
    assert fractions == sorted(fractions) and fractions[0] == pytest.approx(0.125) and fractions[-1] == 1
    assert "v3 (4 of 4)" in [event["name"] for event in events if event["event"] == "stage"]


def test_a_cancel_leaves_out_the_rest():
    batch, made = _batch("done", "done", "done")
    batch.start()
    while not batch.done:
        batch.poll()
    batch.cancel()
    _to_end(batch)
    assert (batch.state, batch.done, len(made)) == ("cancelled", ["v0"], 2)


def test_nothing_but_failures_is_a_failure():
    batch, _made = _batch("failed", "not started")
    batch.start()
    _to_end(batch)
    assert batch.state == "failed"


def test_clean_ends_it_at_once():
    batch, made = _batch("done", "done")
    batch.start()
    batch.clean()
    assert (batch.state, made[0].state, batch.poll()) == ("cancelled", "cancelled", [])


def test_a_folder_is_one_job(tmp_path):
    import SimpleITK as sitk
    from MedSRScene.batch_run import folderRun

    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        sitk.WriteImage(sitk.Image(4, 5, 6, sitk.sitkFloat32) + 1, str(tmp_path / "in" / f"{name}.nii.gz"))
    wanted = {"method": "linear", "scale": 2, "device": "cpu", "ensemble": "flips"}
    run = folderRun(tmp_path / "in", tmp_path / "out", wanted, consistency=True, uncertainty=True)
    run.start()
    assert run.waitForEnd(120) == "done", run.errorMessage
    names = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.nii.gz")}
    assert names == {f"{folder}{name}.nii.gz" for folder in ("", "consistency/", "uncertainty/") for name in "ab"}
