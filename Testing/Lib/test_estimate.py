"""The estimate before a run: its operations are those that the network does."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from MedSRLib import grids
from MedSRLib.estimate import estimate
from MedSRLib.grids import Grid
from MedSRLib.methods import registry
from MedSRLib.models.card import ModelCard
from MedSRLib.networks.arssr import ArSSR, ArSSRConfig
from MedSRLib.networks.queries import Queries

SPEED = {"flops": 1e11, "voxels": 1e7}


def cube(n: int) -> Grid:
    return Grid((n, n, n), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), tuple(np.eye(3).ravel()))


def card_of(network: ArSSR) -> ModelCard:
    return ModelCard(
        name="a",
        method="arssr",
        architecture=network.config.asdict(),
        scale_max=4,
        parameters=sum(p.numel() for p in network.parameters()),
    )


@pytest.mark.parametrize(
    "config",
    [
        ArSSRConfig(encoder="srresnet", channels=16, blocks=2, feature_dim=24, width=32),
        ArSSRConfig(
            encoder="rdn", channels=8, blocks=2, layers=2, feature_dim=16, width=48, coordinates="local", cell=True
        ),
    ],
    ids=["srresnet", "rdn"],
)
def test_operations_are_those_that_torch_counts(config: ArSSRConfig) -> None:
    network = ArSSR(config).eval()
    positions = (np.arange(20) + 0.5) / 2 - 0.5
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(torch.zeros(1, 1, 10, 10, 10), Queries((positions,) * 3, (0.5,) * 3))
    work = registry.create("arssr").work(cube(10), grids.scaled(cube(10), 2), card_of(network))
    assert work.flops == pytest.approx(counter.get_total_flops(), rel=0.1)


def test_more_work_takes_longer_and_a_budget_bounds_the_memory() -> None:
    network = ArSSR(ArSSRConfig(encoder="srresnet", channels=16, blocks=2, feature_dim=24, width=32))
    card = card_of(network)
    small, large = (estimate("arssr", cube(n), grids.scaled(cube(n), 2), card, speed=SPEED) for n in (32, 128))
    assert small.seconds < large.seconds and small.memory_bytes < large.memory_bytes
    bounded = estimate("arssr", cube(256), cube(512), card, speed=SPEED, memory_gb=0.25)
    free = estimate("arssr", cube(256), cube(512), card, speed=SPEED, memory_gb=8)
    assert bounded.memory_bytes < free.memory_bytes
    assert estimate("bspline", cube(32), cube(64)).seconds is None


@pytest.mark.parametrize("kind, copies", [("flips", 8), ("flips-and-rotations", 16)])
def test_an_ensemble_takes_as_many_times_the_time_as_it_has_copies(kind: str, copies: int) -> None:
    card = card_of(ArSSR(ArSSRConfig(encoder="srresnet", channels=16, blocks=2, feature_dim=24, width=32)))
    once, often = (
        estimate("arssr", cube(64), grids.scaled(cube(64), 2), card, speed=SPEED, ensemble=ensemble)
        for ensemble in (None, kind)
    )
    start = estimate("nearest", cube(1), cube(1), speed=SPEED).seconds
    assert often.seconds - start == pytest.approx(copies * (once.seconds - start), rel=0.1)
    assert often.memory_bytes > once.memory_bytes
    assert (
        estimate("bspline", cube(64), cube(64), speed=SPEED, refine=True).seconds
        > estimate("bspline", cube(64), cube(64), speed=SPEED).seconds
    )
