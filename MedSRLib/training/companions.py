"""Other modalities of the subjects that are trained on: what guides a network, or what it should make.

A companion is a volume of the manifest with the same subject and data set in another modality. It is brought to the
grid of the volume it accompanies by physical coordinates, after a rigid registration where the recipe asks for one, and
normalised by itself within the part that both show.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import SimpleITK as sitk

from MedSRLib import images
from MedSRLib.errors import GridError, InputError
from MedSRLib.grids import Grid
from MedSRLib.inference import registration, regridding
from MedSRLib.manifests import Manifest, Volume
from MedSRLib.progress import Progress

if TYPE_CHECKING:
    from MedSRLib.training.recipe import DataRecipe


_WORTH = 1.002
"""Volumes to train on are fine, so that small rises of the mutual information count (`registration.register`)."""


@dataclass(frozen=True)
class Companion:
    """A companion's frames, read.

    Attributes:
        path: named in messages.
        frames: 3D images; one serves all frames of the volume it accompanies.
    """

    path: str
    frames: list[sitk.Image]

    def registered(self, volume: sitk.Image, progress: Progress) -> Companion:
        """Moved to where a volume, 3D, shows the same subject; all frames alike."""
        found = registration.register(_float(self.frames[0]), _float(volume), seed=0, progress=progress, worth=_WORTH)
        progress.log(f"'{self.path}' was {found.told}.")
        like = found.guide
        placed = []
        for frame in self.frames:
            frame = sitk.Image(frame)
            frame.SetOrigin(like.GetOrigin())
            frame.SetDirection(like.GetDirection())
            placed.append(frame)
        return Companion(self.path, placed)

    def on(self, grid: Grid, number: int, normalisation: str) -> np.ndarray:
        """One frame on the grid of a volume, normalised, float32 (k, j, i); its minimum where it shows nothing.

        Raises:
            InputError: if it shows no part of the grid's field of view.
        """
        image = self.frames[number if number < len(self.frames) else 0]
        try:
            return regridding.shown_on(_float(image), grid, normalisation)
        except GridError as error:
            raise InputError(
                f"'{self.path}' does not overlap the volume that it accompanies.",
                "Both are of one subject and data set, and should show one place.",
                "Correct the manifest, or the files' positions in space.",
            ) from error


@dataclass(frozen=True)
class Companions:
    """The companions of a manifest's volumes.

    Attributes:
        guides: modalities of which a volume needs at least one.
        target: the modality that each volume needs; "" for none.
        register: whether companions are registered to the volume that they accompany.
        known: the volumes by data set, subject and modality.
    """

    guides: tuple[str, ...] = ()
    target: str = ""
    register: bool = False
    known: dict[tuple[str, str], dict[str, Volume]] = field(default_factory=dict)

    @classmethod
    def of(cls, manifest: Manifest, data: DataRecipe) -> Companions:
        """Those that a recipe's ``guide`` and ``target`` ask for."""
        guides = (data.guide,) if isinstance(data.guide, str) else tuple(data.guide or ())
        wanted = {*guides, data.target} - {""}
        known: dict[tuple[str, str], dict[str, Volume]] = {}
        for volume in manifest.volumes:
            if volume.modality in wanted:
                known.setdefault((volume.dataset, volume.subject), {}).setdefault(volume.modality, volume)
        return cls(guides, data.target, data.register_others, known)

    def beside(self, volume: Volume) -> dict[str, Volume]:
        """The companions of one volume by modality; never one of its own."""
        found = self.known.get((volume.dataset, volume.subject), {})
        return {name: other for name, other in found.items() if name != volume.modality}

    def complete(self, volume: Volume) -> bool:
        """Whether the volume has a guide and its target, if those are asked for."""
        found = self.beside(volume)
        return (not self.guides or any(name in found for name in self.guides)) and (
            not self.target or self.target in found
        )

    def read(self, volume: Volume, image: sitk.Image, progress: Progress) -> dict[str, Companion]:
        """The companions of one volume, by modality.

        Args:
            volume: of the manifest.
            image: it, read.
            progress: told where registered companions went.

        Raises:
            InputError: for one that cannot be read.
        """
        found = {}
        for name, other in self.beside(volume).items():
            companion = Companion(str(other.path), images.frames(images.read(other.path, progress)))
            found[name] = companion.registered(images.frames(image)[0], progress) if self.register else companion
        return found

    def lacking(self, left_out: Collection[Volume]) -> str:
        """A sentence on the volumes that are left out because they lack a companion."""
        names = sorted({volume.subject for volume in left_out})
        shown = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
        return f"{len(left_out)} volumes have no {self._wish()} of their subject and are left out: {shown}."

    def _wish(self) -> str:
        guides = " or ".join(self.guides)
        return " and ".join(part for part in (guides and f"guide ({guides})", self.target and f"{self.target}") if part)


def _float(image: sitk.Image) -> sitk.Image:
    return sitk.Cast(image, sitk.sitkFloat32)
