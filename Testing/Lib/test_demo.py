"""The demonstration's volume is the one it says, and a small cut of it goes all the way to a report."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
import SimpleITK as sitk

from MedSRLib import demo
from MedSRLib.errors import InputError, MissingPackageError
from MedSRLib.inference.runtime import Runtime
from MedSRLib.progress import Event, Progress

CASES = (demo.Case("×2", "x2", (2, 2, 2)), demo.Case("×(1, 1, 4)", "x1x1x4", (1, 1, 4)))


@pytest.fixture(scope="module")
def brain() -> sitk.Image:
    return demo.reference(Progress())


@pytest.fixture(scope="module")
def outcome(brain: sitk.Image, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Event]]:
    events: list[Event] = []
    small = brain[60:92, 80:108, 60:84]
    folder = tmp_path_factory.mktemp("demo") / "new" / "folder"
    report = demo.demonstrate(small, CASES, folder, runtime=Runtime(), progress=Progress(events.append))
    return report, events


def test_the_reference_is_the_whole_brain_at_1_mm(brain: sitk.Image) -> None:
    assert brain.GetSpacing() == (1.0, 1.0, 1.0)
    assert all(n % 4 == 0 for n in brain.GetSize()), "the scales 2 and 4 would not be exact"
    values = sitk.GetArrayViewFromImage(brain)
    inside = values > 0
    # Nothing is cut off but at the neck, where the volume itself ends (k = 0).
    for face in (inside[-1], inside[:, 0], inside[:, -1], inside[:, :, 0], inside[:, :, -1]):
        assert not face.any()
    assert 1.5e6 < inside.sum() < 2.5e6, "mm³; the average head's brain with its surroundings is about 1.9 litres"


def test_the_volume_lies_where_nilearn_puts_it(brain: sitk.Image) -> None:
    """The centre of a known structure of MNI152, the anterior commissure near (0, 3, -4) mm, is inside."""
    index = brain.TransformPhysicalPointToIndex((0.0, -3.0, -4.0))  # LPS: anterior is -y
    assert all(0.25 * n < i < 0.75 * n for i, n in zip(index, brain.GetSize(), strict=True))


def test_report_numbers_and_volumes_are_left_in_the_folder(outcome: tuple[Path, list[Event]]) -> None:
    report, _ = outcome
    assert report.name == "report.html"
    assert "MNI152" in report.read_text(encoding="utf-8")
    volumes = {path.name for path in report.parent.glob("*.nii.gz")}
    assert volumes == {"reference.nii.gz"} | {
        f"{what}_{case.name}.nii.gz" for case in CASES for what in ("input", *demo.METHODS)
    }


def test_metrics_hold_every_method_and_scale_whole_and_masked(outcome: tuple[Path, list[Event]]) -> None:
    report, _ = outcome
    results = json.loads((report.parent / "metrics.json").read_text(encoding="utf-8"))["results"]
    assert {(entry["name"], entry["section"]) for entry in results.values()} == {
        (title, case.title) for title in demo.METHODS.values() for case in CASES
    }
    for name, entry in results.items():
        for where in ("whole", "mask"):
            assert 10 < entry["psnr"][where] < 60, name
            assert 0.1 < entry["ssim"][where] <= 1, name


def test_volumes_lie_on_the_reference_and_say_how_they_were_made(outcome: tuple[Path, list[Event]]) -> None:
    folder = outcome[0].parent
    reference = sitk.ReadImage(str(folder / "reference.nii.gz"))
    result = sitk.ReadImage(str(folder / "bspline_x2.nii.gz"))
    assert result.GetSize() == reference.GetSize()
    np.testing.assert_allclose(result.GetOrigin(), reference.GetOrigin(), atol=1e-5)
    np.testing.assert_allclose(result.GetSpacing(), reference.GetSpacing(), rtol=1e-6)
    coarse = sitk.ReadImage(str(folder / "input_x1x1x4.nii.gz"))
    np.testing.assert_allclose(coarse.GetSpacing(), (1, 1, 4), rtol=1e-6)
    made_by = json.loads((folder / "bspline_x2.json").read_text(encoding="utf-8"))
    assert made_by["method"] == "bspline"


def test_progress_rises_to_the_end(outcome: tuple[Path, list[Event]]) -> None:
    fractions = [event["fraction"] for event in outcome[1] if event["event"] == "progress"]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


def test_missing_nilearn_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> NoReturn:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", absent)
    with pytest.raises(MissingPackageError, match=r"\.\[demo\]"):
        demo.reference(Progress())


def test_another_volume_under_the_same_name_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sitk.WriteImage(sitk.Image([9, 8, 7], sitk.sitkUInt8), str(tmp_path / "other.nii.gz"))
    monkeypatch.setattr(demo, "VOLUME", str(tmp_path / "other.nii.gz"))
    with pytest.raises(InputError, match=r"\(9, 8, 7\)"):
        demo.reference(Progress())
