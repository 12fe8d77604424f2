"""Where the report looks closer: the edge, and where results differ."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from MedSRLib.evaluation.pictures import Focus, detail_figure, views_figure
from MedSRLib.evaluation.profiles import Line
from MedSRLib.evaluation.reference import Reference
from MedSRLib.evaluation.views import AXIAL, Scene, scene


def looked_at(results: int, *, changed: bool = True, size: int = 80) -> Scene:
    """A noisy square of 160 mm; the second result differs from the first around (x, y) = (128, 40) mm."""
    array = np.random.default_rng(0).uniform(50, 100, (3, size, size)).astype(np.float32)
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((2.0, 2.0, 2.0))
    mask = sitk.GetImageFromArray(np.ones(array.shape, np.uint8))
    mask.CopyInformation(image)
    last = array.copy()
    if changed:
        last[:, 16:24, 60:68] += 20
    volumes = {f"R{n}": array for n in range(results - 1)} | {"Last": last}
    return scene(Reference.of(image, mask), volumes)


def focus_of(shown: Scene) -> Focus:
    return Focus.of(shown, AXIAL, Line((30.0, 100.0, 2.0), (50.0, 100.0, 2.0)))


@pytest.mark.parametrize("results", [1, 3])
def test_the_second_box_holds_where_results_differ_and_leaves_the_first_alone(results: int) -> None:
    first, second = focus_of(looked_at(results)).boxes
    assert first.left < 40 < first.left + first.width and first.top < 100 < first.top + first.height
    assert second.left <= 120 and second.left + second.width >= 136
    assert second.top <= 32 and second.top + second.height >= 48
    assert abs(second.left - first.left) >= first.width or abs(second.top - first.top) >= first.width
    for box in (first, second):
        assert 0 <= box.left <= 160 - box.width and 0 <= box.top <= 160 - box.height


def test_there_is_no_second_box_where_nothing_differs_or_nothing_is_left() -> None:
    assert len(focus_of(looked_at(2, changed=False)).boxes) == 1
    small = looked_at(2, size=8)
    assert len(Focus.of(small, AXIAL, Line((4.0, 8.0, 2.0), (8.0, 8.0, 2.0))).boxes) == 1


def test_all_pictures_have_one_window() -> None:
    shown = looked_at(2)
    names = list(shown.volumes)
    for fig in (detail_figure(shown, names, {}, focus_of(shown)), views_figure(shown, names, {}, focus_of(shown))):
        windows = {image.get_clim() for axes in fig.axes for image in axes.images}
        assert windows == {shown.window()}


def test_each_box_is_a_row_of_its_own() -> None:
    shown = looked_at(2)
    fig = detail_figure(shown, ["Reference", "R0", "Last"], {}, focus_of(shown))
    assert sum(bool(axes.images) for axes in fig.axes) == 3 * 3
    assert {text.get_text() for text in fig.texts} >= {"axial", "axial, box 1", "axial, box 2", "Last"}
