"""ArSSR as a method: geometry, models that do not fit, intensities."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from MedSRLib import grids, images
from MedSRLib.errors import ModelError
from MedSRLib.grids import Grid
from MedSRLib.inference import implicit
from MedSRLib.inference.runtime import Runtime
from MedSRLib.models.building import network_of
from MedSRLib.models.card import ModelCard
from MedSRLib.models.library import Model
from MedSRLib.networks.arssr import ArSSR, ArSSRConfig
from MedSRLib.upscaling import upscale

CONFIG = ArSSRConfig(
    encoder="srresnet",
    feature_dim=8,
    channels=8,
    blocks=2,
    width=16,
    coordinates="local",
    cell=True,
    padding="border",
    residual="cubic",
    final="linear",
)
OBLIQUE = (0.9397, -0.3214, 0.1170, 0.3420, 0.8830, -0.3214, 0.0, 0.3420, 0.9397)
LEFT_HANDED = (-1.0, 0, 0, 0, 1, 0, 0, 0, 1)


def orthonormal(direction: tuple[float, ...]) -> tuple[float, ...]:
    u, _, v = np.linalg.svd(np.array(direction).reshape(3, 3))
    return tuple((u @ v).ravel())


def model(config: ArSSRConfig = CONFIG, spoilt: bool = False, method: str = "arssr") -> Model:
    """A model that starts as cubic interpolation; spoilt, its last layer is random."""
    torch.manual_seed(0)
    network = ArSSR(config)
    if spoilt:
        torch.nn.init.normal_(network.decoder.stage2[-1].weight, std=0.2)
    card = ModelCard(name="tiny", method=method, architecture=config.asdict(), scale_max=4, normalisation="percentile")
    return Model(card, dict(network.state_dict()))


def ramp(direction: tuple[float, ...], size=(23, 19, 21), spacing=(0.9, 1.2, 2.5)):
    grid = Grid(size, spacing, (10.0, -20.0, 30.0), orthonormal(direction))
    return images.from_array(values_of(grid), grid)


def values_of(grid: Grid) -> np.ndarray:
    """A linear ramp in physical space, (k, j, i)."""
    k, j, i = np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij")
    points = grid.physical(np.stack([i, j, k], axis=-1))
    return (points @ np.array([0.02, 0.03, -0.01]) + 5).astype(np.float32)


@pytest.fixture
def tile_counts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Into how many tiles each volume was cut, in order."""
    counts: list[int] = []
    cut = implicit.tiles

    def counting(*values):
        found = cut(*values)
        counts.append(len(found))
        return found

    monkeypatch.setattr(implicit, "tiles", counting)
    return counts


@pytest.mark.parametrize("direction", [OBLIQUE, LEFT_HANDED], ids=["oblique", "left-handed"])
@pytest.mark.parametrize("wanted", [{"scale": 1.7}, {"scale": (1, 1, 4)}, {"spacing": 0.8}], ids=str)
def test_a_ramp_stays_that_ramp_whole_and_in_tiles(direction, wanted, tile_counts) -> None:
    image = ramp(direction)
    whole = upscale(image, "arssr", model=model(), runtime=Runtime(), **wanted)
    tiled = upscale(image, "arssr", model=model(), runtime=Runtime(memory_bytes=1_000_000), **wanted)
    assert tile_counts[0] == 1 < tile_counts[1]
    before, after = Grid.of(image).corners(), Grid.of(whole).corners()
    assert np.abs(np.sort(before, axis=0) - np.sort(after, axis=0)).max() < 1e-6
    interior = (slice(8, -8),) * 3
    expected = values_of(Grid.of(whole))
    for result in (whole, tiled):
        assert np.abs(images.to_array(result) - expected)[interior].max() < 1e-4


@pytest.mark.parametrize("direction", [OBLIQUE, LEFT_HANDED], ids=["oblique", "left-handed"])
def test_tiles_equal_the_whole_for_a_network_that_does_something(direction, tile_counts) -> None:
    generator = np.random.default_rng(0)
    image = ramp(direction, size=(40, 33, 37))
    noisy = images.from_array(images.to_array(image) + generator.normal(0, 0.1, (37, 33, 40)), Grid.of(image))
    network = model(spoilt=True)
    whole = upscale(noisy, "arssr", scale=1.7, model=network, runtime=Runtime())
    tiled = upscale(noisy, "arssr", scale=1.7, model=network, runtime=Runtime(memory_bytes=8_000_000))
    assert tile_counts[0] == 1 < tile_counts[1]
    cubic = upscale(noisy, "cubic", scale=1.7, runtime=Runtime())
    assert np.abs(images.to_array(whole) - images.to_array(cubic)).max() > 0.01
    assert np.abs(images.to_array(whole) - images.to_array(tiled)).max() < 1e-3


def test_a_larger_intensity_unit_changes_nothing_else() -> None:
    image = ramp(OBLIQUE)
    grid = Grid.of(image)
    scaled = images.from_array(images.to_array(image) * 1000 - 300, grid)
    network = model(spoilt=True)
    plain = images.to_array(upscale(image, "arssr", scale=1.5, model=network, runtime=Runtime()))
    large = images.to_array(upscale(scaled, "arssr", scale=1.5, model=network, runtime=Runtime()))
    np.testing.assert_allclose(plain * 1000 - 300, large, rtol=0, atol=0.5)


def test_models_of_others_are_refused() -> None:
    with pytest.raises(ModelError, match="made for the method 'edsr'"):
        network_of(model(method="edsr"), "arssr")
    other = model()
    wrong = Model(other.card, {name: tensor[:1] for name, tensor in other.tensors.items()})
    with pytest.raises(ModelError, match="do not fit"):
        network_of(wrong, "arssr")
    unknown = other.card.model_copy(update={"architecture": {"encoder": "rdn", "attention": True}})
    with pytest.raises(ModelError, match="attention"):
        network_of(Model(unknown, other.tensors), "arssr")


def test_the_target_grid_is_met_exactly() -> None:
    image = ramp(OBLIQUE)
    wanted = grids.scaled(Grid.of(image), (1.3, 1, 2.2))
    assert Grid.of(upscale(image, "arssr", like=wanted, model=model(), runtime=Runtime())).equals(wanted, 1e-9)
