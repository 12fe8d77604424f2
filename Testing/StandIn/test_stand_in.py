"""The stand-in answers as a running Slicer 5.13 was seen to answer."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def qt(module: Any) -> Any:
    import qt

    return qt


def test_a_property_is_an_attribute_and_cannot_be_called(qt: Any) -> None:
    edit = qt.QLineEdit("abc")
    assert edit.text == "abc"
    with pytest.raises(TypeError, match="'str' object is not callable"):
        edit.text()
    combo = qt.QComboBox()
    combo.addItem("a", 1)
    assert (combo.currentIndex, combo.currentText, combo.currentData, combo.count) == (0, "a", 1, 1)
    with pytest.raises(TypeError, match="'int' object is not callable"):
        combo.currentData()


def test_a_method_is_called(qt: Any) -> None:
    box = qt.QCheckBox("a")
    assert box.checked is False and box.isChecked() is False
    assert box.checkState() == 0
    assert box.parent() is None


def test_what_does_not_exist_cannot_be_set_or_read(qt: Any) -> None:
    widget = qt.QWidget()
    with pytest.raises(AttributeError, match="'foo' does not exist on QWidget"):
        widget.foo = 1
    with pytest.raises(AttributeError, match="QWidget has no attribute named 'foo'"):
        _ = widget.foo
    combo = qt.QComboBox()
    with pytest.raises(AttributeError, match="Property 'count' of QComboBox object is not writable"):
        combo.count = 3


def test_no_keyword_arguments(qt: Any) -> None:
    with pytest.raises(ValueError, match="does not support kwargs"):
        qt.QLabel(text="a")
    with pytest.raises(ValueError, match="does not support kwargs"):
        qt.QLabel("a").setText(text="b")


def test_only_the_exact_class_is_an_instance(qt: Any) -> None:
    label = qt.QLabel("a")
    assert isinstance(label, qt.QLabel) and not isinstance(label, qt.QWidget)
    assert label.inherits("QWidget")


def test_enums_are_ints(qt: Any) -> None:
    assert qt.Qt.AlignRight == 2 and qt.Qt.AlignmentFlag.AlignRight == 2
    assert not hasattr(qt.Qt.Checked, "value")
    box = qt.QCheckBox()
    box.setCheckState(qt.Qt.Checked)
    assert box.checked is True


def test_signals(qt: Any) -> None:
    import pythonqt

    heard: list[Any] = []
    button, spin = qt.QPushButton("a"), qt.QSpinBox()

    def two(a: Any, b: Any) -> None:
        heard.append((a, b))

    assert button.connect("clicked(bool)", heard.append) is True
    assert button.connect("clicked", heard.append) is False
    assert spin.connect("valueChanged(double)", heard.append) is False
    assert button.connect("clicked(bool)", two) is True
    button.click()
    assert heard == [False]
    assert button.disconnect("clicked(bool)", heard.append) is True
    assert button.disconnect("clicked(bool)", heard.append) is False
    button.connect("clicked()", lambda: 1 / 0)
    button.click()
    assert [type(error) for error in pythonqt.slotErrors] == [ZeroDivisionError]
    pythonqt.slotErrors.clear()


def test_a_node_selector_follows_the_scene(qt: Any, scene: Any) -> None:
    import slicer

    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    assert selector.nodeTypes == ("vtkMRMLScalarVolumeNode",)
    selector.setMRMLScene(scene)
    heard: list[Any] = []
    assert selector.connect("currentNodeChanged(vtkMRMLNode*)", heard.append) is True
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "a")
    selector.setCurrentNode(node)
    assert selector.currentNodeID == node.GetID() and heard[-1] is node
    scene.RemoveNode(node)
    assert selector.currentNodeID == "" and heard[-1] is None


def test_a_selector_that_is_gone_no_longer_follows_the_scene(qt: Any, scene: Any) -> None:
    import slicer
    import slicer_stand_in

    root = qt.QWidget()
    selector = slicer.qMRMLNodeComboBox(root)
    selector.setMRMLScene(scene)
    observed = selector._object._observed
    assert [who for who, tag in observed] == [scene] * 4
    root.deleteLater()
    slicer_stand_in.reset()
    assert observed == []
