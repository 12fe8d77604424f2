"""What the methods of networks with a grid of their own share: orientation, normalisation, inference, training.

A network refines certain axes: all alike, one (through-plane), or the two of a slice (in-plane). It is laid over the
image so that the axes it refines are those that are enlarged most; a network of slices may be laid over it in several
ways, whose results are averaged. Axes that a network does not refine are interpolated.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from MedSRLib import images, intensity
from MedSRLib.errors import ModelError
from MedSRLib.grids import Grid, relate
from MedSRLib.methods.contract import Method, MethodOptions, Work

if TYPE_CHECKING:
    import SimpleITK as sitk
    import torch

    from MedSRLib.inference.runtime import Runtime
    from MedSRLib.methods.guides import Guides
    from MedSRLib.models.card import ModelCard
    from MedSRLib.models.library import Model
    from MedSRLib.networks.on_grid import OnGrid
    from MedSRLib.networks.queries import Queries
    from MedSRLib.progress import Progress

Axes = tuple[int, int, int]
"""Which of the image's axes (k, j, i are 0, 1, 2) lie along k, j and i of the network."""

Answer = Callable[["torch.Tensor", "Queries", Axes, "Progress"], "torch.Tensor"]
"""What a network makes of the turned image (k, j, i), asked at turned queries, the axes being where they are."""

_NORMALS = {"axial": 0, "coronal": 1, "sagittal": 2}


class GridOptions(MethodOptions):
    """Options of networks with a grid of their own.

    Attributes:
        planes: for networks of slices: "auto" takes the slices that hold the axes to be refined, all such orientations
            averaged; "three" averages axial, coronal and sagittal slices. Others take no notice of it.
        skip_flat: fill perfectly flat surroundings (the zeros around a stripped head) by cubic interpolation.
    """

    planes: Literal["auto", "axial", "coronal", "sagittal", "three"] = "auto"
    skip_flat: bool = True


class GridMethod(Method):
    """A trained network of `networks.catalogue.GRID_NETWORKS` under the method's identifier."""

    Options: ClassVar[type[MethodOptions]] = GridOptions

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
        """
        import torch

        from MedSRLib.models.building import network_of
        from MedSRLib.networks.queries import Queries

        if model is None:
            raise ModelError(f"{self.info.title} needs a trained model.", "", "Choose one of `medsr models list`.")
        network = network_of(model, self.info.identifier)
        where = relate(grid, Grid.of(image))
        if where is None:
            raise ValueError("the grid's directions are not the image's")  # the caller's fault, not a user's
        array = images.to_array(image)
        normalisation = intensity.fit(model.card.normalisation, array)
        x, y, z = where.step
        queries = Queries(where.positions(grid), (z, y, x))
        result = self._averaged(network, torch.from_numpy(normalisation.apply(array)), queries, runtime, progress)
        values = result.numpy()
        known = normalisation.invert(values) if not model.card.target_modality else values * intensity.SYNTHETIC_UNIT
        return images.from_array(known, grid)

    def _averaged(
        self, network: OnGrid, image: torch.Tensor, queries: Queries, runtime: Runtime, progress: Progress
    ) -> torch.Tensor:
        """The mean over all ways the network is laid over the image (k, j, i)."""
        from MedSRLib.inference.gridded import evaluate

        def answer(turned: torch.Tensor, asked: Queries, axes: Axes, part: Progress) -> torch.Tensor:
            skip = self.options.skip_flat
            return evaluate(network, turned, asked, runtime=runtime, progress=part, skip_flat=skip)

        ways = orientations(network, [1 / step for step in queries.step], self.options.planes)
        return averaged(ways, image, queries, answer, progress)

    def work(self, source: Grid, target: Grid, card: ModelCard | None = None) -> Work:
        """Every weight once a voxel: of the input, or of the result for networks without a scale."""
        voxels = float(prod(target.size))
        if card is None:
            return Work(voxels=voxels)
        seen = float(prod(source.size)) if card.architecture.get("scale") else voxels
        ways = 2 if "dimensions" in card.architecture and card.architecture["dimensions"] == 2 else 1
        return Work(2.0 * card.parameters * self.uses(card.architecture) * seen * ways, voxels)

    def uses(self, architecture: dict[str, Any]) -> float:
        """How often a weight is used for each voxel that the network is given; once, if it is not said otherwise."""
        return 1.0

    def fit(self, recipe: Any, data: Any, *, runtime: Runtime, progress: Progress) -> Model:
        """Train by a recipe (`training.recipe.Recipe`) on a manifest; see `training.engine`."""
        from MedSRLib.training.engine import fit

        return fit(recipe, data, runtime=runtime, progress=progress)


def averaged(
    ways: Sequence[Axes], image: torch.Tensor, queries: Queries, answer: Answer, progress: Progress
) -> torch.Tensor:
    """The mean of what a network answers in each of the ways it is laid over the image (k, j, i)."""
    from MedSRLib.networks.queries import Queries

    total: torch.Tensor | None = None
    for number, axes in enumerate(ways):
        k, j, i = axes
        turned = Queries(
            (queries.positions[k], queries.positions[j], queries.positions[i]),
            (queries.step[k], queries.step[j], queries.step[i]),
        )
        part = progress.part(number / len(ways), (number + 1) / len(ways))
        found = answer(image.permute(axes).contiguous(), turned, axes, part)
        found = found.permute(tuple(axes.index(a) for a in range(3)))
        total = found if total is None else total + found
    assert total is not None  # there is always a way
    return (total / len(ways)).contiguous()


def orientations(
    network: OnGrid, factors: Sequence[float], planes: str = "auto", refines: tuple[float, float, float] | None = None
) -> list[Axes]:
    """The ways to lay a network over an image.

    Args:
        network: its dimensions and scale decide.
        factors: enlargement along the image's k, j and i.
        planes: see `GridOptions`.
        refines: enlargement that a network without a scale is for, along its k, j and i.
    """
    scale = network.scale or refines or (1, 1, 1)
    if network.dimensions == 2 and planes != "auto":
        normals = list(_NORMALS.values()) if planes == "three" else [_NORMALS[planes]]
        return [_best([a for a in _ALL if a[0] == normal], scale, factors)[0] for normal in normals]
    if network.dimensions == 2:
        best = _best(_ALL, scale, factors)
        return [next(a for a in best if a[0] == normal) for normal in sorted({a[0] for a in best})]
    return _best(_ALL, scale, factors)[:1]


_ALL: list[Axes] = [(a, b, c) for a, b, c in itertools.permutations(range(3))]


def _best(ways: list[Axes], scale: Sequence[float], factors: Sequence[float]) -> list[Axes]:
    """Those of the ways by which the network leaves least to interpolation."""
    rest = {way: sum(max(0.0, factors[axis] - s) for axis, s in zip(way, scale, strict=True)) for way in ways}
    excess = {way: sum(max(0.0, s - factors[axis]) for axis, s in zip(way, scale, strict=True)) for way in ways}
    least = min(ways, key=lambda way: (round(rest[way], 3), round(excess[way], 3)))
    return [w for w in ways if rest[w] - rest[least] < 1e-3 and excess[w] - excess[least] < 1e-3]
