"""Codes, dictionaries and regressors: closed forms, optimality, and sums that only fall."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from MedSRLib.sparse import ksvd, regression
from MedSRLib.sparse.codes import Codes
from MedSRLib.sparse.dictionary_update import update_dictionary
from MedSRLib.sparse.lasso import lasso, objective
from MedSRLib.sparse.neighbours import lle_weights
from MedSRLib.sparse.pca import principal_axes
from MedSRLib.sparse.pursuit import batch_omp
from MedSRLib.sparse.shrinkage import soft_threshold


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def atoms(d: int, count: int, seed: int = 1) -> Tensor:
    found = normal(d, count, seed=seed)
    return found / found.norm(dim=0)


def test_soft_threshold_minimises() -> None:
    u, t = normal(50), 0.4
    z = torch.linspace(-4, 4, 80_001, dtype=torch.float64)[:, None]
    best = z[(0.5 * (z - u) ** 2 + t * z.abs()).argmin(0), 0]
    torch.testing.assert_close(soft_threshold(u, t), best, atol=1e-4, rtol=0)
    torch.testing.assert_close(soft_threshold(u, torch.tensor(t, dtype=torch.float64)), soft_threshold(u, t))


def test_pursuit_finds_sparse_signals_and_leaves_an_orthogonal_rest() -> None:
    dictionary, count = torch.linalg.qr(normal(20, 20)).Q, 30
    true = torch.zeros(count, 20, dtype=torch.float64)
    chosen = torch.stack([torch.randperm(20, generator=torch.Generator().manual_seed(n))[:3] for n in range(count)])
    true.scatter_(1, chosen, normal(count, 3) + 2)
    signals = true @ dictionary.T
    found = batch_omp(dictionary, signals, 3)
    assert torch.equal(found.atoms.sort(1).values, chosen.sort(1).values)
    torch.testing.assert_close(found.combined(dictionary), signals)
    wide = atoms(10, 40)
    codes = batch_omp(wide, normal(25, 10), 4)
    rest = normal(25, 10) - codes.combined(wide)
    assert float((rest[:, None] @ wide.T[codes.atoms].mT).abs().max()) < 1e-10
    assert all(len(set(row.tolist())) == 4 for row in codes.atoms)


def test_pursuit_of_nothing_is_nothing() -> None:
    codes = batch_omp(atoms(6, 12), torch.zeros(3, 6, dtype=torch.float64), 3)
    assert float(codes.values.abs().max()) == 0


def test_lasso_of_an_orthonormal_dictionary_is_soft_thresholding() -> None:
    dictionary = torch.linalg.qr(normal(16, 16)).Q
    signals = normal(9, 16, seed=3)
    found = lasso(dictionary, signals, 0.3, iterations=200, tolerance=0)
    torch.testing.assert_close(found, soft_threshold(signals @ dictionary, 0.3), atol=1e-10, rtol=0)


def test_lasso_fulfils_the_conditions_of_the_optimum() -> None:
    """The correlation with the rest is λ sign(z) where z is not zero, and no more than λ elsewhere."""
    dictionary, signals = atoms(12, 30), normal(8, 12, seed=3)
    codes = lasso(dictionary, signals, 0.2, iterations=3000, tolerance=0)
    slope = (signals - codes @ dictionary.T) @ dictionary
    on = codes != 0
    torch.testing.assert_close(slope[on], 0.2 * codes[on].sign(), atol=1e-6, rtol=0)
    assert float(slope.abs().max()) < 0.2 + 1e-6
    shorter = lasso(dictionary, signals, 0.2, iterations=20, tolerance=0)
    assert bool(
        (objective(dictionary, signals, codes, 0.2) <= objective(dictionary, signals, shorter, 0.2) + 1e-12).all()
    )


def test_ksvd_finds_the_atoms_that_made_the_samples() -> None:
    """The paper's synthetic test (50 atoms, 3 a sample, 1500 samples): Fig. 3 there has about 9 in 10 recovered."""
    true = atoms(20, 50)
    generator = torch.Generator().manual_seed(5)
    chosen = torch.stack([torch.randperm(50, generator=generator)[:3] for _ in range(1500)])
    samples = Codes(chosen, normal(1500, 3, seed=6)).combined(true)
    found = ksvd.first_atoms(samples, 50, torch.Generator().manual_seed(0))
    errors = []
    for _ in range(40):
        found, error = ksvd.improved(found, samples, 3)
        errors.append(error)
    assert errors[-1] < 0.5 * errors[0]
    assert int(((true.T @ found).abs().max(1).values > 0.98).sum()) >= 43
    torch.testing.assert_close(found.norm(dim=0), torch.ones(50, dtype=torch.float64))


