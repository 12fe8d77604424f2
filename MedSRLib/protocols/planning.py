"""From a protocol and a manifest to every measurement, after a check of all that could fail later."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import SimpleITK as sitk

from MedSRLib import files, images
from MedSRLib.errors import InputError, ModelError, OptionError
from MedSRLib.evaluation import measures
from MedSRLib.inference.runtime import Runtime
from MedSRLib.manifests import Manifest, Volume
from MedSRLib.methods import registry
from MedSRLib.models import library
from MedSRLib.progress import Progress
from MedSRLib.protocols import columns, sources
from MedSRLib.protocols.cells import Case, Cell, Scan
from MedSRLib.protocols.protocol import CompetingMethod, Protocol, Volumes


def plan(protocol: Protocol, manifest: Manifest, runtime: Runtime, progress: Progress) -> list[Cell]:
    """Every measurement of the protocol, volume by volume, after a check of files, models and packages.

    Raises:
        InputError: for a volume that is missing, differs from the manifest or lacks what the protocol wants of it,
            or if none is selected.
        ModelError: for a method whose model is missing.
        OptionError: for a method that needs a guide in a group without one.
        MissingPackageError: for a measure whose package is not installed.
    """
    names = measures.chosen(columns.names(protocol))
    methods = list(_existing(protocol, progress))
    models = _Models(progress)
    cells: list[Cell] = []
    for group in protocol.volumes:
        scans = list(_scans(protocol, group, manifest, progress))
        if not scans:
            progress.warn(f"The manifest has no volume for the group '{group.label}'; it is left out.")
            continue
        competing = _fitting(methods, group, progress)
        target = group.target if isinstance(group.target, str) else (group.target or [""])[0]
        for case in (case for scan in scans for case in _cases(protocol, group, scan, names)):
            for method in competing:
                model = models.of(method, case, target)
                if model is not None:
                    cells.append(Cell(case, method, *model, sources.digest(method.identifier), runtime))
    if not cells:
        raise InputError(
            "No volume of the manifest belongs to the protocol.",
            f"It wants {'; '.join(str(g.model_dump(exclude_none=True)) for g in protocol.volumes)}.",
            "Give a manifest with such volumes, or change the protocol's [[volumes]].",
        )
    return cells


def checked_sum(path: Path, wanted: str = "") -> str:
    """SHA-256 of a volume's file.

    Raises:
        InputError: if the file is missing, or its checksum is not the manifest's.
    """
    if not path.is_file():
        raise InputError(f"The volume '{path}' of the manifest is not a file.", "", "Check the manifest's paths.")
    found = files.sha256(path)
    if wanted and found != wanted.lower():
        raise InputError(
            f"The volume '{path}' is not the one of the manifest.",
            f"Its SHA-256 is {found[:12]}…, the manifest says {wanted[:12]}…",
            "Fetch it again, or correct the manifest.",
        )
    return found


def _scans(protocol: Protocol, group: Volumes, manifest: Manifest, progress: Progress) -> Iterator[Scan]:
    """The group's volumes; those whose subject lacks the guide's or target's modality are left out with a warning."""
    chosen = manifest.select(role=group.role, modality=group.modality, dataset=group.dataset, organ=group.organ)
    for volume in chosen.volumes:
        progress.check()
        paths, sums = {"volume": volume.path}, {"volume": checked_sum(volume.path, volume.sha256)}
        others = {part: name for part in ("guide", "target") if (name := getattr(group, part)) is not None}
        lacking = None
        for part, modality in others.items():
            other = _other(manifest, volume, modality)
            if other is None:
                lacking = f"{modality if isinstance(modality, str) else ' or '.join(modality)} as {part}"
            else:
                paths[part], sums[part] = other.path, checked_sum(other.path, other.sha256)
        if lacking:
            progress.warn(f"The subject '{volume.subject}' has no {lacking}; it is left out of '{group.label}'.")
            continue
        for part, path in _beside(protocol, volume):
            paths[part], sums[part] = path, checked_sum(path)
        yield Scan(volume, paths, sums)


def _other(manifest: Manifest, volume: Volume, modality: str | list[str]) -> Volume | None:
    """The same subject's volume of another modality, in the same data set and role."""
    found = manifest.select(role=volume.role or None, modality=modality, dataset=volume.dataset or None).volumes
    return next((other for other in found if other.subject == volume.subject), None)


