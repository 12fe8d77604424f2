"""Latent interpolation on images: the axis across the slices, geometry, refusals."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from MedSRLib import images
from MedSRLib.errors import GridError, ModelError
from MedSRLib.grids import Grid, isotropic, scaled
from MedSRLib.inference.runtime import Runtime
from MedSRLib.methods.registry import create
from MedSRLib.methods.sander import across
from MedSRLib.models import building
from MedSRLib.models.card import ModelCard
from MedSRLib.models.library import Model
from MedSRLib.networks.latent_autoencoder import Code, LatentAutoencoder
from MedSRLib.progress import Progress
from MedSRLib.upscaling import upscale

OBLIQUE = (0.8, 0.6, 0.0, -0.6, 0.8, 0.0, 0.0, 0.0, 1.0)
LEFT_HANDED = (0.8, 0.6, 0.0, -0.6, 0.8, 0.0, 0.0, 0.0, -1.0)
SIZE, FINE, THICK = (11, 9, 7), 1.3, 8.0


class Identity(LatentAutoencoder):
    """Codes that are the slices themselves, so that mixing them is linear interpolation."""

    def __init__(self) -> None:
        torch.nn.Module.__init__(self)
        self.live_channels, self.halo, self.stride = 4, 0, 1

    def code(self, slices: torch.Tensor) -> Code:
        return Code(slices, None, (slices.shape[2], slices.shape[3]))

    def decode(self, code: Code) -> torch.Tensor:
        return code.latent


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Model:
    monkeypatch.setattr(building, "network_of", lambda model, method: Identity())
    return Model(ModelCard(name="identity", method="sander", architecture={}, scale_max=8), {})


@pytest.mark.parametrize("direction", [OBLIQUE, LEFT_HANDED], ids=["oblique", "left-handed"])
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("keep", [True, False])
def test_a_ramp_in_space_stays_a_ramp(model: Model, direction: tuple[float, ...], axis: int, keep: bool) -> None:
    """Along any axis, at positions in mm: half a slice beyond the end slices' centres, their values."""
    spacing = [FINE] * 3
    spacing[axis] = THICK
    grid = Grid(SIZE, tuple(spacing), (-3.0, 5.0, 9.0), direction)
    image = images.from_array(_ramp(grid, grid), grid)
    result = upscale(image, "sander", isotropic=True, model=model, options={"keep_slices": keep}, runtime=Runtime())
    wanted = isotropic(grid)
    assert Grid.of(result).equals(wanted, 1e-9)
    assert np.abs(images.to_array(result) - _ramp(wanted, grid)).max() < 1e-3


def test_the_axis_is_the_one_refined_most_or_else_the_coarsest() -> None:
    grid = Grid(SIZE, (1.0, 1.0, 8.0), (0.0, 0.0, 0.0), OBLIQUE)
    assert across(grid, isotropic(grid)) == 0
    assert across(grid, scaled(grid, 2)) == 0
    assert across(grid, scaled(grid, (3, 1, 1))) == 2
    even = Grid(SIZE, (1.0, 1.1, 1.0), (0.0, 0.0, 0.0), OBLIQUE)
    assert across(even, scaled(even, (1, 4, 1))) == 1
    with pytest.raises(GridError, match="No axis"):
        across(even, scaled(even, 2))


def test_it_wants_a_model_of_its_own() -> None:
    grid = Grid(SIZE, (1.0, 1.0, 8.0), (0.0, 0.0, 0.0), OBLIQUE)
    image, wanted = images.from_array(np.zeros(grid.shape, np.float32), grid), isotropic(grid)
    other = Model(ModelCard(name="other", method="edsr", architecture={}, scale_max=4), {})
    for model, said in ((None, "needs a trained model"), (other, "made for the method 'edsr'")):
        with pytest.raises(ModelError, match=said):
            create("sander").upscale(image, wanted, model=model, runtime=Runtime(), progress=Progress())


def test_its_work_grows_with_the_planes() -> None:
    card = ModelCard(name="a", method="sander", architecture={}, scale_max=8)
    grid = Grid((128, 128, 10), (1.4, 1.4, 10.0), (0.0, 0.0, 0.0), OBLIQUE)
    once, twice = (create("sander").work(grid, scaled(grid, (1, 1, f)), card).flops for f in (1, 3))
    assert twice == pytest.approx(2 * once)


def _ramp(grid: Grid, bounds: Grid) -> np.ndarray:
    """3 x - 2 y + z of the voxels' indices in ``bounds``, not beyond its centres, (k, j, i)."""
    k, j, i = np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij")
    inside = np.clip(bounds.index(grid.physical(np.stack([i, j, k], axis=-1))), 0, np.array(bounds.size) - 1)
    return (inside @ np.array([3.0, -2.0, 1.0]) + 10).astype(np.float32)
