"""Where a result came from, for file headers, sidecar files and reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from MedSRLib import __version__

NOTE = "Research use only; not a medical device."

SUMMARY_LENGTH = 79
"""Characters of the text field ``descrip`` of a NIfTI header."""


def record(**fields: Any) -> dict[str, Any]:
    """The given fields with MedSR's version, the time (UTC, ISO 8601) and the research-use note.

    Values should be what JSON holds: text, numbers, lists, dictionaries, None.
    """
    own = {
        "medsr_version": __version__,
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "note": NOTE,
    }
    return own | fields | own


def summary(record: Mapping[str, Any]) -> str:
    """The record in at most 79 ASCII characters: "MedSR 0.1.0 upscale linear x2; research use only"."""
    known = [str(record[name]) for name in ("task", "method", "model") if record.get(name)]
    if record.get("scale"):
        known.append(f"x{_compact(record['scale'])}")
    version = record.get("medsr_version") or record.get("version") or __version__
    ending = "; research use only"
    text = " ".join([f"MedSR {version}", *known]).encode("ascii", "replace").decode("ascii")
    return text[: SUMMARY_LENGTH - len(ending)] + ending


def _compact(scale: Any) -> str:
    """ "2" for [2.0, 2.0, 2.0], "1,1,4" for [1.0, 1.0, 4.0]; other things as they are."""
    if isinstance(scale, str) or not isinstance(scale, Sequence):
        return str(scale)
    values = [f"{float(value):.4g}" for value in scale]
    return values[0] if len(set(values)) == 1 else ",".join(values)
