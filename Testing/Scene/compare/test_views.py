"""Every view shows the landmark where it is, whatever the volume's grid; linked views go together."""

from __future__ import annotations

import numpy as np
import pytest

ALL = [("plain", "none"), ("oblique", "rigid"), ("left-handed", "shear"), ("oblique", "bspline")]


@pytest.fixture
def shown(headless, views, world_volume):
    """A plan of four volumes on other grids and under other transforms, shown; with the logic of each view."""
    from MedSRScene import layouts, windows
    from MedSRScene import views as comparison

    volumes = [world_volume(*case, name=f"{case}") for case in ALL]
    plan = layouts.Plan([node.GetName() for node in volumes])
    logics = views(plan)
    windows.shared(volumes, "manual", 0, 1000)
    comparison.show(headless.scene, headless.application, plan, [node.GetID() for node in volumes])
    comparison.link(headless.scene, plan)
    return plan, volumes, logics


def test_landmark_is_at_its_place_in_every_view(headless, shown, shown_at, landmark):
    from MedSRScene import views as comparison

    plan, _, logics = shown
    comparison.jump(headless.scene, landmark)
    for name in comparison.names(plan):
        assert shown_at(logics[name], landmark) > 0.9 * 255, name
        across = np.array(logics[name].GetSliceNode().GetSliceToRAS().MultiplyPoint([6.0, 0, 0, 0])[:3])
        assert shown_at(logics[name], landmark + across) == pytest.approx(255 * np.exp(-0.72), abs=12), name


def test_views_of_a_row_show_one_plane_in_one_scale(shown):
    plan, _, logics = shown
    for row in plan.rows:
        first, *others = (logics[f"MedSR{row}{number}"].GetSliceNode() for number in range(1, 5))
        for node in others:
            assert _matrix(node.GetXYToRAS()) == pytest.approx(_matrix(first.GetXYToRAS()), abs=1e-9)


def test_fitting_brings_views_back_that_were_moved_apart(headless, shown):
    from MedSRScene import views as comparison

    plan, _, logics = shown
    before = _matrix(logics["MedSRAxial1"].GetSliceNode().GetXYToRAS())
    for number in (1, 2, 3):
        logics[f"MedSRAxial{number}"].GetSliceNode().SetXYZOrigin(10.0 * number, 5.0, 0.0)
    logics["MedSRAxial4"].GetSliceNode().SetFieldOfView(20.0, 20.0, 1.0)
    comparison.fit(headless.scene, headless.application, plan)
    for number in range(1, 5):
        pose = _matrix(logics[f"MedSRAxial{number}"].GetSliceNode().GetXYToRAS())
        assert pose == pytest.approx(before, abs=1e-6)


def test_scroll_pan_and_zoom_go_to_all_views_of_a_row(headless, shown):
    import slicer

    _, _, logics = shown
    leader, flags = logics["MedSRAxial3"], slicer.vtkMRMLSliceNode
    sagittal = _matrix(logics["MedSRSagittal1"].GetSliceNode().GetSliceToRAS())
    leader.StartSliceNodeInteraction(flags.SliceToRASFlag)
    leader.SetSliceOffset(leader.GetSliceOffset() + 3.5)
    leader.EndSliceNodeInteraction()
    leader.StartSliceNodeInteraction(flags.XYZOriginFlag)
    leader.GetSliceNode().SetXYZOrigin(12.0, -7.0, 0.0)
    leader.EndSliceNodeInteraction()
    leader.StartSliceNodeInteraction(flags.FieldOfViewFlag)
    leader.GetSliceNode().SetFieldOfView(80.0, 80.0, 1.0)
    leader.EndSliceNodeInteraction()
    for number in (1, 2, 4):
        node = logics[f"MedSRAxial{number}"].GetSliceNode()
        expected = _matrix(leader.GetSliceNode().GetXYToRAS())[:, [0, 1, 3]]  # in the plane; not how thick it is
        assert _matrix(node.GetXYToRAS())[:, [0, 1, 3]] == pytest.approx(expected, abs=1e-6)
    assert _matrix(logics["MedSRSagittal1"].GetSliceNode().GetSliceToRAS()) == pytest.approx(sagittal)


