"""Correlations against scipy and against plain loops."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from brainalign.correlation.properties import COLUMNS, correlations
from brainalign.correlation.scores import ModelScores
from brainalign.correlation.statistics import fisher_interval, pearson, spearman
from brainalign.errors import InputError


def scores(r: list[float], names: list[str] | None = None, draws: int = 50) -> ModelScores:
    values = np.array(r)
    models = tuple(names or (f"m{number}" for number in range(len(r))))
    drawn = values + np.random.default_rng(1).normal(0, 0.05, (draws, len(r)))
    return ModelScores("e", "last", "d", models, values, drawn, values / 0.5, drawn / 0.5, 1.0)


def properties(size: list[float], kinds: list[str] | None = None, names: list[str] | None = None) -> pd.DataFrame:
    names = names or [f"m{number}" for number in range(len(size))]
    kinds = kinds or ["vanilla"] * len(size)
    return pd.DataFrame({"model": names, "family": "f", "kind": kinds, "base": "", "size": size})


Y = [0.11, 0.15, 0.12, 0.22, 0.2, 0.31, 0.25, 0.3, 0.28, 0.4]
X = [1.0, 2.0, 2.5, 3.0, 3.0, 4.5, 5.0, 5.5, 7.0, 8.0]


def test_against_scipy() -> None:
    row = correlations([scores(Y)], properties(X), ["size"], 400, 7).iloc[0]
    expected = stats.pearsonr(X, Y)
    fisher = expected.confidence_interval(0.95)
    assert (row["pearson_r"], row["pearson_p"]) == pytest.approx((expected.statistic, expected.pvalue))
    assert (row["fisher_low"], row["fisher_high"]) == pytest.approx((fisher.low, fisher.high))
    rank = stats.spearmanr(X, Y)
    assert (row["spearman_rho"], row["spearman_p"]) == pytest.approx((rank.statistic, rank.pvalue))
    assert (row["n"], row["reason"], row["draws"], row["seed"]) == (10, "", 400, 7)


def test_intervals_against_plain_loops() -> None:
    group = scores(Y)
    row = correlations([group], properties(X), ["size"], 400, 7).iloc[0]
    chosen = np.random.default_rng(7).integers(10, size=(400, 10))
    over_models = [np.corrcoef(np.take(X, draw), np.take(Y, draw))[0, 1] for draw in chosen]
    over_stimuli = [np.corrcoef(X, draw)[0, 1] for draw in group.replicates]
    for name, values in (("over_models", over_models), ("over_stimuli", over_stimuli)):
        found = [row[f"{name}_low"], row[f"{name}_high"]]
        assert found == pytest.approx([np.percentile(values, 2.5), np.percentile(values, 97.5)])
    assert row["over_models_low"] < row["pearson_r"] < row["over_models_high"]


def test_a_model_without_the_property_is_left_out_by_name() -> None:
    row = correlations([scores(Y[:6])], properties([1, 2, np.nan, 3, 4, 6]), ["size"], 100, 0).iloc[0]
    assert (row["n"], row["models"], row["left_out"]) == (5, "m0 m1 m3 m4 m5", "m2")
    assert row["pearson_r"] == pytest.approx(np.corrcoef([1, 2, 3, 4, 6], np.delete(Y[:6], 2))[0, 1])


def test_a_model_without_a_score_or_a_row_is_left_out_by_name() -> None:
    group = scores([0.1, np.nan, 0.2, 0.3, 0.25], ["a", "b", "c", "d", "stranger"])
    row = correlations([group], properties([1, 2, 3, 4], names=["a", "b", "c", "d"]), ["size"], 100, 0).iloc[0]
    assert (row["n"], row["models"], row["left_out"]) == (3, "a c d", "b stranger")


def test_untrained_twins_are_never_among_the_models() -> None:
    kinds = ["vanilla", "untrained", "instruction-tuned", "untrained", "vanilla", "vanilla"]
    with_twins = correlations([scores(Y[:6])], properties(X[:6], kinds), ["size"], 100, 0).iloc[0]
    kept = [0, 2, 4, 5]
    assert (with_twins["n"], with_twins["untrained_excluded"]) == (4, "m1 m3")
    assert with_twins["pearson_r"] == pytest.approx(np.corrcoef(np.take(X, kept), np.take(Y, kept))[0, 1])
    assert with_twins["left_out"] == ""


@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        ([1, 2], [0.1, 0.2], "fewer than 3 models"),
        ([3, 3, 3, 3], [0.1, 0.2, 0.3, 0.5], "the property is the same for all models"),
        ([1, 2, 3, 4], [0.1, 0.1, 0.1, 0.1], "the score is the same for all models"),
        ([np.nan] * 4, [0.1, 0.2, 0.3, 0.5], "fewer than 3 models"),
    ],
)
def test_where_there_is_no_r_a_reason_stands(x: list[float], y: list[float], reason: str) -> None:
    row = correlations([scores(y)], properties(x), ["size"], 100, 0).iloc[0]
    assert row["reason"] == reason
    assert row[["pearson_r", "pearson_p", "spearman_rho", "over_models_low", "over_stimuli_low"]].isna().all()


def test_three_models_have_an_r_but_no_p() -> None:
    row = correlations([scores([0.1, 0.3, 0.2])], properties([1, 2, 3]), ["size"], 100, 0).iloc[0]
    assert row["pearson_r"] == pytest.approx(0.5)
    assert row[["pearson_p", "spearman_p", "fisher_low", "fisher_high"]].isna().all()
    assert row["reason"] == "fewer than 4 models: no p and no analytic interval"


def test_a_loss_is_found_under_its_column_with_the_unit() -> None:
    table = properties(X).rename(columns={"size": "world-loss_nats_per_token"})
    row = correlations([scores(Y)], table, ["world-loss"], 100, 0).iloc[0]
    assert row["property"] == "world-loss"
    assert row["pearson_r"] == pytest.approx(np.corrcoef(X, Y)[0, 1])


def test_an_unknown_property_is_an_error_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match=r"unknown property 'sise'; did you mean 'size'\? Allowed: size\."):
        correlations([scores(Y)], properties(X), ["sise"], 100, 0)


def test_spearman_s_p_is_exact_for_few_models() -> None:
    x, y = np.array([1.0, 2, 3, 4, 5]), np.array([1.0, 3, 2, 4, 5])
    everything = stats.permutation_test(
        (x,), lambda order: stats.spearmanr(order, y).statistic, permutation_type="pairings", n_resamples=np.inf
    )
    rho, p = spearman(x, y)
    assert (rho, p) == pytest.approx((stats.spearmanr(x, y).statistic, everything.pvalue))
    assert spearman(x, x)[1] == pytest.approx(2 / 120)


def test_a_perfect_r_has_no_analytic_interval() -> None:
    assert np.isnan(fisher_interval(1.0, 10)).all()
    assert np.isnan(fisher_interval(0.5, 3)).all()


def test_pearson_of_a_constant_or_missing_value_is_nan() -> None:
    x = np.array([1.0, 2.0, 3.0])
    assert np.isnan(pearson(x, np.array([[0.1, 0.1, 0.1], [0.1, np.nan, 0.2]]))).all()


def test_no_models_give_an_empty_table_with_a_header() -> None:
    assert correlations([], properties(X), ["size"], 100, 0).columns.tolist() == COLUMNS
