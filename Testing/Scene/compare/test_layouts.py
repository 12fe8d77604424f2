"""The layout's XML makes the views it names, read by Slicer's own layout logic."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

TITLES = ["truth", 'A <b> & "c"']


@pytest.fixture
def layout(scene):
    slicer = pytest.importorskip("slicer")
    logic = slicer.vtkMRMLLayoutLogic()
    logic.SetMRMLScene(scene)
    yield logic
    logic.SetMRMLScene(None)


def test_layout_logic_makes_every_view(scene, layout):
    from MedSRScene import layouts, views

    plan = layouts.Plan(TITLES, differences=True, plot=True, colors=["#7F7F7F", "#0072B2"])
    node = layout.GetLayoutNode()
    node.SetViewArrangement(layouts.register(node, plan))
    made = _views(layout)
    assert list(made) == [*views.names(plan), "MedSRPlot"]
    assert len(made) == 3 * 2 * 2 + 1
    second = made["MedSRSagittal2"]
    assert second.GetSingletonTag() == "MedSRSagittal2"
    assert second.GetOrientation() == "Sagittal"
    assert second.GetLayoutLabel() == TITLES[1]
    assert second.GetViewGroup() == layouts.VIEW_GROUP
    assert second.GetLayoutColor() == pytest.approx((0, 0x72 / 255, 0xB2 / 255))
    assert made["MedSRCoronalDifference1"].GetOrientation() == "Coronal"
    assert made["MedSRPlot"].IsA("vtkMRMLPlotViewNode")


def test_another_plan_replaces_the_layout_that_is_shown(layout):
    from MedSRScene import layouts

    node = layout.GetLayoutNode()
    node.SetViewArrangement(layouts.register(node, layouts.Plan(TITLES)))
    assert len(_views(layout)) == 6
    layouts.register(node, layouts.Plan(TITLES[:1], rows=["Coronal"]))
    assert list(_views(layout)) == ["MedSRCoronal1"]


def test_user_s_layout_comes_back(layout):
    from MedSRScene import layouts

    node = layout.GetLayoutNode()
    node.AddLayoutDescription(600, '<layout type="vertical"><item/></layout>')
    node.SetViewArrangement(600)
    node.SetViewArrangement(layouts.register(node, layouts.Plan(TITLES)))
    node.SetViewArrangement(600)
    assert not _views(layout)


def test_grid_has_a_column_for_each_volume_and_differences_below():
    from MedSRScene import layouts

    plan = layouts.Plan(TITLES, rows=["Axial", "Coronal"], differences=True)
    places = {
        item.find("view").get("singletontag"): (int(item.get("row")), int(item.get("column")))
        for item in ElementTree.fromstring(layouts.xml(plan)).iter("item")
    }
    assert places["MedSRAxial1"] == (0, 0)
    assert places["MedSRAxialDifference2"] == (1, 1)
    assert places["MedSRCoronal2"] == (2, 1)
    assert len(set(places.values())) == len(places) == 8


def test_plan_without_columns_or_with_an_unknown_row_is_refused():
    from MedSRScene import layouts

    for plan in (layouts.Plan([]), layouts.Plan(TITLES, rows=[]), layouts.Plan(TITLES, rows=["Oblique"])):
        with pytest.raises(ValueError, match="column"):
            layouts.xml(plan)


def test_colours_are_told_apart_and_begin_again():
    from MedSRScene import colors

    assert len({*colors.ACCENTS, colors.REFERENCE}) == 9
    assert colors.accent(8) == colors.accent(0)
    assert colors.ordered(3, reference=True) == [colors.REFERENCE, colors.accent(0), colors.accent(1)]
    assert colors.ordered(2, reference=False) == [colors.accent(0), colors.accent(1)]
    assert colors.rgb("#FF0080") == pytest.approx((1, 0, 128 / 255))


def _views(layout):
    nodes = layout.GetViewNodes()
    found = [nodes.GetItemAsObject(number) for number in range(nodes.GetNumberOfItems())]
    return {node.GetLayoutName(): node for node in found}
