"""Every volume is read where it shows the place, through its own transforms."""

from __future__ import annotations

import numpy as np
import pytest

CASES = [
    ("plain", "none"),
    ("oblique", "rigid"),
    ("left-handed", "scaling"),
    ("oblique", "shear"),
    ("left-handed", "bspline"),
    ("oblique", "grid"),
    ("oblique", "rigid under bspline"),
]


@pytest.mark.parametrize(("frame", "parent"), CASES)
def test_value_at_the_landmark_is_the_content_there(world_volume, landmark, frame, parent):
    from MedSRScene import readout

    node = world_volume(frame, parent)
    (reading,) = readout.at(landmark, [node])
    assert reading.name == "volume"
    assert reading.value > 930  # a voxel's half diagonal from the centre at most
    assert reading.value == pytest.approx(node.GetImageData().GetScalarComponentAsDouble(*reading.ijk, 0))
    (aside,) = readout.at(landmark + np.array([0, 9, 0]), [node])
    assert aside.value < 350


@pytest.mark.parametrize(("frame", "parent"), CASES)
def test_index_is_the_voxel_whose_centre_is_nearest(world_volume, landmark, frame, parent):
    from MedSRScene import places, readout

    node = world_volume(frame, parent)
    (reading,) = readout.at(landmark, [node])
    around = np.stack(np.meshgrid(*[np.arange(-1, 2)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    centres = [_world(node, index) for index in around + reading.ijk]
    nearest = np.linalg.norm(np.array(centres) - landmark, axis=1).min()
    found = np.linalg.norm(_world(node, reading.ijk) - landmark)
    assert found <= nearest * (1.0 if parent in ("none", "rigid", "scaling") else 1.1) + 1e-6
    assert places.world(places.indices(landmark[None], node), node)[0] == pytest.approx(landmark, abs=0.01)


def test_place_outside_has_an_index_and_no_value(world_volume):
    from MedSRScene import readout

    (reading,) = readout.at((500.0, 0, 0), [world_volume("plain")])
    assert reading.value is None
    assert reading.ijk[0] > 40


def test_volume_without_voxels_reads_none(scene):
    from MedSRScene import readout

    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
    assert readout.at((1, 2, 3), [node]) == [("empty", None, (1, 2, 3))]


def test_cropped_volume_is_read_at_its_own_indices(make_volume, ijk_to_ras):
    from MedSRScene import readout

    node = make_volume("left-handed", first=(2, 5, 1))
    ras = (ijk_to_ras(node) @ [4, 7, 3, 1])[:3]
    (reading,) = readout.at(ras, [node])
    assert reading.ijk == (4, 7, 3)
    assert reading.value == node.GetImageData().GetScalarComponentAsDouble(4, 7, 3, 0)
    (before,) = readout.at((ijk_to_ras(node) @ [1, 7, 3, 1])[:3], [node])
    assert (before.value, before.ijk) == (None, (1, 7, 3))


def _world(node, index):
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    ras = [0.0, 0.0, 0.0]
    node.TransformPointToWorld(matrix.MultiplyPoint([*(float(i) for i in index), 1.0])[:3], ras)
    return np.array(ras)
