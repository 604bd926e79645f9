"""Differences of two tables against loops, and each verdict."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from brainalign.comparison.tables import (
    BEYOND,
    COLUMNS,
    DIFFERENT,
    EQUAL,
    IDENTICAL,
    INDEPENDENT,
    ONLY_A,
    ONLY_B,
    PAIRED,
    WITHIN,
    compare_tables,
    independent_interval,
)
from brainalign.errors import InputError


def table(r: Mapping[str, float], half: float | None = 0.02) -> pd.DataFrame:
    rows = pd.DataFrame({"model": list(r), "r": list(r.values())})
    return rows if half is None else rows.assign(r_low=rows["r"] - half, r_high=rows["r"] + half)


def verdicts(compared: pd.DataFrame) -> dict[str, str]:
    return dict(zip(compared["model"], compared["verdict"], strict=True))


def test_every_verdict() -> None:
    a = table({"same": 0.2, "rounded": 0.2, "near": 0.2, "far": 0.2, "gone": 0.2, "lost": 0.2})
    b = table({"same": 0.2, "rounded": 0.2 + 1e-7, "near": 0.21, "far": 0.3, "lost": np.nan, "new": 0.1})
    compared = compare_tables(a, b, ["model"], ["r"])
    expected = {"same": IDENTICAL, "rounded": EQUAL, "near": WITHIN, "far": BEYOND}
    assert verdicts(compared) == expected | {"gone": ONLY_A, "lost": ONLY_A, "new": ONLY_B}
    assert compared.columns.tolist() == ["model", *COLUMNS]
    far = compared[compared["model"] == "far"].iloc[0]
    half = math.hypot(0.02, 0.02)
    found = far[["a", "b", "difference", "difference_low", "difference_high"]].tolist()
    assert found == pytest.approx([0.2, 0.3, 0.1, 0.1 - half, 0.1 + half])
    assert far["interval"] == INDEPENDENT


def test_without_intervals_every_difference_counts() -> None:
    compared = compare_tables(table({"x": 1.0, "y": 2.0}, None), table({"x": 1.0, "y": 2.5}, None), ["model"], ["r"])
    assert verdicts(compared) == {"x": IDENTICAL, "y": DIFFERENT}
    assert compared["interval"].tolist() == ["", ""]


def test_a_value_of_which_the_interval_alone_differs_is_not_identical() -> None:
    compared = compare_tables(table({"x": 0.2}), table({"x": 0.2}, 0.03), ["model"], ["r"])
    assert verdicts(compared) == {"x": EQUAL}


def test_shared_draws_give_paired_intervals_that_see_what_independent_ones_do_not() -> None:
    random = np.random.default_rng(0)
    shared = random.normal(0, 0.05, 500)
    drawn = 0.2 + shared, 0.23 + shared + random.normal(0, 0.002, 500)
    a, b = table({"x": 0.2, "y": 0.2}, 0.1), table({"x": 0.23, "y": 0.23}, 0.1)
    compared = compare_tables(a, b, ["model"], ["r"], lambda row, measure: drawn if row["model"] == "x" else None)
    assert verdicts(compared) == {"x": BEYOND, "y": WITHIN}
    assert compared["interval"].tolist() == [PAIRED, INDEPENDENT]
    ends = np.percentile([other - one for one, other in zip(*drawn, strict=True)], [2.5, 97.5])
    assert compared.loc[0, ["difference_low", "difference_high"]].tolist() == pytest.approx(list(ends))
    beyond = sum(other <= one for one, other in zip(*drawn, strict=True))
    assert compared.loc[0, "difference_p"] == pytest.approx(2 * (beyond + 1) / 501)
    assert np.isnan(compared.loc[1, "difference_p"])


def test_draws_that_are_not_shared_after_all_give_the_independent_interval() -> None:
    """So that taking two groups of one name for the same, wrongly, does no harm."""
    random = np.random.default_rng(1)
    drawn = random.normal(0.2, 0.03, 20_000), random.normal(0.25, 0.04, 20_000)
    a, b = (
        pd.DataFrame({"model": ["x"], "r": [mean], "r_low": [ends[0]], "r_high": [ends[1]]})
        for mean, ends in ((values.mean(), np.percentile(values, [2.5, 97.5])) for values in drawn)
    )
    paired = compare_tables(a, b, ["model"], ["r"], lambda row, measure: drawn).iloc[0]
    apart = compare_tables(a, b, ["model"], ["r"]).iloc[0]
    for end in ("difference_low", "difference_high"):
        assert paired[end] == pytest.approx(apart[end], abs=0.003)


def test_independent_intervals_cover_as_they_say() -> None:
    """Lopsided estimates: the log of a chi-square, whose interval is exact for each."""
    from scipy import stats

    random = np.random.default_rng(2)
    n, reps = 12, 4000
    a, b = (random.chisquare(n, reps) for _ in range(2))
    low, high = (stats.chi2.ppf(q, n) for q in (0.975, 0.025))
    ends = [(x * n / low, x * n / high) for x in (a, b)]
    below, above = independent_interval(a, *ends[0], b, *ends[1])
    assert np.mean((below <= 0) & (above >= 0)) == pytest.approx(0.95, abs=0.012)


def test_an_estimate_outside_its_own_interval_counts_as_at_its_end() -> None:
    one = np.array([0.2]), np.array([0.21]), np.array([0.25])  # the lower end lies above
    low, high = independent_interval(*one, np.array([0.5]), np.array([0.5]), np.array([0.5]))
    assert (low[0], high[0]) == pytest.approx((0.25, 0.3))


def test_names_that_are_missing_or_look_like_numbers_are_text() -> None:
    a = pd.DataFrame({"model": ["007", "x"], "r": [0.1, 0.2]})
    b = pd.DataFrame({"model": ["x", "007"], "r": [0.2, 0.1]})
    compared = compare_tables(a, b, ["model", "subject"], ["r", "other"])
    assert verdicts(compared) == {"007": IDENTICAL, "x": IDENTICAL}
    assert compared["subject"].tolist() == ["", ""]


def test_a_measure_of_which_neither_has_a_value_is_passed_over_but_a_row_never() -> None:
    a = pd.DataFrame({"model": ["x", "gone"], "r": [0.1, np.nan], "normalised": [np.nan, np.nan]})
    b = pd.DataFrame({"model": ["x"], "r": [0.1]})
    compared = compare_tables(a, b, ["model"], ["r", "normalised"])
    assert compared[["model", "measure", "verdict"]].to_numpy().tolist() == [
        ["x", "r", IDENTICAL],
        ["gone", "r", ONLY_A],
    ]


def test_empty_tables() -> None:
    nothing = pd.DataFrame()
    assert compare_tables(nothing, nothing, ["model"], ["r"]).empty
    assert verdicts(compare_tables(nothing, table({"x": 0.1}), ["model"], ["r"])) == {"x": ONLY_B}


def test_two_rows_of_one_name_are_refused() -> None:
    twice = pd.concat([table({"x": 0.1}), table({"x": 0.2})])
    with pytest.raises(InputError, match="the table b has two rows of model 'x'"):
        compare_tables(table({"x": 0.1}), twice, ["model"], ["r"])
