"""The first meeting: Slicer without any package of MedSR. Every panel opens, explains, and nothing is raised."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

PROGRAM = """
import importlib.abc, importlib.metadata, sys, time
from pathlib import Path

root = Path(sys.argv[1])
ABSENT = {"torch", "pydantic", "safetensors", "skimage", "lightning", "matplotlib", "jinja2", "tomli"}
NAMES = {"torch", "pydantic", "safetensors", "scikit-image", "lightning", "matplotlib", "jinja2"}


class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)


sys.meta_path.insert(0, Absent())
known = importlib.metadata.version


def version(name):
    if name in NAMES:
        raise importlib.metadata.PackageNotFoundError(name)
    return known(name)


importlib.metadata.version = version
sys.path[:0] = [str(root / "Testing" / "StandIn"), *(str(path) for path in sorted((root / "MedSR").iterdir()))]
import slicer_stand_in

slicer_stand_in.install()
slicer_stand_in.reset()
import numpy as np
import pythonqt
import slicer
import slicer_modules

node = slicer.util.addVolumeFromArray(np.ones((5, 6, 7), dtype=np.float32), name="T1")
for name, button in (("MedSR", "applyButton"), ("MedSRCompare", None), ("MedSRTrain", "startButton")):
    slicer_modules.select(name)
    widget = slicer_modules.load(name).widgetRepresentation().self()
    for selector in ("inputSelector", "referenceSelector", "addSelector"):
        if hasattr(widget.ui, selector):
            getattr(widget.ui, selector).setCurrentNode(node)
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        slicer.app.processEvents()
    if button is not None:
        part = getattr(widget.ui, button)
        assert part.enabled is False and "ackages" in part.toolTip, (name, part.toolTip)
        assert widget.ui.setupCollapsible.isVisibleTo(widget.ui.setupCollapsible.parent()), name
        assert "PyTorch" in widget.ui.setupLabel.text, name
    slicer_modules.close(name)
assert not pythonqt.slotErrors, pythonqt.slotErrors
assert not ABSENT & set(sys.modules)
"""


def test_every_panel_opens_and_offers_to_set_up(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(ROOT)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={"QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path), "PATH": ""},
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
