"""Smooth and detailed parts."""

from __future__ import annotations

import pytest
import torch

from MedSRLib.sparse import smooth


def gradient_energy(x: torch.Tensor) -> torch.Tensor:
    return sum((x.diff(dim=axis).square().sum() for axis in range(1, x.ndim)), torch.zeros((), dtype=x.dtype))


@pytest.mark.parametrize("size", [(11, 14), (9, 10, 7)])
def test_the_parts_add_up_and_the_smooth_one_minimises_its_objective(size: tuple[int, ...]) -> None:
    x = torch.randn(2, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    low, high = smooth.split(x, 5.0)
    assert torch.allclose(low + high, x)
    free = low.clone().requires_grad_()
    ((x - free).square().sum() + 5 * gradient_energy(free)).backward()
    assert free.grad is not None
    inside = free.grad[(slice(None), *[slice(2, -2)] * len(size))]
    assert inside.abs().max() < 1e-2 * x.abs().max()  # up to the reflection, which is about the border's voxels


def test_a_constant_is_smooth_and_a_checkerboard_is_not() -> None:
    assert smooth.split(torch.full((1, 8, 8), 3.0), 5.0)[1].abs().max() < 1e-5
    board = torch.tensor([[(-1.0) ** (i + j) for i in range(9)] for j in range(9)])[None]
    assert smooth.split(board, 5.0)[0].abs().max() == pytest.approx(1 / 41, rel=1e-3)  # 1 / (1 + 5 · 8)


def test_nothing_is_left_without_strength() -> None:
    x = torch.randn(1, 6, 7, generator=torch.Generator().manual_seed(0))
    assert smooth.split(x, 0.0)[1].abs().max() < 1e-6
