"""The volumes of a training, read and normalised; the frames of a 4D volume count singly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from MedSRLib import images, intensity
from MedSRLib.grids import Grid
from MedSRLib.manifests import Volume
from MedSRLib.progress import Progress


@dataclass(frozen=True)
class Frame:
    """A normalised volume.

    Attributes:
        values: float32 (k, j, i).
        spacing: mm, k, j, i.
        group: name of its data set.
    """

    values: np.ndarray
    spacing: tuple[float, ...]
    group: str = ""


def read(volumes: tuple[Volume, ...], normalisation: str, progress: Progress) -> list[Frame]:
    """The frames of some volumes.

    Raises:
        InputError: for a volume that cannot be used.
    """
    found = []
    for volume in volumes:
        progress.check()
        for frame in images.frames(images.read(volume.path)):
            array = images.to_array(frame)
            normal = intensity.fit(normalisation, array).apply(array)
            found.append(Frame(normal, Grid.of(frame).spacing[::-1], volume.dataset))
    return found
