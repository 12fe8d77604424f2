"""Checkerboard and wipe take each voxel from the volume whose turn it is, and are redone in place."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def pair(world_volume, make_parent):
    """Two volumes of one oblique, left-handed grid under one rigid transform: 1 everywhere, and 2."""
    pose = make_parent("rigid")
    return [
        world_volume("left-handed", pose, name=str(value), content=lambda points, v=value: np.full(len(points), v))
        for value in (1.0, 2.0)
    ]


def test_wipe_shows_the_first_on_the_side_it_has_passed(pair):
    from MedSRScene import compositions, places, readout

    node = compositions.wipe(*pair, 0.5, "L")
    size = np.array(node.GetImageData().GetDimensions())
    centre = places.world((size[None] - 1) / 2, node)[0]
    (right,), (left,) = (readout.at(centre + np.array([shift, 0, 0]), [node]) for shift in (8.0, -8.0))
    assert (right.value, left.value) == (1.0, 2.0)
    node = compositions.wipe(*pair, 0.5, "R", node)
    (right,) = readout.at(centre + np.array([8.0, 0, 0]), [node])
    assert right.value == 2.0


@pytest.mark.parametrize("axis", ["R", "L", "A", "P", "S", "I"])
def test_wipe_goes_from_all_second_to_all_first(pair, axis):
    from MedSRScene import compositions, places

    node, shares = None, []
    for position in (0.0, 0.3, 0.8, 0.4, 1.0, -2.0, 7.0):
        node = compositions.wipe(*pair, position, axis, node)
        fresh = compositions.wipe(*pair, position, axis)
        assert np.array_equal(places.voxels(node), places.voxels(fresh)), position
        shares.append(float((places.voxels(node) == 1).mean()))
    assert shares == pytest.approx([0, 0.3, 0.8, 0.4, 1, 0, 1], abs=0.03)


def test_wipe_takes_over_new_voxels_of_its_volumes(pair):
    from MedSRScene import compositions, places

    node = compositions.wipe(*pair, 0.5, "S")
    places.voxels(pair[0])[:] = 5
    pair[0].GetImageData().GetPointData().GetScalars().Modified()
    compositions.wipe(*pair, 0.6, "S", node)
    assert set(np.unique(places.voxels(node))) == {2, 5}


def test_checkerboard_has_cubes_in_turn(pair):
    from MedSRScene import compositions, places

    node = compositions.checkerboard(*pair, 6)
    voxels = places.voxels(node)
    assert voxels[0, 0, 0] == 1
    assert float((voxels == 1).mean()) == pytest.approx(0.5, abs=0.05)
    lengths = []
    for axis, size in zip(range(3), node.GetSpacing()[::-1], strict=True):
        line = np.moveaxis(voxels, axis, 0)[:, 0, 0]
        changes = np.flatnonzero(np.diff(line)) + 1
        assert (np.diff(line)[changes - 1] != 0).all()
        lengths.append(float(np.diff(changes).mean() * size))
    assert max(lengths) / min(lengths) < 1.35  # mm: cubes as far as whole numbers of them fit
    again = compositions.checkerboard(*pair, 2, node)
    assert again is node
    assert float((places.voxels(node) == 1).mean()) == pytest.approx(0.5, abs=0.05)
    assert np.count_nonzero(np.diff(places.voxels(node)[0, 0])) < np.count_nonzero(np.diff(voxels[0, 0])) + 1


def test_composition_lies_and_looks_like_its_first_volume(scene, pair, ijk_to_ras):
    from MedSRScene import compositions, derived, windows

    windows.shared(pair, "manual", 0, 3)
    node = compositions.checkerboard(*pair, 4)
    assert np.array_equal(ijk_to_ras(node), ijk_to_ras(pair[0]))
    assert node.GetTransformNodeID() == pair[0].GetTransformNodeID()
    assert node.GetDisplayNode().GetWindowLevelMax() == 3
    assert node.GetAttribute(derived.ATTRIBUTE) == "1"
    count = scene.GetNumberOfNodes()
    compositions.wipe(*pair, 0.2, "A", node)
    assert scene.GetNumberOfNodes() == count


def test_update_is_told_once(pair):
    import slicer
    from MedSRScene import compositions

    node = compositions.wipe(*pair, 0.2, "A")
    told = []
    node.AddObserver(slicer.vtkMRMLVolumeNode.ImageDataModifiedEvent, lambda *_: told.append(1))
    compositions.wipe(*pair, 0.4, "A", node)
    assert len(told) == 1


def test_other_grid_or_transform_is_refused(pair, world_volume):
    from MedSRScene import compositions
    from MedSRScene.errors import SceneError

    with pytest.raises(SceneError, match="one grid"):
        compositions.checkerboard(pair[0], world_volume("plain"))
    pair[1].SetAndObserveTransformNodeID(None)
    with pytest.raises(SceneError, match="one grid"):
        compositions.wipe(*pair)
