"""Layouts with real slice logics and plot views, without a window."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

XML = """<layout type="vertical"><item splitSize="700"><layout type="grid">
<item row="0" column="0"><view class="vtkMRMLSliceNode" singletontag="A1">
 <property name="orientation" action="default">Axial</property>
 <property name="viewlabel" action="default">T1 &amp; T2</property>
 <property name="viewcolor" action="default">#FF8000</property>
 <property name="viewgroup" action="default">7</property></view></item>
<item row="0" column="1"><view class="vtkMRMLSliceNode" singletontag="A2">
 <property name="orientation" action="default">Axial</property>
 <property name="viewgroup" action="default">7</property></view></item></layout></item>
<item splitSize="300"><view class="vtkMRMLPlotViewNode" singletontag="P"/></item></layout>"""


@pytest.fixture
def manager(scene: Any) -> Any:
    import slicer

    node = slicer.app.layoutManager().layoutLogic().GetLayoutNode()
    node.AddLayoutDescription(5071, XML)
    slicer.app.layoutManager().setLayout(5071)
    return slicer.app.layoutManager()


@pytest.fixture
def ramp(scene: Any) -> Any:
    import slicer

    values = np.broadcast_to(np.arange(12, dtype=np.float32), (5, 8, 12))
    node = slicer.util.addVolumeFromArray(np.array(values), name="ramp")
    node.GetDisplayNode().AutoWindowLevelOff()
    node.GetDisplayNode().SetWindowLevelMinMax(0, 11)
    return node


def test_a_layout_makes_its_views(manager: Any) -> None:
    assert manager.layout == 5071
    assert {"Red", "Green", "Yellow", "A1", "A2"} <= set(manager.sliceViewNames())
    widget = manager.sliceWidget("A1")
    node = widget.mrmlSliceNode()
    assert (node.GetOrientation(), node.GetLayoutLabel(), node.GetViewGroup()) == ("Axial", "T1 & T2", 7)
    assert widget.mrmlSliceCompositeNode().GetLayoutName() == "A1"
    assert widget.sliceView().width == node.GetDimensions()[0] > 100
    assert manager.plotWidget(0).mrmlPlotViewNode().GetLayoutName() == "P"
    assert manager.sliceWidget("nobody") is None and manager.plotWidget(1) is None
    manager.setLayout(3)
    assert manager.layout == 3 and manager.sliceWidget("A1") is not None


def test_a_view_shows_the_pixels_of_its_logic(manager: Any, ramp: Any) -> None:
    from slice_painting import slice_image

    widget = manager.sliceWidget("A1")
    widget.mrmlSliceCompositeNode().SetBackgroundVolumeID(ramp.GetID())
    widget.sliceLogic().FitSliceToAll()
    image = slice_image(widget.sliceLogic())
    row = [image.pixelColor(x, image.height() // 2).red() for x in range(image.width())]
    assert max(row) > 200 and row[image.width() // 2 - 60] != row[image.width() // 2 + 60]
    centre = widget.sliceView().convertRASToXYZ([5.5, 3.5, 2])
    assert np.allclose(widget.sliceView().convertXYZToRAS(centre)[:2], [5.5, 3.5])


def test_linked_views_follow_an_interaction(manager: Any, ramp: Any) -> None:
    first, second = (manager.sliceWidget(name) for name in ("A1", "A2"))
    for widget in (first, second):
        widget.mrmlSliceCompositeNode().SetBackgroundVolumeID(ramp.GetID())
        widget.mrmlSliceCompositeNode().SetLinkedControl(True)
        widget.mrmlSliceCompositeNode().SetHotLinkedControl(True)
    first.mrmlSliceNode().SetSliceOffset(1)
    assert second.mrmlSliceNode().GetSliceOffset() != 1
    first.sliceController().setSliceOffsetValue(3)
    assert second.mrmlSliceNode().GetSliceOffset() == 3
    assert manager.sliceWidget("Red").mrmlSliceNode().GetSliceOffset() != 3


@pytest.mark.parametrize("singletons", [False, True])
def test_views_after_a_new_scene(manager: Any, ramp: Any, singletons: bool) -> None:
    import slicer

    slicer.mrmlScene.Clear(singletons)
    manager = slicer.app.layoutManager()
    assert manager.layout == (3 if singletons else 5071)
    assert manager.sliceWidget("Red").mrmlSliceNode().GetScene() is slicer.mrmlScene
    again = slicer.util.addVolumeFromArray(np.ones((3, 4, 5), np.float32))
    assert again.GetDisplayNode().GetColorNode().GetName() == "Grey"
    assert slicer.mrmlScene.GetNodeByID("vtkMRMLColorTableNodeFileDivergingBlueRed.txt").GetNumberOfColors() == 255
    assert slicer.mrmlScene.GetSingletonNode("default", "vtkMRMLCrosshairNode") is not None


def test_corner_annotation(manager: Any) -> None:
    view = manager.sliceWidget("A1").sliceView()
    view.cornerAnnotation().SetText(2, "SYNTHETIC")
    assert view.cornerAnnotation().GetText(2) == "SYNTHETIC"
    view.scheduleRender()
