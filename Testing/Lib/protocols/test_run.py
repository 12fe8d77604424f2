"""A benchmark on small volumes: what it writes, that it resumes, and what it refuses."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import pytest
import SimpleITK as sitk

from MedSRLib.errors import Cancelled, InputError, OptionError
from MedSRLib.progress import Progress
from MedSRLib.protocols import experiment

METHOD = '\n[[method]]\nlabel = "Linear"\nidentifier = "linear"\n'


def table(path):
    return list(csv.DictReader(path.open()))


@pytest.fixture
def counted(monkeypatch):
    """The methods that were run, in order."""
    calls = []
    upscale = experiment.upscaling.upscale
    monkeypatch.setattr(
        experiment.upscaling, "upscale", lambda image, method, **k: calls.append(method) or upscale(image, method, **k)
    )
    return calls


def without_time(text):
    return [line for line in text.splitlines() if "|" in line]


def test_every_cell_is_measured_and_tabled(study):
    shown = study.run()
    out = study.folder / "out"
    rows = table(out / "results.csv")
    assert len(rows) == 2 * 2 * 2
    assert {row["subject"] for row in rows} == {"s0", "s1"}
    assert {row["scale"] for row in rows} == {"2", "1,1,2.5"}
    content = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert len(content["rows"]) == 8 and len(content["summary"]) == 4
    spline = next(e for e in content["summary"] if (e["scale"], e["method"]) == ("2", "Spline"))
    assert spline["psnr_mask"]["against"]["Nearest"]["gain"] > 0
    assert shown == (out / "table.md").read_text(encoding="utf-8")
    assert "(n = 2)" in shown and "×1,1,2.5" in shown
    assert r"\toprule" in (out / "table.tex").read_text(encoding="utf-8")


def test_what_is_needed_to_repeat_it_is_written(study):
    study.run()
    content = json.loads((study.folder / "out" / "results.json").read_text(encoding="utf-8"))
    record = content["record"]
    assert (record["device"], record["precision"], record["seed"]) == ("cpu", "float32", 0)
    assert {"python", "torch", "numpy", "SimpleITK"} <= set(record["packages"])
    assert len(record["sha256"]["protocol"]) == len(content["volumes"][0]["sha256"]["volume"]) == 64
    assert content["protocol"]["protocol"]["scales"] == [2.0, [1.0, 1.0, 2.5]]


def test_the_page_holds_everything_and_asks_for_nothing(study):
    study.run()
    page = (study.folder / "out" / "benchmark.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == 2  # spread and PSNR by slice
    assert "http" not in page.replace("http://www.w3.org", "") and "<script" not in page
    assert "Spline" in page and len(page) < 15_000_000


def test_slices_are_kept_with_their_places(study):
    study.run()
    rows = table(study.folder / "out" / "slices.csv")
    own = [r for r in rows if (r["subject"], r["scale"], r["method"]) == ("s0", "2", "Spline")]
    assert [int(r["slice"]) for r in own] == list(range(12))
    assert {r["axis"] for r in own} == {"k"} and float(own[2]["position_mm"]) == pytest.approx(2.6)
    assert any(r["psnr"] for r in own)


def test_what_is_measured_is_not_measured_again(study, counted):
    first = study.run()
    cells = sorted((study.folder / "out" / "cells").iterdir())
    cells[0].unlink()
    cells[1].write_text('{"row": {"psnr_wh')  # cut off by a crash
    cells[2].write_text(cells[3].read_text(encoding="utf-8"))  # another measurement under this name
    counted.clear()
    second = study.run()
    assert len(counted) == 3
    assert without_time(second) == without_time(first)


def test_a_method_more_measures_only_that_method(study, counted):
    study.run()
    counted.clear()
    study.write(study.text + METHOD)
    assert "Linear" in study.run()
    assert counted == ["linear"] * 4


def test_a_volume_more_measures_only_that_volume(study, counted):
    study.run()
    counted.clear()
    study.lines[2]["role"] = "validation"
    study.manifest()
    assert "(n = 3)" in study.run()
    assert len(counted) == 4


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("noise = 0.02", "noise = 0.05"),
        ('"tiny"', '"tiny"\nseed = 1'),
        ('"tiny"', '"tiny"\nmeasures = ["psnr", "ssim"]'),
    ],
)
def test_a_changed_setting_is_measured_anew(study, counted, old, new):
    study.run()
    counted.clear()
    study.write(study.text.replace(old, new))
    study.run()
    assert len(counted) == 8


def test_two_groups_share_their_measurements(study, counted):
    study.write(
        study.text.replace("[[degradation]]", '[[volumes]]\nlabel = "all"\nrole = "validation"\n[[degradation]]')
    )
    study.run()
    assert len(counted) == 8
    assert len(table(study.folder / "out" / "results.csv")) == 16


def test_a_run_that_is_stopped_keeps_what_it_measured(study, counted):
    def stop_after_three():
        return len(counted) > 3

    with pytest.raises(Cancelled):
        study.run(progress=Progress(cancelled=stop_after_three))
    assert len(list((study.folder / "out" / "cells").iterdir())) == 3
    counted.clear()
    study.run()
    assert len(counted) == 5


SLOW = """
import time
from pathlib import Path
from MedSRLib.protocols import experiment
upscale = experiment.upscaling.upscale
def slowly(*a, **k):
    time.sleep(0.2)
    return upscale(*a, **k)
experiment.upscaling.upscale = slowly
from MedSRLib.protocols.run import run_benchmark
from MedSRLib.inference.runtime import Runtime
folder = Path({folder!r})
run_benchmark(folder / "tiny.toml", folder / "manifest.tsv", folder / "out", runtime=Runtime("cpu", "float32"))
"""


def test_a_run_that_is_killed_goes_on_where_it_was(study, counted):
    script = SLOW.format(folder=str(study.folder))
    process = subprocess.Popen([sys.executable, "-c", script], env=os.environ.copy())
    cells = study.folder / "out" / "cells"
    deadline = time.monotonic() + 60
    while not (cells.is_dir() and any(cells.glob("[!.]*.json"))) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    process.wait(timeout=30)
    done = len(list(cells.glob("[!.]*.json")))
    assert 1 <= done < 8
    study.run()
    assert len(counted) == 8 - done
    counted.clear()
    study.run()
    assert not counted


def test_a_volume_that_is_not_the_manifests_is_refused(study):
    sitk.WriteImage(sitk.Image(9, 9, 9, sitk.sitkFloat32), str(study.folder / "v1.nii.gz"))
    with pytest.raises(InputError, match=r"v1\.nii\.gz.*not the one of the manifest"):
        study.run()


def test_a_missing_volume_is_named(study):
    (study.folder / "v0.nii.gz").unlink()
    with pytest.raises(InputError, match=r"v0\.nii\.gz"):
        study.run()


def test_a_protocol_without_volumes_is_refused(study):
    study.write(study.text.replace('"T1w"', '"PET"'))
    events = []
    with pytest.raises(InputError, match="No volume"):
        study.run(progress=Progress(events.append))
    assert any("heads" in event.get("message", "") for event in events)


def test_an_unknown_method_is_refused_before_any_work(study):
    study.write(study.text.replace('"bspline"', '"bsplin"'))
    with pytest.raises(OptionError, match="bspline"):
        study.run()
    assert not (study.folder / "out").exists()
