"""The guided networks: counts, any size, exact halos, no guide, ablations, repetition."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from MedSRLib.errors import ModelError
from MedSRLib.networks.coista import CoISTA, CoISTAConfig
from MedSRLib.networks.djf import DJF, DJFConfig
from MedSRLib.networks.dual_state import DualState, DualStateConfig
from MedSRLib.networks.lesita import LeSITA
from MedSRLib.networks.lmcsc import LMCSC, LMCSCConfig
from MedSRLib.networks.patches import overlapped, patches

SMALL: dict[str, Any] = {
    "lmcsc": lambda: LMCSC(LMCSCConfig(features=6, kernel=3, steps=2, guide_steps=3)),
    "lmcsc-apart": lambda: LMCSC(LMCSCConfig(features=6, kernel=3, shared=False, equal=False)),
    "lmcsc-direct": lambda: LMCSC(LMCSCConfig(features=6, kernel=3, steps=2, guide_steps=2, form="direct")),
    "lmcsc-thin": lambda: LMCSC(LMCSCConfig(features=6, kernel=3, steps=2, guide_form="factorised")),
    "lmcsc-concatenated": lambda: LMCSC(LMCSCConfig(features=6, kernel=3, steps=2, lesita=False)),
    "lmcsc-3d": lambda: LMCSC(LMCSCConfig(dimensions=3, guides=2, features=5, kernel=3, steps=2, guide_steps=1)),
    "lmcsc-strided": lambda: LMCSC(LMCSCConfig(scale=(3, 1), features=6, kernel=3, steps=2, equal=False, pull=0.3)),
    "djf": lambda: DJF(DJFConfig(features=(6, 5), fused=(6, 5))),
    "djf-3d": lambda: DJF(DJFConfig(dimensions=3, guides=2, features=(2, 2), fused=(2, 2))),
    "coista": lambda: CoISTA(CoISTAConfig(patch=4, atoms=6, layers=2)),
    "coista-3d": lambda: CoISTA(CoISTAConfig(dimensions=3, guides=2, patch=3, atoms=5, layers=1)),
    "dual-state": lambda: DualState(DualStateConfig(features=4, kernel=3, steps=3, image_steps=2)),
    "dual-state-thin": lambda: DualState(DualStateConfig(features=4, kernel=3, steps=2, form="factorised")),
    "dual-state-x4": lambda: DualState(DualStateConfig(scale=(4, 4), features=4, kernel=3, steps=2, guide_steps=2)),
    "dual-state-once": lambda: DualState(DualStateConfig(scale=(3, 1), features=9, kernel=3, steps=1, shared=False)),
    "dual-state-through": lambda: DualState(
        DualStateConfig(scale=(1, 1, 3), dimensions=3, guides=2, features=3, kernel=3, steps=2, image_steps=1)
    ),
    "dual-state-concatenated": lambda: DualState(DualStateConfig(features=4, kernel=3, steps=2, lesita=False)),
    "dual-state-single": lambda: DualState(DualStateConfig(features=4, kernel=3, steps=2, single_state=True)),
}
ODD = {2: (7, 10), 3: (5, 6, 3)}


def small(name: str) -> nn.Module:
    """Weights that are near the first ones, as after a little training."""
    torch.manual_seed(3)
    network = SMALL[name]().eval()
    with torch.no_grad():
        for p in network.parameters():
            p += 0.03 * torch.randn(p.shape)
        for module in network.modules():
            if isinstance(module, LeSITA):
                module.to_zero.fill_(-2.5)
    return network


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def asked(network: nn.Module, size: tuple[int, ...], batch: int = 1, kind: torch.dtype = torch.float32) -> list[Tensor]:
    """An image of a size and a guide for it."""
    generator = torch.Generator().manual_seed(7)
    factors = network.scale or (1,) * len(size)
    fine = (n * s for n, s in zip(size, factors, strict=True))
    return [
        torch.rand(batch, 1, *size, generator=generator, dtype=kind),
        torch.rand(batch, network.config.guides, *fine, generator=generator, dtype=kind),
    ]


@pytest.mark.parametrize("name", SMALL)
def test_odd_sizes_become_exactly_those_of_the_guide(name: str) -> None:
    network = small(name)
    image, guide = asked(network, ODD[network.config.dimensions], batch=2)
    assert network(image, guide).shape == (2, 1, *guide.shape[2:])
    assert network(image, None).shape == (2, 1, *guide.shape[2:])


@pytest.mark.parametrize("name", SMALL)
def test_a_guide_matters_and_none_is_the_same_network(name: str) -> None:
    network = small(name)
    image, guide = asked(network, ODD[network.config.dimensions])
    assert torch.equal(network(image, None), network(image))
    assert not torch.allclose(network(image, guide), network(image, None), atol=1e-4)
    network(image, guide).square().sum().backward()
    unused = [key for key, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert not unused


@pytest.mark.parametrize("name", [name for name in SMALL if name != "djf-3d"])  # as in 2D, but slow
def test_nothing_beyond_the_halo_matters(name: str) -> None:
    network = small(name).double()
    axes = network.config.dimensions
    image, guide = asked(network, (2 * network.halo + 3,) * axes, kind=torch.float64)
    factors = network.scale or (1,) * axes
    inputs, grids = [image.requires_grad_(), guide.requires_grad_()], [(1,) * axes, factors]
    reach = 0
    for phase in (0.0, 0.99):  # the first and the last part of a pixel reach to different sides
        part = tuple((network.halo + 1) * s + int(phase * s) for s in factors)
        found = network(image, guide)[(0, 0, *part)]
        for scale, gradient in zip(grids, torch.autograd.grad(found, inputs), strict=True):
            places = gradient[0].nonzero()[:, 1:] // torch.tensor(scale)
            reach = max([reach, *(places - network.halo - 1).abs().flatten().tolist()])
    assert network.halo - 2 <= reach <= network.halo


@pytest.mark.parametrize("name", SMALL)
def test_the_same_image_and_guide_give_the_same_bits(name: str) -> None:
    network = small(name)
    image, guide = asked(network, (6,) * network.config.dimensions)
    assert torch.equal(network(image, guide), network(image.clone(), guide.clone()))


@pytest.mark.parametrize("name", SMALL)
def test_sixteen_bits_do_not_coarsen_the_result(name: str) -> None:
    network = small(name)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        found = network(*asked(network, (8,) * network.config.dimensions))
    assert found.dtype == torch.float32
    assert not torch.equal(found, found.bfloat16().float())


def test_lmcsc_has_as_many_parameters_as_its_formula() -> None:
    """Kernels of p = 49 numbers, k = 64: P, Q, R of the image, W and S (k → k) of the guide, D, two thresholds."""
    assert parameters(LMCSC(LMCSCConfig())) == (5 + 64) * 64 * 49 + 2 * 64
    assert parameters(LMCSC(LMCSCConfig(guide_form="factorised"))) == 7 * 64 * 49 + 2 * 64
    unguided = LMCSC(LMCSCConfig(guided=False))
    assert parameters(unguided) == 4 * 64 * 49 + 64
    assert not any("guide" in key for key, _ in unguided.named_parameters())
    assert parameters(LMCSC(LMCSCConfig(equal=False))) == (5 + 64) * 64 * 49 + 3 * 64
    assert parameters(LMCSC(LMCSCConfig(lesita=False))) == (5 + 64) * 64 * 49 + 2 * 64 + 2 * 64 * 64
    assert parameters(LMCSC(LMCSCConfig(shared=False))) == (1 + 4 + 1 + 2 * 64 + 1) * 64 * 49 + 2 * 3 * 64
    assert parameters(LMCSC(LMCSCConfig(dimensions=3, features=32, kernel=5))) == (5 + 32) * 32 * 125 + 2 * 32


def test_djf_has_as_many_parameters_as_its_formula() -> None:
    """Kernels of 81, 1 and 25 numbers, biases; the released code's guide has three colours."""
    branch = 96 + 96 * 48 + 48 + 48 * 25 + 1
    last = 2 * 81 * 64 + 64 + 64 * 32 + 32 + 32 * 25 + 1
    assert parameters(DJF(DJFConfig(guides=3))) == (81 * 96 + branch) + (3 * 81 * 96 + branch) + last


