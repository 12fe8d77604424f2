"""Means of slices over volumes, and the figures made of them."""

import pytest

from MedSRLib.protocols import curves, figures
from MedSRLib.protocols.columns import Column

PSNR = Column("psnr", "psnr_mask", "PSNR, dB ↑", 2, True, True)


def one(volume, values, method="Old"):
    labels = {"group": "heads", "degradation": "physical", "scale": "2", "method": method, "sha256": volume}
    return labels, {"axis": "k", "index": [1, 3, 5], "position_mm": [2.0, 6.0, 10.0], "psnr": values}


def test_a_mean_runs_over_the_volumes_that_have_a_number_there():
    (found,) = curves.means([one("a", [30.0, None, 34.0]), one("b", [32.0, None, None])])
    assert (found["measure"], found["method"], found["scale"]) == ("psnr", "Old", "2")
    assert (found["index"], found["mean"], found["n"]) == ([1, 5], [31.0, 34.0], [2, 1])


def test_methods_are_curves_of_their_own():
    assert [c["method"] for c in curves.means([one("a", [1.0] * 3), one("a", [2.0] * 3, "New")])] == ["Old", "New"]


def drawn(figure):
    """Title and labels of each picture, and what the legend says."""
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    return [axes.get_title(loc="left") for axes in figure.axes], legend


@pytest.mark.parametrize("scales", [["2"], ["2", "3", "4", "6"]])
def test_slice_curves_have_a_picture_a_scale_and_name_every_method(scales):
    found = [c | {"scale": s} for s in scales for c in curves.means([one("a", [1.0] * 3), one("a", [2.0] * 3, "New")])]
    titles, legend = drawn(figures.slice_curves(found, "psnr", scales, ["Old", "New"]))
    assert titles == [f"×{s}" for s in scales] and legend == ["Old", "New"]


def test_box_plots_have_a_dot_a_volume_and_survive_missing_numbers():
    rows = [
        {"scale": "2", "method": m, "sha256": str(v), "psnr_mask": None if v == 2 else 30.0 + v}
        for m in ("Old", "New")
        for v in range(3)
    ]
    figure = figures.boxes(rows, [PSNR], ["2", "3"], ["Old", "New"])
    dots = [line for line in figure.axes[0].lines if line.get_marker() == "."]
    assert sorted(len(line.get_ydata()) for line in dots) == [0, 0, 2, 2]
    assert figure.axes[0].get_ylabel() == "PSNR, dB"


def test_rotation_curves_are_marked_at_every_angle():
    entries = [
        {"scale": "2", "rotation": a, "method": m, "psnr_mask": 30.0 + a} for m in ("Old", "New") for a in (0.0, 90.0)
    ]
    figure = figures.rotation_curves(entries, PSNR, ["2"], ["Old", "New"])
    assert list(figure.axes[0].get_xticks()) == [0.0, 90.0]
    assert len({line.get_marker() for line in figure.axes[0].lines}) == 2
