"""Measurements kept in files, so that a run that was stopped, by whatever means, goes on where it was.

One file a cell, named after all that decides it. A file that is not whole, or holds another cell, is as good as none.
"""

from __future__ import annotations

import json
from pathlib import Path

from MedSRLib import files, provenance
from MedSRLib.errors import OutputError
from MedSRLib.protocols.cells import Cell, Measured
from MedSRLib.protocols.machine import packages


class Kept:
    """The folder of measurements.

    Args:
        folder: made if it is not there.

    Raises:
        OutputError: if it cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"The folder '{folder}' cannot be made.", f"{error.strerror}.") from error

    def get(self, cell: Cell) -> Measured | None:
        """What was measured before, or None."""
        try:
            content = json.loads((self._folder / f"{cell.key}.json").read_text(encoding="utf-8"))
            found = Measured(content["row"], content["slices"])
            same = content["cell"] == json.loads(json.dumps(cell.decided_by()))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return found if same and isinstance(found.row, dict) and isinstance(found.slices, dict) else None

    def put(self, cell: Cell, measured: Measured) -> None:
        """Keep a measurement with what decided it, and what it was made with.

        Raises:
            OutputError: if it cannot be written.
        """
        content = {
            "cell": cell.decided_by(),
            "record": provenance.record(task="benchmark", packages=packages()),
            "row": measured.row,
            "slices": measured.slices,
        }
        files.write_text_atomic(self._folder / f"{cell.key}.json", json.dumps(content) + "\n")
