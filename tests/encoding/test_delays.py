import numpy as np
import pytest

from brainalign.encoding.delays import (
    delay,
    rows_inside_runs,
    rows_of_runs,
    sampling_period,
    zscore,
    zscore_within_runs,
)
from brainalign.errors import InputError

RUNS = np.array(["b"] * 4 + ["a"] * 3, dtype=object)


def test_delay_shifts_within_runs_and_never_across() -> None:
    features = np.arange(1.0, 15.0).reshape(7, 2)
    delayed = delay(features, RUNS, (0, 1, 5))
    expected = np.zeros((7, 6))
    for row in range(7):
        for position, shift in enumerate((0, 1, 5)):
            source = row - shift
            if source >= 0 and RUNS[source] == RUNS[row]:
                expected[row, 2 * position : 2 * position + 2] = features[source]
    np.testing.assert_array_equal(delayed, expected)


def test_delays_follow_the_order_of_a_run_whose_rows_are_not_together() -> None:
    runs = np.array(["x", "y", "x", "y"])
    np.testing.assert_array_equal(delay(np.array([[1.0], [2.0], [3.0], [4.0]]), runs, (1,)), [[0], [0], [1], [2]])
    assert [rows.tolist() for rows in rows_of_runs(runs)] == [[0, 2], [1, 3]]


def test_zscore_is_within_runs_and_constant_columns_become_zero() -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(7, 3)) * 50 + 1e4
    features[:, 2] = 0.1
    scored = zscore_within_runs(features, RUNS)
    for rows in (slice(0, 4), slice(4, 7)):
        block = features[rows, :2]
        np.testing.assert_allclose(scored[rows, :2], (block - block.mean(0)) / block.std(0), atol=1e-9)
    assert not scored[:, 2].any()


def test_irregular_onsets_are_refused() -> None:
    assert sampling_period(np.array([0.0, 2, 4, 6, 10, 12, 14]), RUNS) == 2
    with pytest.raises(InputError, match=r"equal, rising steps, but run 'b' has steps from 2 to 4 s"):
        sampling_period(np.array([0.0, 2, 4, 8, 0, 2, 4]), RUNS)
    with pytest.raises(InputError, match="run 'a'"):
        sampling_period(np.array([0.0, 2, 4, 6, 6, 4, 2]), RUNS)


def test_runs_have_one_period() -> None:
    onsets = np.array([0.0, 2, 4, 6, 0, 2.01, 4.02])
    assert sampling_period(onsets, RUNS) == 2
    with pytest.raises(InputError, match=r"are 2 s apart in run 'b' and 1.5 s in run 'a'\.$"):
        sampling_period(np.array([0.0, 2, 4, 6, 0, 1.5, 3]), RUNS)
    alone = np.array(["x", "y", "y", "z"])  # a run of one sample has no period
    assert sampling_period(np.array([5.0, 0, 1.5, 9]), alone) == 1.5
    assert np.isnan(sampling_period(np.array([5.0, 9]), alone[[0, 3]]))


def test_zscore_gives_the_sds_too_and_nothing_where_a_column_is_constant() -> None:
    values = np.random.default_rng(0).normal(size=(9, 3)) * [1, 200, 0] + [1e6, 0, 0.3]
    scored, deviation = zscore(values)
    np.testing.assert_allclose(deviation, values.std(axis=0), rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(scored[:, :2] * deviation[:2] + values[:, :2].mean(axis=0), values[:, :2])
    assert deviation[2] == 0
    assert not scored[:, 2].any()


def test_runs_lose_samples_at_both_ends() -> None:
    runs = np.array(["x", "y"] * 5)
    assert rows_inside_runs(runs, (1, 2)).tolist() == [2, 3, 4, 5]
    assert rows_inside_runs(runs, (0, 0)).tolist() == list(range(10))
    with pytest.raises(InputError, match="trimming 3 and 1 samples leaves the run 'x' of 5 samples with 1, but 2"):
        rows_inside_runs(runs, (3, 1))
    with pytest.raises(InputError, match="with 0, but 2"):
        rows_inside_runs(runs, (4, 4))
