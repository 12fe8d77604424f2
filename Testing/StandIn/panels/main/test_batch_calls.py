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
