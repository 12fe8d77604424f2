"""Training pairs: aligned, reproducible, and those of the paper where a recipe says so."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from MedSRLib.errors import InputError
from MedSRLib.inference.sampling import apply_separable
from MedSRLib.networks.queries import axis_matrices
from MedSRLib.training.pairs import Pairs
from MedSRLib.training.recipe import Recipe


def recipe(degradation: str = "physical", noise: float = 0.0, **sampling) -> Recipe:
    defaults = {"patch": 8, "context": 2, "batch": 3, "queries": 6, "scale_min": 2.0, "scale_max": 3.0}
    return Recipe.model_validate(
        {
            "name": "test",
            "method": "arssr",
            "sampling": defaults | sampling,
            "degradation": [{"kind": degradation, "noise": noise}],
            "optimisation": {"steps": 1},
        }
    )


def ramp(shape: tuple[int, int, int] = (40, 36, 44)) -> np.ndarray:
    k, j, i = np.indices(shape, dtype=np.float32)
    return 1 + 0.01 * k + 0.02 * j + 0.03 * i


@pytest.mark.parametrize("kind", ["physical", "spline", "slice-profile"])
@pytest.mark.parametrize("anisotropic", [0.0, 1.0])
def test_queries_lie_where_their_targets_are(kind: str, anisotropic: float) -> None:
    """On a linear ramp, interpolating the input at the queries gives the targets: nothing is shifted."""
    pairs = Pairs([ramp()], recipe(kind, anisotropic=anisotropic))
    for step in range(6):
        batch = pairs.batch(step)
        matrices = axis_matrices("linear", batch.image.shape[2:], batch.queries)
        torch.testing.assert_close(apply_separable(batch.image, matrices), batch.target, atol=2e-3, rtol=0)


@pytest.mark.parametrize("axes", ["all", "one"])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_slices_and_single_coarse_axes_are_aligned_too(dimensions: int, axes: str) -> None:
    pairs = Pairs([ramp()], recipe(dimensions=dimensions, axes=axes, queries=99))
    for step in range(6):
        batch = pairs.batch(step)
        matrices = axis_matrices("linear", batch.image.shape[2:], batch.queries)
        torch.testing.assert_close(apply_separable(batch.image, matrices), batch.target, atol=2e-3, rtol=0)
        coarse = [round(1 / step, 3) > 1 for step in batch.queries.step]
        assert coarse == [dimensions == 3, dimensions == 2 or axes == "all", axes == "all"]
        assert (batch.image.shape[2] == 1) == (dimensions == 2)


def test_slices_across_k_alone_never_mix_k_with_the_others() -> None:
    """A volume whose planes along k are constants: its slices across k are flat."""
    volume = np.broadcast_to(np.arange(6, dtype=np.float32)[:, None, None], (6, 40, 40)).copy()
    pairs = Pairs([volume], recipe(dimensions=2, slices="k"))
    for step in range(8):
        batch = pairs.batch(step)
        assert batch.target.flatten(1).std(dim=1).max() < 1e-4
    with pytest.raises(InputError, match="voxels along every axis"):
        Pairs([volume], recipe(dimensions=2))


def test_a_batch_is_a_function_of_seed_step_and_rank() -> None:
    one, other = (Pairs([ramp()], recipe(noise=0.05)) for _ in range(2))
    torch.testing.assert_close(one.batch(5).image, other.batch(5).image, atol=0, rtol=0)
    assert not torch.equal(one.batch(5).target, one.batch(6).target)
    assert not torch.equal(one.batch(5, 0, 2).target, one.batch(5, 1, 2).target)


def test_noise_is_rician_with_at_most_the_stated_deviation() -> None:
    volume = np.full((40, 40, 40), 1.0, dtype=np.float32)
    volume[0, 0, 0] = 0.0  # the floor of the intensities
    batch = Pairs([volume], recipe(noise=0.1, batch=16, augment=False)).batch(0)
    deviations = (batch.image - 1).flatten(1).std(dim=1)
    assert deviations.max() <= 0.115
    assert deviations.min() < 0.05 < deviations.max()


def test_gain_and_offset_act_on_both_sides_alike() -> None:
    batch = Pairs([ramp()], recipe(gain=0.5, offset=0.5)).batch(1)
    matrices = axis_matrices("linear", batch.image.shape[2:], batch.queries)
    torch.testing.assert_close(apply_separable(batch.image, matrices), batch.target, atol=4e-3, rtol=0)


def test_the_papers_pairs() -> None:
    """§4.1.1: crops drawn once, one scale a patch rounded to 0.1, the first int(10 k) voxels, LR of 10³."""
    from scipy import ndimage

    volume = np.random.default_rng(0).random((60, 60, 60), dtype=np.float32)
    settings = {"kind": "paper", "crop": 40, "crops_per_subject": 6, "margin": 10, "patch": 10, "batch": 2}
    pairs = Pairs([volume], recipe("spline", **settings, queries=500, scale_min=2, scale_max=4, scale_step=0.1))
    assert pairs.steps_per_epoch == 3
    batch = pairs.batch(0)
    assert batch.image.shape == (2, 1, 10, 10, 10)
    assert batch.points.shape == (2, 500, 3)
    for n in range(2):
        points = (batch.points[n].double() + 0.5) / 10
        size = next(s for s in range(20, 42) if (points * s - 0.5).round().sub(points * s - 0.5).abs().max() < 1e-3)
        indices = (points * size - 0.5).round().long()
        values = batch.target[n, :, 0]
        found = None
        for crop in pairs._crops:
            patch = crop[:size, :size, :size]
            if torch.allclose(patch[tuple(indices.T)], values):
                found = ndimage.zoom(patch.numpy(), 10 / size, order=3)
        assert found is not None, "the targets are voxels of one of the crops"
        np.testing.assert_allclose(batch.image[n, 0].numpy(), found, atol=1e-4)


def test_volumes_too_small_for_a_patch_are_refused() -> None:
    with pytest.raises(InputError, match="21 voxels"):
        Pairs([ramp((20, 30, 30))], recipe())


def test_a_batch_is_of_one_group_and_fits_its_smallest_volume() -> None:
    volumes = [ramp(), 100 + ramp((25, 30, 26)), 100 + ramp((40, 40, 40))]
    pairs = Pairs(volumes, recipe(patch=10), groups=["large", "small", "small"])
    seen = set()
    for step in range(12):
        batch = pairs.batch(step)
        small = batch.image.amin(dim=(1, 2, 3, 4)) > 50
        assert small.all() or not small.any(), "groups are not mixed"
        seen.add((bool(small[0]), batch.image.shape[-1] < 10))
    assert (True, True) in seen, "patches of the small group are cut"
    assert {large for large, _ in seen} == {True, False}
