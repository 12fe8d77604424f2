"""All volumes are sampled at the same places of the patient, so one landmark is at one mm in all profiles."""

from __future__ import annotations

import csv

import numpy as np
import pytest

ALL = [
    ("plain", "none"),
    ("oblique", "rigid"),
    ("left-handed", "scaling"),
    ("oblique", "shear"),
    ("left-handed", "bspline"),
    ("oblique", "grid"),
    ("plain", "rigid under bspline"),
]


@pytest.fixture
def make_line(scene):
    def make(*points, kind="vtkMRMLMarkupsLineNode"):
        node = scene.AddNewNodeByClass(kind)
        for point in points:
            node.AddControlPointWorld(*(float(value) for value in point))
        return node

    return make


@pytest.mark.parametrize(("frame", "parent"), ALL)
def test_profile_is_the_content_along_the_line(world_volume, make_line, landmark, blob, frame, parent):
    from MedSRScene import profiles

    start, direction = landmark - [9, 4, -2], np.array([9, 4, -2]) / np.linalg.norm([9, 4, -2])
    node = world_volume(frame, parent)
    found = profiles.along(make_line(start, start + 20 * direction), [node], 0.1)
    values = found.values[node.GetID()]
    assert np.isfinite(values).all()
    truth = blob(start + found.positions_mm[:, None] * direction)
    assert np.abs(values - truth).max() < 8  # of 1000
    assert found.positions_mm[values.argmax()] == pytest.approx(np.linalg.norm([9, 4, -2]), abs=0.25)


def test_all_are_sampled_at_the_same_places(world_volume, make_line, landmark):
    from MedSRScene import profiles

    volumes = [world_volume(*case) for case in ALL[:4]]
    found = profiles.along(make_line(landmark - [10, 0, 0], np.add(landmark, [10, 0, 0])), volumes)
    assert found.positions_mm[[0, -1]] == pytest.approx([0, 20])
    assert np.diff(found.positions_mm).max() <= 1.2 / 4 * 1.02  # a quarter of the finest voxel
    assert found.points[0] == pytest.approx(landmark - [10, 0, 0])
    assert {len(values) for values in found.values.values()} == {len(found.positions_mm)}
    peaks = [found.positions_mm[values.argmax()] for values in found.values.values()]
    assert peaks == pytest.approx([10] * 4, abs=0.3)


def test_outside_a_volume_there_is_nothing(world_volume, make_line, landmark):
    from MedSRScene import profiles

    node = world_volume("plain", "rigid")
    found = profiles.along(make_line(landmark, np.add(landmark, [200, 0, 0])), [node], 0.5)
    values = found.values[node.GetID()]
    assert np.isfinite(values[0])
    assert np.isnan(values[-1])
    assert np.count_nonzero(np.diff(np.isnan(values).astype(int))) == 1


def test_curve_is_followed(world_volume, make_line, landmark):
    from MedSRScene import profiles

    curve = make_line(landmark - [12, 0, 0], landmark, np.add(landmark, [0, 12, 0]), kind="vtkMRMLMarkupsCurveNode")
    curve.SetCurveTypeToLinear()
    node = world_volume("oblique")
    found = profiles.along(curve, [node], 0.1)
    assert found.positions_mm[-1] == pytest.approx(24, abs=0.05)
    assert found.positions_mm[found.values[node.GetID()].argmax()] == pytest.approx(12, abs=0.3)


def test_integers_are_interpolated_as_numbers(world_volume, make_line, landmark):
    from MedSRScene import profiles

    node = world_volume("plain", dtype=np.int16)
    values = profiles.along(make_line(landmark - [9, 0, 0], landmark), [node], 0.1).values[node.GetID()]
    assert len(np.unique(values)) > 80


def test_line_without_length_is_refused_by_name(world_volume, make_line, landmark):
    from MedSRScene import profiles
    from MedSRScene.errors import SceneError

    for points in ((), (landmark,), (landmark, landmark)):
        with pytest.raises(SceneError, match="no length"):
            profiles.along(make_line(*points), [world_volume()])


def test_long_line_has_no_more_than_the_most_places(world_volume, make_line):
    from MedSRScene import profiles

    found = profiles.along(make_line((-2000, 0, 0), (2000, 0, 0)), [world_volume()])
    assert len(found.positions_mm) == profiles.MOST_POINTS


def test_table_holds_places_and_values(world_volume, make_line, landmark, tmp_path):
    from MedSRScene import profiles

    volumes = [world_volume("plain", name="a"), world_volume("oblique", name="b")]
    found = profiles.along(make_line(landmark, np.add(landmark, [90, 0, 0])), volumes, 1.0)
    path = tmp_path / "é.csv"
    profiles.csv(path, found, {volumes[0].GetID(): "a, first", volumes[1].GetID(): "b"})
    head, *rows = list(csv.reader(path.open(encoding="utf-8")))
    assert head == ["position_mm", "R", "A", "S", "a, first", "b"]
    assert len(rows) == 91
    assert [float(text) for text in rows[0][:5]] == pytest.approx(
        [0, *landmark, found.values[volumes[0].GetID()][0]], rel=1e-5
    )
    assert rows[-1][4] == ""


@pytest.mark.parametrize("shape", [(30, 28, 26), (12, 9, 3), (5, 7, 1)])
def test_spline_near_a_path_is_that_of_the_whole_volume(shape):
    from MedSRScene import splines
    from scipy.ndimage import map_coordinates

    random = np.random.default_rng(2)
    voxels = random.normal(size=shape).astype(np.float32)
    size = np.array(shape)
    path = np.linspace(-0.45, 1, 300)[:, None] * (size - 0.55) + 0.3 * np.sin(np.arange(300) / 20)[:, None]
    found = splines.sample(voxels, path)
    inside = ((path >= -0.5) & (path <= size - 0.5)).all(axis=1)
    assert np.array_equal(np.isfinite(found), inside)
    truth = map_coordinates(voxels.astype(float), path[inside].T, order=3, mode="mirror")
    assert np.abs(found[inside] - truth).max() < 2e-4 * np.abs(voxels).max()


def test_no_place_inside_is_all_nan():
    from MedSRScene import splines

    assert np.isnan(splines.sample(np.zeros((3, 4, 5)), np.array([[9.0, 9, 9], [np.nan, 0, 0]]))).all()
