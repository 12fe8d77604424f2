"""The whole act of super-resolution: any user's image in, the image on the wanted grid out.

    check, repair -> voxels to canonical order -> method (on turned copies, then refined to the image, if wanted)
    -> wanted grid -> pixel type, origin in the metadata

Methods work along the image's own axes and only refine; `inference.regridding` covers every other grid.
Voxels are brought to the axis order and signs nearest to LPS first: the result depends on where voxels lie in
the patient, not on how they are stored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import SimpleITK as sitk

from MedSRLib import __version__, grids, images
from MedSRLib.errors import OptionError
from MedSRLib.grids import Grid
from MedSRLib.inference import runtime as runtimes
from MedSRLib.inference.consistency import consistency
from MedSRLib.inference.refinement import Refinement
from MedSRLib.inference.runtime import Runtime
from MedSRLib.methods.application import Application, Made, Task, on_any_grid, prepare, task_of
from MedSRLib.progress import Progress

if TYPE_CHECKING:
    from MedSRLib.methods.guides import Given
    from MedSRLib.models.library import Model

Factors = float | Sequence[float]

OUTPUT_TYPES = ("float32", "input")
METADATA_PREFIX = "MedSR_"

__all__ = ["Outcome", "consistency", "outcome", "target_grid", "upscale"]


def target_grid(
    image: sitk.Image,
    *,
    scale: Factors | None = None,
    spacing: Factors | None = None,
    like: sitk.Image | Grid | None = None,
    isotropic: bool = False,
) -> Grid:
    """The grid that is wanted of an image; exactly one of the four says which.

    Args:
        image: 3D, or 4D, whose frames share a grid.
        scale: factor, or three along x, y, z, each at least 1; the field of view is kept.
        spacing: mm, or three; the field of view is kept, so the nearest spacing that divides it is taken.
        like: an image or a grid to be met exactly.
        isotropic: the finest spacing of the three along every axis.

    Raises:
        OptionError: for none or several of them.
        GridError: for a grid that cannot be produced.
    """
    wishes = {"scale": scale, "spacing": spacing, "like": like, "isotropic": isotropic or None}
    given = [name for name, wish in wishes.items() if wish is not None]
    if len(given) != 1:
        said = " and ".join(given) or "nothing"
        raise OptionError(f"The wanted grid is given by {said}.", "", f"Give exactly one of: {', '.join(wishes)}.")
    if isinstance(like, Grid):
        return like
    if like is not None:
        images.check(like, "reference grid")
        return Grid.of(images.frames(like)[0])
    grid = Grid.of(images.frames(image)[0])
    if scale is not None:
        return grids.scaled(grid, scale)
    return grids.isotropic(grid) if spacing is None else grids.with_spacing(grid, spacing)


def upscale(
    image: sitk.Image,
    method: str = "bspline",
    *,
    scale: Factors | None = None,
    spacing: Factors | None = None,
    like: sitk.Image | Grid | None = None,
    isotropic: bool = False,
    guide: Given = None,
    model: Model | str | None = None,
    options: Mapping[str, Any] | None = None,
    runtime: Runtime | None = None,
    progress: Progress | None = None,
    output_type: Literal["float32", "input"] = "float32",
    ensemble: str | None = None,
    refine: Refinement | None = None,
) -> sitk.Image:
    """The image, 3D or 4D, super-resolved; `outcome` gives its uncertainty too.

    Args:
        image: any SimpleITK image of one scalar a voxel; it is left as it is.
        method: identifier of `registry.identifiers`.
        scale, spacing, like, isotropic: the wanted grid, see `target_grid`.
        guide: a sharper image of another modality of the same patient, for methods that need one; several at once by
            what they show, as in {"T1w": image, "T2w": other}.
        model: trained weights or their name, for methods that need them; by default the library's.
        options: of the method.
        runtime: device, precision, memory budget, seed; by default the best of this machine.
        progress: told how far the work is.
        output_type: "float32", or "input" for the input's pixel type (rounded and clipped to its range).
        ensemble: one of `ensembles.KINDS`: the mean over turned copies, at as many times the time.
        refine: makes the result consistent with the image, see `inference.refinement`.

    Returns:
        The image exactly on the wanted grid, with its origin in the metadata keys ``MedSR_...``. Voxels
        outside the input's field of view hold the input's minimum.

    Raises:
        MedSRError: for anything the user can mend.
        Cancelled: if ``progress`` was asked to stop.
    """
    images.check(image)
    return outcome(
        image,
        target_grid(image, scale=scale, spacing=spacing, like=like, isotropic=isotropic),
        method,
        guide=guide,
        model=model,
        options=options,
        runtime=runtime,
        progress=progress,
        output_type=output_type,
        ensemble=ensemble,
        refine=refine,
    ).image


@dataclass(frozen=True)
class Outcome:
    """A result, and with an ensemble its uncertainty: one standard deviation over the turned copies.

    The uncertainty is float32 on the same grid and in the same unit, that of the method before any refinement; 0
    outside the input's field of view. Where the wanted grid is oblique to the input, it is an upper bound.
    """

    image: sitk.Image
    uncertainty: sitk.Image | None


def outcome(
    image: sitk.Image,
    target: Grid,
    method: str = "bspline",
    *,
    guide: Given = None,
    model: Model | str | None = None,
    options: Mapping[str, Any] | None = None,
    runtime: Runtime | None = None,
    progress: Progress | None = None,
    output_type: Literal["float32", "input"] = "float32",
    ensemble: str | None = None,
    refine: Refinement | None = None,
) -> Outcome:
    """As `upscale`, onto a grid of `target_grid`, with the uncertainty."""
    if output_type not in OUTPUT_TYPES:
        raise OptionError(f"There is no output type '{output_type}'.", "", "Use float32 or input.")
    progress = progress or Progress()
    images.check(image)
    frames = images.frames(image)
    task = task_of(Grid.of(frames[0]), target)
    work = replace(prepare(method, options, model, guide, runtime, progress, task), ensemble=ensemble, refine=refine)
    _warn_of_model(work, task, progress)
    done = []
    with runtimes.memory_errors(target.size):
        for number, frame in enumerate(frames):
            part = progress.part(number / len(frames), (number + 1) / len(frames))
            prepared = images.prepared(frame, progress)
            images.keep_thickness(prepared, like=image)
            made = on_any_grid(work, prepared, target, part)
            if output_type == "input":
                made = replace(made, image=images.restored_type(made.image, like=frame))
            done.append(made)
        spreads = [made.spread for made in done if made.spread is not None]
        whole = Outcome(_whole([made.image for made in done], image), _whole(spreads, image) if spreads else None)
    for key, value in (_origin(work, Grid.of(frames[0]), target) | _checks(work, done)).items():
        for volume in (whole.image, whole.uncertainty):
            if volume is not None:
                volume.SetMetaData(METADATA_PREFIX + key, str(value))
    return whole


def _whole(frames: Sequence[sitk.Image], image: sitk.Image) -> sitk.Image:
    return frames[0] if image.GetDimension() == 3 else images.join(frames, like=image)


def _warn_of_model(work: Application, task: Task, progress: Progress) -> None:
    if work.model is not None:
        from MedSRLib.models import library

        for warning in library.warnings_for(work.model.card, *task):
            progress.warn(warning)


def _origin(work: Application, source: Grid, target: Grid) -> dict[str, Any]:
    """What the metadata tell of the result."""
    origin = {
        "method": work.method.info.identifier,
        "options": json.dumps(dict(work.options)),
        "spacing": _listed(target.spacing),
        "device": work.runtime.device,
        "precision": work.runtime.precision,
        "seed": work.runtime.seed,
        "version": __version__,
    }
    if grids.relate(target, source) is not None:
        origin["scale"] = _listed(grids.scale_between(target, source))
    if work.model is not None:
        origin["model"] = work.model.card.name
        origin["model_sha256"] = work.model.card.weights_sha256
    return origin


def _checks(work: Application, done: Sequence[Made]) -> dict[str, Any]:
    """What the metadata tell of ensemble, guide (that of the first frame) and refinement.

    Residuals of several frames are told by their root mean square.
    """
    told: dict[str, Any] = {}
    if work.ensemble is not None:
        told["ensemble"] = f"{work.ensemble} ({done[0].copies} copies)"
    if done[0].guide:
        told["guide"] = done[0].guide
    refined = [made.refined for made in done if made.refined is not None]
    if work.refine is not None and refined:
        told["refined"] = f"{max(r.corrections for r in refined)} corrections"
        told["acquisition"] = work.refine.acquisition.described()
        for name in ("before", "after"):
            mean = sum(getattr(r, name) ** 2 for r in refined) / len(refined)
            told[f"consistency_{name}"] = f"{mean**0.5:.6g}"
    return told


def _listed(values: Sequence[float]) -> str:
    return ",".join(f"{value:.6g}" for value in values)
