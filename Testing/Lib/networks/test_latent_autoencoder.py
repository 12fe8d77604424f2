"""The autoencoder of slices: its layers, its sizes, and what lies between two slices."""

from __future__ import annotations

import pytest
import torch

from MedSRLib.errors import ModelError
from MedSRLib.networks import catalogue
from MedSRLib.networks.latent_autoencoder import Code, LatentAutoencoder, LatentAutoencoderConfig

# arXiv 2010.13172 §4: (channels in, out) of the 3×3 convolutions
ENCODER = [(1, 32), (32, 32), (32, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 256), (256, 16)]
# "the reverse of the encoder", halved after each upsampling
DECODER = [(16, 256), (256, 256), (256, 128), (128, 128), (128, 64), (64, 64), (64, 32), (32, 32), (32, 32), (32, 1)]
LAYERS = ENCODER + DECODER
NORMALISED = [32, 64, 128, 256] * 2


def test_it_has_the_papers_layers() -> None:
    with torch.device("meta"):
        network = LatentAutoencoder(LatentAutoencoderConfig())
    convolutions = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    assert [(m.in_channels, m.out_channels) for m in convolutions] == LAYERS
    by_hand = sum(9 * a * b + b for a, b in LAYERS) + sum(2 * n for n in NORMALISED)
    assert sum(p.numel() for p in network.parameters()) == by_hand == 3_018_353


@pytest.mark.parametrize("size", [(16, 16), (17, 31), (1, 9), (33, 48)])
@pytest.mark.parametrize("residual", ["none", "linear"])
def test_any_size_comes_back(size: tuple[int, int], residual: str) -> None:
    network = _tiny(blocks=4, residual=residual)
    slices = torch.rand(2, 1, *size)
    code = network.code(slices)
    assert code.latent.shape == (2, 3, -(-size[0] // 16), -(-size[1] // 16))
    assert network(slices).shape == network.decode(code).shape == slices.shape


def test_padding_ends_where_the_slice_does() -> None:
    """A slice that was continued by its border's values is the same slice."""
    network, slices = _tiny(), torch.rand(1, 1, 13, 10)
    continued = torch.nn.functional.pad(slices, (0, 2, 0, 3), mode="replicate")
    assert torch.allclose(network(continued)[..., :13, :10], network(slices), atol=1e-6)


def test_a_fraction_mixes_codes_not_pictures() -> None:
    network, slices = _tiny(), 100 * torch.randn(2, 1, 16, 16)
    zero, one = torch.tensor([0]), torch.tensor([1])
    code = network.code(slices)
    between = network.decode(code.mixed(zero, one, torch.tensor([0.25])))
    by_hand = Code(0.75 * code.latent[:1] + 0.25 * code.latent[1:], None, (16, 16))
    assert torch.allclose(between, network.decode(by_hand), atol=1e-6)
    mixed_pictures = 0.75 * network(slices[:1]) + 0.25 * network(slices[1:])
    assert float((between - mixed_pictures).detach().abs().max()) > 5e-5
    for fraction, index in ((0.0, 0), (1.0, 1)):
        end = network.decode(code.mixed(zero, one, torch.tensor([fraction])))
        assert torch.allclose(end[0], network(slices)[index], atol=1e-6)


def test_with_the_residual_the_slices_come_back_as_they_were() -> None:
    network, slices = _tiny(residual="linear"), torch.rand(3, 1, 11, 14)
    assert torch.allclose(network.decode(network.code(slices)), slices, atol=1e-6)
    assert not torch.allclose(network(slices), slices, atol=1e-2)


def test_nothing_beyond_the_halo_matters() -> None:
    network = _tiny(blocks=2)
    slices = torch.rand(1, 1, 160, 8)
    changed = slices.clone()
    changed[..., 80, 4] += 1e6
    rows = (network(slices) - network(changed)).abs().amax(dim=(0, 1, 3)).nonzero().flatten()
    assert int(rows.max()) - 80 <= network.halo
    assert 80 - int(rows.min()) <= network.halo
    assert int(rows.max() - rows.min()) > network.halo, "and the halo is no wider than it must be by far"


def test_settings_are_checked_and_come_back() -> None:
    settings = {"features": 8, "blocks": 2, "latent": 5, "slope": 0.1, "residual": "linear"}
    assert catalogue.build("sander", settings).architecture() == settings  # type: ignore[operator]
    assert catalogue.kind("sander") == "slices"
    for wrong in ({"blocks": 0}, {"residual": "cubic"}, {"depth": 3}):
        with pytest.raises(ModelError):
            catalogue.build("sander", wrong)


def _tiny(**settings) -> LatentAutoencoder:
    torch.manual_seed(0)
    return LatentAutoencoder(LatentAutoencoderConfig(**{"features": 4, "blocks": 2, "latent": 3, **settings})).eval()
