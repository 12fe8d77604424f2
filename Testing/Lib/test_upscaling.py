"""The public act: any image in, the wanted grid out."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import SimpleITK as sitk

from MedSRLib import images, upscaling
from MedSRLib.errors import GridError, MedSRError, ModelError, OptionError, ResourceError
from MedSRLib.grids import Grid, coarsened
from MedSRLib.inference.runtime import Runtime
from MedSRLib.methods.interpolation import Linear
from MedSRLib.progress import Progress
from MedSRLib.upscaling import consistency, target_grid, upscale

OBLIQUE = (0.8, 0.6, 0.0, -0.6, 0.8, 0.0, 0.0, 0.0, 1.0)
LEFT_HANDED = (0.8, 0.6, 0.0, -0.6, 0.8, 0.0, 0.0, 0.0, -1.0)
PERMUTED = (0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0)
GRIDS = {
    "oblique": Grid((13, 20, 17), (0.9, 1.0, 2.0), (-3.0, 5.0, 9.0), OBLIQUE),
    "left-handed": Grid((17, 19, 18), (1.1, 1.7, 1.0), (4.0, 0.0, -2.0), LEFT_HANDED),
    "permuted": Grid((15, 16, 14), (1.0, 1.2, 3.0), (1.0, 2.0, 3.0), PERMUTED),
    "finer than 0.8": Grid((40, 18, 17), (0.5, 1.0, 2.0), (-3.0, 5.0, 9.0), OBLIQUE),
}
SLOPE = np.array([0.31, -0.22, 0.13])  # per mm
RUNTIME = Runtime()
SMOOTH = ("linear", "cubic", "bspline", "lanczos")


def _points(grid: Grid) -> np.ndarray:
    k, j, i = np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij")
    return grid.physical(np.stack([i, j, k], axis=-1))


def _ramp(grid: Grid) -> sitk.Image:
    return images.from_array(_points(grid) @ SLOPE, grid)


def _texture(grid: Grid) -> sitk.Image:
    x, y, z = np.moveaxis(_points(grid), -1, 0)
    return images.from_array(50 + 20 * np.sin(x / 3) * np.cos(y / 2.5) + 10 * np.sin(z / 2), grid)


def _ramp_error(result: sitk.Image, source: Grid, margin: float) -> float:
    """Largest error of the ramp ``margin`` input voxels and more inside the borders."""
    points = _points(Grid.of(result))
    index = source.index(points)
    inner = ((index >= margin) & (index <= np.array(source.size) - 1 - margin)).all(axis=-1)
    assert inner.sum() > 100
    return float(np.abs(images.to_array(result) - points @ SLOPE)[inner].max())


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("method", SMOOTH)
@pytest.mark.parametrize("wish", [{"scale": 1.7}, {"scale": (1, 1, 4)}, {"spacing": 0.8}], ids=str)
def test_extents_are_kept_and_a_ramp_stays_that_ramp(name, method, wish):
    source = GRIDS[name]
    result = upscale(_ramp(source), method, runtime=RUNTIME, **wish)
    np.testing.assert_allclose(Grid.of(result).corners(), source.corners(), atol=1e-6)
    assert _ramp_error(result, source, 4) < 1e-4


@pytest.mark.parametrize("method", SMOOTH)
def test_a_ramp_stays_that_ramp_on_an_oblique_reference(method):
    source = GRIDS["left-handed"]
    angle = np.deg2rad(23)
    c, s = float(np.cos(angle)), float(np.sin(angle))
    like = Grid((30, 32, 31), (0.7, 0.8, 0.6), tuple(source.physical((3, 3, 4))), (c, 0, s, 0, 1, 0, -s, 0, c))
    result = upscale(_ramp(source), method, like=like, runtime=RUNTIME)
    assert Grid.of(result) == like
    assert _ramp_error(result, source, 5) < 1e-4


@pytest.mark.parametrize("method", ["nearest", "cubic", "back-projection"])
def test_the_result_does_not_depend_on_how_voxels_are_stored(method):
    image = _texture(GRIDS["oblique"])
    direct = upscale(image, method, scale=(1.7, 1, 2), runtime=RUNTIME)
    stored = sitk.Flip(sitk.PermuteAxes(image, [2, 0, 1]), [True, False, True])
    turned = upscale(stored, method, scale=(2, 1.7, 1), runtime=RUNTIME)
    again = sitk.PermuteAxes(sitk.Flip(turned, [True, False, True]), [1, 2, 0])
    assert Grid.of(again).equals(Grid.of(direct), 1e-6)
    np.testing.assert_allclose(images.to_array(again), images.to_array(direct), atol=1e-4)


def test_a_reference_stored_in_another_order_is_met_exactly():
    image = _texture(GRIDS["oblique"])
    plain = upscale(image, "cubic", scale=2, runtime=RUNTIME)
    turned = sitk.Flip(sitk.PermuteAxes(plain, [1, 2, 0]), [False, True, True])
    result = upscale(image, "cubic", like=turned, runtime=RUNTIME)
    assert Grid.of(result).equals(Grid.of(turned), 1e-6)
    np.testing.assert_allclose(images.to_array(result), images.to_array(turned), atol=1e-4)


@pytest.mark.parametrize("size", [(9, 8, 1), (9, 8, 2), (1, 9, 8), (2, 2, 2), (1, 1, 1)])
@pytest.mark.parametrize("method", ["nearest", "lanczos", "bspline", "back-projection"])
def test_thin_volumes_work(size, method):
    grid = dataclasses.replace(GRIDS["left-handed"], size=size)
    result = upscale(_texture(grid), method, scale=(1, 2.5, 3), runtime=RUNTIME)
    assert Grid.of(result).equals(upscaling.target_grid(_texture(grid), scale=(1, 2.5, 3)), 1e-6)
    assert np.isfinite(images.to_array(result)).all()


def test_a_coarser_axis_is_smoothed_so_that_nothing_aliases():
    grid = Grid((64, 12, 12), (0.5, 1.0, 1.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1, 0, 0, 0, 1))
    stripes = np.broadcast_to(100 * (np.arange(64) % 2), grid.shape)
    result = images.to_array(upscale(images.from_array(stripes, grid), "cubic", spacing=(2, 1, 0.5)))
    assert result.shape == (24, 12, 16)
    np.testing.assert_allclose(result[:, :, 2:-2], 50, atol=3)


def test_nearest_makes_no_new_labels_even_on_an_oblique_grid():
    grid = GRIDS["left-handed"]
    labels = np.random.default_rng(0).choice([0, 3, 7], grid.shape)
    like = Grid((20, 20, 20), (0.9, 0.9, 0.9), tuple(grid.physical((4, 4, 2))), (1.0, 0, 0, 0, 1, 0, 0, 0, 1))
    result = images.to_array(upscale(images.from_array(labels, grid), "nearest", like=like))
    assert set(np.unique(result)) <= {0, 3, 7}


@pytest.mark.parametrize("direction", [GRIDS["oblique"].direction, (1.0, 0, 0, 0, 1, 0, 0, 0, 1)])
def test_voxels_outside_the_field_of_view_get_the_minimum_and_are_counted(direction):
    source = GRIDS["oblique"]
    like = Grid((20, 20, 20), (0.9, 0.9, 1.9), tuple(source.physical((-5, 2, 2))), direction)
    events = []
    image = _texture(source)
    result = upscale(image, "linear", like=like, runtime=RUNTIME, progress=Progress(events.append))
    index = source.index(_points(like))
    outside = ((index < -0.5) | (index > np.array(source.size) - 0.5)).any(axis=-1)
    values = images.to_array(result)
    assert (values[outside] == images.to_array(image).min()).all()
    warnings = [e["message"] for e in events if e["event"] == "log" and e["level"] == "warning"]
    assert len(warnings) == 1
    assert warnings[0].startswith(f"{outside.sum()} voxels")


def test_a_grid_elsewhere_is_refused():
    far = dataclasses.replace(GRIDS["oblique"], origin=(1e4, 0.0, 0.0))
    with pytest.raises(GridError, match="does not overlap"):
        upscale(_texture(GRIDS["oblique"]), "linear", like=far, runtime=RUNTIME)


def test_the_input_is_untouched_and_its_type_comes_back_on_request():
    image = sitk.Cast(_texture(GRIDS["oblique"]), sitk.sitkInt16)
    before = sitk.GetArrayFromImage(image)
    assert upscale(image, scale=2, runtime=RUNTIME).GetPixelID() == sitk.sitkFloat32
    restored = upscale(image, scale=2, runtime=RUNTIME, output_type="input")
    assert restored.GetPixelID() == sitk.sitkInt16
    assert np.array_equal(sitk.GetArrayFromImage(image), before)
    assert not image.HasMetaDataKey("MedSR_method")


def test_four_dimensional_images_are_done_frame_by_frame():
    frames = [_texture(GRIDS["oblique"]), _ramp(GRIDS["oblique"])]
    movie = sitk.JoinSeries(frames, 7.0, 2.5)
    result = upscale(movie, "cubic", scale=(1, 2, 1), runtime=RUNTIME)
    assert result.GetSize() == (13, 40, 17, 2)
    assert (result.GetOrigin()[3], result.GetSpacing()[3]) == (7.0, 2.5)
    for number, frame in enumerate(frames):
        alone = upscale(frame, "cubic", scale=(1, 2, 1), runtime=RUNTIME)
        np.testing.assert_array_equal(sitk.GetArrayFromImage(result)[number], images.to_array(alone))


def test_the_metadata_tell_where_the_result_comes_from():
    result = upscale(
        _texture(GRIDS["oblique"]),
        "back-projection",
        scale=(1, 2, 1.5),
        options={"iterations": 2},
        runtime=RUNTIME,
    )
    found = {key: result.GetMetaData(key) for key in result.GetMetaDataKeys()}
    assert found["MedSR_method"] == "back-projection"
    assert found["MedSR_options"] == '{"iterations": 2}'
    assert found["MedSR_device"] == "cpu"
    assert found["MedSR_precision"] == "float32"
    scale = [float(v) for v in found["MedSR_scale"].split(",")]
    assert scale == pytest.approx([1, 2, 26 / 17], rel=1e-5)


def test_exactly_one_wish_says_which_grid():
    image = _texture(GRIDS["oblique"])
    assert target_grid(image, isotropic=True).spacing == pytest.approx((0.9, 1.0, 0.9), rel=0.12)
    assert target_grid(image, like=GRIDS["permuted"]) is GRIDS["permuted"]
    with pytest.raises(OptionError, match="nothing"):
        target_grid(image)
    with pytest.raises(OptionError, match="scale and spacing"):
        target_grid(image, scale=2, spacing=1)


@pytest.mark.parametrize("scale", [0, 0.5, -1, float("nan"), 1e9, (1, 2)])
def test_impossible_scales_are_refused(scale):
    with pytest.raises(GridError):
        upscale(_texture(GRIDS["oblique"]), "linear", scale=scale, runtime=RUNTIME)


def test_what_a_method_does_not_take_is_refused():
    image = _texture(GRIDS["oblique"])
    with pytest.raises(OptionError, match="no method"):
        upscale(image, "magic", scale=2, runtime=RUNTIME)
    with pytest.raises(OptionError, match="no guide"):
        upscale(image, "linear", scale=2, guide=image, runtime=RUNTIME)
    with pytest.raises(OptionError, match="no model"):
        upscale(image, "linear", scale=2, model="t1w", runtime=RUNTIME)
    with pytest.raises(OptionError, match="output type"):
        upscale(image, "linear", scale=2, output_type="int8", runtime=RUNTIME)
    with pytest.raises(ModelError, match="no model"):
        upscale(image, "arssr", scale=2, model="no-such-model", runtime=RUNTIME)


def test_running_out_of_memory_is_said_kindly(monkeypatch):
    def greedy(self, *args, **kwargs):
        raise MemoryError

    monkeypatch.setattr(Linear, "upscale", greedy)
    with pytest.raises(ResourceError, match="26 × 40 × 34"):
        upscale(_texture(GRIDS["oblique"]), "linear", scale=2, runtime=RUNTIME)


def test_other_faults_are_not_hidden(monkeypatch):
    def broken(self, *args, **kwargs):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(Linear, "upscale", broken)
    with pytest.raises(RuntimeError, match="fault of ours") as caught:
        upscale(_texture(GRIDS["oblique"]), "linear", scale=2, runtime=RUNTIME)
    assert not isinstance(caught.value, MedSRError)


@pytest.mark.parametrize("wish", [{"scale": 2}, {"scale": (1, 2, 1)}, {"spacing": 0.8}], ids=str)
def test_the_consistency_map_shows_what_contradicts_the_input(wish):
    source = coarsened(GRIDS["finer than 0.8"], (2, 1, 1))
    image = _texture(source)
    result = upscale(image, "back-projection", options={"noise": 0, "iterations": 60}, runtime=RUNTIME, **wish)
    agreed = consistency(result, image)
    assert Grid.of(agreed).equals(source, 1e-6)
    assert images.to_array(agreed).max() < 1.5
    values = images.to_array(result)
    values[values.shape[0] // 2, values.shape[1] // 2, values.shape[2] // 2] += 100
    marked = images.to_array(consistency(images.from_array(values, Grid.of(result)), image))
    k, j, i = np.unravel_index(marked.argmax(), marked.shape)
    assert np.abs(np.array([k, j, i]) - np.array(source.shape) / 2).max() <= 1.5
    assert marked.max() > 5
