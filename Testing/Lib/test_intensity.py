"""Normalisations do what their name says and come back exactly."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from MedSRLib import intensity
from MedSRLib.errors import OptionError


@pytest.fixture
def values(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(300, 120, (7, 10, 13)).astype(np.float32)


@pytest.mark.parametrize("kind", intensity.KINDS)
def test_the_inverse_gives_the_values_back_in_their_type(kind: str, values: np.ndarray) -> None:
    fitted = intensity.fit(kind, values)
    assert fitted.kind == kind
    normalised = fitted.apply(values)
    assert normalised.dtype == np.float32
    np.testing.assert_allclose(fitted.invert(normalised), values, rtol=1e-6, atol=1e-3)
    tensor = torch.from_numpy(values)
    assert fitted.apply(tensor).dtype == torch.float32
    np.testing.assert_array_equal(fitted.apply(tensor).numpy(), normalised)
    np.testing.assert_array_equal(fitted.invert(torch.from_numpy(normalised)).numpy(), fitted.invert(normalised))


def test_min_max_fills_zero_to_one(values: np.ndarray) -> None:
    normalised = intensity.fit("min-max", values).apply(values)
    assert normalised.min() == 0
    assert normalised.max() == pytest.approx(1, abs=1e-6)


def test_percentile_puts_1_and_99_percent_on_zero_and_one_and_clips_nothing(values: np.ndarray) -> None:
    normalised = intensity.fit("percentile", values).apply(values)
    assert np.percentile(normalised, (1, 99)) == pytest.approx((0, 1), abs=1e-5)
    assert normalised.min() < 0
    assert normalised.max() > 1


def test_z_score_has_mean_zero_and_deviation_one(values: np.ndarray) -> None:
    normalised = intensity.fit("z-score", values).apply(values)
    assert normalised.mean(dtype=np.float64) == pytest.approx(0, abs=1e-5)
    assert normalised.std(dtype=np.float64) == pytest.approx(1, abs=1e-5)


def test_none_changes_nothing(values: np.ndarray) -> None:
    np.testing.assert_array_equal(intensity.fit("none", values).apply(values), values)


@pytest.mark.parametrize("kind", intensity.KINDS)
@pytest.mark.parametrize("value", [0.0, 7.25, 1e6, 1e-30])
def test_a_constant_volume_has_scale_one(kind: str, value: float) -> None:
    assert intensity.fit(kind, np.full((3, 4, 5), value, np.float32)).scale == 1


def test_percentile_of_a_small_object_in_an_empty_field_uses_the_range() -> None:
    values = np.zeros((20, 20, 20), np.float32)
    values[10, 10, 5:10] = 80
    assert intensity.fit("percentile", values) == intensity.Normalisation("percentile", 0.0, 80.0)


@pytest.mark.parametrize("kind", intensity.KINDS)
def test_values_that_are_not_finite_do_not_count(kind: str, values: np.ndarray) -> None:
    broken = values.copy()
    broken[0, 0, :3] = np.nan, np.inf, -np.inf
    fitted = intensity.fit(kind, broken)
    assert fitted == intensity.fit(kind, broken[np.isfinite(broken)])


def test_integers_are_normalised_too() -> None:
    fitted = intensity.fit("min-max", np.array([-5, 0, 15], np.int16))
    assert (fitted.offset, fitted.scale) == (-5, 20)


def test_an_unknown_kind_is_told() -> None:
    with pytest.raises(OptionError, match="percentile"):
        intensity.fit("histogram", np.zeros(3))


def test_the_foreground_is_the_same_with_any_amount_of_air(rng: np.random.Generator) -> None:
    head = rng.normal(300, 20, (24, 24, 24)).astype(np.float32)
    near, far = np.zeros((32, 32, 32), np.float32), np.zeros((64, 64, 64), np.float32)
    near[4:28, 4:28, 4:28] = far[20:44, 20:44, 20:44] = head
    found = [intensity.fit("foreground", volume) for volume in (near, far)]
    assert found[0].offset == found[1].offset == 0
    assert found[0].scale == pytest.approx(300, rel=0.02)
    assert found[1].scale == pytest.approx(found[0].scale, rel=0.01)
