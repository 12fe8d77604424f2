"""Input, checkerboard and guide side by side in the comparison's layout; the user's own layout comes back after."""

from __future__ import annotations

from typing import Any

import slicer
from slicer.i18n import tr as _

_NO_LAYOUT = -1


class AlignmentView:
    """What of Slicer's views belongs to the check of the alignment, and which layout was there before.

    Attributes:
        active: whether it is shown.
    """

    def __init__(self) -> None:
        self.active = False
        self._board: Any = None
        self._pair: tuple[str, str] = ("", "")
        self._layout = _NO_LAYOUT

    def isOf(self, volume: Any, guide: Any) -> bool:
        """Whether these two volumes are shown."""
        return volume is not None and self._pair == (volume.GetID(), guide.GetID())

    def show(self, volume: Any, guide: Any, squares: int) -> None:
        """Show two volumes and their checkerboard, three orientations of each, linked.

        Raises:
            SceneError: if there is nothing to show of one of them.
        """
        from MedSRScene import alignment, layouts, views

        board = alignment.Checkerboard(volume, guide, squares)
        self._removeBoard()
        self._board, self._pair = board, (volume.GetID(), guide.GetID())
        manager = slicer.app.layoutManager()
        if manager is None:  # without a window; the nodes are there for a script
            self.active = True
            return
        if not self.active:
            self._layout = manager.layout
        self.active = True
        plan = layouts.Plan([_("Input"), _("Checkerboard"), _("Guide")])
        layouts.register(manager.layoutLogic().GetLayoutNode(), plan)
        manager.setLayout(layouts.LAYOUT_ID)
        slicer.app.processEvents()  # the views get their size; fitting needs it
        shown = [volume.GetID(), board.node.GetID(), guide.GetID()]
        views.show(slicer.mrmlScene, slicer.app.applicationLogic(), plan, shown)
        views.link(slicer.mrmlScene, plan)

    def setSquares(self, squares: int) -> None:
        """Another number of squares."""
        if self._board is not None:
            self._board.setSquares(squares)

    def leave(self) -> None:
        """Bring back the layout, unless the user has chosen another one meanwhile; harmless when repeated."""
        from MedSRScene import layouts, views

        if not self.active:
            return
        self.active = False
        self._removeBoard()
        manager = slicer.app.layoutManager()
        if manager is not None and manager.layout == layouts.LAYOUT_ID:
            views.clear(slicer.mrmlScene)
            known = self._layout not in (_NO_LAYOUT, layouts.LAYOUT_ID)
            manager.setLayout(self._layout if known else slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)

    def _removeBoard(self) -> None:
        if self._board is not None:
            self._board.remove()
        self._board, self._pair = None, ("", "")
