"""A run from node to node: with a job that is replayed, for every end it can take; and once with the true one."""

from __future__ import annotations

import tempfile
import time

import numpy as np
import pytest
import SimpleITK as sitk

RESULT = {
    "event": "result",
    "task": "upscale",
    "provenance": {
        "method": "bspline",
        "scale": [2.0, 2.0, 2.0],
        "model": None,
        "input": "input.nrrd",
        "input_sha256": "0",
    },
}
SUCCESS = ({"event": {"event": "progress", "fraction": 0.5, "eta_s": 1.0}}, {"result": True}, {"event": RESULT})
PARAMETERS = {"method": "bspline", "scale": 2}


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """Where runs put their folders, with a name that Windows users have; it must be empty in the end."""
    folder = tmp_path / "Félix 软件"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


@pytest.fixture
def make_run():
    from MedSRScene.upscale_run import UpscaleRun

    runs = []

    def make(node, process, **settings):
        run = UpscaleRun(node, settings.pop("parameters", PARAMETERS), process=process, **settings)
        runs.append(run)
        return run

    yield make
    for run in runs:
        run.clean()


def _started_and_waiting(run):
    run.start()
    events = []
    while {"event": "stage", "name": "Waiting"} not in events:
        events += run.poll()
        time.sleep(0.01)
        assert run.state == "running", run.errorMessage


def test_success_shows_the_result_and_says_where_it_came_from(scene, make_volume, make_run, fake_job):
    run = make_run(make_volume(), fake_job(*SUCCESS))
    assert run.state == "idle"
    run.start()
    assert run.state == "running"
    events = []
    while run.state == "running":
        events += run.poll()
    assert [event["event"] for event in events] == ["progress", "result"]
    assert run.state == "done"
    assert run.errorMessage == ""
    node = scene.GetNodeByID(run.resultNodeID)
    assert node.GetName() == "scan bspline"
    assert node.GetAttribute("MedSR.method") == "bspline"
    assert node.GetAttribute("MedSR.scale") == "[2.0, 2.0, 2.0]"
    assert node.GetAttribute("MedSR.input") == "scan"
    assert node.GetAttribute("MedSR.input_sha256") is None
    assert run.poll() == []


def test_given_output_is_reused(scene, make_volume, make_run, fake_job):
    node, output = make_volume(), make_volume("identity", name="mine")
    run = make_run(node, fake_job(*SUCCESS), outputNode=output)
    run.start()
    assert run.waitForEnd(30) == "done"
    assert run.resultNodeID == output.GetID()
    assert output.GetName() == "mine"
    assert scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == 2


def test_guides_are_told_by_the_names_of_their_volumes(scene, make_volume, make_run, fake_job):
    files = [{"input": "guide0.nrrd", "input_sha256": "0", "modality": "T1w"}]
    event = {**RESULT, "provenance": {**RESULT["provenance"], "guides": files}}
    guides = [(make_volume(name="MPRAGE"), "T1w"), (make_volume(name="other"), "")]
    run = make_run(make_volume(), fake_job({"result": True}, {"event": event}), guideNodes=guides)
    run.start()
    assert run.waitForEnd(30) == "done", run.errorMessage
    assert scene.GetNodeByID(run.resultNodeID).GetAttribute("MedSR.guides") == "MPRAGE (T1w), other"


def test_name_is_given_to_the_result(scene, make_volume, make_run, fake_job):
    run = make_run(make_volume(), fake_job(*SUCCESS), outputName="T1 sharp")
    run.start()
    run.waitForEnd(30)
    assert scene.GetNodeByID(run.resultNodeID).GetName() == "T1 sharp"


