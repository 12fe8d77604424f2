"""Lesions drawn into patches: of a size in mm, within the patch's range, as often as asked for, and in one place."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from MedSRLib.training.frames import Frame
from MedSRLib.training.guided_pairs import GuidedPairs
from MedSRLib.training.lesions import with_lesions
from MedSRLib.training.recipe import Recipe


def ramp(n: int, *size: int) -> torch.Tensor:
    """Patches (n, 1, *size) from 0 to 1."""
    return torch.linspace(0, 1, size[-1]).expand(n, 1, *size).clone()


def changed(spacing: tuple[float, float, float], size: tuple[int, int, int], count: int = 40) -> np.ndarray:
    """Which voxels of some patches change, (count, k, j, i)."""
    patches = ramp(count, *size)
    drawn = with_lesions(patches, np.array([spacing] * count), 1.0, np.random.default_rng(0))
    return ((drawn - patches).abs() > 1e-6)[:, 0].numpy()


def test_lesions_are_as_large_in_mm_whatever_the_voxels() -> None:
    fine, coarse = changed((1.0, 1.0, 1.0), (24, 24, 24)), changed((3.0, 1.0, 1.0), (8, 24, 24))
    assert fine.mean() == pytest.approx(coarse.mean(), rel=0.25)
    widest = max(np.ptp(np.argwhere(one.any(axis=(0, 1)))) for one in changed((1.0,) * 3, (64, 64, 64), 4))
    assert widest > 5  # several, anywhere
    assert 0.01 < fine.mean() < 0.5  # six of 10 mm would fill a quarter


def test_lesions_stay_in_range_and_leave_the_rest_alone() -> None:
    patches = ramp(20, 12, 12, 12)
    drawn = with_lesions(patches, np.ones((20, 3)), 1.0, np.random.default_rng(1))
    assert drawn.min() >= 0
    assert 1.0 < drawn.max() <= 1.2
    same = (drawn == patches).flatten(1).float().mean(dim=1)
    assert same.max() < 1  # each patch has some
    assert same.mean() > 0.4
    flat = torch.full((3, 1, 6, 6, 6), 0.3)  # nothing but background
    torch.testing.assert_close(with_lesions(flat, np.ones((3, 3)), 1.0, np.random.default_rng(2)), flat)


def test_thin_patches_and_channels() -> None:
    """A slice is cut through lesions anywhere; all channels have the same ones."""
    patches = ramp(30, 1, 20, 20).repeat(1, 2, 1, 1, 1)
    drawn = with_lesions(patches, np.ones((30, 3)), 1.0, np.random.default_rng(3))
    torch.testing.assert_close(drawn[:, 0], drawn[:, 1])
    assert ((drawn - patches).abs().flatten(1).amax(dim=1) > 0.01).float().mean() > 0.7


def test_as_often_as_asked_for() -> None:
    patches = ramp(200, 10, 10, 10)
    drawn = with_lesions(patches, np.ones((200, 3)), 0.3, np.random.default_rng(4))
    share = ((drawn - patches).abs().flatten(1).amax(dim=1) > 0).float().mean()
    assert 0.2 < share < 0.4


def test_images_and_guides_of_a_training_have_lesions_of_their_own() -> None:
    recipe = Recipe.model_validate(
        {
            "name": "test",
            "method": "lmcsc",
            "data": {"guide": "T1w"},
            "sampling": {"patch": 8, "context": 1, "batch": 16, "queries": 99, "scale_min": 2.0, "scale_max": 2.0},
            "degradation": [{"kind": "physical"}],
            "guidance": {"lesions": 0.5},
            "optimisation": {"steps": 1},
        }
    )
    k, j, i = np.indices((30, 34, 32), dtype=np.float32)
    values = 1 + np.sin(k / 3) * np.cos(j / 4) + np.sin(i / 5 + j / 7)
    pairs = GuidedPairs([Frame(values, (1.0,) * 3, "a", {"T1w": 2 * values})], recipe)
    plain = GuidedPairs([Frame(values, (1.0,) * 3, "a", {"T1w": 2 * values})], without_lesions(recipe))
    apart, image_only, guide_only = 0, 0, 0
    for step in range(4):
        batch, expected = pairs.batch(step), plain.batch(step)
        image = (batch.image - expected.image).abs().flatten(1).amax(dim=1) > 1e-4
        target = (batch.target - expected.target).abs().flatten(1).amax(dim=1) > 1e-3
        guide = (batch.guide - expected.guide).abs().flatten(1).amax(dim=1) > 1e-3
        assert not (target & ~image).any()  # drawn before the image is made coarse
        apart += int((image != guide).sum())
        image_only += int((image & ~guide).sum())
        guide_only += int((guide & ~image).sum())
    assert apart > 16  # of 64; half is expected
    assert min(image_only, guide_only) > 6


def without_lesions(recipe: Recipe) -> Recipe:
    return recipe.model_copy(update={"guidance": recipe.guidance.model_copy(update={"lesions": 0.0})})
