"""Images to files, whole or not at all, saying where they came from."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from MedSRLib import files, provenance
from MedSRLib.errors import InputError, OutputError
from MedSRLib.images import nifti
from MedSRLib.images._quiet import quiet

SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".mha")

METADATA_PREFIX = "MedSR_"

_CHUNK = 1 << 20

_NIFTI_DESCRIPTION = "ITK_FileNotes"
"""ITK's name of the text field ``descrip``."""


def check_suffix(path: str | Path) -> None:
    """Refuse a file name whose ending is none of `SUFFIXES`.

    Raises:
        OutputError: naming them.
    """
    if files.suffix(path) not in SUFFIXES:
        raise OutputError(
            f"The output '{path}' has no file ending that MedSR writes.",
            "",
            f"Use one of: {', '.join(SUFFIXES)}.",
        )


def sidecar(path: str | Path) -> Path:
    """Where the provenance of an image is written: "out.json" beside "out.nii.gz"."""
    return Path(path).with_name(f"{files.stem(path)}.json")


def write(image: sitk.Image, path: str | Path, *, provenance: dict[str, Any] | None = None) -> None:
    """Write an image, compressed where the format can, and its provenance beside it.

    The header holds what MedSR says of the image (metadata keys ``MedSR_...``, of the image and of the
    provenance; in NIfTI a summary) and nothing else: names of patients do not slip through.

    Args:
        image: 3D or 4D.
        path: ends in one of `SUFFIXES`; what is there is replaced.
        provenance: see `provenance.record`; also written to `sidecar`.

    Raises:
        OutputError: if it cannot be written whole; what was at ``path`` is then still there. Also if a file
            that is not MedSR's is in the place of the sidecar.
    """
    check_suffix(path)
    if provenance is not None:
        check_sidecar(path)
    with files.atomic_path(path) as temporary:
        _write_whole(_labelled(image, provenance or {}), temporary, Path(path))
        if provenance is not None:
            text = json.dumps(provenance, indent=2, ensure_ascii=False, default=str)
            files.write_text_atomic(sidecar(path), text + "\n")


def check_sidecar(path: str | Path) -> None:
    """Refuse an output whose sidecar would lie over a job file, or over the sidecar of a BIDS data set.

    Raises:
        OutputError: if a file that is not MedSR's is in its place.
    """
    beside = sidecar(path)
    if not beside.exists():
        return
    try:
        ours = "medsr_version" in json.loads(beside.read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        ours = False
    if not ours:
        raise OutputError(
            f"The provenance of '{path}' belongs into '{beside}', but another file is there.",
            "MedSR overwrites only its own results.",
            "Give the output another name, or move that file.",
        )


def _labelled(image: sitk.Image, record: Mapping[str, Any]) -> sitk.Image:
    """A copy of the image with MedSR's metadata and no other."""
    said = {key: image.GetMetaData(key) for key in image.GetMetaDataKeys() if key.startswith(METADATA_PREFIX)}
    said |= {METADATA_PREFIX + key: _one_line(value) for key, value in record.items() if value is not None}
    labelled = sitk.Image(image)
    labelled.MakeUnique()  # without it, erasing from the copy erases from the image
    for key in labelled.GetMetaDataKeys():
        labelled.EraseMetaData(key)
    for key, value in said.items():
        labelled.SetMetaData(key, value)
    if said:
        known = {key.removeprefix(METADATA_PREFIX): value for key, value in said.items()} | dict(record)
        labelled.SetMetaData(_NIFTI_DESCRIPTION, provenance.summary(known))
    return labelled


def _one_line(value: Any) -> str:
    """Text as it is, other things as JSON, on one line and in ASCII: MetaIO cuts other letters off its end."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return " ".join(text.split()).encode("ascii", "backslashreplace").decode("ascii")


def _write_whole(image: sitk.Image, temporary: Path, path: Path) -> None:
    """Write, then read what is there: on a full disk ITK's NIfTI and NRRD writers leave a short file in silence."""
    temporary.touch()  # a folder that is missing or closed is told by its own error
    try:
        with quiet():
            sitk.WriteImage(image, str(temporary), useCompression=True)
            if files.suffix(path) in nifti.SUFFIXES:
                nifti.check(temporary)
            elif files.suffix(path) == ".nrrd":
                _check_nrrd(temporary, sitk.GetArrayViewFromImage(image).nbytes)
            else:
                sitk.ReadImage(str(temporary))
    except (RuntimeError, InputError, EOFError, zlib.error) as error:
        raise OutputError(
            f"The output '{path}' cannot be written.",
            "The disk may be full, or you may not write there.",
            "Free some space, or give another folder.",
        ) from error


def _check_nrrd(path: Path, length: int) -> None:
    """Raise EOFError or zlib.error unless ``length`` bytes lie compressed after the header, checksum and all."""
    with path.open("rb") as file:
        while file.readline().strip():
            pass
        with gzip.open(file) as voxels:
            present = 0
            while chunk := voxels.read(_CHUNK):
                present += len(chunk)
    if present < length:
        raise EOFError(f"{present} of {length} bytes")
