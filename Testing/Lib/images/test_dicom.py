"""DICOM series are read with their geometry; gaps, mixtures and damaged slices are told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from MedSRLib import images
from MedSRLib.errors import InputError
from MedSRLib.progress import Progress

SERIES = "1.2.826.0.1.3680043.1"


def told(path: Path) -> str:
    """The one paragraph that is said of a file that cannot be used."""
    with pytest.raises(InputError) as error:
        images.read(path)
    text = str(error.value)
    assert "\n" not in text
    assert path.name in text
    return text


def dicom(folder: Path, image: sitk.Image, series: str = SERIES, skip: int | None = None) -> Path:
    """A DICOM series of an image, 16 bit, with file names in no order."""
    folder.mkdir(exist_ok=True)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    axes = np.array(image.GetDirection()).reshape(3, 3)
    for k in range(image.GetDepth()):
        part = sitk.Cast(image[:, :, k], sitk.sitkInt16)
        position = image.TransformIndexToPhysicalPoint((0, 0, k))
        tags = {
            "0008|0060": "MR",
            "0008|103e": "t1_tra",
            "0008|0018": f"{series}.{k}",
            "0010|0010": "Doe^Jane",
            "0020|000d": "1.2.3",
            "0020|000e": series,
            "0020|0013": str(k),
            "0020|0032": "\\".join(f"{x:.9g}" for x in position),
            "0020|0037": "\\".join(f"{x:.12g}" for x in (*axes[:, 0], *axes[:, 1])),
            "0018|0050": "2.0",  # the slices are thinner than their distance
        }
        for tag, value in tags.items():
            part.SetMetaData(tag, value)
        writer.SetFileName(str(folder / f"{series}-{(5 * k) % 7}.dcm"))
        if k != skip:
            writer.Execute(part)
    return folder


def test_a_dicom_folder_is_read_with_the_thickness_of_its_slices(tmp_path: Path, make_image) -> None:
    read = images.read(dicom(tmp_path / "series", sitk.Cast(make_image(kind="blobs"), sitk.sitkInt16)))
    assert images.slice_thickness(read) == 2.0
    assert images.slice_thickness(make_image(kind="blobs")) is None


def test_a_dicom_folder_is_read_with_the_distance_between_its_slices(tmp_path: Path, make_image) -> None:
    image = sitk.Cast(make_image(kind="blobs", direction="oblique"), sitk.sitkInt16)
    read = images.read(dicom(tmp_path / "Félix 软件", image))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(read), sitk.GetArrayFromImage(image))
    np.testing.assert_allclose(read.GetSpacing(), image.GetSpacing(), atol=1e-6)
    np.testing.assert_allclose(read.GetOrigin(), image.GetOrigin(), atol=1e-6)
    np.testing.assert_allclose(read.GetDirection(), image.GetDirection(), atol=1e-6)


def test_a_folder_without_dicom_is_told(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing here")
    text = told(tmp_path)
    assert "no DICOM series" in text
    assert ".nii.gz" in text


def test_several_series_in_a_folder_are_listed(tmp_path: Path, make_image) -> None:
    folder = dicom(tmp_path / "study", make_image())
    dicom(folder, make_image(), series=SERIES + "9", skip=2)
    text = told(folder)
    assert "2 DICOM series" in text
    assert f"'t1_tra' (7 files, {SERIES})" in text
    assert f"'t1_tra' (6 files, {SERIES}9)" in text


def test_a_missing_slice_is_told(tmp_path: Path, make_image, capfd: pytest.CaptureFixture) -> None:
    assert "missing" in told(dicom(tmp_path / "gap", make_image(), skip=3))
    assert capfd.readouterr() == ("", "")


def test_a_damaged_outer_slice_is_told(tmp_path: Path, make_image) -> None:
    """ITK makes a volume of the other slices."""
    folder = dicom(tmp_path / "cut", make_image())
    (folder / "notes.txt").write_text("no DICOM")
    path = folder / f"{SERIES}-0.dcm"
    path.write_bytes(path.read_bytes()[:-100])
    log: list[dict] = []
    assert images.read(folder, Progress(log.append)).GetSize() == (13, 10, 6)
    assert [event["level"] for event in log] == ["warning"]
    assert log[0]["message"].startswith("1 of the DICOM files")
    assert path.name in log[0]["message"]
