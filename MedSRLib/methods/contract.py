"""What a method is: one object that states what it needs and does one thing, upscale (and fit, if it learns).

To add a method, write one file in this folder with a class that derives from `Method`, and name it in
`registry.BUILTIN` (or, in a package of your own, in the entry point group ``medsr.methods``). The command
line, the Slicer panels and the benchmark read the registry; nothing else changes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError

from MedSRLib.errors import OptionError

if TYPE_CHECKING:
    import SimpleITK as sitk

    from MedSRLib.grids import Grid
    from MedSRLib.inference.runtime import Runtime
    from MedSRLib.methods.guides import Guide, Guides
    from MedSRLib.models.card import ModelCard
    from MedSRLib.models.library import Model
    from MedSRLib.progress import Progress

FAMILIES = ("interpolation", "single-image", "through-plane", "guided", "synthesis", "dictionary")


@dataclass(frozen=True)
class MethodInfo:
    """What a user and a program may know of a method without running it.

    Attributes:
        identifier: the name on the command line and in files, lower case with hyphens.
        title: the name shown to people.
        description: one line: what it does.
        citation: authors, title, venue.
        reference: DOI or arXiv link of the citation.
        year: year of the citation.
        family: one of `FAMILIES`.
        needs_model: whether `upscale` wants trained weights.
        needs_guide: whether `upscale` wants a sharper image of another modality.
        guide_optional: whether it can do without that guide, less well, with models trained for it.
        trains_on_scan: whether the method learns on the very image it upscales.
        learns: whether `fit` exists.
        scales: the factors it can do, in words ("any real factor >= 1").
        axes: "any", "isotropic", "in-plane" or "through-plane".
        dimensionality: 2 or 3.
    """

    identifier: str
    title: str
    description: str
    citation: str
    reference: str
    year: int
    family: str
    needs_model: bool = False
    needs_guide: bool = False
    guide_optional: bool = False
    trains_on_scan: bool = False
    learns: bool = False
    scales: str = "any real factor >= 1"
    axes: str = "any"
    dimensionality: int = 3


@dataclass(frozen=True)
class Work:
    """How much one upscaling is, for an estimate of its time (`MedSRLib.estimate`).

    Attributes:
        flops: floating-point operations of networks.
        voxels: voxels of cubic resampling.
        network_bytes: what a network without a card would hold at once, where memory is not short.
    """

    flops: float = 0.0
    voxels: float = 0.0
    network_bytes: float = 0.0


class MethodOptions(BaseModel):
    """Options of a method; unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Method(ABC):
    """One super-resolution or synthesis algorithm.

    Args:
        options: values for the fields of the class's `Options`.

    Raises:
        OptionError: for an unknown option or an impossible value.
    """

    info: ClassVar[MethodInfo]
    Options: ClassVar[type[MethodOptions]] = MethodOptions

    def __init__(self, **options: Any) -> None:
        try:
            self.options: Any = self.Options(**options)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            known = ", ".join(self.Options.model_fields) or "none"
            raise OptionError(
                f"The option '{name}' of method '{self.info.identifier}' cannot be used: {first['msg']}.",
                "",
                f"Its options are: {known}.",
            ) from error

    @abstractmethod
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
        """The image on the wanted grid.

        Args:
            image: a finite 3D float32 image (`upscaling.upscale` sees to that for any user's image).
            grid: the wanted grid: same directions as the image (`grids.relate` gives a map) and nowhere
                coarser than it. Positions outside the image's field of view take its border values.
            guides: sharper images of other modalities of the same patient, if the method needs them.
            model: trained weights, if the method needs them.
            runtime: device, precision, memory budget and seed; the method chooses none of these.
            progress: told how far the work is; may raise `Cancelled`.

        Returns:
            A float32 image exactly on ``grid``. The input is left as it is. The same input, model, device
            and seed give the same output, bit for bit on CPU.
        """

    def place_guide(self, guide: Guide, image: sitk.Image, *, runtime: Runtime, progress: Progress) -> Guide:
        """A guide where `upscale` is to take it, done once an image, whatever ensemble follows; here as it is.

        Args:
            guide: of a finite 3D float32 image.
            image: the prepared image that is to be upscaled.
            runtime: of the upscaling.
            progress: told what is done to the guide.
        """
        return guide

    def work(self, source: Grid, target: Grid, card: ModelCard | None = None) -> Work:
        """How much `upscale` has to do; by default one resampling of the result.

        Args:
            source: the image's grid.
            target: the wanted grid.
            card: of the model, if the method needs one.
        """
        return Work(voxels=float(prod(target.size)))

    def fit(self, recipe: Any, data: Any, *, runtime: Runtime, progress: Progress) -> Model:
        """Train on ``data`` (a `manifests.Manifest`) by ``recipe`` and return the model.

        Raises:
            OptionError: if this method does not learn.
        """
        raise OptionError(f"The method '{self.info.identifier}' is not trained.", "It has nothing to learn.")
