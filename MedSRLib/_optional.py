"""Packages that only some features need: imported on use, missing ones named with the exact remedy."""

from __future__ import annotations

import importlib
from typing import Any

from MedSRLib.errors import MissingPackageError


def require(module: str, extra: str) -> Any:
    """Import ``module`` or say which extra of medsr brings it.

    Raises:
        MissingPackageError: with the ``pip install`` line that helps.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        if error.name is not None and error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise MissingPackageError(
            f"The Python package '{module.split('.')[0]}' is not installed.",
            "This feature needs it, plain inference does not.",
            f'In the folder of MedSR, run: pip install -e ".[{extra}]"',
        ) from error
