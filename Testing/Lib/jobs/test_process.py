"""``python -m MedSRLib.jobs``: a real process that is stopped by SIGTERM leaves nothing behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """A job of a minute or so: many iterations of back-projection."""
    values = np.random.default_rng(0).uniform(0, 1, (40, 40, 40)).astype(np.float32)
    sitk.WriteImage(sitk.GetImageFromArray(values), tmp_path / "scan.nrrd")
    content = {
        "task": "upscale",
        "inputs": {"image": "scan.nrrd"},
        "outputs": {"image": "out.nrrd"},
        "parameters": {
            "method": "back-projection",
            "scale": 3,
            "device": "cpu",
            "options": {"iterations": 1000},
        },
    }
    (tmp_path / "job.json").write_text(json.dumps(content))
    return tmp_path / "job.json"


def test_sigterm_stops_politely(job: Path) -> None:
    before = set(job.parent.iterdir())
    # typer and rich are not there: what Slicer installs must do.
    program = (
        "import sys, runpy\n"
        "sys.modules['typer'] = sys.modules['rich'] = None\n"
        "runpy.run_module('MedSRLib.jobs', run_name='__main__')\n"
    )
    command = [sys.executable, "-c", program, str(job)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        events = []
        for line in running.stdout:
            events.append(json.loads(line))
            if events[-1]["event"] == "progress" and not running.returncode:
                running.send_signal(signal.SIGTERM)
                break
        events += [json.loads(line) for line in running.stdout]
        code = running.wait(60)
    assert code == 4, events
    assert events[-1]["event"] == "cancelled"
    assert set(job.parent.iterdir()) == before
