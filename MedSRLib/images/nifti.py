"""What ITK lets pass in a NIfTI file, and what it refuses without need.

ITK reads a file that was cut short as if it were whole, takes a spacing of 0 for 1 mm, refuses axes that are
a hair off the right angle, and turns NaN and infinite voxels into 0. The layout is that of nifti1.h and
nifti2.h, https://nifti.nimh.nih.gov.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import SimpleITK as sitk

from MedSRLib.errors import InputError

SUFFIXES = (".nii.gz", ".nii")

LARGEST_SHEAR_DEGREES = 3.0
"""Axes farther than this from the right angle belong to a truly sheared image (a tilted CT gantry)."""

_CHUNK = 1 << 20
_FLOATS = {16: "f4", 64: "f8"}
"""Codes of the data types that know NaN and infinity, and numpy's names of them."""

_GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class _Layout:
    """Byte offset and `struct` format of the header fields used here."""

    dim: tuple[int, str]
    datatype: tuple[int, str]
    bitpix: tuple[int, str]
    pixdim: tuple[int, str]
    data: tuple[int, str]
    qform_code: tuple[int, str]
    srow: tuple[int, str]


_LAYOUTS = {
    348: _Layout((40, "8h"), (70, "h"), (72, "h"), (76, "8f"), (108, "f"), (252, "h"), (280, "12f")),
    540: _Layout((16, "8q"), (12, "h"), (14, "h"), (104, "8d"), (168, "q"), (344, "i"), (400, "12d")),
}


@dataclass(frozen=True)
class Header:
    """The first bytes of a NIfTI file and how to read them."""

    raw: bytes
    layout: _Layout
    order: str

    def values(self, field: tuple[int, str]) -> tuple[float, ...]:
        """The numbers of a field."""
        return struct.unpack_from(self.order + field[1], self.raw, field[0])

    @property
    def size(self) -> tuple[int, ...]:
        """Voxels along each dimension."""
        dim = self.values(self.layout.dim)
        return tuple(int(n) for n in dim[1 : 1 + int(dim[0])])

    @property
    def data_offset(self) -> int:
        """Bytes before the voxels; ITK reads one inside the header as its end."""
        offset = self.values(self.layout.data)[0]
        end = next(length for length, layout in _LAYOUTS.items() if layout == self.layout)
        return max(int(offset), end) if math.isfinite(offset) else end

    @property
    def bytes_needed(self) -> int:
        """Length of a whole file, uncompressed."""
        return self.data_offset + math.prod(self.size) * int(self.values(self.layout.bitpix)[0]) // 8


def header(path: Path) -> Header | None:
    """The header of a NIfTI file; None if it has none, which ITK's readers then tell.

    Raises:
        InputError: if the file cannot be decompressed.
        OSError: if it cannot be read.
    """
    with _opened(path) as file:
        raw = _read(file, max(_LAYOUTS), path)
    for order in "<>":
        length = struct.unpack_from(order + "i", raw)[0] if len(raw) >= 4 else 0
        if length in _LAYOUTS and len(raw) >= length:
            return Header(raw, _LAYOUTS[length], order)
    return None


def check(path: Path) -> None:
    """Refuse a NIfTI file that is cut short or damaged, has no voxels, or has a spacing that is not positive.

    Raises:
        InputError: saying which.
        OSError: if it cannot be read.
    """
    found = header(path)
    if found is None:
        return
    if not found.size or min(found.size) < 1:
        listed = " × ".join(str(n) for n in found.size)
        raise InputError(f"The image '{path}' has a size of {listed or 'no'} voxels.", "It is empty.")
    spacing = found.values(found.layout.pixdim)[1 : 1 + min(3, len(found.size))]
    if not all(math.isfinite(h) and h > 0 for h in spacing):
        raise InputError(
            f"The image '{path}' has a spacing of {' × '.join(f'{h:g}' for h in spacing)} mm.",
            "The distance between voxels must be positive.",
            "Correct the spacing (pixdim) in its header, or export it again.",
        )
    present = _length(path)
    if present < found.bytes_needed:
        raise InputError(
            f"The file '{path}' is cut short.",
            f"It holds {present} of {found.bytes_needed} bytes.",
            "Copy or export it again.",
        )


