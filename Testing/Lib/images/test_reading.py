"""What can be read is read as it is; what is missing, damaged or unclear is told in one paragraph."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from MedSRLib import images
from MedSRLib.errors import InputError
from MedSRLib.progress import Progress

DIM, PIXDIM, QFORM_CODE, SROW, HEADER = 40, 76, 252, 280, 352


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def progress(log: list[str]) -> Progress:
    return Progress(lambda event: log.append(f"{event['level']}: {event['message']}"))


def told(path: Path) -> str:
    """The one paragraph that is said of a file that cannot be used."""
    with pytest.raises(InputError) as error:
        images.read(path)
    text = str(error.value)
    assert "\n" not in text
    assert path.name in text
    return text


def assert_same(a: sitk.Image, b: sitk.Image) -> None:
    np.testing.assert_array_equal(sitk.GetArrayViewFromImage(a), sitk.GetArrayViewFromImage(b))
    assert a.GetPixelID() == b.GetPixelID()
    for get in ("GetSpacing", "GetOrigin", "GetDirection"):
        np.testing.assert_allclose(getattr(a, get)(), getattr(b, get)(), atol=1e-5)


def nifti(path: Path, image: sitk.Image, **fields: tuple[int, str, tuple]) -> Path:
    """A NIfTI file with header fields overwritten: name=(offset, format, values)."""
    sitk.WriteImage(image, path.with_suffix(".tmp.nii"))
    content = bytearray(path.with_suffix(".tmp.nii").read_bytes())
    path.with_suffix(".tmp.nii").unlink()
    for offset, form, values in fields.values():
        struct.pack_into("<" + form, content, offset, *values)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


# --- what can be read ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["x.nii.gz", "x.nii", "x.nrrd", "x.mha", "x.mhd"])
@pytest.mark.parametrize("direction", ["oblique", "left-handed"])
def test_files_of_every_format_are_read_as_they_are(tmp_path: Path, make_image, name: str, direction: str):
    folder = tmp_path / "Félix 软件"
    folder.mkdir()
    image = make_image(direction=direction, kind="noise")
    sitk.WriteImage(image, folder / name)
    assert_same(images.read(folder / name), image)
    assert_same(images.read(str(folder / name)), image)


def test_the_pixel_type_of_the_file_is_kept(tmp_path: Path, make_image) -> None:
    image = sitk.Cast(make_image(kind="blobs"), sitk.sitkInt16)
    sitk.WriteImage(image, tmp_path / "x.nii.gz")
    assert_same(images.read(tmp_path / "x.nii.gz"), image)


def test_a_4d_file_is_read_whole(tmp_path: Path, make_image) -> None:
    series = sitk.JoinSeries([make_image(kind="noise")] * 3, 4.0, 33.0)
    sitk.WriteImage(series, tmp_path / "x.nii.gz")
    read = images.read(tmp_path / "x.nii.gz")
    assert read.GetSize() == (13, 10, 7, 3)
    assert read.GetSpacing()[3] == 33.0


def test_an_uncompressed_nifti_file_under_a_compressed_name_is_read(tmp_path: Path, make_image) -> None:
    image = make_image()
    sitk.WriteImage(image, tmp_path / "x.nii")
    (tmp_path / "x.nii").rename(tmp_path / "x.nii.gz")
    assert_same(images.read(tmp_path / "x.nii.gz"), image)


# --- damaged files ------------------------------------------------------------------------------------------


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    assert "no file or folder" in told(tmp_path / "none.nii.gz")


@pytest.mark.parametrize("name", ["x.nii.gz", "x.nii", "x.nrrd", "x.mha"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.95, 0.99])
def test_a_file_cut_short_anywhere_is_told(tmp_path: Path, make_image, name: str, share: float) -> None:
    path = tmp_path / name
    sitk.WriteImage(make_image(kind="noise"), path, useCompression=True)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    assert "cut short" in told(path)


def test_a_sound_gzip_stream_around_half_an_image_is_told(tmp_path: Path, make_image) -> None:
    path = nifti(tmp_path / "x.nii.gz", make_image())
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:2000]))
    assert "2000 of 3992 bytes" in told(path)


def test_a_flipped_bit_in_compressed_data_is_told(tmp_path: Path, make_image) -> None:
    path = nifti(tmp_path / "x.nii.gz", make_image(kind="noise"))
    content = bytearray(path.read_bytes())
    content[-200] ^= 0x10
    path.write_bytes(content)
    assert "damaged" in told(path)


@pytest.mark.parametrize("name", ["x.nii.gz", "x.nii", "x.nrrd", "x.mha", "x.dcm", "x", "x.unknown"])
@pytest.mark.parametrize("content", [b"", b"not an image\n" * 100], ids=["empty", "text"])
def test_what_is_no_image_is_told(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert "cannot be read" in told(tmp_path / name)


def test_an_analyze_pair_is_told(tmp_path: Path, make_image) -> None:
    sitk.WriteImage(make_image(direction="identity"), tmp_path / "x.hdr")
    assert "pair" in told(tmp_path / "x.hdr")
    assert "pair" in told(tmp_path / "x.img")


def test_random_damage_to_a_header_is_told_or_harmless(tmp_path: Path, make_image, rng: np.random.Generator) -> None:
    """No damage ends in another error than ours."""
    path = nifti(tmp_path / "x.nii", make_image())
    sound = path.read_bytes()
    refused = 0
    for _ in range(200):
        content = bytearray(sound)
        for place in rng.integers(0, HEADER, 8):
            content[place] = rng.integers(0, 256)
        path.write_bytes(content)
        try:
            images.read(path)
        except InputError:
            refused += 1
    assert 0 < refused < 200


# --- sound files that are no usable images ------------------------------------------------------------------


def test_a_flat_image_is_told(tmp_path: Path, make_image) -> None:
    sitk.WriteImage(make_image()[:, :, 3], tmp_path / "x.nii.gz")
    assert "2 dimensions" in told(tmp_path / "x.nii.gz")


def test_a_colour_image_is_told(tmp_path: Path) -> None:
    colour = sitk.GetImageFromArray(np.zeros((5, 6, 7, 3), np.uint8), isVector=True)
    for name in ("x.nrrd", "x.nii.gz", "x.mha"):
        sitk.WriteImage(colour, tmp_path / name)
        assert "colour" in told(tmp_path / name)


def test_a_5d_image_is_told(tmp_path: Path, make_image) -> None:
    path = nifti(tmp_path / "x.nii", make_image(), dim=(DIM, "8h", (5, 13, 5, 7, 1, 2, 1, 1)))
    assert "5 dimensions" in told(path)


def test_an_image_without_finite_values_is_told(tmp_path: Path, make_image) -> None:
    sitk.WriteImage(make_image() * float("nan"), tmp_path / "x.nii.gz")
    assert "finite" in told(tmp_path / "x.nii.gz")


@pytest.mark.parametrize("dim", [(3, 0, 10, 7), (3, 13, -10, 7), (0, 1, 1, 1)])
def test_a_zero_sized_nifti_file_is_told(tmp_path: Path, make_image, dim: tuple[int, ...]) -> None:
    assert "empty" in told(nifti(tmp_path / "x.nii.gz", make_image(), dim=(DIM, "4h", dim)))


@pytest.mark.parametrize("name", ["x.nii", "x.nii.gz"])
@pytest.mark.parametrize("spacing", [0.0, -1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("axis", range(3))
def test_an_impossible_spacing_of_a_nifti_file_is_told(
    tmp_path: Path, make_image, name: str, spacing: float, axis: int
) -> None:
    """ITK takes it for 1 mm."""
    path = nifti(tmp_path / name, make_image(), pixdim=(PIXDIM + 4 * (1 + axis), "f", (spacing,)))
    assert "spacing" in told(path)


def test_an_unknown_repetition_time_is_no_reason_to_refuse(tmp_path: Path, make_image) -> None:
    series = sitk.JoinSeries([make_image()] * 2)
    path = nifti(tmp_path / "x.nii", series, pixdim=(PIXDIM + 16, "f", (0.0,)))
    assert images.read(path).GetSize() == (13, 10, 7, 2)


def metaimage(path: Path, size: str = "4 4 4", spacing: str = "1 1 1", more: str = "") -> Path:
    header = (
        "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n"
        f"{more}ElementSpacing = {spacing}\nDimSize = {size}\nElementType = MET_FLOAT\nElementDataFile = LOCAL\n"
    )
    path.write_bytes(header.encode() + bytes(4 * 64))
    return path


def test_impossible_metaimages_are_told(tmp_path: Path) -> None:
    assert "0 × 4" in told(metaimage(tmp_path / "size.mha", size="4 0 4"))
    assert "spacing of 0" in told(metaimage(tmp_path / "h.mha", spacing="1 0 1"))
    singular = "TransformMatrix = 1 0 0 0 1 0 0 1 0\n"
    assert "independent" in told(metaimage(tmp_path / "d.mha", more=singular))
    assert images.read(metaimage(tmp_path / "sound.mha")).GetSize() == (4, 4, 4)


# --- axes that are not at right angles ----------------------------------------------------------------------


def sheared(path: Path, image: sitk.Image, by: float) -> Path:
    """A NIfTI file whose only position is an sform with one element changed."""
    sound = nifti(path, image).read_bytes()
    rows = list(struct.unpack_from("<12f", gzip.decompress(sound), SROW))
    rows[1] += by
    return nifti(path, image, qform=(QFORM_CODE, "h", (0,)), srow=(SROW, "12f", tuple(rows)))


def test_slightly_sheared_axes_are_straightened_about_the_centre_with_a_warning(
    tmp_path: Path, make_image, progress: Progress, log: list[str]
) -> None:
    image = make_image(kind="noise")
    read = images.read(sheared(tmp_path / "x.nii.gz", image, by=0.01), progress)
    axes = np.array(read.GetDirection()).reshape(3, 3)
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-6)
    np.testing.assert_allclose(read.GetDirection(), image.GetDirection(), atol=0.01)
    assert read.GetDirection() != pytest.approx(image.GetDirection(), abs=1e-4)
    # NIfTI is in RAS, so the change of x by 0.01 mm a voxel of j is one of -0.01 mm in LPS.
    middle = (6, 4.5, 3)
    expected = np.array(image.TransformContinuousIndexToPhysicalPoint(middle)) - (0.01 * 4.5, 0, 0)
    np.testing.assert_allclose(read.TransformContinuousIndexToPhysicalPoint(middle), expected, atol=1e-4)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(read), sitk.GetArrayFromImage(image))
    assert len(log) == 1
    assert log[0].startswith("warning: The axes of")


def test_strongly_sheared_or_missing_axes_are_told(tmp_path: Path, make_image) -> None:
    assert "right angle" in told(sheared(tmp_path / "x.nii.gz", make_image(), by=0.3))
    rows = (SROW, "12f", (0.0,) * 12)
    path = nifti(tmp_path / "y.nii", make_image(), qform=(QFORM_CODE, "h", (0,)), srow=rows)
    assert "three directions" in told(path)


# --- silence ------------------------------------------------------------------------------------------------


def test_nothing_is_written_to_the_terminal(
    tmp_path: Path, make_image, capfd: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The C and C++ libraries below SimpleITK would like to."""
    makers: list[Callable[[], Path]] = [
        lambda: nifti(tmp_path / "a.nii", make_image(), rows=(SROW, "12f", (float("nan"),) * 12)),
        lambda: metaimage(tmp_path / "b.mha", size="4 4 9"),
        lambda: nifti(tmp_path / "d.nii", make_image(), bitpix=(70, "h", (999,))),
    ]
    shown = sitk.ProcessObject.GetGlobalWarningDisplay()
    for make in makers:
        path = make()
        capfd.readouterr()
        with suppress(InputError):
            images.read(path)
        assert capfd.readouterr() == ("", "")
    assert sitk.ProcessObject.GetGlobalWarningDisplay() == shown
