"""The true job, from nodes to nodes: places, differences and measures."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def compare():
    from MedSRScene.compare_run import CompareRun

    def run(*args, **keywords):
        made = CompareRun(*args, **keywords)
        made.start()
        assert made.waitForEnd(120) == "done", made.errorMessage
        return made

    return run


def test_oblique_left_handed_and_bent_volumes_are_compared_in_the_world(
    scene, world_volume, compare, blob, landmark, ijk_to_ras
):
    from MedSRScene import compositions, places, readout

    spot = landmark + np.array([3.0, 7.0, -5.0])

    def changed(points):
        return blob(points) + 300 * np.exp(-np.square(points - spot).sum(axis=1) / (2 * 3.0**2))

    def ball(points):
        return (np.linalg.norm(points - landmark, axis=1) < 12).astype(float)

    same = world_volume("oblique", "bspline", name="same")
    other = world_volume("plain", "shear", name="other", content=changed)
    reference = world_volume("left-handed", "rigid", name="truth")
    mask = world_volume("oblique", "grid", content=ball, dtype=np.uint8)
    run = compare([same, other], reference, mask)
    assert run.measures["keys"] == [same.GetID(), other.GetID()]
    inside = places.voxels(reference) > 150
    differences = [scene.GetNodeByID(run.differences[node.GetID()]) for node in (same, other)]
    assert np.abs(places.voxels(differences[0])[inside]).max() < 12
    assert np.abs(ijk_to_ras(differences[0]) - ijk_to_ras(reference)).max() < 1e-6
    (there,) = readout.at(spot, [differences[1]])
    assert there.value > 230
    resampled = scene.GetNodeByID(run.resampled[other.GetID()])
    assert np.allclose(places.voxels(resampled) - places.voxels(reference), places.voxels(differences[1]), atol=1e-2)
    assert compositions.checkerboard(reference, resampled) is not None
    quality = run.measures["metrics"]
    assert quality[same.GetID()]["mae"]["mask"] < 3 < quality[other.GetID()]["mae"]["mask"]
    assert quality[same.GetID()]["psnr"]["mask"] > quality[other.GetID()]["psnr"]["mask"] + 10
    assert 30 < run.measures["limit"] < 400


def test_without_a_reference_volumes_are_placed_on_the_first(scene, world_volume, compare):
    from MedSRScene import places

    first, second = world_volume("left-handed", "rigid"), world_volume("oblique", "bspline")
    run = compare([first, second])
    shown = [places.voxels(scene.GetNodeByID(run.resampled[node.GetID()])) for node in (first, second)]
    assert np.allclose(shown[0], places.voxels(first), atol=1e-2)
    near = places.voxels(first) > 150
    assert np.abs(shown[1] - places.voxels(first))[near].max() < 12
    assert run.differences == {}