def test_views_stay_where_they_are_when_not_linked(headless, shown):
    import slicer
    from MedSRScene import views as comparison

    plan, _, logics = shown
    comparison.link(headless.scene, plan, False)
    before = logics["MedSRAxial1"].GetSliceOffset()
    leader = logics["MedSRAxial3"]
    leader.StartSliceNodeInteraction(slicer.vtkMRMLSliceNode.SliceToRASFlag)
    leader.SetSliceOffset(before + 3.5)
    leader.EndSliceNodeInteraction()
    assert logics["MedSRAxial1"].GetSliceOffset() == before


def test_rows_can_be_turned_to_the_planes_of_an_oblique_volume(headless, shown, shown_at, landmark):
    import slicer
    from MedSRScene import places
    from MedSRScene import views as comparison

    plan, volumes, logics = shown
    oblique = volumes[1]
    ids = [node.GetID() for node in volumes]
    comparison.show(headless.scene, headless.application, plan, ids, alignTo=oblique)
    ends = places.world(np.vstack([np.zeros(3), np.eye(3)]), oblique)
    axes = (ends[1:] - ends[0]) / np.linalg.norm(ends[1:] - ends[0], axis=1, keepdims=True)
    normals = set()
    for row in plan.rows:
        first, *others = (logics[f"MedSR{row}{number}"].GetSliceNode() for number in range(1, 5))
        pose = _matrix(first.GetSliceToRAS())
        assert {node.GetOrientation() for node in (first, *others)} == {f"{row} of volume"}
        along = np.abs(axes @ pose[:3, 2])
        assert along.max() == pytest.approx(1, abs=1e-6), row
        normals.add(int(along.argmax()))
        for node in others:
            assert _matrix(node.GetSliceToRAS()) == pytest.approx(pose, abs=1e-9)
    assert len(normals) == 3
    comparison.jump(headless.scene, landmark)
    for name in comparison.names(plan):
        assert shown_at(logics[name], landmark) > 0.9 * 255, name
    sagittal = _matrix(logics["MedSRSagittal1"].GetSliceNode().GetSliceToRAS())
    leader = logics["MedSRAxial1"]  # linking must still tell the rows apart
    leader.StartSliceNodeInteraction(slicer.vtkMRMLSliceNode.SliceToRASFlag)
    leader.SetSliceOffset(leader.GetSliceOffset() + 2)
    leader.EndSliceNodeInteraction()
    assert _matrix(logics["MedSRSagittal1"].GetSliceNode().GetSliceToRAS()) == pytest.approx(sagittal)
    moved = _matrix(logics["MedSRAxial4"].GetSliceNode().GetSliceToRAS())
    assert moved == pytest.approx(_matrix(leader.GetSliceNode().GetSliceToRAS()))
    comparison.orient(headless.scene, plan)
    assert leader.GetSliceNode().GetOrientation() == "Axial"


def test_jump_moves_only_the_group(headless, shown, landmark):
    from MedSRScene import views as comparison

    red = headless.slices
    before = red.GetSliceOffset()
    comparison.jump(headless.scene, landmark)
    assert red.GetSliceOffset() == before
    comparison.jump(headless.scene, landmark, centred=True)
    node = shown[2]["MedSRCoronal2"].GetSliceNode()
    assert _matrix(node.GetSliceToRAS())[:3, 3] == pytest.approx(landmark)


def test_native_voxels_are_shown_as_they_are(headless, shown, shown_at, landmark):
    from MedSRScene import readout
    from MedSRScene import views as comparison

    _, volumes, logics = shown
    comparison.jump(headless.scene, landmark)
    aside = landmark + np.array([4.3, 0, 0])
    smooth = [shown_at(logics[f"MedSRAxial{number}"], aside) for number in (1, 2)]
    comparison.interpolate(volumes, False)
    for number, node in ((1, volumes[0]), (2, volumes[1])):
        shown_value = shown_at(logics[f"MedSRAxial{number}"], aside)
        pixel = _pixel_centre(logics[f"MedSRAxial{number}"], aside)
        assert shown_value == pytest.approx(readout.at(pixel, [node])[0].value * 0.255, abs=1.5)
    assert smooth != [shown_at(logics[f"MedSRAxial{number}"], aside) for number in (1, 2)]


