"""Networks with a grid of their own as methods: how they are laid over an image, and where the result lies."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from MedSRLib import images
from MedSRLib.errors import ModelError
from MedSRLib.grids import Grid
from MedSRLib.inference.runtime import Runtime
from MedSRLib.methods import registry
from MedSRLib.methods.gridded import orientations
from MedSRLib.models.card import ModelCard
from MedSRLib.models.library import Model
from MedSRLib.networks import catalogue
from MedSRLib.upscaling import upscale

OBLIQUE = (0.8, 0.6, 0.0, -0.6, 0.8, 0.0, 0.0, 0.0, 1.0)
LEFT_HANDED = (0.8, 0.6, 0.0, -0.6, 0.8, 0.0, 0.0, 0.0, -1.0)


def model(seed: int = 0, silent: bool = False, **architecture) -> Model:
    """A small WDSR; a silent one adds nothing to the cubic interpolation."""
    torch.manual_seed(seed)
    settings = {"blocks": 1, "features": 4, "expansion": 8, "residual": "cubic", "skip": 0, **architecture}
    network = catalogue.build("wdsr", {**settings, "last_zero": silent})
    card = ModelCard(name="small", method="wdsr", architecture=network.architecture(), scale_max=4)
    return Model(card, dict(network.state_dict()))


def network(scale, dimensions: int):
    return catalogue.build("wdsr", {"scale": scale, "dimensions": dimensions, "blocks": 1, "features": 4})


def test_the_refined_axis_is_laid_along_the_axis_that_is_enlarged_most() -> None:
    through = network((4, 1, 1), 3)
    for axis in range(3):
        factors = [1.0, 1.0, 1.0]
        factors[axis] = 3.0
        (way,) = orientations(through, factors)
        assert way[0] == axis


def test_slices_that_refine_one_axis_are_taken_both_ways() -> None:
    ways = orientations(network((4, 1), 2), [4.0, 1.0, 1.0])
    assert ways == [(1, 0, 2), (2, 0, 1)]  # slices across j and across i; k is their first axis in both


def test_slices_that_refine_a_plane_lie_in_it() -> None:
    assert orientations(network((2, 2), 2), [1.0, 2.0, 2.0]) == [(0, 1, 2)]
    assert {way[0] for way in orientations(network((2, 2), 2), [2.0, 2.0, 2.0])} == {0, 1, 2}
    assert [w[0] for w in orientations(network((2, 2), 2), [2.0, 2.0, 2.0], "three")] == [0, 1, 2]
    assert [w[0] for w in orientations(network((2, 2), 2), [2.0, 2.0, 2.0], "coronal")] == [1]


@pytest.mark.parametrize("direction", [OBLIQUE, LEFT_HANDED], ids=["oblique", "left-handed"])
@pytest.mark.parametrize(("scale", "dimensions"), [((2, 2, 2), 3), ((4, 1, 1), 3), ((3, 3), 2), ((4, 1), 2)])
def test_a_ramp_in_space_stays_the_ramp(direction, scale, dimensions) -> None:
    """Intensity = position in mm: any shift, flip or exchange of axes would show."""
    grid = Grid((15, 12, 11), (1.0, 1.2, 3.0), (5.0, -7.0, 3.0), direction)
    slope = np.array([0.3, -0.5, 0.7])
    at = np.stack(np.meshgrid(*(np.arange(n) for n in grid.size), indexing="ij"), axis=-1)
    values = (grid.physical(at.reshape(-1, 3)) @ slope).reshape(grid.size).T
    image = images.from_array(values.astype(np.float32), grid)
    silent = model(silent=True, scale=scale, dimensions=dimensions)
    result = upscale(image, "wdsr", scale=(1.0, 1.3, 2.6), model=silent, runtime=Runtime())
    fine = Grid.of(result)
    at = np.stack(np.meshgrid(*(np.arange(n) for n in fine.size), indexing="ij"), axis=-1)
    wanted = (fine.physical(at.reshape(-1, 3)) @ slope).reshape(fine.size).T
    inside = (slice(4, -4),) * 3
    assert np.abs(images.to_array(result) - wanted)[inside].max() < 1e-4


def test_a_point_off_the_centre_stays_where_it_is() -> None:
    """A network that does something, on an impulse: the brightest voxel holds the impulse's place."""
    grid = Grid((16, 14, 12), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), LEFT_HANDED)
    values = np.zeros(grid.shape, np.float32)
    values[3, 9, 5] = 100.0
    result = upscale(
        images.from_array(values, grid), "wdsr", scale=2, model=model(scale=(2, 2, 2), dimensions=3), runtime=Runtime()
    )
    found = np.unravel_index(int(images.to_array(result).argmax()), images.to_array(result).shape)
    place = Grid.of(result).physical(np.array(found[::-1], dtype=float))
    assert np.linalg.norm(place - grid.physical((5.0, 9.0, 3.0))) < 1.0


def test_models_of_others_and_missing_ones_are_refused() -> None:
    image = images.from_array(np.zeros((8, 8, 8), np.float32), Grid((8, 8, 8), (1, 1, 1), (0, 0, 0), OBLIQUE))
    stranger = model(scale=(2, 2, 2), dimensions=3)
    stranger = Model(stranger.card.model_copy(update={"method": "edsr"}), stranger.tensors)
    with pytest.raises(ModelError, match="is for the method 'edsr'"):
        upscale(image, "wdsr", scale=2, model=stranger, runtime=Runtime())
    broken = model(scale=(2, 2, 2), dimensions=3)
    broken = Model(broken.card, {name: tensor[:1] for name, tensor in broken.tensors.items()})
    with pytest.raises(ModelError, match="do not fit"):
        upscale(image, "wdsr", scale=2, model=broken, runtime=Runtime())


@pytest.mark.parametrize("name", ["wdsr", "srfbn", "dsrn", "rescnn"])
def test_the_work_is_near_the_operations_that_torch_counts(name: str) -> None:
    """Within a third, on a plain square or cube."""
    small = {"rescnn": {"features": 8}, "wdsr": {"features": 8, "expansion": 32}}.get(name, {"features": 8})
    network = catalogue.build(name, small)
    card = ModelCard(
        name="x",
        method=name,
        architecture=network.architecture(),
        scale_max=2,
        parameters=sum(p.numel() for p in network.parameters()),
    )
    flat = network.dimensions == 2
    factors = [network.scale[1] if network.scale else 1] * 2 + [1] if flat else [1, 1, 1]
    source = Grid((12, 12, 1 if flat else 12), (1.0,) * 3, (0.0,) * 3, LEFT_HANDED)
    target = Grid(tuple(n * f for n, f in zip(source.size, factors, strict=True)), (0.5,) * 3, (0.0,) * 3, LEFT_HANDED)
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        network.body(torch.zeros(1, 1, *(12,) * network.dimensions))
    ways = 2 if flat else 1
    found = registry.create(name).work(source, target, card).flops / ways
    assert found == pytest.approx(counter.get_total_flops(), rel=0.34)
