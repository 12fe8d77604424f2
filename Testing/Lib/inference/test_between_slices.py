"""Planes between slices: which, how they fit together in little memory, and that end slices end."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from MedSRLib.inference.between_slices import evaluate, planes
from MedSRLib.inference.runtime import Runtime
from MedSRLib.networks.latent_autoencoder import LatentAutoencoder, LatentAutoencoderConfig
from MedSRLib.networks.queries import Queries
from MedSRLib.progress import Progress


def test_planes_lie_between_their_neighbours_and_never_beyond_the_ends() -> None:
    where = planes(np.array([-0.4, 0.0, 0.25, 1.0000001, 1.5, 2.0, 2.3]), 3)
    assert where.lower.tolist() == [0, 0, 0, 1, 1, 1, 1]
    assert where.upper.tolist() == [1, 1, 1, 2, 2, 2, 2]
    assert where.fraction.tolist() == [0, 0, 0.25, 0, 0.5, 1, 1]
    alone = planes(np.array([-0.4, 0.0, 0.3]), 1)
    assert (alone.lower.tolist(), alone.upper.tolist(), alone.fraction.tolist()) == ([0] * 3, [0] * 3, [0] * 3)


def test_little_memory_changes_nothing() -> None:
    """Planes one by one and slices in tiles give what one batch gives."""
    network, image = _network(), torch.rand(5, 150, 61)
    queries = _queries(image, np.linspace(-0.3, 4.3, 9))
    whole, pieces = (
        evaluate(network, image, queries, keep_slices=False, runtime=runtime, progress=Progress())
        for runtime in (Runtime(), Runtime(memory_bytes=100_000))
    )
    assert torch.allclose(whole, pieces, atol=1e-5)


def test_slices_are_kept_or_replaced_by_their_reconstructions() -> None:
    network, image = _network(), torch.rand(4, 12, 9)
    queries = _queries(image, np.arange(7) / 2)
    kept, replaced = (_run(network, image, queries, keep) for keep in (True, False))
    assert torch.equal(kept[::2], image)
    assert torch.allclose(replaced[::2], network(image[:, None])[:, 0], atol=1e-5)
    assert torch.equal(kept[1::2], replaced[1::2])


def test_planes_are_refined_by_cubic_interpolation_within() -> None:
    network, image = _network(), torch.rand(3, 8, 6)
    plain = _run(network, image, _queries(image, np.array([0.5])), True)
    fine = Queries((np.array([0.5]), (np.arange(16) + 0.5) / 2 - 0.5, np.arange(6.0)), (0.5, 0.5, 1.0))
    found = _run(network, image, fine, True)
    assert found.shape == (1, 16, 6)
    by_keys = (-9 * plain[0, 1] + 111 * plain[0, 2] + 29 * plain[0, 3] - 3 * plain[0, 4]) / 128  # at 2.25, a = -1/2
    assert torch.allclose(found[0, 5], by_keys, atol=1e-5)


def _run(network: LatentAutoencoder, image: torch.Tensor, queries: Queries, keep: bool) -> torch.Tensor:
    return evaluate(network, image, queries, keep_slices=keep, runtime=Runtime(), progress=Progress())


def _queries(image: torch.Tensor, positions: np.ndarray) -> Queries:
    j, i = (np.arange(n, dtype=np.float64) for n in image.shape[1:])
    return Queries((positions, j, i), (float(positions[-1] - positions[0]) / max(len(positions) - 1, 1) or 1, 1.0, 1.0))


def _network() -> LatentAutoencoder:
    torch.manual_seed(0)
    config = dataclasses.replace(LatentAutoencoderConfig(), features=4, blocks=2, latent=3)
    return LatentAutoencoder(config).eval()
