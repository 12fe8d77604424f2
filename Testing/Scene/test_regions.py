"""A region of interest covers the right voxels, whatever lies between it and the volume."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def make_region(scene):
    def make(centre, size, turn=None, transform=None):
        import vtk

        region = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "region")
        matrix = vtk.vtkMatrix4x4()
        for row in range(3):
            for column in range(3):
                matrix.SetElement(row, column, np.eye(3)[row, column] if turn is None else turn[row, column])
            matrix.SetElement(row, 3, centre[row])
        region.SetSize(*size)
        region.SetAndObserveObjectToNodeMatrix(matrix)
        if transform is not None:
            region.SetAndObserveTransformNodeID(transform.GetID())
        return region

    return make


def _world(node, index):
    from MedSRScene import places

    return places.world(np.array([index], dtype=float), node)[0]


@pytest.mark.parametrize("direction", ["identity", "oblique", "left-handed", "sagittal"])
def test_a_region_along_the_voxels_covers_exactly_those(make_volume, make_region, ijk_to_ras, direction):
    """From the outer edge of voxel (3, 2, 1) to that of voxel (7, 6, 4), a hair within."""
    from MedSRScene import regions

    node = make_volume(direction)
    centre = _world(node, (5.0, 4.0, 2.5))
    spacing = np.array(node.GetSpacing())
    turn = ijk_to_ras(node)[:3, :3] / spacing
    size = np.array([5, 5, 4]) * spacing - 0.01
    box = regions.box(node, make_region(centre, size, turn))
    assert (box.index, box.size) == ((3, 2, 1), (5, 5, 4))
    wider = regions.box(node, make_region(centre, size, turn), marginMm=1.0)
    assert (wider.index, wider.size) == ((1, 1, 0), (9, 7, 6))


@pytest.mark.parametrize("direction", ["identity", "oblique", "left-handed", "sagittal"])
def test_an_edge_between_two_voxels_is_not_moved_by_rounding(make_volume, make_region, ijk_to_ras, direction):
    from MedSRScene import regions

    node = make_volume(direction)
    spacing = np.array(node.GetSpacing())
    turn = ijk_to_ras(node)[:3, :3] / spacing
    box = regions.box(node, make_region(_world(node, (5.0, 4.0, 2.5)), np.array([5, 5, 4]) * spacing, turn))
    assert (box.index, box.size) == ((3, 2, 1), (5, 5, 4))


def test_the_part_lies_where_it_was(make_volume, make_region):
    from MedSRScene import regions, volumes

    node = make_volume("left-handed")
    image = volumes.image_of(node)
    box = regions.box(node, make_region(_world(node, (5, 4, 3)), (2.0, 2.0, 2.0)))
    part = box.of(image)
    assert part.GetOrigin() == pytest.approx(image.TransformIndexToPhysicalPoint(box.index), abs=1e-9)
    assert part.GetDirection() == image.GetDirection() and part.GetSpacing() == image.GetSpacing()
    assert part[0, 0, 0] == image[box.index]


def test_transforms_of_both_are_obeyed(make_volume, make_region, make_transform):
    """The region follows one transform, the volume another; voxel (6, 5, 3) is in its middle all the same."""
    from MedSRScene import regions

    node = make_volume("oblique")
    pose = make_transform(np.array([[0.0, -1, 0, 11], [1, 0, 0, -7], [0, 0, 1, 3.5], [0, 0, 0, 1]]))
    node.SetAndObserveTransformNodeID(pose.GetID())
    shift = make_transform(np.array([[1.0, 0, 0, 40], [0, 1, 0, 0], [0, 0, 1, -9], [0, 0, 0, 1]]), "shift")
    centre = _world(node, (6, 5, 3)) - [40, 0, -9]
    box = regions.box(node, make_region(centre, (0.2, 0.2, 0.2), transform=shift))
    assert (box.index, box.size) == ((6, 5, 3), (1, 1, 1))


def test_image_data_that_start_elsewhere_count_from_their_first_voxel(make_volume, make_region):
    from MedSRScene import regions

    node = make_volume("oblique", first=(10, 20, 30))
    box = regions.box(node, make_region(_world(node, (12, 23, 34)), (0.2, 0.2, 0.2)))
    assert (box.index, box.size) == ((2, 3, 4), (1, 1, 1))


def test_a_region_beside_the_volume_and_an_empty_one_are_refused(make_volume, make_region):
    from MedSRScene import regions
    from MedSRScene.errors import SceneError

    node = make_volume()
    with pytest.raises(SceneError, match="lies outside 'scan'"):
        regions.box(node, make_region(_world(node, (500, 0, 0)), (1, 1, 1)))
    with pytest.raises(SceneError, match="is empty"):
        regions.box(node, make_region(_world(node, (5, 5, 3)), (0, 0, 0)))


def test_a_run_in_a_region_gives_that_part_of_the_whole_result(scene, make_volume, make_region):
    from MedSRScene import volumes
    from MedSRScene.upscale_run import UpscaleRun

    node = make_volume("oblique", dtype=np.float32)
    region = make_region(_world(node, (6, 5, 3)), (3.0, 3.0, 4.0))
    results = []
    for settings in ({}, {"roiNode": region}):
        run = UpscaleRun(node, {"method": "nearest", "scale": 2, "device": "cpu"}, **settings)
        run.start()
        assert run.waitForEnd(120) == "done", run.errorMessage
        results.append(volumes.image_of(scene.GetNodeByID(run.resultNodeID)))
    whole, part = results
    assert np.prod(part.GetSize()) < np.prod(whole.GetSize()) / 4
    middle = tuple(n // 2 for n in part.GetSize())
    there = whole.TransformPhysicalPointToIndex(part.TransformIndexToPhysicalPoint(middle))
    assert part[middle] == whole[there]
    start = whole.TransformPhysicalPointToContinuousIndex(part.GetOrigin())
    assert start == pytest.approx([round(n) for n in start], abs=1e-5)
