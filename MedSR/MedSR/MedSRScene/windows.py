"""One grey scale for all volumes that are compared, and back to what each of them had."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from MedSRScene import places

if TYPE_CHECKING:
    from slicer import vtkMRMLScalarVolumeNode, vtkMRMLScene, vtkMRMLVolumeNode

MODES = ("auto", "manual", "separate")
_PERCENTILES = (0.5, 99.5)
_SAMPLED_VOXELS = 500_000


class Window(NamedTuple):
    """How a volume node showed its intensities."""

    window: float
    level: float
    auto: int
    interpolate: int


def displayOf(node: vtkMRMLVolumeNode, *, make: bool = False) -> Any:
    """The display node with a window and level, made if wanted; None where a volume has none, as a label map."""
    if make and node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    return display if display is not None and display.IsA("vtkMRMLScalarVolumeDisplayNode") else None


def remember(volumes: Iterable[vtkMRMLScalarVolumeNode]) -> dict[str, Window]:
    """The window, level and interpolation of each volume, by node ID; for `restore`."""
    kept = {}
    for node in volumes:
        display = displayOf(node)
        if display is not None:
            kept[node.GetID()] = Window(
                display.GetWindow(), display.GetLevel(), display.GetAutoWindowLevel(), display.GetInterpolate()
            )
    return kept


def restore(scene: vtkMRMLScene, remembered: Mapping[str, Window]) -> None:
    """Give volumes back what `remember` noted; those that are gone are passed over."""
    for nodeID, kept in remembered.items():
        node = scene.GetNodeByID(nodeID)
        display = None if node is None else displayOf(node)
        if display is None:
            continue
        modifying = display.StartModify()
        display.SetAutoWindowLevel(kept.auto)
        display.SetWindowLevel(kept.window, kept.level)
        display.SetInterpolate(kept.interpolate)
        display.EndModify(modifying)


def limits(node: vtkMRMLScalarVolumeNode) -> tuple[float, float]:
    """Intensities between which nearly all voxels of a volume lie, of a sample of them."""
    values = places.voxels(node)
    step = max(1, round((values.size / _SAMPLED_VOXELS) ** (1 / 3)))
    sample = np.asarray(values[::step, ::step, ::step], dtype=float)
    sample = sample[np.isfinite(sample)]
    if not sample.size:
        return 0.0, 1.0
    low, high = np.percentile(sample, _PERCENTILES)
    if high <= low:
        low, high = float(sample.min()), float(sample.max())
    return (float(low), float(high)) if high > low else (float(low), float(low) + 1.0)


def shared(
    volumes: Sequence[vtkMRMLScalarVolumeNode], mode: str, low: float | None = None, high: float | None = None
) -> tuple[float, float] | None:
    """Give all volumes the same window and level.

    Args:
        volumes: those of differences are dressed otherwise and do not belong here.
        mode: "auto" takes `limits` of the first volume, "manual" ``low`` and ``high``, "separate" touches
            nothing (`restore` what was before).

    Returns:
        The lower and upper limit that all have now; None if separate.

    Raises:
        ValueError: if the mode is unknown, or manual without limits in their order.
    """
    if mode not in MODES:
        raise ValueError(f"'{mode}' is none of {MODES}.")
    if mode == "separate" or not volumes:
        return None
    if mode == "auto":
        low, high = limits(volumes[0])
    if low is None or high is None or low >= high:
        raise ValueError("The lower limit must be below the upper limit.")
    for node in volumes:
        display = displayOf(node, make=True)
        if display is None:
            continue
        modifying = display.StartModify()
        display.AutoWindowLevelOff()
        display.SetWindowLevelMinMax(low, high)
        display.EndModify(modifying)
    return low, high
