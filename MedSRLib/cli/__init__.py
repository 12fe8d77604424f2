"""The ``medsr`` command: a thin skin of typer and rich on `jobs` and `models`."""

from __future__ import annotations

import sys

from MedSRLib.errors import MissingPackageError


def main() -> None:
    """Run the ``medsr`` command; ends the process with its exit code."""
    try:
        from MedSRLib.cli.app import app
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich", "click"):
            raise
        missing = MissingPackageError(
            f"The Python package '{error.name}' is not installed.",
            "The `medsr` command needs it; `python -m MedSRLib.jobs JOB.json` does not.",
            'In the folder of MedSR, run: pip install -e ".[cli]"',
        )
        sys.exit(_failed(missing))
    app()


def _failed(error: Exception) -> int:
    sys.stderr.write(f"Error: {error}\n")
    return 2
