"""Convolutional sparse coding by ADMM in the Fourier domain, in any number of dimensions.

B. Wohlberg, "Efficient algorithms for convolutional sparse representations", IEEE TIP 2016; the iteration's second
form is that of Douglas-Rachford splitting (Eckstein and Bertsekas, 1992).

    min_z  ½ ‖x − Σ_k f_k * z_k‖² + λ Σ_k ‖z_k‖₁

    z   = argmin ½ ‖x − Σ f*z‖² + ρ/2 ‖z − v‖²,  v = s − u
    s   = shrink(α z + (1 − α) s + u, λ/ρ)
    u   = α z + (1 − α) s_old + u − s

Departures from the paper's algorithm, which leave every iterate what it is:
  one state    with w = s + u one has u = clip(w, ±λ/ρ) and s = w − u, so that
               v = w − 2 clip(w),   w ← w + α (z − v − clip(w)): one array of K maps is all that is kept.
  a residual   the Sherman-Morrison solution is z = v + a (x̂ − aᴴv̂)/(ρ + aᴴa): the maps' spectra are needed only in the
               sum aᴴv̂ = Σ f̂_k v̂_k, so a few maps at a time are transformed, added up and forgotten, in the cache.

The linear step is exchangeable (`linear_steps`). ρ is balanced (ratio 5, factor 1.2, relative residuals) or fixed.

The grid is periodic. Two ways to handle boundaries: `padded` continues an image by reflection first, and the margin is
cut off afterwards; or a mask tells which voxels are `known`, and only those have to be explained.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import sqrt

import torch
from torch import Tensor
from torch.nn import functional

from MedSRLib.sparse import spectra
from MedSRLib.sparse.linear_steps import LinearStep, Masked, RankOne

_CACHE = 2**20
"""Bytes of maps that are worked on at a time; about half of a core's second-level cache."""


@dataclass(frozen=True)
class Settings:
    """How to code.

    Attributes:
        penalty: λ.
        iterations: at most.
        rho: the first ρ; none is 50 λ + 1.
        relaxation: α, 1 to 2.
        tolerance: stop when both relative residuals are below it; 0 never.
        ratio: of the two residuals beyond which ρ is changed; 0 keeps ρ.
        factor: by which ρ is changed.
        every: iterations between looks at the residuals.
    """

    penalty: float
    iterations: int = 200
    rho: float | None = None
    relaxation: float = 1.8
    tolerance: float = 1e-3
    ratio: float = 5.0
    factor: float = 1.2
    every: int = 10


@dataclass
class Coded:
    """What `admm` found.

    Attributes:
        state: w = s + u, (n, K, *size), from which another run may start.
        rho: the last ρ.
        threshold: λ/ρ.
        iterations: that were done.
        objective: the value at each look: data term at z, penalty at s.
        residuals: relative primal and dual residual at each look.
    """

    state: Tensor
    rho: float
    threshold: float
    iterations: int = 0
    objective: list[float] = field(default_factory=list)
    residuals: list[tuple[float, float]] = field(default_factory=list)

    @property
    def maps(self) -> Tensor:
        """The sparse maps s, (n, K, *size)."""
        return functional.softshrink(self.state, self.threshold)


@torch.no_grad()
def admm(step: LinearStep, start: Tensor | Coded, settings: Settings) -> Coded:
    """Minimise a step's data term plus λ ‖z‖₁.

    Args:
        step: the linear step.
        start: maps (n, K, *size) to start from, zeros for a cold start, which are overwritten; or an earlier result.
        settings: see there.
    """
    found = _started(start, settings)
    blocks = list(_blocks(found.state))
    for block in blocks:
        step.add(block, _reflected(found.state[:, block], found.threshold))
    for number in range(1, settings.iterations + 1):
        step.solve(found.rho)
        looks = number % settings.every == 0 or number == settings.iterations
        tally = _Tally() if looks else None
        for block in blocks:
            _advance(found, step, block, settings.relaxation, tally)
            if tally is None:
                step.add(block, _reflected(found.state[:, block], found.threshold))
        found.iterations = number
        if tally is None:
            continue
        primal, dual = tally.residuals()
        found.residuals.append((primal, dual))
        found.objective.append(step.data_term() + settings.penalty * tally.absolute)
        if max(primal, dual) < settings.tolerance or number == settings.iterations:
            break
        _balance(found, primal, dual, settings)
        for block in blocks:
            step.add(block, _reflected(found.state[:, block], found.threshold))
    return found


def code(
    filters: Tensor, images: Tensor, settings: Settings, start: Coded | None = None, known: Tensor | None = None
) -> Coded:
    """Code images (n, *size) with filters (K, *support), periodically; see the module.

    Args:
        filters: of any norm.
        images: x.
        settings: see there.
        start: an earlier result.
        known: a mask of the voxels that are to be explained, (n, *size) or (*size); none is all.
    """
    of_filters = spectra.of_filters(filters, images.shape[1:])
    state = start or images.new_zeros(images.shape[0], filters.shape[0], *images.shape[1:])
    step: LinearStep = RankOne(of_filters, images)
    if known is not None:
        step = Masked(of_filters, images, known, settings.relaxation)
    return admm(step, state, settings)


