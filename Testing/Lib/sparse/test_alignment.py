"""Alignment on a set of patches whose true partners are known."""

from __future__ import annotations

import pytest
import torch

from MedSRLib.sparse import alignment


def _patches(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Blobs in a source, and the same places in a target of inverted contrast with another offset."""
    generator = torch.Generator().manual_seed(seed)
    centre = 6 * torch.rand(count, 3, generator=generator)
    width = 1.0 + torch.rand(count, 1, 1, 1, generator=generator)
    k, j, i = torch.meshgrid(*(torch.arange(7.0),) * 3, indexing="ij")
    squares = sum((axis - c.view(-1, 1, 1, 1)) ** 2 for axis, c in zip((k, j, i), centre.T, strict=True))
    source = torch.exp(-squares / (2 * width**2))
    return source, 5 - 2 * source


def _partners(order: torch.Tensor) -> torch.Tensor:
    """Column of each row's partner when the targets are shuffled by ``order``."""
    return torch.argsort(order)


@pytest.mark.parametrize("kind", alignment.KINDS)
def test_true_partners_are_found(kind: str) -> None:
    paired_source, paired_target = _patches(300, 0)
    source, target = _patches(40, 1)
    order = torch.randperm(40, generator=torch.Generator().manual_seed(2))
    found = alignment.aligned(source, target[order], paired_source, paired_target, kind)
    right = (_partners(order)[found[:, 0]] == found[:, 1]).double().mean()
    assert len(found) >= 20
    assert float(right) > (0.8 if kind == "mutual" else 0.6)  # by chance it were 0.025


def test_rows_and_columns_of_mutual_matches_are_taken_once() -> None:
    a = torch.tensor([[0.9, 0.8, 0.0], [0.95, 0.1, 0.0], [0.2, 0.3, 0.1]])
    assert alignment.matched(a, "mutual").tolist() == [[1, 0]]
    assert alignment.matched(a, "argmax").tolist() == [[0, 0], [1, 0], [2, 1]]
    assert alignment.matched(a, "argmax", lowest=0.5).tolist() == [[0, 0], [1, 0]]


def test_patches_of_something_else_are_rejected() -> None:
    paired_source, paired_target = _patches(300, 0)
    source, target = _patches(40, 1)
    noise = torch.randn(40, 7, 7, 7, generator=torch.Generator().manual_seed(3))
    kept = alignment.aligned(source, target, paired_source, paired_target, "argmax", threshold=0.9)
    strange = alignment.aligned(noise, target, paired_source, paired_target, "argmax", threshold=0.9)
    assert len(strange) < len(kept)


def test_features_forget_brightness_and_contrast() -> None:
    source, target = _patches(5, 0)
    assert torch.allclose(alignment.edges(3 * source + 1), alignment.edges(source), atol=1e-5)
    assert torch.allclose(alignment.texture(0.5 * target - 4), alignment.texture(target), atol=1e-4)
