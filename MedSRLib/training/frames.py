"""The volumes of a training, read and normalised; the frames of a 4D volume count singly."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from MedSRLib import images, intensity
from MedSRLib.grids import Grid
from MedSRLib.manifests import Volume
from MedSRLib.progress import Progress
from MedSRLib.training.companions import Companions


@dataclass(frozen=True)
class Frame:
    """A normalised volume.

    Attributes:
        values: float32 (k, j, i).
        spacing: mm, k, j, i.
        group: name of its data set.
        others: the same subject in other modalities, by modality: float32 (k, j, i) on the same grid.
        modality: what the volume shows, if known.
    """

    values: np.ndarray
    spacing: tuple[float, ...]
    group: str = ""
    others: dict[str, np.ndarray] = field(default_factory=dict)
    modality: str = ""


def read(
    volumes: tuple[Volume, ...], normalisation: str, progress: Progress, companions: Companions | None = None
) -> list[Frame]:
    """The frames of some volumes, with what accompanies them.

    Raises:
        InputError: for a volume that cannot be used.
    """
    found = []
    for volume in volumes:
        progress.check()
        image = images.read(volume.path)
        beside = companions.read(volume, image, progress) if companions else {}
        for number, frame in enumerate(images.frames(image)):
            array = images.to_array(frame)
            normal = intensity.fit(normalisation, array).apply(array)
            others = {name: other.on(Grid.of(frame), number, normalisation) for name, other in beside.items()}
            found.append(Frame(normal, Grid.of(frame).spacing[::-1], volume.dataset, others, volume.modality))
    return found
