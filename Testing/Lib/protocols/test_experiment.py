"""What is given to methods and what is measured of their results."""

import json

import numpy as np
import pytest
import SimpleITK as sitk

from MedSRLib.errors import InputError
from MedSRLib.evaluation import metrics
from MedSRLib.foreground import foreground
from MedSRLib.protocols import experiment

SHAPE = (9, 14, 15)

BASE = """
[protocol]
name = "tiny"
scales = [2]
measures = ["psnr", "ssim-2d"]
tested = ["psnr"]
[[volumes]]
label = "all"
modality = "T1w"
[[degradation]]
name = "physical"
kind = "physical"
[[method]]
label = "Linear"
identifier = "linear"
"""


def volume(shape=SHAPE, seed=0):
    """Smooth and nowhere constant, all of it foreground."""
    k, j, i = np.indices(shape)
    noise = np.random.default_rng(seed).random(shape)
    return (100 + 40 * np.sin(k / 2 + seed) * np.cos(j / 3) + 20 * np.sin(i / 2) + 5 * noise).astype(np.float32)


@pytest.fixture
def given(monkeypatch):
    """What methods were given: images, guides, wanted grids."""
    calls = []
    upscale = experiment.upscaling.upscale

    def seen(image, method, **settings):
        calls.append({"image": image, "method": method} | settings)
        return upscale(image, method, **settings)

    monkeypatch.setattr(experiment.upscaling, "upscale", seen)
    return calls


def rows(study):
    return json.loads((study.folder / "out" / "results.json").read_text(encoding="utf-8"))["rows"]


def dropping(text):
    return text.replace("scales = [2]", "scales = [{ through-plane = 2 }]").replace('"physical"', '"drop"')


@pytest.mark.parametrize("slices", [9, 10])
def test_of_dropped_slices_only_those_between_kept_ones_are_measured(empty, slices, given):
    array = volume((slices, 14, 15))
    empty.add("v.nii.gz", array, subject="a")
    empty.write(dropping(BASE))
    empty.run()
    (call,), (row,) = given, rows(empty)
    kept = sitk.GetArrayFromImage(call["image"])
    assert np.array_equal(kept, array[::2])
    between = (kept[:-1] + kept[1:]) / 2
    away = array[1 : 2 * len(kept) - 2 : 2]
    assert len(away) == len(between) == 4
    expected = metrics.psnr(away, between, data_range=float(np.ptp(away)))
    assert row["psnr_whole"] == pytest.approx(expected, abs=1e-4)
    by_slice = json.loads((empty.folder / "out" / "results.json").read_text(encoding="utf-8"))["curves"]
    assert by_slice[0]["index"] == [1, 3, 5, 7]


def test_two_slices_leave_nothing_to_drop(empty):
    empty.add("v.nii.gz", volume((2, 14, 15)), subject="a")
    empty.write(dropping(BASE))
    with pytest.raises(InputError, match="None can be taken away"):
        empty.run()


def test_slices_are_dropped_along_the_named_axis(empty, given):
    empty.add("v.nii.gz", volume(), subject="a")
    empty.write(dropping(BASE).replace('label = "all"', 'label = "all"\naxis = "y"'))
    empty.run()
    assert np.array_equal(sitk.GetArrayFromImage(given[0]["image"]), volume()[:, ::2])


def test_rotations_turn_the_input_and_score_the_same_for_a_method_that_knows_no_direction(empty, given):
    array = volume((9, 14, 16))
    empty.add("v.nii.gz", array, subject="a")
    plane = BASE.replace("scales = [2]", "scales = [{ in-plane = 2 }]\nrotations = [0, 90, 180, 270]")
    empty.write(plane)
    empty.run()
    assert [call["image"].GetSize() for call in given] == [(8, 7, 9), (7, 8, 9), (8, 7, 9), (7, 8, 9)]
    turned = sitk.GetArrayFromImage(given[1]["image"])
    np.testing.assert_allclose(turned, np.rot90(sitk.GetArrayFromImage(given[0]["image"]), axes=(1, 2)), atol=1e-3)
    found = rows(empty)
    assert [row["rotation"] for row in found] == [0, 90, 180, 270]
    assert [row["psnr_mask"] for row in found] == pytest.approx([found[0]["psnr_mask"]] * 4, abs=1e-3)
    content = json.loads((empty.folder / "out" / "results.json").read_text(encoding="utf-8"))
    assert len(content["by_rotation"]) == 4 and content["summary"][0]["n"] == 1


