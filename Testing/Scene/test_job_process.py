"""The process of a job, replayed by a fake one: events, bad lines, crashes, stops; and the true one's start."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest


def _until_end(process, timeout=20):
    """All events, and that it ended in time."""
    events, start = [], time.monotonic()
    while process.running:
        events += process.poll()
        assert time.monotonic() - start < timeout
        time.sleep(0.01)
    return events + process.poll()


def _until_waiting(process):
    events = []
    while {"event": "stage", "name": "Waiting"} not in events:
        events += process.poll()
        time.sleep(0.01)


def test_events_come_in_order_and_bad_lines_go_to_the_log(fake_job, tmp_path):
    process = fake_job(
        {"event": {"event": "stage", "name": "Läuft 软件"}},
        {"out": "Downloading weights"},
        {"out": ""},
        {"out": '{"event": 3}'},
        {"out": "[1, 2"},
        {"event": {"event": "progress", "fraction": 0.5, "eta_s": 2.0}},
    )({"task": "upscale"}, tmp_path)
    process.start()
    assert _until_end(process) == [
        {"event": "stage", "name": "Läuft 软件"},
        {"event": "log", "level": "info", "message": "Downloading weights"},
        {"event": "log", "level": "info", "message": '{"event": 3}'},
        {"event": "log", "level": "info", "message": "[1, 2"},
        {"event": "progress", "fraction": 0.5, "eta_s": 2.0},
    ]
    assert process.exitCode == 0
    assert not process.running


def test_tail_holds_the_last_thirty_lines_of_standard_error(fake_job, tmp_path):
    process = fake_job(*({"err": f"line {number}"} for number in range(40)), {"exit": 9})({}, tmp_path)
    process.start()
    _until_end(process)
    assert process.exitCode == 9
    assert process.tail().splitlines() == [f"line {number}" for number in range(10, 40)]


def test_poll_does_not_wait(fake_job, tmp_path):
    process = fake_job({"wait": "cancel"})({}, tmp_path)
    process.start()
    start = time.monotonic()
    for _ in range(20):
        process.poll()
    assert time.monotonic() - start < 1
    assert process.running
    assert process.exitCode is None
    process.kill()


def test_cancel_asks_by_file_first(fake_job, tmp_path):
    process = fake_job({"wait": "cancel"}, {"exit": 4})({}, tmp_path)
    process.start()
    _until_waiting(process)
    process.cancel()
    _until_end(process)
    assert process.exitCode == 4


@pytest.mark.skipif(os.name == "nt", reason="there are no signals on Windows")
@pytest.mark.parametrize(("deaf", "code"), [(False, -15), (True, -9)])
def test_cancel_that_is_not_heard_becomes_a_signal_and_then_the_end(fake_job, tmp_path, monkeypatch, deaf, code):
    process = fake_job({"wait": "for ever", "deaf": deaf})({}, tmp_path)
    monkeypatch.setattr(type(process), "GRACE_S", 0.2)
    process.start()
    _until_waiting(process)
    process.cancel()
    _until_end(process)
    assert process.exitCode == code


@pytest.mark.skipif(os.name == "nt", reason="process groups of POSIX")
def test_children_are_ended_with_the_process(tmp_path):
    from MedSRScene.job_process import JobProcess

    launcher = tmp_path / "launcher.py"
    launcher.write_text(
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True)\n"
        "child.wait()\n"
    )
    process = JobProcess({}, tmp_path, [sys.executable, str(launcher)])
    process.start()
    events = []
    while not events:
        events += process.poll()
    process.kill()
    assert not process.running
    child = int(events[0]["message"])
    start = time.monotonic()
    while _lives(child):
        assert time.monotonic() - start < 5
        time.sleep(0.01)


@pytest.mark.skipif(os.name == "nt", reason="process groups of POSIX")
def test_a_cancel_ends_deaf_children_too_in_less_than_three_seconds(tmp_path):
    from MedSRScene.job_process import JobProcess

    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(0, flush=True); time.sleep(60)"
    launcher = tmp_path / "launcher.py"
    launcher.write_text(
        "import signal, subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {deaf!r}], stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
        "print(child.pid, flush=True)\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
        "child.wait()\n"
    )
    process = JobProcess({}, tmp_path, [sys.executable, str(launcher)])
    process.start()
    events = []
    while not events:
        events += process.poll()
    start = time.monotonic()
    process.cancel()
    _until_end(process)
    process.kill()
    assert time.monotonic() - start < 3
    child = int(events[0]["message"])
    while _lives(child):
        assert time.monotonic() - start < 3
        time.sleep(0.01)


@pytest.mark.skipif(os.name == "nt", reason="process groups of POSIX")
@pytest.mark.parametrize("quiet", [False, True], ids=["holds the output", "without output"])
def test_a_cancel_ends_the_child_of_a_gone_launcher_even_if_nobody_polls(tmp_path, quiet):
    from MedSRScene.job_process import JobProcess

    number = tmp_path / "number"
    deaf = (
        "import os, pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"pathlib.Path({str(number)!r}).write_text(str(os.getpid())); time.sleep(60)"
    )
    streams = ", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL" if quiet else ""
    launcher = tmp_path / "launcher.py"
    launcher.write_text(f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {deaf!r}]{streams}).wait()\n")
    process = JobProcess({}, tmp_path, [sys.executable, str(launcher)])
    process.start()
    while not (number.exists() and number.read_text(encoding="utf-8")):
        time.sleep(0.01)
    start = time.monotonic()
    process.cancel()
    while _lives(int(number.read_text(encoding="utf-8"))):
        assert time.monotonic() - start < 3
        time.sleep(0.01)
    assert time.monotonic() - start > 1.5  # the child had its time, though the launcher ended with the signal
    while process.running:
        assert time.monotonic() - start < 3
        time.sleep(0.01)


def test_missing_interpreter_is_an_os_error(tmp_path):
    from MedSRScene.job_process import JobProcess

    with pytest.raises(OSError):
        JobProcess({}, tmp_path, [str(tmp_path / "no-python")]).start()


def test_interpreter_finds_the_library_from_any_folder(tmp_path, monkeypatch):
    from MedSRScene.job_process import JobProcess

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    process = JobProcess({"task": "nothing"}, tmp_path, [sys.executable])
    process.start()
    events = _until_end(process, timeout=120)
    assert process.exitCode == 2, process.tail()
    assert events[-1]["event"] == "error"
    assert events[-1]["fault"] is False


def test_slicer_s_interpreter_is_preferred(monkeypatch, tmp_path):
    from MedSRScene import job_process

    monkeypatch.setattr(job_process.shutil, "which", lambda name: f"/opt/{name}")
    assert job_process.JobProcess({}, tmp_path)._python == ["/opt/PythonSlicer"]
    monkeypatch.setattr(job_process.shutil, "which", lambda name: None)
    assert job_process.JobProcess({}, tmp_path)._python == [sys.executable]


def _lives(pid):
    """Whether a process runs; a dead one that nobody has collected yet does not."""
    if Path("/proc/self/stat").exists():
        status = Path(f"/proc/{pid}/stat")
        return status.exists() and status.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
