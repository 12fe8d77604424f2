"""Volume nodes to images and back: every voxel stays where it is in the patient."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

DIRECTIONS = ["identity", "oblique", "left-handed", "sagittal"]
POSE = np.array([[0.0, -1, 0, 11], [1, 0, 0, -7], [0, 0, 1, 3.5], [0, 0, 0, 1]])


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_voxels_and_positions_of_the_image_are_those_of_the_node(make_volume, ijk_to_ras, direction):
    from MedSRScene import volumes

    values = np.arange(7 * 10 * 13).reshape(7, 10, 13)
    node = make_volume(direction, values=values)
    image = volumes.image_of(node)
    assert image.GetSize() == (13, 10, 7)
    assert np.array_equal(sitk.GetArrayFromImage(image), values)
    for index in ((0, 0, 0), (12, 0, 0), (0, 9, 0), (3, 4, 6)):
        ras = (ijk_to_ras(node) @ [*index, 1])[:3]
        assert image.TransformIndexToPhysicalPoint(index) == pytest.approx(ras * [-1, -1, 1], abs=1e-9)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_round_trip_keeps_geometry_and_voxels(scene, make_volume, ijk_to_ras, direction):
    from MedSRScene import volumes

    node = make_volume(direction)
    image = volumes.image_of(node)
    again = volumes.show(image, scene, name="again", beside=node)
    assert np.abs(ijk_to_ras(again) - ijk_to_ras(node)).max() < 1e-12
    assert np.array_equal(sitk.GetArrayFromImage(volumes.image_of(again)), sitk.GetArrayFromImage(image))


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_round_trip_keeps_the_pixel_type(scene, make_volume, dtype):
    from MedSRScene import volumes

    node = make_volume(dtype=dtype)
    again = volumes.show(volumes.image_of(node), scene, name="again", beside=node)
    assert again.GetImageData().GetScalarType() == node.GetImageData().GetScalarType()


def test_cropped_image_data_start_at_their_own_first_index(scene, make_volume, ijk_to_ras):
    from MedSRScene import volumes

    node = make_volume("left-handed", first=(2, 5, 1))
    image = volumes.image_of(node)
    first = (ijk_to_ras(node) @ [2, 5, 1, 1])[:3]
    assert image.GetOrigin() == pytest.approx(first * [-1, -1, 1], abs=1e-9)
    again = volumes.show(image, scene, name="again", beside=node)
    assert ijk_to_ras(again)[:3, 3] == pytest.approx(first, abs=1e-9)


def test_image_is_a_copy(make_volume):
    from MedSRScene import volumes

    node = make_volume()
    before = node.GetImageData().GetScalarComponentAsDouble(1, 2, 3, 0)
    image = volumes.image_of(node)
    image[1, 2, 3] = 1234
    assert node.GetImageData().GetScalarComponentAsDouble(1, 2, 3, 0) == before


def test_node_without_voxels_is_refused_by_name(scene):
    from MedSRScene import volumes
    from MedSRScene.errors import SceneError

    with pytest.raises(SceneError, match="'empty' holds no image"):
        volumes.image_of(scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty"))


def test_result_under_a_transform_is_where_the_input_is(scene, make_volume, make_transform):
    from MedSRScene import volumes

    node, pose = make_volume(), make_transform(POSE)
    node.SetAndObserveTransformNodeID(pose.GetID())
    again = volumes.show(volumes.image_of(node), scene, name="again", beside=node)
    assert again.GetTransformNodeID() == pose.GetID()
    assert _world_bounds(again) == pytest.approx(_world_bounds(node), abs=1e-9)
    assert _world(again, (3, 4, 5)) == pytest.approx(_world(node, (3, 4, 5)), abs=1e-9)
    pose.SetMatrixTransformToParent(_vtk(POSE @ POSE))  # both follow when it changes
    assert _world(again, (3, 4, 5)) == pytest.approx(_world(node, (3, 4, 5)), abs=1e-9)


def test_grid_under_another_transform_is_expressed_in_the_coordinates_of_the_input(make_volume, make_transform):
    from MedSRScene import volumes

    node, like = make_volume("oblique"), make_volume("left-handed", name="like")
    node.SetAndObserveTransformNodeID(make_transform(POSE).GetID())
    like.SetAndObserveTransformNodeID(make_transform(POSE @ POSE, "other").GetID())
    image = volumes.image_within(like, node)
    for index in ((0, 0, 0), (12, 9, 6)):
        ras = np.array(image.TransformIndexToPhysicalPoint(index)) * [-1, -1, 1]
        assert (POSE @ [*ras, 1])[:3] == pytest.approx(_world(like, index), abs=1e-6)


def test_grid_that_a_transform_shears_is_refused(make_volume, make_transform):
    from MedSRScene import volumes
    from MedSRScene.errors import SceneError

    node, like = make_volume(), make_volume(name="like")
    shear = np.eye(4)
    shear[0, 1] = 0.3
    like.SetAndObserveTransformNodeID(make_transform(shear).GetID())
    with pytest.raises(SceneError, match=r"'like'.*Harden"):
        volumes.image_within(like, node)


def test_window_level_and_colours_are_copied(scene, make_volume):
    from MedSRScene import volumes

    node = make_volume()
    display = node.GetDisplayNode()
    display.AutoWindowLevelOff()
    display.SetWindowLevel(321.0, 45.0)
    display.SetInterpolate(0)
    display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeWarm1")
    mine = volumes.show(volumes.image_of(node) * 2, scene, name="again", beside=node).GetDisplayNode()
    assert (mine.GetWindow(), mine.GetLevel(), mine.GetAutoWindowLevel()) == (321.0, 45.0, 0)
    assert mine.GetColorNodeID() == "vtkMRMLColorTableNodeWarm1"
    assert mine.GetInterpolate() == 0


def test_automatic_window_level_of_the_input_is_the_result_s(scene, make_volume):
    from MedSRScene import volumes

    node = make_volume()
    theirs = node.GetDisplayNode()
    mine = volumes.show(volumes.image_of(node) + 1000, scene, name="again", beside=node).GetDisplayNode()
    assert (mine.GetWindow(), mine.GetLevel()) == (theirs.GetWindow(), theirs.GetLevel())


def test_given_node_is_filled_and_no_other_is_made(scene, make_volume, ijk_to_ras):
    from MedSRScene import volumes

    node = make_volume("oblique")
    output = make_volume("identity", values=np.zeros((2, 3, 4)), name="mine")
    count = scene.GetNumberOfNodesByClass("vtkMRMLVolumeNode")
    shown = volumes.show(volumes.image_of(node), scene, name=None, beside=node, output=output)
    assert shown.GetID() == output.GetID()
    assert shown.GetName() == "mine"
    assert scene.GetNumberOfNodesByClass("vtkMRMLVolumeNode") == count
    assert output.GetImageData().GetDimensions() == (13, 10, 7)
    assert np.abs(ijk_to_ras(output) - ijk_to_ras(node)).max() < 1e-12


def test_new_node_gets_a_name_of_its_own(scene, make_volume):
    from MedSRScene import volumes

    node = make_volume(name="scan")
    first, second = (volumes.show(volumes.image_of(node), scene, name="sharp", beside=node) for _ in range(2))
    assert first.GetName() == "sharp"
    assert second.GetName() != "sharp"


def test_result_lies_in_the_folder_of_the_input(scene, make_volume):
    from MedSRScene import volumes

    node, hierarchy = make_volume(), scene.GetSubjectHierarchyNode()
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "study")
    hierarchy.CreateItem(study, node)
    again = volumes.show(volumes.image_of(node), scene, name="again", beside=node)
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(again)) == study


def test_image_of_several_components_or_dimensions_is_refused(scene, make_volume):
    from MedSRScene import volumes
    from MedSRScene.errors import SceneError

    node = make_volume()
    count = scene.GetNumberOfNodes()
    for image in (sitk.Image((3, 3, 3), sitk.sitkVectorUInt8, 3), sitk.Image((3, 3, 3, 2), sitk.sitkFloat32)):
        with pytest.raises(SceneError):
            volumes.show(image, scene, name="colour", beside=node)
    assert scene.GetNumberOfNodes() == count


def test_provenance_is_written_to_attributes_in_place_of_an_older_one(make_volume):
    from MedSRScene import volumes

    node = make_volume()
    node.SetAttribute("Other.key", "stays")
    volumes.record(node, {"method": "linear", "model": "old"})
    volumes.record(node, {"method": "bspline", "scale": [2.0, 2.0, 1.5], "model": None, "input": "Félix"})
    assert node.GetAttribute("MedSR.method") == "bspline"
    assert node.GetAttribute("MedSR.scale") == "[2.0, 2.0, 1.5]"
    assert node.GetAttribute("MedSR.input") == "Félix"
    assert node.GetAttribute("MedSR.model") is None
    assert node.GetAttribute("Other.key") == "stays"


@pytest.mark.parametrize("direction", ["oblique", "left-handed"])
def test_saved_and_reloaded_scene_keeps_the_result(scene, make_volume, ijk_to_ras, tmp_path, direction):
    from MedSRScene import volumes

    node = make_volume(direction)
    result = volumes.show(volumes.image_of(node), scene, name="result", beside=node)
    volumes.record(result, {"method": "bspline"})
    before, geometry = volumes.image_of(result), ijk_to_ras(result)
    for number, volume in enumerate((node, result)):
        volume.AddDefaultStorageNode(str(tmp_path / f"{number}.nrrd"))
        assert volume.GetStorageNode().WriteData(volume)
    scene.SetURL(str(tmp_path / "scene.mrml"))
    scene.SetRootDirectory(str(tmp_path))
    assert scene.Commit()
    scene.Clear(False)
    assert scene.Connect()
    again = scene.GetFirstNodeByName("result")
    # Slicer turns a left-handed file over while it reads it, so positions are compared, not indices.
    after = sitk.Resample(volumes.image_of(again), before, sitk.Transform(), sitk.sitkNearestNeighbor, -1)
    assert np.array_equal(sitk.GetArrayFromImage(after), sitk.GetArrayFromImage(before))
    if direction == "oblique":
        assert np.abs(ijk_to_ras(again) - geometry).max() < 1e-9
    assert again.GetAttribute("MedSR.method") == "bspline"


def test_slice_view_shows_the_result_as_it_shows_the_input(headless, make_volume):
    from MedSRScene import volumes

    node = make_volume("left-handed")
    before = headless.slice_pixels(node)
    again = volumes.show(volumes.image_of(node), headless.scene, name="again", beside=node)
    assert before.max() > 0
    assert np.array_equal(headless.slice_pixels(again), before)


def _world(node, index):
    """Position (RAS) of a voxel after all transforms."""
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    local = matrix.MultiplyPoint([*(float(value) for value in index), 1.0])[:3]
    world = [0.0, 0.0, 0.0]
    node.TransformPointToWorld(local, world)
    return np.array(world)


def _world_bounds(node):
    bounds = [0.0] * 6
    node.GetRASBounds(bounds)
    return bounds


def _vtk(matrix):
    import vtk

    result = vtk.vtkMatrix4x4()
    result.DeepCopy(matrix.ravel().tolist())
    return result
