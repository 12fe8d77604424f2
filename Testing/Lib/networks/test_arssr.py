"""ArSSR's parts: parameter counts of the paper, coordinates, and the two ways of asking the network."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from MedSRLib.errors import ModelError
from MedSRLib.networks.arssr import ArSSR, ArSSRConfig, axis_coordinate
from MedSRLib.networks.implicit_decoder import ImplicitDecoder
from MedSRLib.networks.queries import Queries
from MedSRLib.networks.rdn import RDN
from MedSRLib.networks.rescnn import ResCNN
from MedSRLib.networks.srresnet import SRResNet

SMALL = {"feature_dim": 8, "channels": 8, "blocks": 2, "width": 16}


def count(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(
    ("module", "parameters"),
    [
        (RDN, 5_918_784),  # methods of the paper; the same totals in the released code
        (ResCNN, 2_214_912),
        (SRResNet, 4_317_376),
        (ImplicitDecoder, 364_676),
    ],
)
def test_parameter_counts_are_the_papers(module: type, parameters: int) -> None:
    with torch.device("meta"):
        assert count(module()) == parameters


@pytest.mark.parametrize("encoder", ["rdn", "rescnn", "srresnet"])
def test_encoders_keep_odd_sizes_and_stated_halo(encoder: str) -> None:
    network = ArSSR(ArSSRConfig(encoder=encoder, **SMALL)).encoder.double()
    assert network.halo > 0
    image = torch.rand(1, 1, 5, 7, 2 * network.halo + 3, dtype=torch.float64)
    touched = image.clone()
    touched[..., -1] += 1
    with torch.no_grad():
        changed = (network(image) - network(touched)).abs().amax(dim=(0, 1, 2, 3))
    assert network(image).shape == (1, 8, 5, 7, image.shape[-1])
    assert changed[-1 - network.halo :].max() > 0
    assert changed[: -1 - network.halo].max() == 0, "the halo is wider than stated"


def test_released_coordinates_are_cell_centres_in_minus_one_to_one() -> None:
    positions = (np.arange(8) + 0.5) / 2 - 0.5
    found = axis_coordinate(ArSSRConfig(), positions, 4)
    np.testing.assert_allclose(found, -1 + (2 * np.arange(8) + 1) / 8, atol=1e-6)


def test_local_coordinates_do_not_depend_on_the_images_size() -> None:
    config = ArSSRConfig(coordinates="local")
    positions = np.array([1.0, 1.25, 1.6, 2.4])
    np.testing.assert_allclose(axis_coordinate(config, positions, 9), [0, 0.25, -0.4, 0.4], atol=1e-6)
    np.testing.assert_array_equal(axis_coordinate(config, positions, 9), axis_coordinate(config, positions, 99))


@pytest.mark.parametrize("padding", ["zeros", "border"])
@pytest.mark.parametrize("coordinates", ["released", "local"])
def test_product_queries_and_scattered_points_agree(coordinates: str, padding: str) -> None:
    torch.manual_seed(0)
    network = ArSSR(ArSSRConfig(coordinates=coordinates, padding=padding, final="linear", **SMALL))
    image = torch.rand(2, 1, 5, 4, 6)
    positions = (np.linspace(-0.4, 4.4, 5), np.linspace(-0.4, 3.4, 7), np.linspace(-0.4, 5.4, 3))
    grid = np.stack(np.meshgrid(*positions, indexing="ij"), axis=-1).reshape(1, -1, 3)
    points = torch.from_numpy(grid).float().expand(2, -1, -1)
    with torch.no_grad():
        product = network(image, Queries(positions, (0.5, 0.5, 0.5)))
        scattered = network.at_points(image, points)
    torch.testing.assert_close(product.flatten(1), scattered.flatten(1), atol=1e-5, rtol=1e-4)


def test_a_residual_network_starts_as_cubic_interpolation_and_keeps_a_ramp() -> None:
    torch.manual_seed(0)
    network = ArSSR(ArSSRConfig(residual="cubic", final="linear", padding="border", **SMALL))
    ramp = torch.arange(9.0).expand(1, 1, 6, 7, 9)
    positions = (np.arange(6.0), np.arange(7.0), np.linspace(1, 7, 13))
    with torch.no_grad():
        found = network(ramp, Queries(positions, (1, 1, 0.5)))[0, 0]
    torch.testing.assert_close(found, torch.linspace(1, 7, 13).expand(6, 7, 13), atol=1e-5, rtol=0)


@pytest.mark.parametrize("settings", [{"encoder": "unet"}, {"cell": True}, {"coordinates": "polar"}, {"colour": 3}])
def test_impossible_architectures_are_refused(settings: dict) -> None:
    with pytest.raises(ModelError):
        ArSSRConfig.of(settings)
