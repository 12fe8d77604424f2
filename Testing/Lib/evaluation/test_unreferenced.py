"""The report without a reference: what is measured, what is shown, and what is said plainly."""

from __future__ import annotations

import csv
import dataclasses
import json
import re

import numpy as np
import pytest
import SimpleITK as sitk

from MedSRLib.acquisition import Acquisition
from MedSRLib.errors import InputError, OptionError
from MedSRLib.evaluation.scan import Scan
from MedSRLib.evaluation.unreferenced import write_report
from MedSRLib.evaluation.unreferenced_page import BASELINE
from MedSRLib.inference.runtime import Runtime
from MedSRLib.upscaling import upscale


def scan(sigma: float = 0.0, dimension: int = 3) -> sitk.Image:
    """A head-like ball with a dark hole in thick slices, oblique."""
    shape = (12, 36, 40)
    k, j, i = np.indices(shape, dtype=np.float32)
    radius2 = (3 * (k - 5.5)) ** 2 + (j - 17.5) ** 2 + (i - 19.5) ** 2
    array = 100.0 * (radius2 <= 225) - 60.0 * (radius2 <= 49)
    image = sitk.SmoothingRecursiveGaussian(sitk.GetImageFromArray(array.astype(np.float32)), 1.0)
    noise = sigma * np.random.default_rng(0).normal(size=shape)
    image += sitk.GetImageFromArray(noise.astype(np.float32))
    image.SetSpacing((1.0, 1.0, 3.0))
    image.SetDirection((0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, 1))
    return sitk.JoinSeries([image, image]) if dimension == 4 else image


def made(method: str, **options) -> sitk.Image:
    return upscale(scan(), method, scale=(1, 1, 3), options=options, runtime=Runtime())


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unreferenced") / "new"
    sharp = made("back-projection", noise=0)
    results = {"Soft <b>": made("linear"), "Sharp": sharp}
    path = write_report(folder, scan(), results, uncertainty={"Sharp": 0.1 * sitk.Abs(sharp)})
    return path, json.loads((folder / "metrics.json").read_text(encoding="utf-8"))


def test_numbers_are_taken_of_the_interpolated_input_and_every_result(written):
    path, content = written
    assert list(content["results"]) == [BASELINE, "Soft <b>", "Sharp"]
    sharp, soft = content["results"]["Sharp"], content["results"]["Soft <b>"]
    assert sharp["consistency"]["relative"]["mask"] < 0.2 * soft["consistency"]["relative"]["mask"]
    assert sharp["edge_width_mm"] < soft["edge_width_mm"]
    assert sharp["psi"] > 0 and 0 < sharp["lpc_si"] <= 1
    assert soft["uncertainty"] is None
    assert sharp["uncertainty"]["mean"] > 0
    rows = list(csv.DictReader((path.parent / "metrics.csv").open(encoding="utf-8")))
    assert [row["result"] for row in rows] == [BASELINE, "Soft <b>", "Sharp"]
    assert float(rows[2]["consistency_mask"]) == sharp["consistency"]["relative"]["mask"]
    assert rows[1]["uncertainty_mean"] == ""


def test_the_residual_is_the_root_mean_square_over_the_range():
    found = Scan.of(scan())
    residual = np.zeros_like(found.array)
    residual[found.mask] = 2.0
    low, high = found.span
    told = found.measured(residual)
    assert told["rmse"]["mask"] == pytest.approx(2.0)
    assert told["relative"]["mask"] == pytest.approx(2.0 / (high - low))
    assert told["rmse"]["whole"] == pytest.approx(2.0 * np.sqrt(found.mask.mean()))


def test_a_residual_is_told_beside_the_noise():
    noisy = Scan.of(scan(sigma=4.0))
    assert noisy.noise == pytest.approx(4.0, rel=0.3)
    told = noisy.measured(np.full_like(noisy.array, noisy.noise))
    assert told["over_noise"]["mask"] == pytest.approx(1.0)
    silent = dataclasses.replace(noisy, noise=0.0)
    assert silent.measured(noisy.array)["over_noise"]["mask"] is None


def test_the_page_is_self_contained_and_says_that_nothing_is_proven(written):
    text = written[0].read_text(encoding="utf-8")
    visible = " ".join(re.sub(r"data:image/png;base64,[^\"]*", "", text).split())
    assert "url(" not in text and "<script" not in text and "http" not in visible
    assert visible.count("Research use only") == 1
    for words in (
        "nothing on this page can prove that a detail is real",
        "Acquisition assumed of the input: physical (a Gaussian",
        "1 × 1 × 3 mm",
        "method: back-projection",
        "Soft &lt;b&gt;",
        "Uncertainty: what does the method guess?",
        "No best value is marked",
    ):
        assert words in visible
    assert text.count("data:image/png;base64,") == 5
    assert visible.index("Pictures</h2>") < visible.index("Numbers</h2>")


def test_the_assumed_acquisition_decides_what_is_consistent(tmp_path):
    made_for = made("back-projection", noise=0, acquisition="slice-profile", thickness=5.0)
    found = {}
    for name, assumed in {"spacing": Acquisition(), "told": Acquisition("slice-profile", 5.0)}.items():
        write_report(tmp_path / name, scan(), {"Result": made_for}, acquisition=assumed)
        content = json.loads((tmp_path / name / "metrics.json").read_text(encoding="utf-8"))
        found[name] = content["results"]["Result"]["consistency"]["relative"]["mask"]
        assert content["acquisition"] == assumed.described()
    assert found["told"] < 0.5 * found["spacing"]


def test_results_on_other_grids_are_shown_and_what_cannot_be_measured_is_said(tmp_path):
    straight = sitk.Image(40, 40, 36, sitk.sitkFloat32)
    straight.SetOrigin(scan().TransformContinuousIndexToPhysicalPoint((0.0, 9.0, 0.0)))
    oblique = sitk.Resample(scan(), straight, sitk.Transform(), sitk.sitkLinear)
    write_report(tmp_path, scan(), {"Fine": made("cubic"), "Oblique": oblique})
    content = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert content["results"]["Oblique"]["consistency"] is None
    assert any("oblique" in note for note in content["results"]["Oblique"]["notes"])
    assert content["results"]["Fine"]["consistency"] is not None


def test_what_cannot_be_looked_at_is_refused(tmp_path):
    elsewhere = made("linear")
    elsewhere.SetOrigin((500.0, 0.0, 0.0))
    flat = scan() * 0
    for image, results, maps, error, told in (
        (scan(), {}, {}, OptionError, "no result"),
        (scan(), {"Input": made("linear")}, {}, OptionError, "another name"),
        (scan(), {"A": made("linear")}, {"B": made("linear")}, OptionError, "no such result"),
        (scan(), {"A": elsewhere}, {}, InputError, "covers"),
        (scan(dimension=4), {"A": made("linear")}, {}, InputError, "4 dimensions"),
        (flat, {"A": made("linear")}, {}, InputError, "constant"),
    ):
        with pytest.raises(error, match=told):
            write_report(tmp_path / "out", image, results, uncertainty=maps)
    assert not (tmp_path / "out" / "report.html").exists()


def test_one_slice_is_looked_at(tmp_path):
    one = scan()[:, :, 5:6]
    write_report(tmp_path, one, {"A": upscale(one, "bspline", scale=(2, 2, 1), runtime=Runtime())})
    assert json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))["results"]["A"]["psi"] is not None
