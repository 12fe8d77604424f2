"""The sample that MedSR offers in the module Sample Data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

ICONS = Path(__file__).resolve().parents[4] / "MedSR" / "MedSR" / "Resources" / "Icons"


def test_the_sample_is_offered_when_slicer_has_started(module: Any, scene: Any) -> None:
    import sample_data
    import slicer_modules

    slicer_modules.load("MedSR")
    assert not sample_data.sources
    QApplication.instance().startupCompleted.emit()
    assert sample_data.sources["MRHead with 4 mm slices"]["category"] == "MedSR"
    assert sample_data.sources["MRHead with 4 mm slices"]["uris"] == []


def test_it_is_made_of_slicers_head(module: Any, scene: Any, volume: Any, monkeypatch: Any) -> None:
    import SampleData

    monkeypatch.setattr(SampleData.SampleDataLogic, "downloadMRHead", lambda self: volume, raising=False)
    module.registerSampleData()
    thick, fine = SampleData.SampleDataLogic().downloadSamples("MRHead with 4 mm slices")
    assert fine is volume and thick.GetName() == "MRHead with 4 mm slices"
    assert thick.GetSpacing()[:2] == volume.GetSpacing()[:2]


def test_its_picture_has_the_size_of_the_others() -> None:
    picture = QImage(str(ICONS / "MRHead4mm.png"))
    assert (picture.width(), picture.height()) == (260, 280)


def test_the_icon_is_what_the_extension_shows() -> None:
    shown = ICONS.parents[3] / "Resources" / "Icons" / "MedSR.png"
    assert (QImage(str(ICONS / "MedSR.png")).width(), shown.read_bytes()) == (128, (ICONS / "MedSR.png").read_bytes())
