"""The solvers against scikit-learn's, called in the tests themselves (extra "test")."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from MedSRLib.sparse import ksvd
from MedSRLib.sparse.codes import Codes
from MedSRLib.sparse.lasso import lasso
from MedSRLib.sparse.pca import principal_axes
from MedSRLib.sparse.pursuit import batch_omp

sklearn = pytest.importorskip("sklearn", reason="scikit-learn comes with the extra 'test'")


def drawn(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A dictionary (12, 30) with columns of length 1, and 60 signals (60, 12)."""
    generator = np.random.default_rng(seed)
    dictionary = generator.standard_normal((12, 30))
    return dictionary / np.linalg.norm(dictionary, axis=0), generator.standard_normal((60, 12))


def dense(codes: Codes, atoms: int) -> np.ndarray:
    return torch.zeros(len(codes.atoms), atoms, dtype=torch.float64).scatter_(1, codes.atoms, codes.values).numpy()


def test_pursuit_is_orthogonal_mp_gram() -> None:
    from sklearn.linear_model import orthogonal_mp_gram

    dictionary, signals = drawn()
    for sparsity in (1, 3, 6):
        expected = orthogonal_mp_gram(dictionary.T @ dictionary, dictionary.T @ signals.T, n_nonzero_coefs=sparsity)
        found = batch_omp(torch.from_numpy(dictionary), torch.from_numpy(signals), sparsity)
        np.testing.assert_allclose(dense(found, 30), expected.T, atol=1e-9)


def test_lasso_is_coordinate_descent() -> None:
    from sklearn.linear_model import Lasso

    dictionary, signals = drawn()
    found = lasso(torch.from_numpy(dictionary), torch.from_numpy(signals), 0.3, iterations=5000, tolerance=0)
    theirs = Lasso(alpha=0.3 / 12, fit_intercept=False, tol=1e-12, max_iter=100_000)  # their sum has 1/(2 d)
    for signal, codes in zip(signals[:10], found.numpy()[:10], strict=True):
        np.testing.assert_allclose(codes, theirs.fit(dictionary, signal).coef_, atol=1e-7)


def test_the_learned_dictionary_is_not_worse_than_theirs() -> None:
    from sklearn.decomposition import DictionaryLearning

    generator = np.random.default_rng(3)
    true = drawn(4)[0][:, :20]
    codes = np.zeros((400, 20))
    for row in codes:
        row[generator.permutation(20)[:3]] = generator.standard_normal(3)
    samples = codes @ true.T + 0.02 * generator.standard_normal((400, 12))
    theirs = DictionaryLearning(
        20, alpha=0.1, max_iter=10, transform_algorithm="omp", transform_n_nonzero_coefs=3, random_state=0
    ).fit(samples)
    their_error = np.square(samples - theirs.transform(samples) @ theirs.components_).mean()
    ours = torch.from_numpy(samples)
    found = ksvd.first_atoms(ours, 20, torch.Generator().manual_seed(0))
    for _ in range(80):  # a thirtieth of their time
        found, _ = ksvd.improved(found, ours, 3)
    rest = ours - batch_omp(found, ours, 3).combined(found)
    assert float(rest.square().mean()) <= their_error


def test_principal_axes_are_those_of_truncated_svd() -> None:
    from sklearn.decomposition import TruncatedSVD

    generator = np.random.default_rng(1)
    samples = generator.standard_normal((300, 20)) * 0.7 ** np.arange(20) @ generator.standard_normal((20, 600))
    theirs = TruncatedSVD(6, algorithm="arpack").fit(samples).components_
    found = principal_axes(torch.from_numpy(samples), 0.0, 6, torch.Generator().manual_seed(0)).numpy()
    np.testing.assert_allclose(np.abs(theirs @ found), np.eye(6), atol=1e-6)
