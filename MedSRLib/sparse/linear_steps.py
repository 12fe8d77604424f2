"""The linear steps of convolutional coding: the data term's minimiser near given maps, by the Fourier transform.

    z = argmin_z (data term) + ρ/2 ‖z − v‖²

`RankOne` is the data term of plain coding, ½ ‖x − Σ f_k * z_k‖²; it sees a few maps at a time. `Masked` is that of the
voxels that are known. `Whole` holds the
spectra of all maps at once, for terms that mix them, and takes a function; such functions are made of `solve_rank_one`
and `solve_rank_one_beside` (the formula of J. Sherman and W. J. Morrison, 1950; O(K) a frequency).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor

from MedSRLib.sparse import spectra


class LinearStep(Protocol):
    """z = argmin (data term) + ρ/2 ‖z − v‖², a few maps at a time: all of v is added, then `solve`, then `moved`."""

    def add(self, block: slice, v: Tensor) -> None:
        """Take notice of these maps of v, (n, b, *size)."""

    def solve(self, rho: float) -> None:
        """Solve for all that was added since the last time."""

    def moved(self, block: slice) -> Tensor:
        """z − v of these maps, (n, b, *size)."""

    def data_term(self) -> float:
        """Its value at the last z."""


class RankOne:
    """½ ‖x − Σ f_k * z_k‖² by Sherman and Morrison, O(K) a frequency.

    Args:
        filter_spectra: (K, ...), of `spectra.of_filters`.
        images: x, (n, *size).
    """

    def __init__(self, filter_spectra: Tensor, images: Tensor) -> None:
        self._size = images.shape[1:]
        self._spectra, self._adjoint = filter_spectra, filter_spectra.conj().resolve_conj()
        self._energy = (self._spectra.real.square() + self._spectra.imag.square()).sum(0)
        self._image = spectra.forward(images, len(self._size))
        self._sum = torch.zeros_like(self._image)
        self._rest = torch.zeros_like(self._image)
        self._rho = 1.0

    def add(self, block: slice, v: Tensor) -> None:
        """See `LinearStep`."""
        transformed = spectra.forward(v, len(self._size))
        for k, spectrum in enumerate(self._spectra[block]):
            self._sum.addcmul_(spectrum.expand_as(self._sum), transformed[:, k])

    def solve(self, rho: float) -> None:
        """See `LinearStep`."""
        torch.sub(self._image, self._sum, out=self._rest)
        self._rest.div_(self._energy + rho)
        self._sum.zero_()
        self._rho = rho

    def moved(self, block: slice) -> Tensor:
        """See `LinearStep`."""
        return spectra.inverse(self._adjoint[block] * self._rest[:, None], self._size)

    def data_term(self) -> float:
        """See `LinearStep`: the residual x − Σ f*z is ρ times what `solve` found."""
        return 0.5 * self._rho**2 * float(spectra.squared_norm(self._rest, self._size))

    def residual(self) -> Tensor:
        """x − Σ f*z at the last z, (n, *size)."""
        return self._rho * spectra.inverse(self._rest, self._size)


class Masked:
    """½ ‖M (x − Σ f_k * z_k)‖² for a mask M of known voxels, by the additive mask simulation.

    B. Wohlberg, "Boundary handling for convolutional sparse representations", ICIP 2016: one more map, with a single
    voxel as its filter, is free where nothing is known and zero elsewhere, so that it explains whatever stands there.
    Its own shrinkage happens in `solve`; the other maps and the rest of ADMM are as without a mask.

    Args:
        filter_spectra: (K, ...), of `spectra.of_filters`.
        images: x, (n, *size); what stands where nothing is known has no influence.
        known: M, true where an image is known, (n, *size) or (*size).
        relaxation: α of the ADMM that this is a step of.
    """

    def __init__(self, filter_spectra: Tensor, images: Tensor, known: Tensor, relaxation: float) -> None:
        self._known = known.expand(images.shape)
        self._images = torch.where(self._known, images, torch.zeros_like(images))
        self._relaxation = relaxation
        self._rest_of = RankOne(torch.cat([filter_spectra, torch.ones_like(filter_spectra[:1])]), self._images)
        self._own = slice(len(filter_spectra), len(filter_spectra) + 1)
        self._state = torch.zeros_like(self._images)
        self._free = torch.zeros_like(self._images)
        self._rho = 0.0

    def add(self, block: slice, v: Tensor) -> None:
        """See `LinearStep`."""
        self._rest_of.add(block, v)

    def solve(self, rho: float) -> None:
        """See `LinearStep`."""
        if self._rho:  # the scaled dual variable goes with 1/ρ
            self._state = torch.where(self._known, self._state * (self._rho / rho), self._state)
        self._rho = rho
        v = torch.where(self._known, -self._state, self._state)
        self._rest_of.add(self._own, v[:, None])
        self._rest_of.solve(rho)
        self._free = v + self._rest_of.moved(self._own)[:, 0]
        kept = torch.where(self._known, torch.zeros_like(v), self._state)
        self._state = self._state + self._relaxation * (self._free - kept)

    def moved(self, block: slice) -> Tensor:
        """See `LinearStep`."""
        return self._rest_of.moved(block)

    def data_term(self) -> float:
        """See `LinearStep`."""
        left = self._rest_of.residual() + self._free
        return 0.5 * float(left[self._known].square().sum())


class Whole:
    """Any step that needs the spectra of all maps at once.

    Args:
        solve: v̂ (n, K, ...) and ρ to ẑ.
        data: ẑ to the data term.
        size: of the grid.
    """

    def __init__(
        self, solve: Callable[[Tensor, float], Tensor], data: Callable[[Tensor], float], size: Sequence[int]
    ) -> None:
        self._function, self._data, self._size = solve, data, tuple(size)
        self._parts: list[Tensor] = []
        self._v = self._z = torch.empty(0)

    def add(self, block: slice, v: Tensor) -> None:
        """See `LinearStep`; blocks come in order."""
        self._parts.append(spectra.forward(v, len(self._size)))

    def solve(self, rho: float) -> None:
        """See `LinearStep`."""
        self._v = torch.cat(self._parts, 1)
        self._parts = []
        self._z = self._function(self._v, rho)

    def moved(self, block: slice) -> Tensor:
        """See `LinearStep`."""
        return spectra.inverse(self._z[:, block] - self._v[:, block], self._size)

    def data_term(self) -> float:
        """See `LinearStep`."""
        return self._data(self._z)


def solve_rank_one(a: Tensor, r: Tensor, rho: float | Tensor) -> Tensor:
    """(a aᴴ + ρ I) ẑ = r at every frequency: ẑ = (r − a (aᴴr)/(ρ + aᴴa))/ρ, with a = conj(f̂).

    Args:
        a: (K, *frequencies).
        r: (n, K, *frequencies).
        rho: ρ.
    """
    energy = (a.real.square() + a.imag.square()).sum(0)
    along = (a.conj() * r).sum(1) / (energy + rho)
    return (r - a * along[:, None]) / rho


def solve_rank_one_beside(a: Tensor, r: Tensor, inverse: Tensor) -> Tensor:
    """(a aᴴ + M) ẑ = r with M⁻¹ = B the same at every frequency: ẑ = B r − B a (aᴴB r)/(1 + aᴴB a).

    Args:
        a: (K, *frequencies).
        r: (n, K, *frequencies).
        inverse: B, symmetric (K, K), or its diagonal (K,).
    """
    ba, br = _mixed(inverse, a[None])[0], _mixed(inverse, r)
    energy = (a.conj() * ba).real.sum(0)
    along = (a.conj() * br).sum(1) / (1 + energy)
    return br - ba * along[:, None]


def _mixed(matrix: Tensor, maps: Tensor) -> Tensor:
    """A real matrix (or diagonal) across the maps of complex (n, K, ...)."""
    if matrix.ndim == 1:
        return maps * matrix.view(-1, *[1] * (maps.ndim - 2))
    real = torch.view_as_real(maps).flatten(2)
    return torch.view_as_complex((matrix @ real).view(*maps.shape, 2))
