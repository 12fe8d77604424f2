"""What to tell the user of an error: a mistake, a limit of the machine, or a fault of ours."""

from __future__ import annotations

import sys
import traceback

from MedSRLib.errors import MedSRError, ResourceError
from MedSRLib.progress import Progress

_MEMORY_SIGNS = (
    "out of memory",
    "can't allocate memory",
    "failed to allocate",
    "bad_alloc",
    "bad allocation",
)


class FaultError(Exception):
    """A fault of MedSR, in the user's words; its traceback is in the log."""


def describe(error: Exception, progress: Progress) -> MedSRError | FaultError:
    """The error in the user's words; the traceback of a fault goes to the log."""
    if isinstance(error, MedSRError | FaultError):
        return error
    if is_out_of_memory(error):
        return ResourceError(
            "There is not enough memory for this job.",
            "The machine, or its GPU, has less free memory than the job needs.",
            "Use a smaller --memory-gb, --device cpu or a smaller scale, or close other programs.",
        )
    progress.log("".join(traceback.format_exception(error)).rstrip(), level="error")
    return FaultError(
        f"MedSR failed: {type(error).__name__}: {error}. This is a fault of MedSR, not of yours. "
        "Please report it with the log of this job."
    )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch, ITK or Python found no memory; each says it in its own way."""
    if isinstance(error, MemoryError):
        return True
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(error, torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in _MEMORY_SIGNS)
