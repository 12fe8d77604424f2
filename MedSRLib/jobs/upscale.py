"""The task "upscale": settle what to use, then read, compute and write one volume."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from MedSRLib import files, images, provenance
from MedSRLib.errors import ModelError, OptionError
from MedSRLib.grids import Grid, relate, scale_between
from MedSRLib.jobs import checks
from MedSRLib.jobs.parts import DeviceParameters
from MedSRLib.jobs.upscale_job import GUIDED, UpscaleJob, UpscaleParameters

if TYPE_CHECKING:
    import SimpleITK as sitk

    from MedSRLib.acquisition import Acquisition
    from MedSRLib.inference.runtime import Runtime
    from MedSRLib.methods.contract import MethodInfo
    from MedSRLib.methods.guides import Guides
    from MedSRLib.models.library import Model
    from MedSRLib.progress import Progress
    from MedSRLib.upscaling import Outcome

MAPS = ("consistency", "uncertainty")
RESIDUALS = ("consistency_before", "consistency_after")


@dataclass(frozen=True)
class Settled:
    """All that decides on a result but the images: known to exist and to fit together."""

    parameters: UpscaleParameters
    model: Model | None
    runtime: Runtime
    acquisition: Acquisition
    methods: tuple[str, ...]
    """Those whose models may be taken; several where the job leaves the method open, too."""

    @property
    def synthetic(self) -> bool | None:
        """True where the result shows another modality than the input; None, left out of records, elsewhere."""
        from MedSRLib.methods import registry

        if self.model is not None:
            return True if self.model.card.target_modality else None
        family = registry.create(self.parameters.method, self.parameters.options).info.family
        return True if family == "synthesis" else None

    def settings(self) -> dict[str, Any]:
        """What two results must have in common to be the same, as plain data."""
        card = self.model.card if self.model else None
        return {
            **self.parameters.model_dump(mode="json", exclude={"memory_gb"}),
            "model": card.name if card else None,
            "model_sha256": card.weights_sha256 if card else None,
            "device": self.runtime.device,
            "precision": self.runtime.precision,
        }

    def chosen_for(self, image: sitk.Image, like: sitk.Image | None = None, shown: Sequence[str] = ()) -> Settled:
        """The same with the library's model for this very image and what its guides show, where the job names none."""
        from MedSRLib.methods.application import task_of
        from MedSRLib.models import library

        if self.model is None or self.parameters.model is not None:
            return self
        images.check(image)
        task = task_of(Grid.of(images.frames(image)[0]), self._target(image, like))
        wanted = self.parameters
        modality = wanted.modality or None
        return self.made_with(library.default(self.methods, modality, *task, target=wanted.target, guides=shown))

    def made_with(self, name: str | None) -> Settled:
        """The same with a model of the library, where the job names none and the library has it."""
        from MedSRLib.models import library

        if self.model is None or self.parameters.model is not None or name in (None, self.model.card.name):
            return self
        if name not in library.names() or library.card_of(name).method not in self.methods:
            return self
        model = library.load(name)
        return replace(self, model=model, parameters=self.parameters.model_copy(update={"method": model.card.method}))

    def _target(self, image: sitk.Image, like: sitk.Image | None) -> Grid:
        from MedSRLib import upscaling

        wanted = self.parameters
        return upscaling.target_grid(
            image, scale=wanted.scale, spacing=wanted.spacing, isotropic=wanted.isotropic, like=like
        )

    def apply(
        self,
        image: sitk.Image,
        progress: Progress,
        *,
        like: sitk.Image | None = None,
        guides: Guides = (),
    ) -> Outcome:
        """The image upscaled with these settings, with its uncertainty if there is an ensemble."""
        from MedSRLib import upscaling
        from MedSRLib.inference.refinement import Refinement

        wanted = self.parameters
        images.check(image)
        return upscaling.outcome(
            image,
            self._target(image, like),
            wanted.method,
            guide=guides,
            model=self.model,
            options=wanted.options,
            runtime=self.runtime,
            progress=progress,
            output_type=wanted.output_type,
            ensemble=wanted.ensemble,
            refine=Refinement(self.acquisition) if wanted.refine else None,
        )


