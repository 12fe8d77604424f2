"""Planes between thick slices by the mixed latent codes of their neighbours.

J. Sander, B. D. de Vos, I. Išgum, "Unsupervised super-resolution: creating high-resolution medical images from
low-resolution anisotropic examples", 2020, arXiv 2010.13172, doi:10.48550/arXiv.2010.13172; §3:

    z_α = (1-α) E(x_n) + α E(x_{n+1}),   x_α = D(z_α),   α in [0, 1]

Departures: slices keep the image's own in-plane spacing (the paper resamples to 1.4 mm; the model's card states what it
was trained at) and are not clamped; planes of the field-of-view-preserving grid lie at any α, and those beyond the
centres of the end slices are the end slices: nothing is extrapolated; in-plane refinement, if the grid wants it, is
Keys' cubic. Further departures: those of `networks.latent_autoencoder`.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

from MedSRLib import images, intensity
from MedSRLib.errors import GridError, ModelError
from MedSRLib.grids import Grid, relate, scale_between
from MedSRLib.methods.contract import Method, MethodInfo, MethodOptions, Work

if TYPE_CHECKING:
    import SimpleITK as sitk

    from MedSRLib.inference.runtime import Runtime
    from MedSRLib.methods.guides import Guides
    from MedSRLib.models.card import ModelCard
    from MedSRLib.models.library import Model
    from MedSRLib.progress import Progress

_CLEARLY = 1.2
"""The axis across the slices is refined, or is coarse, so many times as much as the next one at least."""


class SanderOptions(MethodOptions):
    """Options of the latent autoencoder.

    Attributes:
        keep_slices: planes that coincide with a slice are that slice; else its reconstruction, for a uniform texture.
            Models with a linear residual reconstruct slices exactly, so that for them both are the same.
    """

    keep_slices: bool = True


class Sander(Method):
    """Latent interpolation between slices."""

    info = MethodInfo(
        identifier="sander",
        title="Latent autoencoder (Sander)",
        description="New planes between thick slices by a trained autoencoder; learns from thick slices alone.",
        citation="J. Sander et al., Unsupervised super-resolution: creating high-resolution medical images from "
        "low-resolution anisotropic examples, 2020",
        reference="https://doi.org/10.48550/arXiv.2010.13172",
        year=2020,
        family="through-plane",
        needs_model=True,
        learns=True,
        axes="through-plane",
        dimensionality=2,
    )
    Options: ClassVar[type[MethodOptions]] = SanderOptions

    def upscale(
        self,
        image: sitk.Image,
        grid: Grid,
        *,
        guides: Guides = (),
        model: Model | None = None,
        runtime: Runtime,
        progress: Progress,
    ) -> sitk.Image:
        """See `Method.upscale`.

        Raises:
            ModelError: without a model, or with one of another method or architecture.
            GridError: if no axis stands out as the one across the slices.
        """
        import torch

        from MedSRLib.inference.between_slices import evaluate
        from MedSRLib.models.building import network_of
        from MedSRLib.networks.queries import Queries

        if model is None:
            raise ModelError(f"{self.info.title} needs a trained model.", "", "Choose one of `medsr models list`.")
        axis = across(Grid.of(image), grid)
        network = network_of(model, self.info.identifier)
        where = relate(grid, Grid.of(image))
        if where is None:
            raise ValueError("the grid's directions are not the image's")  # the caller's fault, not a user's
        array = images.to_array(image)
        normalisation = intensity.fit(model.card.normalisation, array)
        order = (axis, *(a for a in range(3) if a != axis))
        positions, step = where.positions(grid), where.step[::-1]
        k, j, i = order
        result = evaluate(
            network,
            torch.from_numpy(normalisation.apply(array)).permute(order).contiguous(),
            Queries((positions[k], positions[j], positions[i]), (step[k], step[j], step[i])),
            keep_slices=self.options.keep_slices,
            runtime=runtime,
            progress=progress,
        )
        turned_back = result.permute([order.index(a) for a in range(3)]).contiguous()
        return images.from_array(normalisation.invert(turned_back.numpy()), grid)

    def work(self, source: Grid, target: Grid, card: ModelCard | None = None) -> Work:
        """Every slice is encoded, every plane decoded (with a residual, every slice, too), each by half the network."""
        voxels = float(prod(target.size))
        if card is None:
            return Work(voxels=voxels)
        architecture = card.architecture
        features, blocks = int(architecture.get("features", 32)), int(architecture.get("blocks", 4))
        # A level has twice the width at a quarter of the pixels, so all but the first cost alike.
        half = 9 * features**2 * (1 + 1.5 * (blocks - 1))
        axis = across(source, target)
        area, slices = prod(source.shape) / source.shape[axis], source.shape[axis]
        halves = slices + target.shape[axis] + (slices if architecture.get("residual") == "linear" else 0)
        return Work(2.0 * half * area * halves, voxels)

    def fit(self, recipe: Any, data: Any, *, runtime: Runtime, progress: Progress) -> Model:
        """Train by a recipe (`training.recipe.Recipe`) on a manifest; see `training.engine`."""
        from MedSRLib.training.engine import fit

        return fit(recipe, data, runtime=runtime, progress=progress)


def across(source: Grid, target: Grid) -> int:
    """The array axis (k, j, i are 0, 1, 2) across the slices: the one refined most, or the coarsest if all are alike.

    Raises:
        GridError: if none stands out.
    """
    for measure in (scale_between(target, source), source.spacing):
        largest = max(range(3), key=lambda axis: measure[axis])
        if measure[largest] >= _CLEARLY * max(measure[a] for a in range(3) if a != largest):
            return 2 - largest
    raise GridError(
        "No axis of the image stands out as the one across thick slices.",
        f"Its spacing is {' × '.join(f'{h:.3g}' for h in source.spacing)} mm, and all axes are to be refined alike.",
        "Use a method that refines all axes, or ask for a finer spacing along one axis only.",
    )