def with_non_finite(image: sitk.Image, path: Path) -> sitk.Image:
    """The scalar image read from a NIfTI file, with the NaN that ITK took for 0, infinite voxels as NaN too.

    Raises:
        InputError: if the file cannot be decompressed.
        OSError: if it cannot be read.
    """
    found = header(path)
    kind = None if found is None else _FLOATS.get(int(found.values(found.layout.datatype)[0]))
    if found is None or kind is None or image.GetNumberOfComponentsPerPixel() > 1:
        return image
    places = _non_finite(path, found, np.dtype(found.order + kind))
    if places.size == 0:
        return image
    values = sitk.GetArrayFromImage(image)
    values.reshape(-1)[places] = np.nan
    restored = sitk.GetImageFromArray(values, isVector=False)
    restored.CopyInformation(image)
    for key in image.GetMetaDataKeys():
        restored.SetMetaData(key, image.GetMetaData(key))
    return restored


def _non_finite(path: Path, found: Header, kind: np.dtype) -> np.ndarray:
    """Places of the NaN and infinite values in the order of the file, which is that of the array."""
    places, passed, count = [], 0, math.prod(found.size)
    with _opened(path) as file:
        _read(file, found.data_offset, path)
        while passed < count:
            chunk = _read(file, min(_CHUNK, (count - passed) * kind.itemsize), path)
            values = np.frombuffer(chunk[: len(chunk) // kind.itemsize * kind.itemsize], kind)
            if values.size == 0:
                break
            places.append(passed + np.flatnonzero(~np.isfinite(values)))
            passed += values.size
    return np.concatenate(places) if places else np.empty(0, np.intp)


def straightened(path: Path, copy: Path) -> float:
    """Write an uncompressed copy with the nearest right-angled axes, the volume's centre kept in place.

    The nearest rotation of the unit axes S = U Σ Vᵀ is U Vᵀ (Schönemann 1966).

    Returns:
        The largest angle, in degrees, by which an axis was turned.

    Raises:
        InputError: if the axes are too far from the right angle, or no axes at all.
    """
    found = header(path)
    if found is None:
        raise InputError(f"The file '{path}' has no NIfTI header.")
    affine = np.array(found.values(found.layout.srow)).reshape(3, 4)
    lengths = np.linalg.norm(affine[:, :3], axis=0)
    if not np.isfinite(affine).all() or lengths.min() <= 0:
        raise _unusable_axes(path, "The sform of its header does not give three directions.")
    unit = affine[:, :3] / lengths
    u, _, vt = np.linalg.svd(unit)
    rotation = u @ vt
    angle = float(np.degrees(np.arccos(np.clip((unit * rotation).sum(axis=0), -1, 1)).max()))
    if angle > LARGEST_SHEAR_DEGREES:
        raise _unusable_axes(path, f"They are {angle:.1f}° away from the right angle.")
    centre = (np.array((*found.size, 1, 1)[:3]) - 1) / 2
    shift = affine[:, 3] + (affine[:, :3] - rotation * lengths) @ centre
    _copy(path, copy, found, np.column_stack([rotation * lengths, shift]), lengths)
    return angle


def _unusable_axes(path: Path, why: str) -> InputError:
    return InputError(
        f"The axes of the image '{path}' cannot be used.",
        why,
        "Correct its header, or resample it to a right-angled grid first.",
    )


def _copy(path: Path, copy: Path, found: Header, affine: np.ndarray, spacing: np.ndarray) -> None:
    """Write the file uncompressed with the sform ``affine``, its spacing as ITK looks for it, and no qform."""
    layout = found.layout
    pixdim = list(found.values(layout.pixdim))
    pixdim[1:4] = spacing.tolist()
    changes = {layout.srow: affine.ravel().tolist(), layout.pixdim: pixdim, layout.qform_code: [0]}
    with _opened(path) as source, copy.open("wb") as target:
        start = bytearray(source.read(len(found.raw)))
        for (offset, form), values in changes.items():
            struct.pack_into(found.order + form, start, offset, *values)
        target.write(start)
        while chunk := source.read(_CHUNK):
            target.write(chunk)


def _opened(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        compressed = file.read(2) == _GZIP_MAGIC
    return gzip.open(path, "rb") if compressed else path.open("rb")  # type: ignore[return-value]


def _read(file: BinaryIO, count: int, path: Path) -> bytes:
    try:
        return file.read(count)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(
            f"The file '{path}' is cut short or damaged.",
            "It cannot be decompressed.",
            "Copy or export it again.",
        ) from error


def _length(path: Path) -> int:
    """Bytes of a file, uncompressed; reading all of it also proves its checksum."""
    length = 0
    with _opened(path) as file:
        while chunk := _read(file, _CHUNK, path):
            length += len(chunk)
    return length
