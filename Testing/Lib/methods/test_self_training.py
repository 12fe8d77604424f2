"""Self-training: thick slices refined by what their own voxels teach."""

from __future__ import annotations

import numpy as np
import pytest

from MedSRLib import images, upscaling
from MedSRLib.acquisition.degrading import degrade
from MedSRLib.errors import InputError
from MedSRLib.estimate import estimate
from MedSRLib.grids import Grid, scaled
from MedSRLib.inference.runtime import Runtime
from MedSRLib.methods import registry
from MedSRLib.methods.self_training import PRESETS, untrained
from MedSRLib.progress import Progress

FINE = Grid((30, 32, 32), (1.0, 1.0, 1.0), (-3.0, 5.0, 9.0), (0.8, 0.6, 0.0, -0.6, 0.8, 0.0, 0.0, 0.0, -1.0))
RUNTIME = Runtime()


@pytest.fixture(scope="module")
def truth():
    """Hollow balls of many sizes, -1000 to 400: they look alike along all axes."""
    rng = np.random.default_rng(4)
    k, j, i = np.meshgrid(*(np.arange(n) for n in FINE.shape), indexing="ij")
    values = np.full(FINE.shape, -1000.0)
    for _ in range(30):
        (a, b, c), radius = rng.uniform(0, 32, 3), rng.uniform(2, 7)
        values += rng.uniform(100, 400) / (
            1 + np.exp((abs(np.hypot(np.hypot(k - a, j - b), i - c) - radius) - 1) / 0.2)
        )
    return images.from_array(values, FINE)


@pytest.fixture(scope="module")
def thick(truth):
    return degrade(truth, (1, 1, 3))


def _error(result, truth) -> float:
    return float(np.square(images.to_array(result) - images.to_array(truth)).mean())


def _upscale(image, like, progress=None, method="self-training", **options):
    options = {"steps": 40, **options} if method == "self-training" else options
    return upscaling.upscale(image, method, like=like, options=options, runtime=RUNTIME, progress=progress)


def test_it_is_nearer_to_the_truth_than_cubic_interpolation_and_agrees_with_the_scan(thick, truth):
    result, cubic = _upscale(thick, truth), _upscale(thick, truth, method="cubic")
    assert _error(result, truth) < _error(cubic, truth) / 10**0.05  # 0.5 dB
    left, before = (images.to_array(upscaling.consistency(x, thick)) for x in (result, cubic))
    assert np.square(left).mean() < np.square(before).mean() / 10


def test_slices_may_be_stored_along_any_axis(thick, truth):
    import SimpleITK as sitk

    turned = sitk.PermuteAxes(thick, [2, 0, 1])
    result = registry.create("self-training", {"steps": 3, "thickness_mm": 3}).upscale(
        turned, Grid.of(sitk.PermuteAxes(truth, [2, 0, 1])), runtime=RUNTIME, progress=Progress()
    )
    straight = registry.create("self-training", {"steps": 3, "thickness_mm": 3}).upscale(
        thick, FINE, runtime=RUNTIME, progress=Progress()
    )
    back = images.to_array(sitk.PermuteAxes(result, [1, 2, 0]))
    assert np.abs(back - images.to_array(straight)).max() < 1  # of 1400


def test_without_consistency_the_network_alone_is_given(thick, truth):
    alone = _upscale(thick, truth, steps=2, consistent=False)
    assert _error(alone, _upscale(thick, truth, method="cubic")) < 100  # an untrained network adds next to nothing


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.4), (1.0, 4.0, 4.0), (1.0, 1.0, 1.0)])
def test_without_one_clearly_coarse_axis_it_refuses_and_says_what_to_do(spacing):
    image = images.from_array(np.zeros((8, 8, 8)), Grid((8, 8, 8), spacing, (0.0, 0.0, 0.0), FINE.direction))
    with pytest.raises(InputError, match=r"1\.5 times .* back-projection"):
        _upscale(image, scaled(Grid.of(image), 2))


def test_slices_with_nothing_to_learn_from_are_refused():
    image = images.from_array(np.zeros((9, 4, 3)), Grid((3, 4, 9), (1.0, 1.0, 5.0), (0.0, 0.0, 0.0), FINE.direction))
    with pytest.raises(InputError, match="3 × 4 voxels"):
        _upscale(image, scaled(Grid.of(image), (1, 1, 5)))


def _warnings(image, like, **options) -> str:
    events = []
    _upscale(image, like, Progress(events.append), steps=1, **options)
    return " ".join(event["message"] for event in events if event.get("level") == "warning")


def test_a_thickness_that_nobody_told_is_taken_with_a_warning(thick, truth):
    assert not _warnings(thick, truth)  # `degrade` has written it into the metadata
    told = images.from_array(images.to_array(thick), Grid.of(thick))
    assert "taken to be the distance of the slices, 2.91 mm" in _warnings(told, truth)
    assert not _warnings(told, truth, thickness_mm=3.0)
    assert not _warnings(told, truth, profile="estimate")
    told.SetMetaData("0018|0050", "2.5")
    assert not _warnings(told, truth)


def test_the_thickness_changes_what_is_learned(thick, truth):
    thin, broad = (images.to_array(_upscale(thick, truth, steps=8, thickness_mm=t)) for t in (1.0, 4.0))
    assert np.abs(thin - broad).mean() > 1


@pytest.mark.parametrize("name", list(PRESETS))
def test_the_estimate_counts_the_networks_weights(name):
    network = untrained(PRESETS[name], 3, 0)
    assert PRESETS[name].weights(3) == sum(p.numel() for p in network.parameters())


def test_the_estimate_grows_with_the_steps(thick):
    source, target = Grid.of(thick), FINE
    speed = {"flops": 1e11, "voxels": 1e8}
    few, many = (
        estimate("self-training", source, target, speed=speed, options={"steps": steps}).seconds for steps in (10, 1000)
    )
    assert few < many


def test_the_estimate_of_memory_counts_the_network():
    big = Grid((256, 256, 50), (1.0, 1.0, 4.0), (0.0, 0.0, 0.0), FINE.direction)
    assert estimate("self-training", big, big).memory_bytes > estimate("cubic", big, big).memory_bytes + 2**30


def test_a_box_profile_is_learned_too(thick, truth):
    box, bell = (
        images.to_array(_upscale(thick, truth, steps=4, profile=p, thickness_mm=4)) for p in ("box", "gaussian")
    )
    assert np.isfinite(box).all() and not np.array_equal(box, bell)
