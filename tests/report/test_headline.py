"""The answer names rows of the tables, with their intervals."""

import numpy as np
import pandas as pd
import pytest

from brainalign.report import headline, wording
from brainalign.report.headline import answers, headline_table, is_controlled
from report.conftest import Invented


def _chosen(table: pd.DataFrame) -> pd.DataFrame:
    return table[(table["layer"] == "chosen") & (table["subject"] == "all") & (table["region"] == "all")]


def test_the_best_trained_model_is_named_and_no_twin(invented: Invented) -> None:
    table = headline_table(*invented.four[:2], invented.config)
    rows = _chosen(invented.tables.alignment)
    trained = [f"tiny-{n}{end}" for n in (1, 2, 3) for end in ("", "-instruct")]
    for row in table.to_dict("records"):
        here = rows[(rows["encoder"] == row["encoder"]) & (rows["dataset"] == row["dataset"])]
        own = here[here["features"].isin(trained)].set_index("features")
        assert row["model"] == max(trained, key=lambda name: own.loc[name, "r"])
        assert row["models"] == 6
        assert row["above_null"] == (own["over_null_low"] > 0).sum()
        for column in ("r", "r_low", "r_high", "normalised", "over_null", "over_null_low"):
            assert row[column] == own.loc[row["model"], column]
    assert set(table["subjects"]) == {3}


def test_controlled_encoders_come_first(invented: Invented) -> None:
    table = headline_table(*invented.four[:2], invented.config)
    assert table["encoder"].tolist() == ["controlled", "controlled", "as-published", "as-published"]
    turned = invented.tables.alignment.iloc[::-1]
    assert headline_table(turned, invented.tables.properties, invented.config)["encoder"].iloc[0] == "controlled"


@pytest.mark.parametrize(
    ("entry", "controlled"),
    [
        ({"split": {"kind": "grouped"}, "layer": "nested"}, True),
        ({"split": {"kind": "grouped"}, "layer": "best"}, False),
        ({"split": {"kind": "shuffle"}, "layer": "nested"}, False),
        ({"split": {"kind": "kfold"}, "layer": "nested"}, False),
        ({"split": {"kind": "contiguous", "gap": 5}, "layer": {"fixed": "block_01"}}, True),
        ({"split": {"kind": "contiguous", "gap": 0}, "layer": "nested"}, False),
    ],
)
def test_what_counts_as_controlled(entry: dict, controlled: bool) -> None:
    assert is_controlled(entry) is controlled


def test_every_number_of_the_answer_has_its_interval(invented: Invented) -> None:
    said = answers(*invented.four, invented.config)
    assert [text.partition(": ")[0] for text in said[:2]] == ["passages", "stories"]
    row = headline_table(*invented.four[:2], invented.config).iloc[0]
    assert f"r = {wording.with_interval(row['r'], row['r_low'], row['r_high'])}" in said[0]
    pairs, correlations = said[2], said[3:]
    assert "over bases" in pairs
    assert "over stimuli" in pairs
    assert "3 pairs from 3 bases" in pairs
    assert len(correlations) == 2
    assert all("over 6 models" in text for text in correlations)


def test_a_score_that_is_missing_is_not_the_best(invented: Invented) -> None:
    table = invented.tables.alignment.copy()
    best = headline_table(table, invented.tables.properties, invented.config)["model"].iloc[0]
    table.loc[table["features"] == best, ["r", "r_low", "r_high"]] = np.nan
    again = headline_table(table, invented.tables.properties, invented.config)
    assert best not in set(again["model"])
    assert set(again["models"]) == {5}


def test_without_scores_there_is_a_sentence(invented: Invented) -> None:
    nothing = invented.tables.alignment.iloc[:0]
    empty = invented.tables.correlations.iloc[:0], invented.tables.pairs.iloc[:0]
    assert answers(nothing, invented.tables.properties, *empty, invented.config) == [
        "No model was scored on a data set with responses."
    ]


def test_a_correlation_that_could_not_be_tested_says_why(invented: Invented) -> None:
    table = invented.tables.correlations.copy()
    table[["pearson_r", "pearson_p", "permutation_p"]] = np.nan
    table["n"], table["reason"] = 2, "fewer than 3 models"
    said = headline.correlation_sentences(table, "controlled")
    assert said[0].endswith("no correlation (fewer than 3 models), 2 models.")


def test_the_smallest_possible_p_is_called_so(invented: Invented) -> None:
    table = invented.tables.pairs.copy()
    summary = (table["row"] == "mean of the pairs") & (table["encoder"] == "controlled")
    table.loc[summary, ["wilcoxon_p_bases", "wilcoxon_smallest_p_bases"]] = 0.25
    assert "p = 0.250, the smallest that so few can give" in headline.pair_sentences(table, "controlled")[0]
    table.loc[summary, "wilcoxon_p_bases"] = 0.5
    assert "smallest" not in headline.pair_sentences(table, "controlled")[0]
