"""One grey scale for all, and each its own again."""

from __future__ import annotations

import numpy as np
import pytest


def test_all_get_the_limits_of_the_first(world_volume):
    from MedSRScene import windows

    first = world_volume("plain", content=lambda points: np.linspace(0, 1000, len(points)))
    second = world_volume("oblique", content=lambda points: np.linspace(-5000, 5000, len(points)))
    low, high = windows.shared([first, second], "auto")
    assert (low, high) == pytest.approx((5, 995), abs=2)
    for node in (first, second):
        display = node.GetDisplayNode()
        assert not display.GetAutoWindowLevel()
        assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == pytest.approx((low, high))


def test_given_limits_are_taken_and_separate_touches_nothing(world_volume):
    from MedSRScene import windows

    node = world_volume()
    assert windows.shared([node], "manual", -20, 300) == (-20, 300)
    assert windows.shared([node], "separate") is None
    assert node.GetDisplayNode().GetWindowLevelMin() == -20


@pytest.mark.parametrize(("mode", "limits"), [("manual", (3, 3)), ("manual", ()), ("sepia", (0, 1))])
def test_limits_out_of_order_or_an_unknown_mode_are_refused(world_volume, mode, limits):
    from MedSRScene import windows

    with pytest.raises(ValueError, match=r"limit|none of"):
        windows.shared([world_volume()], mode, *limits)


def test_uniform_volume_has_limits_all_the_same(world_volume):
    from MedSRScene import windows

    low, high = windows.limits(world_volume(content=lambda points: np.full(len(points), 7.0)))
    assert (low, high) == (7.0, 8.0)
    empty = world_volume(content=lambda points: np.full(len(points), np.nan))
    assert windows.limits(empty) == (0.0, 1.0)


def test_what_each_had_comes_back(scene, world_volume):
    from MedSRScene import views, windows

    auto, own, gone = (world_volume(name=name) for name in ("auto", "own", "gone"))
    own.GetDisplayNode().AutoWindowLevelOff()
    own.GetDisplayNode().SetWindowLevel(321.0, 45.0)
    own.GetDisplayNode().SetInterpolate(0)
    before = auto.GetDisplayNode().GetWindow(), auto.GetDisplayNode().GetLevel()
    kept = windows.remember([auto, own, gone])
    windows.shared([auto, own, gone], "manual", 0, 1)
    views.interpolate([auto, own], True)
    scene.RemoveNode(gone)
    windows.restore(scene, kept)
    assert own.GetDisplayNode().GetWindow() == 321.0
    assert own.GetDisplayNode().GetLevel() == 45.0
    assert not own.GetDisplayNode().GetInterpolate()
    assert auto.GetDisplayNode().GetAutoWindowLevel()
    assert (auto.GetDisplayNode().GetWindow(), auto.GetDisplayNode().GetLevel()) == pytest.approx(before)


def test_label_map_has_no_window_and_is_left_alone(scene, world_volume):
    import slicer
    from MedSRScene import views, windows

    labels = scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
    labels.SetAndObserveImageData(world_volume(dtype=np.uint8).GetImageData())
    labels.CreateDefaultDisplayNodes()
    assert isinstance(labels.GetDisplayNode(), slicer.vtkMRMLLabelMapVolumeDisplayNode)
    assert windows.remember([labels]) == {}
    assert windows.shared([labels], "manual", 0, 1) == (0, 1)
    views.interpolate([labels], False)
