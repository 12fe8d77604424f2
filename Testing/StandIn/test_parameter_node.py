"""The parameter node wrapper keeps, checks and shows values as Slicer's does."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated, Any

import pytest


class Way(enum.Enum):
    FAST = 1
    GOOD = 2

    def label(self) -> str:
        return self.name.title()


@pytest.fixture
def wrapper(scene: Any) -> Any:
    import slicer
    from slicer.parameterNodeWrapper import Choice, Default, WithinRange, parameterNodeWrapper

    class Parameters:
        pass

    Parameters.__annotations__ = {
        "volume": slicer.vtkMRMLScalarVolumeNode,
        "scale": Annotated[float, WithinRange(1, 8)],
        "count": Annotated[int, WithinRange(0, 9), Default(3)],
        "on": bool,
        "name": str,
        "folder": Path,
        "names": list[str],
        "way": Way,
        "mode": Annotated[str, Choice(["a", "b"])],
    }
    Parameters.scale, Parameters.mode = 2.0, "a"
    return parameterNodeWrapper(Parameters)


@pytest.fixture
def parameters(wrapper: Any) -> Any:
    import slicer

    return wrapper(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode"))


def test_values_are_kept_in_the_node(wrapper: Any, parameters: Any) -> None:
    import slicer

    assert (parameters.scale, parameters.count, parameters.on, parameters.way) == (2.0, 3, False, Way.FAST)
    parameters.names, parameters.folder, parameters.way = ["x", "y, z"], Path("/a b"), Way.GOOD
    parameters.volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    again = wrapper(parameters.parameterNode)
    assert (again.names, again.folder, again.way, again.volume) == (
        ["x", "y, z"],
        Path("/a b"),
        Way.GOOD,
        parameters.volume,
    )
    assert parameters.parameterNode.GetParameter("way") == "GOOD"


@pytest.mark.parametrize(
    ("name", "value"),
    [("scale", 9.0), ("scale", "2"), ("count", 1.5), ("mode", "c"), ("way", "GOOD"), ("on", 1), ("name", None)],
)
def test_wrong_values_are_refused(parameters: Any, name: str, value: Any) -> None:
    with pytest.raises(ValueError):
        setattr(parameters, name, value)


def test_both_ways_between_widgets_and_node(parameters: Any, scene: Any) -> None:
    import ctk
    import qt
    import slicer

    widgets = {
        "scale": qt.QDoubleSpinBox(),
        "count": qt.QSpinBox(),
        "on": qt.QCheckBox(),
        "name": qt.QLineEdit(),
        "folder": ctk.ctkPathLineEdit(),
        "way": qt.QComboBox(),
        "mode": qt.QComboBox(),
        "volume": slicer.qMRMLNodeComboBox(),
    }
    widgets["volume"].noneEnabled = True
    widgets["volume"].setMRMLScene(scene)
    tag = parameters.connectParametersToGui(widgets)
    assert (widgets["scale"].minimum, widgets["scale"].maximum, widgets["scale"].value) == (1, 8, 2)
    assert widgets["way"].itemText(1) == "Good"
    parameters.scale, parameters.way, parameters.name, parameters.folder = 3.5, Way.GOOD, "n", Path("/x")
    assert (widgets["scale"].value, widgets["way"].currentIndex, widgets["name"].text) == (3.5, 1, "n")
    assert widgets["folder"].currentPath == "/x"
    widgets["count"].value, widgets["on"].checked, widgets["mode"].currentIndex = 7, True, 1
    volume = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    widgets["volume"].setCurrentNode(volume)
    assert (parameters.count, parameters.on, parameters.mode, parameters.volume) == (7, True, "b", volume)
    parameters.disconnectGui(tag)
    widgets["count"].value = 1
    assert parameters.count == 7


def test_what_slicer_has_no_connector_for(parameters: Any) -> None:
    import ctk
    import qt

    for name, widget in (("name", qt.QComboBox()), ("scale", qt.QSlider()), ("names", ctk.ctkSliderWidget())):
        with pytest.raises(RuntimeError):
            parameters.connectParametersToGui({name: widget})
    with pytest.raises(ValueError, match="Cannot find a param"):
        parameters.connectParametersToGui({"nobody": qt.QCheckBox()})
