"""The exceptions of MedSR.

    MedSRError            a user's mistake or a limit of the machine: exit code 2, no traceback shown
    ├── InputError        a file or an image that cannot be used
    ├── GridError         a scale, spacing or grid that cannot be produced
    ├── OptionError       an unknown or impossible option, method, recipe or protocol
    ├── ModelError        a model that is missing, damaged or made for something else
    ├── OutputError       a result that cannot be written
    ├── ResourceError     not enough memory, or a device that cannot be used
    └── MissingPackageError  an optional package that is not installed
    Cancelled             the user stopped the job: not an error

Every MedSRError says what is wrong, why, and what to do next.
"""

from __future__ import annotations


class MedSRError(Exception):
    """A problem the user can understand and mend.

    Args:
        what: what is wrong, with the offending value.
        why: the reason, where it is not evident.
        next_step: what the user can do about it.
    """

    def __init__(self, what: str, why: str = "", next_step: str = "") -> None:
        self.what = what
        self.why = why
        self.next_step = next_step
        super().__init__(" ".join(part.strip() for part in (what, why, next_step) if part))


class InputError(MedSRError):
    """A file or an image that cannot be used."""


class GridError(MedSRError):
    """A scale, spacing or grid that cannot be produced."""


class OptionError(MedSRError):
    """An unknown or impossible option, method, recipe or protocol."""


class ModelError(MedSRError):
    """A model that is missing, damaged or made for something else."""


class OutputError(MedSRError):
    """A result that cannot be written."""


class ResourceError(MedSRError):
    """Not enough memory, or a device that cannot be used."""


class MissingPackageError(MedSRError):
    """An optional package that is not installed."""


class Cancelled(Exception):  # noqa: N818 - a cancel is not an error
    """The user stopped the work; whoever catches it removes what is half done."""
