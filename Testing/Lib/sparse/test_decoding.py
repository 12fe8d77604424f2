"""Decoding filters against least squares with every shifted map as a column."""

from __future__ import annotations

import torch

from MedSRLib.sparse import spectra
from MedSRLib.sparse.decoding import Normals

SIZE, SUPPORT = (7, 6, 5), (3, 3, 3)


def _random(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _fitted(maps: torch.Tensor, images: torch.Tensor, ridge: float) -> torch.Tensor:
    normals = Normals([SUPPORT, SUPPORT], SIZE)
    normals.add(maps[:1], images[:1])
    normals.add(maps[1:], images[1:])
    return torch.stack(normals.filters(ridge))


def test_filters_that_made_the_images_are_found_again() -> None:
    maps, filters = _random(3, 2, *SIZE, seed=0), _random(2, *SUPPORT, seed=1)
    images = spectra.synthesised(spectra.of_filters(filters, SIZE), maps)
    assert torch.allclose(_fitted(maps, images, 0.0), filters, atol=1e-4)


def test_they_are_the_least_squares_solution() -> None:
    maps, images = _random(3, 2, *SIZE, seed=0), _random(3, *SIZE, seed=2)
    columns = []
    for k in range(2):
        shifts = torch.cartesian_prod(*(torch.arange(-1, 2),) * 3).tolist()
        columns += [maps[:, k].roll(shift, dims=(1, 2, 3)).flatten() for shift in shifts]
    expected = torch.linalg.lstsq(torch.stack(columns, 1).double(), images.flatten().double()).solution
    assert torch.allclose(_fitted(maps, images, 0.0).flatten().double(), expected, atol=1e-4)


def test_a_ridge_makes_them_smaller() -> None:
    maps, images = _random(3, 2, *SIZE, seed=0), _random(3, *SIZE, seed=2)
    assert _fitted(maps, images, 100.0).norm() < 0.9 * _fitted(maps, images, 0.0).norm()


def test_filters_of_several_supports_are_the_least_squares_solution() -> None:
    maps, images, supports = _random(2, 2, *SIZE, seed=0), _random(2, *SIZE, seed=2), [(3, 3, 3), (5, 3, 1)]
    columns = []
    for k, support in enumerate(supports):
        shifts = torch.cartesian_prod(*(torch.arange(s) - s // 2 for s in support)).tolist()
        columns += [maps[:, k].roll(shift, dims=(1, 2, 3)).flatten() for shift in shifts]
    expected = torch.linalg.lstsq(torch.stack(columns, 1).double(), images.flatten().double()).solution
    normals = Normals(supports, SIZE)
    normals.add(maps, images)
    found = normals.filters(0.0)
    assert [tuple(one.shape) for one in found] == supports
    assert torch.allclose(torch.cat([one.flatten() for one in found]).double(), expected, atol=1e-4)
