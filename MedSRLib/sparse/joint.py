"""Coupled convolutional coding of two modalities.

Y. Huang, L. Shao, A. F. Frangi, "Simultaneous super-resolution and cross-modality synthesis of 3D medical images using
weakly-supervised joint convolutional sparse coding" (WEENIE), CVPR 2017, arXiv 1705.02596, Eq. 5:

    E = ½ ‖x − Σ fˣ_k * zˣ_k‖² + ½ ‖y − Σ fʸ_k * zʸ_k‖² + λ (‖Zˣ‖₁ + ‖Zʸ‖₁)
        + (β/2) ‖Zʸ − W Zˣ‖² + (γ/2) ‖W‖² + μ MMD                                        s. t. ‖f‖₂ ≤ 1

With the rest fixed, each set of maps is found by ADMM (`coding.admm`), whose linear step is at every frequency, with
a = conj(f̂),

    Zʸ            (aᵧ aᵧᴴ + (β + ρ) I) ẑ = aᵧ ŷ + β W ẑˣ + ρ v̂
    Zˣ            (aₓ aₓᴴ + β WᵀW + ρ I) ẑ = aₓ x̂ + β Wᵀ ẑʸ − ĝ + ρ v̂

both solved by Sherman and Morrison; β WᵀW + ρ I does not depend on the frequency and is inverted once for each ρ.

Departures: the equations of the paper are pictures in the text we hold, and are written here from their description;
the maximum mean discrepancy enters Zˣ by its gradient g where the step begins (`discrepancy`); a step that would raise
E, because ADMM was stopped early, is not taken, so that E never rises.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from MedSRLib.sparse import coding, spectra
from MedSRLib.sparse.linear_steps import Whole, solve_rank_one, solve_rank_one_beside
from MedSRLib.sparse.mapping import mapped, transposed


@dataclass(frozen=True)
class Weights:
    """λ of the maps, β of the coupling, γ of the mapping, which draws W to ``centre`` times the identity."""

    penalty: float = 0.05
    coupling: float = 0.10
    ridge: float = 0.15
    centre: float = 0.0


@dataclass(frozen=True)
class Pair:
    """What is learned: filters (K, *support) of both modalities and W, (K, K) or its diagonal (K,)."""

    source: Tensor
    target: Tensor
    mapping: Tensor


@dataclass
class Codes:
    """Maps (n, K, *size) of both modalities."""

    source: Tensor
    target: Tensor


def objective(pair: Pair, x: Tensor, y: Tensor, codes: Codes, weights: Weights) -> float:
    """E of Eq. 5 without the discrepancy, over all images, in float64."""
    w = pair.mapping.double()
    one = torch.ones_like(w) if w.ndim == 1 else torch.eye(len(w), dtype=w.dtype, device=w.device)
    total = 0.5 * weights.ridge * float((w - weights.centre * one).square().sum())
    for n in range(len(x)):
        zx, zy = codes.source[n : n + 1].double(), codes.target[n : n + 1].double()
        total += coding.objective(pair.source, x[n : n + 1], zx, weights.penalty)
        total += coding.objective(pair.target, y[n : n + 1], zy, weights.penalty)
        total += 0.5 * weights.coupling * float((zy - mapped(pair.mapping.double(), zx)).square().sum())
    return total


def target_step(filters: Tensor, images: Tensor, wanted: Tensor, coupling: float) -> Whole:
    """½ ‖y − Σ f*z‖² + (β/2) ‖z − w‖² for the maps w = W Zˣ."""
    size = images.shape[1:]
    a = spectra.of_filters(filters, size).conj().resolve_conj()
    image, near = spectra.forward(images, len(size)), spectra.forward(wanted, len(size))
    fixed = a * image[:, None] + coupling * near

    def solve(v: Tensor, rho: float) -> Tensor:
        return solve_rank_one(a, fixed + rho * v, coupling + rho)

    def data(z: Tensor) -> float:
        apart = spectra.squared_norm(z - near, size)
        return _misfit(a, image, z, size) + 0.5 * coupling * float(apart)

    return Whole(solve, data, size)


def source_step(
    filters: Tensor, images: Tensor, target: Tensor, mapping: Tensor, coupling: float, push: Tensor | None = None
) -> Whole:
    """½ ‖x − Σ f*z‖² + (β/2) ‖Zʸ − W z‖² + ⟨g, z⟩.

    Args:
        filters: (K, *support).
        images: x, (n, *size).
        target: Zʸ.
        mapping: W.
        coupling: β.
        push: g, like Zʸ.
    """
    size = images.shape[1:]
    a = spectra.of_filters(filters, size).conj().resolve_conj()
    image, wanted = spectra.forward(images, len(size)), spectra.forward(target, len(size))
    fixed = a * image[:, None] + coupling * mapped(transposed(mapping), wanted)
    if push is not None:
        fixed = fixed - spectra.forward(push, len(size))
    inverse = _inverse_beside(mapping, coupling)

    def solve(v: Tensor, rho: float) -> Tensor:
        return solve_rank_one_beside(a, fixed + rho * v, inverse(rho))

    def data(z: Tensor) -> float:
        apart = spectra.squared_norm(wanted - mapped(mapping, z), size)
        return _misfit(a, image, z, size) + 0.5 * coupling * float(apart)

    return Whole(solve, data, size)


def code_target(pair: Pair, y: Tensor, source: Tensor, weights: Weights, how: coding.Settings, start: Tensor) -> Tensor:
    """Zʸ of images y (n, *size), given Zˣ."""
    step = target_step(pair.target, y, mapped(pair.mapping, source), weights.coupling)
    return coding.admm(step, start.clone(), replace(how, penalty=weights.penalty)).maps


def code_source(
    pair: Pair,
    x: Tensor,
    target: Tensor,
    weights: Weights,
    how: coding.Settings,
    start: Tensor,
    push: Tensor | None = None,
) -> Tensor:
    """Zˣ of images x (n, *size), given Zʸ."""
    step = source_step(pair.source, x, target, pair.mapping, weights.coupling, push)
    return coding.admm(step, start.clone(), replace(how, penalty=weights.penalty)).maps


@torch.no_grad()
def code_jointly(
    pair: Pair,
    x: Tensor,
    y: Tensor,
    weights: Weights,
    how: coding.Settings,
    *,
    rounds: int = 2,
    push: Callable[[Tensor], Tensor] | None = None,
) -> tuple[Codes, list[float]]:
    """Both sets of maps of some images, found in turn, and E after every step.

    Args:
        pair: filters and mapping.
        x: source images (n, *size), periodic.
        y: target images, likewise.
        weights: of the terms.
        how: to code; the penalty is that of ``weights``.
        rounds: of one step each.
        push: the discrepancy's gradient at given Zˣ.
    """
    plain = replace(how, penalty=weights.penalty)
    codes = Codes(coding.code(pair.source, x, plain).maps, coding.code(pair.target, y, plain).maps)
    trace = [objective(pair, x, y, codes, weights)]
    if weights.coupling == 0 and push is None:
        return codes, trace
    for _ in range(rounds):
        found = code_target(pair, y, codes.source, weights, how, codes.target)
        codes = _lower(pair, x, y, codes, replace(codes, target=found), weights, trace)
        pushed = None if push is None else push(codes.source)
        found = code_source(pair, x, codes.target, weights, how, codes.source, pushed)
        if push is None:
            codes = _lower(pair, x, y, codes, replace(codes, source=found), weights, trace)
        else:  # E alone may rise where the discrepancy falls
            codes = replace(codes, source=found)
            trace.append(objective(pair, x, y, codes, weights))
    return codes, trace


def discrepancy(paired: Tensor, unpaired: Tensor) -> float:
    """MMD = ‖mean_i φ(Z_i) − mean_j φ(Z_j)‖², φ the mean absolute value of each map of (n, K, *size)."""
    return float((_activity(paired) - _activity(unpaired)).square().sum())


def discrepancy_gradient(paired: Tensor, unpaired: Tensor) -> Tensor:
    """The (sub)gradient of `discrepancy` with respect to the paired maps, like them."""
    apart = _activity(paired) - _activity(unpaired)
    share = paired.shape[0] * paired[0, 0].numel()
    return paired.sign() * (2 * apart / share).view(-1, *[1] * (paired.ndim - 2))


def _activity(maps: Tensor) -> Tensor:
    return maps.abs().flatten(2).mean((0, 2))


def _lower(
    pair: Pair, x: Tensor, y: Tensor, before: Codes, after: Codes, weights: Weights, trace: list[float]
) -> Codes:
    value = objective(pair, x, y, after, weights)
    trace.append(min(value, trace[-1]))
    return after if value <= trace[-2] else before


def _misfit(a: Tensor, image: Tensor, z: Tensor, size: torch.Size) -> float:
    return 0.5 * float(spectra.squared_norm(image - (a.conj() * z).sum(1), size))


def _inverse_beside(mapping: Tensor, coupling: float) -> Callable[[float], Tensor]:
    """ρ to (β WᵀW + ρ I)⁻¹, by one eigendecomposition."""
    if mapping.ndim == 1:
        squares = coupling * mapping.square()
        return lambda rho: 1 / (squares + rho)
    values, vectors = torch.linalg.eigh((coupling * mapping.T @ mapping).double())
    return lambda rho: ((vectors / (values.clamp_min(0) + rho)) @ vectors.T).to(mapping.dtype)
