"""The six patch networks: tiles, scales, invariances, and what they do with what they cannot know."""

from __future__ import annotations

import pytest
import torch

from MedSRLib.errors import ModelError
from MedSRLib.networks import catalogue
from MedSRLib.sparse.a_plus import APlus, APlusConfig
from MedSRLib.sparse.dictionary import ANR, GR, ANRConfig, GRConfig
from MedSRLib.sparse.features import feature_matrix
from MedSRLib.sparse.patch_network import PatchNetwork, enlarged
from MedSRLib.sparse.patches import cut
from MedSRLib.sparse.regression import anchored_regressors

METHODS = ["scsr", "zeyde", "ne-lle", "gr", "anr", "a-plus"]


def body(method: str, scale: int, dimensions: int) -> PatchNetwork:
    """With random atoms, and random features of the gradients."""
    settings = {"scale": (scale,) * dimensions, "dimensions": dimensions, "atoms": 12}
    more = {"iterations": 15, "step": scale} if method == "scsr" else {"components": 5}
    network = catalogue.build(method, {**settings, **more}).body
    generator = torch.Generator().manual_seed(0)
    for buffer in network.buffers():
        buffer.normal_(generator=generator).mul_(0.1)
    network.low /= network.low.norm(dim=0)
    if method != "scsr":
        c = network.config
        gradients = feature_matrix(c.window, c.spacing, dimensions)
        network.projection.copy_(gradients @ torch.randn(gradients.shape[1], 5, generator=generator) * 0.1)
    return network


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("scale", "dimensions"), [(2, 2), (3, 2), (4, 2), (2, 3)])
def test_a_part_with_its_halo_is_the_same_as_in_the_whole(method: str, scale: int, dimensions: int) -> None:
    network = body(method, scale, dimensions)
    size = [2 * network.halo + 4] * dimensions
    image = torch.rand(1, 1, *size, generator=torch.Generator().manual_seed(1))
    whole = network(image)
    assert whole.shape[2:] == torch.Size(n * scale for n in size)
    start = 3
    part = network(cut(image, [slice(start, None)] * dimensions, first=2))
    halo = network.halo
    inside = cut(part, [slice(halo * scale, None)] * dimensions, first=2)
    same = cut(whole, [slice((start + halo) * scale, None)] * dimensions, first=2)
    torch.testing.assert_close(inside, same, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_a_constant_stays_and_an_offset_passes_through(method: str) -> None:
    """Every method works on differences: grey levels are added, not learned."""
    network = body(method, 2, 2)
    flat = torch.full((2, 1, 9, 7), 0.7)
    torch.testing.assert_close(network(flat), torch.full((2, 1, 18, 14), 0.7))
    image = torch.rand(1, 1, 9, 7, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(network(image + 0.5), network(image) + 0.5, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("method", ["zeyde", "ne-lle", "gr", "anr", "a-plus"])
def test_contrast_passes_through_where_atoms_are_compared_in_angle(method: str) -> None:
    network = body(method, 2, 2)
    image = torch.rand(1, 1, 9, 7, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(network(image * 30) / 30, network(image), atol=1e-3, rtol=1e-3)


def test_images_of_a_batch_do_not_see_one_another() -> None:
    network = body("anr", 2, 2)
    images = torch.rand(3, 1, 8, 9, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(network(images)[1:2], network(images[1:2]))


def test_anr_with_every_atom_a_neighbour_is_gr() -> None:
    """Up to 1 + λ, which both have here: GR's λ for few atoms is ANR's."""
    settings = {"scale": (2, 2), "atoms": 12, "components": 5}
    anr, gr = ANR(ANRConfig(**settings, neighbours=12)), GR(GRConfig(**settings))
    anr.load_state_dict(body("anr", 2, 2).state_dict())
    gr.load_state_dict(anr.state_dict())
    image = torch.rand(1, 1, 8, 9, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(anr(image), gr(image), atol=1e-5, rtol=1e-4)


def test_a_plus_with_the_regressors_of_anr_is_anr() -> None:
    anr = body("anr", 2, 2)
    a_plus = APlus(APlusConfig(scale=(2, 2), atoms=12, components=5))
    regressors = anchored_regressors(anr.low, anr.high, 40, 0.01)
    a_plus.load_state_dict({"projection": anr.projection, "low": anr.low, "regressors": regressors})
    image = torch.rand(1, 1, 8, 9, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(a_plus(image), anr(image))


def test_enlarging_keeps_a_ramp_where_voxels_are_cells() -> None:
    """(m + ½)/s - ½ is the place of fine voxel m among the coarse ones."""
    ramp = torch.arange(9.0)[None, :, None].expand(1, 9, 6)
    found = enlarged(ramp, 3, margin=2)[0, 12:-12, 9]
    torch.testing.assert_close(found, (torch.arange(6, 21) + 0.5) / 3 - 0.5)


@pytest.mark.parametrize("wrong", [{"scale": (2, 3)}, {"scale": (1, 1)}, {"scale": (2, 2, 2)}, {"dimensions": 4}])
def test_a_scale_that_cannot_be_is_refused(wrong: dict) -> None:
    with pytest.raises(ModelError):
        catalogue.build("anr", {"scale": (2, 2), **wrong})


def test_steps_of_scsr_begin_where_coarse_voxels_do() -> None:
    with pytest.raises(ModelError, match="step = 2"):
        catalogue.build("scsr", {"scale": (3, 3), "step": 2})
