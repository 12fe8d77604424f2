"""A benchmark on small volumes: what it writes, that it resumes, and what it refuses."""

import csv
import json

import numpy as np
import pytest
import SimpleITK as sitk

from MedSRLib import files
from MedSRLib.errors import InputError, OptionError
from MedSRLib.inference.runtime import Runtime
from MedSRLib.progress import Progress
from MedSRLib.protocols import run
from MedSRLib.protocols.run import run_benchmark

PROTOCOL = """
[protocol]
name = "tiny"
scales = [2, [1, 1, 2.5]]
baselines = ["Nearest"]
[[volumes]]
label = "heads"
role = "validation"
modality = "T1w"
[[degradation]]
name = "physical"
kind = "physical"
noise = 0.02
[[method]]
label = "Nearest"
identifier = "nearest"
[[method]]
label = "Spline"
identifier = "bspline"
"""
RUNTIME = Runtime("cpu", "float32")


@pytest.fixture
def study(tmp_path):
    """A protocol and a manifest of two small volumes, one oblique, and one of another role."""
    (tmp_path / "tiny.toml").write_text(PROTOCOL)
    lines = ["path\trole\tdataset\tsubject\tmodality\torgan\tsha256"]
    for i, role in enumerate(["validation", "validation", "train"]):
        k, j, z = np.indices((12, 14, 15)) - 6.0
        array = 100 * np.exp(-(k**2 + j**2 + z**2) / (20 + 5 * i)) + 20 * np.sin(j)
        image = sitk.GetImageFromArray((array + 30).astype(np.float32))
        image.SetSpacing((1.0, 1.1, 1.3))
        if i == 1:
            image.SetDirection((0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, -1))
        sitk.WriteImage(image, str(tmp_path / f"v{i}.nii.gz"))
        lines.append(f"v{i}.nii.gz\t{role}\tmade\ts{i}\tT1w\tbrain\t{files.sha256(tmp_path / f'v{i}.nii.gz')}")
    (tmp_path / "manifest.tsv").write_text("\n".join(lines) + "\n")
    return tmp_path


def benchmark(study, **changes):
    given = {"progress": Progress(), "runtime": RUNTIME} | changes
    return run_benchmark(study / "tiny.toml", study / "manifest.tsv", study / "out", **given)


def test_every_cell_is_measured_and_tabled(study):
    table = benchmark(study)
    rows = list(csv.DictReader((study / "out" / "results.csv").open()))
    assert len(rows) == 2 * 2 * 2
    assert {row["subject"] for row in rows} == {"s0", "s1"}
    assert {row["scale"] for row in rows} == {"2", "1,1,2.5"}
    content = json.loads((study / "out" / "results.json").read_text())
    assert len(content["rows"]) == 8 and len(content["summary"]) == 4
    spline = next(e for e in content["summary"] if (e["scale"], e["method"]) == ("2", "Spline"))
    assert spline["psnr_mask"]["against"]["Nearest"]["gain"] > 0
    assert table == (study / "out" / "table.md").read_text(encoding="utf-8")
    assert "(n = 2)" in table and "×1,1,2.5" in table
    assert (study / "out" / "table.tex").is_file()


def test_what_is_measured_is_not_measured_again(study, monkeypatch):
    first = benchmark(study)
    cells = sorted((study / "out" / "cells").iterdir())
    cells[0].unlink()
    cells[1].write_text('{"row": {"psnr_wh')  # cut off by a crash
    calls = []
    upscale = run.upscaling.upscale
    monkeypatch.setattr(run.upscaling, "upscale", lambda *a, **k: calls.append(1) or upscale(*a, **k))
    second = benchmark(study)
    assert len(calls) == 2
    assert [line for line in second.splitlines() if "|" in line] == [line for line in first.splitlines() if "|" in line]


def test_a_changed_setting_is_measured_anew(study):
    benchmark(study)
    before = len(list((study / "out" / "cells").iterdir()))
    (study / "tiny.toml").write_text(PROTOCOL.replace("noise = 0.02", "noise = 0.05"))
    benchmark(study)
    assert len(list((study / "out" / "cells").iterdir())) == 2 * before


def test_a_volume_that_is_not_the_manifests_is_refused(study):
    sitk.WriteImage(sitk.Image(9, 9, 9, sitk.sitkFloat32), str(study / "v1.nii.gz"))
    with pytest.raises(InputError, match=r"v1\.nii\.gz.*not the one of the manifest"):
        benchmark(study)


def test_a_missing_volume_is_named(study):
    (study / "v0.nii.gz").unlink()
    with pytest.raises(InputError, match=r"v0\.nii\.gz"):
        benchmark(study)


def test_a_protocol_without_volumes_is_refused(study):
    (study / "tiny.toml").write_text(PROTOCOL.replace('"T1w"', '"PET"'))
    events = []
    with pytest.raises(InputError, match="No volume"):
        benchmark(study, progress=Progress(events.append))
    assert any("heads" in event.get("message", "") for event in events)


def test_an_unknown_method_is_refused_before_any_work(study):
    (study / "tiny.toml").write_text(PROTOCOL.replace('"bspline"', '"bsplin"'))
    with pytest.raises(OptionError, match="bspline"):
        benchmark(study)
    assert not (study / "out").exists()
