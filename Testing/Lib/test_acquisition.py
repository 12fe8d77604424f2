"""Forward models: formulas, adjoint, closed forms, geometry, noise."""

import dataclasses
import itertools

import numpy as np
import pytest
import torch

from MedSRLib import acquisition
from MedSRLib.acquisition import (
    KINDS,
    GaussianNoise,
    RicianNoise,
    acquired_grid,
    axis_matrix,
    build,
    estimate_sigma,
)
from MedSRLib.acquisition.matrices import CORNER_ALIGNED
from MedSRLib.errors import GridError, OptionError
from MedSRLib.grids import Grid

SCALES = (1, 1.3, 2, 2.5)
OBLIQUE_LEFT_HANDED = (0.8, 0.6, 0.0, -0.6, 0.8, 0.0, 0.0, 0.0, -1.0)
WANTED = Grid((13, 10, 7), (1.0, 0.9, 1.1), (-20.0, 5.0, 30.0), OBLIQUE_LEFT_HANDED)
ONE_SLICE = dataclasses.replace(WANTED, size=(12, 9, 1))


def _model(kind, wanted=WANTED, scale=2.0, **settings):
    if kind == "slice-profile":
        settings.setdefault("thickness", 1.7)
    return build(kind, wanted, acquired_grid(kind, wanted, scale), **settings)


