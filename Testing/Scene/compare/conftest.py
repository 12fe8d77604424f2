"""Volumes that show one and the same world content on grids and under transforms of every awkward kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

LANDMARK = np.array([4.0, -6.0, 11.0])
"""World, RAS, mm: the centre of the blob."""

SIGMA = 5.0
FRAMES = {
    "plain": (np.eye(3), (1.5, 1.5, 1.5), (40, 40, 40)),
    "oblique": (None, (1.2, 1.6, 2.0), (48, 38, 30)),
    "left-handed": (None, (1.3, 1.7, 2.2), (46, 36, 28)),
}
PARENTS = ("none", "rigid", "scaling", "shear", "bspline", "grid", "rigid under bspline")


def blob(points: np.ndarray) -> np.ndarray:
    """World content (n,): a Gaussian of height 1000 at the landmark on a slow ramp; points (n, 3), RAS."""
    distance = np.square(points - LANDMARK).sum(axis=1)
    return 1000 * np.exp(-distance / (2 * SIGMA**2)) + 0.5 * points[:, 0] - 0.3 * points[:, 2]


@pytest.fixture(name="blob")
def _blob() -> Callable[[np.ndarray], np.ndarray]:
    return blob


@pytest.fixture
def landmark() -> np.ndarray:
    return LANDMARK


@pytest.fixture
def make_parent(scene: Any, make_transform: Callable[..., Any]) -> Callable[[str], Any]:
    """A factory of parent transforms of a kind out of PARENTS; None for "none"."""

    def make(kind: str) -> Any:
        if kind == "none":
            return None
        if kind == "rigid":
            angle = np.radians(25)
            turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
            return make_transform(_affine(turn, (5, -3, 2)), "rigid")
        if kind == "scaling":
            return make_transform(_affine(np.eye(3) * 1.2, (2, 1, -3)), "scaling")
        if kind == "shear":
            return make_transform(_affine(np.array([[1, 0.25, 0], [0, 1, 0.1], [0, 0, 0.9]]), (1, 2, 3)), "shear")
        if kind == "bspline":
            return _bspline(scene)
        if kind == "grid":
            return _grid(scene)
        warp, pose = make("bspline"), make("rigid")
        pose.SetAndObserveTransformNodeID(warp.GetID())
        return pose

    return make


@pytest.fixture
def world_volume(scene: Any, make_parent: Callable[[str], Any]) -> Callable[..., Any]:
    """A factory of volumes whose voxels are the world content at the place where they lie in the world."""

    def make(
        frame: str = "plain",
        parent: Any = "none",
        *,
        name: str = "volume",
        content: Callable[[np.ndarray], np.ndarray] = blob,
        dtype: Any = np.float32,
    ) -> Any:
        import slicer
        import vtk
        from vtk.util.numpy_support import numpy_to_vtk

        direction, spacing, size = FRAMES[frame]
        if direction is None:
            direction = _oblique() @ np.diag([1, 1, -1 if frame == "left-handed" else 1])
        parent = make_parent(parent) if isinstance(parent, str) else parent
        columns = direction * np.array(spacing)
        centre = LANDMARK if parent is None else _applied(_to_world(slicer, parent).GetInverse(), LANDMARK[None])[0]
        matrix = _affine(columns, centre - columns @ (np.array(size) * [0.45, 0.55, 0.5]))
        node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
        geometry = vtk.vtkMatrix4x4()
        geometry.DeepCopy(matrix.ravel().tolist())
        node.SetIJKToRASMatrix(geometry)
        if parent is not None:
            node.SetAndObserveTransformNodeID(parent.GetID())
        index = np.stack(np.meshgrid(*(np.arange(n) for n in size[::-1]), indexing="ij"), axis=-1)[..., ::-1]
        local = index.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]
        points = local if parent is None else _applied(_to_world(slicer, parent), local)
        data = vtk.vtkImageData()
        data.SetDimensions(size)
        data.GetPointData().SetScalars(numpy_to_vtk(content(points).astype(dtype), deep=True))
        node.SetAndObserveImageData(data)
        node.CreateDefaultDisplayNodes()
        return node

    return make


@pytest.fixture
def views(headless: Any) -> Iterator[Callable[[Any], dict[str, Any]]]:
    """Makes the slice views of a plan as the layout manager does; name to slice logic, held to the end."""
    import slicer
    import vtk

    logics: dict[str, Any] = {}

    def make(plan: Any) -> dict[str, Any]:
        from MedSRScene import views as comparison

        collection = vtk.vtkCollection()
        for name in comparison.names(plan):
            if name not in logics:
                logic = slicer.vtkMRMLSliceLogic()
                logic.SetMRMLApplicationLogic(headless.application)
                logic.SetMRMLScene(headless.scene)
                logic.AddSliceNode(name)
                logics[name] = logic
            collection.AddItem(logics[name])
        headless.application.SetSliceLogics(collection)
        return logics

    yield make
    for logic in logics.values():
        logic.SetMRMLScene(None)


@pytest.fixture
def shown_at() -> Callable[[Any, np.ndarray], float]:
    """The intensity that a slice view shows at a world point that lies in its plane, red channel of the true pixels."""

    def read(logic: Any, ras: np.ndarray) -> float:
        import vtk
        from vtk.util.numpy_support import vtk_to_numpy

        inverse = vtk.vtkMatrix4x4()
        vtk.vtkMatrix4x4.Invert(logic.GetSliceNode().GetXYToRAS(), inverse)
        x, y, z, _ = inverse.MultiplyPoint([*ras, 1.0])
        assert abs(z) < 1e-3, f"{ras} is not in the plane of the view: {z}"
        connection = logic.GetImageDataConnection()
        connection.GetProducer().Update()
        data = connection.GetProducer().GetOutputDataObject(connection.GetIndex())
        columns, rows, _ = data.GetDimensions()
        pixels = vtk_to_numpy(data.GetPointData().GetScalars()).reshape(rows, columns, -1)
        assert 0 <= round(x) < columns, "outside the view"
        assert 0 <= round(y) < rows, "outside the view"
        return float(pixels[round(y), round(x), 0])

    return read


def _oblique() -> np.ndarray:
    a, b = np.radians(28), np.radians(-17)
    about_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    return about_x @ about_z


def _affine(matrix: np.ndarray, shift: Any) -> np.ndarray:
    result = np.eye(4)
    result[:3, :3], result[:3, 3] = matrix, shift
    return result


def _to_world(slicer: Any, parent: Any) -> Any:
    import vtk

    transform = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(parent, None, transform)
    return transform


def _applied(transform: Any, points: np.ndarray) -> np.ndarray:
    return np.array([transform.TransformPoint(point) for point in points])


def _bspline(scene: Any) -> Any:
    """A smooth warp of up to about 4 mm, the same everywhere in the tests."""
    import slicer
    import vtk

    coefficients = vtk.vtkImageData()
    coefficients.SetExtent(0, 8, 0, 8, 0, 8)
    coefficients.SetSpacing(25, 25, 25)
    coefficients.SetOrigin(-100, -100, -100)
    coefficients.AllocateScalars(vtk.VTK_DOUBLE, 3)
    random = np.random.default_rng(3)
    for index in np.ndindex(9, 9, 9):
        for component, value in enumerate(random.uniform(-5, 5, 3)):
            coefficients.SetScalarComponentFromDouble(*index, component, value)
    transform = slicer.vtkOrientedBSplineTransform()
    transform.SetCoefficientData(coefficients)
    node = scene.AddNewNodeByClass("vtkMRMLBSplineTransformNode", "bspline")
    node.SetAndObserveTransformToParent(transform)
    return node


def _grid(scene: Any) -> Any:
    """A displacement field of up to about 3 mm."""
    import slicer
    import vtk

    field = vtk.vtkImageData()
    field.SetExtent(0, 20, 0, 20, 0, 20)
    field.SetSpacing(10, 10, 10)
    field.SetOrigin(-100, -100, -100)
    field.AllocateScalars(vtk.VTK_DOUBLE, 3)
    for i, j, k in np.ndindex(21, 21, 21):
        shift = 3 * np.sin([j / 3, k / 3.5, i / 4])
        for component, value in enumerate(shift):
            field.SetScalarComponentFromDouble(i, j, k, component, value)
    transform = slicer.vtkOrientedGridTransform()
    transform.SetInterpolationModeToCubic()
    transform.SetDisplacementGridData(field)
    node = scene.AddNewNodeByClass("vtkMRMLGridTransformNode", "grid")
    node.SetAndObserveTransformToParent(transform)
    return node
