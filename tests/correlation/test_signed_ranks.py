"""Wilcoxon's test against scipy and against all choices of signs."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from brainalign.correlation.signed_ranks import approximate_p, signed_ranks_p, smallest_p


def every_choice(d: np.ndarray) -> float:
    d = d[d != 0]
    ranks = stats.rankdata(np.abs(d))
    away = abs(ranks[d > 0].sum() - ranks.sum() / 2)
    sums = [sum(rank for rank, positive in zip(ranks, signs, strict=True) if positive) for signs in _signs(len(d))]
    return float(np.mean(np.abs(np.array(sums) - ranks.sum() / 2) >= away - 1e-9))


def _signs(n: int) -> list[tuple[bool, ...]]:
    return list(product((False, True), repeat=n))


@pytest.mark.parametrize("n", [1, 4, 9, 25])
def test_without_ties_against_scipy(n: int) -> None:
    d = np.random.default_rng(n).normal(0.3, 1, n)
    assert signed_ranks_p(d) == pytest.approx(stats.wilcoxon(d, method="exact").pvalue)


@pytest.mark.parametrize("seed", range(4))
def test_with_ties_and_zeros_against_every_choice_of_signs(seed: int) -> None:
    d = np.random.default_rng(seed).integers(-3, 6, 11).astype(float)
    assert signed_ranks_p(d) == pytest.approx(every_choice(d))


def test_ties_are_seen_through_rounding() -> None:
    base, tuned = np.array([0.226, 0.220, 0.1, 0.1]), np.array([0.235, 0.229, 0.09, 0.13])
    exact = np.array([9.0, 9.0, -10.0, 30.0])
    assert len(set(tuned - base)) == 4
    assert signed_ranks_p(tuned - base) == signed_ranks_p(exact) == every_choice(exact)
    assert smallest_p(np.array([0.1 + 0.2 - 0.3, 1.0, 2.0])) == 0.5


def test_the_normal_approximation_against_scipy() -> None:
    d = np.array([3.0, 3.0, -1.0, 2.0, 5.0, 1.0, 4.0, -2.0])
    assert approximate_p(d) == pytest.approx(stats.wilcoxon(d, method="asymptotic", correction=False).pvalue)


@pytest.mark.parametrize("n", [1, 3, 5, 8])
def test_the_smallest_p_is_attained_by_differences_of_one_sign(n: int) -> None:
    d = np.arange(1.0, n + 1)
    assert signed_ranks_p(d) == pytest.approx(smallest_p(d))
    assert smallest_p(np.append(d, 0.0)) == smallest_p(d)


def test_equal_models_or_a_missing_difference_have_no_p() -> None:
    for d in (np.zeros(4), np.array([0.1, np.nan]), np.empty(0)):
        assert np.isnan([signed_ranks_p(d), approximate_p(d)]).all()
    assert np.isnan(smallest_p(np.zeros(3)))
