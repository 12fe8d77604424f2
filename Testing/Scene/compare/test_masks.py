"""A segment or a label map covers the same place of the patient on the frame's grid."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

RADIUS = 8.0


@pytest.fixture
def ball(landmark):
    return lambda points: (np.linalg.norm(points - landmark, axis=1) < RADIUS).astype(float)


@pytest.fixture
def segment(scene, world_volume, ball):
    """A segmentation node, under a transform of a kind, whose second segment is the ball."""

    def make(parent="none", surface=False):
        import slicer
        import vtk

        node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "segmentation")
        labels = world_volume("oblique", parent, content=ball, dtype=np.uint8, name="labels")
        node.SetAndObserveTransformNodeID(labels.GetTransformNodeID())
        if surface:
            sphere = vtk.vtkSphereSource()
            sphere.SetRadius(RADIUS)
            sphere.SetCenter(4.0, -6.0, 11.0)
            sphere.SetThetaResolution(40)
            sphere.SetPhiResolution(40)
            sphere.Update()
            node.GetSegmentation().SetSourceRepresentationName("Closed surface")
            node.AddSegmentFromClosedSurfaceRepresentation(sphere.GetOutput(), "ball", [1, 0, 0], "ball")
            return node
        data, matrix = slicer.vtkOrientedImageData(), vtk.vtkMatrix4x4()
        data.DeepCopy(labels.GetImageData())
        labels.GetIJKToRASMatrix(matrix)
        data.SetGeometryFromImageToWorldMatrix(matrix)
        everywhere = slicer.vtkOrientedImageData()
        everywhere.DeepCopy(data)
        everywhere.GetPointData().GetScalars().Fill(1)
        for image, name in ((everywhere, "all"), (data, "ball")):
            node.AddSegmentFromBinaryLabelmapRepresentation(image, name, [1, 0, 0], name)
        scene.RemoveNode(labels)
        return node

    return make


@pytest.mark.parametrize("parent", ["none", "rigid", "shear", "bspline"])
def test_label_map_covers_the_ball_on_the_frame(world_volume, ball, parent):
    from MedSRScene import masks

    mask = world_volume("oblique", parent, content=lambda points: 7 * ball(points), dtype=np.uint8)
    frame = world_volume("left-handed", "scaling")
    _check(masks.onFrame(masks.placed(mask, None, frame)), frame, ball)


@pytest.mark.parametrize("parent", ["none", "scaling", "bspline"])
def test_segment_covers_the_ball_on_the_frame(world_volume, segment, ball, parent):
    from MedSRScene import masks

    frame = world_volume("left-handed", "rigid")
    image = masks.onFrame(masks.placed(segment(parent), "ball", frame))
    _check(image, frame, ball)
    everywhere = masks.onFrame(masks.placed(segment(parent), None, frame))
    assert masks.voxelCount(everywhere) > 3 * masks.voxelCount(image)


def test_segment_of_a_surface_is_filled_and_the_node_is_not_changed(world_volume, segment, ball):
    from MedSRScene import masks

    node, frame = segment(surface=True), world_volume("left-handed", "rigid")
    _check(masks.onFrame(masks.placed(node, "ball", frame)), frame, ball)
    assert not node.GetSegmentation().ContainsRepresentation("Binary labelmap")


def test_empty_or_missing_segment_is_refused(scene, world_volume, segment):
    from MedSRScene import masks
    from MedSRScene.errors import SceneError

    node, frame = segment(), world_volume()
    node.GetSegmentation().AddEmptySegment("nothing", "nothing")
    with pytest.raises(SceneError, match="'nothing' is empty"):
        masks.onFrame(masks.placed(node, "nothing", frame))
    with pytest.raises(SceneError, match="not in 'segmentation' any more"):
        masks.placed(node, "gone", frame)
    with pytest.raises(SceneError, match="not in"):
        masks.placed(scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "new"), None, frame)


def test_result_has_the_grid_of_the_frame(world_volume, ball):
    from MedSRScene import frames, masks

    frame = world_volume("left-handed", "rigid")
    image = masks.onFrame(masks.placed(world_volume("plain", content=ball), None, frame))
    grid = frames.Grid.of(frame)
    assert image.GetPixelID() == sitk.sitkUInt8
    assert set(np.unique(sitk.GetArrayFromImage(image))) == {0, 1}
    assert image.GetSize() == tuple(grid.size)
    assert image.TransformIndexToPhysicalPoint((3, 5, 2)) == pytest.approx(grid.points(np.array([[3, 5, 2]]))[0])


def _check(image, frame, ball):
    """The ball overlaps as far as voxels of about 2 mm allow, and its centre and size are right."""
    from MedSRScene import places

    found = sitk.GetArrayFromImage(image)
    index = np.stack(np.meshgrid(*(np.arange(n) for n in found.shape), indexing="ij"), axis=-1)[..., ::-1]
    points = places.world(index.reshape(-1, 3), frame)
    truth, found = ball(points) > 0, found.ravel() > 0
    assert 2 * (truth & found).sum() / (truth.sum() + found.sum()) > 0.88
    assert points[found].mean(axis=0) == pytest.approx(points[truth].mean(axis=0), abs=0.5)
    assert found.sum() == pytest.approx(truth.sum(), rel=0.1)


def test_segments_of_one_layer_are_told_apart(scene, world_volume, landmark):
    from MedSRScene import masks

    node, frame = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "two"), world_volume("left-handed", "rigid")
    halves = [lambda points: points[:, 0] < landmark[0] - 2, lambda points: points[:, 0] > landmark[0] + 2]
    for number, half in enumerate(halves):
        node.AddSegmentFromBinaryLabelmapRepresentation(_oriented(world_volume("oblique", content=half)), f"{number}")
    node.GetSegmentation().CollapseBinaryLabelmaps(False)
    assert node.GetSegmentation().GetNumberOfLayers("Binary labelmap") == 1
    shares = []
    for number in range(2):
        image = masks.onFrame(masks.placed(node, node.GetSegmentation().GetNthSegmentID(number), frame))
        inside = np.argwhere(sitk.GetArrayFromImage(image))[:, ::-1]
        from MedSRScene import places

        shares.append(places.world(inside, frame)[:, 0])
    assert shares[0].max() < landmark[0] < shares[1].min()


def _oriented(volume):
    import slicer
    import vtk

    data, matrix = slicer.vtkOrientedImageData(), vtk.vtkMatrix4x4()
    data.DeepCopy(volume.GetImageData())
    cast = vtk.vtkImageCast()
    cast.SetInputData(data)
    cast.SetOutputScalarTypeToUnsignedChar()
    cast.Update()
    data.ShallowCopy(cast.GetOutput())
    volume.GetIJKToRASMatrix(matrix)
    data.SetGeometryFromImageToWorldMatrix(matrix)
    return data
