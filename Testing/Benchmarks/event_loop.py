"""How long the panel of MedSR keeps Slicer waiting while a job runs, and how fast Cancel ends it: ``make bench``.

The real panel runs in the stand-in for Slicer. A timer of 5 ms measures the largest gap between two turns of the event
loop, in three phases: from Apply until the job's first word, while it computes, and from its last word until the
result is in the scene. The limits are 100 ms, and 3 s from Cancel until no process is left.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TICK_MS = 5
LIMIT_MS, LIMIT_S = 100.0, 3.0
CANCEL_AFTER_S = 0.5
CASES = {
    "arssr 96 × 96 × 96, scale 1 × 1 × 2": ("arssr", (96, 96, 96), (1.0, 1.0, 2.0)),
    "bspline 256 × 256 × 150, scale 2 × 2 × 2": ("bspline", (256, 256, 150), (2.0, 2.0, 2.0)),
}


class Watch:
    """Measures how long the event loop was away, in milliseconds by phase."""

    def __init__(self) -> None:
        import qt

        self.gaps: dict[str, float] = {}
        self.phase = "idle"
        self._last = time.perf_counter()
        self._timer = qt.QTimer()
        self._timer.setInterval(TICK_MS)
        self._timer.setTimerType(qt.Qt.PreciseTimer)
        self._timer.connect("timeout()", self._tick)
        self._timer.start()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.gaps[self.phase] = max(self.gaps.get(self.phase, 0.0), (now - self._last) * 1000)
        self._last = now

    def stop(self) -> dict[str, float]:
        """The largest gap of each phase."""
        self._timer.stop()
        return {phase: round(gap, 1) for phase, gap in self.gaps.items() if phase != "idle"}


def opened() -> Any:
    """The panel of MedSR in the stand-in, when it knows the machine."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    folders = [ROOT, ROOT / "Testing" / "StandIn", *(path for path in (ROOT / "MedSR").iterdir() if path.is_dir())]
    sys.path[:0] = [str(folder) for folder in folders]
    importlib.import_module("slicer_stand_in").install()
    modules = importlib.import_module("slicer_modules")
    modules.select("MedSR")
    widget = modules.load("MedSR").widgetRepresentation().self()
    spin(lambda: not widget.panel.busy())
    return widget


def spin(until: Any) -> None:
    """Let the event loop run until something is so."""
    import slicer

    while not until():
        slicer.app.processEvents()
        time.sleep(0.0005)


def prepare(widget: Any, case: str) -> None:
    """Choose a volume of noise, the method and the scale, as a user would."""
    import numpy as np
    import slicer

    method, size, scale = CASES[case]
    slicer.mrmlScene.Clear(0)
    noise = np.random.default_rng(1).normal(100, 20, size[::-1]).astype(np.float32)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "noise")
    slicer.util.updateVolumeFromArray(node, noise)
    node.CreateDefaultDisplayNodes()
    parameters = widget.logic.getParameterNode()
    parameters.inputVolume, parameters.method, parameters.goal = node, method, "scale"
    parameters.linked = False
    parameters.scaleX, parameters.scaleY, parameters.scaleZ = scale
    parameters.device = "cpu"
    spin(lambda: widget.ui.applyButton.enabled)


def whole(widget: Any, case: str) -> dict[str, Any]:
    """Run a case to its end: seconds, and the largest gap of each phase in milliseconds."""
    import slicer

    prepare(widget, case)
    watch, begin = Watch(), time.perf_counter()
    watch.phase = "start"
    widget.ui.applyButton.click()
    run = widget.panel.apply.run
    while widget.panel.apply.running():
        slicer.app.processEvents()
        time.sleep(0.0005)
        if run.result:
            watch.phase = "import"
        elif widget.ui.progressBar.value:
            watch.phase = "run"
    slicer.app.processEvents()
    took = time.perf_counter() - begin
    gaps = watch.stop()
    if run.state != "done":
        raise RuntimeError(run.errorMessage)
    return {"seconds": round(took, 1), "largest_gap_ms": gaps}


def cancelled(widget: Any, case: str) -> dict[str, Any]:
    """Cancel a case while it computes: seconds until no process is left, and whether its folder is gone."""
    prepare(widget, case)
    widget.ui.applyButton.click()
    run = widget.panel.apply.run
    folder = run._path()
    spin(lambda: widget.ui.progressBar.value > 0)
    end = time.perf_counter() + CANCEL_AFTER_S
    spin(lambda: time.perf_counter() > end)
    group = run._process._process.pid
    if run.state != "running":
        raise RuntimeError("The job ended before it could be cancelled.")
    watch, begin = Watch(), time.perf_counter()
    watch.phase = "cancel"
    widget.ui.applyButton.click()
    spin(lambda: not widget.panel.apply.running() and not _lives(group))
    took = time.perf_counter() - begin
    return {"seconds": round(took, 2), "folder_left": folder.exists(), "largest_gap_ms": watch.stop()["cancel"]}


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def main(folder: Path) -> None:
    """Measure, print, and leave ``event_loop.json`` in the folder."""
    absent = [name for name in ("PySide6", "slicer") if importlib.util.find_spec(name) is None]
    if absent or os.name == "nt":
        print(f"The event loop is not measured: it needs {' and '.join(absent) or 'process groups'}.")
        return
    load = os.getloadavg()[0]
    widget = opened()
    first = next(iter(CASES))
    found = {
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "load_before": round(load, 2),  # of others: what they take, drawing a view waits for
        },
        "limits": {"largest_gap_ms": LIMIT_MS, "cancel_seconds": LIMIT_S},
        "runs": {case: whole(widget, case) for case in CASES},
        "cancel": {first: cancelled(widget, first)},
    }
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found, indent=2, ensure_ascii=False)
    (folder / "event_loop.json").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "bench-output"))
