"""A method with all it needs, applied to one prepared image on any grid.

    canonical order -> method, on turned copies if wanted -> refined to the image, if wanted -> wanted grid

Methods work along the image's own axes and only refine. `inference.ensemble` and `inference.refinement` wrap any of
them there; `inference.regridding` covers every other grid. No method knows of the three.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import SimpleITK as sitk

from MedSRLib import grids, images
from MedSRLib.errors import GridError, ModelError, OptionError
from MedSRLib.grids import Grid
from MedSRLib.inference import ensemble as ensembles
from MedSRLib.inference import refinement, regridding
from MedSRLib.inference import runtime as runtimes
from MedSRLib.inference.refinement import Refined, Refinement
from MedSRLib.inference.runtime import Runtime
from MedSRLib.methods import registry
from MedSRLib.methods.contract import Method, MethodInfo
from MedSRLib.methods.guides import Guide, guides_of, told_of
from MedSRLib.models import guiding
from MedSRLib.progress import Progress

if TYPE_CHECKING:
    from MedSRLib.methods.guides import Given
    from MedSRLib.models.library import Model

Task = tuple[Sequence[float], Sequence[float]]
"""What decides which model fits: spacing of the image in mm and the scale asked for, x, y, z in canonical order."""

_SHARE_OF_METHOD = 0.9
"""Of the progress, where a refinement follows."""


@dataclass(frozen=True)
class Application:
    """A method with all it needs, the kind of its ensemble, and how it is refined; None for neither.

    Raises:
        OptionError: for an unknown kind of ensemble, and for one, or a refinement, of labels.
    """

    method: Method
    options: Mapping[str, Any]
    model: Model | None
    guides: tuple[Guide, ...]
    runtime: Runtime
    ensemble: str | None = None
    refine: Refinement | None = None

    def __post_init__(self) -> None:
        if self.ensemble is not None:
            ensembles.check(self.ensemble)
        if self.refine is not None and self.model is not None and self.model.card.target_modality:
            raise OptionError(
                "A synthesised volume cannot be refined to its input.",
                "They show different modalities.",
                "Leave the refinement out.",
            )
        if self.of_labels and not (self.ensemble is None and self.refine is None):
            raise OptionError(
                "Nearest neighbour takes no ensemble and no refinement.",
                "It keeps labels as they are, and what is averaged or corrected is no label.",
                "Leave them out, or use another method.",
            )

    @property
    def of_labels(self) -> bool:
        """Whether the method makes no value that was not there, so that labels stay labels."""
        return self.method.info.identifier == "nearest"

    def once(self, image: sitk.Image, grid: Grid, progress: Progress) -> sitk.Image:
        """The method alone, on a prepared image."""
        return self.method.upscale(
            image, grid, guides=self.guides, model=self.model, runtime=self.runtime, progress=progress
        )


@dataclass(frozen=True)
class Made:
    """One frame: the result, its spread over an ensemble, how its refinement went, how many copies there were, and what
    was done to the guides, in words."""

    image: sitk.Image
    spread: sitk.Image | None
    refined: Refined | None
    copies: int
    guide: str = ""


def prepare(
    identifier: str,
    options: Mapping[str, Any] | None,
    model: Model | str | None,
    guide: Given,
    runtime: Runtime | None,
    progress: Progress,
    task: Task | None = None,
) -> Application:
    """The method, created, with its model found (without a name, the library's for the task) and its guides checked.

    Raises:
        MedSRError: for an unknown method or option, and for a model or guide that is missing or not taken.
    """
    method, guides = registry.create(identifier, options), guides_of(guide)
    shown = [each.modality for each in guides]
    _check_guides(method.info, bool(guides), progress)
    found = _model_of(method.info, model, task, shown)
    if found is not None and guides:
        guiding.placed(found.card, shown)
        if guiding.missing(found.card, len(guides)):
            progress.warn(
                f"The model '{found.card.name}' takes {guiding.most(found.card)} guides at once "
                f"({guiding.told(found.card)}) and is given {len(guides)}: expect less detail than with all."
            )
    return Application(
        method,
        dict(options or {}),
        found,
        tuple(replace(each, image=images.prepared(each.image, progress)) for each in guides),
        runtime or runtimes.choose(),
    )


def _check_guides(info: MethodInfo, given: bool, progress: Progress) -> None:
    if info.needs_guide and not given and info.guide_optional:
        progress.warn(f"{info.title} is given no guide and works without: expect less detail than with one.")
    elif info.needs_guide != given:
        needs = "takes no" if given else "needs a"
        raise OptionError(f"The method '{info.identifier}' {needs} guide.", "", "Mend that, or use another method.")


def task_of(image: Grid, target: Grid) -> Task:
    """The task of bringing an image on one grid to another."""
    source, wanted = images.canonical(image).grid(image), images.canonical(target).grid(target)
    return source.spacing, grids.scale_between(regridding.working_grid(source, wanted), source)


def _model_of(info: MethodInfo, model: Model | str | None, task: Task | None, shown: Sequence[str]) -> Model | None:
    if not info.needs_model:
        if model is not None:
            raise OptionError(f"The method '{info.identifier}' takes no model.", "", "Leave it out.")
        return None
    from MedSRLib.models import library

    spacing, scale = task or (None, None)
    name = library.default(info.identifier, None, spacing, scale, guides=shown) if model is None else model
    if name is None:
        raise ModelError(
            f"There is no model for the method '{info.identifier}' in the library.",
            "The method needs trained weights.",
            "Train one with `medsr train`, or import one with `medsr models import`.",
        )
    if isinstance(name, str):
        return library.load(name, info.identifier)
    if name.card.method != info.identifier:
        card = name.card
        raise ModelError(f"The model '{card.name}' is for the method '{card.method}', not '{info.identifier}'.")
    return name


def on_any_grid(work: Application, image: sitk.Image, target: Grid, progress: Progress) -> Made:
    """The prepared 3D image on the target grid, whatever its directions and spacing."""
    turn_back = images.canonical(target)
    wanted = turn_back.grid(target)
    source = images.canonical(Grid.of(image)).image(image)
    images.keep_thickness(source, like=image)
    outside = regridding.outside(wanted, Grid.of(source))
    if outside is not None and outside.all():
        raise GridError(
            "The wanted grid does not overlap the image.",
            "Every voxel of it lies outside the image's field of view.",
            "Check that both images are of one patient and in one coordinate system.",
        )
    placed = (work.method.place_guide(g, source, runtime=work.runtime, progress=progress) for g in work.guides)
    work = replace(work, guides=tuple(placed))
    made = _along_the_axes(work, source, regridding.working_grid(Grid.of(source), wanted), progress)
    changed = work.model is not None and bool(work.model.card.target_modality)
    lowest = float(images.to_array(made.image if changed else source).min())
    if outside is not None:
        progress.warn(
            f"{int(outside.sum())} voxels of the wanted grid ({outside.mean():.1%}) lie outside the image's "
            f"field of view; they are set to its minimum, {lowest:g}."
        )

    def onto_target(volume: sitk.Image, kind: str, beyond: float) -> sitk.Image:
        volume = turn_back.undo_image(regridding.onto(volume, wanted, kind, outside, beyond))
        volume.SetOrigin(target.origin)  # equal already, but for rounding
        volume.SetSpacing(target.spacing)
        volume.SetDirection(target.direction)
        return volume

    kind = "nearest" if work.of_labels else "bspline"
    spread = None if made.spread is None else onto_target(made.spread, "linear", 0.0)
    return replace(made, image=onto_target(made.image, kind, lowest), spread=spread, guide=told_of(work.guides))


def _along_the_axes(work: Application, source: sitk.Image, grid: Grid, progress: Progress) -> Made:
    """The method on a grid with the image's directions, over an ensemble and refined where that is wanted."""
    first = progress if work.refine is None else progress.part(0.0, _SHARE_OF_METHOD)
    if work.ensemble is None:
        result, spread, copies = work.once(source, grid, first), None, 1
    else:
        turns = ensembles.turns(work.ensemble, Grid.of(source), grid)
        averaged = ensembles.average(work.once, source, grid, turns, first)
        result, spread, copies = averaged.mean, averaged.spread, len(turns)
    if work.refine is None:
        return Made(result, spread, None, copies)
    last = progress.part(_SHARE_OF_METHOD, 1.0)
    refined = refinement.refine(result, source, work.refine, device=work.runtime.device, progress=last)
    return Made(refined.image, spread, refined, copies)
