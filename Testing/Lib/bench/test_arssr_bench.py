"""The speed benchmark measures the same function three ways; speed itself is never asserted."""

from __future__ import annotations

import json

import pytest

from MedSRLib.bench import arssr
from MedSRLib.errors import OptionError
from MedSRLib.inference.runtime import Runtime
from MedSRLib.models.card import ModelCard
from MedSRLib.models.library import Model
from MedSRLib.networks.arssr import ArSSR, ArSSRConfig
from MedSRLib.progress import Progress


@pytest.mark.parametrize("residual", ["none", "cubic"])
def test_three_ways_one_function(residual: str) -> None:
    config = ArSSRConfig(
        encoder="srresnet", feature_dim=8, channels=8, blocks=1, width=16, residual=residual, padding="border"
    )
    card = ModelCard(name="tiny", method="arssr", architecture=config.asdict(), scale_max=4)
    model = Model(card, dict(ArSSR(config).state_dict()))
    found = arssr.run(10, 1.5, model=model, runtime=Runtime(precision="bfloat16"), progress=Progress())
    json.dumps(found)
    assert found["output"] == 15
    assert set(found["seconds"]) == {"straightforward", "released", "ours_float32", "ours_bfloat16"}
    assert all(value > 0 for value in found["seconds"].values())
    assert found["largest_difference"]["float32"] < 1e-5
    assert found["largest_difference"]["bfloat16"] < 2e-2


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(OptionError):
        arssr.run(4, 2, runtime=Runtime(), progress=Progress())
