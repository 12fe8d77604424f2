"""LeSITA against what it stands for: the minimiser, found by trying, and slopes, found by differences."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from MedSRLib.networks.lesita import LeSITA, SoftThreshold, before_softplus, lesita

WEIGHTS = {
    "equal": (0.3, 0.3),
    "zero pulls more": (0.5, 0.2),
    "side pulls more": (0.1, 0.6),
    "none to the side": (0.4, 0.0),
}


def minimiser(u: float, side: float, to_zero: float, to_side: float) -> float:
    """The best of a grid of values, then of finer grids around it."""
    middle, half = 0.0, 4.0
    for _ in range(6):
        tried = torch.linspace(middle - half, middle + half, 2001, dtype=torch.float64)
        cost = 0.5 * (tried - u) ** 2 + to_zero * tried.abs() + to_side * (tried - side).abs()
        middle, half = float(tried[cost.argmin()]), half / 100
    return middle


@pytest.mark.parametrize("weights", WEIGHTS.values(), ids=list(WEIGHTS))
def test_it_is_the_minimiser(weights: tuple[float, float]) -> None:
    u = torch.linspace(-2.03, 2.03, 41, dtype=torch.float64)
    for side in (-1.2, -0.1, 0.0, 0.25, 0.9):
        to_zero, to_side = (torch.full((1, 1), weight, dtype=torch.float64) for weight in weights)
        found = lesita(u[:, None, None], torch.full((41, 1, 1), side, dtype=torch.float64), to_zero, to_side)
        expected = torch.tensor([minimiser(float(value), side, *weights) for value in u], dtype=torch.float64)
        torch.testing.assert_close(found[:, 0, 0], expected, atol=1e-6, rtol=0)


def by_cases(u: float, s: float, mu: float) -> float:
    """As the slides write it for one weight."""
    if s < 0:
        return -by_cases(-u, -s, mu)
    if u < -2 * mu:
        return u + 2 * mu
    if u <= 0:
        return 0.0
    if u < s:
        return u
    return s if u <= s + 2 * mu else u - 2 * mu


def test_it_is_the_slides_operator_case_by_case() -> None:
    generator = torch.Generator().manual_seed(5)
    u, s = torch.randn(2, 400, 1, 1, generator=generator, dtype=torch.float64)
    found = lesita(u, s, torch.full((1, 1), 0.2, dtype=torch.float64))
    expected = [by_cases(float(a), float(b), 0.2) for a, b in zip(u.flatten(), s.flatten(), strict=True)]
    torch.testing.assert_close(found.flatten(), torch.tensor(expected, dtype=torch.float64), atol=1e-12, rtol=0)


@pytest.mark.parametrize("side", [True, False])
@pytest.mark.parametrize("equal", [True, False])
def test_its_slopes_are_those_of_finite_differences(side: bool, equal: bool) -> None:
    generator = torch.Generator().manual_seed(1)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    u, s = drawn(3, 4, 5, 2), drawn(3, 4, 5, 2)
    to_zero, to_side = 0.1 + drawn(4, 1, 1).abs(), 0.1 + drawn(4, 1, 1).abs()
    values = (u, s, to_zero, to_side)
    for value in values:
        value.requires_grad_()

    def operator(u: Tensor, s: Tensor, to_zero: Tensor, to_side: Tensor) -> Tensor:
        return lesita(u, s if side else None, to_zero, None if equal else to_side)

    assert torch.autograd.gradcheck(operator, values)


def test_without_side_information_it_is_the_same_as_with_zeros() -> None:
    u = torch.linspace(-1, 1, 21).reshape(1, 1, 21)
    weight = torch.full((1, 1), 0.1)
    expected = u.sign() * (u.abs() - 0.2).clamp(min=0)
    torch.testing.assert_close(lesita(u, None, weight), expected)
    assert torch.equal(lesita(u, None, weight), lesita(u, torch.zeros_like(u), weight))


def test_on_its_plateaus_it_is_exactly_zero_and_exactly_the_guides_code() -> None:
    u = torch.tensor([0.1, -0.05, 0.71234567, 0.8]).reshape(1, 1, 4)
    side = torch.full_like(u, 0.71)
    assert lesita(u, side, torch.full((1, 1), 0.1)).flatten().tolist() == [
        u[0, 0, 0],
        0.0,
        side[0, 0, 0],
        side[0, 0, 0],
    ]


def test_every_channel_has_its_own_positive_weights() -> None:
    operator = LeSITA(2, 3, pull=0.3)
    to_zero, to_side = operator.weights()
    torch.testing.assert_close(to_zero, torch.full((3, 1, 1), 0.01))
    torch.testing.assert_close(to_side, torch.full((3, 1, 1), 0.3))
    with torch.no_grad():
        operator.to_zero.copy_(torch.tensor([-50.0, 0.0, 2.0]).reshape(3, 1, 1))
    to_zero, _ = operator.weights()
    assert (to_zero > 0).all() and to_zero[2] > to_zero[1] > to_zero[0]
    assert sum(p.numel() for p in operator.parameters()) == 6
    assert sum(p.numel() for p in LeSITA(3, 5).parameters()) == 5


def test_soft_thresholding_looks_at_no_side_information() -> None:
    u = torch.linspace(-1, 1, 20).reshape(1, 2, 5, 2)
    soft = SoftThreshold(2, 2, first=0.25)
    expected = torch.nn.functional.softshrink(u, 0.25)
    torch.testing.assert_close(soft(u), expected)
    assert torch.equal(soft(u, torch.ones_like(u)), soft(u))


def test_before_softplus_is_its_inverse() -> None:
    positive = torch.tensor([1e-4, 0.01, 1.0, 20.0])
    torch.testing.assert_close(torch.nn.functional.softplus(before_softplus(positive)), positive)
