"""Names, checksums and whole-or-nothing writing of files."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from MedSRLib.errors import InputError, OutputError

VOLUME_SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd")
"""Endings of the files that are taken for volumes in a folder; SimpleITK reads more if named."""

_CHUNK = 1 << 20

_REMEDIES = {
    errno.ENOSPC: ("The disk is full.", "Free some space, or write to another disk."),
    errno.EDQUOT: ("Your quota of disk space is used up.", "Free some space, or write to another disk."),
    errno.EFBIG: ("The file is too large for this disk.", "Write to another disk."),
    errno.ENOENT: ("Its folder does not exist.", "Make the folder, or give another path."),
    errno.ENOTDIR: ("Its folder is a file.", "Give another path."),
    errno.EACCES: ("You may not write there.", "Give a folder that you may write to."),
    errno.EPERM: ("You may not write there.", "Give a folder that you may write to."),
    errno.EROFS: ("The disk is read-only.", "Give a folder that you may write to."),
    errno.ENAMETOOLONG: ("The name is too long.", "Give a shorter one."),
}


def suffix(path: str | Path) -> str:
    """The ending of a file name in lower case, ".nii.gz" being one ending."""
    name = Path(path).name.lower()
    compound = next((s for s in VOLUME_SUFFIXES if name.endswith(s)), None)
    return compound or Path(name).suffix


def stem(path: str | Path) -> str:
    """The file name without its ending: "scan.v2" for "folder/scan.v2.nii.gz"."""
    name = Path(path).name
    return name[: len(name) - len(suffix(path))]


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """A temporary path beside ``path`` with its suffix, renamed to it when the block ends well.

    Whatever ends the block otherwise, the temporary file is removed and ``path`` is as it was.

    Raises:
        OutputError: for a full disk, a missing or unwritable folder, or any other failure to write.
    """
    path = Path(path)
    if path.is_dir():
        raise OutputError(f"The output '{path}' is a folder.", "", "Give the path of a file.")
    temporary = path.with_name(f".{secrets.token_hex(6)}{suffix(path)}")
    try:
        yield temporary
        _to_disk(temporary)
        temporary.replace(path)
    except OSError as error:
        raise _output_error(path, error) from error
    finally:
        _remove(temporary)


def write_text_atomic(path: str | Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all.

    Raises:
        OutputError: if it cannot be written.
    """
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)


def sha256(path: str | Path) -> str:
    """SHA-256 of a file's content, 64 hexadecimal digits.

    Raises:
        InputError: if the file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with Path(path).open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise InputError(f"The file '{path}' cannot be read.", f"{error.strerror}.", "Check the path.") from error
    return digest.hexdigest()


def _to_disk(path: Path) -> None:
    """Wait until the content is on the disk: a network drive may say only now that it is full."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _remove(temporary: Path) -> None:
    """Remove a temporary file; a folder that vanished or was never there holds none."""
    if os.path.lexists(temporary):
        temporary.unlink()


def _output_error(path: Path, error: OSError) -> OutputError:
    why, next_step = _REMEDIES.get(error.errno or 0, (f"{error.strerror or error}.", "Give another path."))
    return OutputError(f"The output '{path}' cannot be written.", why, next_step)
