"""The report's inputs: every volume in the reference's coordinates, whatever lies between them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk


class Kept:
    """A process that ends at once; what it was to do is kept."""

    running = False

    def __init__(self, job: dict[str, Any], folder: Path) -> None:
        self.exitCode = 0
        self.job, self.images, self.sidecars = job, {}, {}

    def start(self) -> None:
        inputs = self.job["inputs"]
        for name, path in {"reference": inputs["reference"], **inputs["results"]}.items():
            self.images[name] = sitk.ReadImage(path)
            beside = Path(path).with_suffix(".json")
            self.sidecars[name] = json.loads(beside.read_text(encoding="utf-8")) if beside.exists() else {}

    def poll(self) -> list[Any]:
        return []

    def kill(self) -> None:
        """It has ended."""

    def tail(self) -> str:
        return ""


@pytest.fixture
def report(tmp_path: Path) -> Callable[..., tuple[Any, Kept]]:
    """Runs a report to its end; the run, and what its process was given."""

    def run(volumes: dict[str, Any], reference: Any, **more: Any) -> tuple[Any, Kept]:
        from MedSRScene.report_run import ReportRun

        made: list[Kept] = []

        def process(job: dict[str, Any], folder: Path) -> Kept:
            made.append(Kept(job, folder))
            return made[0]

        done = ReportRun(volumes, reference, tmp_path / "Bericht ü", process=process, **more)
        done.start()
        done.waitForEnd(20)
        return done, made[0] if made else None

    return run


def at_landmark(image: sitk.Image, reference: Any, landmark: np.ndarray) -> float:
    """The image's value at a world point, through the reference's transform."""
    from MedSRScene import places

    local = places.mapped(landmark[None], None, reference.GetParentTransformNode())[0] * [-1, -1, 1]
    return float(sitk.Cast(image, sitk.sitkFloat64).EvaluateAtPhysicalPoint(local.tolist(), sitk.sitkBSpline))


@pytest.mark.parametrize("parent", ["none", "rigid", "scaling"])
def test_volumes_are_written_where_the_reference_sees_them(
    report: Callable[..., Any], world_volume: Callable[..., Any], landmark: np.ndarray, parent: str
) -> None:
    reference = world_volume("oblique", "rigid")
    result = world_volume("left-handed", parent, name="result")
    result.SetAttribute("MedSR.method", "arssr")
    run, process = report({"ArSSR ×2": result}, reference)
    assert run.state == "done", run.errorMessage
    assert run.page.name == "report.html" and run.page.parent.name == "Bericht ü"
    assert process.job["task"] == "evaluate" and process.sidecars["ArSSR ×2"] == {"method": "arssr"}
    for name in ("reference", "ArSSR ×2"):
        assert at_landmark(process.images[name], reference, landmark) == pytest.approx(1000, abs=15)


def test_a_bent_volume_is_taken_from_the_comparison(
    report: Callable[..., Any], world_volume: Callable[..., Any], landmark: np.ndarray
) -> None:
    reference, bent = world_volume("plain"), world_volume("oblique", "bspline", name="bent")
    run, _ = report({"bent": bent}, reference)
    assert run.state == "failed" and "Compare first" in run.errorMessage
    same = world_volume("plain", name="bent on reference")
    run, process = report({"bent": bent}, reference, resampled={bent.GetID(): same.GetID()})
    assert run.state == "done", run.errorMessage
    assert process.images["bent"].GetSize() == process.images["reference"].GetSize()


def test_a_volume_that_is_gone_is_told(
    report: Callable[..., Any], world_volume: Callable[..., Any], scene: Any, tmp_path: Path
) -> None:
    from MedSRScene.report_run import ReportRun

    reference, result = world_volume("plain"), world_volume("plain", name="result")
    run = ReportRun({"result": result}, reference, tmp_path)
    scene.RemoveNode(result)
    run.start()
    assert run.state == "failed" and "not in the scene any more" in run.errorMessage
