"""Three small volumes to train on, and a recipe that takes seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from MedSRLib import images
from MedSRLib.grids import Grid

TINY = {
    "name": "tiny",
    "method": "arssr",
    "checkpoint_every": 100,
    "validate_every": 4,
    "architecture": {
        "encoder": "srresnet",
        "feature_dim": 4,
        "channels": 4,
        "blocks": 1,
        "width": 8,
        "coordinates": "local",
        "cell": True,
        "padding": "border",
        "residual": "cubic",
        "final": "linear",
    },
    "data": {"modality": "T1w", "normalisation": "percentile", "validation_subjects": 1},
    "sampling": {"patch": 8, "batch": 2, "queries": 6, "scale_max": 3.0},
    "degradation": [{"kind": "physical", "noise": 0.02}],
    "optimisation": {"rate": 1e-3, "schedule": "cosine", "clip": 1.0, "steps": 11},
}


@pytest.fixture
def tiny() -> dict:
    """A recipe as plain data, to be changed at will."""
    return {key: dict(value) if isinstance(value, dict) else value for key, value in TINY.items()}


@pytest.fixture
def volumes(tmp_path: Path) -> Path:
    """A folder of three volumes, one subject each."""
    folder = tmp_path / "volumes"
    folder.mkdir()
    for number in range(3):
        generator = np.random.default_rng(number)
        coarse = torch.from_numpy(generator.random((1, 1, 6, 6, 6), dtype=np.float32))
        fine = torch.nn.functional.interpolate(coarse, size=(26, 28, 30), mode="trilinear")[0, 0]
        grid = Grid((30, 28, 26), (1, 1, 1), (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
        images.write(images.from_array(fine.numpy() * 100, grid), folder / f"s{number}.nii.gz")
    return folder
