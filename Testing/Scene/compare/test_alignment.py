"""The checkerboard of two volumes that lie on other grids and under other transforms, down to a view's pixels."""

from __future__ import annotations

import numpy as np
import pytest

BRIGHT = (0.0, 1000.0)


@pytest.fixture
def pair(world_volume):
    """The same content on an oblique grid below a rigid transform, and on a left-handed one below a warp."""
    from MedSRScene import windows

    found = [world_volume("oblique", "rigid", name="T2 tra"), world_volume("left-handed", "bspline", name="T1 sag")]
    windows.shared(found, "manual", *BRIGHT)
    return found


def test_the_box_holds_all_of_the_volume_and_is_bounded(pair, monkeypatch):
    from MedSRScene import alignment

    bounds = [0.0] * 6
    pair[0].GetRASBounds(bounds)
    box = alignment.Box.around(pair[0], 1.2)
    low, high = np.array(box.origin) - 0.6, np.array(box.origin) + 1.2 * (np.array(box.size) - 0.5)
    assert (low <= np.array(bounds[::2]) + 1e-6).all() and (high >= np.array(bounds[1::2]) - 1e-6).all()
    monkeypatch.setattr(alignment, "MOST_VOXELS", 1000)
    coarse = alignment.Box.around(pair[0], 1.2)
    assert np.prod(coarse.size) < 2000 and coarse.spacing > 4


def test_both_show_the_landmark_where_it_is(pair, blob, landmark):
    from MedSRScene import alignment

    box = alignment.Box.around(pair[0], 1.2)
    index = np.round((landmark - box.origin) / box.spacing).astype(int)
    places = np.array(box.origin) + box.spacing * (index + np.array([[0, 0, 0], [3, 0, 0], [0, -4, 0], [0, 2, 2]]))
    expected = np.clip(blob(places) * 255 / 1000, 0, 255)
    for node in pair:
        shown = alignment.resampled(node, box)
        i, j, k = np.round((places - box.origin) / box.spacing).astype(int).T
        assert shown[k, j, i].astype(float) == pytest.approx(expected, abs=14), node.GetName()


def test_squares_take_turns_in_the_pixels_of_a_view(headless, views, world_volume, shown_at, landmark):
    """One volume is dark and the other bright: along a line of the view they alternate as the squares do."""
    from MedSRScene import alignment, layouts, windows
    from MedSRScene import views as comparison

    volumes = [
        world_volume(frame, parent, name=str(value), content=lambda points, v=value: np.full(len(points), float(v)))
        for value, frame, parent in ((200, "plain", "none"), (800, "plain", "none"))
    ]
    windows.shared(volumes, "manual", *BRIGHT)
    board = alignment.Checkerboard(*volumes, 4)
    plan = layouts.Plan(["Input", "Both in turn", "Guide"])
    logics = views(plan)
    comparison.show(
        headless.scene, headless.application, plan, [volumes[0].GetID(), board.node.GetID(), volumes[1].GetID()]
    )
    comparison.jump(headless.scene, landmark)
    across = np.linspace(-22, 22, 89)

    def line(row, column):
        logic = logics[layouts.viewName(row, column)]
        right = np.array(logic.GetSliceNode().GetSliceToRAS().MultiplyPoint([1.0, 0, 0, 0])[:3])
        return np.array([shown_at(logic, landmark + shift * right) for shift in across])

    for row in plan.rows:
        assert line(row, 0) == pytest.approx(51, abs=1)
        assert line(row, 2) == pytest.approx(204, abs=1)
        dark, bright = (float((abs(line(row, 1) - value) < 16).mean()) for value in (51, 204))
        assert min(dark, bright) > 0.3
        assert dark + bright > 0.8  # the rest is smoothed between two squares
    for squares, turns in ((4, 3), (12, 8)):
        board.setSquares(squares)
        assert np.count_nonzero(np.diff(line("Axial", 1) > 127)) == pytest.approx(turns, abs=1)


def test_what_was_made_goes_again(scene, pair):
    from MedSRScene import alignment, derived
    from MedSRScene.errors import SceneError

    before = scene.GetNumberOfNodes()
    board = alignment.Checkerboard(*pair, 8)
    assert len(derived.nodes(scene)) == 3
    board.remove()
    board.remove()
    assert scene.GetNumberOfNodes() == before
    empty = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
    with pytest.raises(SceneError, match="holds no image"):
        alignment.Checkerboard(pair[0], empty, 8)
