"""The self-ensemble: exact geometry, the mean and spread of its members, bounded memory."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import SimpleITK as sitk

from MedSRLib import images, upscaling
from MedSRLib.errors import Cancelled, OptionError
from MedSRLib.grids import Grid, scaled
from MedSRLib.inference import ensemble
from MedSRLib.inference.refinement import Refinement
from MedSRLib.inference.runtime import Runtime
from MedSRLib.methods import interpolation
from MedSRLib.progress import Progress

OBLIQUE = (0.8, 0.6, 0.0, -0.6, 0.8, 0.0, 0.0, 0.0, -1.0)
ODD = Grid((7, 10, 13), (0.9, 0.9, 2.5), (-3.0, 5.0, 9.0), OBLIQUE)
RUNTIME = Runtime()


def _noise(grid: Grid) -> sitk.Image:
    return images.from_array(np.random.default_rng(0).uniform(10, 100, grid.shape), grid)


def _sided(image: sitk.Image, grid: Grid, progress: Progress) -> sitk.Image:
    """A method that knows nothing of the patient: as many as there are voxels, counted along i."""
    return images.from_array(np.broadcast_to(np.arange(grid.size[0], dtype=np.float32), grid.shape), grid)


@pytest.mark.parametrize(
    "kind, size, spacing, count",
    [
        ("flips", (7, 10, 13), (0.9, 0.9, 2.5), 8),
        ("flips-and-rotations", (7, 10, 13), (0.9, 0.9, 2.5), 16),
        ("flips-and-rotations", (7, 10, 13), (2.5, 0.9, 0.9), 16),
        ("flips-and-rotations", (7, 10, 13), (0.8, 0.9, 2.5), 8),
        ("flips", (7, 10, 1), (0.9, 0.9, 2.5), 4),
    ],
)
def test_how_many_members_there_are(kind, size, spacing, count):
    source = dataclasses.replace(ODD, size=size, spacing=spacing)
    turns = ensemble.turns(kind, source, scaled(source, (2, 2, 1)) if spacing[0] == spacing[1] else source)
    assert len(turns) == len(set(turns)) == count
    assert turns[0] == images.Reorientation((0, 1, 2), (False, False, False))


def test_a_quarter_turn_wants_like_spacings_in_the_result_too():
    assert len(ensemble.turns("flips-and-rotations", ODD, scaled(ODD, (2, 1, 1)))) == 8


@pytest.mark.parametrize("kind", ensemble.KINDS)
@pytest.mark.parametrize("scale", [2, 1.7, (1, 1, 2.5)], ids=str)
def test_every_copy_shows_the_same_place_of_the_patient(kind, scale):
    image, wanted = _noise(ODD), scaled(ODD, scale)
    for turn in ensemble.turns(kind, ODD, wanted):
        copy = turn.image(image)
        assert Grid.of(copy).equals(turn.grid(ODD), 1e-6)
        index = np.array([(1, 2, 3), (6, 9, 12)])
        for point, (i, j, k) in zip(ODD.physical(index), index, strict=True):
            assert copy.EvaluateAtPhysicalPoint(point.tolist()) == pytest.approx(images.to_array(image)[k, j, i])
        again = turn.undo_image(images.from_array(np.zeros(turn.grid(wanted).shape), turn.grid(wanted)))
        assert Grid.of(again).equals(wanted, 1e-6)


def test_mean_and_deviation_are_those_of_the_members():
    image, wanted = _noise(ODD), scaled(ODD, 1.7)
    turns = ensemble.turns("flips-and-rotations", ODD, wanted)
    found = ensemble.average(_sided, image, wanted, turns, Progress())
    every = np.stack(
        [images.to_array(turn.undo_image(_sided(turn.image(image), turn.grid(wanted), Progress()))) for turn in turns]
    )
    np.testing.assert_allclose(images.to_array(found.mean), every.mean(axis=0), atol=1e-4)
    np.testing.assert_allclose(images.to_array(found.spread), every.std(axis=0), atol=1e-4)
    assert Grid.of(found.mean) == Grid.of(found.spread) == wanted


def test_flips_cancel_what_depends_on_the_side():
    """Voxels counted along an axis of n from either end: mean (n - 1) / 2, deviation |i - (n - 1) / 2|."""
    turns = ensemble.turns("flips", ODD, ODD)
    found = ensemble.average(_sided, _noise(ODD), ODD, turns, Progress())
    np.testing.assert_allclose(images.to_array(found.mean), 3.0, atol=1e-5)
    np.testing.assert_allclose(images.to_array(found.spread)[4, 5], [3, 2, 1, 0, 1, 2, 3], atol=1e-5)


def test_a_cancel_ends_it_between_copies():
    calls = []

    def apply(image: sitk.Image, grid: Grid, progress: Progress) -> sitk.Image:
        progress.update(1.0)
        calls.append(grid)
        return _sided(image, grid, progress)

    with pytest.raises(Cancelled):
        turns = ensemble.turns("flips", ODD, ODD)
        ensemble.average(apply, _noise(ODD), ODD, turns, Progress(cancelled=lambda: len(calls) == 3))
    assert len(calls) == 3


@pytest.mark.parametrize("method", ["linear", "bspline", "lanczos", "back-projection"])
def test_interpolation_has_no_spread_and_that_is_said(method):
    source = dataclasses.replace(ODD, size=(12, 10, 9))
    events = []
    plain = upscaling.upscale(_noise(source), method, scale=1.7, runtime=RUNTIME)
    found = upscaling.outcome(
        _noise(source), Grid.of(plain), method, ensemble="flips", runtime=RUNTIME, progress=Progress(events.append)
    )
    np.testing.assert_allclose(images.to_array(found.image), images.to_array(plain), atol=1e-3)
    assert images.to_array(found.uncertainty).max() < 1e-2
    warnings = [event["message"] for event in events if event.get("level") == "warning"]
    assert any("does not make it right" in message for message in warnings)
    fractions = [event["fraction"] for event in events if event["event"] == "progress"]
    assert fractions == sorted(fractions) and fractions[-1] == 1


def _guessing(self, image, grid, *, guides=(), model=None, runtime, progress):
    return _sided(image, grid, progress)


def test_the_uncertainty_lies_on_the_grid_of_the_result_and_says_what_it_is(monkeypatch):
    monkeypatch.setattr(interpolation.Linear, "upscale", _guessing)
    image = _noise(ODD)
    target = upscaling.target_grid(image, scale=2)
    found = upscaling.outcome(image, target, "linear", ensemble="flips", runtime=RUNTIME)
    assert Grid.of(found.uncertainty).equals(target, 1e-6)
    assert found.image.GetMetaData("MedSR_ensemble") == "flips (8 copies)"
    assert found.uncertainty.GetMetaData("MedSR_method") == "linear"
    np.testing.assert_allclose(images.to_array(found.uncertainty)[3, 4], np.abs(np.arange(14) - 6.5), atol=1e-4)


def test_on_an_oblique_grid_the_uncertainty_is_neither_negative_nor_said_of_what_was_not_seen(monkeypatch):
    monkeypatch.setattr(interpolation.Linear, "upscale", _guessing)
    like = Grid((9, 9, 9), (0.8, 0.8, 0.8), tuple(ODD.physical((-2, 3, 4))), tuple(np.eye(3).ravel()))
    found = upscaling.outcome(_noise(ODD), like, "linear", ensemble="flips", runtime=RUNTIME)
    spread = images.to_array(found.uncertainty)
    assert Grid.of(found.uncertainty) == like
    assert spread.min() == 0
    assert spread.max() > 1


def test_frames_of_a_series_have_their_own_uncertainty(monkeypatch):
    monkeypatch.setattr(interpolation.Linear, "upscale", _guessing)
    movie = sitk.JoinSeries([_noise(ODD), _noise(ODD)], 7.0, 2.5)
    found = upscaling.outcome(movie, upscaling.target_grid(movie, scale=2), ensemble="flips", method="linear")
    assert found.uncertainty.GetSize() == found.image.GetSize() == (14, 20, 26, 2)


@pytest.mark.parametrize("wish", [{"ensemble": "flips"}, {"refine": Refinement()}], ids=str)
def test_labels_are_not_averaged(wish):
    with pytest.raises(OptionError, match="label"):
        upscaling.upscale(_noise(ODD), "nearest", scale=2, runtime=RUNTIME, **wish)


def test_another_kind_is_refused_before_any_work():
    with pytest.raises(OptionError, match="flips-and-rotations"):
        upscaling.upscale(_noise(ODD), "bspline", scale=2, ensemble="mirrors", runtime=RUNTIME)
