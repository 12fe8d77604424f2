"""ITK and its file format libraries kept from writing to the terminal."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import SimpleITK as sitk

_STDERR = 2


@contextmanager
def quiet() -> Iterator[None]:
    """Silence ITK while it reads or writes; what goes wrong is raised, and told by us.

    ITK's warnings have a switch. The C libraries under it (nifti, MetaIO) write to the stderr of the process,
    which is therefore pointed to nowhere meanwhile; a process without a stderr has nothing to silence.
    """
    shown = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        kept: int | None = os.dup(_STDERR)
    except OSError:
        kept = None
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        if kept is not None:
            os.dup2(nowhere, _STDERR)
        yield
    finally:
        os.close(nowhere)
        if kept is not None:
            os.dup2(kept, _STDERR)
            os.close(kept)
        sitk.ProcessObject.SetGlobalWarningDisplay(shown)