def test_synthesised_content_is_said_in_the_name(scene, make_volume, make_run, fake_job):
    event = {**RESULT, "provenance": {**RESULT["provenance"], "synthetic": True}}
    steps = ({"result": True}, {"event": event})
    for settings, name in (({}, "scan bspline (synthetic)"), ({"outputName": "T2w"}, "T2w (synthetic)")):
        run = make_run(make_volume(), fake_job(*steps), **settings)
        run.start()
        assert run.waitForEnd(30) == "done"
        node = scene.GetNodeByID(run.resultNodeID)
        assert node.GetName().startswith(name)
        assert node.GetAttribute("MedSR.synthetic") == "true"
        assert node.GetDisplayNode().GetAutoWindowLevel()  # its intensities are not those of the input
        scene.RemoveNode(node)


def test_the_map_of_consistency_lies_on_the_input(scene, make_volume, make_run, ijk_to_ras):
    from MedSRScene.job_process import JobProcess

    node = make_volume("left-handed", dtype=np.float32)
    run = make_run(node, JobProcess, consistency=True, parameters={**PARAMETERS, "device": "cpu"})
    run.start()
    assert run.waitForEnd(240) == "done", run.errorMessage
    consistency = scene.GetNodeByID(run.consistencyNodeID)
    assert consistency.GetName() == "scan bspline consistency"
    assert consistency.GetImageData().GetDimensions() == node.GetImageData().GetDimensions()
    assert np.abs(ijk_to_ras(consistency) - ijk_to_ras(node)).max() < 1e-9
    assert consistency.GetImageData().GetScalarRange()[0] >= 0


def test_the_map_of_uncertainty_lies_on_the_result_and_says_of_which(scene, make_volume, make_run, ijk_to_ras):
    from MedSRScene.job_process import JobProcess

    node = make_volume("left-handed", dtype=np.float32)
    wanted = {**PARAMETERS, "device": "cpu", "ensemble": "flips"}
    run = make_run(node, JobProcess, uncertainty=True, parameters=wanted)
    run.start()
    assert run.waitForEnd(240) == "done", run.errorMessage
    result, map_ = (scene.GetNodeByID(nodeID) for nodeID in (run.resultNodeID, run.uncertaintyNodeID))
    assert run.consistencyNodeID is None
    assert map_.GetName() == "scan bspline uncertainty"
    assert np.abs(ijk_to_ras(map_) - ijk_to_ras(result)).max() < 1e-9
    assert map_.GetAttribute("MedSR.uncertainty_of") == "scan bspline"
    assert map_.GetAttribute("MedSR.ensemble") == result.GetAttribute("MedSR.ensemble") == "flips (8 copies)"


def test_guides_are_sent_in_the_input_s_coordinates(make_volume, make_transform, make_run, fake_job):
    seen = {}
    node, guide = make_volume(), make_volume("sagittal", name="guide")
    guide.SetAndObserveTransformNodeID(make_transform(np.diag([1.0, 1, 1, 1]) + np.eye(4, k=3) * 5).GetID())

    def process(job, folder):
        seen.update({guide["modality"]: sitk.ReadImage(guide["image"]) for guide in job["inputs"]["guide"]})
        return fake_job(*SUCCESS)(job, folder)

    run = make_run(node, process, guideNodes=[(node, ""), (guide, "T1w")])
    run.start()
    assert run.waitForEnd(30) == "done"
    from MedSRScene import volumes

    plain = volumes.image_of(guide).GetOrigin()
    assert np.subtract(seen["T1w"].GetOrigin(), plain) == pytest.approx([-5, 0, 0], abs=1e-9)  # 5 mm right, LPS
    assert seen[""].GetOrigin() == pytest.approx(volumes.image_of(node).GetOrigin())


def test_bad_line_is_logged_and_does_no_harm(make_volume, make_run, fake_job):
    run = make_run(make_volume(), fake_job({"out": "{not json"}, *SUCCESS))
    run.start()
    events = []
    while run.state == "running":
        events += run.poll()
    assert {"event": "log", "level": "info", "message": "{not json"} in events
    assert run.state == "done"


def test_error_of_the_job_is_the_message(scene, make_volume, make_run, fake_job):
    error = {"event": "error", "fault": False, "message": "There is no method 'x'."}
    run = make_run(make_volume(), fake_job({"event": error}, {"exit": 2}))
    run.start()
    assert run.waitForEnd(30) == "failed"
    assert run.errorMessage == "There is no method 'x'."
    assert run.resultNodeID is None
    assert scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == 1