def test_updating_atoms_never_makes_the_samples_worse() -> None:
    samples, dictionary = normal(300, 10), atoms(10, 24)
    codes = batch_omp(dictionary, samples, 3)
    _, residual = ksvd.update_atoms(dictionary, samples, codes)
    assert float(residual.square().sum()) < float((samples - codes.combined(dictionary)).square().sum())


def test_alternating_codes_and_dictionary_only_falls() -> None:
    samples, dictionary = normal(200, 10), atoms(10, 20)
    codes = torch.zeros(200, 20, dtype=torch.float64)
    sums = []
    for _ in range(6):
        codes = lasso(dictionary, samples, 0.3, iterations=30, start=codes)
        sums.append(float(objective(dictionary, samples, codes, 0.3).sum()))
        dictionary = update_dictionary(dictionary, samples, codes)
        sums.append(float(objective(dictionary, samples, codes, 0.3).sum()))
        assert float(dictionary.norm(dim=0).max()) < 1 + 1e-12
    assert sums == sorted(sums, reverse=True)


@pytest.mark.parametrize("d", [40, 700])
def test_principal_axes_hold_the_energy_asked_for(d: int) -> None:
    """Exact where short, by random projection where long: the same space as that of a singular value decomposition."""
    samples = (
        normal(900, 8) @ torch.diag(torch.tensor([9.0, 7, 5, 3, 2, 1, 0.5, 0.01], dtype=torch.float64)) @ normal(8, d)
    )
    found = principal_axes(samples, 1e-3, 20, torch.Generator().manual_seed(0))
    right = torch.linalg.svd(samples, full_matrices=False).Vh.T
    energy = torch.linalg.svdvals(samples).square().cumsum(0)
    needed = int((1 - energy / energy[-1] >= 1e-3).sum()) + 1
    assert found.shape == (d, needed)
    torch.testing.assert_close(found @ found.T, right[:, :needed] @ right[:, :needed].T, atol=1e-6, rtol=0)
    assert principal_axes(samples, 1e-3, 2, torch.Generator().manual_seed(0)).shape == (d, 2)


def test_both_forms_of_the_ridge_regressor_agree() -> None:
    """H (LᵀL + λI)⁻¹ Lᵀ = H Lᵀ (L Lᵀ + λI)⁻¹: A+ solves the second, ANR the first."""
    for d, n in ((5, 60), (60, 5)):
        low, high = normal(d, n), normal(7, n, seed=2)
        first = high @ torch.linalg.inv(low.T @ low + 0.1 * torch.eye(n, dtype=torch.float64)) @ low.T
        torch.testing.assert_close(regression.ridge_regressor(low, high, 0.1), first)


def test_anchored_regression_with_all_atoms_as_neighbours_is_the_global_one() -> None:
    low, high = atoms(6, 30), normal(9, 30)
    anchored = regression.anchored_regressors(low, high, 30, 0.01)
    alone = 1.01 * regression.ridge_regressor(low, high, 0.01)
    torch.testing.assert_close(anchored, alone.expand_as(anchored))
    assert [regression.global_penalty(n) for n in (512, 1024, 4096, 9000)] == [0.01, 0.1, 1.0, 5.0]


def test_adjusted_regressors_recover_a_map_of_the_samples() -> None:
    truth, low = normal(9, 6, seed=3), normal(400, 6)
    found = regression.adjusted_regressors(atoms(6, 4), low, low @ truth.T, 60, 1e-9)
    torch.testing.assert_close(found, truth.expand_as(found), atol=1e-6, rtol=0)


def test_grouped_application_is_one_by_one() -> None:
    features, maps = normal(50, 6), normal(7, 4, 6)
    nearest = torch.arange(50) % 5
    expected = torch.stack([maps[a] @ f for a, f in zip(nearest, features, strict=True)])
    torch.testing.assert_close(regression.apply_by_atom(features, nearest, maps), expected)


def test_the_fine_dictionary_fits_the_codes_best() -> None:
    codes = batch_omp(atoms(8, 12), normal(300, 8), 3)
    targets = normal(300, 5, seed=4)
    gamma = torch.zeros(300, 12, dtype=torch.float64).scatter_(1, codes.atoms, codes.values)
    expected = torch.linalg.lstsq(gamma, targets).solution.T
    torch.testing.assert_close(regression.coupled_dictionary(codes, targets, 12), expected, atol=1e-5, rtol=0)


def test_locally_linear_weights_sum_to_one_and_come_nearest() -> None:
    candidates, truth = normal(10, 4, 9), torch.softmax(normal(10, 4, seed=2), 1)
    features = (candidates * truth[:, :, None]).sum(1)
    found = lle_weights(features, candidates, ridge=1e-12)
    torch.testing.assert_close(found, truth, atol=1e-5, rtol=0)
    torch.testing.assert_close(lle_weights(normal(10, 9), candidates).sum(1), torch.ones(10, dtype=torch.float64))
