"""All patches of an image as its channels, and back: sums of overlapping patches."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def patches(image: Tensor, length: int) -> Tensor:
    """(n, 1, *size) to (n, length^d, *(size - length + 1)): a patch's voxels, last axis fastest, at its first voxel."""
    axes = image.dim() - 2
    cut = image
    for axis in range(axes):
        parts = cut.shape[2 + axis] - length + 1
        shifted = [cut.narrow(2 + axis, start, parts) for start in range(length)]
        cut = torch.stack(shifted, dim=2).flatten(1, 2)
    return cut


def overlapped(cut: Tensor, length: int) -> Tensor:
    """The transpose of `patches`: (n, length^d, *size) to (n, 1, *(size + length - 1)), overlaps added."""
    if cut.dim() == 5:
        n, _, k, j, i = cut.shape
        slabs = cut.reshape(n, length, length**2, k, j, i)
        whole = cut.new_zeros(n, 1, k + length - 1, j + length - 1, i + length - 1)
        for start in range(length):
            slices = slabs[:, start].transpose(1, 2).reshape(n * k, length**2, j, i)
            whole[:, :, start : start + k] += overlapped(slices, length).reshape(n, 1, k, *whole.shape[3:])
        return whole
    j, i = cut.shape[2:]
    return functional.fold(cut.flatten(2), (j + length - 1, i + length - 1), length)
