"""What the guided methods share: a fine image of another modality of the same patient shows where edges are.

The guide may lie on any grid. It is registered to the image once (`inference.registration`), brought to the network's
own grid by physical coordinates, and normalised by what it shows of the image's field of view. Where the guide shows
nothing the same network answers without it; over `_MARGIN_MM` inside the guide's border one passes into the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from MedSRLib import grids, images, intensity
from MedSRLib.errors import GridError, ModelError, OptionError
from MedSRLib.grids import Grid
from MedSRLib.methods.contract import GUIDE_METADATA, MethodOptions
from MedSRLib.methods.gridded import Axes, GridMethod, GridOptions, averaged, orientations

if TYPE_CHECKING:
    import SimpleITK as sitk
    import torch

    from MedSRLib.inference.runtime import Runtime
    from MedSRLib.models.card import ModelCard
    from MedSRLib.models.library import Model
    from MedSRLib.networks.guided import Guided
    from MedSRLib.networks.queries import Queries
    from MedSRLib.progress import Progress

_MARGIN_MM = 5.0
_TELLING = 0.995
"""A guide that covers less of the image is worth a warning."""


class GuidedOptions(GridOptions):
    """Options of guided networks.

    Attributes:
        registration: "rigid" moves the guide to where the image shows the same patient, if that fits better;
            "none" takes it where it is.
    """

    registration: Literal["rigid", "none"] = "rigid"


@dataclass(frozen=True)
class _Asked:
    """What a network is asked, whatever guides it.

    Attributes:
        network: with its weights.
        card: of the model.
        image: normalised (k, j, i).
        queries: the wanted positions in it.
        source: the image's grid.
        target: the wanted grid.
    """

    network: Guided
    card: ModelCard
    image: torch.Tensor
    queries: Queries
    source: Grid
    target: Grid

    @property
    def refines(self) -> tuple[float, float, float] | None:
        """The enlargement along the network's k, j and i that a network without a scale was trained for."""
        if self.card.axes != "one":
            return None
        factor = self.card.scale_max
        return (1.0, factor, 1.0) if self.network.dimensions == 2 else (factor, 1.0, 1.0)

    def own_grid(self, axes: Axes) -> Grid:
        """The network's own grid in space, laid over the image in one way."""
        if self.network.scale is None:
            return self.target
        factors = [1.0, 1.0, 1.0]
        for axis, factor in zip(axes, self.network.scale, strict=True):
            factors[2 - axis] = float(factor)
        return grids.scaled(self.source, factors)


