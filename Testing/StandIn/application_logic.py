"""Slicer's application logic without its window: the scene, colours, slice logics and the layout.

What `qSlicerCoreApplication` does at its start: `vtkSlicerApplicationLogic.SetMRMLScene`, the colour logic with its
default nodes, and the presets of slice orientations; and again after `scene.Clear(True)`, which takes singletons.
"""

from __future__ import annotations

from typing import Any

import slicer
import vtk
from color_files import add_file_colors


class Core:
    """The scene and the logics over it."""

    def __init__(self, home: str) -> None:
        self.scene = slicer.vtkMRMLScene()
        self.application = slicer.vtkSlicerApplicationLogic()
        self.sliceLogics, self.viewLogics = vtk.vtkCollection(), vtk.vtkCollection()
        self.application.SetSliceLogics(self.sliceLogics)
        self.application.SetViewLogics(self.viewLogics)
        self.application.SetHomeDirectory(home)
        self.application.SetShareDirectory(".")
        self._presets()
        self.application.SetMRMLScene(self.scene)
        self.colors = slicer.vtkSlicerColorLogic()
        self.colors.SetMRMLApplicationLogic(self.application)
        self.application.SetModuleLogic("Colors", self.colors)
        self.colors.SetMRMLScene(self.scene)
        add_file_colors(self.scene)
        self.links = slicer.vtkMRMLSliceLinkLogic()
        self.links.SetMRMLApplicationLogic(self.application)
        self.links.SetMRMLScene(self.scene)
        self.crosshair()
        self.scene.AddObserver(self.scene.EndCloseEvent, self._onEndClose, 10.0)

    def _presets(self) -> None:
        slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(self.scene, True)

    def crosshair(self) -> Any:
        """The crosshair is a singleton of the scene."""
        node = self.scene.GetSingletonNode("default", "vtkMRMLCrosshairNode")
        if node is None:
            node = slicer.vtkMRMLCrosshairNode()
            node.SetCrosshairName("default")
            node.SetSingletonTag("default")
            node = self.scene.AddNode(node)
        return node

    def _onEndClose(self, caller: Any, event: str) -> None:
        self.scene.StartState(self.scene.BatchProcessState)
        self._presets()
        self.crosshair()
        if self.scene.GetNodeByID("vtkMRMLColorTableNodeGrey") is None:
            self.colors.AddDefaultColorNodes()
        add_file_colors(self.scene)
        self.scene.EndState(self.scene.BatchProcessState)

    def logic(self, cls: str) -> Any:
        """A module's logic over the scene, by its class."""
        found = getattr(slicer, cls)()
        found.SetMRMLApplicationLogic(self.application)
        found.SetMRMLScene(self.scene)
        return found
