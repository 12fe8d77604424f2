"""CSC-SR's module: phases, filters as long as their bound, the mapping's simplex, tiles."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch.nn import functional

from MedSRLib.errors import ModelError
from MedSRLib.networks import catalogue
from MedSRLib.sparse import coding, fine_filters, smooth
from MedSRLib.sparse.atoms import atoms_of
from MedSRLib.sparse.csc_sr import CSCSR, CSCSRConfig, effective, interleaved, phases_of
from MedSRLib.sparse.filters import Evidence
from MedSRLib.sparse.patch_network import enlarged


def tiny(dimensions: int = 2, factor: int = 2, **settings: float | str) -> CSCSR:
    config = CSCSRConfig.of(
        {"scale": (factor,) * dimensions, "dimensions": dimensions, "filters": 4, "fine_filters": 5, "support": 3}
        | settings
    )
    network = CSCSR(config)
    generator = torch.Generator().manual_seed(0)
    for buffer in network.buffers():
        buffer.copy_(torch.randn(buffer.shape, generator=generator))
    network.coarse /= network.coarse.flatten(1).norm(dim=1).view(-1, *[1] * dimensions)
    network.mapping.copy_(fine_filters.on_simplex(network.mapping))
    return network


@pytest.mark.parametrize("scale", [(2, 2), (3, 3), (2, 2, 2)])
def test_phases_come_apart_and_together(scale: tuple[int, ...]) -> None:
    size = [4, 5, 3][: len(scale)]
    image = torch.randn(2, *(n * s for n, s in zip(size, scale, strict=True)))
    phases = phases_of(image, scale)
    assert torch.equal(
        phases[:, 1], image[(slice(None), *[slice(0, None, s) for s in scale[:-1]], slice(1, None, scale[-1]))]
    )
    assert torch.equal(interleaved(phases, scale), image)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_result_is_the_papers_sum_of_upsampled_maps(dimensions: int) -> None:
    """Maps mixed by W, set on the fine grid with zeros between, and convolved with the fine filters."""
    network = tiny(dimensions)
    image = torch.rand(1, *[9, 8, 10][:dimensions], generator=torch.Generator().manual_seed(1))
    low, high = smooth.split(image, network.config.smoothness)
    mixed = torch.einsum("jk,nk...->nj...", network.mapping, network.maps(high))
    transposed = functional.conv_transpose2d if dimensions == 2 else functional.conv_transpose3d
    shown = transposed(mixed, interleaved(network.fine, network.scale)[:, None], stride=2)[:, 0]
    for axis, n in enumerate(image.shape[1:], start=1):
        shown = shown.narrow(axis, 2, 2 * n)  # a filter begins one coarse voxel before its coefficient
    expected = enlarged(low, 2) + shown
    assert (network(image[None])[0] - expected).abs().max() < 1e-4


def test_linear_filters_act_beside_the_codes() -> None:
    with_filters, without = tiny(direct=5), tiny()
    without.load_state_dict({n: t for n, t in with_filters.state_dict().items() if n != "direct"})
    image = torch.rand(1, 9, 8, generator=torch.Generator().manual_seed(1))
    high = coding.padded(smooth.split(image, without.config.smoothness)[1], (2, 2))
    phases = functional.conv2d(high[:, None], with_filters.direct.flip(1, 2)[:, None])
    expected = without(image[None]) + interleaved(phases, (2, 2))[None]
    assert (with_filters(image[None]) - expected).abs().max() < 1e-4


def test_what_the_maps_do_not_explain_is_dropped() -> None:
    """Nothing is explained at a large penalty, and the enlarged smooth part is left."""
    image = torch.rand(1, 1, 9, 8, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(tiny(penalty=100.0)(image)[0], enlarged(smooth.split(image[0], 5.0)[0], 2), atol=1e-5)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_tile_with_its_halo_is_as_the_whole(dimensions: int) -> None:
    network = tiny(dimensions, penalty=0.05)
    size = [50, 8, 8] if dimensions == 3 else [50, 12]
    noise = torch.rand(1, *size, generator=torch.Generator().manual_seed(2))
    image = smooth.split(noise, 0.5)[0][None]
    whole = network(image)
    part = network(image[:, :, : 30 + network.halo])
    middle = slice(30, 60)  # far from the border that the part does not have, and from the one both have
    assert (whole[:, :, middle] - part[:, :, middle]).abs().max() < 1e-2 * float(whole.abs().max())


def test_what_is_learned_fits_the_phases() -> None:
    """Fine filters and mapping from maps: the data term falls at every turn, within the bounds."""
    network = tiny()
    generator = torch.Generator().manual_seed(5)
    maps = torch.randn(6, 4, 10, 10, generator=generator) * (torch.rand(6, 4, 10, 10, generator=generator) < 0.1)
    evidence = Evidence(4, (10, 10), 4)
    target = torch.randn(6, 4, 10, 10, generator=generator) * 0.1
    target += functional.conv2d(
        functional.pad(maps, (1, 1, 1, 1), mode="circular"),
        effective(network.mapping, network.fine).transpose(0, 1).flip((2, 3)),
    )
    evidence.add(maps, target)
    fine, mapping = fine_filters.started(evidence, 5, (3, 3), 2.0)
    terms = [evidence.data_term(effective(mapping, fine))]
    for _ in range(4):
        fine, mapping = fine_filters.improved(fine, mapping, evidence, 2.0)
        terms.append(evidence.data_term(effective(mapping, fine)))
    assert all(after <= before + 1e-4 for before, after in itertools.pairwise(terms)), terms
    assert terms[-1] < 0.9 * terms[0] < evidence.energy / 2
    assert fine.flatten(1).norm(dim=1).max() < 2 + 1e-5
    assert mapping.min() >= 0 and torch.allclose(mapping.sum(1), torch.ones(5), atol=1e-5)


def test_the_nearest_point_of_the_simplex() -> None:
    rows = torch.tensor([[0.5, 0.5, 0.0], [2.0, 0.0, 0.0], [0.6, 0.6, -1.0], [-1.0, -1.0, -1.0]])
    expected = torch.tensor([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [1 / 3, 1 / 3, 1 / 3]])
    assert torch.allclose(fine_filters.on_simplex(rows), expected)


def test_unequal_factors_are_refused() -> None:
    with pytest.raises(ModelError, match="all their axes alike"):
        CSCSRConfig(scale=(2, 1, 2))


@pytest.mark.parametrize(
    ("method", "settings", "kinds"),
    [
        (
            "csc-sr",
            {"filters": 4, "fine_filters": 5, "support": 3},
            {"coarse filters": (4, 3, 3, 3), "fine filters": (5, 6, 6, 6)},
        ),
        ("zeyde", {"scale": (2, 2), "atoms": 7}, {"fine atoms": (7, 6, 6)}),
        ("a-plus", {"scale": (2, 2), "atoms": 7}, {"regressors of their own atoms": (7, 6, 6)}),
        ("rescnn", {"features": 2, "blocks": 1, "layers": 2}, {}),
    ],
)
def test_atoms_are_shown_in_space_the_strongest_first(method: str, settings: dict, kinds: dict) -> None:
    network = catalogue.build(method, settings)
    for buffer in network.buffers():
        buffer.normal_(generator=torch.Generator().manual_seed(0))
    found = atoms_of(network.body)
    assert {title: tuple(atoms.shape) for title, atoms in found.items()} == kinds
    for atoms in found.values():
        norms = atoms.flatten(1).norm(dim=1)
        assert torch.equal(norms, norms.sort(descending=True).values)
