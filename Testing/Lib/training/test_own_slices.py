"""Several scans of thick slices teach one model to refine such slices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from MedSRLib import images, manifests
from MedSRLib.grids import Grid, scaled
from MedSRLib.inference.runtime import Runtime
from MedSRLib.methods import registry
from MedSRLib.progress import Progress
from MedSRLib.training import recipe as recipes

THICK = Grid((36, 34, 5), (1, 1, 4), (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    folder = tmp_path / "scans"
    folder.mkdir()
    for number in range(2):
        values = np.random.default_rng(number).random(THICK.shape) * 100
        images.write(images.from_array(values, THICK), folder / f"scan{number}.nii.gz")
    return folder


def test_the_recipe_for_ones_own_slices_makes_a_model_that_refines_them(scans: Path) -> None:
    data = recipes.load(recipes.shipped()["wdsr-own-slices"]).model_dump()
    data["optimisation"]["steps"] = 2
    data["architecture"] |= {"features": 4, "expansion": 8, "blocks": 1}
    data["sampling"] |= {"scale_max": 4.0, "patch": 8, "batch": 2}
    method = registry.create("wdsr")
    model = method.fit(recipes.from_data(data), manifests.load(scans), runtime=Runtime(), progress=Progress())
    assert model.card.axes == "one" and model.card.architecture["scale"] == [6, 1]
    scan = images.read(scans / "scan0.nii.gz")
    fine = scaled(THICK, (1, 1, 4))
    result = method.upscale(scan, fine, model=model, runtime=Runtime(), progress=Progress())
    assert Grid.of(result).equals(fine)
    assert np.isfinite(images.to_array(result)).all()
