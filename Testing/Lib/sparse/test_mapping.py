"""The mapping between maps, against least squares solved by another way."""

from __future__ import annotations

import pytest
import torch

from MedSRLib.sparse.mapping import Grams, mapped, transposed


def _maps(seed: int) -> torch.Tensor:
    return torch.randn(3, 4, 5, 6, 7, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _added(x: torch.Tensor, y: torch.Tensor) -> Grams:
    grams = Grams(4)
    grams.add(x[:1], y[:1])
    grams.add(x[1:], y[1:])
    return grams


def test_the_full_mapping_is_the_ridge_regression_over_all_voxels() -> None:
    x, y = _maps(0), _maps(1)
    a, b = x.transpose(0, 1).flatten(1).T, y.transpose(0, 1).flatten(1).T
    rows = torch.cat([a, 3**0.5 * torch.eye(4, dtype=torch.float64)])  # a ridge of 3 as four further equations
    expected = torch.linalg.lstsq(rows, torch.cat([b, torch.zeros(4, 4, dtype=torch.float64)])).solution.T
    assert torch.allclose(_added(x, y).full(3.0), expected, atol=1e-10)


def test_a_ridge_may_draw_it_to_the_identity() -> None:
    x, y = _maps(0), _maps(1)
    a, b = x.transpose(0, 1).flatten(1).T, y.transpose(0, 1).flatten(1).T
    one = 3**0.5 * torch.eye(4, dtype=torch.float64)
    expected = torch.linalg.lstsq(torch.cat([a, one]), torch.cat([b, one])).solution.T
    grams = _added(x, y)
    assert torch.allclose(grams.full(3.0, 1.0), expected, atol=1e-10)
    assert torch.allclose(grams.full(1e9, 1.0), torch.eye(4, dtype=torch.float64), atol=1e-5)
    assert torch.allclose(grams.diagonal(1e9, 1.0), torch.ones(4, dtype=torch.float64), atol=1e-5)


def test_the_diagonal_mapping_regresses_each_map_by_itself() -> None:
    x, y = _maps(0), _maps(1)
    expected = [float((y[:, k] * x[:, k]).sum() / (x[:, k].square().sum() + 3.0)) for k in range(4)]
    assert _added(x, y).diagonal(3.0).tolist() == pytest.approx(expected)


def test_a_mapping_is_found_again() -> None:
    x = _maps(0)
    w = torch.randn(4, 4, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    assert torch.allclose(_added(x, mapped(w, x)).full(1e-9), w, atol=1e-8)
    assert torch.allclose(_added(x, mapped(w[0], x)).diagonal(1e-9), w[0], atol=1e-8)


@pytest.mark.parametrize("rows", [(4, 4), (4,)])
def test_mapping_real_and_complex_maps_is_one_thing(rows: tuple[int, ...]) -> None:
    w = torch.randn(*rows, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    x, y = _maps(0), _maps(1)
    both = mapped(w, torch.complex(x, y))
    assert torch.allclose(both.real, mapped(w, x)) and torch.allclose(both.imag, mapped(w, y))
    inner = (mapped(w, x) * y).sum()
    assert torch.allclose(inner, (x * mapped(transposed(w), y)).sum())