def _random(shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _dense(model):
    return np.kron(model.matrices[0], np.kron(model.matrices[1], model.matrices[2]))


@pytest.mark.parametrize("grid", [WANTED, ONE_SLICE], ids=["volume", "slice"])
@pytest.mark.parametrize(("kind", "scale"), list(itertools.product(KINDS, (*SCALES, (1, 2, 1.3)))))
def test_adjoint_is_exact_and_equals_the_autograd_transpose(kind, scale, grid):
    model = _model(kind, grid, scale)
    x, y = _random((2, *model.wanted.shape)), _random((2, *model.acquired.shape), 1)
    left, right = (model.A(x) * y).sum(), (x * model.A_adjoint(y)).sum()
    assert abs(left - right) <= 1e-10 * abs(left)
    x.requires_grad_()
    (transpose,) = torch.autograd.grad(model.A(x), x, y)
    torch.testing.assert_close(model.A_adjoint(y), transpose, atol=1e-12, rtol=1e-10)


@pytest.mark.parametrize(("kind", "scale"), list(itertools.product(KINDS, SCALES)))
def test_a_constant_stays_constant_at_the_borders_too(kind, scale):
    for grid in (WANTED, ONE_SLICE):
        model = _model(kind, grid, scale)
        y = model.A(torch.full(grid.shape, 3.0, dtype=torch.float64))
        torch.testing.assert_close(y, torch.full_like(y, 3.0), atol=1e-12, rtol=0)


@pytest.mark.parametrize(("kind", "scale"), list(itertools.product(KINDS, SCALES)))
def test_a_blob_stays_where_it_is_in_millimetres(kind, scale):
    grid = Grid((31, 28, 25), (1.0, 0.9, 1.1), (-20.0, 5.0, 30.0), OBLIQUE_LEFT_HANDED)
    centre = grid.physical((15.3, 13.1, 12.2))
    model = _model(kind, grid, scale)

    def blob(g):
        k, j, i = np.meshgrid(*(np.arange(n) for n in g.shape), indexing="ij")
        return g.physical(np.stack([i, j, k], axis=-1))

    points = blob(grid)
    x = torch.from_numpy(np.exp(-((points - centre) ** 2).sum(-1) / (2 * 3.0**2)))
    y = model.A(x).numpy()
    found = (blob(model.acquired) * y[..., None]).sum((0, 1, 2)) / y.sum()
    np.testing.assert_allclose(found, centre, atol=0.03)


@pytest.mark.parametrize("kind", KINDS)
def test_closed_forms_agree_with_dense_solves(kind):
    wanted = Grid((7, 6, 5), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), OBLIQUE_LEFT_HANDED)
    model = _model(kind, wanted, (1.3, 2.5, 1))
    dense = _dense(model)
    z, y = _random(model.wanted.shape), _random(model.acquired.shape, 1)
    np.testing.assert_allclose(model.A(z).flatten(), dense @ z.flatten().numpy(), atol=1e-12)
    np.testing.assert_allclose(model.A_dagger(y).flatten(), np.linalg.pinv(dense) @ y.flatten().numpy(), atol=1e-9)
    for gamma in (0.1, 30.0):
        normal = gamma * dense.T @ dense + np.eye(dense.shape[1])
        expected = np.linalg.solve(normal, gamma * dense.T @ y.flatten().numpy() + z.flatten().numpy())
        np.testing.assert_allclose(model.prox_l2(z, y, gamma).flatten(), expected, atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_an_axis_that_is_not_coarsened_is_left_alone(kind):
    model = _model(kind, scale=(1, 2, 1))
    assert np.array_equal(model.matrices[0], np.eye(7))
    assert np.array_equal(model.matrices[2], np.eye(13))
    assert model.matrices[1].shape == (5, 10)


def test_the_field_of_view_is_kept_unless_corners_are_aligned_or_slices_dropped():
    for kind in KINDS:
        grid = acquired_grid(kind, WANTED, (2, 2.5, 1.3))
        if kind in CORNER_ALIGNED:
            assert grid.size == (6, 4, 5)  # scipy rounds 6.5 to 6
            assert grid.origin == pytest.approx(WANTED.origin)
            last = [n - 1 for n in grid.size]
            np.testing.assert_allclose(grid.physical(last), WANTED.physical((12, 9, 6)), atol=1e-9)
        elif kind != "drop":
            np.testing.assert_allclose(grid.corners(), WANTED.corners(), atol=1e-9)


def test_one_corner_aligned_sample_lies_in_the_middle():
    grid = acquired_grid("spline", WANTED, (1, 1, 7))
    assert grid.size[2] == 1
    np.testing.assert_allclose(grid.physical((0, 0, 0)), WANTED.physical((0, 0, 3)), atol=1e-9)
    np.testing.assert_allclose(build("spline", WANTED, grid).matrices[0] @ np.arange(7), [3.0], atol=1e-12)


def test_gaussian_profile_is_the_sampled_gaussian_of_the_given_width():
    # wanted 1 mm, acquired every 3 mm: the centre of sample 5 lies on voxel 16
    row = axis_matrix("physical", 33, 11)[5]
    sigma = 3 / 2.354820045
    expected = np.exp(-((np.arange(33) - 16) ** 2) / (2 * sigma**2))
    np.testing.assert_allclose(row, expected / expected.sum(), atol=2e-4)
    half = row[16] / 2
    assert np.interp(17.5, [17, 18], row[17:19]) == pytest.approx(half, rel=0.05)


def test_box_profile_takes_the_exact_overlap_with_gap_and_overlap_of_slices():
    # slices every 4 voxels: 2.5 voxels thick (gap), 6 voxels thick (overlap)
    gap = axis_matrix("slice-profile", 12, 3, width=2.5, profile="box")
    np.testing.assert_allclose(gap[1], np.array([0, 0, 0, 0, 0.25, 1, 1, 0.25, 0, 0, 0, 0]) / 2.5, atol=1e-15)
    overlap = axis_matrix("slice-profile", 12, 3, width=6, profile="box")
    np.testing.assert_allclose(overlap[1], np.array([0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0]) / 6, atol=1e-15)
    np.testing.assert_allclose(overlap[0], np.array([2, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]) / 6, atol=1e-15)


def test_thickness_in_millimetres_acts_along_the_coarse_axes():
    thin = build("slice-profile", WANTED, acquired_grid("physical", WANTED, (1, 1, 3)), thickness=(9, 9, 1.0))
    thick = build("slice-profile", WANTED, acquired_grid("physical", WANTED, (1, 1, 3)), thickness=4.0)
    assert np.array_equal(thin.matrices[2], np.eye(13))
    assert thin.matrices[0].max() > 2 * thick.matrices[0].max()
    expected = axis_matrix("physical", 7, 2, width=4.0 / 1.1)
    np.testing.assert_allclose(thick.matrices[0], expected, atol=1e-9)


def test_kspace_keeps_the_central_frequencies():
    # 12 samples of a wave with 2 periods survive at 8 samples; one with 5 periods does not
    positions = (np.arange(8) + 0.5) * 1.5 - 0.5
    matrix = axis_matrix("kspace", 12, 8)
    kept = matrix @ np.cos(2 * np.pi * 2 * np.arange(12) / 12)
    np.testing.assert_allclose(kept, np.cos(2 * np.pi * 2 * positions / 12), atol=1e-12)
    np.testing.assert_allclose(matrix @ np.cos(2 * np.pi * 5 * np.arange(12) / 12), 0, atol=1e-12)


def test_bicubic_gaussian_smooths_the_acquired_samples():
    # a ramp of 2 a sample stays; at the border the tap outside falls on the border sample
    matrix = axis_matrix("bicubic-gaussian", 12, 6)
    side = np.exp(-0.5) / (1 + 2 * np.exp(-0.5))
    y = matrix @ np.arange(12.0)
    np.testing.assert_allclose(y, [0.5 + 2 * side, 2.5, 4.5, 6.5, 8.5, 10.5 - 2 * side], atol=1e-12)


def test_a_shifted_acquisition_is_sampled_where_it_lies():
    shifted = dataclasses.replace(WANTED, size=(6, 10, 7), origin=tuple(WANTED.physical((4, 0, 0))))
    model = build("physical", WANTED, shifted)
    x = _random(WANTED.shape)
    torch.testing.assert_close(model.A(x), x[..., 4:10])


def test_impossible_wishes_are_refused():
    coarse = acquired_grid("physical", WANTED, 2)
    with pytest.raises(OptionError, match="kspace"):
        build("fourier", WANTED, coarse)
    with pytest.raises(OptionError, match="slice thickness"):
        build("slice-profile", WANTED, coarse)
    with pytest.raises(OptionError, match="no thickness"):
        build("spline", WANTED, coarse, thickness=2.0)
    with pytest.raises(OptionError, match="not positive"):
        build("physical", WANTED, coarse, thickness=0.0)
    with pytest.raises(OptionError, match="profile"):
        build("physical", WANTED, coarse, profile="triangle")
    with pytest.raises(GridError, match="directions"):
        build("physical", WANTED, dataclasses.replace(coarse, direction=(1.0, 0, 0, 0, 1, 0, 0, 0, 1)))
    with pytest.raises(OptionError, match="generator"):
        build("physical", WANTED, coarse)(_random(WANTED.shape), RicianNoise(0.1))


def test_models_are_frozen_and_matrices_read_only():
    model = _model("physical")
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.wanted = ONE_SLICE
    with pytest.raises(ValueError, match="read-only"):
        axis_matrix("physical", 8, 4)[0, 0] = 2.0


def test_types_and_devices_follow_the_tensor():
    model = _model("physical")
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        assert model.A(torch.ones(WANTED.shape, dtype=dtype)).dtype == dtype


def test_noise_has_its_law_and_repeats_with_its_generator():
    signal = torch.full((60, 60, 60), 5.0, dtype=torch.float64)
    model = build(
        "physical",
        Grid((60,) * 3, (1.0,) * 3, (0.0,) * 3, OBLIQUE_LEFT_HANDED),
        Grid((60,) * 3, (1.0,) * 3, (0.0,) * 3, OBLIQUE_LEFT_HANDED),
    )
    noisy = model(signal, GaussianNoise(0.5), torch.Generator().manual_seed(3))
    assert float(noisy.std()) == pytest.approx(0.5, rel=0.01)
    rician = model(signal, RicianNoise(0.5), torch.Generator().manual_seed(3))
    assert float(rician.square().mean()) == pytest.approx(25 + 2 * 0.25, rel=0.002)
    air = RicianNoise(0.5)(torch.zeros_like(signal), torch.Generator().manual_seed(4))
    assert float(air.mean()) == pytest.approx(0.5 * np.sqrt(np.pi / 2), rel=0.01)
    assert torch.equal(rician, model(signal, RicianNoise(0.5), torch.Generator().manual_seed(3)))
    assert torch.equal(signal, torch.full_like(signal, 5.0))


def _anatomy(size=56):
    """Smooth structures in an empty background, as bright as 100."""
    axis = np.linspace(-1, 1, size)
    k, j, i = np.meshgrid(axis, axis, axis, indexing="ij")
    head = np.sqrt(k**2 + (j / 0.8) ** 2 + (i / 0.7) ** 2) < 0.9
    return np.where(head, 70 + 30 * np.sin(6 * k) * np.cos(5 * j + 2 * i), 0.0).astype(np.float32)


@pytest.mark.parametrize("sigma", [1.0, 2.0, 5.0])
@pytest.mark.parametrize("background", [True, False])
def test_noise_is_estimated_with_and_without_background(sigma, background):
    clean = torch.from_numpy(_anatomy())
    noisy = RicianNoise(sigma)(clean, torch.Generator().manual_seed(0)).numpy()
    if background:
        noisy[clean.numpy() == 0] = 0
    assert estimate_sigma(noisy) == pytest.approx(sigma, rel=0.1)


def test_a_noise_free_or_constant_or_tiny_image_has_no_noise():
    assert estimate_sigma(_anatomy()) < 0.1
    assert estimate_sigma(np.full((20, 20, 20), 7.0, np.float32)) == 0.0
    assert estimate_sigma(np.random.default_rng(0).random((2, 3, 4))) == 0.0


def test_noise_of_a_single_slice_is_estimated_in_its_plane():
    image = 100 + np.random.default_rng(0).normal(0, 3, (1, 90, 80)).astype(np.float32)
    assert estimate_sigma(image) == pytest.approx(3, rel=0.1)


def test_importing_the_room_imports_no_torch():
    import subprocess
    import sys

    code = "import sys, MedSRLib.acquisition, MedSRLib.methods.registry; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert set(acquisition.__all__) >= {"AcquisitionModel", "build", "acquired_grid", "axis_matrix"}


@pytest.mark.parametrize("slices", [9, 10])
@pytest.mark.parametrize("step", [2, 3])
def test_drop_keeps_every_kth_slice_unchanged_and_in_its_place(slices, step):
    wanted = Grid((4, 5, slices), (1.0, 1.0, 2.5), (3.0, -7.0, 11.0), OBLIQUE_LEFT_HANDED)
    model = _model("drop", wanted, (1, 1, step))
    x = _random(wanted.shape)
    kept = x[::step]
    assert torch.equal(model.A(x), kept)
    assert model.acquired.size == (4, 5, len(kept)) and model.acquired.spacing == (1.0, 1.0, 2.5 * step)
    for n in range(len(kept)):
        np.testing.assert_allclose(model.acquired.physical((0, 0, n)), wanted.physical((0, 0, n * step)), atol=1e-9)


def test_drop_of_samples_alone_takes_the_smallest_step_that_gives_so_many():
    assert np.array_equal(axis_matrix("drop", 10, 5), np.eye(10)[::2])
    assert np.array_equal(axis_matrix("drop", 9, 5), np.eye(9)[::2])
