"""Convolutional sparse coding: the linear step, the iteration, its boundary."""

from __future__ import annotations

import pytest
import torch

from MedSRLib.sparse import coding, linear_steps, spectra
from MedSRLib.sparse.coding import Settings


def filters_and_images(
    size: tuple[int, ...], support: tuple[int, ...], maps: int = 4, images: int = 2
) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(len(size))
    filters = torch.randn(maps, *support, generator=generator, dtype=torch.float64)
    filters /= filters.flatten(1).norm(dim=1).view(-1, *[1] * len(size))
    truth = torch.randn(images, maps, *size, generator=generator, dtype=torch.float64)
    truth *= torch.rand(truth.shape, generator=generator, dtype=torch.float64) < 0.03
    return filters, spectra.synthesised(spectra.of_filters(filters, size), truth)


def dense(a: torch.Tensor, r: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    """(a aᴴ + M)⁻¹ r, frequency by frequency, by a dense solve."""
    k = a.shape[0]
    columns = a.reshape(k, -1).T
    system = columns[:, :, None] * columns[:, None, :].conj() + matrix.to(a.dtype)
    return torch.linalg.solve(system, r.reshape(k, -1).T).T.reshape(a.shape)


def spectra_of_chance() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    a, r = (torch.randn(6, 5, 4, generator=generator, dtype=torch.complex128) for _ in range(2))
    half = torch.randn(6, 6, generator=generator, dtype=torch.float64)
    return a, r, half @ half.T + 0.3 * torch.eye(6, dtype=torch.float64)


def test_the_rank_one_solution_is_that_of_a_dense_solve() -> None:
    a, r, _ = spectra_of_chance()
    expected = dense(a, r, 0.7 * torch.eye(6, dtype=torch.float64))
    assert (linear_steps.solve_rank_one(a, r[None], 0.7)[0] - expected).abs().max() < 1e-10


@pytest.mark.parametrize("diagonal", [True, False])
def test_beside_a_matrix_too(diagonal: bool) -> None:
    a, r, matrix = spectra_of_chance()
    if diagonal:
        matrix = matrix.diagonal().diag()
    inverse = torch.linalg.inv(matrix)
    found = linear_steps.solve_rank_one_beside(a, r[None], inverse.diagonal() if diagonal else inverse)[0]
    assert (found - dense(a, r, matrix)).abs().max() < 1e-10


@pytest.mark.parametrize("size", [(9, 12), (7, 6, 8)])
def test_streamed_maps_and_whole_spectra_take_the_same_steps(size: tuple[int, ...]) -> None:
    filters, images = filters_and_images(size, (3,) * len(size))
    of_filters = spectra.of_filters(filters, size)
    a, x = of_filters.conj(), spectra.forward(images, len(size))

    def solve(v: torch.Tensor, rho: float) -> torch.Tensor:
        return linear_steps.solve_rank_one(a, a * x[:, None] + rho * v, rho)

    def data(z: torch.Tensor) -> float:
        return 0.5 * float(spectra.squared_norm(x - (of_filters * z).sum(1), size))

    settings = Settings(0.05, iterations=40, tolerance=0)
    whole = coding.admm(linear_steps.Whole(solve, data, size), torch.zeros(2, 4, *size, dtype=torch.float64), settings)
    streamed = coding.code(filters, images, settings)
    assert (streamed.state - whole.state).abs().max() < 1e-10
    assert streamed.objective == pytest.approx(whole.objective, rel=1e-10)


@pytest.mark.parametrize("size", [(9, 12), (7, 6, 8)])
def test_analysis_is_the_adjoint_of_synthesis(size: tuple[int, ...]) -> None:
    filters, images = filters_and_images(size, (3,) * len(size))
    of_filters = spectra.of_filters(filters, size)
    maps = torch.randn(2, 4, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    one = (spectra.synthesised(of_filters, maps) * images).sum()
    other = (maps * spectra.analysed(of_filters, images)).sum()
    assert abs(one - other) < 1e-10 * abs(one)


def test_cropping_is_the_adjoint_of_embedding() -> None:
    filters, images = filters_and_images((9, 12), (3, 4), images=4)
    one = (spectra.embedded(filters, (9, 12)) * images).sum()
    other = (filters * spectra.cropped(images, (3, 4))).sum()
    assert abs(one - other) < 1e-10 * abs(one)


def test_a_coefficient_lays_the_filter_around_its_place() -> None:
    filters = torch.arange(1.0, 10).view(1, 3, 3).double()
    maps = torch.zeros(1, 1, 8, 8, dtype=torch.float64)
    maps[0, 0, 4, 5] = 1
    image = spectra.synthesised(spectra.of_filters(filters, (8, 8)), maps)
    assert torch.allclose(image[0, 3:6, 4:7], filters[0])


def test_the_norm_of_a_spectrum_is_the_images() -> None:
    for size in ((6, 7), (6, 8), (5, 4, 6)):
        image = torch.randn(3, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        found = spectra.squared_norm(spectra.forward(image, len(size)), size)
        assert float(found) == pytest.approx(float(image.square().sum()), rel=1e-12)


@pytest.mark.parametrize("size", [(16, 15), (8, 9, 8)])
def test_the_solution_meets_the_conditions_of_optimality(size: tuple[int, ...]) -> None:
    """The gradient of the data term is −λ sign(z) where z is not zero, and at most λ elsewhere."""
    filters, images = filters_and_images(size, (3,) * len(size))
    penalty = 0.05
    found = coding.code(filters, images, Settings(penalty, iterations=4000, tolerance=1e-9))
    of_filters = spectra.of_filters(filters, size)
    gradient = spectra.analysed(of_filters, spectra.synthesised(of_filters, found.maps) - images)
    used = found.maps != 0
    assert used.any()
    assert (gradient[used] + penalty * found.maps[used].sign()).abs().max() < 1e-6
    assert gradient.abs().max() < penalty + 1e-6


def test_the_recorded_objective_is_that_of_the_maps() -> None:
    filters, images = filters_and_images((12, 13), (3, 3))
    found = coding.code(filters, images, Settings(0.05, iterations=3000, tolerance=1e-10))
    assert found.objective[-1] == pytest.approx(coding.objective(filters, images, found.maps, 0.05), rel=1e-7)
    assert found.objective[-1] < found.objective[20]


def test_a_warm_start_goes_on_where_the_other_run_ended() -> None:
    filters, images = filters_and_images((12, 13), (3, 3))
    whole = coding.code(filters, images, Settings(0.05, iterations=30, tolerance=0, ratio=0))
    half = coding.code(filters, images, Settings(0.05, iterations=15, tolerance=0, ratio=0))
    rest = coding.code(filters, images, Settings(0.05, iterations=15, tolerance=0, ratio=0), half)
    assert (rest.maps - whole.maps).abs().max() < 1e-12


def test_a_start_at_another_penalty_keeps_the_maps() -> None:
    filters, images = filters_and_images((12, 13), (3, 3))
    rough = coding.code(filters, images, Settings(0.2, iterations=200))
    fine = coding.code(filters, images, Settings(0.05, iterations=3000, tolerance=1e-8), rough)
    cold = coding.code(filters, images, Settings(0.05, iterations=3000, tolerance=1e-8))
    assert fine.objective[-1] == pytest.approx(cold.objective[-1], rel=1e-6)


def test_padding_reflects_and_comes_off() -> None:
    image = torch.arange(12.0).view(1, 3, 4)
    padded = coding.padded(image, (2, 1))
    assert padded.shape == (1, 7, 6)
    expected = torch.nn.functional.pad(image[None], (1, 1, 2, 2), mode="reflect")[0]
    assert torch.equal(padded, expected)
    assert torch.equal(coding.unpadded(padded, (2, 1)), image)


def test_padding_of_an_axis_thinner_than_the_margin_reflects_again() -> None:
    image = torch.tensor([[1.0, 2.0]])
    assert coding.padded(image, (3,)).tolist() == [[2, 1, 2, 1, 2, 1, 2, 1]]
    assert coding.padded(torch.tensor([[5.0]]), (2,)).tolist() == [[5, 5, 5, 5, 5]]


def test_filters_larger_than_the_grid_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        spectra.of_filters(torch.zeros(2, 5, 5), (4, 9))


@pytest.mark.parametrize("size", [(9, 12), (7, 6, 8)])
def test_where_all_is_known_a_mask_changes_nothing(size: tuple[int, ...]) -> None:
    filters, images = filters_and_images(size, (3,) * len(size))
    how = Settings(0.05, iterations=800, rho=0.7, tolerance=1e-7)
    plain = coding.code(filters, images, how)
    masked = coding.code(filters, images, how, known=torch.ones(size, dtype=torch.bool))
    assert masked.objective[-1] == pytest.approx(plain.objective[-1], rel=1e-5)
    assert (masked.maps - plain.maps).abs().max() < 1e-3


def test_what_is_unknown_is_filled_in_from_what_is_known() -> None:
    filters, images = filters_and_images((24, 24), (5, 5), maps=2, images=1)
    known = torch.ones(24, 24, dtype=torch.bool)
    known[10:12, 8:16] = False
    found = coding.code(filters, images, Settings(0.003, iterations=300, tolerance=1e-6), known=known)
    shown = spectra.synthesised(spectra.of_filters(filters, (24, 24)), found.maps)
    error = (shown - images)[0][~known].square().mean()
    assert error < 0.2 * images[0][~known].square().mean()
