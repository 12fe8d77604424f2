"""Images are written whole, with their origin, or not at all."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from MedSRLib import images, provenance
from MedSRLib.errors import OutputError

NAMES = ("x.nii.gz", "x.nii", "x.nrrd", "x.mha")


@pytest.mark.parametrize("name", [*NAMES, "X.NII.GZ"])
@pytest.mark.parametrize("direction", ["oblique", "left-handed", "sagittal"])
def test_an_image_comes_back_as_it_was(tmp_path: Path, make_image, name: str, direction: str) -> None:
    folder = tmp_path / "Félix 软件"
    folder.mkdir()
    image = make_image(direction=direction, kind="noise")
    images.write(image, folder / name)
    assert [path.name for path in folder.iterdir()] == [name]
    read = images.read(folder / name)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(read), sitk.GetArrayFromImage(image))
    for get in ("GetSpacing", "GetOrigin", "GetDirection"):
        np.testing.assert_allclose(getattr(read, get)(), getattr(image, get)(), atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_4d_image_keeps_its_frames_and_their_distance(tmp_path: Path, make_image, name: str) -> None:
    series = sitk.JoinSeries([make_image(kind="noise"), make_image(kind="ramp")], 5.0, 33.0)
    images.write(series, tmp_path / name, provenance=provenance.record())
    read = images.read(tmp_path / name)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(read), sitk.GetArrayFromImage(series))
    np.testing.assert_allclose(read.GetSpacing(), series.GetSpacing(), atol=1e-5)
    np.testing.assert_allclose(read.GetDirection(), series.GetDirection(), atol=1e-6)


# --- provenance ---------------------------------------------------------------------------------------------

RECORD = {"task": "upscale", "method": "arssr", "scale": [2.0, 2.0, 2.0], "model": None, "by": "Félix\n软件"}


@pytest.mark.parametrize("name", NAMES)
def test_the_provenance_lies_beside_the_image(tmp_path: Path, make_image, name: str) -> None:
    record = provenance.record(**RECORD)
    images.write(make_image(), tmp_path / name, provenance=record)
    assert {path.name for path in tmp_path.iterdir()} == {name, "x.json"}
    assert images.sidecar(tmp_path / name) == tmp_path / "x.json"
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8")) == record


@pytest.mark.parametrize("name", ["x.nrrd", "x.mha"])
def test_the_header_has_the_whole_provenance(tmp_path: Path, make_image, name: str) -> None:
    image = make_image()
    image.SetMetaData("MedSR_device", "cpu")
    images.write(image, tmp_path / name, provenance=provenance.record(**RECORD))
    read = sitk.ReadImage(tmp_path / name)
    assert read.GetMetaData("MedSR_device") == "cpu"
    assert read.GetMetaData("MedSR_method") == "arssr"
    assert read.GetMetaData("MedSR_scale") == "[2.0, 2.0, 2.0]"
    assert read.GetMetaData("MedSR_by") == r"F\xe9lix \u8f6f\u4ef6"
    assert "esearch use only" in read.GetMetaData("MedSR_note")
    assert "MedSR_model" not in read.GetMetaDataKeys()


def test_a_nifti_header_has_a_summary(tmp_path: Path, make_image) -> None:
    images.write(make_image(), tmp_path / "x.nii", provenance=provenance.record(**RECORD))
    description = (tmp_path / "x.nii").read_bytes()[148:228].rstrip(b"\0").decode("ascii")
    assert description == provenance.summary(provenance.record(**RECORD))


def test_other_metadata_stays_out_and_the_image_is_left_as_it_is(tmp_path: Path, make_image) -> None:
    image = make_image()
    image.SetMetaData("0010|0010", "Doe^Jane")
    images.write(image, tmp_path / "x.nrrd", provenance=provenance.record(method="linear"))
    assert b"Doe" not in (tmp_path / "x.nrrd").read_bytes()
    assert image.GetMetaDataKeys() == ("0010|0010",)


def test_a_sidecar_that_is_not_ours_is_not_overwritten(tmp_path: Path, make_image) -> None:
    for content in ('{"RepetitionTime": 2.3}', "[1]", "no json", "3"):
        (tmp_path / "x.json").write_text(content)
        with pytest.raises(OutputError, match=r"x\.json"):
            images.write(make_image(), tmp_path / "x.nii.gz", provenance=provenance.record())
        assert (tmp_path / "x.json").read_text(encoding="utf-8") == content
        assert not (tmp_path / "x.nii.gz").exists()
    images.write(make_image(), tmp_path / "x.nii.gz")
    (tmp_path / "x.json").unlink()
    for method in ("linear", "cubic"):
        images.write(make_image(), tmp_path / "x.nii.gz", provenance=provenance.record(method=method))
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))["method"] == "cubic"


# --- what cannot be written ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["x.docx", "x", "x.nii.zip", "x.png", "x.mhd"])
def test_an_unknown_ending_is_told(tmp_path: Path, make_image, name: str) -> None:
    with pytest.raises(OutputError, match=r"\.nii\.gz"):
        images.write(make_image(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_and_a_folder_in_the_way_are_told(tmp_path: Path, make_image) -> None:
    (tmp_path / "x.nii").mkdir()
    for path in (tmp_path / "no" / "x.nii", tmp_path / "x.nii"):
        with pytest.raises(OutputError, match=r"x\.nii"):
            images.write(make_image(), path, provenance=provenance.record())
    assert [path.name for path in tmp_path.iterdir()] == ["x.nii"]


@contextmanager
def files_of_at_most(length: int) -> Iterator[None]:
    """A process that cannot write longer files: what a full disk does, without a disk."""
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (length, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("missing", [1, 7, 400, 1800, 3500])
def test_a_file_that_gets_too_short_is_told_and_the_old_one_stays(
    tmp_path: Path, make_image, name: str, missing: int, capfd: pytest.CaptureFixture
) -> None:
    """ITK's NIfTI writer says nothing, its NRRD writer only if much is missing."""
    path = tmp_path / name
    images.write(make_image(kind="noise"), path)
    before = path.read_bytes()
    capfd.readouterr()
    with files_of_at_most(max(len(before) - missing, 60)), pytest.raises(OutputError, match="full") as error:
        images.write(make_image(kind="noise"), path)
    assert "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_no_room_for_the_sidecar_leaves_nothing(tmp_path: Path, make_image) -> None:
    record = provenance.record(text="x" * 20000)
    with files_of_at_most(10000), pytest.raises(OutputError):
        images.write(make_image(), tmp_path / "x.nii.gz", provenance=record)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 100 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=100k", "none", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("mounting a small tmpfs is not permitted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk_is_told_and_left_clean(small_disk: Path, make_image, name: str) -> None:
    image = make_image(size=(40, 40, 40), kind="noise")
    with pytest.raises(OutputError, match="full"):
        images.write(image, small_disk / name, provenance=provenance.record())
    assert list(small_disk.iterdir()) == []
    images.write(make_image(), small_disk / name, provenance=provenance.record())
