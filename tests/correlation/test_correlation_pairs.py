"""Pairs against plain arithmetic and scipy."""

import numpy as np
import pytest
from scipy import stats

from brainalign.correlation.pairs import COLUMNS, PAIR, SUMMARY, bootstrap_bases, compare_pairs, smallest_p, wilcoxon_p
from brainalign.correlation.scores import ModelScores
from brainalign.errors import InputError

MODELS = ("a", "b", "c", "a-chat", "a-code", "b-chat", "c-chat")
PAIRS = {"a-chat": "a", "a-code": "a", "b-chat": "b", "c-chat": "c"}
R = np.array([0.20, 0.25, 0.01, 0.23, 0.22, 0.24, 0.06])


def scores() -> ModelScores:
    random = np.random.default_rng(3)
    shared = random.normal(0, 0.05, (200, 1))
    drawn = R + shared + random.normal(0, 0.01, (200, len(R)))
    return ModelScores("e", "last", "d", MODELS, R, drawn, R / 0.4, drawn / 0.4, 0.0)


def test_a_pair() -> None:
    group = scores()
    table = compare_pairs([group], PAIRS, 500, 0)
    row = table[(table["tuned"] == "a-code") & (table["row"] == PAIR)].iloc[0]
    drawn = group.replicates[:, 4] - group.replicates[:, 0]
    assert (row["r_tuned"], row["r_base"], row["difference"]) == pytest.approx((0.22, 0.20, 0.02))
    assert (row["difference_low"], row["difference_high"]) == pytest.approx(tuple(np.percentile(drawn, [2.5, 97.5])))
    assert row["difference_normalised"] == pytest.approx(0.05)
    assert row["difference_normalised_high"] == pytest.approx(np.percentile(drawn, 97.5) / 0.4)
    assert row["percent_change"] == pytest.approx(10.0)


def test_the_paired_interval_is_narrower_than_that_of_either_model() -> None:
    row = compare_pairs([scores()], PAIRS, 500, 0).iloc[0]
    assert row["difference_high"] - row["difference_low"] < 0.5 * (row["r_base_high"] - row["r_base_low"])


def test_per_cent_only_where_the_base_s_interval_lies_above_zero() -> None:
    table = compare_pairs([scores()], PAIRS, 500, 0)
    row = table[table["base"] == "c"].iloc[0]
    assert row["r_base_low"] < 0 < row["r_base_high"]
    assert np.isnan(row["percent_change"])
    assert row["reason"] == "no per cent: the interval of the base's r does not lie above 0"


def test_the_mean_of_the_pairs() -> None:
    group = scores()
    row = compare_pairs([group], PAIRS, 500, 0).iloc[-1]
    differences = np.array([0.03, 0.02, -0.01, 0.05])
    per_base = np.array([0.025, -0.01, 0.05])
    drawn = np.mean([group.replicates[:, t] - group.replicates[:, b] for t, b in ((3, 0), (4, 0), (5, 1), (6, 2))], 0)
    assert row["row"] == SUMMARY
    assert (row["pairs"], row["bases"], row["difference"]) == (4, 3, pytest.approx(differences.mean()))
    assert (row["difference_low"], row["difference_high"]) == pytest.approx(tuple(np.percentile(drawn, [2.5, 97.5])))
    assert row["wilcoxon_p_pairs"] == pytest.approx(stats.wilcoxon(differences).pvalue)
    assert row["wilcoxon_p_bases"] == pytest.approx(stats.wilcoxon(per_base).pvalue)
    assert (row["wilcoxon_smallest_p_pairs"], row["wilcoxon_smallest_p_bases"]) == (0.125, 0.25)


def test_bases_move_with_all_their_pairs() -> None:
    drawn = bootstrap_bases(np.array([1.0, 3.0, 10.0]), ["a", "a", "b"], 4000, 0)
    values, counts = np.unique(drawn, return_counts=True)
    assert values.tolist() == pytest.approx([2.0, 14 / 3, 10.0])
    np.testing.assert_allclose(counts / 4000, [0.25, 0.5, 0.25], atol=0.03)


def test_one_base_has_no_interval_over_bases() -> None:
    row = compare_pairs([scores()], {"a-chat": "a", "a-code": "a"}, 500, 0).iloc[-1]
    assert np.isnan([row["over_bases_low"], row["over_bases_high"]]).all()
    assert row["reason"] == "no interval over bases: there is one base only"


@pytest.mark.parametrize("n", [1, 3, 5, 8])
def test_the_smallest_p_is_attained_by_differences_of_one_sign(n: int) -> None:
    assert wilcoxon_p(np.arange(1.0, n + 1)) == pytest.approx(smallest_p(n))


def test_equal_models_have_no_wilcoxon_p() -> None:
    assert np.isnan(wilcoxon_p(np.zeros(4)))


def test_no_pairs_give_an_empty_table_with_a_header() -> None:
    table = compare_pairs([scores()], {}, 500, 0)
    assert table.empty
    assert table.columns.tolist() == COLUMNS


def test_a_base_that_was_not_scored_is_named() -> None:
    with pytest.raises(InputError, match="unknown model in a pair 'd'"):
        compare_pairs([scores()], {"a-chat": "d"}, 500, 0)