def test_fade_and_flicker_lay_a_volume_over_the_views(headless, shown, shown_at, landmark, world_volume):
    from MedSRScene import views as comparison
    from MedSRScene import windows

    plan, _, logics = shown
    dark = world_volume("plain", name="dark", content=lambda points: np.zeros(len(points)))
    windows.shared([dark], "manual", 0, 1000)
    comparison.jump(headless.scene, landmark)
    layers = comparison.composites(headless.scene, plan)
    for opacity, expected in ((0.0, 250), (0.5, 125), (1.0, 0)):
        comparison.blend(layers, dark.GetID(), opacity)
        assert shown_at(logics["MedSRCoronal1"], landmark) == pytest.approx(expected, abs=12)
    comparison.blend(layers, None, 0)
    assert layers[0].GetForegroundVolumeID() is None


def test_corner_says_title_spacing_and_synthetic(headless, shown):
    from MedSRScene import views as comparison

    plan, volumes, _ = shown
    volumes[1].SetAttribute("MedSR.synthetic", "true")
    texts = comparison.annotations(headless.scene, plan, [node.GetID() for node in volumes[:3]])
    assert texts["MedSRAxial2"] == [volumes[1].GetName(), "1.2 × 1.6 × 2 mm", "SYNTHETIC"]
    assert texts["MedSRAxial1"] == [volumes[0].GetName(), "1.5 × 1.5 × 1.5 mm"]
    assert texts["MedSRAxial4"] == [volumes[3].GetName()]


def test_crosshair_is_shown_and_told(headless):
    import slicer
    from MedSRScene import views as comparison

    assert comparison.crosshair(headless.scene, True) is False  # there is none without Slicer's window
    node = slicer.vtkMRMLCrosshairNode()
    node.SetSingletonTag("default")
    headless.scene.AddNode(node)
    assert comparison.crosshair(headless.scene, True) is False
    assert node.GetCrosshairMode() == node.ShowBasic
    assert comparison.crosshair(headless.scene, False) is True
    assert node.GetCrosshairMode() == node.NoCrosshair


def test_views_are_left_empty_and_unlinked(headless, shown):
    from MedSRScene import views as comparison

    plan, _, _ = shown
    red = headless.slices.GetSliceCompositeNode()
    red.SetLinkedControl(True)
    comparison.clear(headless.scene)
    layers = comparison.composites(headless.scene, plan)
    assert len(layers) == 12
    assert not any(each.GetBackgroundVolumeID() or each.GetLinkedControl() for each in layers)
    assert red.GetLinkedControl()


def test_view_without_a_volume_follows_the_others(headless, shown):
    from MedSRScene import views as comparison

    plan, volumes, logics = shown
    comparison.show(headless.scene, headless.application, plan, [None, volumes[1].GetID()])
    first, second = (_matrix(logics[f"MedSRAxial{number}"].GetSliceNode().GetXYToRAS()) for number in (1, 2))
    assert first == pytest.approx(second)


def _pixel_centre(logic, ras):
    import vtk

    node, inverse = logic.GetSliceNode(), vtk.vtkMatrix4x4()
    vtk.vtkMatrix4x4.Invert(node.GetXYToRAS(), inverse)
    x, y, _, _ = inverse.MultiplyPoint([*ras, 1.0])
    return node.GetXYToRAS().MultiplyPoint([round(x), round(y), 0.0, 1.0])[:3]


def _matrix(matrix):
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])


def test_differences_are_below_their_volumes(headless, views, world_volume):
    from MedSRScene import layouts
    from MedSRScene import views as comparison

    first, second, change = (world_volume(name=name) for name in ("first", "second", "change"))
    plan = layouts.Plan(["first", "second"], rows=["Coronal"], differences=True)
    views(plan)
    ids = [first.GetID(), second.GetID()]
    comparison.show(headless.scene, headless.application, plan, ids, [None, change.GetID()])
    shown = [each.GetBackgroundVolumeID() for each in comparison.composites(headless.scene, plan)]
    assert shown == [*ids, None, change.GetID()]
    assert len(comparison.composites(headless.scene, plan, differences=False)) == 2
    labels = [comparison.sliceNode(headless.scene, name).GetLayoutLabel() for name in comparison.names(plan)]
    assert labels == ["first", "second", "Δ first", "Δ second"]
