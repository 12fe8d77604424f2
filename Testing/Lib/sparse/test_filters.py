"""The filter update: its equations, its constraints, and the alternation with coding."""

from __future__ import annotations

import itertools

import pytest
import torch

from MedSRLib.sparse import coding, filters, spectra
from MedSRLib.sparse.coding import Settings
from MedSRLib.sparse.filters import Evidence


def problem(images: int, maps: int = 4, targets: int = 1) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """True filters (K, P, 3, 4), sparse maps and the images (n, P, 9, 11) that they make, float64."""
    generator = torch.Generator().manual_seed(3)
    truth = torch.randn(maps, targets, 3, 4, generator=generator, dtype=torch.float64)
    truth /= truth.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    z = torch.randn(images, maps, 9, 11, generator=generator, dtype=torch.float64)
    z *= torch.rand(z.shape, generator=generator, dtype=torch.float64) < 0.1
    made = [spectra.synthesised(spectra.of_filters(truth[:, p], (9, 11)), z) for p in range(targets)]
    return truth, z, torch.stack(made, 1)


def evidence_of(z: torch.Tensor, x: torch.Tensor, step: int = 2) -> Evidence:
    found = Evidence(z.shape[1], z.shape[2:], x.shape[1], dtype=z.dtype)
    for start in range(0, len(z), step):
        found.add(z[start : start + step], x[start : start + step])
    return found


@pytest.mark.parametrize("images", [2, 3, 8])
def test_few_and_many_images_solve_the_same_equations(images: int) -> None:
    """Woodbury with fewer images than filters (4), Cholesky otherwise: beside a dense solve."""
    _, z, x = problem(images)
    evidence = evidence_of(z, x)
    r = torch.randn(evidence.right.shape, dtype=torch.complex128, generator=torch.Generator().manual_seed(0))
    spectrum = spectra.forward(z, 2).flatten(2).permute(2, 0, 1)
    dense = spectrum.mH @ spectrum + 0.3 * torch.eye(4, dtype=torch.complex128)
    assert (evidence.solver(0.3)(r) - torch.linalg.solve(dense, r)).abs().max() < 1e-10


@pytest.mark.parametrize(("images", "targets"), [(2, 1), (8, 1), (8, 3)])
def test_the_data_term_is_that_of_the_images(images: int, targets: int) -> None:
    truth, z, x = problem(images, targets=targets)
    others = truth.flip(0)
    made = [spectra.synthesised(spectra.of_filters(others[:, p], (9, 11)), z) for p in range(targets)]
    expected = 0.5 * float((x - torch.stack(made, 1)).square().sum())
    assert evidence_of(z, x).data_term(others) == pytest.approx(expected, rel=1e-10)
    assert evidence_of(z, x).data_term(truth) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("images", "targets"), [(2, 1), (8, 1), (8, 3)])
def test_the_update_finds_the_filters_that_made_the_images(images: int, targets: int) -> None:
    truth, z, x = problem(images, targets=targets)
    start = filters.shortened(torch.ones_like(truth), 1.0)
    found = filters.updated(start, evidence_of(z, x), iterations=300)
    assert (found - truth).abs().max() < 1e-2


def test_filters_keep_to_their_norm_and_support() -> None:
    truth, z, x = problem(8)
    found = filters.updated(truth[:, 0], evidence_of(z, 3 * x), iterations=10)
    assert found.shape == (4, 3, 4)
    assert found.flatten(1).norm(dim=1).max() <= 1 + 1e-9


def test_an_update_never_makes_the_data_term_worse() -> None:
    truth, z, x = problem(8)
    noisy = x + 0.5 * torch.randn(x.shape, dtype=x.dtype, generator=torch.Generator().manual_seed(1))
    evidence = evidence_of(z, noisy)
    f = filters.updated(truth, evidence, iterations=500)
    assert evidence.data_term(filters.updated(f, evidence, iterations=1)) <= evidence.data_term(f)


def test_coding_and_filters_by_turns_never_raise_the_objective() -> None:
    _, _, x = problem(3)
    images = x[:, 0]
    f = filters.drawn(images, 4, (3, 3), torch.Generator().manual_seed(0))
    values, found = [], None
    for _ in range(6):
        found = coding.code(f, images, Settings(0.1, iterations=300, tolerance=1e-6), found)
        values.append(coding.objective(f, images, found.maps, 0.1))
        evidence = Evidence(4, (9, 11), dtype=torch.float64)
        evidence.add(found.maps, images)
        f = filters.updated(f, evidence)
        values.append(coding.objective(f, images, found.maps, 0.1))
    assert all(after <= before * (1 + 1e-6) for before, after in itertools.pairwise(values)), values
    assert values[-1] < 0.9 * values[0]


def test_drawn_filters_are_patches_of_unit_norm() -> None:
    images = torch.randn(2, 8, 9, 7, generator=torch.Generator().manual_seed(0))
    found = filters.drawn(images, 5, (3, 3, 3), torch.Generator().manual_seed(1))
    assert found.shape == (5, 3, 3, 3)
    assert torch.allclose(found.flatten(1).norm(dim=1), torch.ones(5))
