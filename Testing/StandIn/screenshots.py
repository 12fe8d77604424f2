"""The pictures of README and tutorial: the real panels driven as a user would, on a real volume, under the stand-in.

    python Testing/StandIn/screenshots.py Resources/Screenshots docs/pictures

The volume is the demonstration's (the MNI152 T1-weighted average that nilearn carries), made coarse by the
acquisition model; views show true slice pixels of Slicer's own slice logic. Slicer itself is not needed.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent), *(str(path) for path in (ROOT / "MedSR").iterdir())]

SIZE = (1440, 900)
TRAINING_STEPS = 400


class Studio:
    """Slicer's window, as far as a picture shows it."""

    def __init__(self, folder: Path) -> None:
        import slicer_stand_in

        slicer_stand_in.install()
        slicer_stand_in.reset()
        import slicer_modules

        for name in ("MedSR", "MedSRCompare", "MedSRTrain"):
            slicer_modules.load(name)
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def open(self, name: str) -> Any:
        """Open a module; its widget."""
        import slicer_modules

        slicer_modules.select(name)
        self.settle()
        return slicer_modules.load(name).widgetRepresentation().self()

    def settle(self, seconds: float = 0.5) -> None:
        """Let timers and views do what they have to."""
        import slicer

        end = time.monotonic() + seconds
        while time.monotonic() < end:
            slicer.app.processEvents()
            time.sleep(0.01)

    def until(self, condition: Callable[[], bool], seconds: float = 600) -> None:
        """Wait as long as it takes."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError("the panel did not get ready")
            self.settle(0.1)
        self.settle()

    def window(self, module: str, path: Path | str, size: tuple[int, int] = SIZE) -> None:
        """A picture of the panel with the views."""
        import pictures
        import slicer
        import slicer_modules

        representation = slicer_modules.load(module).widgetRepresentation()
        self._save(pictures.window(representation, slicer.app.layoutManager(), size), path)

    def panel(self, module: str, path: Path | str) -> None:
        """A picture of the panel alone, as tall as it is."""
        import pictures
        import slicer_modules

        self._save(pictures.panel_only(slicer_modules.load(module).widgetRepresentation(), 460), path)

    def _save(self, image: Any, path: Path | str) -> None:
        target = self._folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        image.save(str(target))
        with Image.open(target) as picture:  # a quarter of the size; dithering would look like noise
            colours = picture.convert("RGB")
            few = colours.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE)
        few.save(target, optimize=True)
        print(target)


def volume(image: Any, name: str) -> Any:
    """A volume node of an image."""
    import slicer
    from MedSRScene import volumes

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    volumes._fill(node, volumes.Voxels.of(image))
    node.CreateDefaultDisplayNodes()
    return node


def choose(combo: Any, value: str) -> None:
    """Choose the item of a combo box by its value."""
    combo.currentIndex = combo.findData(value)


def super_resolve(studio: Studio, truth: Any, screenshots: Path) -> None:
    """Steps 2 to 5: input, goal and method, progress, result."""
    import slicer

    from MedSRLib.acquisition.degrading import degrade

    coarse = volume(degrade(truth, (1, 1, 4), noise=0.02, seed=1), "T1w 4 mm slices")
    slicer.util.setSliceViewerLayers(background=coarse, fit=True)
    studio.settle()
    medsr = studio.open("MedSR")
    studio.until(lambda: not medsr.panel.busy())
    studio.window("MedSR", "2-input.png")
    for name in ("region", "quality", "checks"):
        getattr(medsr.ui, name + "Collapsible").collapsed = False
    medsr.ui.consistencyCheckBox.click()
    studio.settle()
    studio.panel("MedSR", "3-settings.png")
    for name in ("region", "quality", "checks"):
        getattr(medsr.ui, name + "Collapsible").collapsed = True
    medsr.ui.applyButton.click()
    studio.until(lambda: medsr.ui.progressBar.value > 300 or not medsr.panel.busy())
    studio.window("MedSR", "4-progress.png")
    studio.until(lambda: not medsr.panel.busy())
    studio.window("MedSR", "5-result.png")
    studio.window("MedSR", screenshots / "panel.png")
    choose(medsr.ui.methodComboBox, "bspline")
    medsr.ui.applyButton.click()
    studio.until(lambda: not medsr.panel.busy())


def compare(studio: Studio, truth: Any, screenshots: Path) -> None:
    """Steps 6 and 7: side by side with differences and a profile; measures."""
    import slicer
    import vtk

    reference = volume(truth, "T1w 1 mm (truth)")
    nodes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    made = [node for node in nodes if " – MedSR " in node.GetName() and "consistency" not in node.GetName()]
    module = studio.open("MedSRCompare")
    titles = [node.GetName().split(" – MedSR ")[1] for node in made]
    module.compareVolumes(reference, made, titles)
    line = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsLineNode", "Profile")
    bounds = [0.0] * 6
    reference.GetRASBounds(bounds)
    x, y, z = ((low + high) / 2 for low, high in zip(bounds[::2], bounds[1::2], strict=True))
    for point in ((x + 12, y + 22, z - 4), (x + 12, y + 22, z + 32)):
        line.AddControlPointWorld(vtk.vtkVector3d(*point))
    parameters = module.panel.parameters
    parameters.line, parameters.rows, parameters.chart = line, "Coronal", "profile"
    studio.until(lambda: not module.panel.timer.isActive() and module.ui.compareButton.enabled)
    slicer.mrmlScene.GetSingletonNode("default", "vtkMRMLCrosshairNode").SetCrosshairMode(0)
    module.ui.profileCollapsible.collapsed = False
    module.ui.viewCollapsible.collapsed = True
    studio.settle(2)
    studio.window("MedSRCompare", "6-compare.png")
    studio.window("MedSRCompare", screenshots / "compare.png")
    for name, closed in (("volumes", True), ("difference", True), ("measures", False)):
        getattr(module.ui, name + "Collapsible").collapsed = closed
    parameters.chart, parameters.sliceAxis = "slices_psnr", "k"
    studio.settle(2)
    studio.window("MedSRCompare", "7-measures.png")


def train(studio: Studio, truth: Any, folder: Path) -> None:
    """Step 8: a short training on parts of the head."""
    import SimpleITK as sitk

    os.chdir(folder)  # the picture then shows paths that any machine could have
    data = Path("volumes")
    data.mkdir()
    for number, start in enumerate(((10, 20, 20), (60, 90, 60), (40, 60, 90))):
        part = truth[tuple(slice(s, s + 64) for s in start)]
        sitk.WriteImage(part, str(data / f"patient{number + 1}_T1w.nii.gz"))
    module = studio.open("MedSRTrain")
    ui = module.ui
    ui.dataPathEdit.currentPath = str(data)
    ui.stepsSpinBox.setValue(TRAINING_STEPS)
    ui.validationSpinBox.setValue(1)
    ui.folderPathEdit.currentPath = str(Path("runs") / "my-arssr")
    ui.nameEdit.setText("my-arssr")
    studio.settle()
    ui.checkButton.click()
    studio.until(lambda: ui.startButton.enabled and bool(ui.dataInfoLabel.text))
    ui.startButton.click()
    studio.until(lambda: not ui.stopButton.enabled and ui.startButton.text != "")
    studio.until(lambda: bool(ui.cardLabel.text) or ui.statusLabel.text.startswith("The "), 900)
    studio.panel("MedSRTrain", "8-train.png")


def main(screenshots: Path, pictures: Path) -> int:
    """Make all pictures."""
    import slicer

    from MedSRLib import demo
    from MedSRLib.progress import Progress

    studio = Studio(pictures.resolve())
    truth = demo.reference(Progress())
    slicer.app.layoutManager().setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
    super_resolve(studio, truth, screenshots.resolve())
    compare(studio, truth, screenshots.resolve())
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MEDSR_MODELS"] = str(Path(folder) / "models")
        train(studio, truth, Path(folder))
    import pythonqt

    return len(pythonqt.slotErrors)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
