"""The whole act of super-resolution: any user's image in, the image on the wanted grid out.

    check, repair -> voxels to canonical order -> method -> wanted grid -> pixel type, origin in the metadata

Methods work along the image's own axes and only refine; `inference.regridding` covers every other grid.
Voxels are brought to the axis order and signs nearest to LPS first: the result depends on where voxels lie in
the patient, not on how they are stored.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import SimpleITK as sitk

from MedSRLib import __version__, grids, images
from MedSRLib.errors import GridError, ModelError, OptionError, ResourceError
from MedSRLib.grids import Grid
from MedSRLib.inference import regridding
from MedSRLib.inference import runtime as runtimes
from MedSRLib.inference.runtime import Runtime
from MedSRLib.methods import registry
from MedSRLib.methods.contract import Method, MethodInfo
from MedSRLib.progress import Progress

if TYPE_CHECKING:
    from MedSRLib.models.library import Model

Factors = float | Sequence[float]

OUTPUT_TYPES = ("float32", "input")
METADATA_PREFIX = "MedSR_"


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
    guide: sitk.Image | None = None,
    model: Model | str | None = None,
    options: Mapping[str, Any] | None = None,
    runtime: Runtime | None = None,
    progress: Progress | None = None,
    output_type: Literal["float32", "input"] = "float32",
) -> sitk.Image:
    """The image, 3D or 4D, super-resolved.

    Args:
        image: any SimpleITK image of one scalar a voxel; it is left as it is.
        method: identifier of `registry.identifiers`.
        scale, spacing, like, isotropic: the wanted grid, see `target_grid`.
        guide: a sharper image of another modality of the same patient, for methods that need one.
        model: trained weights or their name, for methods that need them; by default the library's.
        options: of the method.
        runtime: device, precision, memory budget, seed; by default the best of this machine.
        progress: told how far the work is.
        output_type: "float32", or "input" for the input's pixel type (rounded and clipped to its range).

    Returns:
        The image exactly on the wanted grid, with its origin in the metadata keys ``MedSR_...``. Voxels
        outside the input's field of view hold the input's minimum.

    Raises:
        MedSRError: for anything the user can mend.
        Cancelled: if ``progress`` was asked to stop.
    """
    if output_type not in OUTPUT_TYPES:
        raise OptionError(f"There is no output type '{output_type}'.", "", "Use float32 or input.")
    progress = progress or Progress()
    images.check(image)
    target = target_grid(image, scale=scale, spacing=spacing, like=like, isotropic=isotropic)
    work = _prepared(method, options, model, guide, runtime, progress)
    frames = images.frames(image)
    _warn_of_model(work, Grid.of(frames[0]), target, progress)
    results = []
    with _memory_errors(target):
        for number, frame in enumerate(frames):
            part = progress.part(number / len(frames), (number + 1) / len(frames))
            result = _on_any_grid(work, images.prepared(frame, progress), target, part)
            results.append(result if output_type == "float32" else images.restored_type(result, like=frame))
        whole = results[0] if image.GetDimension() == 3 else images.join(results, like=image)
    for key, value in _origin(work, Grid.of(frames[0]), target).items():
        whole.SetMetaData(METADATA_PREFIX + key, str(value))
    return whole


def consistency(result: sitk.Image, image: sitk.Image, *, acquisition: str = "physical") -> sitk.Image:
    """``|A result - image|`` on the image's grid, float32: where the result contradicts what was measured.

    Args:
        result: 3D or 4D, with the directions of the image (in any order and sign).
        image: what the result was made of.
        acquisition: kind of the acquisition model A, one of `acquisition.KINDS`.

    Raises:
        GridError: if the result's directions are others.
    """
    maps = [
        _consistency(fine, images.prepared(coarse, Progress()), acquisition)
        for fine, coarse in zip(images.frames(result), images.frames(image), strict=True)
    ]
    return maps[0] if image.GetDimension() == 3 else images.join(maps, like=image)


def _consistency(result: sitk.Image, image: sitk.Image, kind: str) -> sitk.Image:
    import torch

    from MedSRLib.acquisition import build

    turn = images.canonical(Grid.of(image))
    x, y = images.canonical(Grid.of(result)).image(result), turn.image(image)
    forward = build(kind, Grid.of(x), Grid.of(y))
    again = forward.A(torch.from_numpy(images.to_array(x))).numpy()
    return turn.undo_image(images.from_array(np.abs(again - images.to_array(y)), Grid.of(y)))


@dataclass(frozen=True)
class _Work:
    """A method with all it needs."""

    method: Method
    options: Mapping[str, Any]
    model: Model | None
    guide: sitk.Image | None
    runtime: Runtime


def _prepared(
    identifier: str,
    options: Mapping[str, Any] | None,
    model: Model | str | None,
    guide: sitk.Image | None,
    runtime: Runtime | None,
    progress: Progress,
) -> _Work:
    method = registry.create(identifier, options)
    if method.info.needs_guide != (guide is not None):
        needs = "needs a" if guide is None else "takes no"
        raise OptionError(f"The method '{identifier}' {needs} guide.", "", "Mend that, or use another method.")
    return _Work(
        method,
        dict(options or {}),
        _model_of(method.info, model),
        None if guide is None else images.prepared(guide, progress),
        runtime or runtimes.choose(),
    )


def _model_of(info: MethodInfo, model: Model | str | None) -> Model | None:
    if not info.needs_model:
        if model is not None:
            raise OptionError(f"The method '{info.identifier}' takes no model.", "", "Leave it out.")
        return None
    from MedSRLib.models import library

    name = library.default(info.identifier, None) if model is None else model
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


def _on_any_grid(work: _Work, image: sitk.Image, target: Grid, progress: Progress) -> sitk.Image:
    """The prepared 3D image on the target grid, whatever its directions and spacing."""
    turn_back = images.canonical(target)
    wanted = turn_back.grid(target)
    source = images.canonical(Grid.of(image)).image(image)
    outside = regridding.outside(wanted, Grid.of(source))
    if outside is not None and outside.all():
        raise GridError(
            "The wanted grid does not overlap the image.",
            "Every voxel of it lies outside the image's field of view.",
            "Check that both images are of one patient and in one coordinate system.",
        )
    grid = regridding.working_grid(Grid.of(source), wanted)
    result = work.method.upscale(
        source, grid, guide=work.guide, model=work.model, runtime=work.runtime, progress=progress
    )
    lowest = float(images.to_array(source).min())
    if grid != wanted:
        smooth = work.method.info.identifier != "nearest"  # labels stay labels
        result = regridding.resample(result, wanted, smooth=smooth, outside=lowest)
    if outside is not None:
        progress.warn(
            f"{int(outside.sum())} voxels of the wanted grid ({outside.mean():.1%}) lie outside the image's "
            f"field of view; they are set to its minimum, {lowest:g}."
        )
        values = images.to_array(result)
        values[outside] = lowest
        result = images.from_array(values, wanted)
    result = turn_back.undo_image(result)
    result.SetOrigin(target.origin)  # equal already, but for rounding
    result.SetSpacing(target.spacing)
    result.SetDirection(target.direction)
    return result


def _warn_of_model(work: _Work, image: Grid, target: Grid, progress: Progress) -> None:
    if work.model is not None:
        from MedSRLib.models import library

        source, wanted = images.canonical(image).grid(image), images.canonical(target).grid(target)
        scale = grids.scale_between(regridding.working_grid(source, wanted), source)
        for warning in library.warnings_for(work.model.card, source.spacing, scale):
            progress.warn(warning)


def _origin(work: _Work, source: Grid, target: Grid) -> dict[str, Any]:
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


def _listed(values: Sequence[float]) -> str:
    return ",".join(f"{value:.6g}" for value in values)


@contextmanager
def _memory_errors(target: Grid) -> Iterator[None]:
    """Says what to do when memory runs out; torch tells it by a RuntimeError."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        text = str(error).lower()
        if not isinstance(error, MemoryError) and "memory" not in text and "bad_alloc" not in text:
            raise
        raise ResourceError(
            "There is not enough memory.",
            f"The result has {' × '.join(str(n) for n in target.size)} voxels.",
            "Use a smaller scale, or crop the image.",
        ) from error
