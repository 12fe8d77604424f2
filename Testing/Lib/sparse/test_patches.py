"""Patches cut out and put back, and the gradients they are told by."""

from __future__ import annotations

import math

import pytest
import torch

from MedSRLib.sparse import features
from MedSRLib.sparse.patches import blocks, cut, fold, overlaps, unfold


@pytest.mark.parametrize(("size", "window", "step"), [((13, 10), 4, 3), ((12, 9), 6, 3), ((9, 7, 8), 3, 1)])
def test_patches_put_back_are_the_image(size: tuple[int, ...], window: int, step: int) -> None:
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(2, *size, generator=generator)
    patches = unfold(image, window, step)
    room = [-(-n // step) * step + window for n in size]
    total = torch.zeros(2, *room)
    fold(total, patches, [0] * len(size), step)
    counts = overlaps(size[0], window, step)
    for n in size[1:]:
        counts = counts[..., None] * overlaps(n, window, step)
    inside = cut(total, [slice(0, n) for n in size])
    covered = counts > 0
    assert covered.sum() >= math.prod((n - window) // step * step + window for n in size)
    torch.testing.assert_close((inside / counts.clamp_min(1))[:, covered], image[:, covered])
    assert float(inside[:, ~covered].abs().sum()) == 0


def test_blocks_cover_every_place_once() -> None:
    seen = torch.zeros(7, 5, 4)
    for box in blocks(seen.shape, 30):
        seen[box] += 1
        assert seen[box].numel() <= 30
    assert bool((seen == 1).all())


@pytest.mark.parametrize("spacing", [2, 3, 4])
def test_a_ramp_has_its_slope_and_no_curvature(spacing: int) -> None:
    """G spans ``spacing`` voxels: it is the slope times that; L of a ramp is 0, of x² it is spacing²."""
    k, j, i = torch.meshgrid(*(torch.arange(12.0) for _ in range(3)), indexing="ij")
    found = features.gradients((2 * k - 3 * j + 0.5 * i)[None], spacing)[0]
    assert [float(found[2 * axis].mean()) for axis in range(3)] == pytest.approx(
        [2 * spacing, -3 * spacing, 0.5 * spacing]
    )
    assert float(found[1::2].abs().max()) < 1e-5
    assert float(features.gradients((i * i)[None], spacing)[0, 5].mean()) == pytest.approx(spacing**2)


@pytest.mark.parametrize("axes", [2, 3])
def test_the_matrix_of_features_is_gradients_then_cutting(axes: int) -> None:
    window, spacing = 4, 2
    image = torch.rand(1, *(11, 12, 10)[:axes], generator=torch.Generator().manual_seed(0))
    made = features.gradients(image, spacing)
    expected = torch.cat([unfold(made[:, c], window, 2).reshape(-1, window**axes) for c in range(2 * axes)], 1)
    windows = unfold(image, window + 2 * spacing, 2).reshape(-1, (window + 2 * spacing) ** axes)
    torch.testing.assert_close(windows @ features.feature_matrix(window, spacing, axes), expected)


def test_filters_are_those_of_the_programs() -> None:
    """[1, 0, -1] and ½[1, 0, -2, 0, 1] convolve for ×2; for ×3 G lies half a voxel after its voxel, as conv2 'same'."""
    assert features.difference_filters(2).tolist() == [[0, -1, 0, 1, 0], [0.5, 0, -1, 0, 0.5]]
    assert features.difference_filters(3)[0].tolist() == [0, 0, -1, 0, 0, 1, 0]
    assert features.difference_filters(2, 1.0)[1].tolist() == [1, 0, -2, 0, 1]