def objective(filters: Tensor, images: Tensor, maps: Tensor, penalty: float) -> float:
    """½ ‖x − Σ f*z‖² + λ ‖z‖₁ of given maps, over all images, in float64."""
    of_filters = spectra.of_filters(filters.double(), images.shape[1:])
    rest = images.double() - spectra.synthesised(of_filters, maps.double())
    return 0.5 * float(rest.square().sum()) + penalty * float(maps.double().abs().sum())


def padded(images: Tensor, margin: Sequence[int | tuple[int, int]]) -> Tensor:
    """Images (n, *size) continued by reflection, repeatedly if they are thin.

    Args:
        images: any number of axes after the first.
        margin: for each axis, on both sides, or (before, after).
    """
    for axis, width in enumerate(margin, start=1):
        before, after = (width, width) if isinstance(width, int) else width
        size = images.shape[axis]
        where = torch.arange(-before, size + after, device=images.device) % max(1, 2 * size - 2)
        images = images.index_select(axis, torch.minimum(where, (2 * size - 2 - where).abs()))
    return images


def unpadded(arrays: Tensor, margin: Sequence[int | tuple[int, int]]) -> Tensor:
    """Without the margins of the last axes."""
    for axis, width in enumerate(margin, start=arrays.ndim - len(margin)):
        before, after = (width, width) if isinstance(width, int) else width
        arrays = arrays.narrow(axis, before, arrays.shape[axis] - before - after)
    return arrays


def fast_margins(size: Sequence[int], least: int) -> list[tuple[int, int]]:
    """Margins, (before, after) each axis, of at least so many voxels with which real transforms are quick."""
    from scipy.fft import next_fast_len

    return [(least, next_fast_len(n + 2 * least, real=True) - n - least) for n in size]


def _started(start: Tensor | Coded, settings: Settings) -> Coded:
    rho = settings.rho or 50 * settings.penalty + 1
    if not isinstance(start, Coded):
        return Coded(start, rho, settings.penalty / rho)
    found = Coded(start.state, start.rho, start.threshold)
    if settings.penalty != start.threshold * start.rho:
        found.state = start.maps
        found.threshold = settings.penalty / found.rho
    return found


def _blocks(state: Tensor) -> Iterator[slice]:
    """The maps, a few at a time."""
    n, maps = state.shape[:2]
    width = max(1, _CACHE // (n * state[0, 0].numel() * state.element_size()))
    return (slice(k, min(k + width, maps)) for k in range(0, maps, width))


def _reflected(w: Tensor, threshold: float) -> Tensor:
    """v = s − u of a state."""
    return torch.add(w, w.clamp(-threshold, threshold), alpha=-2)


def _advance(found: Coded, step: LinearStep, block: slice, relaxation: float, tally: _Tally | None) -> None:
    """w ← w + α (z − v − clip(w)) for some maps; z − v − clip(w) is z − s."""
    w = found.state[:, block]
    clipped = w.clamp(-found.threshold, found.threshold)
    before = None if tally is None else w - clipped
    change = step.moved(block).sub_(clipped)
    w.add_(change, alpha=relaxation)
    if tally is not None and before is not None:
        tally.add(change.add_(before), before, w, found.threshold)


class _Tally:
    """Sums over all maps at one iteration."""

    def __init__(self) -> None:
        self.absolute = 0.0
        self._apart = self._z = self._s = self._change = self._u = 0.0

    def add(self, z: Tensor, before: Tensor, w: Tensor, threshold: float) -> None:
        """Some maps: z, the last s, and the new w."""
        u = w.clamp(-threshold, threshold)
        s = w - u
        self.absolute += float(s.abs().sum())
        self._u += _square(u)
        self._s += _square(s)
        self._z += _square(z)
        self._apart += _square(z.sub_(s))
        self._change += _square(before.sub_(s))

    def residuals(self) -> tuple[float, float]:
        """Primal ‖z − s‖ / max(‖z‖, ‖s‖) and dual ‖s − s_old‖ / ‖u‖."""
        primal = sqrt(self._apart / max(self._z, self._s, 1e-30))
        return primal, sqrt(self._change / max(self._u, 1e-30))


def _square(x: Tensor) -> float:
    return float(torch.linalg.vector_norm(x)) ** 2


def _balance(found: Coded, primal: float, dual: float, settings: Settings) -> None:
    """Another ρ where one residual is much the larger; u goes with 1/ρ."""
    if not settings.ratio or max(primal, dual) <= settings.ratio * min(primal, dual):
        return
    factor = settings.factor if primal > dual else 1 / settings.factor
    clipped = found.state.clamp(-found.threshold, found.threshold)
    found.state.add_(clipped, alpha=1 / factor - 1)
    found.rho *= factor
    found.threshold /= factor
