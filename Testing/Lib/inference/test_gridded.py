"""The inference of networks with a grid of their own: tiles and 16 bits are the plain network."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from MedSRLib.errors import Cancelled
from MedSRLib.inference import gridded
from MedSRLib.inference.runtime import Runtime
from MedSRLib.inference.sampling import apply_separable
from MedSRLib.networks import catalogue
from MedSRLib.networks.guided import own_positions
from MedSRLib.networks.queries import Queries, axis_matrices
from MedSRLib.progress import Progress

NETWORKS = {
    "volumes": ("wdsr", {"scale": [2, 2, 2], "dimensions": 3, "blocks": 2, "features": 8, "expansion": 16}),
    "through-plane": ("edsr", {"scale": [4, 1, 1], "dimensions": 3, "blocks": 1, "features": 8}),
    "slices": ("wdsr", {"scale": [3, 2], "blocks": 2, "features": 8, "expansion": 16}),
    "feedback": ("srfbn", {"scale": [2, 2], "features": 4, "groups": 1, "steps": 2}),
    "two states": ("dsrn", {"scale": [4, 2], "features": 8, "steps": 3}),
    "interpolated": ("rescnn", {"features": 6, "blocks": 1, "layers": 2}),
    "continued": ("srcnn3d", {"features": [6, 4], "deviation": 0.05}),
}
SHAPE = (15, 19, 27)


def network(name: str, residual: str = "cubic"):
    torch.manual_seed(0)
    method, architecture = NETWORKS[name]
    return catalogue.build(method, {**architecture, "residual": residual}).eval()


def queries(scale: float = 1.7) -> Queries:
    positions = tuple((np.arange(round(n * scale)) + 0.5) / round(n * scale) * n - 0.5 for n in SHAPE)
    return Queries(positions, (1 / scale,) * 3)


def image() -> torch.Tensor:
    return torch.rand(SHAPE, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("residual", ["none", "cubic"])
@pytest.mark.parametrize("name", NETWORKS)
def test_equals_the_plain_network_whole_and_in_tiles(name: str, residual: str) -> None:
    plain = network(name, residual)
    with torch.no_grad():
        wanted = plain(image()[None, None], queries())[0, 0]
    for memory in (2**31, 1_500_000):
        found = gridded.evaluate(plain, image(), queries(), runtime=Runtime(memory_bytes=memory), progress=Progress())
        torch.testing.assert_close(found, wanted, atol=1e-5, rtol=0)


GUIDED = {
    "interpolated": ("lmcsc", {"features": 6, "kernel": 3, "steps": 2, "guide_steps": 2}),
    "strides": ("lmcsc", {"features": 6, "kernel": 3, "steps": 2, "guide_steps": 2, "scale": [3, 1], "form": "direct"}),
    "volumes": ("lmcsc", {"features": 5, "kernel": 3, "steps": 2, "dimensions": 3, "scale": [2, 1, 2], "guides": 2}),
    "two states": ("dual-state", {"features": 4, "kernel": 3, "steps": 2, "scale": [2, 2]}),
    "joint filter": ("djf", {"features": [4, 3], "fused": [4, 3]}),
    "patches": ("coista", {"patch": 4, "atoms": 6, "layers": 2}),
}


@pytest.mark.parametrize("name", GUIDED)
def test_a_guide_is_cut_with_its_tile(name: str) -> None:
    torch.manual_seed(0)
    method, architecture = GUIDED[name]
    plain = catalogue.build(method, {**architecture, "residual": "cubic"}).eval()
    with torch.no_grad():
        for p in plain.parameters():
            p += 0.1 * torch.randn(p.shape)
    own = [len(where) for where in own_positions(plain, SHAPE, queries())]
    guide = torch.rand(plain.guides, *own, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        wanted = plain(image()[None, None], queries(), guide[None])[0, 0]
        alone = plain(image()[None, None], queries())[0, 0]
    assert (wanted - alone).abs().max() > 1e-4
    for memory in (2**31, 1_500_000):
        runtime = Runtime(memory_bytes=memory)
        found = gridded.evaluate(plain, image(), queries(), runtime=runtime, progress=Progress(), guide=guide)
        torch.testing.assert_close(found, wanted, atol=1e-5, rtol=0)
        found = gridded.evaluate(plain, image(), queries(), runtime=runtime, progress=Progress())
        torch.testing.assert_close(found, alone, atol=1e-5, rtol=0)


def test_small_memory_means_tiles(monkeypatch) -> None:
    counts = []

    def counted(*arguments):
        found = tiles(*arguments)
        counts.append(len(found))
        return found

    tiles = gridded.tiles
    monkeypatch.setattr(gridded, "tiles", counted)
    for memory in (2**31, 1_500_000):
        gridded.evaluate(
            network("volumes"), image(), queries(), runtime=Runtime(memory_bytes=memory), progress=Progress()
        )
    assert counts[0] == 1 < counts[1]


def test_sixteen_bits_stay_close() -> None:
    one, other = (
        gridded.evaluate(network("volumes"), image(), queries(), runtime=Runtime(precision=p), progress=Progress())
        for p in ("float32", "bfloat16")
    )
    assert 0 < (one - other).abs().max() < 0.02


def test_flat_surroundings_are_cubic() -> None:
    padded = torch.zeros(SHAPE)
    padded[:, :, 20:] = image()[:, :, 20:]
    plain = network("volumes")
    found = gridded.evaluate(plain, padded, queries(), runtime=Runtime(), progress=Progress())
    cubic = apply_separable(padded, axis_matrices("cubic", SHAPE, queries()))
    whole = gridded.evaluate(plain, padded, queries(), runtime=Runtime(), progress=Progress(), skip_flat=False)
    assert torch.equal(found[:, :, :20], cubic[:, :, :20])
    torch.testing.assert_close(found[:, :, 36:], whole[:, :, 36:], atol=1e-5, rtol=0)
    assert not torch.equal(found[:, :, 36:], cubic[:, :, 36:])


def test_a_constant_image_needs_no_network() -> None:
    flat = torch.full(SHAPE, 3.0)
    found = gridded.evaluate(network("volumes"), flat, queries(), runtime=Runtime(), progress=Progress())
    torch.testing.assert_close(found, torch.full_like(found, 3.0))


def test_a_cancel_stops_it() -> None:
    progress = Progress(cancelled=lambda: True)
    with pytest.raises(Cancelled):
        gridded.evaluate(network("volumes"), image(), queries(), runtime=Runtime(), progress=progress)
