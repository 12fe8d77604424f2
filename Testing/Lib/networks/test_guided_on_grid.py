"""Guided networks asked at any positions: the guide lies where the answer does."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from MedSRLib.errors import ModelError
from MedSRLib.networks import catalogue
from MedSRLib.networks.guided import Guided, own_positions
from MedSRLib.networks.lmcsc import LMCSC, LMCSCConfig
from MedSRLib.networks.queries import Queries

TINY = {"features": 6, "kernel": 3, "steps": 2, "guide_steps": 2}
SHAPE = (4, 6, 5)


def queries(factor: float) -> Queries:
    k, _, i = (np.arange(n, dtype=float) for n in SHAPE)
    fine = (np.arange(round(SHAPE[1] * factor)) + 0.5) / factor - 0.5
    return Queries((k, fine, i), (1.0, 1 / factor, 1.0))


def network(**architecture) -> Guided:
    torch.manual_seed(0)
    built = catalogue.build("lmcsc", {**TINY, **architecture})
    assert isinstance(built, Guided)
    with torch.no_grad():
        for p in built.parameters():
            p += 0.05 * torch.randn(p.shape)
    return built.eval()


@pytest.mark.parametrize("scale", [None, (3, 1)])
@torch.no_grad()
def test_slices_of_a_volume_see_their_own_slice_of_the_guide(scale: tuple[int, int] | None) -> None:
    net, asked = network(scale=scale, residual="cubic"), queries(3.0)
    assert [len(where) for where in own_positions(net, SHAPE, asked)] == [4, 18, 5]
    image, guide = torch.rand(1, 1, *SHAPE), torch.rand(1, 1, 4, 18, 5)
    whole = net(image, asked, guide)
    one = Queries((np.zeros(1), *asked.positions[1:]), asked.step)
    for k in range(4):
        alone = net(image[:, :, k : k + 1], one, guide[:, :, k : k + 1])
        torch.testing.assert_close(whole[:, :, k : k + 1], alone, atol=1e-5, rtol=0)
    assert (whole - net(image, asked)).abs().max() > 1e-3


@torch.no_grad()
def test_own_voxels_are_parts_of_the_inputs() -> None:
    """A guide that is bright in one part of one voxel changes the answer around that place."""
    net, asked = network(scale=(3, 1)), queries(3.0)
    image, guide = torch.rand(1, 1, *SHAPE), torch.rand(1, 1, 4, 18, 5)
    other = guide.clone()
    other[0, 0, 2, 10, 3] += 1.0
    change = (net(image, asked, other) - net(image, asked, guide)).abs()[0, 0]
    assert change[[0, 1, 3]].max() == 0
    assert change[2].max() > 0


@pytest.mark.parametrize("scale", [(3, 2), (2, 1, 3)])
def test_parts_come_and_go(scale: tuple[int, ...]) -> None:
    """Strides: the parts of a voxel become channels, and channels its parts; where a part is, is known."""
    net = LMCSC(LMCSCConfig(**TINY, dimensions=len(scale), scale=scale))
    size = [2 * s for s in scale]
    fine = torch.arange(float(np.prod(size))).reshape(1, 1, *size)
    parts = net._parted(fine)
    assert parts.shape == (1, int(np.prod(scale)), *([2] * len(scale)))
    torch.testing.assert_close(net._joined(parts), fine, rtol=0, atol=0)
    assert parts[0, 1].flatten()[0] == 1  # the second channel is the next voxel along the last axis that is split
    assert net._parted(torch.cat([fine, fine], dim=1)).shape[1] == 2 * parts.shape[1]


def test_a_stride_for_each_axis() -> None:
    with pytest.raises(ModelError, match="scale"):
        LMCSCConfig(scale=(2, 2, 2))