class GuidedMethod(GridMethod):
    """A trained network of `networks.catalogue.GUIDED_NETWORKS` under the method's identifier."""

    Options: ClassVar[type[MethodOptions]] = GuidedOptions

    def place_guide(self, guide: sitk.Image, image: sitk.Image, *, runtime: Runtime, progress: Progress) -> sitk.Image:
        """See `Method.place_guide`.

        Raises:
            GridError: for a guide that shows nothing of the image.
        """
        from MedSRLib.inference.registration import register

        told = "taken where it is"
        covered = _covered(Grid.of(image), Grid.of(guide))
        if covered == 0:
            raise GridError(
                "The guide does not overlap the image.",
                "The two fields of view have no point in common.",
                "Check that both are of one patient and in one coordinate system.",
            )
        if self.options.registration == "rigid":
            found = register(guide, image, seed=runtime.seed, progress=progress)
            guide, told = found.guide, found.told
            if not found.moved and found.worse:
                progress.warn(f"Registration made the guide fit worse, so it stays where it is ({told}).")
            progress.log(f"The guide was {told}.")
            covered = _covered(Grid.of(image), Grid.of(guide))
        if covered < _TELLING:
            progress.warn(
                f"The guide shows {covered:.0%} of the image's field of view; beyond it the network works without one."
            )
        guide = guide[:]
        guide.SetMetaData(GUIDE_METADATA, told)
        return guide

    def upscale(
        self,
        image: sitk.Image,
        grid: Grid,
        *,
        guide: sitk.Image | None = None,
        model: Model | None = None,
        runtime: Runtime,
        progress: Progress,
    ) -> sitk.Image:
        """See `Method.upscale`.

        Raises:
            ModelError: without a model, or with one of another method or architecture.
            OptionError: without a guide, or with one that does not show all, for a model that cannot do without.
        """
        import torch

        from MedSRLib.inference import regridding
        from MedSRLib.models.building import network_of
        from MedSRLib.networks.queries import Queries

        if model is None:
            raise ModelError(f"{self.info.title} needs a trained model.", "", "Choose one of `medsr models list`.")
        network = network_of(model, self.info.identifier)
        if network.guides != 1:
            raise ModelError(
                f"The model '{model.card.name}' takes {network.guides} guides at once.",
                f"{self.info.title} is given one guide.",
                "Use a model of one guide.",
            )
        where = grids.relate(grid, Grid.of(image))
        if where is None:
            raise ValueError("the grid's directions are not the image's")  # the caller's fault, not a user's
        array = images.to_array(image)
        normalisation = intensity.fit(model.card.normalisation, array)
        x, y, z = where.step
        asked = _Asked(
            network,
            model.card,
            torch.from_numpy(normalisation.apply(array)),
            Queries(where.positions(grid), (z, y, x)),
            Grid.of(image),
            grid,
        )
        outside = None if guide is None else regridding.outside(grid, Grid.of(guide))
        if guide is None or outside is not None:
            _refuse_without_guide(model.card, guide is None)
        if guide is None:
            result = self._answered(asked, None, runtime, progress)
        elif outside is None:
            result = self._answered(asked, guide, runtime, progress)
        else:
            share = torch.from_numpy(_share(grid, Grid.of(guide)))
            result = share * self._answered(asked, guide, runtime, progress.part(0.0, 0.5))
            result += (1 - share) * self._answered(asked, None, runtime, progress.part(0.5, 1.0))
        return images.from_array(normalisation.invert(result.numpy()), grid)

    def _answered(self, asked: _Asked, guide: sitk.Image | None, runtime: Runtime, progress: Progress) -> torch.Tensor:
        """The mean over all ways the network is laid over the image (k, j, i), with the guide or without."""
        import torch

        from MedSRLib.inference import regridding
        from MedSRLib.inference.gridded import evaluate

        placed: dict[Grid, torch.Tensor] = {}

        def answer(turned: torch.Tensor, queries: Queries, axes: Axes, part: Progress) -> torch.Tensor:
            own = None
            if guide is not None:
                fine = asked.own_grid(axes)
                if fine not in placed:
                    placed.clear()
                    placed[fine] = torch.from_numpy(regridding.shown_on(guide, fine, asked.card.normalisation))
                own = placed[fine].permute(axes)[None]
            return evaluate(
                asked.network,
                turned,
                queries,
                runtime=runtime,
                progress=part,
                skip_flat=self.options.skip_flat,
                guide=own,
            )

        factors = [1 / step for step in asked.queries.step]
        ways = orientations(asked.network, factors, self.options.planes, asked.refines)
        return averaged(ways, asked.image, asked.queries, answer, progress)

    def uses(self, architecture: dict[str, Any]) -> float:
        """Recurrent steps may share their weights."""
        return float(architecture.get("steps", 1)) if architecture.get("shared", False) else 1.0


def _refuse_without_guide(card: ModelCard, missing: bool) -> None:
    if not card.guide_optional:
        raise OptionError(
            f"The model '{card.name}' needs a guide{'' if missing else ' that shows the whole image'}.",
            "It was trained with a guide at all times, so that it has learned nothing to do without.",
            f"Give a guide ({', '.join(card.guide_modalities) or 'any modality'}), or use another model.",
        )


def _covered(grid: Grid, guide: Grid) -> float:
    """Share of a grid's voxels that lie in the guide's field of view."""
    from MedSRLib.inference import regridding

    outside = regridding.outside(grid, guide)
    return 1.0 if outside is None else 1.0 - float(outside.mean())


def _share(grid: Grid, guide: Grid) -> np.ndarray:
    """How much the guide counts at each voxel, float32 (k, j, i): 0 outside, rising to 1 over `_MARGIN_MM` inside."""
    first = guide.index(grid.physical((0.0, 0.0, 0.0)))
    steps = guide.index(grid.physical(np.eye(3))) - first
    x, y = np.arange(grid.size[0]), np.arange(grid.size[1])[:, None]
    share = np.empty(grid.shape, dtype=np.float32)
    for z in range(grid.size[2]):
        inside = np.full(grid.shape[1:], np.inf)
        for axis, (n, h) in enumerate(zip(guide.size, guide.spacing, strict=True)):
            index = first[axis] + steps[0, axis] * x + steps[1, axis] * y + steps[2, axis] * z
            inside = np.minimum(inside, np.minimum(index + 0.5, n - 0.5 - index) * h)
        share[z] = np.clip(inside / _MARGIN_MM, 0, 1)
    return share