def runtime_of(parameters: DeviceParameters) -> Runtime:
    """Device, precision, memory budget and seed as the job wants them; see `inference.runtime.choose`."""
    from MedSRLib.inference import runtime

    return runtime.choose(**parameters.model_dump(include={"device", "precision", "memory_gb", "seed"}))


def settle(parameters: UpscaleParameters) -> Settled:
    """Find the method, its options, the model and the device, before any image is read.

    Raises:
        OptionError: for an unknown method, option, ensemble or acquisition.
        ModelError: for a missing or damaged model, or one for another method.
        ResourceError: for a device that cannot be used.
    """
    from MedSRLib.acquisition import Acquisition
    from MedSRLib.inference import ensemble
    from MedSRLib.methods import registry
    from MedSRLib.models import library

    acquisition = Acquisition(parameters.acquisition, parameters.thickness)
    if parameters.ensemble is not None:
        ensemble.check(parameters.ensemble)
    methods = _methods(parameters)
    info = registry.create(methods[0], parameters.options).info
    name = parameters.model
    if name is not None and not info.needs_model:
        raise OptionError(f"The method '{info.identifier}' takes no model, but '{name}' is given.")
    if parameters.target:
        _check_target(parameters, info)
    if name is None and info.needs_model:
        name = library.default(methods, parameters.modality or None, target=parameters.target)
        if name is None:
            raise ModelError(
                f"There is no model for the method '{info.identifier}' in the library.",
                "The method needs trained weights.",
                "Give --model, train one with `medsr train`, or import one with `medsr models import`.",
            )
    model = None if name is None else library.load(name, info.identifier if len(methods) == 1 else None)
    method = info.identifier if model is None else model.card.method
    settled = parameters.model_copy(update={"method": method})
    return Settled(settled, model, runtime_of(parameters), acquisition, methods)


def _methods(parameters: UpscaleParameters) -> tuple[str, ...]:
    """The methods that the job leaves to choose from: the one it names, that of its model, or all that take a guide."""
    from MedSRLib.methods import registry
    from MedSRLib.models import library

    if parameters.method != GUIDED:
        return (parameters.method,)
    if parameters.model is not None:
        return (library.card_of(parameters.model).method,)
    return tuple(info.identifier for info in registry.infos() if info.needs_guide and info.needs_model)


def _check_target(parameters: UpscaleParameters, info: MethodInfo) -> None:
    """Refuse a modality that the method, or the model that is named, does not make, or not of this input.

    Raises:
        OptionError: for a target or a modality that no model, or more than one kind of model, fits.
    """
    from MedSRLib.models import library

    target, modality = parameters.target, parameters.modality
    named = None if parameters.model is None else library.card_of(parameters.model, info.identifier)
    makers = [c for c in ([named] if named else library.cards().values()) if c.method == info.identifier]
    makers = [c for c in makers if c.target_modality.lower() == target.lower()]
    sources = sorted({m for card in makers for m in card.modalities})
    if not makers:
        known = sorted({c.target_modality for c in library.cards().values() if c.target_modality})
        raise OptionError(
            f"{f'The model {named.name!r}' if named else f'The method {info.identifier!r}'} does not make {target}.",
            f"Models of the library make: {', '.join(known) or 'no other modality'}.",
            "Use --method weenie, or another target.",
        )
    if modality and not any(card.covers(modality) for card in makers):
        raise OptionError(f"No model makes {target} of {modality}.", "", f"It can be made of: {', '.join(sources)}.")
    if not modality and named is None and len(sources) > 1:
        raise OptionError(
            f"{target} can be made of {' or '.join(sources)}.", "", "Say what the input shows, as in --modality T1w."
        )


