"""NIfTI files that ITK reads wrongly without a word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from MedSRLib import images


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["scan.nii.gz", "scan.nii"])
@pytest.mark.parametrize("shape", [(13, 10, 7), (2, 13, 10, 7), (70, 80, 90)])
def test_nan_and_infinite_voxels_are_not_taken_for_zero(
    tmp_path: Path, shape: tuple[int, ...], name: str, kind: type
) -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=shape).astype(kind)
    broken = random.random(shape) < 0.01
    values[broken] = random.choice([np.nan, np.inf, -np.inf], broken.sum())
    written = sitk.GetImageFromArray(values, isVector=False)
    written.SetSpacing((0.9, 1.1, 3.0, 2.0)[: len(shape)])
    sitk.WriteImage(written, tmp_path / name)
    read = images.read(tmp_path / name)
    found = sitk.GetArrayFromImage(read)
    assert np.array_equal(~np.isfinite(found), broken)
    assert np.array_equal(found[~broken], values[~broken])
    assert read.GetPixelID() == written.GetPixelID()
    assert read.GetSpacing() == pytest.approx(written.GetSpacing())


def test_scan_nii_gz_is_not_read_from_the_scan_nii_beside_it(tmp_path: Path) -> None:
    for name, value in (("scan.nii", 1.0), ("scan.nii.gz", 2.0)):
        values = np.full((13, 10, 7), value, np.float32)
        sitk.WriteImage(sitk.GetImageFromArray(values), tmp_path / name)
    assert sitk.GetArrayFromImage(images.read(tmp_path / "scan.nii.gz")).max() == 2
    assert sitk.GetArrayFromImage(images.read(tmp_path / "scan.nii")).max() == 1
