"""How far a result is from the scan it was made of: degraded again, it should look like it.

    d = |A x - y|

A is the acquisition assumed. A large d shows what the result claims against the measurement; a small d proves
nothing of the detail that the acquisition could not see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from MedSRLib import images
from MedSRLib.acquisition import PHYSICAL, Acquisition
from MedSRLib.errors import GridError
from MedSRLib.grids import Grid, relate
from MedSRLib.progress import Progress

if TYPE_CHECKING:
    import SimpleITK as sitk


def consistency(result: sitk.Image, image: sitk.Image, *, acquisition: Acquisition | str = PHYSICAL) -> sitk.Image:
    """``|A result - image|`` on the image's grid, float32: where the result contradicts what was measured.

    Args:
        result: 3D or 4D, with the directions of the image (in any order and sign).
        image: what the result was made of.
        acquisition: what is assumed of it, or its kind alone.

    Raises:
        GridError: if the result's directions are others.
        OptionError: for an acquisition that cannot be used.
    """
    assumed = Acquisition(acquisition) if isinstance(acquisition, str) else acquisition
    maps = [
        _consistency(fine, images.prepared(coarse, Progress()), assumed)
        for fine, coarse in zip(images.frames(result), images.frames(image), strict=True)
    ]
    return maps[0] if image.GetDimension() == 3 else images.join(maps, like=image)


def refuse_oblique(result: Grid, image: Grid) -> None:
    """Raise `GridError` if a result on one grid can have no consistency with an image on the other."""
    x, y = images.canonical(result).grid(result), images.canonical(image).grid(image)
    if relate(x, y) is None:
        raise GridError(
            "There is no consistency map of a result whose axes are oblique to the input's.",
            "The acquisition is modelled along the input's own axes.",
            "Leave the map out, or use a scale or spacing in place of the other image's grid.",
        )


def _consistency(result: sitk.Image, image: sitk.Image, acquisition: Acquisition) -> sitk.Image:
    import torch

    turn = images.canonical(Grid.of(image))
    x, y = images.canonical(Grid.of(result)).image(result), turn.image(image)
    forward = acquisition.model(Grid.of(x), Grid.of(y))
    again = forward.A(torch.from_numpy(images.to_array(x))).numpy()
    return turn.undo_image(images.from_array(np.abs(again - images.to_array(y)), Grid.of(y)))
