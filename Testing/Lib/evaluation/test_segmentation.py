"""Dice and volumes by hand; tissue classes where antspyx is installed."""

from __future__ import annotations

import math
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from MedSRLib.errors import InputError, MissingPackageError
from MedSRLib.evaluation import segmentation
from MedSRLib.evaluation.segmentation import _by_brightness, overlaps, tissues


def test_overlaps_and_volumes_by_hand() -> None:
    reference, result = np.zeros((4, 5, 6), dtype=np.uint8), np.zeros((4, 5, 6), dtype=np.float32)
    reference[0, 0, :4] = 2  # four voxels, three of them found, and two more
    result[0, 0, 1:6] = 2
    reference[3, 3, 3] = 5  # lost
    result[2, 2, 2] = 7  # invented
    second, fifth, seventh = overlaps(reference, result, spacing=(0.5, 1, 3))
    assert (second.label, second.dice, second.reference_mm3, second.result_mm3) == (2, 2 * 3 / 9, 6, 7.5)
    assert second.volume_error == 0.25
    assert (fifth.label, fifth.dice, fifth.volume_error) == (5, 0, -1)
    assert (seventh.label, seventh.dice, seventh.reference_mm3) == (7, 0, 0) and math.isnan(seventh.volume_error)


def test_identical_labels_overlap_wholly_and_background_is_no_label() -> None:
    labels = np.arange(24).reshape(2, 3, 4) % 3
    assert [o.dice for o in overlaps(labels, labels, spacing=(1, 1, 1))] == [1, 1]
    assert overlaps(np.zeros_like(labels), np.zeros_like(labels), spacing=(1, 1, 1)) == []


def test_what_are_no_labels_is_refused() -> None:
    labels = np.zeros((2, 3, 4))
    with pytest.raises(InputError, match="different shapes"):
        overlaps(labels, labels[1:], spacing=(1, 1, 1))
    with pytest.raises(InputError, match="fractional"):
        overlaps(labels, labels + 0.5, spacing=(1, 1, 1))


def test_classes_are_numbered_by_rising_intensity() -> None:
    labels = np.array([[[3, 3, 1, 2, 2, 0]]], dtype=np.uint8)
    array = np.array([[[5.0, 7.0, 90.0, 40.0, 44.0, 0.0]]])
    found = _by_brightness(labels, array, array > 0)
    assert found.tolist() == [[[1, 1, 3, 2, 2, 0]]]


def test_without_antspyx_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ants", None)
    with pytest.raises(MissingPackageError, match="segmentation"):
        tissues(np.zeros((3, 3, 3)), np.ones((3, 3, 3), dtype=bool), spacing=(1, 1, 1))


def shells() -> tuple[np.ndarray, np.ndarray]:
    """Three nested balls of 30, 70 and 110, and what is in them, (k, j, i)."""
    radius = np.sqrt(sum(np.square(g - 15.0) for g in np.indices((31, 31, 31))))
    labels = np.select([radius < 6, radius < 10, radius < 14], [3, 2, 1], 0)
    return np.choose(labels, [0, 30, 70, 110]).astype(np.float32), labels


def test_nothing_is_left_in_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Atropos writes its maps of probability there, and antspyx leaves them."""
    used: list[Path] = []

    def atropos(**_: object) -> dict[str, object]:
        used.append(Path(tempfile.mkdtemp()))
        return {"segmentation": 1}

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert segmentation._atropos(SimpleNamespace(atropos=atropos)) == 1
    assert used[0].is_relative_to(tmp_path)
    assert not list(tmp_path.iterdir())
    assert tempfile.tempdir == str(tmp_path)


def test_tissue_classes_of_nested_balls() -> None:
    pytest.importorskip("ants", reason="antspyx is not installed")
    array, labels = shells()
    noisy = array + np.random.default_rng(0).normal(0, 3, array.shape).astype(np.float32)
    found = tissues(noisy, labels > 0, spacing=(1, 1, 1))
    assert min(o.dice for o in overlaps(labels, found, spacing=(1, 1, 1))) > 0.97
    assert np.array_equal(found, tissues(noisy, labels > 0, spacing=(1, 1, 1)))
    blurred = tissues(gaussian_filter(noisy, 1), labels > 0, spacing=(1, 1, 1))
    assert np.mean([o.dice for o in overlaps(found, blurred, spacing=(1, 1, 1))]) < 0.9
    with pytest.raises(InputError, match="fewer than 3 intensities"):
        tissues(np.ones((5, 5, 5)), np.ones((5, 5, 5), dtype=bool), spacing=(1, 1, 1))
