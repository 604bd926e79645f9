"""Pairs against plain arithmetic and scipy."""

import numpy as np
import pytest
from scipy import stats

from brainalign.correlation.pairs import COLUMNS, PAIR, SUMMARY, bootstrap_bases, compare_pairs
from brainalign.correlation.percentages import UNKNOWN, percent_change
from brainalign.correlation.scores import ModelScores

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
    beyond = min((drawn <= 0).sum(), (drawn >= 0).sum())
    assert (row["difference_p"], row["difference_smallest_p"]) == pytest.approx((2 * (beyond + 1) / 201, 2 / 201))
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
    beyond = min((drawn <= 0).sum(), (drawn >= 0).sum())
    assert row["difference_p"] == pytest.approx(2 * (beyond + 1) / 201)
    assert row["wilcoxon_p_pairs"] == pytest.approx(stats.wilcoxon(differences).pvalue)
    assert row["wilcoxon_p_bases"] == pytest.approx(stats.wilcoxon(per_base).pvalue)
    assert (row["wilcoxon_smallest_p_pairs"], row["wilcoxon_smallest_p_bases"]) == (0.125, 0.25)


def test_bases_move_with_all_their_pairs() -> None:
    drawn = bootstrap_bases(np.array([1.0, 3.0, 10.0]), ["a", "a", "b"], 4000, 0)
    mean, factor = 14 / 3, np.sqrt(2) * stats.t.isf(0.025, 1) / stats.norm.isf(0.025)
    values, counts = np.unique(drawn.round(9), return_counts=True)
    assert values.tolist() == pytest.approx([mean + factor * (2.0 - mean), mean, mean + factor * (10.0 - mean)])
    np.testing.assert_allclose(counts / 4000, [0.25, 0.5, 0.25], atol=0.03)


def test_the_interval_over_eight_bases_covers_the_mean() -> None:
    random = np.random.default_rng(0)
    bases = [name for name, count in zip("abcdefgh", (1, 2, 2, 5, 2, 2, 2, 1), strict=True) for _ in range(count)]
    place = [list("abcdefgh").index(base) for base in bases]
    covered = 0
    for _ in range(300):
        differences = 0.01 + random.normal(0, 0.02, 8)[place] + random.normal(0, 0.005, len(bases))
        low, high = np.percentile(bootstrap_bases(differences, bases, 300, 1), [2.5, 97.5])
        covered += low <= 0.01 <= high
    assert 0.90 <= covered / 300 <= 0.98


def test_one_base_has_no_interval_over_bases() -> None:
    row = compare_pairs([scores()], {"a-chat": "a", "a-code": "a"}, 500, 0).iloc[-1]
    assert np.isnan([row["over_bases_low"], row["over_bases_high"]]).all()
    assert row["reason"] == "no interval over bases: there is one base only"


def test_no_pairs_give_an_empty_table_with_a_header() -> None:
    table = compare_pairs([scores()], {}, 500, 0)
    assert table.empty
    assert table.columns.tolist() == COLUMNS


def test_a_pair_that_was_not_scored_is_named_and_left_out_of_the_mean() -> None:
    with_stranger = PAIRS | {"d-chat": "a"}
    table = compare_pairs([scores()], with_stranger, 500, 0)
    row = table[table["tuned"] == "d-chat"].iloc[0]
    assert row["reason"] == "no score of d-chat"
    assert np.isnan(row["difference"])
    mean, without = table.iloc[-1], compare_pairs([scores()], PAIRS, 500, 0).iloc[-1]
    assert (mean["left_out"], mean["pairs"], mean["difference"]) == ("d-chat", 4, without["difference"])
    nothing = compare_pairs([scores()], {"d-chat": "a"}, 500, 0).iloc[-1]
    assert (nothing["pairs"], nothing["reason"]) == (0, "no pair has both scores")


def test_each_set_of_models_has_its_mean() -> None:
    table = compare_pairs(
        [scores()], PAIRS, 500, 0, {"chat": ["a-chat", "b-chat", "a"], "none": ["a"], "every": [*PAIRS]}
    )
    means = table[table["row"] == SUMMARY].set_index("over")
    assert means["pairs"].to_dict() == {"chat": 2, "every": 4}
    assert means.loc["chat", "difference"] == pytest.approx((0.03 - 0.01) / 2)
    assert (table.loc[table["row"] == PAIR, "over"] == "").all()


def test_the_average_per_cent_in_three_ways() -> None:
    none = np.empty((0, 4))
    nan, names = np.full(4, np.nan), ("a", "b", "x", "y")
    first, second = (
        ModelScores("e", "r", name, names, np.array(r), none, nan, none, 0.0)
        for name, r in (("one", [0.2, 0.4, 0.3, 0.5]), ("two", [0.01, 0.1, 0.04, 0.1]))
    )
    both, r = ((first, 0.5), (second, 0.5)), (first.r + second.r) / 2
    average = ModelScores("e", "r", "average", first.models, r, none, nan, none, 0.0, np.empty((0, 4)), both)
    pairs = {"x": "a", "y": "b"}
    row = compare_pairs([average], pairs, 100, 0).iloc[-1]
    of_first, of_second = (50 + 25) / 2, (300 + 0) / 2
    assert row["percent_mean_over_datasets"] == pytest.approx((of_first + of_second) / 2)
    assert row["percent_mean_over_pairs"] == pytest.approx(50 * ((0.17 / 0.105 - 1) + (0.3 / 0.25 - 1)))
    assert row["percent_of_mean_r"] == pytest.approx(100 * (0.47 / 0.355 - 1))
    assert row["percent_pairs"] == 2
    one = compare_pairs([first], pairs, 100, 0).iloc[-1]
    assert one["percent_mean_over_datasets"] == one["percent_mean_over_pairs"] == pytest.approx(of_first)


