"""SRFBN, DSRN and the networks on the interpolated volume: counts, any size, exact halos, repetition."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from MedSRLib.errors import ModelError
from MedSRLib.networks.dcsrn import DCSRN, DCSRNConfig
from MedSRLib.networks.dsrn import DSRN, DSRNConfig
from MedSRLib.networks.rescnn import ResCNNConfig, ResCNNImage
from MedSRLib.networks.srcnn3d import SRCNN3D, SRCNN3DConfig
from MedSRLib.networks.srfbn import SRFBN, SRFBNConfig
from MedSRLib.networks.srrecnn3d import SRReCNN3D, SRReCNN3DConfig

SMALL = {
    "srcnn3d": lambda: SRCNN3D(SRCNN3DConfig(features=(4, 3), deviation=0.1)),
    "srrecnn3d": lambda: SRReCNN3D(SRReCNN3DConfig(layers=3, features=4)),
    "dcsrn": lambda: DCSRN(DCSRNConfig(growth=3, units=2)),
    "dcsrn-1": lambda: DCSRN(DCSRNConfig(growth=3, units=2, last=1)),
    "rescnn": lambda: ResCNNImage(ResCNNConfig(features=4, blocks=2, layers=2)),
    "srfbn-x2": lambda: SRFBN(SRFBNConfig(features=4, groups=2, steps=2)),
    "srfbn-x3": lambda: SRFBN(SRFBNConfig(features=4, groups=1, steps=2, scale=(3, 3))),
    "srfbn-x4": lambda: SRFBN(SRFBNConfig(features=4, groups=2, steps=2, scale=(4, 4))),
    "srfbn-through": lambda: SRFBN(SRFBNConfig(features=4, groups=1, steps=1, scale=(4, 1))),
    "srfbn-3d": lambda: SRFBN(SRFBNConfig(features=2, groups=1, steps=1, scale=(2, 2, 3), dimensions=3)),
    "dsrn-x2": lambda: DSRN(DSRNConfig(features=4, steps=4)),
    "dsrn-x4": lambda: DSRN(DSRNConfig(features=4, steps=4, scale=(4, 4))),
    "dsrn-through": lambda: DSRN(DSRNConfig(features=4, steps=3, scale=(4, 1))),
    "dsrn-3d": lambda: DSRN(DSRNConfig(features=6, steps=2, scale=(2, 1, 2), dimensions=3)),
}


def small(name: str) -> nn.Module:
    torch.manual_seed(3)
    return SMALL[name]().eval()


def scale_of(network: nn.Module) -> tuple[int, ...]:
    return network.scale or (1, 1, 1)


def weights(network: nn.Module) -> int:
    """Numbers in the kernels, without biases and norms."""
    return sum(p.numel() for p in network.parameters() if p.dim() > 1)


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def test_the_counts_are_those_of_the_papers() -> None:
    with torch.device("meta"):
        assert weights(SRCNN3D(SRCNN3DConfig())) == 52_704
        assert weights(SRReCNN3D(SRReCNN3DConfig())) == 64 * 27 + 8 * 64 * 64 * 27 + 64 * 27  # 0.89 million
        assert weights(DCSRN(DCSRNConfig(last=1))) == 219_168  # 0.22 million
        assert parameters(ResCNNImage(ResCNNConfig())) == 1_995_329


@pytest.mark.parametrize("name", SMALL)
def test_odd_sizes_become_exactly_so_many_times_larger(name: str) -> None:
    network = small(name)
    factors = scale_of(network)
    size = (3, 7, 5)[3 - len(factors) :]
    found = network(torch.randn(2, 1, *size))
    assert found.shape == (2, 1, *(n * s for n, s in zip(size, factors, strict=True)))


@pytest.mark.parametrize("name", SMALL)
def test_nothing_beyond_the_halo_matters(name: str) -> None:
    network = small(name).double()
    factors = scale_of(network)
    size = [2 * network.halo + 3] * len(factors)
    x = torch.randn(1, 1, *size, dtype=torch.float64, requires_grad=True)
    reach = 0
    for phase in (0.0, 0.99):  # the first and the last part of a pixel reach to different sides
        part = tuple((network.halo + 1) * s + int(phase * s) for s in factors)
        (gradient,) = torch.autograd.grad(network(x)[(0, 0, *part)], x)
        reach = max(reach, int((gradient[0, 0].nonzero() - network.halo - 1).abs().max()))
    assert network.halo - 2 <= reach <= network.halo


@pytest.mark.parametrize("name", SMALL)
def test_the_same_image_gives_the_same_bits(name: str) -> None:
    network = small(name)
    x = torch.randn(1, 1, *(6,) * len(scale_of(network)))
    assert torch.equal(network(x), network(x.clone()))


@pytest.mark.parametrize("name", SMALL)
def test_sixteen_bits_do_not_coarsen_the_result(name: str) -> None:
    """The last layers are float32: intensities near 1000 differ by steps far below bfloat16's of 4."""
    network = small(name)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        found = network(torch.rand(1, 1, *(8,) * len(scale_of(network))))
    assert found.dtype == torch.float32
    assert not torch.equal(found, found.bfloat16().float())


def test_srfbn_ends_with_the_last_of_its_outputs() -> None:
    network, x = small("srfbn-x2"), torch.randn(1, 1, 6, 5)
    outputs = network.outputs(x)
    assert len(outputs) == 2
    assert torch.equal(outputs[-1], network(x))
    assert not torch.allclose(outputs[0], outputs[1])


def test_networks_that_start_as_the_interpolation_leave_it_as_it_is() -> None:
    x = torch.randn(1, 1, 5, 6, 7)
    for network in (
        SRReCNN3D(SRReCNN3DConfig(layers=2, features=4, last_zero=True)),
        ResCNNImage(ResCNNConfig(features=4, blocks=1, layers=1, last_zero=True)),
    ):
        assert torch.equal(network(x), x)
    assert not DSRN(DSRNConfig(features=4, last_zero=True))(x[:, :, 0]).any()


def test_srcnn3d_in_the_middle_is_the_network_without_padding() -> None:
    """The paper's 33³ patch and its 21³ result."""
    network = small("srcnn3d")
    x = torch.randn(1, 1, 15, 14, 16)
    plain = x
    for number, layer in enumerate(network.convs):
        plain = nn.functional.conv3d(plain, layer.weight, layer.bias)
        plain = plain.relu() if number < 2 else plain
    torch.testing.assert_close(network(x)[:, :, 6:-6, 6:-6, 6:-6], plain)


def test_settings_that_do_not_exist_are_named() -> None:
    with pytest.raises(ModelError, match="layers = 1"):
        SRReCNN3DConfig.of({"layers": 1})
    with pytest.raises(ModelError, match="scale \\(3, 3\\)"):
        DSRNConfig.of({"scale": [3, 3]})
    with pytest.raises(ModelError, match="last = 5 does not exist"):
        DCSRNConfig.of({"last": 5})
    for config in (SRCNN3DConfig(), SRFBNConfig(scale=(4, 4)), DSRNConfig(), ResCNNConfig(), DCSRNConfig()):
        assert type(config).of(config.asdict()) == config
