"""Which volumes of a manifest a recipe trains on, and which only validate; no subject is in both."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from MedSRLib.errors import InputError
from MedSRLib.manifests import Manifest, Volume
from MedSRLib.training.companions import Companions
from MedSRLib.training.recipe import DataRecipe, Recipe


@dataclass(frozen=True)
class Split:
    """Volumes to train on and volumes to validate on; no subject is in both.

    Attributes:
        train: volumes to train on.
        validation: volumes to validate on.
        companions: the same subjects in other modalities, where the recipe asks for them.
        left_out: volumes that fit the recipe but lack a companion.
        unpaired: those, and volumes of the target modality without a source, where the recipe wants them.
    """

    train: Manifest
    validation: Manifest
    companions: Companions = field(default_factory=Companions)
    left_out: tuple[Volume, ...] = ()
    unpaired: tuple[Volume, ...] = ()

    @property
    def warnings(self) -> list[str]:
        """Sentences on what is left out."""
        return [self.companions.lacking(self.left_out)] if self.left_out else []

    @property
    def validation_subjects(self) -> list[str]:
        """Names of the subjects that are held out."""
        return subjects_of(self.validation)


def split_by_subject(manifest: Manifest, recipe: Recipe) -> Split:
    """Choose the recipe's volumes and part them by subject.

    Where the manifest says the role, modality or organ of no volume at all (a folder says nothing), the recipe's
    word is taken for it.

    Raises:
        InputError: if nothing is left to train on, or a validation subject does not exist.
    """
    d = recipe.data
    chosen = _completed(manifest, d).select(role=d.role, modality=d.modality, organ=d.organ)
    fitting = [v for v in chosen.volumes if v.dataset not in d.exclude_datasets and v.subject not in d.exclude_subjects]
    companions = Companions.of(manifest.select(role=d.role if any(v.role for v in manifest.volumes) else None), d)
    kept = Manifest(tuple(v for v in fitting if companions.complete(v)), manifest.root)
    left_out = tuple(v for v in fitting if not companions.complete(v))
    unpaired = _unpaired(manifest, d, left_out) if d.unpaired else ()
    left_out = () if unpaired else left_out
    if not kept.volumes and left_out:
        raise InputError(
            companions.lacking(left_out),
            "None is left to train on: the recipe asks for other modalities of the same subject and data set.",
            "Correct data.guide or data.target of the recipe, or the manifest.",
        )
    if not kept.volumes:
        wanted = ", ".join(f"{name} {getattr(d, name)}" for name in ("role", "modality", "organ") if getattr(d, name))
        raise InputError(
            "No volume of the manifest fits the recipe.",
            f"Wanted: {wanted or 'any'}.",
            "Correct the [data] section of the recipe, or use another manifest.",
        )
    held_out = _held_out(subjects_of(kept), d.validation_subjects)
    train = tuple(v for v in kept.volumes if v.subject not in held_out)
    held = tuple(v for v in kept.volumes if v.subject in held_out)
    without = tuple(v for v in unpaired if v.subject not in held_out)
    return Split(Manifest(train, manifest.root), Manifest(held, manifest.root), companions, left_out, without)


def _unpaired(manifest: Manifest, data: DataRecipe, lacking: tuple[Volume, ...]) -> tuple[Volume, ...]:
    """Volumes that lack the target, and volumes of the target modality whose subject has no source."""
    sources = {data.modality} if isinstance(data.modality, str) else set(data.modality or ())
    known = {(v.dataset, v.subject) for v in manifest.volumes if v.modality in sources}
    targets = _completed(manifest, data).select(role=data.role, modality=data.target, organ=data.organ).volumes
    alone = [v for v in targets if (v.dataset, v.subject) not in known]
    chosen = (*lacking, *alone) if data.target else ()
    return tuple(v for v in chosen if v.dataset not in data.exclude_datasets and v.subject not in data.exclude_subjects)


def subjects_of(manifest: Manifest) -> list[str]:
    """The subjects' names, sorted."""
    return sorted({volume.subject for volume in manifest.volumes})


def _completed(manifest: Manifest, data: DataRecipe) -> Manifest:
    """The volumes with the recipe's word in the columns that the manifest leaves empty throughout."""
    said = {name: any(getattr(volume, name) for volume in manifest.volumes) for name in ("role", "modality", "organ")}
    volumes = tuple(
        dataclasses.replace(
            volume,
            role=volume.role if said["role"] else data.role or "",
            modality=volume.modality if said["modality"] else _one(data.modality),
            organ=volume.organ if said["organ"] else data.organ or "",
        )
        for volume in manifest.volumes
    )
    return Manifest(volumes, manifest.root)


def _one(modality: str | list[str] | None) -> str:
    """The recipe's modality, if it names just one."""
    return modality if isinstance(modality, str) else (modality or [""])[0] if len(modality or []) < 2 else ""


def _held_out(subjects: list[str], wanted: list[str] | int) -> set[str]:
    """The named subjects, or so many of them, evenly spaced in the sorted list."""
    if isinstance(wanted, int):
        _refuse_all(wanted, len(subjects))
        return {subjects[(2 * n + 1) * len(subjects) // (2 * wanted)] for n in range(wanted)}
    missing = set(wanted) - set(subjects)
    if missing:
        raise InputError(
            f"The manifest has no subject {', '.join(sorted(missing))} among the chosen volumes.",
            "The recipe names them in data.validation_subjects.",
            "Correct the recipe or the manifest.",
        )
    _refuse_all(len(set(wanted)), len(subjects))
    return set(wanted)


def _refuse_all(wanted: int, count: int) -> None:
    if wanted >= count:
        raise InputError(
            f"{wanted} subjects cannot be held out: there are only {count} that fit the recipe.",
            "At least one must be left to train on.",
            "Hold out fewer, or use more volumes.",
        )
