"""Unfolded iterations: ISTA with fixed weights, what both forms have in common, and counts."""

from __future__ import annotations

from itertools import product
from math import prod

import pytest
import torch
from torch import Tensor, nn

from MedSRLib.networks.acsc import ACSC, Coding, Concatenation, Frame
from MedSRLib.networks.synthesis import Synthesis


def dictionary(kernels: Tensor, size: tuple[int, ...]) -> Tensor:
    """D as a matrix (c · voxels, k · voxels): column by column, an atom at every voxel, cut at the border.

    Args:
        kernels: (c, k, *kernel), of the convolution that makes an image of codes.
    """
    c, k, *kernel = kernels.shape
    matrix = torch.zeros(c, *size, k, *size, dtype=kernels.dtype)
    for offset in product(*(range(length) for length in kernel)):
        for place in product(*(range(length) for length in size)):
            source = tuple(p + o - length // 2 for p, o, length in zip(place, offset, kernel, strict=True))
            if all(0 <= q < length for q, length in zip(source, size, strict=True)):
                matrix[(slice(None), *place, slice(None), *source)] = kernels[(slice(None), slice(None), *offset)]
    return matrix.reshape(c * prod(size), -1)


def ista(d: Tensor, y: Tensor, step: float, penalty: float, iterations: int) -> Tensor:
    """Of ½ ‖y - D α‖² + penalty ‖α‖₁, from zero."""
    codes = torch.zeros(d.shape[1], dtype=d.dtype)
    for _ in range(iterations):
        codes = nn.functional.softshrink(codes + step * d.T @ (y - d @ codes), step * penalty)
    return codes


@pytest.mark.parametrize("size", [(7, 5), (3, 4, 5)])
@pytest.mark.parametrize("shared", [True, False])
def test_with_analytic_weights_it_is_ista(size: tuple[int, ...], shared: bool) -> None:
    torch.manual_seed(4)
    axes = len(size)
    penalty, steps = 2.0, 6
    coding = Coding(axes, 2, 5, 3, steps, shared=shared)
    coder = ACSC(coding, Frame.random(axes, 5, 3).over(2)).double()
    kernels = torch.randn(2, 5, *(3,) * axes, dtype=torch.float64)
    matrix = dictionary(kernels, size)
    largest = float(torch.linalg.matrix_norm(matrix, ord=2)) ** 2
    transposed = kernels.transpose(0, 1).flip(tuple(range(2, 2 + axes))) / largest
    with torch.no_grad():
        for layer in [coder.inward, *coder.backs]:
            layer.weight.copy_(transposed)
        for layer in coder.outwards:
            layer.weight.copy_(kernels)
        for shrink in coder.shrinks:
            shrink.threshold.copy_(torch.full_like(shrink.threshold, penalty / largest).expm1().log())
        image = torch.randn(1, 2, *size, dtype=torch.float64)
        found = coder(image)
    expected = ista(matrix, image.flatten(), 1 / largest, penalty, steps)
    assert 0.05 < (expected == 0).double().mean() < 0.95
    torch.testing.assert_close(found.flatten(), expected, atol=1e-12, rtol=1e-9)


@pytest.mark.parametrize("axes", [2, 3])
def test_synthesis_is_the_plain_convolution(axes: int) -> None:
    layer = Synthesis(torch.randn(2, 4, *(5, 3, 7)[3 - axes :], dtype=torch.float64))
    x = torch.randn(2, 4, *(6, 3, 5)[3 - axes :], dtype=torch.float64, requires_grad=True)
    padding = tuple(edge // 2 for edge in layer.weight.shape[2:])
    plain = (nn.functional.conv2d if axes == 2 else nn.functional.conv3d)(x, layer.weight, padding=padding)
    torch.testing.assert_close(layer(x), plain)
    for parameter in (x, layer.weight):
        slopes = [torch.autograd.grad(y.square().sum(), parameter, retain_graph=True)[0] for y in (layer(x), plain)]
        torch.testing.assert_close(*slopes)


def test_the_direct_form_is_the_factorised_one_where_no_kernel_is_cut() -> None:
    """With kernels of one voxel S = 1 - Q R and W = P, so that both are the same."""
    torch.manual_seed(4)
    frame = Frame(torch.randn(3, 1, 1, 1))
    image = torch.randn(1, 1, 4, 5)
    forms = [ACSC(Coding(2, 1, 3, 1, 4, form), frame) for form in ("direct", "factorised")]
    torch.testing.assert_close(forms[0](image), forms[1](image))


def test_the_first_weights_keep_the_image() -> None:
    """A tight frame: without thresholds, synthesis of the first codes is the image, away from the border."""
    torch.manual_seed(4)
    frame = Frame.random(2, 30, 5)
    image = torch.randn(1, 1, 15, 15)
    again = frame.synthesis()(frame.analysis()(image))
    torch.testing.assert_close(again[..., 4:-4, 4:-4], image[..., 4:-4, 4:-4], atol=1e-4, rtol=0)
    several = frame.over(3)
    alike = image.expand(1, 3, 15, 15)
    again = several.synthesis()(several.analysis()(alike))
    torch.testing.assert_close(again[..., 4:-4, 4:-4], alike[..., 4:-4, 4:-4], atol=1e-4, rtol=0)


def test_no_frequency_is_amplified_by_few_kernels_either() -> None:
    torch.manual_seed(4)
    frame = Frame.random(3, 6, 3)
    assert frame.kernels.shape == (6, 1, 3, 3, 3)
    image = torch.randn(1, 1, 9, 9, 9)
    for _ in range(30):
        image = frame.synthesis()(frame.analysis()(image))
        gain = image.norm()
        image = image / gain
    assert 0.8 < gain < 1.01


@pytest.mark.parametrize("form", ["factorised", "direct"])
@pytest.mark.parametrize("shared", [True, False])
def test_parameters_by_hand(form: str, shared: bool) -> None:
    """k = 6 codes of c = 2 channels, kernels 3 × 5 wide enough to tell apart: P, Q, R are c k p, S is k k p, γ is k."""
    c, k, p, steps = 2, 6, 25, 4
    thresholds, later = (1, 1) if shared else (steps, steps - 1)
    expected = c * k * p + thresholds * k + later * (2 * c * k * p if form == "factorised" else k * k * p)
    coder = ACSC(Coding(2, c, k, 5, steps, form, shared), Frame.random(2, k, 5).over(c))
    assert sum(parameter.numel() for parameter in coder.parameters()) == expected


def test_a_single_step_needs_no_way_back() -> None:
    coder = ACSC(Coding(2, 1, 4, 3, 1), Frame.random(2, 4, 3))
    assert sum(parameter.numel() for parameter in coder.parameters()) == 4 * 9 + 4


def test_concatenation_starts_as_soft_thresholding() -> None:
    u, side = torch.randn(2, 1, 3, 4, 4)
    fusion = Concatenation(2, 3)
    torch.testing.assert_close(fusion(u, side), nn.functional.softshrink(u, 0.01))
    assert torch.equal(fusion(u), fusion(u, torch.zeros_like(u)))
    assert fusion.mix.weight.numel() == 2 * 3 * 3
