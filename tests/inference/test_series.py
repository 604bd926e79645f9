"""Circular shifts."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import pearsonr

from brainalign.encoding.scores import Units
from brainalign.errors import InputError
from brainalign.inference.circular_shift import circular_shift_test, circular_shift_test_of_cells

RANDOM = np.random.default_rng(1)
RUNS = np.repeat(["a", "b"], [30, 41])
P = RANDOM.normal(size=(71, 3)) + 50
Y = RANDOM.normal(size=(71, 3)) + 0.2 * P


def mean_r(p: np.ndarray, y: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Return the mean over folds of scipy's r, (neuroid,)."""
    values = [[pearsonr(p[folds == k, v], y[folds == k, v])[0] for v in range(p.shape[1])] for k in np.unique(folds)]
    return np.mean(values, axis=0)


@pytest.mark.parametrize("folds", [RUNS, np.zeros(71)], ids=["a fold for each run", "one fold"])
@pytest.mark.parametrize("lag", [1, 3])
def test_shifts_are_those_of_rolled_responses(folds: np.ndarray, lag: int) -> None:
    ours = circular_shift_test(P, Y, RUNS, folds, draws=100, minimum_lag=lag, alternative="two-sided")
    null = []
    for offsets in product(range(lag, 31 - lag), range(lag, 42 - lag)):
        shifted = np.concatenate([np.roll(Y[run == RUNS], -o, axis=0) for run, o in zip("ab", offsets, strict=True)])
        null.append((P * shifted, shifted))
    observed = mean_r(P, Y, folds)
    np.testing.assert_allclose(ours.statistic, observed, atol=1e-12)
    assert ours.exact
    assert ours.resamples == len(null)
    some = RANDOM.choice(len(null), 60, replace=False)
    by_hand = np.array([mean_r(P, null[index][1], folds) for index in some])
    fast = all_shifts(folds, lag)[some]
    np.testing.assert_allclose(fast, by_hand, atol=1e-10)
    expected = ((np.abs(all_shifts(folds, lag)) >= np.abs(observed)).sum(axis=0) + 1) / (len(null) + 1)
    np.testing.assert_allclose(ours.p, expected)


def all_shifts(folds: np.ndarray, lag: int) -> np.ndarray:
    """Return the mean r over folds at all offsets by products of standardised rows: (offset of a × of b, neuroid)."""
    p, y = np.empty_like(P), np.empty_like(Y)
    for k in np.unique(folds):
        rows = folds == k
        p[rows], y[rows] = (
            (v[rows] - v[rows].mean(axis=0)) / (v[rows].std(axis=0) * np.sqrt(rows.sum())) for v in (P, Y)
        )
    sums = [
        [(p[run == RUNS] * np.roll(y[run == RUNS], -o, axis=0)).sum(axis=0) for o in range(lag, n + 1 - lag)]
        for run, n in (("a", 30), ("b", 41))
    ]
    return np.array([a + b for a in sums[0] for b in sums[1]]) / len(np.unique(folds))


def test_random_offsets_are_near_the_enumerated_p() -> None:
    exact = circular_shift_test(P, Y, RUNS, RUNS)
    longer = np.tile(P, (4, 1)), np.tile(Y, (4, 1))
    runs = np.repeat(list("abcdefgh"), [30, 41] * 4)
    drawn = circular_shift_test(*longer, runs, runs, draws=500, seed=1)
    assert exact.exact
    assert not drawn.exact
    assert (drawn.smallest_p == 1 / 501).all()
    assert drawn.resamples == 500
    np.testing.assert_allclose(drawn.statistic, exact.statistic)
    assert (circular_shift_test(*longer, runs, runs, draws=500, seed=1).p == drawn.p).all()


def test_a_planted_relation_is_found() -> None:
    y = P + RANDOM.normal(size=P.shape)
    assert (circular_shift_test(P, y, RUNS, RUNS).p < 0.002).all()


@pytest.mark.parametrize(
    ("runs", "folds", "message"),
    [
        (np.repeat(["a", "b"], [10, 61]), None, "run a has 10 samples, too few for 20 offsets"),
        (np.tile(["a", "b"], 36)[:71], None, "the samples of run a are not consecutive"),
        (RUNS, np.arange(71) % 2, "run a lies in 2 folds"),
    ],
)
def test_runs_that_cannot_be_shifted_are_refused(runs: np.ndarray, folds: np.ndarray | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        circular_shift_test(P, Y, runs, folds)


def units_of(subjects: list[str]) -> Units:
    return Units(np.arange(len(subjects)).astype(str), np.array(subjects), np.array(["x"] * len(subjects)))


@pytest.mark.parametrize("together", [False, True], ids=["a fold for each run", "one fold"])
def test_a_cell_of_one_neuroid_has_its_p(together: bool) -> None:
    parts = [np.arange(71)] if together else [np.arange(30), np.arange(30, 71)]
    given = [P[rows] for rows in parts], [Y[rows] for rows in parts], [RUNS[rows] for rows in parts]
    found = circular_shift_test_of_cells(*given, units_of(["S1", "S2", "S3"]), draws=500, spread=2**0.5)
    folds = np.zeros(71) if together else RUNS
    alone = circular_shift_test(P, Y, RUNS, folds, draws=500, alternative="greater", spread=2**0.5)
    np.testing.assert_allclose(found[1:, 0], alone.p)
    np.testing.assert_array_equal(found[:, 0], found[:, 1])


def test_neuroids_of_a_cell_are_shifted_together() -> None:
    found = circular_shift_test_of_cells([P], [Y], [RUNS], units_of(["S1"] * 3), draws=500)
    null = all_shifts(np.zeros(71), 1).mean(axis=1)
    observed = mean_r(P, Y, np.zeros(71)).mean()
    assert found[1, 0] == pytest.approx(((null >= observed).sum() + 1) / (len(null) + 1))


def test_a_run_of_several_folds_is_shifted_in_each_of_its_parts() -> None:
    random = np.random.default_rng(3)
    p, y = random.normal(size=(2, 60, 1))
    halves = [slice(0, 30), slice(30, 60)]
    found = circular_shift_test_of_cells(
        [p[own] for own in halves], [y[own] for own in halves], [np.repeat("a", 30)] * 2, units_of(["S1"])
    )
    folds = np.repeat([0, 1], 30)
    alone = circular_shift_test(p, y, np.repeat(["0/a", "1/a"], 30), folds, alternative="greater")
    assert found[1, 0] == alone.p[0]
