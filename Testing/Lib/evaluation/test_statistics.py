"""Paired tests and their correction, against exact values."""

import pytest

from MedSRLib.errors import InputError
from MedSRLib.evaluation.statistics import holm, mean_and_deviation, wilcoxon_greater


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
