"""Interpolation matrices and their separable application."""

import numpy as np
import pytest
import torch

from MedSRLib.errors import GridError, OptionError
from MedSRLib.grids import Grid, scaled
from MedSRLib.inference import sampling
from MedSRLib.inference.sampling import KINDS, apply_separable, interpolate, interpolation_matrix, weights

SMOOTH = [kind for kind in KINDS if kind != "nearest"]
SIZES = (1, 2, 3, 7, 13, 40)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
def test_rows_sum_to_one_and_the_voxels_themselves_are_kept(kind, size):
    matrix = weights(kind, size, np.linspace(-2, size + 1, 83))
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_allclose(weights(kind, size, np.arange(size)), np.eye(size), atol=1e-12)


@pytest.mark.parametrize("kind", SMOOTH)
@pytest.mark.parametrize("size", SIZES)
def test_a_ramp_stays_a_ramp_up_to_the_border_voxels_and_is_clamped_beyond(kind, size):
    positions = np.linspace(-1.5, size + 0.5, 97)
    ramp = weights(kind, size, positions) @ (3.0 + 2.0 * np.arange(size))
    np.testing.assert_allclose(ramp, 3.0 + 2.0 * np.clip(positions, 0, size - 1), atol=1e-10)


def test_keys_kernel_has_the_values_of_the_paper():
    # W(1/2) = 9/16 and W(3/2) = -1/16 for a = -1/2 (Keys 1981, Eq. 15)
    row = weights("cubic", 9, np.array([4.5]))[0]
    np.testing.assert_allclose(row, [0, 0, 0, -1 / 16, 9 / 16, 9 / 16, -1 / 16, 0, 0], atol=1e-15)


def test_cubic_reproduces_a_parabola_and_bspline_a_cubic():
    positions, samples = np.linspace(15, 25, 41), np.arange(41.0)
    np.testing.assert_allclose(weights("cubic", 41, positions) @ samples**2, positions**2, rtol=1e-12)
    np.testing.assert_allclose(weights("bspline", 41, positions) @ samples**3, positions**3, rtol=1e-5)


def test_lanczos_follows_its_window():
    # far from the borders the weights are sinc(t) sinc(t/5) but for the small correction of sum and mean
    row = weights("lanczos", 21, np.array([10.3]))[0]
    t = np.arange(21) - 10.3
    exact = np.where(abs(t) < 5, np.sinc(t) * np.sinc(t / 5), 0)
    np.testing.assert_allclose(row, exact, atol=0.02)
    assert np.count_nonzero(row) == 10


def test_nearest_takes_the_higher_index_half_way():
    assert weights("nearest", 4, np.array([0.49, 0.5, 0.5 - 1e-12, 2.6, 9]))[:, :].argmax(axis=1).tolist() == [
        0,
        1,
        1,
        3,
        3,
    ]


@pytest.mark.parametrize(("padding", "mode"), [("border", "border"), ("zeros", "zeros")])
def test_linear_is_grid_sample(padding, mode):
    size, positions = 6, np.linspace(-1.4, 6.4, 53)
    values = torch.rand(size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    ours = interpolation_matrix("linear", size, positions, padding=padding, dtype=torch.float64) @ values
    coordinates = torch.zeros(1, 1, len(positions), 2, dtype=torch.float64)
    coordinates[..., 0] = torch.from_numpy((2 * positions + 1) / size - 1)
    theirs = torch.nn.functional.grid_sample(
        values.view(1, 1, 1, size), coordinates, padding_mode=mode, align_corners=False
    )
    torch.testing.assert_close(ours, theirs.flatten(), atol=1e-12, rtol=0)


def test_separable_application_is_the_kronecker_product():
    generator = torch.Generator().manual_seed(1)
    volume = torch.rand(2, 3, 4, 5, 6, generator=generator, dtype=torch.float64)
    matrices = [torch.rand(m, n, generator=generator, dtype=torch.float64) for m, n in ((7, 4), (2, 5), (9, 6))]
    expected = torch.einsum("ak,bj,ci,xykji->xyabc", *matrices, volume)
    torch.testing.assert_close(apply_separable(volume, matrices), expected)
    for axis in range(3):
        some = [
            m if a == axis else torch.eye(n).double() for a, (m, n) in enumerate(zip(matrices, (4, 5, 6), strict=True))
        ]
        expected = torch.einsum("ak,bj,ci,xykji->xyabc", *some, volume)
        torch.testing.assert_close(apply_separable(volume, some), expected)


def test_identity_axes_are_left_bit_for_bit():
    volume = torch.rand(3, 4, 5)
    assert apply_separable(volume, [torch.eye(n) for n in volume.shape]) is volume


def test_interpolate_works_between_grids_of_one_direction_only():
    grid = Grid((5, 4, 3), (1.0, 1.5, 2.0), (1.0, 2.0, 3.0), (0.0, 1.0, 0, -1, 0, 0, 0, 0, 1))
    fine = scaled(grid, (2, 1.7, 1))
    values = torch.arange(60, dtype=torch.float32).reshape(grid.shape)
    assert tuple(interpolate(values, grid, fine, "cubic").shape) == fine.shape
    other = Grid(grid.size, grid.spacing, grid.origin, (1.0, 0, 0, 0, 1, 0, 0, 0, 1))
    with pytest.raises(GridError, match="other directions"):
        interpolate(values, grid, other, "cubic")


def test_wrong_names_are_refused_and_nothing_is_cached_in_the_module():
    with pytest.raises(OptionError, match="linear"):
        interpolation_matrix("quintic", 4, np.arange(4))
    with pytest.raises(OptionError, match="zeros"):
        interpolation_matrix("cubic", 4, np.arange(4), padding="zeros")
    assert sampling.KINDS == ("nearest", "linear", "cubic", "bspline", "lanczos")
