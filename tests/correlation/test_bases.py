"""Permutations that move whole bases."""

from itertools import permutations

import numpy as np
import pytest

from brainalign.correlation.bases import permutation_p

BASES = ["a", "a", "a", "b", "c", "c", "d", "e"]
X = np.array([1.0, 1.0, 1.0, 2.0, 3.0, 3.0, 5.0, 8.0])
Y = np.array([0.1, 0.12, 0.15, 0.2, 0.11, 0.3, 0.35, 0.33])


def test_against_every_order_by_hand() -> None:
    values, names = [1.0, 2.0, 3.0, 5.0, 8.0], ["a", "b", "c", "d", "e"]
    found = abs(np.corrcoef(X, Y)[0, 1])
    reached = 0
    for order in permutations(values):
        moved = [order[names.index(base)] for base in BASES]
        reached += abs(np.corrcoef(moved, Y)[0, 1]) >= found - 1e-12
    result = permutation_p(X, Y, BASES, 999, 0)
    assert (result.p, result.smallest, result.orders) == (reached / 120, 1 / 120, 120)


def test_one_model_per_base_is_the_ordinary_permutation_test() -> None:
    x, y = X[3:], Y[3:]
    found = abs(np.corrcoef(x, y)[0, 1])
    every = [abs(np.corrcoef(order, y)[0, 1]) >= found - 1e-12 for order in permutations(x)]
    assert permutation_p(x, y, list("abcde"), 999, 0).p == pytest.approx(np.mean(every))


def test_many_bases_are_drawn_and_counted_with_the_order_found() -> None:
    x = np.arange(10.0)
    result = permutation_p(x, x**1.1, [str(number) for number in range(10)], 499, 3)
    assert (result.p, result.smallest, result.orders) == (1 / 500, 1 / 500, 499)
    assert permutation_p(x, x**1.1, [str(number) for number in range(10)], 499, 3) == result


def test_what_differs_within_a_base_alone_is_no_evidence() -> None:
    bases = [name for name in "abcd" for _ in range(5)]
    inside = np.tile(np.linspace(-1, 1, 5), 4)
    result = permutation_p(inside + np.repeat([0.0, 0.01, 0.03, 0.02], 5), inside, bases, 99, 0)
    assert result.p > 0.5


def test_independent_bases_are_called_dependent_as_often_as_alpha_says() -> None:
    random = np.random.default_rng(0)
    bases = [name for name in "abcdefg" for _ in range(4)]
    p, naive = [], []
    for _ in range(200):
        x, y = np.repeat(random.normal(size=7), 4), np.repeat(random.normal(size=7), 4)
        y = y + 0.2 * random.normal(size=28)
        p.append(permutation_p(x, y, bases, 99, 0).p)
        naive.append(abs(np.corrcoef(x, y)[0, 1]) > 0.374)  # the critical r of 28 independent models
    assert 0.02 <= np.mean(np.array(p) <= 0.05) <= 0.09
    assert np.mean(naive) > 0.25


@pytest.mark.parametrize(
    ("x", "y", "bases"),
    [
        ([1.0, 2.0, 3.0], [1.0, 3.0, 2.0], ["a", "a", "b"]),
        ([1.0, 1.0, 1.0], [1.0, 3.0, 2.0], ["a", "b", "c"]),
    ],
)
def test_two_bases_or_a_constant_have_no_p(x: list[float], y: list[float], bases: list[str]) -> None:
    result = permutation_p(np.array(x), np.array(y), bases, 99, 0)
    assert np.isnan(result.p)
    assert result.orders == 0
