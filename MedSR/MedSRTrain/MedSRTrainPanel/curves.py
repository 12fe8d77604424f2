"""Live curves of a training: its loss, and its validation beside the line of cubic interpolation.

The plots live in a scene of their own: a training is not part of the user's scene and outlives it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import slicer
from slicer.i18n import tr as _

if TYPE_CHECKING:
    from MedSRScene.train_run import Figure

_HEIGHT = 170
_MOST_POINTS = 1000
_SMOOTHED_SHARE = 20
"""The loss of single batches is noisy: the strong line is the mean over a twentieth of them."""


class Curves:
    """Two plots, one above the other, in a frame with a layout.

    Args:
        frame: the widget that they fill.
    """

    def __init__(self, frame: Any) -> None:
        from MedSRScene.plots import Plot

        self._scene = slicer.vtkMRMLScene()
        self._plots = {name: Plot(self._scene, name) for name in ("loss", "validation")}
        self._nodes, self._views = {}, {}
        for name in self._plots:
            node = self._scene.AddNewNodeByClass("vtkMRMLPlotViewNode", f"MedSRTrain {name}")
            node.SetLayoutName(f"MedSRTrain{name.capitalize()}")
            node.SetMappedInLayout(True)
            view = slicer.qMRMLPlotView()
            view.setMinimumHeight(_HEIGHT)
            frame.layout().addWidget(view)
            view.setMRMLScene(self._scene)
            view.setMRMLPlotViewNode(node)
            self._nodes[name], self._views[name] = node, view
        self.shown = (0, "")
        """How many figures were drawn, and the last of them."""

    def update(self, figures: Sequence[Figure]) -> None:
        """Show these figures; a plot without any is hidden."""
        losses = [figure for figure in figures if figure.name == "loss"]
        validations = [figure for figure in figures if figure.name == "validation_psnr"]
        if losses:
            steps, values = _columns(losses)
            kept = slice(None, None, max(1, len(values) // _MOST_POINTS))
            columns = {_("single batches"): values[kept], _("mean"): _smoothed(values)[kept]}
            self._draw("loss", columns, steps[kept], _("Training loss"), _("loss"), ("#9ECAE1", "#0072B2"))
        if validations:
            steps, values = _columns(validations)
            columns = {_("model"): values}
            if validations[-1].cubic is not None:
                columns[_("cubic interpolation")] = np.full(len(steps), validations[-1].cubic)
            self._draw("validation", columns, steps, _("Validation"), _("PSNR (dB)"), ("#D55E00", "#7F7F7F"))
        self._views["loss"].visible = bool(losses)
        self._views["validation"].visible = bool(validations)
        self.shown = (len(figures), str(figures[-1:]))

    def clean(self) -> None:
        """Let go of the views: MRML widgets that outlive the application crash it."""
        for view in self._views.values():
            view.setMRMLPlotViewNode(None)
            view.setMRMLScene(None)
        self._views.clear()

    def _draw(
        self,
        name: str,
        columns: dict[str, np.ndarray],
        steps: np.ndarray,
        title: str,
        unit: str,
        colors: tuple[str, ...],
    ) -> None:
        plot = self._plots[name]
        plot.update(columns, steps, title=title, xTitle=_("step"), yTitle=unit, colors=colors)
        if self._nodes[name].GetPlotChartNodeID() is None:
            plot.show(self._nodes[name])
        self._views[name].fitToContent()


def _columns(figures: Sequence[Figure]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([f.step for f in figures], float), np.array([f.value for f in figures], float)


def _smoothed(values: np.ndarray) -> np.ndarray:
    """The mean over the latest values, as many as there are at the beginning."""
    window = max(1, len(values) // _SMOOTHED_SHARE)
    sums = np.cumsum(np.concatenate([[0.0], values]))
    last = np.arange(1, len(values) + 1)
    first = np.maximum(0, last - window)
    return (sums[last] - sums[first]) / (last - first)
