"""A volume brought into the coordinates of another: the same world content at the same place."""

from __future__ import annotations

import gc

import numpy as np
import pytest
import SimpleITK as sitk

CASES = [
    ("oblique", "none", "left-handed", "none"),
    ("oblique", "rigid", "plain", "none"),
    ("left-handed", "scaling", "oblique", "rigid"),
    ("oblique", "shear", "left-handed", "none"),
    ("plain", "none", "oblique", "shear"),
    ("left-handed", "bspline", "oblique", "rigid"),
    ("oblique", "rigid", "left-handed", "bspline"),
    ("plain", "rigid under bspline", "left-handed", "grid"),
]


@pytest.mark.parametrize(("frame", "parent", "other", "theirs"), CASES)
def test_content_is_where_the_frame_shows_it(world_volume, landmark, frame, parent, other, theirs):
    from MedSRScene import frames, places

    node, reference = world_volume(frame, parent, name="node"), world_volume(other, theirs, name="reference")
    on = _onto(node, reference)
    truth, shown = places.voxels(reference), sitk.GetArrayFromImage(on)
    inside = truth > 150  # the blob; all volumes hold it
    assert inside.sum() > 300
    error = np.abs(shown - truth)[inside]
    assert error.max() < 12  # of 1000: a spline of voxels of 2 mm, and the field's tolerance
    there = frames.Grid.of(reference).points(places.indices(landmark[None], reference))[0]
    assert sitk.GetArrayFromImage(on).max() > 900
    index = on.TransformPhysicalPointToContinuousIndex(there.tolist())
    assert on.EvaluateAtContinuousIndex(index, sitk.sitkLinear) > 900


@pytest.mark.parametrize(
    ("parent", "theirs", "field"),
    [
        ("none", "none", False),
        ("rigid", "none", False),
        ("scaling", "rigid", False),
        ("shear", "none", True),
        ("bspline", "none", True),
    ],
)
def test_field_is_only_made_where_the_geometry_cannot_say_it(world_volume, parent, theirs, field):
    from MedSRScene import frames

    node, reference = world_volume("oblique", parent), world_volume("left-handed", theirs)
    image, found = frames.inFrameOf(node, reference)
    assert (found is not None) == field
    assert image.GetSize() == node.GetImageData().GetDimensions()


def test_volumes_under_one_warp_need_no_field(world_volume, make_parent):
    from MedSRScene import frames

    warp = make_parent("bspline")
    node, reference = world_volume("oblique", warp), world_volume("left-handed", warp)
    image, field = frames.inFrameOf(node, reference)
    assert field is None
    assert image.GetOrigin() == pytest.approx(np.array(node.GetOrigin()) * [-1, -1, 1])


def test_shear_is_exact_in_a_field_of_eight_points(world_volume):
    from MedSRScene import frames

    node, reference = world_volume("oblique", "shear"), world_volume("plain")
    _, field = frames.inFrameOf(node, reference)
    assert field.GetSize() == (2, 2, 2)
    assert _worst(node, reference, field) < 1e-9


@pytest.mark.parametrize("parent", ["bspline", "grid", "rigid under bspline"])
def test_field_is_as_fine_as_its_tolerance_asks(world_volume, parent):
    from MedSRScene import frames

    node, reference = world_volume("oblique", parent), world_volume("plain")
    _, field = frames.inFrameOf(node, reference)
    assert field.GetNumberOfPixels() <= frames.MOST_POINTS
    assert _worst(node, reference, field) < 2 * frames.TOLERANCE * min(reference.GetSpacing())


def test_field_reaches_to_the_last_voxel(world_volume):
    from MedSRScene import frames

    node, reference = world_volume("oblique", "bspline"), world_volume("left-handed")
    _, field = frames.inFrameOf(node, reference)
    grid = frames.Grid.of(reference)
    corners = np.array(list(np.ndindex(2, 2, 2))) * (np.array(grid.size) - 1)
    transform = sitk.DisplacementFieldTransform(field)
    for point in grid.points(corners):
        assert np.linalg.norm(np.subtract(transform.TransformPoint(point.tolist()), point)) > 1e-3


