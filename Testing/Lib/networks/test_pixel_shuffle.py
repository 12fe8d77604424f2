"""Pixel shuffle: torch's order in two dimensions, and each phase where it belongs in three."""

from __future__ import annotations

import torch

from MedSRLib.networks.pixel_shuffle import PixelShuffle


def test_equals_torch_in_two_dimensions() -> None:
    x = torch.randn(2, 3 * 9, 5, 4)
    assert torch.equal(PixelShuffle((3, 3))(x), torch.nn.PixelShuffle(3)(x))


def test_every_phase_goes_to_its_place() -> None:
    """Channel (a, b, c) of a voxel holds 100 a + 10 b + c: so must the voxel's parts."""
    scale = (2, 1, 3)
    phases = torch.tensor([100 * a + 10 * b + c for a in range(2) for b in range(1) for c in range(3)])
    x = phases.float().view(1, 6, 1, 1, 1).expand(1, 6, 4, 5, 2)
    fine = PixelShuffle(scale)(x)
    assert fine.shape == (1, 1, 8, 5, 6)
    a, b, c = torch.meshgrid(*(torch.arange(n) for n in fine.shape[2:]), indexing="ij")
    assert torch.equal(fine[0, 0], (100 * (a % 2) + 10 * (b % 1) + c % 3).float())
