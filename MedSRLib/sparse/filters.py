"""The filters that suit given maps best, over many images, of limited support and norm.

    min_f  ½ Σ_n ‖x_n − Σ_k f_k * z_nk‖²   s. t.  f_k = 0 outside its support, ‖f_k‖₂ ≤ bound

by ADMM (C. Garcia-Cardona and B. Wohlberg, "Convolutional dictionary learning: a comparative review and new
algorithms", IEEE TCI 2018), at every frequency with Z (N, K) the images' maps:

    (ZᴴZ + σ I) f̂ = Zᴴ x̂ + σ (ĝ − ĥ),    g = Π(f + h),    h ← h + f − g

Π crops to the support and shortens filters that are too long. Images are streamed: `Evidence` adds up ZᴴZ and Zᴴx̂, or
keeps Z while there are fewer images than filters and solves by Woodbury's formula with N × N matrices.

Departures: σ is the mean of ZᴴZ's diagonal, so that it needs no choice; the result is never worse than the filters
before, because the data term of the last g is compared with theirs. Several targets may share their maps (the phases of
an image on a finer grid): then a filter has a part for each, and the norm is that of all parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor

from MedSRLib.sparse import spectra


class Evidence:
    """What maps and images say about the filters, image by image.

    Args:
        count: K.
        size: of the grid.
        targets: images that each set of maps explains, P.
        device: where to keep it.
        dtype: real type.
    """

    def __init__(
        self,
        count: int,
        size: Sequence[int],
        targets: int = 1,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.size, self.count, self.targets = tuple(size), count, targets
        self.images = 0
        self.energy = 0.0
        frequencies = prod(self.size[:-1]) * (self.size[-1] // 2 + 1)
        self.right = torch.zeros(frequencies, count, targets, dtype=dtype.to_complex(), device=device)
        self._kept: list[Tensor] = []
        self._gram: Tensor | None = None

    def add(self, maps: Tensor, images: Tensor) -> None:
        """Some more images.

        Args:
            maps: (n, K, *size).
            images: (n, P, *size), or (n, *size) for one target.
        """
        if images.ndim == maps.ndim - 1:
            images = images[:, None]
        d = len(self.size)
        z = spectra.forward(maps, d).flatten(2).permute(2, 0, 1)  # (F, n, K)
        x = spectra.forward(images, d).flatten(2).permute(2, 0, 1)
        self.right += z.mH @ x
        self.energy += float(images.double().square().sum())
        self.images += maps.shape[0]
        if self._gram is not None:
            self._gram += z.mH @ z
        else:
            self._kept.append(z)
            if self.images >= self.count:
                self._gram = self._added_up()
                self._kept = []

    @property
    def gram(self) -> Tensor:
        """ZᴴZ, (F, K, K)."""
        return self._added_up() if self._gram is None else self._gram

    def _added_up(self) -> Tensor:
        z = torch.cat(self._kept, 1)
        return z.mH @ z

    def times(self, f: Tensor) -> Tensor:
        """ZᴴZ f for spectra (F, K, P)."""
        if self._gram is not None:
            return self._gram @ f
        z = torch.cat(self._kept, 1)
        return z.mH @ (z @ f)

    def data_term(self, filters: Tensor) -> float:
        """½ Σ ‖x − Σ f * z‖² over all images, for filters (K, P, *support)."""
        f = self.transformed(filters)
        explained = (f.conj() * (self.times(f) - 2 * self.right)).real.sum((1, 2), dtype=torch.float64)
        last = self.size[-1] // 2 + 1
        columns = explained.view(-1, last).sum(0)
        once = columns[0] + (columns[-1] if self.size[-1] % 2 == 0 else 0)
        return 0.5 * (self.energy + float(2 * columns.sum() - once) / prod(self.size))

    def gradient(self, filters: Tensor) -> Tensor:
        """Of the data term, (K, P, *support)."""
        return self.cropped(self.times(self.transformed(filters)) - self.right, filters.shape[2:])

    def transformed(self, filters: Tensor) -> Tensor:
        """Spectra (F, K, P) of filters (K, P, *support)."""
        flat = spectra.of_filters(filters.flatten(0, 1), self.size)
        return flat.view(self.count, self.targets, -1).permute(2, 0, 1)

    def cropped(self, f: Tensor, support: Sequence[int]) -> Tensor:
        """The values (K, P, *support) on the support of filters that have these spectra (F, K, P)."""
        half = (*self.size[:-1], self.size[-1] // 2 + 1)
        grids = spectra.inverse(f.permute(1, 2, 0).reshape(-1, *half), self.size)
        return spectra.cropped(grids, support).reshape(self.count, self.targets, *support)

    def mapped(self, mapping: Tensor) -> Evidence:
        """What the same images say about the filters of maps mixed by (J, K): w_j applied to the maps."""
        found = Evidence(len(mapping), self.size, self.targets, self.right.device, self.right.real.dtype)
        w = mapping.to(self.right)
        found.right, found.images, found.energy = w @ self.right, self.images, self.energy
        found._gram = w @ self.gram @ w.T
        return found

    def weight(self) -> float:
        """The mean of ZᴴZ's diagonal."""
        if self._gram is not None:
            return float(self._gram.diagonal(dim1=1, dim2=2).real.mean())
        energy = sum(float(z.abs().square().sum()) for z in self._kept)
        return energy / (self.right.shape[0] * self.count)

    def solver(self, sigma: float) -> Solver:
        """Solves (ZᴴZ + σ I) f = r for any r."""
        return Solver(None if self._gram is None else self._gram, self._kept, sigma)