def test_cropped_volume_stays_where_it_is(make_volume, make_transform, ijk_to_ras):
    from MedSRScene import frames

    node, reference = make_volume("left-handed", first=(2, 5, 1)), make_volume("oblique")
    pose = np.array([[0.0, -1, 0, 11], [1, 0, 0, -7], [0, 0, 1, 3.5], [0, 0, 0, 1]])
    node.SetAndObserveTransformNodeID(make_transform(pose).GetID())
    image, _ = frames.inFrameOf(node, reference)
    world = (pose @ ijk_to_ras(node) @ [3, 7, 2, 1])[:3]
    assert image.TransformIndexToPhysicalPoint((1, 2, 1)) == pytest.approx(world * [-1, -1, 1], abs=1e-9)


def test_thread_can_sample_after_the_node_is_gone(scene, world_volume):
    from MedSRScene import frames

    node, reference = world_volume("oblique", "bspline"), world_volume("plain")
    image, expected = frames.inFrameOf(node, reference)
    voxels = sitk.GetArrayFromImage(image)
    placed = frames.Placed.of(node, reference)
    scene.Clear(False)
    del node, reference
    gc.collect()
    assert np.array_equal(sitk.GetArrayFromImage(placed.displacements()), sitk.GetArrayFromImage(expected))
    assert np.array_equal(sitk.GetArrayFromImage(placed.image()), voxels)


def test_a_wild_warp_stays_within_the_most_points(world_volume, monkeypatch):
    from MedSRScene import frames

    monkeypatch.setattr(frames, "TOLERANCE", 1e-9)
    monkeypatch.setattr(frames, "MOST_POINTS", 5000)
    _, field = frames.inFrameOf(world_volume("oblique", "bspline"), world_volume("plain"))
    assert 1000 < field.GetNumberOfPixels() <= 5000


def _onto(node, reference):
    """The node's content on the reference's grid, as the job does it."""
    from MedSRScene import frames

    image, field = frames.inFrameOf(node, reference)
    transform = sitk.Transform(3, sitk.sitkIdentity) if field is None else sitk.DisplacementFieldTransform(field)
    grid = frames.Grid.of(reference)
    like = grid.give(sitk.Image(*grid.size, sitk.sitkFloat32))
    return sitk.Resample(image, like, transform, sitk.sitkBSpline, -1000.0, sitk.sitkFloat32)


def _worst(node, reference, field):
    """Greatest error of a field at the reference's voxels, mm, against MRML's own transforms."""
    from MedSRScene import frames, places

    copy = sitk.DisplacementFieldTransform(sitk.Image(field))
    grid = frames.Grid.of(reference)
    index = np.random.default_rng(8).uniform(0, np.array(grid.size) - 1, (400, 3))
    found = [copy.TransformPoint(point.tolist()) for point in grid.points(index)]
    own = places.mapped(places.world(index, reference), None, node.GetParentTransformNode()) * [-1, -1, 1]
    return float(np.linalg.norm(np.array(found) - own, axis=1).max())


@pytest.mark.parametrize("parent", ["bspline", "grid", "shear"])
def test_transform_that_changes_afterwards_is_not_seen(world_volume, make_parent, parent):
    import vtk
    from MedSRScene import frames

    pose = make_parent(parent)
    node, reference = world_volume("oblique", pose), world_volume("plain")
    placed = frames.Placed.of(node, reference)
    expected = sitk.GetArrayFromImage(placed.displacements())
    if parent == "shear":
        pose.SetMatrixTransformToParent(vtk.vtkMatrix4x4())
    else:
        warp, data = pose.GetTransformToParent(), vtk.vtkImageData()
        data.DeepCopy(warp.GetCoefficientData() if parent == "bspline" else warp.GetDisplacementGrid())
        data.GetPointData().GetScalars().Fill(1)
        (warp.SetCoefficientData if parent == "bspline" else warp.SetDisplacementGridData)(data)
    assert np.array_equal(sitk.GetArrayFromImage(placed.displacements()), expected)
    moved = frames.inFrameOf(node, reference)[1]
    assert moved is None or not np.array_equal(sitk.GetArrayFromImage(moved), expected)
