"""White is equal, blue is lower, red is higher; or as bright as the difference is large."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def ramp(world_volume, landmark):
    """A difference of 10 a millimetre towards the right, 0 at the landmark."""
    return world_volume("left-handed", "rigid", name="Δ", content=lambda points: 10 * (points[:, 0] - landmark[0]))


@pytest.fixture
def colour(headless, ramp, views, landmark):
    """The colour (0 … 255) that the axial view has this far to the right of the landmark."""
    from MedSRScene import layouts
    from MedSRScene import views as comparison

    plan = layouts.Plan(["a"], rows=["Axial"])
    logic = views(plan)["MedSRAxial1"]
    comparison.show(headless.scene, headless.application, plan, [ramp.GetID()])
    comparison.jump(headless.scene, landmark)

    def at(right):
        import vtk
        from vtk.util.numpy_support import vtk_to_numpy

        inverse = vtk.vtkMatrix4x4()
        vtk.vtkMatrix4x4.Invert(logic.GetSliceNode().GetXYToRAS(), inverse)
        x, y, _, _ = inverse.MultiplyPoint([landmark[0] + right, *landmark[1:], 1.0])
        connection = logic.GetImageDataConnection()
        connection.GetProducer().Update()
        data = connection.GetProducer().GetOutputDataObject(connection.GetIndex())
        pixels = vtk_to_numpy(data.GetPointData().GetScalars()).reshape(*data.GetDimensions()[1::-1], -1)
        return pixels[round(y), round(x), :3].astype(int)

    return at


def test_signed_is_white_at_zero_and_goes_to_blue_and_red(ramp, colour):
    from MedSRScene import differences

    differences.dress(ramp, 100.0)
    assert colour(0).min() > 245  # within a pixel of the landmark
    red, _, blue = colour(9)
    assert red > blue + 100
    red, _, blue = colour(-9)
    assert blue > red + 100


def test_absolute_is_dark_at_zero_and_alike_on_both_sides(ramp, colour):
    from MedSRScene import differences

    differences.dress(ramp, 100.0, "absolute")
    assert colour(0).sum() < 60
    assert colour(6).sum() > colour(3).sum() > colour(1.5).sum()
    assert np.abs(colour(6) - colour(-6)).max() < 25
    differences.dress(ramp, 100.0, "signed")
    assert colour(0).min() > 200


def test_values_stay_what_they_are(ramp):
    from MedSRScene import differences, places

    before = places.voxels(ramp).copy()
    differences.dress(ramp, 50.0, "absolute")
    assert np.array_equal(places.voxels(ramp), before)
    display = ramp.GetDisplayNode()
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (-50, 50)
    assert not display.GetAutoWindowLevel()


def test_one_table_serves_all_and_is_removed_with_the_rest(scene, ramp, world_volume):
    from MedSRScene import derived, differences

    other = world_volume()
    for node in (ramp, other):
        differences.dress(node, 50.0, "absolute")
    assert ramp.GetDisplayNode().GetColorNodeID() == other.GetDisplayNode().GetColorNodeID()
    derived.clear(scene)
    assert scene.GetFirstNodeByName(differences.TABLES["absolute"]) is None


def test_legend_is_made_hidden_and_titled(headless, ramp):
    import slicer
    from MedSRScene import differences

    logic = slicer.vtkSlicerColorLogic()
    logic.SetMRMLScene(headless.scene)
    differences.dress(ramp, 80.0, legend=False, colorsLogic=logic)
    assert logic.GetColorLegendDisplayNode(ramp) is None
    differences.dress(ramp, 80.0, colorsLogic=logic, title="a − truth")
    legend = logic.GetColorLegendDisplayNode(ramp)
    assert legend.GetTitleText() == "a − truth"
    assert legend.GetVisibility()
    differences.dress(ramp, 80.0, legend=False, colorsLogic=logic)
    assert not legend.GetVisibility()
    logic.SetMRMLScene(None)


def test_limit_must_be_above_zero(ramp):
    from MedSRScene import differences

    for limit, mode in ((0.0, "signed"), (float("nan"), "signed"), (1.0, "rainbow")):
        with pytest.raises(ValueError, match="limit"):
            differences.dress(ramp, limit, mode)
    assert differences.suggestedLimit(15, 1000) == 150
    assert differences.suggestedLimit(15, 0) > 0
