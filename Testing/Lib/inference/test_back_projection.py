"""The iteration of back-projection: it stops where it should and takes back what made things worse."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from MedSRLib.acquisition import acquired_grid, build
from MedSRLib.grids import Grid
from MedSRLib.inference.back_projection import correct
from MedSRLib.progress import Progress

WANTED = Grid((12, 10, 14), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), tuple(np.eye(3).ravel()))
FORWARD = build("physical", WANTED, acquired_grid("physical", WANTED, 2))


def _measured() -> torch.Tensor:
    return torch.rand(FORWARD.acquired.shape, generator=torch.Generator().manual_seed(0)) * 100


def _residual(x: torch.Tensor, y: torch.Tensor) -> float:
    return float((y - FORWARD.A(x)).square().mean().sqrt())


@pytest.mark.parametrize("iterations", [0, 1, 4])
def test_the_last_residual_is_that_of_the_image_left_behind(iterations):
    x, y = torch.zeros(WANTED.shape), _measured()
    done = correct(x, y, FORWARD, sigma=0, iterations=iterations, progress=Progress())
    assert done.corrections == iterations == len(done.residuals) - 1
    assert done.residuals[0] == pytest.approx(float(y.square().mean().sqrt()), rel=1e-5)
    assert done.residuals[-1] == pytest.approx(_residual(x, y), rel=1e-5)
    assert list(done.residuals) == sorted(done.residuals, reverse=True)


def test_a_correction_that_makes_it_worse_is_taken_back():
    """An acquisition three times as bright: each correction overshoots, and the residual would grow for ever."""
    louder = dataclasses.replace(FORWARD, matrices=(3 * FORWARD.matrices[0], *FORWARD.matrices[1:]))
    x, y = torch.zeros(WANTED.shape), _measured()
    done = correct(x, y, louder, sigma=0, iterations=9, progress=Progress())
    assert done.corrections == 0
    assert float(x.abs().max()) < 1e-3
