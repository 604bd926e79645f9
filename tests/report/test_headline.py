"""The answer names rows of the tables, with their intervals."""

import re

import numpy as np
import pandas as pd
import pytest

from brainalign.correlation import pairs
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
    tuned, correlations = said[2], said[3:]
    assert "over bases" in tuned
    assert "over stimuli" in tuned
    assert "3 pairs from 3 bases" in tuned
    assert len(correlations) == 2
    assert all("over 6 models" in text for text in correlations)


def test_every_kind_of_study_is_answered(unlike: tuple[str, Invented]) -> None:
    way, study = unlike
    said = answers(*study.four, study.config)
    assert [text.partition(": ")[0] for text in said[:2]] == ["passages", "stories"]
    tuned = next(text for text in said if text.startswith("Instruction-tuning"))
    assert not re.search(r"\bnan\b|None", " ".join(said))
    assert any("null" in text for text in said) == (way != "without nulls")
    assert ("over bases and [" in tuned) == (way != "of one base")
    assert ("no interval over bases: there is one base only" in tuned) == (way == "of one base")
    assert ("Wilcoxon" in tuned) == (way != "of one base")
    assert all("and below the best null" in text for text in said[:2]) == (way == "below its nulls")


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.01, 0.05, "and above the best null, length: "),
        (-0.01, 0.05, "and not clearly above the best null, length: "),
        (-0.08, -0.02, "and below the best null, length: "),
        (np.nan, np.nan, "and compared with the best null, length: "),
    ],
)
def test_the_side_of_the_best_null_is_that_of_the_interval(
    invented: Invented, low: float, high: float, said: str
) -> None:
    table = invented.tables.alignment.assign(over_null_low=low, over_null_high=high, best_null="length")
    found = answers(table, *invented.four[1:], invented.config)
    assert said in found[0]


def _means(invented: Invented, **values: dict[str, float]) -> pd.DataFrame:
    """The pairs' means under the controlled encoder, with columns set for single data sets."""
    table = invented.tables.pairs.copy()
    table["percent_mean_over_datasets"] = 4.0
    for dataset, held in values.items():
        where = (table["row"] == headline.SUMMARY) & (table["dataset"] == dataset)
        assert where.any()
        table.loc[where, list(held)] = list(held.values())
    return table


def test_the_mean_gain_says_of_how_many_pairs_it_is(invented: Invented) -> None:
    both = {"passages": {"percent_pairs": 3}, "stories": {"percent_pairs": 3}}
    said = headline.pair_sentences(_means(invented, **both), "controlled")[0]
    assert "the mean gain over pairs and data sets (all 3) is 4.0 %" in said
    two = {"passages": {"percent_pairs": 2}, "stories": {"percent_pairs": 2}}
    assert "data sets (2 of 3) is" in headline.pair_sentences(_means(invented, **two), "controlled")[0]
    unlike = two | {"stories": {"percent_pairs": 3}}
    said = headline.pair_sentences(_means(invented, **unlike), "controlled")[0]
    assert "(2 of 3 on passages and 3 of 3 on stories) is 4.0 %" in said
    lost = both | {"stories": {"pairs": 2, "percent_pairs": 2}}
    assert "%" not in headline.pair_sentences(_means(invented, **lost), "controlled")[0]


def test_the_mean_of_pairs_has_one_name_in_all_tables() -> None:
    assert headline.SUMMARY == pairs.SUMMARY


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