def perform(job: UpscaleJob, progress: Progress) -> dict[str, Any]:
    """Upscale one volume; the result names its files and tells where they came from."""
    from MedSRLib.inference import consistency
    from MedSRLib.methods.guides import Guide

    inputs = (job.inputs.image, job.inputs.like, *(guide.image for guide in job.inputs.guide))
    checks.inputs_exist(inputs)
    maps = {name: path for name in MAPS if (path := getattr(job.outputs, name)) is not None}
    checks.images_can_be_written((job.outputs.image, *maps.values()), inputs)
    settled = settle(job.parameters)
    refuse_maps(settled, maps)
    progress.stage("Reading")
    image = images.read(job.inputs.image, progress)
    like = None if job.inputs.like is None else images.read(job.inputs.like, progress)
    guides = [Guide(images.read(guide.image, progress), guide.shown) for guide in job.inputs.guide]
    if like is not None and "consistency" in maps:
        consistency.refuse_oblique(Grid.of(images.frames(like)[0]), Grid.of(images.frames(image)[0]))
    settled = settled.chosen_for(image, like, [guide.modality for guide in guides])
    progress.stage(f"Upscaling with {settled.parameters.method}")
    outcome = settled.apply(image, progress, like=like, guides=guides)
    progress.stage("Writing")
    origin = origin_of(settled, job.inputs.image, image, outcome.image)
    if job.inputs.guide:
        origin["guides"] = [guide.told() for guide in job.inputs.guide]
    write_maps(maps, settled, image, outcome, origin)
    images.write(outcome.image, job.outputs.image, provenance=origin)
    outputs = {"image": job.outputs.image, **maps}
    return {"outputs": {name: str(path) for name, path in outputs.items()}, "provenance": origin}


def refuse_maps(settled: Settled, maps: Mapping[str, Path]) -> None:
    """Raise `OptionError` for a map that the result cannot have."""
    if settled.synthetic and "consistency" in maps:
        raise OptionError(
            "A synthesised volume has no consistency map.",
            "Degraded again, it is still of another modality than the input.",
            "Leave --consistency out.",
        )


def write_maps(
    maps: Mapping[str, Path], settled: Settled, image: sitk.Image, outcome: Outcome, origin: Mapping[str, Any]
) -> None:
    """Write what tells how far a result can be trusted: files by name, one of `MAPS`."""
    from MedSRLib import upscaling

    for name, path in maps.items():
        if name == "consistency":
            made = upscaling.consistency(outcome.image, image, acquisition=settled.acquisition)
        else:
            assert outcome.uncertainty is not None  # jobs without an ensemble cannot ask for it
            made = outcome.uncertainty
        images.write(made, path, provenance={**origin, "map": name})


def origin_of(settled: Settled, source: Path, image: sitk.Image, result: sitk.Image) -> dict[str, Any]:
    """Where a result came from: input, settings, model, and its true scale (None between oblique grids)."""
    acquired, wanted = Grid.of(images.frames(image)[0]), Grid.of(images.frames(result)[0])
    return provenance.record(
        task="upscale",
        input=source.name,
        input_sha256=files.sha256(source) if source.is_file() else None,
        settings=settled.settings(),
        method=settled.parameters.method,
        synthetic=settled.synthetic,
        model=settled.model.card.name if settled.model else None,
        model_sha256=settled.model.card.weights_sha256 if settled.model else None,
        scale=list(scale_between(wanted, acquired)) if relate(wanted, acquired) else None,
        spacing=list(wanted.spacing),
        device=settled.runtime.device,
        precision=settled.runtime.precision,
        seed=settled.runtime.seed,
        **_checks(result),
    )


def _checks(result: sitk.Image) -> dict[str, Any]:
    """What the result's metadata tell of its ensemble, its guide and its refinement."""
    told = {name: f"MedSR_{name}" for name in ("ensemble", "guide", "refined", "acquisition", *RESIDUALS)}
    found = {name: result.GetMetaData(key) for name, key in told.items() if result.HasMetaDataKey(key)}
    return {name: float(text) if name in RESIDUALS else text for name, text in found.items()}
