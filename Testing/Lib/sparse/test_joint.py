"""Coupled coding against dense algebra and against what must hold for special cases."""

from __future__ import annotations

import itertools

import pytest
import torch

from MedSRLib.sparse import coding, joint, spectra
from MedSRLib.sparse.joint import Pair, Weights

SIZE = (6, 5, 4)
COUNT = 3


def _random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _filters(count: int = COUNT, seed: int = 1) -> torch.Tensor:
    filters = _random(count, 3, 3, 3, seed=seed)
    return filters / filters.flatten(1).norm(dim=1).view(-1, 1, 1, 1)


def _mappings() -> list[torch.Tensor]:
    return [_random(COUNT, COUNT, seed=5), _random(COUNT, seed=6)]


def _synthesis_matrix(filters: torch.Tensor) -> torch.Tensor:
    """The dense matrix of z ↦ Σ f_k * z_k on the periodic grid: column by column by unit impulses."""
    of_filters = spectra.of_filters(filters, SIZE)
    voxels = SIZE[0] * SIZE[1] * SIZE[2]
    impulses = torch.eye(COUNT * voxels, dtype=torch.float64).view(-1, COUNT, *SIZE)
    return spectra.synthesised(of_filters, impulses).flatten(1).T


def _solved(step: object, v: torch.Tensor, rho: float) -> torch.Tensor:
    step.add(slice(0, COUNT), v)
    step.solve(rho)
    return v + step.moved(slice(0, COUNT))


def test_the_target_step_is_the_dense_solution() -> None:
    filters, y, wanted, v = _filters(), _random(1, *SIZE), _random(1, COUNT, *SIZE, seed=2), _random(1, COUNT, *SIZE)
    beta, rho = 0.3, 0.7
    d = _synthesis_matrix(filters)
    right = d.T @ y.flatten() + beta * wanted.flatten() + rho * v.flatten()
    dense = torch.linalg.solve(d.T @ d + (beta + rho) * torch.eye(len(right), dtype=torch.float64), right)
    found = _solved(joint.target_step(filters, y, wanted, beta), v, rho)
    assert torch.allclose(found.flatten(), dense, atol=1e-10, rtol=0)


@pytest.mark.parametrize("mapping", _mappings(), ids=["full", "diagonal"])
def test_the_source_step_is_the_dense_solution(mapping: torch.Tensor) -> None:
    filters, x, target, v = _filters(), _random(1, *SIZE), _random(1, COUNT, *SIZE, seed=2), _random(1, COUNT, *SIZE)
    push = _random(1, COUNT, *SIZE, seed=9)
    beta, rho = 0.3, 0.7
    d = _synthesis_matrix(filters)
    voxels = x.numel()
    w = torch.kron(mapping if mapping.ndim == 2 else mapping.diag(), torch.eye(voxels, dtype=torch.float64))
    left = d.T @ d + beta * w.T @ w + rho * torch.eye(COUNT * voxels, dtype=torch.float64)
    right = d.T @ x.flatten() + beta * w.T @ target.flatten() - push.flatten() + rho * v.flatten()
    found = _solved(joint.source_step(filters, x, target, mapping, beta, push), v, rho)
    assert torch.allclose(found.flatten(), torch.linalg.solve(left, right), atol=1e-10, rtol=0)


def test_the_steps_know_their_data_terms() -> None:
    filters, x, target, v = _filters(), _random(2, *SIZE), _random(2, COUNT, *SIZE, seed=2), _random(2, COUNT, *SIZE)
    mapping = _mappings()[0]
    step = joint.source_step(filters, x, target, mapping, 0.4)
    z = _solved(step, v, 0.9)
    rest = x - spectra.synthesised(spectra.of_filters(filters, SIZE), z)
    apart = target - torch.einsum("ab,nb...->na...", mapping, z)
    assert step.data_term() == pytest.approx(float(0.5 * rest.square().sum() + 0.2 * apart.square().sum()), rel=1e-9)


