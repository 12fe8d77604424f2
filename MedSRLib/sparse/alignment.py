"""Hetero-domain alignment: pairs found among patches of two modalities that were never imaged together.

Y. Huang, L. Shao, A. F. Frangi, CVPR 2017 (WEENIE): high-frequency features, edges for the source and texture for the
target, and an alignment that is learned on the registered pairs and finds new ones among the unpaired. Which features,
which kernel and how it is solved is not in the text we hold; here

    e = first and second differences of a source patch along each axis,   t = target patch − its mean,   both of norm 1
    A(u, v) = Σ_p κ(e_u, e_p) κ(t_p, t_v),   κ(a, b) = exp(−‖a − b‖² / 2σ²)

for unpaired u, v and registered pairs p, with σ a fifth of the median distance (``width``): the median distance itself
makes all entries of A nearly equal, and then the patch nearest to the centre of all is everyone's partner. Every row u
of A keeps its largest entry (one-hot matching, "argmax"); by default it must be the largest of its column, too
("mutual"), so that no target patch serves many sources, and a match must be as good as ``threshold`` times what the
median registered pair reaches among the others.
"""

from __future__ import annotations

import torch
from torch import Tensor

KINDS = ("mutual", "argmax")
WIDTH = 0.2


def edges(patches: Tensor) -> Tensor:
    """Features e of source patches (n, *size), (n, d), of unit norm."""
    found = []
    for axis in range(1, patches.ndim):
        first = torch.diff(patches, dim=axis)
        found += [first.flatten(1), torch.diff(first, dim=axis).flatten(1)]
    return _of_unit_norm(torch.cat(found, 1))


def texture(patches: Tensor) -> Tensor:
    """Features t of target patches (n, *size), (n, d), of unit norm."""
    flat = patches.flatten(1)
    return _of_unit_norm(flat - flat.mean(1, keepdim=True))


def affinity(
    source: Tensor, paired_source: Tensor, paired_target: Tensor, target: Tensor, width: float = WIDTH
) -> Tensor:
    """A (u, v) from features: `edges` of u and p, `texture` of p and v."""
    return _kernel(source, paired_source, width) @ _kernel(paired_target, target, width)


def matched(a: Tensor, kind: str = "mutual", lowest: float = 0.0) -> Tensor:
    """Rows and columns (m, 2) of A that are matched.

    Args:
        a: (u, v).
        kind: one of `KINDS`.
        lowest: matches below it are rejected.
    """
    best, column = a.max(1)
    kept = best >= lowest
    if kind == "mutual":
        kept &= a.argmax(0)[column] == torch.arange(len(a), device=a.device)
    row = kept.nonzero()[:, 0]
    return torch.stack([row, column[row]], 1)


def usual(paired_source: Tensor, paired_target: Tensor, width: float = WIDTH) -> float:
    """What the median registered pair reaches among the other pairs, each taken for unpaired."""
    near = _kernel(paired_source, paired_source, width) * _kernel(paired_target, paired_target, width)
    return float((near.sum(1) - near.diagonal()).median())


def aligned(
    source: Tensor,
    target: Tensor,
    paired_source: Tensor,
    paired_target: Tensor,
    kind: str = "mutual",
    threshold: float = 0.5,
) -> Tensor:
    """Which unpaired patches match: (m, 2) of rows of ``source`` and of ``target``, all patches (n, *size).

    Args:
        source: unpaired source patches.
        target: unpaired target patches.
        paired_source: registered patches.
        paired_target: the same places in the target.
        kind: one of `KINDS`.
        threshold: see the module; 0 rejects none.
    """
    e_p, t_p = edges(paired_source), texture(paired_target)
    a = affinity(edges(source), e_p, t_p, texture(target))
    return matched(a, kind, threshold * usual(e_p, t_p) if threshold else 0.0)


def _kernel(a: Tensor, b: Tensor, width: float) -> Tensor:
    squares = torch.cdist(a, b).square()
    middle = squares.flatten()[:: max(1, squares.numel() // 100_000)].median().clamp_min(1e-12)
    return torch.exp(-squares / (2 * width**2 * middle))


def _of_unit_norm(features: Tensor) -> Tensor:
    return features / features.norm(dim=1, keepdim=True).clamp_min(1e-12)
