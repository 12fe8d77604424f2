"""A MRML scene without Slicer's window, and volume nodes of every awkward geometry."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "MedSR" / "MedSR"))

FAKE_JOB = Path(__file__).with_name("fake_job.py")

# Turned by 37° about z, then by 20° about x; columns are the directions (RAS) of i, j, k.
_COS, _SIN = np.cos(np.radians(20)), np.sin(np.radians(20))
OBLIQUE = np.array([[1, 0, 0], [0, _COS, -_SIN], [0, _SIN, _COS]]) @ np.array(
    [[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]]
)
DIRECTIONS = {
    "identity": np.eye(3),
    "oblique": OBLIQUE,
    "left-handed": OBLIQUE @ np.diag([1, 1, -1]),
    "sagittal": np.array([[0, 0, 1], [1, 0, 0], [0, -1, 0]]),
}
SIZE = (13, 10, 7)
SPACING = (0.9, 1.1, 2.5)
ORIGIN = (12.5, -30.0, 7.25)


@dataclass(frozen=True)
class Headless:
    """The parts of Slicer that need no window; the logics are held, or the scene would lose them."""

    scene: Any
    application: Any
    colors: Any
    slices: Any

    def slice_pixels(self, node: Any) -> np.ndarray:
        """What a slice view shows of a volume, as intensities (row, column) of the slice logic's own pipeline."""
        from vtk.util.numpy_support import vtk_to_numpy

        self.slices.GetSliceCompositeNode().SetBackgroundVolumeID(node.GetID())
        self.slices.FitSliceToBackground(True)
        connection = self.slices.GetImageDataConnection()
        connection.GetProducer().Update()
        data = connection.GetProducer().GetOutputDataObject(connection.GetIndex())
        columns, rows, _ = data.GetDimensions()
        return vtk_to_numpy(data.GetPointData().GetScalars()).reshape(rows, columns, -1)


@pytest.fixture
def headless() -> Iterator[Headless]:
    """An empty scene with what Slicer puts into it at its start: colours, slice orientations, one slice view."""
    slicer = pytest.importorskip("slicer", reason="needs the MRML library: pip install slicer-core")
    import vtk

    scene = slicer.vtkMRMLScene()
    application = slicer.vtkSlicerApplicationLogic()
    application.SetMRMLScene(scene)
    colors = slicer.vtkMRMLColorLogic()
    colors.SetMRMLScene(scene)
    colors.AddDefaultColorNodes()
    application.SetModuleLogic("Colors", colors)
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
    application.SetSliceLogics(vtk.vtkCollection())
    application.SetViewLogics(vtk.vtkCollection())
    slices = slicer.vtkMRMLSliceLogic()
    slices.SetMRMLApplicationLogic(application)
    slices.SetMRMLScene(scene)
    slices.AddSliceNode("Red")
    yield Headless(scene, application, colors, slices)
    slices.SetMRMLScene(None)
    scene.Clear(True)


@pytest.fixture
def scene(headless: Headless) -> Any:
    return headless.scene


@pytest.fixture
def make_volume(scene: Any) -> Callable[..., Any]:
    """A factory of volume nodes: voxels drawn at random, or given as (k, j, i), first index ``first`` (i, j, k)."""

    def make(
        direction: str = "oblique",
        *,
        values: np.ndarray | None = None,
        dtype: Any = np.int16,
        name: str = "scan",
        first: tuple[int, int, int] = (0, 0, 0),
    ) -> Any:
        import vtk
        from vtk.util.numpy_support import numpy_to_vtk

        if values is None:
            values = np.random.default_rng(5).integers(0, 100, SIZE[::-1])
        data = vtk.vtkImageData()
        size = values.shape[::-1]
        data.SetExtent(*(bound for low, n in zip(first, size, strict=True) for bound in (low, low + n - 1)))
        data.GetPointData().SetScalars(numpy_to_vtk(values.astype(dtype).ravel(), deep=True))
        node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
        matrix = vtk.vtkMatrix4x4()
        for row in range(3):
            for column in range(3):
                matrix.SetElement(row, column, DIRECTIONS[direction][row, column] * SPACING[column])
            matrix.SetElement(row, 3, ORIGIN[row])
        node.SetIJKToRASMatrix(matrix)
        node.SetAndObserveImageData(data)
        node.CreateDefaultDisplayNodes()
        return node

    return make


@pytest.fixture
def make_transform(scene: Any) -> Callable[..., Any]:
    """A factory of linear transform nodes (to parent, RAS)."""

    def make(matrix: np.ndarray, name: str = "pose") -> Any:
        import vtk

        node = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", name)
        to_parent = vtk.vtkMatrix4x4()
        to_parent.DeepCopy(np.asarray(matrix, dtype=float).ravel().tolist())
        node.SetMatrixTransformToParent(to_parent)
        return node

    return make


@pytest.fixture
def fake_job(tmp_path: Path) -> Callable[..., Any]:
    """Makes the ``process`` of an `UpscaleRun`: a process that replays steps, see fake_job.py."""

    def make(*steps: dict[str, Any]) -> Callable[..., Any]:
        from MedSRScene.job_process import JobProcess

        script = tmp_path / "steps.json"
        script.write_text(json.dumps(steps), encoding="utf-8")
        return lambda job, folder: JobProcess(job, folder, [sys.executable, str(FAKE_JOB), str(script)])

    return make


def ijk_to_ras(node: Any) -> np.ndarray:
    """The 4 × 4 geometry of a volume node."""
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])


@pytest.fixture(name="ijk_to_ras")
def _ijk_to_ras() -> Callable[[Any], np.ndarray]:
    return ijk_to_ras
