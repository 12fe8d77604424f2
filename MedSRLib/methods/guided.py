"""What the guided methods share: fine images of other modalities of the same patient show where edges are.

A guide may lie on any grid. It is registered to the image once (`inference.registration`), brought to the network's
own grid by physical coordinates, and normalised by what it shows of the image's field of view. Of several guides at
once each is treated so by itself and fills the channel of what it shows (`models.guiding`); a channel without a guide
is 0, as in training. Where a guide shows nothing the same network answers without it: with a set S of guides it gives

    x = Σ_S w_S x_S,      w_S = Π_{g in S} c_g Π_{g not in S} (1 - c_g)

c_g being 0 outside the field of view of guide g and rising to 1 over `_MARGIN_MM` inside its border.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from MedSRLib import grids, images, intensity
from MedSRLib.errors import GridError, ModelError, OptionError
from MedSRLib.grids import Grid
from MedSRLib.methods.contract import MethodOptions
from MedSRLib.methods.gridded import Axes, GridMethod, GridOptions, averaged, orientations
from MedSRLib.models import guiding

if TYPE_CHECKING:
    import SimpleITK as sitk
    import torch

    from MedSRLib.inference.runtime import Runtime
    from MedSRLib.methods.guides import Guide, Guides
    from MedSRLib.models.card import ModelCard
    from MedSRLib.models.library import Model
    from MedSRLib.networks.guided import Guided
    from MedSRLib.networks.queries import Queries
    from MedSRLib.progress import Progress

    Filled = tuple[Guide | None, ...]
    """What lies in each channel of a network."""

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

    def place_guide(self, guide: Guide, image: sitk.Image, *, runtime: Runtime, progress: Progress) -> Guide:
        """See `Method.place_guide`.

        Raises:
            GridError: for a guide that shows nothing of the image.
        """
        from MedSRLib.inference.registration import register

        placed = replace(guide, told="taken where it is")
        covered = _covered(Grid.of(image), Grid.of(guide.image))
        if covered == 0:
            raise GridError(
                f"The {guide.called} does not overlap the image.",
                "The two fields of view have no point in common.",
                "Check that both are of one patient and in one coordinate system.",
            )
        if self.options.registration == "rigid":
            found = register(guide.image, image, seed=runtime.seed, progress=progress)
            placed = replace(guide, image=found.guide, told=found.told)
            if not found.moved and found.worse:
                progress.warn(f"Registration made the {guide.called} fit worse: it stays where it is ({found.told}).")
            progress.log(f"The {guide.called} was {found.told}.")
            covered = _covered(Grid.of(image), Grid.of(found.guide))
        if covered < _TELLING:
            progress.warn(
                f"The {guide.called} shows {covered:.0%} of the image's field of view; beyond it the network works "
                "without."
            )
        return placed

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
            OptionError: for guides that the model does not take, and for a model that cannot do without, if one is
                missing or does not show all.
        """
        import torch

        from MedSRLib.models.building import network_of
        from MedSRLib.networks.queries import Queries

        if model is None:
            raise ModelError(f"{self.info.title} needs a trained model.", "", "Choose one of `medsr models list`.")
        network = network_of(model, self.info.identifier)
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
        filled = _filled(model.card, guides)
        sets = _sets(filled, grid)
        if not model.card.guide_optional:
            _refuse_missing(model.card, guides, any(sum(map(bool, shown)) < len(guides) for shown, _ in sets))
        result = torch.zeros(grid.shape)
        for number, (shown, weight) in enumerate(sets):
            part = progress.part(number / len(sets), (number + 1) / len(sets))
            result += torch.from_numpy(weight) * self._answered(asked, shown, runtime, part)
        return images.from_array(normalisation.invert(result.numpy()), grid)

    def _answered(self, asked: _Asked, filled: Filled, runtime: Runtime, progress: Progress) -> torch.Tensor:
        """The mean over all ways the network is laid over the image (k, j, i), with these guides."""
        import torch

        from MedSRLib.inference.gridded import evaluate

        placed: dict[Grid, torch.Tensor] = {}

        def answer(turned: torch.Tensor, queries: Queries, axes: Axes, part: Progress) -> torch.Tensor:
            own = None
            if any(filled):
                fine = asked.own_grid(axes)
                if fine not in placed:
                    placed.clear()
                    placed[fine] = torch.from_numpy(_shown(filled, fine, asked.card.normalisation))
                own = torch.stack([channel.permute(axes) for channel in placed[fine]])
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