def _problem(seed: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    return _random(2, 8, 8, 8, seed=seed), _random(2, 8, 8, 8, seed=seed + 1)


HOW = coding.Settings(0.1, iterations=40, tolerance=0)


def test_without_coupling_there_are_two_independent_codings() -> None:
    x, y = _problem()
    pair = Pair(_filters(), _filters(seed=7), torch.eye(COUNT, dtype=torch.float64))
    codes, _ = joint.code_jointly(pair, x, y, Weights(0.1, 0.0, 0.1), HOW)
    assert torch.equal(codes.source, coding.code(pair.source, x, HOW).maps)
    assert torch.equal(codes.target, coding.code(pair.target, y, HOW).maps)


def test_a_small_coupling_barely_moves_the_maps() -> None:
    """The coupled steps themselves, and not the short cut above, tend to plain coding as β tends to 0."""
    x, y = _problem()
    pair = Pair(_filters(), _filters(seed=7), torch.eye(COUNT, dtype=torch.float64))
    long = coding.Settings(0.1, iterations=400, tolerance=1e-7, every=1)
    codes, _ = joint.code_jointly(pair, x, y, Weights(0.1, 1e-7, 0.1), long, rounds=1)
    assert torch.allclose(codes.target, coding.code(pair.target, y, long).maps, atol=2e-3)


def test_equal_modalities_have_equal_maps() -> None:
    x, _ = _problem()
    pair = Pair(_filters(), _filters(), torch.eye(COUNT, dtype=torch.float64))
    codes, _ = joint.code_jointly(pair, x, x, Weights(0.1, 1.0, 0.0), HOW)
    assert float((codes.source - codes.target).norm() / codes.source.norm()) < 0.02


@pytest.mark.parametrize("mapping", _mappings(), ids=["full", "diagonal"])
def test_the_objective_never_rises_and_coupling_brings_the_maps_together(mapping: torch.Tensor) -> None:
    x, y = _problem()
    pair = Pair(_filters(), _filters(seed=7), mapping)
    codes, trace = joint.code_jointly(pair, x, y, Weights(0.1, 0.5, 0.1), HOW, rounds=3)
    assert all(b <= a for a, b in itertools.pairwise(trace))
    assert trace[-1] < trace[0]
    apart, _ = joint.code_jointly(pair, x, y, Weights(0.1, 0.0, 0.1), HOW)

    def distance(c: joint.Codes) -> float:
        return float((c.target - joint.mapped(mapping, c.source)).norm())

    assert distance(codes) < distance(apart)
    assert trace[-1] == pytest.approx(joint.objective(pair, x, y, codes, Weights(0.1, 0.5, 0.1)))


def test_the_gradient_of_the_discrepancy_by_finite_differences() -> None:
    paired, unpaired = _random(2, COUNT, 4, 4, 4), _random(3, COUNT, 4, 4, 4, seed=8)
    gradient = joint.discrepancy_gradient(paired, unpaired)
    step = 1e-6
    for place in [(0, 0, 0, 0, 0), (1, 2, 3, 1, 2), (1, 1, 0, 2, 3)]:
        up, down = paired.clone(), paired.clone()
        up[place] += step
        down[place] -= step
        slope = (joint.discrepancy(up, unpaired) - joint.discrepancy(down, unpaired)) / (2 * step)
        assert float(gradient[place]) == pytest.approx(slope, rel=1e-5, abs=1e-9)


def test_the_discrepancy_term_lowers_the_discrepancy() -> None:
    x, y = _problem()
    pair = Pair(_filters(), _filters(seed=7), torch.eye(COUNT, dtype=torch.float64))
    other = coding.code(pair.source, 3 * _random(2, 8, 8, 8, seed=11), HOW).maps
    weights = Weights(0.1, 0.1, 0.1)
    plain, _ = joint.code_jointly(pair, x, y, weights, HOW)
    pushed, _ = joint.code_jointly(
        pair, x, y, weights, HOW, push=lambda maps: 30 * joint.discrepancy_gradient(maps, other)
    )
    assert joint.discrepancy(pushed.source, other) < joint.discrepancy(plain.source, other)