def test_a_per_cent_of_a_base_that_may_be_zero_is_not_averaged() -> None:
    row = compare_pairs([scores()], PAIRS, 500, 0).iloc[-1]
    assert row["percent_pairs"] == 3
    assert row["percent_mean_over_pairs"] == pytest.approx(100 * (0.03 / 0.2 + 0.02 / 0.2 - 0.01 / 0.25) / 3)


def test_what_is_said_of_a_per_cent() -> None:
    assert percent_change(0.3, 0.2, np.empty(0)) == (pytest.approx(50.0), UNKNOWN)
    assert percent_change(0.3, 0.2, np.array([0.1, 0.2])) == (pytest.approx(50.0), "")
    for base in (-0.1, 0.0):
        assert np.isnan(percent_change(0.3, base, np.empty(0))[0])


def with_subjects(count: int, seed: int = 0) -> ModelScores:
    group = scores()
    of_subjects = np.random.default_rng(seed).normal(R, 0.05, (count, len(R)))
    fields = [group.encoder, group.readout, f"d{seed}", group.models, group.r, group.replicates]
    return ModelScores(*fields, group.normalised, group.normalised_replicates, 0.0, of_subjects)


def test_a_pair_over_subjects() -> None:
    group = with_subjects(8)
    row = compare_pairs([group], PAIRS, 500, 3).iloc[0]
    d = group.subject_r[:, 3] - group.subject_r[:, 0]
    counts = np.random.default_rng(3).multinomial(8, np.full(8, 1 / 8), size=500)  # how often each subject is drawn
    factor = np.sqrt(8 / 7) * stats.t.isf(0.025, 7) / stats.norm.isf(0.025)
    drawn = [np.repeat(d, times).mean() for times in counts]
    low, high = np.percentile([d.mean() + factor * (mean - d.mean()) for mean in drawn], [2.5, 97.5])
    assert (row["subjects"], row["subjects_higher"]) == (8, int((d > 0).sum()))
    assert row["subject_difference"] == pytest.approx(d.mean())
    assert (row["over_subjects_low"], row["over_subjects_high"]) == pytest.approx((low, high))


def test_few_subjects_are_counted_but_not_resampled() -> None:
    row = compare_pairs([with_subjects(5)], PAIRS, 500, 3).iloc[0]
    assert row["subjects"] == 5
    assert np.isfinite(row["subject_difference"])
    assert np.isnan(row["over_subjects_low"])
    asked = compare_pairs([with_subjects(5)], PAIRS, 500, 3, few_subjects="resample").iloc[0]
    assert asked["over_subjects_low"] < row["subject_difference"] < asked["over_subjects_high"]
    alone = compare_pairs([with_subjects(1)], PAIRS, 500, 3, few_subjects="resample").iloc[0]
    assert np.isnan(alone["over_subjects_low"])


def test_subjects_of_data_sets_of_one_size_are_drawn_independently() -> None:
    """Were they drawn alike, what two data sets with opposite differences average to would not move at all."""
    group = with_subjects(8)
    upside_down = 2 * R - group.subject_r
    fields = [group.encoder, group.readout, "d", group.models, group.r, group.replicates, group.normalised]
    other = ModelScores(*fields, group.normalised_replicates, 0.0, upside_down)
    average = ModelScores(*fields, group.normalised_replicates, 0.0, np.empty((0, 7)), ((group, 0.5), (other, 0.5)))
    row, alone = (compare_pairs([of], PAIRS, 500, 3).iloc[0] for of in (average, group))
    widths = [of["over_subjects_high"] - of["over_subjects_low"] for of in (row, alone)]
    assert widths[0] / widths[1] == pytest.approx(np.sqrt(0.5), abs=0.1)


def test_subjects_of_an_average_are_those_of_its_data_sets() -> None:
    parts = ((with_subjects(7, 1), 0.25), (with_subjects(9, 2), 0.75))
    group = scores()
    fields = ["e", "last", "average", group.models, group.r, group.replicates, group.normalised]
    average = ModelScores(*fields, group.normalised_replicates, 0.0, np.empty((0, 7)), parts)
    row = compare_pairs([average], PAIRS, 500, 3).iloc[0]
    means = [(part.subject_r[:, 3] - part.subject_r[:, 0]).mean() for part, _ in parts]
    assert row["subjects"] == 16
    assert row["subject_difference"] == pytest.approx(0.25 * means[0] + 0.75 * means[1])
    assert row["over_subjects_low"] < row["subject_difference"] < row["over_subjects_high"]
