"""Perceptual sharpness index (PSI), for batches of slices: how narrow the sharpest edges are, without a reference.

After Feichtenhofer, Fassold and Schallauer 2013 (doi:10.1109/LSP.2013.2251337):

1. Edges: Sobel gradients b = bx² + by², kept where b > 4 · mean(b) and b is the largest across the edge.
2. At edges whose gradient φ = atan2(Iy, Ix) lies within 8° of the vertical: the width w is the number of pixels
   up and down the column over which the intensity keeps rising or falling, divided by cos(φ ∓ 90°). An edge whose
   climb reaches the border is left out. If w ≥ 3 pixels, the just noticeable blur, its slope (Imax - Imin) / w is
   taken off: of two wide edges the one of more contrast looks sharper.
3. Blocks of 32 × 32 pixels without the outermost ring: the mean of the widths other than zero, if they sum to at
   least 2. Of all blocks the sharpest 22 % (rounded up) count:  PSI = 1 / mean width;  0 if there is no edge.

Widths along the columns only: the index of a transposed picture differs. PSI is not HaarPSI.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

BLOCK = 32
SMALLEST = 3 * BLOCK
"""Pixels a side needs for one block beside the outermost ring; smaller slices are mirrored outwards."""

_TOLERANCE_DEGREES = 8.0
_JUST_NOTICEABLE = 3.0
_LEAST_SUM = 2.0
_SHARPEST = 0.22
_ROUNDING = 1e-12


def psi(image: Tensor) -> Tensor:
    """PSI of each slice, the higher the sharper.

    Args:
        image: (n, j, i), intensities from 0 to 1; the columns, along which widths are measured, run along j.
            Sides below `SMALLEST` pixels are mirrored outwards to that length, the slice in the middle.

    Returns:
        (n,), float64.
    """
    values = _large_enough(image.double())
    widths = _edge_widths(values, _edges(values))
    n, rows, columns = values.shape[0], values.shape[1] // BLOCK, values.shape[2] // BLOCK
    tiles = widths[:, : rows * BLOCK, : columns * BLOCK].reshape(n, rows, BLOCK, columns, BLOCK)
    tiles = tiles[:, 1:-1, :, 1:-1]
    totals, counts = tiles.sum(dim=(2, 4)).flatten(1), (tiles != 0).sum(dim=(2, 4)).flatten(1)
    means = torch.where(totals >= _LEAST_SUM, totals / counts.clamp(min=1), torch.inf).sort(dim=1).values
    used = (means.isfinite().sum(dim=1) * _SHARPEST).ceil()
    sharpest = means.masked_fill(torch.arange(means.shape[1], device=means.device) >= used[:, None], 0.0)
    return torch.where(used > 0, used / sharpest.sum(dim=1).clamp(min=1e-300), 0.0)


def _large_enough(image: Tensor) -> Tensor:
    """The slices, mirrored outwards along sides that are too short."""
    for axis in (1, 2):
        n = image.shape[axis]
        if n < SMALLEST:
            before = (SMALLEST - n) // 2
            index = torch.arange(-before, SMALLEST - before, device=image.device).remainder(2 * n)
            image = image.index_select(axis, torch.minimum(index, 2 * n - 1 - index))
    return image


def _edges(image: Tensor) -> Tensor:
    """Thin Sobel edges, bool (n, j, i): the automatic threshold and thinning of MATLAB's `edge`."""
    framed = functional.pad(image[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    along = framed[:, :-2] + 2 * framed[:, 1:-1] + framed[:, 2:]
    bx = (along[:, :, :-2] - along[:, :, 2:]).abs_()
    along = framed[:, :, :-2] + 2 * framed[:, :, 1:-1] + framed[:, :, 2:]
    by = (along[:, :-2] - along[:, 2:]).abs_()
    b = bx * bx + by * by
    inner = b[:, 1:-1, 1:-1]
    along_i = (bx >= by - _ROUNDING)[:, 1:-1, 1:-1] & (b[:, 1:-1, :-2] <= inner) & (inner > b[:, 1:-1, 2:])
    along_j = (by >= bx - _ROUNDING)[:, 1:-1, 1:-1] & (b[:, :-2, 1:-1] <= inner) & (inner > b[:, 2:, 1:-1])
    kept = (inner > 4 * b.mean(dim=(1, 2), keepdim=True)) & (along_i | along_j)
    return functional.pad(kept, (1, 1, 1, 1), value=False)


def _edge_widths(image: Tensor, edges: Tensor) -> Tensor:
    """The width in pixels at each edge pixel that has one, else zero, (n, j, i)."""
    widths = torch.zeros_like(image)
    n, j, i = edges.nonzero(as_tuple=True)  # never in the outermost rows and columns
    iy, ix = image[n, j + 1, i] - image[n, j - 1, i], image[n, j, i + 1] - image[n, j, i - 1]
    angle = torch.rad2deg(torch.atan2(iy, ix))
    columns = image.transpose(1, 2).contiguous()
    for sign in (1, -1):  # brighter downwards, brighter upwards
        lean = angle - sign * 90
        near = lean.abs() < _TOLERANCE_DEGREES
        place = (n[near], i[near], j[near])
        top, bottom = (end[place] for end in _ends(sign * columns))
        inside = (top > 0) & (bottom < image.shape[1] - 1)
        width = (bottom - top) / torch.cos(torch.deg2rad(lean[near]))
        contrast = (columns[place[0], place[1], bottom] - columns[place[0], place[1], top]).abs()
        width = torch.where(width >= _JUST_NOTICEABLE, width - contrast / width, width)
        widths[place[0], place[2], place[1]] = torch.where(inside, width, 0.0)
    return widths


def _ends(columns: Tensor) -> tuple[Tensor, Tensor]:
    """The rows between which the intensity rises without a stop downwards around each pixel, (n, i, j)."""
    rows = columns.shape[2]
    row = torch.arange(rows, device=columns.device, dtype=torch.int32)
    rises = columns[:, :, 1:] > columns[:, :, :-1]
    starts = torch.where(functional.pad(rises, (1, 0), value=False), 0, row)
    top = starts.cummax(dim=2).values
    stops = torch.where(functional.pad(rises, (0, 1), value=False), 0, rows - 1 - row)
    bottom = rows - 1 - stops.flip(2).cummax(dim=2).values.flip(2)
    return top.long(), bottom.long()
