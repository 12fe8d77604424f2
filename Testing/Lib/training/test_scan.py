"""Examples from one scan: exact distances, the slice profile, the scan's noise; and training on them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from MedSRLib.errors import Cancelled
from MedSRLib.inference.runtime import Runtime
from MedSRLib.networks.on_grid import OnGrid
from MedSRLib.networks.wdsr import WDSR, WDSRConfig
from MedSRLib.progress import Progress
from MedSRLib.training.scan import Examples, Scan, Schedule, learnable, train

FACTOR = 2.7


def _scan(values, noise=0.0, width=FACTOR) -> Scan:
    return Scan(values.astype(np.float32), (FACTOR, FACTOR), (width, width), "gaussian", noise)


def _stripes(size=40) -> np.ndarray:
    """Slices of waves along both axes, too fine to survive a blur."""
    j, i = np.meshgrid(np.arange(size), np.arange(size), indexing="ij")
    return np.stack([np.sin(j / 1.3 + k) + np.sin(i / 1.1) for k in range(3)])


@pytest.mark.parametrize("width", [1.0, FACTOR, 4.0])
def test_coarse_samples_lie_where_the_queries_say(width):
    """On a ramp, blurred or not, the sample at position p has the ramp's value there."""
    ramp = np.broadcast_to(np.arange(60.0)[:, None] * 2 + np.arange(60.0) * 3, (2, 60, 60))
    examples = Examples(_scan(ramp, width=width), Schedule(1, batch=3, patch=(8, 10)), seed=0)
    for step in range(6):
        coarse, fine, queries = examples.batch(step)
        positions = queries.positions[1]
        assert queries.step[1] == pytest.approx(1 / FACTOR)
        assert np.diff(positions) == pytest.approx(1 / FACTOR)
        for sample in range(8):
            there = np.abs(positions - sample)
            first, second = np.argsort(there)[:2]
            share = there[first] / (there[first] + there[second])
            expected = (1 - share) * fine[:, 0, 0, first] + share * fine[:, 0, 0, second]
            assert torch.allclose(coarse[:, 0, 0, sample], expected, atol=0.05)


def test_a_batch_depends_on_seed_and_step_alone():
    schedule = Schedule(1, batch=2, patch=(6, 12))
    scan = _scan(_stripes())
    first, again = (Examples(scan, schedule, seed=1).batch(5) for _ in range(2))
    other = Examples(scan, schedule, seed=2).batch(5)
    assert torch.equal(first[0], again[0]) and torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])


def test_the_noise_that_blur_takes_is_given_back(rng):
    """A scan of nothing but noise: its examples are as noisy as it is."""
    noisy = rng.standard_normal((4, 90, 90))
    examples = Examples(_scan(noisy, noise=1.0), Schedule(1, batch=32, patch=(12, 24)), seed=0)
    without = Examples(_scan(noisy), Schedule(1, batch=32, patch=(12, 24)), seed=0)
    assert float(examples.batch(0)[0].std()) == pytest.approx(1.0, abs=0.05)
    assert float(without.batch(0)[0].std()) < 0.7


def test_flat_places_are_drawn_seldom():
    half = _stripes(80)
    half[:, :, 40:] = 0
    examples = Examples(_scan(half), Schedule(1, batch=64, patch=(4, 8)), seed=0)
    assert (examples.batch(0)[1].flatten(1).std(dim=1) > 0.1).float().mean() > 0.9


def test_thin_slices_are_made_coarse_along_their_long_axis():
    thin = _stripes()[:, :3]
    assert not learnable(3, FACTOR)
    coarse, fine, _ = Examples(_scan(thin), Schedule(1, batch=2, patch=(6, 12)), seed=0).batch(0)
    assert coarse.shape[-2:] == (6, 3)
    assert fine.shape[-1] == 3


def _network() -> OnGrid:
    torch.manual_seed(0)
    return OnGrid(
        WDSR(WDSRConfig(scale=(3, 1), features=8, expansion=16, blocks=1, skip=0, last_zero=True)), 2, "cubic"
    )


def test_training_halves_the_error_of_cubic_interpolation():
    scan, network = _scan(_stripes()), _network()
    coarse, fine, queries = Examples(scan, Schedule(1, patch=(8, 16)), seed=9).batch(0)
    before = float((network(coarse, queries) - fine).detach().square().mean())
    told = train(network, scan, Schedule(60, patch=(8, 16), rate=1e-2), runtime=Runtime(), progress=Progress())
    after = float((network(coarse, queries) - fine).detach().square().mean())
    assert after < before / 2
    assert told == pytest.approx(after, rel=0.5)


def test_training_stops_when_asked():
    with pytest.raises(Cancelled):
        train(_network(), _scan(_stripes()), Schedule(5), runtime=Runtime(), progress=Progress(cancelled=lambda: True))