def _beside(protocol: Protocol, volume: Volume) -> Iterator[tuple[str, Path]]:
    """The masks and labels of a volume that the protocol uses.

    Raises:
        InputError: if it needs one that the manifest does not name.
    """
    needs = {measures.MEASURES[name].input for name in columns.names(protocol)}
    if protocol.protocol.mask == "brain":
        if volume.mask is not None:
            yield "mask", volume.mask
        elif not volume.is_brain_alone:
            raise _lacks(volume, "brain mask", "mask", " or say `yes` in its column `skull_stripped`")
    if measures.LABELS in needs and volume.labels is not None:
        yield "labels", volume.labels
    if measures.LESIONS in needs:
        if volume.lesions is None:
            raise _lacks(volume, "mask of lesions", "lesions", "")
        yield "lesions", volume.lesions


def _lacks(volume: Volume, what: str, column: str, otherwise: str) -> InputError:
    return InputError(
        f"The volume '{volume.path.name}' has no {what}.",
        "The protocol measures inside it.",
        f"Name a file in the manifest's column `{column}`{otherwise}.",
    )


def _cases(protocol: Protocol, group: Volumes, scan: Scan, names: tuple[str, ...]) -> Iterator[Case]:
    header = protocol.protocol
    for frame in _frames(group, scan.paths["volume"]):
        for degradation in protocol.degradation:
            for scale in header.scales:
                for rotation in header.rotations:
                    yield Case(group, scan, frame, degradation, scale, rotation, header.mask, names, header.seed)


def _frames(group: Volumes, path: Path) -> list[int | None]:
    """The frames to use of a 4D volume, spread evenly; [None] for a 3D one."""
    count = _frame_count(path)
    if count is None:
        return [None]
    wanted = min(group.frames or count, count)
    return [round(n * (count - 1) / max(1, wanted - 1)) for n in range(wanted)]


def _frame_count(path: Path) -> int | None:
    """How many frames a volume has, None if it is 3D; its header tells, where SimpleITK takes it."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
        size = reader.GetSize()
    except RuntimeError:  # files that `images.read` mends
        size = images.read(path).GetSize()
    return int(size[3]) if len(size) == 4 else None


def _existing(protocol: Protocol, progress: Progress) -> Iterator[CompetingMethod]:
    """The methods there are; optional ones that are not there are told of."""
    for method in protocol.method:
        try:
            registry.get(method.identifier)
        except OptionError as error:
            if not method.optional:
                raise
            progress.warn(f"'{method.label}' is left out: {error.what}")
            continue
        yield method


def _fitting(methods: list[CompetingMethod], group: Volumes, progress: Progress) -> list[CompetingMethod]:
    """The methods that can run on the group: those that need a guide only where it has one.

    Raises:
        OptionError: for one that cannot and is not optional.
    """
    fitting = []
    for method in methods:
        if method.guide and registry.get(method.identifier).info.needs_guide and group.guide is None:
            told = f"The method '{method.label}' needs a guide, and the group '{group.label}' names none."
            if not method.optional:
                raise OptionError(told, "", 'Give the group one, such as guide = "T1w".')
            progress.warn(f"{told} It is left out there.")
        else:
            fitting.append(method)
    return fitting


class _Models:
    """The model that each method will use; those that are optional and missing are told of once."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._found: dict[tuple[str, str | None, str, str], tuple[str | None, str | None] | None] = {}

    def of(self, method: CompetingMethod, case: Case, target: str = "") -> tuple[str | None, str | None] | None:
        """Name and checksum of the model, both None for a method without; None if it is optional and missing.

        Raises:
            ModelError: for a missing model of a method that is not optional.
        """
        modality, named = case.scan.volume.modality, method.model_for(case.degradation, case.scale)
        key = (method.label, named, modality, target)
        if key not in self._found:
            self._found[key] = self._search(method, named, modality or None, target)
        return self._found[key]

    def _search(
        self, method: CompetingMethod, named: str | None, modality: str | None, target: str
    ) -> tuple[str | None, str | None] | None:
        if not registry.get(method.identifier).info.needs_model:
            return None, None
        name = named or library.default(method.identifier, modality, target=target)
        name = name or library.default(method.identifier, modality)  # it keeps the modality, and is shown as it is
        try:
            if name is None:
                raise ModelError(
                    f"The library has no model of method '{method.identifier}'.",
                    "",
                    "Train or import one, or name one in the protocol.",
                )
            return name, library.card_of(name, method.identifier).weights_sha256
        except ModelError as error:
            if not method.optional:
                raise
            self._progress.warn(f"'{method.label}' is left out: {error.what}")
            return None
