"""The acquisition model ``y = N(A x)``: a frozen object built from the wanted and the acquired grid.

A is one matrix per axis, ``A = A_k ⊗ A_j ⊗ A_i``, so everything has a closed form with the singular value
decompositions ``A_a = U_a S_a V_aᵀ`` of three small matrices:

    A_adjoint(y)         Aᵀ y
    A_dagger(y)          A⁺ y = (A_k⁺ ⊗ A_j⁺ ⊗ A_i⁺) y
    prox_l2(z, y, γ)     argmin_x γ/2 ‖A x - y‖² + ½ ‖x - z‖² = z + γ Aᵀ (I + γ A Aᵀ)⁻¹ (y - A z)

The names are those of deepinv, whose solvers can be used on these objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from MedSRLib import grids
from MedSRLib.acquisition.matrices import CORNER_ALIGNED, DROP, acquired_size, axis_matrix
from MedSRLib.acquisition.noise import Noise
from MedSRLib.errors import GridError, OptionError
from MedSRLib.grids import Grid
from MedSRLib.inference.sampling import apply_separable

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, eq=False)
class AcquisitionModel:
    """How the wanted image became the acquired one, along each axis.

    Attributes:
        wanted: grid of x.
        acquired: grid of y.
        matrices: A_k, A_j, A_i, float64, each (acquired, wanted) samples.
    """

    wanted: Grid
    acquired: Grid
    matrices: tuple[np.ndarray, np.ndarray, np.ndarray]

    def A(self, x: torch.Tensor) -> torch.Tensor:  # noqa: N802 - deepinv's name
        """The clean measurement (..., k', j', i') of the image (..., k, j, i)."""
        return _separably(x, self.matrices)

    def A_adjoint(self, y: torch.Tensor) -> torch.Tensor:  # noqa: N802
        """The exact transpose: (..., k', j', i') to (..., k, j, i)."""
        return _separably(y, [matrix.T for matrix in self.matrices])

    def A_dagger(self, y: torch.Tensor) -> torch.Tensor:  # noqa: N802
        """The image of smallest norm whose measurement is nearest to y (Moore-Penrose inverse)."""
        return _separably(y, [np.linalg.pinv(matrix) for matrix in self.matrices])

    def prox_l2(self, z: torch.Tensor, y: torch.Tensor, gamma: float) -> torch.Tensor:
        """``argmin_x gamma/2 ‖A x - y‖² + ½ ‖x - z‖²`` for z (..., k, j, i) and y (..., k', j', i')."""
        decompositions = [np.linalg.svd(matrix) for matrix in self.matrices]
        left = [u for u, _, _ in decompositions]
        squares = [_padded(s, len(u)) ** 2 for u, s, _ in decompositions]
        eigenvalues = np.einsum("k,j,i->kji", *squares)
        rotated = _separably(y - self.A(z), [u.T for u in left])
        rotated /= rotated.new_tensor(1 / gamma + eigenvalues)
        return z + self.A_adjoint(_separably(rotated, left))

    def __call__(
        self, x: torch.Tensor, noise: Noise | None = None, generator: torch.Generator | None = None
    ) -> torch.Tensor:
        """The measurement (..., k', j', i') with noise drawn from the generator.

        Raises:
            OptionError: for noise without a generator.
        """
        y = self.A(x)
        if noise is None:
            return y
        if generator is None:
            raise OptionError(
                "Noise needs a random generator.", "Results must be repeatable.", "Pass a torch.Generator."
            )
        return noise(y, generator)


def acquired_grid(kind: str, wanted: Grid, scale: float | Sequence[float]) -> Grid:
    """Where the samples of a degradation by ``scale`` (x, y, z) truly lie.

    The field of view is kept, except for `drop` and the corner-aligned kinds: their outermost samples sit on the
    outermost wanted voxels' centres, so that ``h' = h (n-1)/(n'-1)`` and the origin stays; an axis with one
    acquired sample has it in the middle. With `drop` the first wanted sample is the first acquired one, and the
    spacing is ``scale`` times the wanted one.

    Raises:
        GridError: for a scale below 1 or not finite.
    """
    coarse = grids.coarsened(wanted, scale)
    if kind not in (*CORNER_ALIGNED, DROP):
        return coarse
    factors = grids.as_triple(scale, "scale")
    size = tuple(acquired_size(kind, n, f) for n, f in zip(wanted.size, factors, strict=True))
    if kind == DROP:
        x, y, z = (h * f for h, f in zip(wanted.spacing, factors, strict=True))
        return Grid((size[0], size[1], size[2]), (x, y, z), wanted.origin, wanted.direction)
    spacing, first = [], []
    for n, m, h in zip(wanted.size, size, wanted.spacing, strict=True):
        spacing.append(h * (n - 1) / (m - 1) if m > 1 else h * n / m)
        first.append(0.0 if m > 1 else (n - 1) / 2)
    x, y, z = (float(v) for v in wanted.physical(first))
    return Grid((size[0], size[1], size[2]), (spacing[0], spacing[1], spacing[2]), (x, y, z), wanted.direction)


def build(
    kind: str,
    wanted: Grid,
    acquired: Grid,
    *,
    thickness: float | Sequence[float] | None = None,
    profile: str = "gaussian",
) -> AcquisitionModel:
    """The acquisition model between two grids with the same directions.

    Args:
        kind: one of `KINDS`.
        wanted: grid of the image we want.
        acquired: grid of the image we have.
        thickness: width of the point spread function in mm, x, y, z (or one number), where it differs from
            the acquired spacing; it acts along the coarsened axes only.
        profile: "gaussian" or "box", the shape of the point spread function.

    Raises:
        GridError: if the directions differ.
        OptionError: for an unknown kind or profile, a thickness that is not positive or not used by the kind,
            or a slice profile without thickness.
    """
    if kind == "slice-profile" and thickness is None:
        raise OptionError(
            "A slice profile needs the slice thickness.",
            "It differs from the distance of the slices.",
            "Give the thickness in mm, or use 'physical', which takes the voxel's width.",
        )
    along = grids.relate(acquired, wanted)
    if along is None:
        raise GridError(
            "The wanted and the acquired grid have different directions.",
            "The acquisition is modelled along the image's own axes.",
            "Resample one of the images to the other's directions first.",
        )
    widths = None if thickness is None else grids.as_triple(thickness, "thickness")

    def matrix(axis: int) -> np.ndarray:
        return axis_matrix(
            kind,
            wanted.size[axis],
            acquired.size[axis],
            start=along.start[axis],
            step=along.step[axis],
            width=None if widths is None else widths[axis] / wanted.spacing[axis],
            profile=profile,
        )

    return AcquisitionModel(wanted, acquired, (matrix(2), matrix(1), matrix(0)))


def _separably(x: torch.Tensor, matrices: Sequence[np.ndarray]) -> torch.Tensor:
    return apply_separable(x, [x.new_tensor(matrix) for matrix in matrices])


def _padded(values: np.ndarray, length: int) -> np.ndarray:
    return np.concatenate([values, np.zeros(length - len(values))])