def _filled(card: ModelCard, guides: Guides) -> Filled:
    """Which guide lies in each channel of the model."""
    filled: list[Guide | None] = [None] * len(guiding.channels(card))
    for channel, guide in zip(guiding.placed(card, [guide.modality for guide in guides]), guides, strict=True):
        filled[channel] = guide
    return tuple(filled)


def _sets(filled: Filled, grid: Grid) -> list[tuple[Filled, np.ndarray]]:
    """The sets of guides that count somewhere on a grid, and how much each counts there, float32 (k, j, i)."""
    from MedSRLib.inference import regridding

    partial = {
        channel: _share(grid, Grid.of(guide.image))
        for channel, guide in enumerate(filled)
        if guide is not None and regridding.outside(grid, Grid.of(guide.image)) is not None
    }
    found = []
    for left_out in itertools.product((False, True), repeat=len(partial)):
        weight, shown = np.ones(grid.shape, dtype=np.float32), list(filled)
        for (channel, share), away in zip(partial.items(), left_out, strict=True):
            weight *= 1 - share if away else share
            shown[channel] = None if away else filled[channel]
        if weight.any():
            found.append((tuple(shown), weight))
    return found


def _shown(filled: Filled, grid: Grid, normalisation: str) -> np.ndarray:
    """What lies in each channel, on a grid and normalised, float32 (g, k, j, i); 0 where there is no guide."""
    from MedSRLib.inference import regridding

    shown = np.zeros((len(filled), *grid.shape), dtype=np.float32)
    for channel, guide in zip(shown, filled, strict=True):
        if guide is not None:
            channel[:] = regridding.shown_on(guide.image, grid, normalisation)
    return shown


def _refuse_missing(card: ModelCard, guides: Guides, partial: bool) -> None:
    """For a model that cannot do without: refuse a guide that is missing or shows a part alone."""
    if partial or guiding.missing(card, len(guides)):
        count = guiding.most(card)
        raise OptionError(
            f"The model '{card.name}' needs {'a guide' if count == 1 else f'{count} guides'}"
            f"{' that shows the whole image' if partial else ''}.",
            "It was trained with all guides at all times, so that it has learned nothing to do without.",
            f"Give {guiding.told(card)}, or use another model.",
        )


def _covered(grid: Grid, guide: Grid) -> float:
    """Share of a grid's voxels that lie in the guide's field of view."""
    from MedSRLib.inference import regridding

    outside = regridding.outside(grid, guide)
    return 1.0 if outside is None else 1.0 - float(outside.mean())


def _share(grid: Grid, guide: Grid) -> np.ndarray:
    """How much the guide counts at each voxel, float32 (k, j, i): 0 outside, rising to 1 over `_MARGIN_MM` inside.

    Only those of the guide's faces count that a part of the grid lies beyond.
    """
    first = guide.index(grid.physical((0.0, 0.0, 0.0)))
    steps = guide.index(grid.physical(np.eye(3))) - first
    reach = steps * (np.array(grid.size)[:, None] - 1)
    lowest, highest = first + reach.clip(max=0).sum(axis=0), first + reach.clip(min=0).sum(axis=0)
    x, y = np.arange(grid.size[0]), np.arange(grid.size[1])[:, None]
    share = np.empty(grid.shape, dtype=np.float32)
    for z in range(grid.size[2]):
        inside = np.full(grid.shape[1:], np.inf)
        for axis, (n, h) in enumerate(zip(guide.size, guide.spacing, strict=True)):
            index = first[axis] + steps[0, axis] * x + steps[1, axis] * y + steps[2, axis] * z
            if lowest[axis] < -0.5:
                inside = np.minimum(inside, (index + 0.5) * h)
            if highest[axis] > n - 0.5:
                inside = np.minimum(inside, (n - 0.5 - index) * h)
        share[z] = np.clip(inside / _MARGIN_MM, 0, 1)
    return share
