"""Images from files and from DICOM folders, refused with a reason where they are damaged."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from MedSRLib import files
from MedSRLib.errors import InputError
from MedSRLib.images import nifti
from MedSRLib.images._quiet import quiet
from MedSRLib.images.checking import check
from MedSRLib.images.slices import DICOM_THICKNESS
from MedSRLib.progress import Progress

_PAIRS = (".hdr", ".img")
_MEMORY_SIGNS = ("allocate memory", "bad_alloc", "bad allocation")

_DICOM_PREAMBLE = 128
"""Bytes before the letters DICM."""

_TOLD_UNEVENNESS, _LARGEST_UNEVENNESS = 0.01, 0.1
"""Largest deviation of a step between slices, as a share of the usual one: more is told, or refused."""


def read(path: str | Path, progress: Progress | None = None) -> sitk.Image:
    """A checked image in the pixel type of its file.

    Args:
        path: a file (NIfTI, NRRD, MetaImage, or what else SimpleITK reads), or a folder that directly holds
            the files of one DICOM series.
        progress: is told what may spoil the result.

    Raises:
        InputError: for what is missing, damaged, or no usable image (see `check`).
    """
    path = Path(path)
    progress = progress or Progress()
    try:
        path.stat()
        image = _series(path, progress) if path.is_dir() else _file(path, progress)
    except FileNotFoundError as error:
        raise InputError(f"There is no file or folder '{path}'.", "", "Check the path.") from error
    except OSError as error:
        raise InputError(f"'{path}' cannot be read.", f"{error.strerror or error}.", "Check the path.") from error
    check(image, f"image '{path}'")
    return image


def _file(path: Path, progress: Progress) -> sitk.Image:
    suffix = files.suffix(path)
    if suffix in _PAIRS:
        raise InputError(
            f"The file '{path}' is half of a header and image pair.",
            "Such pairs cannot be told from damaged ones.",
            "Convert it to one NIfTI file (.nii.gz).",
        )
    if suffix in nifti.SUFFIXES:
        nifti.check(path)
    try:
        return _decoded(path)
    except RuntimeError as error:
        if suffix in nifti.SUFFIXES and "orthonormal" in str(error):
            return _straightened(path, progress)
        raise _unreadable(f"The file '{path}'", error) from error


def _decoded(path: Path) -> sitk.Image:
    if files.suffix(path) == ".nii.gz" and path.with_name(path.name[: -len(".gz")]).exists():
        with tempfile.TemporaryDirectory() as folder:  # ITK would take the voxels of the .nii beside it
            return _decoded(Path(shutil.copyfile(path, Path(folder) / path.name)))
    with quiet():
        image = sitk.ReadImage(str(path))
    return nifti.with_non_finite(image, path) if files.suffix(path) in nifti.SUFFIXES else image


def _straightened(path: Path, progress: Progress) -> sitk.Image:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "straightened.nii"
        angle = nifti.straightened(path, copy)
        try:
            image = _decoded(copy)
        except RuntimeError as error:
            raise _unreadable(f"The file '{path}'", error) from error
    progress.warn(
        f"The axes of '{path}' are not at right angles; they were turned by {angle:.2f}° to the nearest ones."
    )
    return image


def _series(folder: Path, progress: Progress) -> sitk.Image:
    with quiet():
        identifiers = sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder))
        slices = {uid: sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), uid) for uid in identifiers}
    if not slices:
        raise InputError(
            f"The folder '{folder}' holds no DICOM series.",
            "Only files directly inside are looked at.",
            "Give the folder that holds the DICOM files, or an image file such as .nii.gz, .nrrd or .mha.",
        )
    if len(slices) > 1:
        listed = "; ".join(f"{_description(paths[0])} ({len(paths)} files, {uid})" for uid, paths in slices.items())
        raise InputError(
            f"The folder '{folder}' holds {len(slices)} DICOM series: {listed}.",
            "One is needed.",
            "Move the files of the wanted series to a folder of their own.",
        )
    reader = sitk.ImageSeriesReader()
    names = next(iter(slices.values()))
    reader.SetFileNames(names)
    reader.MetaDataDictionaryArrayUpdateOn()
    try:
        with quiet():
            image = reader.Execute()
    except RuntimeError as error:
        raise _unreadable(f"The DICOM series in '{folder}'", error) from error
    _check_steps(reader, len(names), folder, progress)
    _tell_left_out(folder, names, progress)
    key = DICOM_THICKNESS
    told = {reader.GetMetaData(n, key).strip() for n in range(len(names)) if reader.HasMetaDataKey(n, key)}
    if len(told) == 1:
        image.SetMetaData(key, told.pop())
    return image


def _tell_left_out(folder: Path, names: Sequence[str], progress: Progress) -> None:
    """ITK passes over a DICOM file that is cut short, and makes a volume of the other slices."""
    used = {Path(name).name for name in names}
    left = sorted(p.name for p in folder.iterdir() if p.name not in used and p.is_file() and _is_dicom(p))
    if left:
        listed = ", ".join(left[:3]) + (", ..." if len(left) > 3 else "")
        progress.warn(
            f"{len(left)} of the DICOM files in '{folder}' are damaged or no images and were left out: {listed}."
        )


def _is_dicom(path: Path) -> bool:
    if path.name == "DICOMDIR":  # the table of contents of a disc
        return False
    with path.open("rb") as file:
        file.seek(_DICOM_PREAMBLE)
        return file.read(4) == b"DICM"


def _check_steps(reader: sitk.ImageSeriesReader, count: int, folder: Path, progress: Progress) -> None:
    """ITK spreads the slices of a gap evenly over the volume, and only warns."""
    key = "0020|0032"  # Image Position (Patient)
    if not all(reader.HasMetaDataKey(slice_, key) for slice_ in range(count)):
        return
    positions = [reader.GetMetaData(slice_, key).split("\\") for slice_ in range(count)]
    try:
        steps = np.linalg.norm(np.diff(np.array(positions, dtype=np.float64), axis=0), axis=1)
    except ValueError as error:
        raise InputError(
            f"The DICOM series in '{folder}' has slices without a position.", "", "Export the series again."
        ) from error
    if len(steps) == 0:
        return
    usual = float(np.median(steps))
    unevenness = float(np.abs(steps - usual).max())
    what = (
        f"The slices of the DICOM series in '{folder}' lie {steps.min():.4g} to {steps.max():.4g} mm apart, "
        f"most of them {usual:.4g} mm."
    )
    if unevenness > _LARGEST_UNEVENNESS * usual:
        raise InputError(
            what,
            "Slices are missing, or several volumes lie in one series.",
            "Export the series again, whole and one volume at a time.",
        )
    if unevenness > _TOLD_UNEVENNESS * usual:
        progress.warn(f"{what} Even steps are assumed.")


def _description(path: str) -> str:
    """What a DICOM file says of its series, in quotes."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(path)
    with quiet():
        reader.ReadImageInformation()
    key = "0008|103e"
    text = reader.GetMetaData(key).strip() if reader.HasMetaDataKey(key) else ""
    # SimpleITK hands DICOM text over as bytes of the file's own character set.
    return f"'{text.encode('utf-8', 'surrogateescape').decode('utf-8', 'replace')}'"


def _unreadable(what: str, error: RuntimeError) -> Exception:
    """The error in the user's words; one about memory as it is, for the job to tell."""
    text = str(error)
    if any(sign in text.lower() for sign in _MEMORY_SIGNS):
        return MemoryError(text)
    why = "It is no image, or it is cut short or damaged."
    if "Zero-valued spacing" in text:
        why = "Its header gives a spacing of 0 or none at all."
    elif "Bad direction" in text:
        why = "Its header does not give three independent directions."
    return InputError(f"{what} cannot be read as an image.", why, "Copy or export it again.")
