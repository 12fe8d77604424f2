"""`medsr models show --picture`."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from MedSRLib.cli.app import app
from MedSRLib.errors import ModelError, OutputError
from MedSRLib.methods import dictionary_picture


def test_the_filters_of_the_shipped_model_are_drawn(tmp_path: Path) -> None:
    picture = tmp_path / "filters.png"
    done = CliRunner().invoke(app, ["models", "show", "csc-sr-t1w-brain-x2", "--picture", str(picture)])
    assert done.exit_code == 0, done.output
    assert picture.stat().st_size > 10_000


def test_networks_have_nothing_to_draw(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no atoms"):
        dictionary_picture.draw("wdsr-t1w-brain-x2", tmp_path / "filters.png")


def test_other_kinds_of_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no known kind"):
        dictionary_picture.draw("csc-sr-t1w-brain-x2", tmp_path / "filters.nii.gz")
