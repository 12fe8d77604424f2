"""A batch that a script starts through the logic of MedSR."""

from __future__ import annotations

import time
from typing import Any


def test_a_volume_deleted_before_its_turn_is_told_and_the_rest_done(module: Any, scene: Any, volume: Any) -> None:
    second = module.MedSRTest()._obliqueVolume()
    second.SetName("second")
    logic = module.MedSRLogic()
    parameters = logic.getParameterNode()
    parameters.inputVolume, parameters.goal, parameters.method = volume, "scale", "bspline"
    run = logic.startBatch(parameters, [volume, second])
    scene.RemoveNode(second)
    while run.state == "running":
        run.poll()
        time.sleep(0.01)
    assert (run.state, run.done) == ("done", [volume.GetName()])
    assert run.failures == {"second": "The volume is not in the scene any more."}


def test_a_batch_goes_on_with_the_settings_it_was_started_with(
    module: Any, scene: Any, volume: Any, monkeypatch: Any
) -> None:
    from MedSRScene import batch_run, upscale_run

    given: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(batch_run.BatchRun, "start", lambda self: None)
    monkeypatch.setattr(
        upscale_run.UpscaleRun, "__init__", lambda self, node, job, **more: given.append((more["outputName"], job))
    )
    second = module.MedSRTest()._obliqueVolume()
    second.SetName("CT Thorax")
    volume.SetName("T1 tra")
    volume.SetSpacing(1, 1, 4)
    logic = module.MedSRLogic()
    parameters = logic.getParameterNode()
    parameters.inputVolume = volume
    run = logic.startBatch(parameters, [volume, second])
    parameters.goal, parameters.method = "scale", "nearest"
    for _name, make in run._makers:
        make()
    assert [job["method"] for _name, job in given] == ["wdsr", "self-training"]
    assert all(job["isotropic"] is True for _name, job in given)
    assert [name for name, _job in given] == [
        "T1 tra – MedSR WDSR 1 mm",
        "CT Thorax – MedSR Self-training on the scan 1 mm",
    ]