class Solver:
    """(ZᴴZ + σ I)⁻¹ at every frequency, factorised once: K × K by Cholesky, N × N by Woodbury."""

    def __init__(self, gram: Tensor | None, kept: list[Tensor], sigma: float) -> None:
        self._sigma = sigma
        self._z = None if gram is not None else torch.cat(kept, 1)
        small = self._z @ self._z.mH if self._z is not None else _copied(gram)
        small.diagonal(dim1=1, dim2=2).add_(sigma)
        self._factor = torch.linalg.cholesky(small)

    def __call__(self, r: Tensor) -> Tensor:
        """For spectra r (F, K, P)."""
        if self._z is None:
            return torch.cholesky_solve(r, self._factor)
        inner = torch.cholesky_solve(self._z @ r, self._factor)
        return (r - self._z.mH @ inner) / self._sigma


def _copied(gram: Tensor | None) -> Tensor:
    assert gram is not None  # kept spectra or their products
    return gram.clone()


@torch.no_grad()
def updated(filters: Tensor, evidence: Evidence, *, iterations: int = 10, bound: float = 1.0) -> Tensor:
    """Better filters for what was seen, or the same ones.

    Args:
        filters: (K, *support), or (K, P, *support) for P targets.
        evidence: of maps and images.
        iterations: of ADMM.
        bound: largest norm of a filter.
    """
    g = filters if evidence.targets > 1 or filters.ndim == len(evidence.size) + 2 else filters[:, None]
    support = g.shape[2:]
    sigma = max(evidence.weight(), 1e-12)
    solve = evidence.solver(sigma)
    before, best = evidence.data_term(g), g
    # h outside the support, where g is zero, is kept as a spectrum: it is what Π cut off.
    h_hat, g_hat = torch.zeros_like(evidence.right), evidence.transformed(g)
    for _ in range(iterations):
        f_hat = solve(evidence.right + sigma * (g_hat - h_hat))
        g = shortened(evidence.cropped(f_hat + h_hat, support), bound)
        g_hat = evidence.transformed(g)
        h_hat += f_hat - g_hat
    after = evidence.data_term(g)
    return (g if after < before else best).reshape(filters.shape)


def shortened(filters: Tensor, bound: float) -> Tensor:
    """Filters whose norm is larger than the bound, scaled to it."""
    shares = (bound / filters.flatten(1).norm(dim=1).clamp_min(1e-12)).clamp_max(1)
    return filters * shares.view(-1, *[1] * (filters.ndim - 1))


def drawn(images: Tensor, count: int, support: Sequence[int], generator: torch.Generator) -> Tensor:
    """Filters to start from: patches of high-pass images, by chance among the more energetic half, of unit norm.

    Args:
        images: (n, *size).
        count: K.
        support: of the filters.
        generator: on the CPU.
    """
    patches = images
    for axis, width in enumerate(support, start=1):
        patches = patches.unfold(axis, width, 1)
    starts = patches.shape[: 1 + len(support)]
    tried = torch.randint(prod(starts), (20 * count,), generator=generator)
    where = torch.unravel_index(tried.to(images.device), starts)
    chosen = patches[where]
    norms = chosen.flatten(1).norm(dim=1)
    taken = norms.argsort(descending=True)[: 10 * count]
    taken = taken[torch.randperm(len(taken), generator=generator)[:count].to(images.device)]
    return shortened(chosen[taken] / norms[taken].clamp_min(1e-12).view(-1, *[1] * len(support)), 1.0)
