"""The layout of a comparison: a column for each volume, a row for each orientation, a plot below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from MedSRScene import colors

if TYPE_CHECKING:
    from slicer import vtkMRMLLayoutNode

LAYOUT_ID = 5071
VIEW_GROUP = 7
PLOT_VIEW = "MedSRPlot"
ORIENTATIONS = ("Axial", "Sagittal", "Coronal")
_VIEWS_SHARE, _PLOT_SHARE = 700, 300


@dataclass(frozen=True)
class Plan:
    """What the layout holds.

    Attributes:
        columns: the title of each volume.
        rows: some of "Axial", "Sagittal", "Coronal", from top to bottom.
        differences: a row of differences below each row.
        plot: a plot over the whole width at the bottom.
        colors: "#RRGGBB" of each column; by default the accents in their order.
    """

    columns: Sequence[str]
    rows: Sequence[str] = ORIENTATIONS
    differences: bool = False
    plot: bool = False
    colors: Sequence[str] = ()

    def color(self, column: int) -> str:
        """ "#RRGGBB" of a column, counted from 0."""
        return self.colors[column] if column < len(self.colors) else colors.accent(column)

    def views(self) -> list[tuple[str, int, bool]]:
        """(row, column from 0, difference?) of every slice view, row by row."""
        kinds = (False, True) if self.differences else (False,)
        return [(row, column, kind) for row in self.rows for kind in kinds for column in range(len(self.columns))]


def viewName(row: str, column: int, difference: bool = False) -> str:
    """The singleton tag of a slice view, which is its layout name: "MedSRAxial1" for the first column (0)."""
    return f"MedSR{row}{'Difference' if difference else ''}{column + 1}"


def viewTitle(plan: Plan, column: int, difference: bool = False) -> str:
    """The label of a view."""
    return f"Δ {plan.columns[column]}" if difference else plan.columns[column]


def xml(plan: Plan) -> str:
    """The layout description that Slicer's layout manager reads.

    Raises:
        ValueError: if there is no column or no row, or an orientation is unknown.
    """
    if not plan.columns or not plan.rows or not set(plan.rows) <= set(ORIENTATIONS):
        raise ValueError(f"A layout needs a column and rows out of {ORIENTATIONS}: {plan}")
    items = []
    for number, (row, column, difference) in enumerate(plan.views()):
        view = _sliceView(plan, row, column, difference)
        items.append(f'<item row="{number // len(plan.columns)}" column="{column}">{view}</item>')
    grid = f'<layout type="grid">{"".join(items)}</layout>'
    if not plan.plot:
        return grid
    plot = (
        f'<view class="vtkMRMLPlotViewNode" singletontag="{PLOT_VIEW}">'
        '<property name="viewlabel" action="default">P</property></view>'
    )
    return (
        f'<layout type="vertical" split="true"><item splitSize="{_VIEWS_SHARE}">{grid}</item>'
        f'<item splitSize="{_PLOT_SHARE}">{plot}</item></layout>'
    )


def register(layoutNode: vtkMRMLLayoutNode, plan: Plan) -> int:
    """Put the layout into Slicer's list (again), and give its number; the layout manager then shows it."""
    description = xml(plan)
    if layoutNode.IsLayoutDescription(LAYOUT_ID):
        layoutNode.SetLayoutDescription(LAYOUT_ID, description)
    else:
        layoutNode.AddLayoutDescription(LAYOUT_ID, description)
    return LAYOUT_ID


def _sliceView(plan: Plan, row: str, column: int, difference: bool) -> str:
    properties = {
        "orientation": row,
        "viewlabel": viewTitle(plan, column, difference),
        "viewcolor": plan.color(column),
        "viewgroup": str(VIEW_GROUP),
    }
    inner = "".join(
        f'<property name="{name}" action="default">{escape(value)}</property>' for name, value in properties.items()
    )
    return f'<view class="vtkMRMLSliceNode" singletontag="{viewName(row, column, difference)}">{inner}</view>'
