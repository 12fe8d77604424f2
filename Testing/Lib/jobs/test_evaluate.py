"""The task "evaluate" from files to files: which measures, and what it makes of volumes that are at the edge."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from MedSRLib.evaluation import measures, report, segmentation
from MedSRLib.jobs import runner

ROOM = ["core", "ssim-2d", "vif", "psi", "lpc-si", "hfen", "nmi", "ms-ssim", "fsc-resolution"]


def head(shape: tuple[int, int, int] = (44, 46, 49)) -> np.ndarray:
    """A textured ball in air without any variance, (k, j, i)."""
    k, j, i = np.indices(shape)
    inside = ((k - shape[0] // 2) / 18) ** 2 + ((j - 23) / 18) ** 2 + ((i - 24) / 19) ** 2 < 1
    return np.where(inside, 150 + 60 * np.sin(i / 2.0) * np.cos(j / 3.0) + 20 * np.cos(k / 2.0), 0).astype(np.float32)


def spoiled(array: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(1).normal(0, 8, array.shape)
    return (array + np.where(array > 0, noise, 0)).astype(np.float32)


def image(array: np.ndarray) -> sitk.Image:
    made = sitk.GetImageFromArray(array)
    made.SetSpacing((1.0, 1.0, 1.5))
    return made


@pytest.fixture
def evaluate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, dict[str, Any], dict[str, Any]]]:
    """Run the task on images; the exit code, the last event, and what metrics.json says."""

    def run(
        reference: sitk.Image, result: sitk.Image, measures: list[str], *, drawn: bool = False, **others: sitk.Image
    ) -> Any:
        if not drawn:  # The pictures take most of the time.
            monkeypatch.setattr(report, "page", lambda *_: "")
        inputs: dict[str, Any] = {"reference": reference, "results": {"A": result}} | others
        for name, given in [("A", result), *((k, v) for k, v in inputs.items() if k != "results")]:
            sitk.WriteImage(given, str(tmp_path / f"{name}.nrrd"))
        paths = {k: str(tmp_path / f"{k}.nrrd") for k in inputs if k != "results"}
        job = {
            "task": "evaluate",
            "inputs": paths | {"results": {"A": str(tmp_path / "A.nrrd")}},
            "outputs": {"folder": str(tmp_path / "report")},
            "parameters": {"measures": measures},
        }
        events: list[dict[str, Any]] = []
        code = runner.run(job, events.append)
        written = tmp_path / "report" / "metrics.json"
        return code, events[-1], json.loads(written.read_text(encoding="utf-8")) if written.exists() else {}

    return run


def test_the_default_is_the_core_and_what_is_cheap(evaluate: Any) -> None:
    code, end, content = evaluate(image(head()), image(spoiled(head())), ["default"])
    assert (code, end["measures"]) == (0, list(measures.DEFAULT))
    assert all(content["results"]["A"][name]["mask"] is not None for name in measures.DEFAULT)
    assert content["reference"]["psi"]["mask"] > 0


def test_identical_images(evaluate: Any) -> None:
    _, end, content = evaluate(image(head()), image(head()), ROOM, drawn=True)
    found = content["results"]["A"]
    page = Path(end["outputs"]["report"])
    # JSON has no infinity; the page has.
    assert found["psnr"] == {"mask": None, "whole": None}
    perfect = {"ssim": 1, "mae": 0, "nrmse": 0, "ncc": 1, "ssim-2d": 1, "vif": 1, "hfen": 0, "nmi": 2}
    assert {name: found[name]["mask"] for name in perfect} == pytest.approx(perfect, abs=1e-6)
    assert found["psi"] == content["reference"]["psi"] and found["lpc-si"] == content["reference"]["lpc-si"]
    assert all(v is None for v in found["slices"]["psnr"]["k"])
    assert ">∞<" in page.read_text(encoding="utf-8")


def test_one_slice(evaluate: Any) -> None:
    picture = head((1, 46, 49))
    code, _, content = evaluate(image(picture), image(spoiled(picture)), ROOM, drawn=True)
    found = content["results"]["A"]
    assert code == 0 and found["ssim_window"] == [1, 7, 7]
    assert all(found[name][measures.MEASURES[name].regions[0]] is not None for name in measures.chosen(ROOM))
    # Of the measures of slices the picture alone counts.
    assert set(found["slices"]["vif"]) == {"k"} and found["slices"]["vif"]["k"] == [found["vif"]["mask"]]


def test_a_result_without_variance_and_regions_without_any(evaluate: Any) -> None:
    flat = np.full_like(head(), 100)
    code, _, content = evaluate(image(head()), image(flat), ROOM, drawn=True)
    found = content["results"]["A"]
    # The error of a constant is the reference's own spread, and nothing of its detail is there.
    inside = head()[head() > 0]
    assert code == 0 and found["nrmse"]["mask"] == pytest.approx(
        np.sqrt(np.mean((inside - 100) ** 2)) / head().max(), rel=1e-3
    )
    expected = {"ncc": 0, "vif": 0, "psi": 0, "lpc-si": 0, "nmi": 1}
    assert {name: found[name]["mask"] for name in expected} == pytest.approx(expected, abs=1e-6)
    assert found["fsc-resolution"]["whole"] is None


def test_another_grid_and_partial_overlap_are_compared_and_told(evaluate: Any) -> None:
    finer = sitk.Expand(image(spoiled(head())), [2, 2, 2], sitk.sitkLinear)
    _, _, content = evaluate(image(head()), finer, ["core"])
    assert "resampled to the reference's grid" in content["results"]["A"]["notes"][0]
    _, _, content = evaluate(image(head()), image(spoiled(head()))[:, :, 12:], ["core"])
    assert any(note.startswith("covers 9") or note.startswith("covers 8") for note in content["results"]["A"]["notes"])
    code, end, _ = evaluate(image(head()), image(spoiled(head()))[:, :, 30:], ["core"])
    assert code == 2 and "covers" in end["message"]


def test_a_missing_mask_is_found_and_a_given_one_is_used(evaluate: Any) -> None:
    _, _, automatic = evaluate(image(head()), image(spoiled(head())), ["core"])
    assert "found automatically" in automatic["mask"]
    half = np.zeros(head().shape, np.uint8)
    half[:22] = 1
    _, _, given = evaluate(image(head()), image(spoiled(head())), ["core"], mask=image(half))
    assert "given by the user" in given["mask"] and "50.0%" in given["mask"]


def test_a_constant_reference_is_refused(evaluate: Any) -> None:
    code, end, content = evaluate(image(np.full_like(head(), 3)), image(head()), ["core"])
    assert code == 2 and "constant" in end["message"] and content == {}


def test_lesions_add_their_measures(evaluate: Any) -> None:
    lesion = np.zeros(head().shape, np.uint8)
    lesion[20:24, 20:25, 20:26] = 1
    _, end, content = evaluate(image(head()), image(spoiled(head())), ["psnr"], lesions=image(lesion))
    assert end["measures"] == ["psnr", "lesion-mae", "lesion-contrast"]
    assert set(content["results"]["A"]["lesion-mae"]) == {"mask", "lesion 1"}


def test_labels_add_dice_and_the_reference_shows_what_can_be_reached(
    evaluate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A threshold stands in for the segmentation, which needs a package."""

    def bright(array: np.ndarray, *_: object, **__: object) -> np.ndarray:
        return (array > 150).astype(np.int64)

    monkeypatch.setattr(segmentation, "by_priors", bright)
    monkeypatch.setattr(measures.importlib.util, "find_spec", lambda name: name)
    labels = image(bright(head()).astype(np.uint8))
    _, end, content = evaluate(image(head()), image(spoiled(head())), ["psnr"], labels=labels)
    assert end["measures"] == ["psnr", "dice", "volume-error"]
    assert content["reference"]["dice"] == {"mask": 1, "label 1": 1}
    assert 0.5 < content["results"]["A"]["dice"]["label 1"] < 1


@pytest.mark.parametrize(
    ("wanted", "words"),
    [(["core", "lpisp"], "'lpips'"), (["lesion-mae"], "mask of the lesions"), ([""], "There is no measure ''")],
)
def test_what_cannot_be_measured_is_refused(evaluate: Any, wanted: list[str], words: str) -> None:
    code, end, content = evaluate(image(head()), image(head()), wanted)
    assert code == 2 and words in end["message"] and content == {}


@pytest.mark.parametrize("parameters", [{"measures": []}, {"measure": ["core"]}, {"measures": "core"}])
def test_other_parameters_are_refused(tmp_path: Path, parameters: dict[str, Any]) -> None:
    (tmp_path / "a.nrrd").write_text("")
    inputs = {"reference": str(tmp_path / "a.nrrd"), "results": {"A": str(tmp_path / "a.nrrd")}}
    job = {"task": "evaluate", "inputs": inputs, "outputs": {"folder": str(tmp_path)}, "parameters": parameters}
    events: list[dict[str, Any]] = []
    assert runner.run(job, events.append) == 2 and "measure" in events[-1]["message"]
