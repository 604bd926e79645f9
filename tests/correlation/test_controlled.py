"""Correlations that hold something fixed, as rows: which models, how many, and why not."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from brainalign.correlation.controlled import ANALYSES, COLUMNS, WITHIN, WITHOUT, controlled_correlations
from brainalign.correlation.observations import by_name, members, property_values
from brainalign.correlation.partial import controlled_r
from brainalign.correlation.properties import correlations
from brainalign.correlation.scores import ModelScores
from brainalign.errors import InputError

N = 14
NAMES = tuple(f"m{number}" for number in range(N))
RANDOM = np.random.default_rng(0)
SIZE = np.repeat(np.arange(7.0), 2) + 1
MMLU = 0.1 * SIZE + RANDOM.normal(0, 0.1, N)
Y = 0.05 * SIZE + RANDOM.normal(0, 0.05, N)


def group() -> ModelScores:
    drawn = Y + np.random.default_rng(1).normal(0, 0.02, (60, N))
    return ModelScores("e", "last", "d", NAMES, Y, drawn, Y, drawn, 0.0)


def properties() -> pd.DataFrame:
    kinds = ["vanilla", "instruction-tuned"] * 7
    bases = [("" if number % 2 == 0 else f"m{number - 1}") for number in range(N)]
    families = ["one"] * 6 + ["two"] * 8
    table = pd.DataFrame({"model": NAMES, "family": families, "kind": kinds, "base": bases})
    return table.assign(size=SIZE, mmlu=MMLU, other=MMLU * 2 + 1)


def only(table: pd.DataFrame, **wanted: str) -> pd.Series:
    for column, value in wanted.items():
        table = table[table[column] == value]
    assert len(table) == 1, table
    return table.iloc[0]


def test_partial_and_semi_partial() -> None:
    wanted = [{"property": "mmlu", "given": ["size"]}]
    table = controlled_correlations([group()], properties(), ["size"], wanted, draws=300, seed=4)
    row, semi = only(table, analysis="partial"), only(table, analysis="semi-partial")
    expected = float(controlled_r(MMLU, Y, SIZE[:, None], "partial"))
    assert row["estimate"] == pytest.approx(expected)
    assert (row["n"], row["bases"], row["given"], row["models"]) == (14, 7, "size", " ".join(NAMES))
    t = expected * np.sqrt(11 / (1 - expected**2))
    assert row["p"] == semi["p"] == pytest.approx(2 * stats.t.sf(abs(t), 11))
    assert abs(semi["estimate"]) < abs(row["estimate"])
    assert row["over_models_low"] < row["estimate"] < row["over_models_high"]
    drawn = [controlled_r(MMLU, draw, SIZE[:, None], "partial") for draw in group().replicates]
    assert row["over_stimuli_high"] == pytest.approx(np.percentile(drawn, 97.5))


def test_a_model_without_a_covariate_is_left_out_by_name() -> None:
    table = properties().assign(size=[np.nan, *SIZE[1:]])
    wanted = [{"property": "mmlu", "given": ["size"]}]
    row = only(controlled_correlations([group()], table, [], wanted, draws=100), analysis="partial")
    assert (row["n"], row["left_out"]) == (13, "m0")


@pytest.mark.parametrize(
    ("given", "kept", "reason"),
    [
        (["constant"], N, "a property that is held fixed is the same for all models"),
        (["other"], N, "the properties are linearly dependent, or explain the score entirely"),
        (["size"], 3, "fewer than 4 models"),
        (["size"], 4, "fewer than 5 models: no p and no analytic interval"),
    ],
)
def test_why_there_is_no_partial_correlation(given: list[str], kept: int, reason: str) -> None:
    table = properties().assign(constant=3.0)
    table.loc[kept:, "mmlu"] = np.nan
    wanted = [{"property": "mmlu", "given": given}]
    row = only(controlled_correlations([group()], table, [], wanted, draws=100), analysis="partial")
    assert row["reason"] == reason
    assert np.isnan(row["p"])


def test_within_and_without_families() -> None:
    table = controlled_correlations([group()], properties(), ["mmlu"], draws=100)
    inside, outside = only(table, analysis=WITHIN, family="one"), only(table, analysis=WITHOUT, family="one")
    assert (inside["n"], outside["n"]) == (6, 8)
    assert inside["estimate"] == pytest.approx(np.corrcoef(MMLU[:6], Y[:6])[0, 1])
    assert outside["estimate"] == pytest.approx(np.corrcoef(MMLU[6:], Y[6:])[0, 1])
    assert inside["p"] == pytest.approx(stats.pearsonr(MMLU[:6], Y[:6]).pvalue)
    other = only(table, analysis=WITHOUT, family="two")
    assert other["models"] == inside["models"] == " ".join(NAMES[:6])


def test_one_family_has_no_rows_of_families() -> None:
    table = controlled_correlations([group()], properties().assign(family="one"), ["mmlu"], draws=100)
    assert table.empty
    assert table.columns.tolist() == COLUMNS


def test_a_mixed_model_or_why_there_is_none() -> None:
    row = only(controlled_correlations([group()], properties(), [], mixed=["size"]), analysis="mixed model")
    assert row["low"] < row["estimate"] < row["high"]
    assert (row["n"], row["bases"], row["reason"]) == (14, 7, "")
    assert 0 < row["share_between"] < 1
    few = {"few": {"models": list(NAMES[:8])}}
    row = only(controlled_correlations([group()], properties(), [], mixed=["size"], over=few), analysis="mixed model")
    assert row["reason"] == "there are 4 bases, and a random intercept needs at least 5"
    assert np.isnan(row["estimate"])


def test_published_correlations_are_tested_and_corrected_together() -> None:
    given = {"table-2": {"n": 17, "r": {"mmlu": 0.809, "bbh": 0.384, "world": 0.679}}}
    table = controlled_correlations([], properties(), [], given_r=given)
    p = [2 * stats.t.sf(r * np.sqrt(15 / (1 - r * r)), 15) for r in (0.809, 0.384, 0.679)]
    assert table["p"].tolist() == pytest.approx(p)
    assert table["corrected_p"].tolist() == pytest.approx(stats.false_discovery_control(p))
    assert set(table["analysis"]) == {"given r"} <= set(ANALYSES)


def test_sets_of_models() -> None:
    over = {"tuned": {"kinds": ["instruction-tuned"], "without": ["m1"]}, "two": {"families": ["two"]}}
    table = correlations([group()], properties(), ["mmlu"], 100, 0, over)
    tuned, two = only(table, over="tuned"), only(table, over="two")
    assert tuned["models"] == "m3 m5 m7 m9 m11 m13"
    assert tuned["left_out"] == ""
    assert (two["n"], two["bases"]) == (8, 4)
    assert table["over"].tolist() == ["tuned", "two"]


def test_sets_keep_their_order_in_a_spec() -> None:
    listed = [{"name": "z", "kinds": ["vanilla"]}, {"name": "a"}]
    assert list(by_name(listed).items()) == [("z", {"kinds": ["vanilla"]}), ("a", {})]
    assert members({}, properties().assign(kind=["untrained"] + ["vanilla"] * 13)) == list(NAMES[1:])


def test_a_model_that_was_never_scored_is_left_out_by_name() -> None:
    table = properties()
    table.loc[len(table)] = ["new", "one", "vanilla", "", 3.0, 0.2, 0.3]
    assert correlations([group()], table, ["mmlu"], 100, 0).iloc[0]["left_out"] == "new"


def test_logarithms_of_any_property() -> None:
    table = properties().assign(width=np.arange(N) * 1.0)
    found = property_values("log10_width", table)
    assert np.isnan(found["m0"])
    assert found["m10"] == pytest.approx(1.0)
    with pytest.raises(InputError, match="unknown property 'log10_with'"):
        property_values("log10_with", table)