def test_coista_has_as_many_parameters_as_its_formula() -> None:
    """Atoms a = 256, patches of 64: W_e, and P and D of four layers, each with thresholds; then W_y, W_z, λ and D."""
    branch = 64 * 256 + 4 * (2 * 64 * 256 + 256)
    assert parameters(CoISTA(CoISTAConfig())) == 2 * branch + 2 * 256**2 + 256 + 64 * 256


def test_dual_state_has_as_many_parameters_as_its_formula() -> None:
    """k = 64, p = 49, ×4: ACSC of image and guide; P, Q, R; up and down of 8 × 8; two conv3; D; thresholds."""
    coder, thin, wide = (1 + 64) * 64 * 49 + 64, 64 * 49, 64 * 64 * 64 + 64
    fine = 2 * (64 * 64 * 9 + 64)
    full = DualStateConfig(scale=(4, 4))
    assert parameters(DualState(full)) == 2 * coder + (3 * thin + 64) + 2 * wide + fine + 64 + thin
    unguided = DualState(replace(full, guided=False))
    assert parameters(unguided) == coder + (3 * thin + 64) + wide + fine + 64 + thin
    single = DualState(replace(full, single_state=True))
    assert parameters(single) == 2 * coder + wide + fine + 64 + thin
    thinner = DualState(replace(full, form="factorised"))
    assert parameters(DualState(full)) - parameters(thinner) == 2 * (64 * 64 * 49 - 2 * thin)
    concatenated = DualState(replace(full, lesita=False))
    assert parameters(concatenated) == parameters(DualState(full)) + 2 * (2 * 64 * 64)


