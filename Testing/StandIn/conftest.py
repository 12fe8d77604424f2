"""The panels of MedSR in a window that nobody sees."""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parents[2]
for folder in (Path(__file__).resolve().parent, *sorted((ROOT / "MedSR").iterdir())):
    if folder.is_dir() and str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

pytest.importorskip("PySide6.QtWidgets", reason="needs PySide6 and the libraries that Qt loads")
pytest.importorskip("slicer", reason="needs slicer-core")


def pytest_configure(config: pytest.Config) -> None:
    """PySide6 warns of what only its newest version wants otherwise."""
    config.addinivalue_line("filterwarnings", "ignore:Function.*marked as deprecated:DeprecationWarning")


@pytest.fixture(scope="session")
def module() -> Any:
    import slicer_stand_in

    slicer_stand_in.install()
    return importlib.import_module("MedSR")


@pytest.fixture
def scene(module: Any) -> Iterator[Any]:
    import pythonqt
    import slicer
    import slicer_stand_in

    slicer_stand_in.reset()
    yield slicer.mrmlScene
    assert not pythonqt.slotErrors, pythonqt.slotErrors


@pytest.fixture
def open_panel(scene: Any) -> Iterator[Callable[[str], Any]]:
    """Open a module as a user does: `open_panel("MedSRCompare")` gives its widget; the tests' end closes it."""
    import slicer_modules

    opened: list[str] = []

    def open_module(name: str) -> Any:
        slicer_modules.select(name)
        opened.append(name)
        return slicer_modules.load(name).widgetRepresentation().self()

    yield open_module
    for name in reversed(opened):
        slicer_modules.close(name)


@pytest.fixture
def volume(module: Any, scene: Any) -> Any:
    return module.MedSRTest()._obliqueVolume()


@pytest.fixture
def panel(module: Any, scene: Any) -> Iterator[Any]:
    import slicer_stand_in
    from PySide6.QtWidgets import QVBoxLayout, QWidget

    host = QWidget()
    QVBoxLayout(host)
    widget = module.MedSRWidget(slicer_stand_in.Parent(host))
    widget.setup()
    widget.host = host
    yield widget
    widget.cleanup()


@pytest.fixture
def wait(module: Any) -> Callable[[Callable[[], bool]], None]:
    """Run the event loop until something is so."""
    import slicer

    def until(condition: Callable[[], bool], seconds: float = 120) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it never happened"
            slicer.app.processEvents()
            time.sleep(0.01)

    return until
