"""Compared volumes and their differences lie where the volumes are in the world."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

COMPARE_JOB = Path(__file__).with_name("compare_job.py")
PAIRS = [
    ("none", "none"),
    ("rigid", "scaling"),
    ("shear", "rigid"),
    ("bspline", "none"),
    ("none", "bspline"),
    ("rigid under bspline", "grid"),
]


@pytest.fixture
def process():
    """A process that resamples and subtracts, but measures nothing."""
    from MedSRScene.job_process import JobProcess

    return lambda job, folder: JobProcess(job, folder, [sys.executable, str(COMPARE_JOB)])


@pytest.fixture
def compare(process):
    """Runs a comparison to its end."""
    from MedSRScene.compare_run import CompareRun

    def run(*args, **keywords):
        made = CompareRun(*args, process=process, **keywords)
        made.start()
        made.waitForEnd(60)
        return made

    return run


@pytest.mark.parametrize(("parent", "theirs"), PAIRS)
def test_same_content_leaves_no_difference(scene, world_volume, compare, blob, landmark, parent, theirs):
    from MedSRScene import places, readout

    result = world_volume("oblique", parent, name="result")
    reference = world_volume("left-handed", theirs, name="reference")
    run = compare([result], reference)
    assert run.state == "done", run.errorMessage
    difference = scene.GetNodeByID(run.differences[result.GetID()])
    resampled = scene.GetNodeByID(run.resampled[result.GetID()])
    near = places.voxels(reference) > 150
    assert np.abs(places.voxels(difference)[near]).max() < 12
    assert np.abs(places.voxels(resampled) - places.voxels(reference))[near].max() < 12
    (shown,) = readout.at(landmark, [resampled])
    assert shown.value > 900
    points = places.world(np.argwhere(near)[::7, ::-1], resampled)
    assert np.abs(places.voxels(resampled)[near][::7] - blob(points)).max() < 12


@pytest.mark.parametrize("theirs", ["none", "rigid", "bspline"])
def test_difference_is_where_the_volumes_differ(scene, world_volume, compare, blob, landmark, theirs):
    from MedSRScene import places, readout

    spot = landmark + np.array([3.0, 7.0, -5.0])

    def changed(points):
        return blob(points) - 300 * np.exp(-np.square(points - spot).sum(axis=1) / (2 * 3.0**2))

    result = world_volume("oblique", "shear", name="result", content=changed)
    reference = world_volume("left-handed", theirs, name="reference")
    run = compare([result], reference)
    difference = scene.GetNodeByID(run.differences[result.GetID()])
    (there,) = readout.at(spot, [difference])
    assert there.value < -230  # result − reference
    lowest = np.unravel_index(places.voxels(difference).argmin(), places.voxels(difference).shape)
    assert np.linalg.norm(places.world(np.array([lowest[::-1]]), difference)[0] - spot) < 2.2


def test_nodes_lie_under_the_reference_and_are_marked(scene, world_volume, compare, ijk_to_ras):
    from MedSRScene import derived

    results = [world_volume("oblique", name="A"), world_volume("plain", "rigid", name="B")]
    reference = world_volume("left-handed", "rigid", name="truth")
    before = scene.GetNumberOfNodesByClass("vtkMRMLVolumeNode")
    run = compare([*results, reference], reference)
    assert list(run.differences) == list(run.resampled) == [node.GetID() for node in results]
    names = []
    for node_id in (*run.differences.values(), *run.resampled.values()):
        node = scene.GetNodeByID(node_id)
        names.append(node.GetName())
        assert node.GetTransformNodeID() == reference.GetTransformNodeID()
        assert np.abs(ijk_to_ras(node) - ijk_to_ras(reference)).max() < 1e-9
        assert node.GetAttribute(derived.ATTRIBUTE) == "1"
        assert node.GetDisplayNode() is not None
    assert names == ["A difference", "B difference", "A on truth", "B on truth"]
    derived.clear(scene)
    assert scene.GetNumberOfNodesByClass("vtkMRMLVolumeNode") == before


def test_compared_volumes_can_be_composed_with_their_reference(scene, world_volume, compare):
    from MedSRScene import compositions

    result, reference = world_volume("oblique"), world_volume("left-handed", "bspline")
    run = compare([result], reference)
    assert compositions.wipe(reference, scene.GetNodeByID(run.resampled[result.GetID()]), 0.4) is not None


def test_job_says_what_was_asked(scene, world_volume, compare):
    result, reference = world_volume("oblique", "bspline", name="r"), world_volume("plain")
    run = compare([result], reference, measures=False)
    job = run.measures["job"]
    assert job["task"] == "compare"
    assert job["parameters"] == {"measures": False}
    assert list(job["inputs"]["results"]) == [result.GetID()]
    assert job["inputs"]["results"][result.GetID()]["field"] is not None
    assert job["inputs"]["input"] is None
    assert not Path(job["outputs"]["folder"]).exists()  # nothing is left on disk


def test_without_a_reference_the_first_volume_is_the_frame(scene, world_volume, compare):
    from MedSRScene import places

    first, second, source = (world_volume(frame) for frame in ("left-handed", "oblique", "plain"))
    run = compare([first, second], inputNode=source)
    assert run.state == "done", run.errorMessage
    assert not run.differences
    assert run.measures["job"]["inputs"]["input"] is not None
    shown = [scene.GetNodeByID(run.resampled[node.GetID()]) for node in (first, second)]
    assert np.allclose(places.voxels(shown[0]), places.voxels(first), atol=1e-2)
    near = places.voxels(first) > 150
    assert np.abs(places.voxels(shown[1]) - places.voxels(first))[near].max() < 12


def test_input_that_is_bent_is_not_sent_and_this_is_told(world_volume, compare):
    run = compare([world_volume("oblique")], inputNode=world_volume("plain", "bspline"))
    assert run.measures["job"]["inputs"]["input"] is None
    assert "consistency" in run.notes[0]


def test_mask_is_sent_on_the_grid_of_the_reference(world_volume, compare, landmark):
    def ball(points):
        return (np.linalg.norm(points - landmark, axis=1) < 8).astype(float)

    mask = world_volume("oblique", "shear", content=ball, dtype=np.uint8)
    reference = world_volume("left-handed", "rigid")
    run = compare([world_volume("plain")], reference, mask)
    volume = np.prod(reference.GetSpacing())
    assert run.measures["inside"] * volume == pytest.approx(4 / 3 * np.pi * 8**3, rel=0.1)


def test_volume_that_is_gone_is_told_by_name(scene, world_volume, process):
    from MedSRScene.compare_run import CompareRun

    result, reference = world_volume(name="result"), world_volume()
    run = CompareRun([result], reference, process=process)
    scene.RemoveNode(result)
    run.start()
    run.waitForEnd(30)
    assert run.state == "failed"
    assert "'result' is not in the scene any more" in run.errorMessage


def test_reference_removed_during_the_comparison_ends_it(scene, world_volume):
    from MedSRScene.compare_run import CompareRun
    from MedSRScene.job_process import JobProcess

    reference = world_volume(name="truth")
    wait = [sys.executable, "-c", "import time; time.sleep(60)"]
    run = CompareRun([world_volume()], reference, process=lambda job, folder: JobProcess(job, folder, wait))
    run.start()
    run.waitForEnd(0.3)
    assert run.state == "running"
    scene.RemoveNode(reference)
    assert run.waitForEnd(5) == "failed"
    assert "'truth' is not in the scene any more" in run.errorMessage


@pytest.mark.parametrize("change", ["voxels", "place"])
def test_reference_changed_during_the_comparison_is_told(scene, world_volume, process, change):
    from MedSRScene.compare_run import CompareRun

    reference = world_volume(name="truth")
    run = CompareRun([world_volume("oblique")], reference, process=process)
    run.start()
    if change == "voxels":
        reference.SetAndObserveImageData(world_volume("oblique").GetImageData())
    else:
        reference.SetOrigin(1, 2, 3)
    count = scene.GetNumberOfNodes()
    run.waitForEnd(30)
    assert run.state == "failed"
    assert "'truth' was changed" in run.errorMessage
    assert scene.GetNumberOfNodes() == count
    assert not run.resampled


def test_comparison_needs_something_to_compare(world_volume):
    from MedSRScene.compare_run import CompareRun

    node = world_volume()
    with pytest.raises(ValueError, match="beside"):
        CompareRun([node], node)


def test_colour_volume_is_refused_by_name(scene, world_volume, compare):
    import vtk

    colour = world_volume(name="colour")
    data = vtk.vtkImageData()
    data.SetDimensions(4, 4, 4)
    data.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 3)
    colour.SetAndObserveImageData(data)
    run = compare([colour], world_volume())
    assert run.state == "failed"
    assert "'colour' has several numbers" in run.errorMessage