def test_coista_on_whole_images_is_coista_on_patches() -> None:
    """Cut out, without its mean, through the released code's equations as matrices, put back, averaged."""
    network = small("coista").double()
    image, guide = asked(network, (9, 6), kind=torch.float64)
    around = [functional.pad(x, (3,) * 4, mode="replicate")[0, 0] for x in (image, guide)]
    total, count = torch.zeros_like(around[0]), torch.zeros_like(around[0])
    for j, i in product(range(around[0].shape[0] - 3), range(around[0].shape[1] - 3)):
        place = (slice(j, j + 4), slice(i, i + 4))
        y, z = (x[place].flatten() for x in around)
        codes = matrix(network.from_image) @ coded(network.of_image, y - y.mean())
        codes = codes + matrix(network.from_guide) @ coded(network.of_guide, z - z.mean())
        codes = thresholded(codes, network.shrink)
        total[place] += (matrix(network.last) @ codes + y.mean()).reshape(4, 4)
        count[place] += 1
    torch.testing.assert_close(network(image, guide)[0, 0], (total / count)[3:-3, 3:-3])


def matrix(layer: nn.Module) -> Tensor:
    return layer.get_parameter("weight").flatten(1).detach()


def thresholded(codes: Tensor, shrink: nn.Module) -> Tensor:
    threshold = functional.softplus(shrink.get_parameter("threshold")).flatten().detach()
    return codes.sign() * (codes.abs() - threshold).clamp(min=0)


def coded(branch: Any, patch: Tensor) -> Tensor:
    codes = matrix(branch.encode) @ patch
    for inward, outward, shrink in zip(branch.inwards, branch.outwards, branch.shrinks, strict=True):
        codes = thresholded(codes + matrix(inward) @ (patch - matrix(outward) @ codes), shrink)
    return codes


def test_patches_and_their_overlap_are_the_convolutions_they_stand_for() -> None:
    for size, length in (((6, 7), 3), ((4, 5, 6), 2)):
        image = torch.randn(2, 1, *size, dtype=torch.float64, requires_grad=True)
        kind = functional.conv2d if len(size) == 2 else functional.conv3d
        one = torch.eye(length ** len(size), dtype=torch.float64).reshape(-1, 1, *(length,) * len(size))
        cut = patches(image, length)
        torch.testing.assert_close(cut, kind(image, one))
        weights = torch.randn(cut.shape, dtype=torch.float64)
        (transposed,) = torch.autograd.grad((cut * weights).sum(), image)
        torch.testing.assert_close(overlapped(weights, length), transposed)


@pytest.mark.parametrize("scale", [(2, 2), (3, 1), (1, 1, 4)])
def test_first_the_dual_states_codes_are_interpolated(scale: tuple[int, ...]) -> None:
    """Ones stay ones, divided by the number of steps, away from the border."""
    torch.manual_seed(3)
    config = DualStateConfig(scale=scale, dimensions=len(scale), features=2, kernel=3, steps=5)
    fine = DualState(config).up(torch.ones(1, 2, *(5,) * len(scale)))
    inner = tuple(slice(factor, -factor) for factor in scale)
    torch.testing.assert_close(fine[(0, 0, *inner)], torch.full_like(fine[(0, 0, *inner)], 0.2))


def test_an_ablation_without_a_guide_does_not_look_at_one() -> None:
    for network in (
        LMCSC(LMCSCConfig(features=4, kernel=3, guided=False)),
        DualState(DualStateConfig(features=4, kernel=3, guided=False)),
    ):
        image, guide = asked(network, (5, 6))
        assert torch.equal(network(image, guide), network(image))


def test_settings_are_kept_and_wrong_ones_named() -> None:
    for config in (
        LMCSCConfig(dimensions=3, guides=2, lesita=False),
        LMCSCConfig(scale=(4, 1), equal=False, pull=0.3),
        DJFConfig(features=(8, 4)),
        CoISTAConfig(patch=4),
        DualStateConfig(scale=(4, 1), single_state=True),
    ):
        assert type(config).of(config.asdict()) == config
    with pytest.raises(ModelError, match="kernel = 4"):
        LMCSCConfig.of({"kernel": 4})
    with pytest.raises(ModelError, match="3 dimensions"):
        DualStateConfig.of({"dimensions": 3})
