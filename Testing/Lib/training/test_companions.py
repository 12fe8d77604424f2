"""Companions: the same subject in other modalities, on the volume's grid, and never somebody else's."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from MedSRLib import images
from MedSRLib.errors import InputError
from MedSRLib.grids import Grid
from MedSRLib.manifests import Manifest, Volume
from MedSRLib.progress import Progress
from MedSRLib.training import frames
from MedSRLib.training.companions import Companion, Companions
from MedSRLib.training.recipe import DataRecipe, Recipe
from MedSRLib.training.split import split_by_subject

FINE = Grid((12, 14, 16), (1, 1, 1), (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
TURNED = Grid((32, 28, 26), (0.8, 0.9, 1.1), (19, -5, -5), (-1, 0, 0, 0, 1, 0, 0, 0, 1))


def ramp(grid: Grid) -> np.ndarray:
    """A linear function of the place in the patient."""
    k, j, i = np.indices(grid.shape)
    x, y, z = np.moveaxis(grid.physical(np.stack([i, j, k], axis=-1)), -1, 0)
    return (100 + 3 * x + 5 * y - 2 * z).astype(np.float32)


def recipe(**data) -> Recipe:
    return Recipe.model_validate({"name": "t", "method": "arssr", "data": data, "optimisation": {"steps": 1}})


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    """Two subjects with T2w, of whom one has a T1w on another grid; a T1w of the same name in another data set."""
    volumes = []
    for dataset, subject, modality, grid in (
        ("a", "one", "T2w", FINE),
        ("a", "one", "T1w", TURNED),
        ("a", "two", "T2w", FINE),
        ("b", "two", "T1w", FINE),
    ):
        path = tmp_path / f"{dataset}-{subject}-{modality}.nii.gz"
        images.write(images.from_array(ramp(grid), grid), path)
        volumes.append(Volume(path, "train", dataset, subject, modality))
    return Manifest(tuple(volumes), tmp_path)


def test_a_companion_on_another_grid_lies_where_the_volume_does(manifest: Manifest) -> None:
    split = split_by_subject(manifest, recipe(modality="T2w", guide="T1w"))
    (frame,) = frames.read(split.train.volumes, "none", Progress(), split.companions)
    assert list(frame.others) == ["T1w"]
    assert frame.others["T1w"].dtype == np.float32
    inside = (slice(2, -2),) * 3  # a cubic spline of a ramp is the ramp, but for its ends
    np.testing.assert_allclose(frame.others["T1w"][inside], ramp(FINE)[inside], atol=0.05)


def test_volumes_without_their_companion_are_left_out_and_named(manifest: Manifest) -> None:
    split = split_by_subject(manifest, recipe(modality="T2w", guide="T1w"))
    assert [v.subject for v in split.train.volumes] == ["one"]
    (warning,) = split.warnings
    assert "T1w" in warning
    assert "two" in warning
    with pytest.raises(InputError, match=r"data\.guide"):
        split_by_subject(manifest, recipe(modality="T2w", target="PD"))


def test_nothing_is_read_where_nothing_is_asked_for(manifest: Manifest) -> None:
    split = split_by_subject(manifest, recipe(modality="T2w"))
    assert len(split.train.volumes) == 2
    assert not split.warnings
    assert all(not frame.others for frame in frames.read(split.train.volumes, "none", Progress(), split.companions))


def test_of_several_guides_a_volume_gets_every_one_but_itself(manifest: Manifest) -> None:
    """Any to any: T1w guided by T2w and T2w by T1w."""
    split = split_by_subject(manifest, recipe(modality=["T1w", "T2w"], guide=["T1w", "T2w"]))
    read = frames.read(split.train.volumes, "percentile", Progress(), split.companions)
    assert [list(frame.others) for frame in read] == [["T1w"], ["T2w"]]


def test_a_companion_of_another_role_is_none(manifest: Manifest) -> None:
    """A subject's validation volume does not slip into the training by this door."""
    first, guide, *_ = manifest.volumes
    volumes = (first, dataclasses.replace(guide, role="validation"))
    with pytest.raises(InputError, match="T1w"):
        split_by_subject(Manifest(volumes, manifest.root), recipe(modality="T2w", guide="T1w"))


def test_what_a_companion_does_not_show_is_its_minimum_and_does_not_count() -> None:
    """Half of the field of view: normalised by what is shown alone."""
    half = Grid((12, 14, 8), (1, 1, 1), (0, 0, 0), FINE.direction)
    values = np.random.default_rng(0).random(half.shape, np.float32)
    found = Companion("guide", [images.from_array(values, half)]).on(FINE, 0, "min-max")
    np.testing.assert_allclose(found[:8], (values - values.min()) / np.ptp(values), atol=1e-5)
    assert (found[8:] == 0).all()


def test_a_companion_of_another_place_is_refused() -> None:
    far = Grid((4, 4, 4), (1, 1, 1), (500, 0, 0), FINE.direction)
    with pytest.raises(InputError, match="does not overlap"):
        Companion("guide", [images.from_array(np.ones(far.shape), far)]).on(FINE, 0, "none")


def test_frames_of_a_4d_companion_belong_together() -> None:
    two = [images.from_array(np.full(FINE.shape, float(n)), FINE) for n in range(2)]
    assert [float(Companion("g", two).on(FINE, n, "none").mean()) for n in (0, 1, 5)] == [0.0, 1.0, 0.0]


def test_target_and_guide_may_be_asked_for_together(manifest: Manifest) -> None:
    asked = Companions.of(manifest, DataRecipe(guide=["T1w"], target="T1w"))
    assert asked.complete(manifest.volumes[0])
    assert not asked.complete(manifest.volumes[2])
