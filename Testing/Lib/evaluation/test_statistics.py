"""Paired tests and their correction, against exact values."""

import numpy as np
import pytest
from scipy.stats import bootstrap, wilcoxon

from MedSRLib.errors import InputError
from MedSRLib.evaluation.statistics import (
    bootstrap_interval,
    cohen_d,
    holm,
    mean_and_deviation,
    rank_biserial,
    wilcoxon_greater,
)


def test_a_method_that_always_wins_has_the_smallest_possible_p():
    theirs = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    ours = [t + 0.1 * (i + 1) for i, t in enumerate(theirs)]
    assert wilcoxon_greater(ours, theirs) == pytest.approx(2**-7)
    assert wilcoxon_greater(theirs, ours) == pytest.approx(1.0)


def test_few_subjects_carry_no_p():
    assert wilcoxon_greater([2, 3, 4, 5, 6], [1, 1, 1, 1, 1]) is None


def test_equal_methods_are_not_better():
    assert wilcoxon_greater([1.0] * 8, [1.0] * 8) == 1.0


def test_infinite_values_carry_no_p():
    assert wilcoxon_greater([float("inf")] * 8, [1.0] * 8) is None


def test_lists_must_be_pairs():
    with pytest.raises(InputError, match="paired"):
        wilcoxon_greater([1.0], [1.0, 2.0])


def test_holm_steps_down_and_never_decreases():
    # Holm 1979: sorted 0.005, 0.01, 0.03, 0.04 -> 4 × 0.005, 3 × 0.01, 2 × 0.03, then the largest so far.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([None, 0.5, None, 0.6]) == [None, 1.0, None, 1.0]
    assert holm([]) == []


def test_the_deviation_is_that_of_a_sample():
    assert mean_and_deviation([1.0, 3.0]) == pytest.approx((2.0, 2**0.5))
    assert mean_and_deviation([4.0]) == (4.0, None)


def test_the_rank_biserial_correlation_is_the_balance_of_the_ranks():
    # Differences 1, 2, 3, -4: ranks 1 + 2 + 3 against 4, of 10.
    assert rank_biserial([1, 2, 3, 0], [0, 0, 0, 4]) == pytest.approx(0.2)
    assert rank_biserial([2, 3, 4, 5], [1, 1, 1, 5]) == 1.0
    assert rank_biserial([1.0, 2.0], [1.0, 2.0]) is None
    assert rank_biserial([float("inf"), 2.0], [1.0, 2.0]) is None


def test_it_goes_with_scipys_signed_rank_statistic():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=17) + 0.4, rng.normal(size=17)
    positive = wilcoxon(x, y, alternative="greater").statistic
    assert rank_biserial(x, y) == pytest.approx(2 * positive / (17 * 18 / 2) - 1)


def test_cohens_d_is_the_mean_difference_in_its_deviations():
    assert cohen_d([1, 3, 5], [0, 1, 2]) == pytest.approx(2 / 1)
    assert cohen_d([1, 1], [0, 0]) is None
    assert cohen_d([1], [0]) is None
    with pytest.raises(InputError, match="paired"):
        cohen_d([1.0], [1.0, 2.0])


def test_the_bootstrap_interval_is_scipys():
    values = np.random.default_rng(3).gamma(1.5, size=25)
    ours = bootstrap_interval(values, seed=0)
    theirs = bootstrap((values,), np.mean, method="BCa", n_resamples=9999).confidence_interval
    assert ours == pytest.approx((theirs.low, theirs.high), rel=0.02)
    assert bootstrap_interval(values, seed=0) == ours != bootstrap_interval(values, seed=1)


def test_the_bootstrap_interval_holds_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(9)
    hits = 0
    for seed in range(200):
        low, high = bootstrap_interval(rng.normal(5, 2, size=20), seed=seed, confidence=0.9, resamples=500)
        hits += low <= 5 <= high
    assert 0.82 < hits / 200 < 0.95


def test_intervals_of_nothing_and_of_equal_values():
    assert bootstrap_interval([3.0, 3.0, 3.0], seed=0) == (3.0, 3.0)
    assert bootstrap_interval([3.0], seed=0) is None
    assert bootstrap_interval([3.0, float("nan")], seed=0) is None
