"""What can be refused before anything is read or computed: missing inputs, outputs that cannot be written."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from MedSRLib import images
from MedSRLib.errors import InputError, OutputError


def inputs_exist(paths: Iterable[Path | None]) -> None:
    """Raise `InputError` for the first path at which there is nothing; None stands for "not given"."""
    for path in paths:
        if path is not None and not path.exists():
            raise InputError(f"There is no file or folder '{path}'.", "", "Check the path.")


def images_can_be_written(outputs: Iterable[Path | None], inputs: Iterable[Path | None]) -> None:
    """Refuse image outputs that would fail, or destroy an input, after all the work is done.

    Raises:
        OutputError: for an unknown suffix, a missing or read-only folder, a folder of that name, an output
            that is one of the inputs, two outputs at one path, or a sidecar over a foreign file.
    """
    taken = {path.resolve() for path in inputs if path is not None}
    for output in outputs:
        if output is None:
            continue
        if output.resolve() in taken:
            raise OutputError(
                f"The output '{output}' is also an input or another output.",
                "MedSR never overwrites its inputs.",
                "Give another path.",
            )
        taken.add(output.resolve())
        images.check_suffix(output)
        images.check_sidecar(output)
        if output.is_dir():
            raise OutputError(f"The output '{output}' is a folder.", "", "Give the path of a file.")
        _refuse_unwritable(output.parent, output)


def folder_can_be_written(folder: Path) -> None:
    """Refuse an output folder that cannot be made or written; nothing is made yet.

    Raises:
        OutputError: if the folder, or the nearest one above it that exists, is no folder or is read-only.
    """
    nearest = next(path for path in (folder, *folder.resolve().parents) if path.exists())
    _refuse_unwritable(nearest, folder)


def _refuse_unwritable(folder: Path, output: Path) -> None:
    """Only writing tells: permissions say little about network drives, containers and administrators."""
    if not folder.is_dir():
        why = "is not a folder" if folder.exists() else "does not exist"
        raise OutputError(
            f"The output '{output}' cannot be written.",
            f"'{folder}' {why}.",
            "Make the folder, or give another.",
        )
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(
            f"The output '{output}' cannot be written.",
            f"The folder '{folder}' refuses new files: {error.strerror}.",
            "Give a folder that you may write to.",
        ) from error
