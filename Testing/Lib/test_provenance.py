"""Every record says version, time and that it is for research; its summary fits a NIfTI header."""

from __future__ import annotations

import json
from datetime import datetime, timezone

from MedSRLib import __version__, provenance


def test_a_record_has_the_version_the_utc_time_and_the_note() -> None:
    record = provenance.record(method="arssr", scale=[2.0, 2.0, 2.0], model=None)
    assert record["medsr_version"] == __version__
    assert (record["method"], record["scale"], record["model"]) == ("arssr", [2.0, 2.0, 2.0], None)
    assert "research use only" in record["note"].lower()
    age = datetime.now(timezone.utc) - datetime.fromisoformat(record["created"])
    assert -1 < age.total_seconds() < 60
    json.dumps(record)


def test_what_an_older_record_says_of_its_making_is_renewed() -> None:
    assert provenance.record(medsr_version="0.0.1")["medsr_version"] == __version__


def test_a_summary_names_task_method_model_and_scale() -> None:
    record = provenance.record(task="upscale", method="arssr", model="brain-t1w", scale=[2.0, 2.0, 2.0])
    expected = f"MedSR {__version__} upscale arssr brain-t1w x2; research use only"
    assert provenance.summary(record) == expected
    assert " x1,1,4;" in provenance.summary(record | {"scale": (1.0, 1.0, 4.0)})
    assert " x1.7,1,4;" in provenance.summary(record | {"scale": "1.7,1,4"})


def test_a_summary_is_short_ascii_whatever_it_holds() -> None:
    text = provenance.summary(provenance.record(task="upscale", method="ü" * 200))
    assert len(text.encode("ascii")) <= 79
    assert text.endswith("research use only")
    assert provenance.summary({}) == f"MedSR {__version__}; research use only"
