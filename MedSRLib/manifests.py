"""Manifests: which volumes there are, of whom, and of what.

A manifest is a table of tab-separated values with a header line and one volume a line:

    path    subject    [role  dataset  modality  organ  licence  sha256  mask  labels  lesions  skull_stripped]

Paths (``path``, ``mask``, ``labels``, ``lesions``) are relative to the manifest; other columns are passed over. A
folder of volumes is a manifest too: each file is one subject, and nothing else is known of it.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from MedSRLib import files
from MedSRLib.errors import InputError

FILES = ("mask", "labels", "lesions")
COLUMNS = (
    "path", "subject", "role", "dataset", "modality", "organ", "licence", "sha256", *FILES, "skull_stripped"
)  # fmt: skip
REQUIRED = ("path", "subject")

Choice = str | Collection[str] | None


@dataclass(frozen=True)
class Volume:
    """One line of a manifest; what it does not say is empty.

    Attributes:
        path: the file, or the folder of a DICOM series.
        role: "train", "validation", ...
        dataset: where the volume is from.
        subject: the person; no subject may be both trained on and tested on.
        modality: "T1w", "T2w", "FLAIR", "CT", ...
        organ: "brain", ...
        licence: of the data.
        sha256: checksum of the file.
        mask: image of what counts in measurements, such as the brain; None if there is none.
        labels: image of structures, whole numbers.
        lesions: image of lesions.
        skull_stripped: "yes" (more words may follow) if the volume holds the brain and nothing else.
    """

    path: Path
    role: str = ""
    dataset: str = ""
    subject: str = ""
    modality: str = ""
    organ: str = ""
    licence: str = ""
    sha256: str = ""
    mask: Path | None = None
    labels: Path | None = None
    lesions: Path | None = None
    skull_stripped: str = ""

    @property
    def is_brain_alone(self) -> bool:
        """Whether the manifest says that the skull was stripped."""
        return self.skull_stripped.lower().startswith("yes")


@dataclass(frozen=True)
class Manifest:
    """Volumes, and the folder that holds them.

    Attributes:
        volumes: in the order of the file.
        root: the manifest's folder.
    """

    volumes: tuple[Volume, ...]
    root: Path

    def select(
        self, role: Choice = None, modality: Choice = None, dataset: Choice = None, organ: Choice = None
    ) -> Manifest:
        """The volumes with the given values, in the same order; one value, several, or None for any.

        Values must be equal to the letter: data sets tell "T1w" from "T1W".
        """
        wanted = {"role": role, "modality": modality, "dataset": dataset, "organ": organ}
        chosen = tuple(
            volume
            for volume in self.volumes
            if all(_fits(getattr(volume, name), choice) for name, choice in wanted.items())
        )
        return Manifest(chosen, self.root)


def load(path: str | Path) -> Manifest:
    """The manifest in a file, or of a folder of volumes. Whether the volumes exist is not checked.

    Raises:
        InputError: if it cannot be read, lacks a column, or a line lacks a value or repeats a path.
    """
    path = Path(path)
    if path.is_dir():
        return _of_folder(path)
    rows = _rows(path)
    volumes = tuple(_volume(row, path, line) for line, row in rows)
    for listed, times in Counter(volume.path for volume in volumes).items():
        if times > 1:
            raise InputError(f"The manifest '{path}' lists '{listed}' {times} times.", "", "List it once.")
    return Manifest(volumes, path.parent)


def spelled_once(modalities: Collection[str]) -> list[str]:
    """Each modality once, in order: of "T1W" and "T1w" the one with fewer capitals."""
    found: dict[str, str] = {}
    for name in modalities:
        other = found.setdefault(name.lower(), name)
        found[name.lower()] = min(name, other, key=lambda n: sum(map(str.isupper, n)))
    return list(found.values())


def _fits(value: str, choice: Choice) -> bool:
    if choice is None:
        return True
    return value == choice if isinstance(choice, str) else value in choice


def _of_folder(folder: Path) -> Manifest:
    found = sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and not path.name.startswith(".") and files.suffix(path) in files.VOLUME_SUFFIXES
    )
    if not found:
        raise InputError(
            f"The folder '{folder}' has no volume directly inside.",
            "",
            f"Give a manifest, or a folder with files that end in {', '.join(files.VOLUME_SUFFIXES)}.",
        )
    return Manifest(tuple(Volume(path, subject=files.stem(path)) for path in found), folder)


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """The lines of the table that are not empty, each with its number in the file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"The manifest '{path}' cannot be read.", f"{error.strerror}.", "Check the path.") from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"The manifest '{path}' is not a text file.",
            "",
            "Save it as UTF-8 text with tab-separated columns.",
        ) from error
    reader = csv.DictReader(io.StringIO(text), delimiter="\t", restval="")
    missing = [name for name in REQUIRED if name not in (reader.fieldnames or ())]
    if missing:
        raise InputError(
            f"The manifest '{path}' has no column {' and no column '.join(missing)}.",
            "Its first line names the columns, separated by tabs.",
            f"The columns are: {', '.join(COLUMNS)}; the first two are required.",
        )
    return [(reader.line_num, row) for row in reader]


def _volume(row: dict[str, str], manifest: Path, line: int) -> Volume:
    values = {name: (row.get(name) or "").strip() for name in COLUMNS}
    empty = [name for name in REQUIRED if not values[name]]
    if empty:
        raise InputError(
            f"Line {line} of the manifest '{manifest}' has no {' and no '.join(empty)}.", "", "Fill it in."
        )
    mask, labels, lesions = (manifest.parent / text if (text := values.pop(name)) else None for name in FILES)
    return Volume(manifest.parent / values.pop("path"), **values, mask=mask, labels=labels, lesions=lesions)
