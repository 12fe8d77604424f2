"""Line profiles and edge widths on edges whose width is known."""

import math

import numpy as np
import pytest
from scipy.special import erf

from MedSRLib.evaluation.profiles import (
    Line,
    Profile,
    edge_widths,
    find_edge,
    fwhm,
    maximum_slope,
    sample,
    steepest_line,
)
from MedSRLib.grids import Grid

GRID = Grid((13, 10, 7), (0.8, 1.2, 2.0), (3.0, -4.0, 5.0), (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, -1.0))


def blurred_step(sigma, low=20.0, high=120.0, length=30.0, count=601):
    x = np.linspace(0, length, count)
    return Profile(x, low + (high - low) * 0.5 * (1 + erf((x - length / 2) / (sigma * np.sqrt(2)))))


@pytest.mark.parametrize("sigma", [0.7, 1.5, 2.5])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_gaussian_edge_is_as_wide_as_theory_says(sigma, sign):
    profile = blurred_step(sigma)
    profile = Profile(profile.positions, sign * profile.values)
    assert find_edge(profile).width == pytest.approx(2 * 1.2815516 * sigma, rel=0.01)


def test_the_edge_near_the_given_place_is_measured():
    x = np.linspace(0, 40, 801)
    values = 50 * (1 + erf((x - 10) / (1 * np.sqrt(2)))) - 80 * (1 + erf((x - 28) / (0.5 * np.sqrt(2)))) / 2
    profile = Profile(x, values)
    assert find_edge(profile, near=10).width == pytest.approx(2.563, rel=0.02)
    assert find_edge(profile, near=28).width == pytest.approx(2.563 / 2, rel=0.02)


def test_noise_on_the_plateaus_does_not_widen_the_edge():
    profile = blurred_step(1.0)
    ripple = 1.0 * np.sin(profile.positions * 5)
    assert find_edge(Profile(profile.positions, profile.values + ripple)).width == pytest.approx(2.563, rel=0.12)


def test_a_flat_line_has_no_edge():
    flat = Profile(np.linspace(0, 5, 20), np.full(20, 3.0))
    assert find_edge(flat) is None
    assert edge_widths({"truth": flat, "result": blurred_step(1.0)}, "truth") == {"truth": None, "result": None}


def test_a_slope_beside_the_edge_is_not_taken_for_it():
    sharp, soft = blurred_step(0.6), blurred_step(1.2)
    slope = 2.0 * soft.positions  # without wiggles: followed to the end of the line if nothing stops it
    widths = edge_widths({"truth": sharp, "result": Profile(soft.positions, soft.values + slope)}, "truth")
    assert widths["truth"] == pytest.approx(2.563 * 0.6, rel=0.01)
    assert widths["result"] == pytest.approx(2.563 * 1.2, rel=0.25)


def test_a_ramp_in_space_stays_that_ramp_along_an_oblique_line():
    points = GRID.physical(np.stack(np.meshgrid(*map(np.arange, GRID.size), indexing="ij"), axis=-1))
    slope = np.array([2.0, -1.0, 0.5])
    array = (points @ slope).transpose(2, 1, 0)
    ends = GRID.physical([(3.2, 3.1, 2.0), (9.4, 6.3, 4.0)])
    line = Line(tuple(ends[0]), tuple(ends[1]))
    profile = sample(array, GRID, line)
    expected = line.points(len(profile.values)) @ slope
    assert profile.positions[-1] == pytest.approx(np.linalg.norm(ends[1] - ends[0]))
    # The mirrored border bends a ramp; three voxels inside it has decayed to 0.27³ of the slope.
    assert np.abs(profile.values - expected).max() < 0.2
    nearest = sample(array, GRID, line, order=0).values
    assert set(np.round(nearest, 6)) <= set(np.round(array.ravel(), 6))


def test_the_steepest_line_crosses_the_wall_at_right_angles():
    array = np.zeros((9, 20, 24), dtype=np.float32)
    array[:, :, 13:] = 100
    grid = Grid((24, 20, 9), (1.0, 1.0, 1.5), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1, 0, 0, 0, 1))
    line = steepest_line(array, np.ones(array.shape, dtype=bool), grid, length_mm=8)
    assert line.length == pytest.approx(8)
    direction = np.subtract(line.end, line.start) / line.length
    assert direction == pytest.approx([1, 0, 0], abs=1e-3)
    assert (line.start[0] + line.end[0]) / 2 == pytest.approx(12.5, abs=0.51)
    assert find_edge(sample(array, grid, line)).width < 2


def test_a_line_along_one_axis_finds_edges_across_it():
    array = np.zeros((16, 20, 24), dtype=np.float32)
    array[:, :, 12:] = 100
    array[9:] += 30
    grid = Grid((24, 20, 16), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1, 0, 0, 0, 1))
    line = steepest_line(array, np.ones(array.shape, dtype=bool), grid, axes=(2,))
    assert np.subtract(line.end, line.start)[:2] == pytest.approx([0, 0])
    assert (line.start[2] + line.end[2]) / 2 == pytest.approx(8.5, abs=0.51)


def test_one_slice_and_flat_volumes_still_have_a_line():
    grid = Grid((6, 5, 1), (1.0, 1.0, 4.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1, 0, 0, 0, 1))
    array = np.zeros((1, 5, 6), dtype=np.float32)
    line = steepest_line(array, np.ones(array.shape, dtype=bool), grid)
    assert line.length > 0
    assert find_edge(sample(array, grid, line)) is None


def test_the_steepest_slope_of_a_blurred_step_in_closed_form():
    x = np.linspace(-10, 10, 4001)
    edge = Profile(x, 50 + 20 * erf(x / (1.3 * math.sqrt(2))))
    assert maximum_slope(edge) == pytest.approx(40 / (1.3 * math.sqrt(2 * math.pi)), rel=1e-5)
    assert maximum_slope(Profile(x, -edge.values)) == maximum_slope(edge)
    assert maximum_slope(Profile(x[:1], x[:1])) == 0


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("slope", [0.0, 0.4])
def test_the_width_of_a_gaussian_line_in_closed_form(sign, slope):
    x = np.linspace(0, 30, 3001)
    line = Profile(x, 100 + sign * 60 * np.exp(-0.5 * ((x - 17) / 1.7) ** 2) + slope * x)
    assert fwhm(line) == pytest.approx(2.3548 * 1.7, rel=1e-3 if slope == 0 else 0.12)


def test_of_two_lines_the_one_asked_for_is_measured():
    x = np.linspace(0, 40, 4001)
    two = Profile(x, 50 * np.exp(-0.5 * ((x - 10) / 1) ** 2) + 80 * np.exp(-0.5 * ((x - 30) / 2) ** 2))
    assert fwhm(two) == pytest.approx(2.3548 * 2, rel=1e-3)
    assert fwhm(two, near=10.5) == pytest.approx(2.3548 * 1, rel=1e-3)


def test_a_triangle_has_half_its_base_and_an_edge_no_width():
    triangle = Profile(np.arange(9.0), np.array([0, 0, 1, 2, 3, 2, 1, 0, 0.0]))
    assert fwhm(triangle) == pytest.approx(3.0)
    assert fwhm(Profile(np.arange(9.0), np.array([0, 0, 0, 1, 2, 3, 3, 3, 3.0]))) is None
    assert fwhm(Profile(np.arange(9.0), np.ones(9))) is None