def test_crash_tells_the_last_lines(make_volume, make_run, fake_job):
    run = make_run(make_volume(), fake_job({"err": "CUDA error: no kernel image"}, {"exit": 134}))
    run.start()
    assert run.waitForEnd(30) == "failed"
    assert "134" in run.errorMessage
    assert "CUDA error: no kernel image" in run.errorMessage


def test_end_without_a_result_is_a_failure(make_volume, make_run, fake_job):
    run = make_run(make_volume(), fake_job({"exit": 0}))
    run.start()
    assert run.waitForEnd(30) == "failed"
    assert "cannot be shown" in run.errorMessage


def test_cancel(scene, make_volume, make_run, fake_job):
    run = make_run(make_volume(), fake_job({"wait": "cancel"}, {"exit": 4}))
    _started_and_waiting(run)
    run.cancel()
    assert run.waitForEnd(30) == "cancelled"
    assert run.errorMessage == ""
    assert scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == 1


def test_cancel_wins_over_a_result_that_comes_too_late(scene, make_volume, make_run, fake_job):
    run = make_run(make_volume(), fake_job({"wait": "cancel"}, *SUCCESS))
    _started_and_waiting(run)
    run.cancel()
    assert run.waitForEnd(30) == "cancelled"
    assert run.resultNodeID is None


def test_input_deleted_during_the_run_ends_it(scene, make_volume, make_run, fake_job):
    node = make_volume()
    run = make_run(node, fake_job({"wait": "for ever"}))
    _started_and_waiting(run)
    scene.RemoveNode(node)
    run.poll()
    assert run.state == "failed"
    assert "'scan' is not in the scene any more" in run.errorMessage


def test_output_deleted_during_the_run_is_replaced(scene, make_volume, make_run, fake_job, temporary):
    output = make_volume("identity", name="mine")
    run = make_run(make_volume(), fake_job({"wait": "cancel"}, *SUCCESS), outputNode=output)
    _started_and_waiting(run)
    gone = output.GetID()
    scene.RemoveNode(output)
    (folder,) = temporary.iterdir()
    (folder / "cancel").touch()  # lets the fake job go on, unknown to the run
    assert run.waitForEnd(30) == "done"
    assert run.resultNodeID != gone
    assert scene.GetNodeByID(run.resultNodeID).GetName() == "scan bspline"


def test_closed_scene_ends_the_run_and_gets_no_result(scene, make_volume, make_run, fake_job):
    run = make_run(make_volume(), fake_job({"wait": "for ever"}))
    _started_and_waiting(run)
    scene.Clear(False)
    assert run.state == "cancelled"
    make_volume(name="next scene")  # gets the ID that the input had
    assert run.poll() == []
    assert scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == 1


def test_clean_ends_a_running_job(make_volume, make_run, fake_job):
    run = make_run(make_volume(), fake_job({"wait": "for ever", "deaf": True}))
    _started_and_waiting(run)
    run.clean()
    assert run.state == "cancelled"
    run.clean()