def test_the_target_of_the_same_subject_is_the_truth(empty, given):
    empty.add("t1.nii.gz", volume(), subject="a")
    empty.add("t2.nii.gz", volume(seed=1), subject="a", modality="T2w")
    empty.add("other.nii.gz", volume(seed=2), subject="b")
    empty.write(BASE.replace('modality = "T1w"', 'modality = "T1w"\ntarget = "T2w"'))
    warnings = []
    from MedSRLib.progress import Progress

    empty.run(progress=Progress(warnings.append))
    (call,), (row,) = given, rows(empty)
    assert any("'b' has no T2w as target" in event.get("message", "") for event in warnings)
    from MedSRLib import upscaling

    result = upscaling.upscale(call["image"], "linear", like=call["like"])
    truth, made = volume(seed=1), sitk.GetArrayFromImage(result)
    mask = foreground(truth)
    slope, offset = np.polyfit(made[mask].astype(np.float64), truth[mask].astype(np.float64), 1)  # units are arbitrary
    found = metrics.psnr(truth, (slope * made + offset).astype(np.float32), data_range=float(np.ptp(truth)))
    assert row["psnr_whole"] == pytest.approx(found, abs=1e-4)


def test_frames_of_a_series_are_cases_of_their_own(empty):
    empty.add("series.nii.gz", np.stack([volume(seed=s) for s in range(5)]), subject="a")
    empty.write(BASE.replace('label = "all"', 'label = "all"\nframes = 3'))
    empty.run()
    assert [row["frame"] for row in rows(empty)] == [0, 2, 4]
    assert len({row["psnr_mask"] for row in rows(empty)}) == 3


def test_the_brain_mask_of_the_manifest_is_what_counts(empty):
    brain = np.zeros(SHAPE, np.float32)
    brain[2:6, 3:9, 4:11] = 1
    mask = empty.add("mask.nii.gz", brain, listed=False)
    empty.add("v.nii.gz", volume(), subject="a", mask=mask.name)
    empty.write(BASE.replace("[[volumes]]", 'mask = "brain"\n[[volumes]]'))
    empty.run()
    (row,) = rows(empty)
    assert "given by the user" in row["mask"] and f"{int(brain.sum())} voxels" in row["mask"]


def test_a_missing_brain_mask_is_refused_unless_the_skull_is_stripped(empty):
    empty.add("v.nii.gz", volume(), subject="a")
    empty.write(BASE.replace("[[volumes]]", 'mask = "brain"\n[[volumes]]'))
    with pytest.raises(InputError, match=r"has no brain mask.*column `mask`"):
        empty.run()
    empty.lines[0]["skull_stripped"] = "yes"
    empty.manifest()
    assert "inside the brain mask" in empty.run()


def test_lesions_come_from_the_manifest(empty):
    lesion = np.zeros(SHAPE, np.float32)
    lesion[4, 5:8, 6:9] = 1
    empty.write(BASE.replace('"ssim-2d"', '"lesion-mae"'))
    empty.add("v.nii.gz", volume(), subject="a")
    with pytest.raises(InputError, match="has no mask of lesions"):
        empty.run()
    empty.lines[0]["lesions"] = empty.add("lesion.nii.gz", lesion, listed=False).name
    empty.manifest()
    empty.run()
    (row,) = rows(empty)
    assert row["lesion-mae_mask"] > 0


def test_slices_of_air_are_not_counted(empty):
    array = volume()
    array[0] = 3.0
    array[0, 0, 0] = 3.01
    mask = empty.add("mask.nii.gz", np.ones(SHAPE, np.float32), listed=False)
    empty.add("v.nii.gz", array, subject="a", mask=mask.name)
    empty.write(BASE.replace("[[volumes]]", 'mask = "brain"\n[[volumes]]'))
    empty.run()
    (cell,) = (empty.folder / "out" / "cells").iterdir()
    found = json.loads(cell.read_text(encoding="utf-8"))["slices"]
    assert found["psnr"][0] is None and found["mae"][0] is None and found["ssim-2d"][0] is None
    assert all(found["psnr"][1:])


def test_a_method_is_averaged_over_turns_and_refined_where_the_protocol_says_so(study, given):
    linear = '[[method]]\nlabel = "{}"\nidentifier = "linear"\n{}\n'
    others = linear.format("Turned", 'ensemble = "flips"') + linear.format("Refined", "refine = true")
    study.write(BASE + others)
    study.run()
    assert [(call["ensemble"], call["refine"] is not None) for call in given[:3]] == [
        (None, False),
        ("flips", False),
        (None, True),
    ]
    found = {row["method"]: row["psnr_mask"] for row in rows(study)}
    assert found["Refined"] > found["Linear"] + 0.3
    assert found["Turned"] == pytest.approx(found["Linear"], abs=1e-3)  # linear interpolation knows no direction
    page = (study.folder / "out" / "benchmark.html").read_text(encoding="utf-8")
    assert "averaged over flips" in page and ", refined" in page
