"""EDSR and WDSR: the counts of the slides, any size, exact halos, folded weights."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from MedSRLib.errors import ModelError
from MedSRLib.networks.convolution import fold
from MedSRLib.networks.edsr import EDSR, EDSRConfig
from MedSRLib.networks.wdsr import WDSR, WDSRConfig

SMALL = {
    "edsr-2d": lambda: EDSR(EDSRConfig(features=4, blocks=1)),
    "edsr-x4": lambda: EDSR(EDSRConfig(features=4, blocks=2, scale=(4, 4))),
    "edsr-3d": lambda: EDSR(EDSRConfig(features=4, blocks=1, dimensions=3, scale=(2, 1, 3))),
    "wdsr-a": lambda: WDSR(WDSRConfig(features=4, expansion=8, blocks=2, scale=(2, 3))),
    "wdsr-b": lambda: WDSR(WDSRConfig(features=5, expansion=10, blocks=2, kind="B", scale=(2, 2))),
    "wdsr-3d": lambda: WDSR(WDSRConfig(features=4, expansion=8, blocks=1, dimensions=3, scale=(4, 1, 1))),
}


def weights(network: nn.Module) -> int:
    """Numbers in the kernels, without biases and norms."""
    return sum(p.numel() for name, p in network.named_parameters() if p.dim() > 1 and not name.endswith("original0"))


def test_the_counts_are_those_of_the_slides() -> None:
    with torch.device("meta"):
        assert weights(EDSR(EDSRConfig(channels_in=3))) == 40_711_680
        assert weights(WDSR(WDSRConfig(channels_in=3))) == 3_557_232


def test_the_baseline_wdsr_has_the_published_count() -> None:
    """1 190 100 numbers, norms and biases included: 16 blocks, n = 32, e = 128, ×2, RGB."""
    with torch.device("meta"):
        network = WDSR(WDSRConfig(channels_in=3, blocks=16, expansion=128, scale=(2, 2)))
    assert sum(p.numel() for p in network.parameters()) == 1_190_100


@pytest.mark.parametrize("name", SMALL)
def test_odd_sizes_become_exactly_so_many_times_larger(name: str) -> None:
    network = SMALL[name]()
    size = (7, 9, 5)[3 - len(network.scale) :]
    found = network(torch.randn(2, 1, *size))
    assert found.shape == (2, 1, *(n * s for n, s in zip(size, network.scale, strict=True)))


@pytest.mark.parametrize("name", SMALL)
def test_nothing_beyond_the_halo_matters(name: str) -> None:
    network = SMALL[name]().double()
    size = [2 * network.halo + 3] * len(network.scale)
    x = torch.randn(1, 1, *size, dtype=torch.float64, requires_grad=True)
    middle = tuple(network.halo * s + s // 2 for s in network.scale)
    network(x)[(0, 0, *middle)].backward()
    reached = x.grad[0, 0].nonzero()
    assert (reached - network.halo).abs().max() <= network.halo
    assert (reached - network.halo).abs().max() >= network.halo - 2


@pytest.mark.parametrize("name", ["wdsr-a", "wdsr-b", "wdsr-3d"])
def test_folded_weights_are_the_same_function(name: str) -> None:
    network = SMALL[name]()
    x = torch.randn(1, 1, *(6,) * len(network.scale))
    before = network(x)
    fold(network)
    torch.testing.assert_close(network(x), before, atol=1e-6, rtol=0)
    assert not any("parametrizations" in key for key in network.state_dict())


@pytest.mark.parametrize("name", ["wdsr-a", "edsr-2d"])
def test_sixteen_bits_do_not_coarsen_the_result(name: str) -> None:
    """The last layers are float32: intensities near 1000 differ by steps far below bfloat16's of 4."""
    network = SMALL[name]()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        found = network(torch.rand(1, 1, 8, 8))
    assert found.dtype == torch.float32
    assert not torch.equal(found, found.bfloat16().float())


def test_settings_that_do_not_exist_are_named() -> None:
    with pytest.raises(ModelError, match="kind = 'C' does not exist"):
        WDSRConfig.of({"kind": "C"})
    with pytest.raises(ModelError, match="WDSR does not know: width"):
        WDSRConfig.of({"width": 3})
    assert WDSRConfig.of(WDSRConfig(scale=(3, 3)).asdict()) == WDSRConfig(scale=(3, 3))