def test_run_without_an_image_fails_before_a_process_starts(scene, make_run):
    def never(job, folder):
        raise AssertionError("no process may be made")

    run = make_run(scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty"), never)
    run.start()
    assert run.state == "failed"
    assert "'empty' holds no image" in run.errorMessage


def test_output_that_is_the_input_is_refused(make_volume, make_run, fake_job):
    node = make_volume()
    run = make_run(node, fake_job(*SUCCESS), outputNode=node)
    run.start()
    assert run.state == "failed"
    assert "overwrite the input" in run.errorMessage


def test_interpreter_that_does_not_start_is_told(make_volume, make_run):
    from MedSRScene.job_process import JobProcess

    run = make_run(make_volume(), lambda job, folder: JobProcess(job, folder, ["/no/python"]))
    run.start()
    assert run.waitForEnd(30) == "failed"
    assert "/no/python" in run.errorMessage


def test_wait_gives_up_in_time(make_volume, make_run, fake_job):
    run = make_run(make_volume(), fake_job({"wait": "for ever"}))
    run.start()
    assert run.waitForEnd(0.2) == "running"


def test_wanted_grid_is_sent_with_the_job(make_volume, make_run, fake_job):
    from MedSRScene import volumes

    seen = {}
    node, like = make_volume(), make_volume("sagittal", name="like")

    def process(job, folder):
        seen.update(job, grid=sitk.ReadImage(job["inputs"]["like"]))
        return fake_job(*SUCCESS)(job, folder)

    run = make_run(node, process, likeNode=like, parameters={"method": "linear"})
    run.start()
    assert run.waitForEnd(30) == "done"
    assert seen["parameters"] == {"method": "linear"}
    assert seen["task"] == "upscale"
    wanted = volumes.image_of(like)
    assert seen["grid"].GetSize() == wanted.GetSize()
    assert seen["grid"].GetOrigin() == pytest.approx(wanted.GetOrigin(), abs=1e-9)
    assert seen["grid"].GetDirection() == pytest.approx(wanted.GetDirection(), abs=1e-9)


def test_true_job_doubles_an_oblique_volume_with_the_field_of_view_exact(
    headless, make_volume, make_transform, make_run, ijk_to_ras
):
    from MedSRScene.job_process import JobProcess

    scene, node = headless.scene, make_volume("left-handed", values=_blob(), dtype=np.float32)
    pose = make_transform(np.array([[0.0, -1, 0, 11], [1, 0, 0, -7], [0, 0, 1, 3.5], [0, 0, 0, 1]]))
    node.SetAndObserveTransformNodeID(pose.GetID())
    before = ijk_to_ras(node)
    run = make_run(node, JobProcess, parameters={**PARAMETERS, "device": "cpu"})
    run.start()
    assert run.waitForEnd(240) == "done", run.errorMessage
    result = scene.GetNodeByID(run.resultNodeID)
    assert result.GetImageData().GetDimensions() == (26, 20, 14)
    assert result.GetTransformNodeID() == pose.GetID()
    halves = np.array([[0.5, 0, 0, -0.25], [0, 0.5, 0, -0.25], [0, 0, 0.5, -0.25], [0, 0, 0, 1]])
    assert np.abs(ijk_to_ras(result) - before @ halves).max() < 1e-9
    assert np.abs(_corners(result, ijk_to_ras) - _corners(node, ijk_to_ras)).max() < 1e-6
    assert _centroid(result) == pytest.approx(_centroid(node), abs=0.01)  # the blob has not moved either
    assert result.GetAttribute("MedSR.method") == "bspline"
    assert np.array_equal(ijk_to_ras(node), before)
    pixels = headless.slice_pixels(result)
    assert pixels.shape[:2] == (256, 256)
    assert pixels.max() > 100


def _blob():
    k, j, i = np.meshgrid(np.arange(7), np.arange(10), np.arange(13), indexing="ij")
    return 1000 * np.exp(-(((i - 6.5) / 2) ** 2 + ((j - 4) / 1.6) ** 2 + ((k - 3) / 1.1) ** 2) / 2)


def _corners(node, ijk_to_ras):
    """The corners of the field of view (voxel edges), RAS."""
    size = np.array(node.GetImageData().GetDimensions())
    ends = np.stack(np.meshgrid(*((-0.5, n - 0.5) for n in size), indexing="ij"), axis=-1).reshape(-1, 3)
    return (ends @ ijk_to_ras(node)[:3, :3].T) + ijk_to_ras(node)[:3, 3]


def _centroid(node):
    """Of the intensities, mm, LPS."""
    from MedSRScene import volumes

    image = volumes.image_of(node)
    values = sitk.GetArrayFromImage(image).astype(float)
    k, j, i = np.indices(values.shape)
    index = [float((axis * values).sum() / values.sum()) for axis in (i, j, k)]
    return image.TransformContinuousIndexToPhysicalPoint(index)
