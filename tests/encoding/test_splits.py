from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, KFold, LeaveOneGroupOut, ShuffleSplit

from brainalign.encoding.contiguous import rows_away, rows_near
from brainalign.encoding.splits import Fold, inner_blocks, inner_folds, is_pooled, make_folds
from brainalign.errors import InputError
from brainalign.responses.samples import Samples

RANDOM = np.random.default_rng(3)
GROUPS = np.array([f"topic {number}" for number in RANDOM.integers(0, 17, size=253)], dtype=object)
STORIES = np.repeat([3, 1, 2], [100, 90, 63])
SAMPLES = Samples({"split_group": GROUPS, "story": STORIES})
# A series of three runs, whose scans are 1.5 s apart, the second run's rows between those of the third.
RUNS = np.repeat(["1", "2", "3", "2", "3"], [50, 20, 10, 25, 30]).astype(object)
ONSETS_S = np.concatenate([1.5 * np.arange(50), 1.5 * np.arange(20), 1.5 * np.arange(10)])
ONSETS_S = np.concatenate([ONSETS_S, 1.5 * np.arange(20, 45), 1.5 * np.arange(10, 40)])
SERIES = Samples({"split_group": RUNS, "run": RUNS, "onset_s": ONSETS_S})


def same(folds: list[Fold], expected: Any) -> None:
    pairs = list(expected)
    assert len(folds) == len(pairs)
    for fold, (train, test) in zip(folds, pairs, strict=True):
        np.testing.assert_array_equal(fold.train, train)
        np.testing.assert_array_equal(fold.test, test)


@pytest.mark.parametrize(("share", "seed"), [(0.1, 1), (0.2, 0), (0.3, 7), (0.15, 1234)])
def test_shuffle_is_shuffle_split(share: float, seed: int) -> None:
    folds = make_folds({"kind": "shuffle", "folds": 10, "test": share, "seed": seed}, SAMPLES)
    same(folds, ShuffleSplit(n_splits=10, train_size=1 - share, random_state=seed).split(GROUPS))


def test_shuffle_rounds_the_share_as_shuffle_split_does() -> None:
    for size in range(100, 1000, 7):
        samples = Samples({"split_group": np.arange(size)})
        for share in (0.2, 0.3, 0.35, 0.45):
            split = {"kind": "shuffle", "folds": 1, "test": share, "seed": 0}
            expected = next(ShuffleSplit(1, train_size=1 - share, random_state=0).split(np.arange(size)))
            assert [len(make_folds(split, samples)[0].train)] == [len(expected[0])]


@pytest.mark.parametrize("seed", [None, 0, 42])
@pytest.mark.parametrize("n_folds", [2, 5, 10])
def test_kfold_is_kfold(n_folds: int, seed: int | None) -> None:
    folds = make_folds({"kind": "kfold", "folds": n_folds, "seed": seed}, SAMPLES)
    same(folds, KFold(n_folds, shuffle=seed is not None, random_state=seed).split(GROUPS))


@pytest.mark.parametrize("seed", [None, 0, 1234])
@pytest.mark.parametrize(("by", "n_folds"), [("split_group", 5), ("split_group", 7), ("story", 3), ("story", 2)])
def test_grouped_is_group_kfold(by: str, n_folds: int, seed: int | None) -> None:
    folds = make_folds({"kind": "grouped", "by": by, "folds": n_folds, "seed": seed}, SAMPLES)
    groups = SAMPLES.column(by)
    groups = groups.astype(str) if groups.dtype == object else groups
    same(folds, GroupKFold(n_folds, shuffle=seed is not None, random_state=seed).split(GROUPS, groups=groups))


def test_leave_one_group_out_is_leave_one_group_out() -> None:
    folds = make_folds({"kind": "leave-one-group-out", "by": "story"}, SAMPLES)
    same(folds, LeaveOneGroupOut().split(GROUPS, groups=STORIES))


def test_groups_of_equal_size_are_dealt_as_scikit_learn_deals_them() -> None:
    groups = np.repeat([f"p{number}" for number in range(96)], 4)
    folds = make_folds({"kind": "grouped", "folds": 10}, Samples({"split_group": groups}))
    same(folds, GroupKFold(10).split(groups, groups=groups))


def near(row: int, held_out: np.ndarray, split: dict[str, Any]) -> bool:
    """Whether a row of SERIES is within the gap of one that is held out, said row by row."""
    for other in held_out:
        if RUNS[row] != RUNS[other]:
            continue
        between = np.count_nonzero(RUNS[min(row, other) : max(row, other)] == RUNS[row])
        seconds = abs(ONSETS_S[row] - ONSETS_S[other])
        if (between if split.get("unit", "samples") == "samples" else seconds) <= split["gap"]:
            return True
    return False


@pytest.mark.parametrize("n_folds", [2, 4, 7])
def test_contiguous_blocks_without_a_gap_are_kfold(n_folds: int) -> None:
    folds = make_folds({"kind": "contiguous", "folds": n_folds, "gap": 0}, SAMPLES)
    same(folds, KFold(n_folds).split(GROUPS))


CONTIGUOUS = [
    {"kind": "contiguous", "folds": 4, "gap": 5},
    {"kind": "contiguous", "folds": 6, "gap": 3, "unit": "samples"},
    {"kind": "contiguous", "folds": 5, "gap": 7.5, "unit": "seconds"},
    {"kind": "contiguous", "folds": 3, "gap": 4.4, "unit": "seconds", "at": "train"},
]


@pytest.mark.parametrize("split", CONTIGUOUS)
def test_rows_of_a_run_within_the_gap_of_a_block_are_in_no_training_set(split: dict[str, Any]) -> None:
    folds = make_folds(split, SERIES)
    np.testing.assert_array_equal(np.concatenate([fold.test for fold in folds]), np.arange(len(SERIES)))
    for fold in folds:
        rest = np.setdiff1d(np.arange(len(SERIES)), fold.test)
        assert fold.train.tolist() == [row for row in rest if not near(row, fold.test, split)]
        assert len(fold.train) < len(rest)


def test_a_gap_is_as_wide_in_seconds_as_in_samples() -> None:
    folds = make_folds({"kind": "contiguous", "folds": 4, "gap": 5}, SERIES)
    in_seconds = make_folds({"kind": "contiguous", "folds": 4, "gap": 7.5, "unit": "seconds"}, SERIES)
    same(folds, [(fold.train, fold.test) for fold in in_seconds])


def test_a_gap_does_not_reach_into_another_run() -> None:
    runs = np.repeat(["1", "2"], 40)
    samples = Samples({"split_group": runs, "run": runs})
    first, second = make_folds({"kind": "contiguous", "folds": 2, "gap": 10}, samples)
    assert (len(first.train), len(second.train)) == (40, 40)
    one_run = Samples({"split_group": runs})
    first, second = make_folds({"kind": "contiguous", "folds": 2, "gap": 10}, one_run)
    assert (first.train.tolist(), second.train.tolist()) == (list(range(50, 80)), list(range(30)))


def test_the_published_rule_is_that_of_wehbe() -> None:
    samples = Samples({"split_group": np.zeros(1211), "run": np.repeat([1, 2, 3, 4], [303, 303, 303, 302])})
    folds = make_folds({"kind": "contiguous", "folds": 4, "gap": 5, "at": "published"}, samples)
    row = np.arange(1211)
    expected = [
        (row[307:], row[:302]),
        (np.concatenate([row[:302], row[604:]]), row[307:599]),
        (np.concatenate([row[:604], row[906:]]), row[609:901]),
        (row[:901], row[906:]),
    ]
    same(folds, expected)
    assert [len(fold.test) for fold in folds] == [302, 292, 292, 305]


@pytest.mark.parametrize("split", CONTIGUOUS)
def test_inner_folds_leave_out_the_gap_around_what_they_hold_out(split: dict[str, Any]) -> None:
    folds = make_folds(split, SERIES)
    n_dropped = 0
    for number, fold in enumerate(folds):
        inner = inner_folds(folds, number, split, SERIES)
        held_out = np.concatenate([part.held_out for part in inner])
        np.testing.assert_array_equal(np.sort(held_out), fold.train)
        for part in inner:
            rest = np.setdiff1d(fold.train, part.held_out)
            assert part.dropped.tolist() == [row for row in rest if near(row, part.held_out, split)]
        n_dropped += sum(len(part.dropped) for part in inner)
    assert n_dropped


def test_inner_folds_of_their_own_number_respect_the_gap() -> None:
    split = {"kind": "contiguous", "folds": 2, "gap": 2, "inner": {"folds": 6}}
    folds = make_folds(split, SERIES)
    inner = inner_folds(folds, 0, split, SERIES)
    expected = [folds[0].train[test] for _, test in KFold(6).split(folds[0].train)]
    for part, block in zip(inner, expected, strict=True):
        np.testing.assert_array_equal(part.held_out, block)
        rest = np.setdiff1d(folds[0].train, block)
        assert part.dropped.tolist() == [row for row in rest if near(row, block, split)]


def test_inner_folds_of_scattered_groups_respect_the_gap_on_both_sides() -> None:
    scattered = np.repeat(np.arange(27) % 4, 5)  # every group has rows all over the series
    samples = Samples({**SERIES.columns, "genre": scattered})
    split = {"kind": "contiguous", "folds": 3, "gap": 2, "inner": {"folds": 4, "by": "genre"}}
    folds = make_folds(split, samples)
    for number, fold in enumerate(folds):
        for part in inner_folds(folds, number, split, samples):
            rest = np.setdiff1d(fold.train, part.held_out)
            assert part.dropped.tolist() == [row for row in rest if near(row, part.held_out, split)]


def test_published_inner_folds_are_ten_unshuffled_ones_without_gaps() -> None:
    split = {"kind": "contiguous", "folds": 4, "gap": 5, "at": "published"}
    folds = make_folds(split, SERIES)
    for number, fold in enumerate(folds):
        inner = inner_folds(folds, number, split, SERIES)
        expected = [fold.train[test] for _, test in KFold(10).split(fold.train)]
        assert [part.held_out.tolist() for part in inner] == [block.tolist() for block in expected]
        assert not any(len(part.dropped) for part in inner)


def test_a_neighbour_that_the_gap_takes_is_no_inner_fold() -> None:
    samples = Samples({"split_group": np.zeros(200)})
    split = {"kind": "contiguous", "folds": 10, "gap": 20}
    folds = make_folds(split, samples)
    assert len(inner_folds(folds, 0, split, samples)) == 8
    assert len(inner_folds(folds, 5, split, samples)) == 7


@pytest.mark.parametrize(
    "outer", [{"kind": "kfold", "folds": 2, "seed": 3}, {"kind": "leave-one-group-out", "by": "story"}]
)
def test_inner_folds_by_a_column_are_group_kfold_of_the_training_rows(outer: dict[str, Any]) -> None:
    split = outer | {"inner": {"folds": 3, "by": "split_group"}}
    folds = make_folds(split, SAMPLES)
    for number, fold in enumerate(folds):
        train = np.sort(fold.train)
        expected = [train[test] for _, test in GroupKFold(3).split(train, groups=GROUPS[train].astype(str))]
        inner = inner_folds(folds, number, split, SAMPLES)
        assert [part.held_out.tolist() for part in inner] == [block.tolist() for block in expected]


def test_fixed_trains_on_one_value_and_tests_on_another() -> None:
    column = np.array(["train", "test", "neither"] * 40, dtype=object)
    samples = Samples(
        {"split_group": np.arange(120) // 6, "set": column, "experiment": np.repeat([243.0, 384.0, 1], 40)}
    )
    split = {"kind": "fixed", "column": "set", "train": "train", "test": "test"}
    same(make_folds(split, samples), [(np.arange(0, 120, 3), np.arange(1, 120, 3))])
    both = split | {"train": ["train", "neither"]}
    same(make_folds(both, samples), [(np.setdiff1d(np.arange(120), np.arange(1, 120, 3)), np.arange(1, 120, 3))])
    for train, test in ((243, 384), ("243", "384.0")):
        by_number = {"kind": "fixed", "column": "experiment", "train": train, "test": [test]}
        same(make_folds(by_number, samples), [(np.arange(40), np.arange(40, 80))])


def test_inner_folds_of_a_fixed_split_are_groups_of_the_training_rows() -> None:
    groups = np.repeat([f"t{number}" for number in RANDOM.permutation(24)], 5)
    samples = Samples({"split_group": groups, "set": np.repeat(["a", "b"], [90, 30])})
    split = {"kind": "fixed", "column": "set", "train": "a", "test": "b"}
    (fold,) = folds = make_folds(split, samples)
    inner = inner_folds(folds, 0, split, samples)
    expected = [fold.train[test] for _, test in GroupKFold(5).split(fold.train, groups=groups[fold.train])]
    assert [part.held_out.tolist() for part in inner] == [block.tolist() for block in expected]
    assert not any(len(part.dropped) for part in inner)


@pytest.mark.parametrize(
    "split",
    [
        {"kind": "kfold", "folds": 50},
        {"kind": "grouped", "folds": 17},
        {"kind": "leave-one-group-out"},
        {"kind": "contiguous", "folds": 40, "gap": 1},
    ],
)
def test_small_folds_are_allowed_where_predictions_are_pooled(split: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"; or score the predictions of all folds together, `small_folds: pool`\.$"):
        make_folds(split, SAMPLES)
    pooled = split | {"small_folds": "pool"}
    assert min(len(fold.test) for fold in make_folds(pooled, SAMPLES)) < 20
    assert is_pooled(pooled)
    assert not is_pooled(split)
    assert not is_pooled(split | {"small_folds": "refuse"})


@pytest.mark.parametrize(
    "split",
    [
        {"kind": "grouped", "folds": 5},
        {"kind": "kfold", "folds": 6, "seed": 0},
        {"kind": "leave-one-group-out", "by": "story"},
        {"kind": "shuffle", "folds": 4, "test": 0.2, "seed": 0},
    ],
)
def test_inner_blocks_partition_the_training_rows(split: dict[str, Any]) -> None:
    folds = make_folds(split, SAMPLES)
    for number, fold in enumerate(folds):
        blocks = inner_blocks(folds, number, split)
        np.testing.assert_array_equal(np.sort(np.concatenate(blocks)), np.sort(fold.train))


def test_inner_blocks_of_a_grouped_split_keep_groups_whole() -> None:
    split = {"kind": "grouped", "folds": 5}
    folds = make_folds(split, SAMPLES)
    owners = [set(GROUPS[block]) for block in inner_blocks(folds, 2, split)]
    assert sum(map(len, owners)) == len(set.union(*owners))


@pytest.mark.parametrize(
    ("split", "sentence"),
    [
        ({"kind": "groupd", "folds": 5}, "unknown kind of split 'groupd'; did you mean 'grouped'?"),
        ({"kind": "grouped", "folds": 5, "seeds": 1}, "unknown setting of the split 'grouped' 'seeds'; did you mean"),
        ({"kind": "grouped"}, "the split 'grouped' needs 'folds', but has only kind."),
        ({"kind": "grouped", "folds": 20}, "asks for 20 folds, but the column 'split_group' has only 17 groups."),
        ({"kind": "grouped", "by": "stori", "folds": 2}, "no column 'stori'; did you mean 'story'? Its columns: split"),
        ({"kind": "kfold", "folds": 20}, "fold 13 of the split 'kfold' has 12 test rows, too few"),
        ({"kind": "kfold", "folds": 300}, "asks for 300 folds, but there are only 253 samples."),
        ({"kind": "kfold", "folds": 1}, "needs at least 2 folds, but is given 1."),
        ({"kind": "leave-one-group-out"}, "test rows, too few for a correlation per fold: at least 20 are needed"),
        ({"kind": "shuffle", "folds": 2, "test": 1.5, "seed": 0}, "must lie between 0 and 1, but is 1.5."),
        (
            {"kind": "shuffle", "folds": 2, "test": 0.05, "seed": 0},
            "fold 0 of the split 'shuffle' has 13 test rows, too few for a correlation per fold: at least 20 are "
            "needed, so take a larger share of test rows.",
        ),
        (
            {"kind": "shuffle", "folds": 2, "test": 0.1, "seed": 0, "small_folds": "pool"},
            "unknown setting of the split 'shuffle' 'small_folds'; ",
        ),
        (
            {"kind": "kfold", "folds": 5, "small_folds": "pol"},
            "unknown way with small folds 'pol'; did you mean 'pool'?",
        ),
        ({"kind": "contiguous", "folds": 4}, "the split 'contiguous' needs 'gap', but has only kind, folds."),
        ({"kind": "contiguous", "folds": 4, "gap": 2.5}, "a whole number of samples of at least 0, but is 2.5."),
        (
            {"kind": "contiguous", "folds": 4, "gap": -1, "unit": "seconds"},
            "the gap of the split 'contiguous' must be a number of seconds of at least 0, but is -1.",
        ),
        (
            {"kind": "contiguous", "folds": 4, "gap": 2, "unit": "scans"},
            "unknown unit of the gap 'scans'; did you mean 'seconds'? Allowed: samples, seconds.",
        ),
        (
            {"kind": "contiguous", "folds": 4, "gap": 2, "at": "test"},
            "unknown rule of the gap 'test'. Allowed: train, ",
        ),
        (
            {"kind": "contiguous", "folds": 4, "gap": 2, "unit": "seconds", "at": "published"},
            "counts its gap in samples, not in seconds.",
        ),
        (
            {"kind": "contiguous", "folds": 4, "gap": 2, "unit": "seconds"},
            "a gap in seconds needs samples with onsets (a column 'onset_s'); without them count samples.",
        ),
        ({"kind": "contiguous", "folds": 300, "gap": 0}, "asks for 300 folds, but there are only 253 samples."),
        (
            {"kind": "contiguous", "folds": 2, "gap": 130},
            "the gap of 130 samples leaves fold 0 of the split 'contiguous' with 0 training rows; take a smaller gap",
        ),
        (
            {"kind": "contiguous", "folds": 5, "gap": 25, "at": "published"},
            "the gap of 25 samples leaves fold 1 of the split 'contiguous' with 0 test rows; take a smaller gap",
        ),
        (
            {"kind": "contiguous", "folds": 5, "gap": 16, "at": "published"},
            "fold 1 of the split 'contiguous' has 18 test rows, too few for a correlation per fold: at least 20 are "
            "needed, so take fewer folds or a smaller gap; or score",
        ),
        (
            {"kind": "fixed", "column": "story", "train": 1, "test": [2, 1]},
            "the split 'fixed' trains and tests on the same value '1' of 'story'.",
        ),
        (
            {"kind": "fixed", "column": "story", "train": 1, "test": 4},
            "unknown value of the column 'story' '4'. Allowed: 1, 2, 3.",
        ),
        (
            {"kind": "fixed", "column": "story", "train": [], "test": 1},
            "the split 'fixed' names no value of the column 'story' to train on.",
        ),
        ({"kind": "fixed", "column": "stories", "train": 1, "test": 2}, "no column 'stories'; did you mean 'story'?"),
        ({"kind": "fixed", "column": "story", "train": 1}, "the split 'fixed' needs 'test', but has only kind, column"),
        (
            {"kind": "fixed", "column": "split_group", "train": "topic 1", "test": "topic 2"},
            "at least 20 are needed, so take more test samples.",
        ),
    ],
)
def test_mistakes_are_sentences(split: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        make_folds(split, SAMPLES)
    assert sentence in str(caught.value)


def test_two_outer_folds_leave_no_inner_folds() -> None:
    split = {"kind": "kfold", "folds": 2}
    with pytest.raises(InputError, match="need at least 3 of them, but there are 2"):
        inner_blocks(make_folds(split, SAMPLES), 0, split)


@pytest.mark.parametrize(
    ("split", "number", "sentence"),
    [
        (
            {"kind": "kfold", "folds": 2},
            0,
            "inner folds are the remaining outer folds and need at least 3 of them, but there are 2; take more folds, "
            "or say `inner: {folds: ...}`.",
        ),
        ({"kind": "kfold", "folds": 4, "inner": {"fold": 3}}, 0, "unknown setting of the inner folds 'fold'; did you"),
        ({"kind": "kfold", "folds": 4, "inner": {"folds": 1}}, 0, "at least 2 inner folds, but 1 are asked for."),
        (
            {"kind": "kfold", "folds": 2, "inner": {"folds": 130}},
            0,
            "130 inner folds are asked for, but there are only 126 training rows.",
        ),
        (
            {"kind": "fixed", "column": "story", "train": [1, 2], "test": 3, "inner": {"by": "story"}},
            0,
            "5 inner folds by 'story' are asked for, but the training rows have only 2 groups; "
            "say `inner: {folds: ..., by: ...}`.",
        ),
        (
            {"kind": "contiguous", "folds": 4, "gap": 64},
            1,
            "the gap leaves 1 inner folds to the training rows of fold 1, but 2 are needed; take a smaller gap",
        ),
        (
            {"kind": "contiguous", "folds": 3, "gap": 70},
            0,
            "inner fold 1 of fold 0 is left with 0 rows to train on; take a smaller gap or more inner folds.",
        ),
    ],
)
def test_inner_folds_that_cannot_be_made_are_told(split: dict[str, Any], number: int, sentence: str) -> None:
    folds = make_folds(split, SAMPLES)
    with pytest.raises(InputError) as caught:
        inner_folds(folds, number, split, SAMPLES)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    "gap", [{"gap": 0}, {"gap": 3}, {"gap": 4.5, "unit": "seconds"}, {"gap": 3, "at": "published"}]
)
def test_rows_near_a_row_are_those_that_are_not_away_from_it(gap: dict[str, Any]) -> None:
    split = {"kind": "contiguous", "folds": 4} | gap
    samples = Samples({"split_group": RUNS, "run": RUNS, "onset_s": ONSETS_S})
    rows = np.random.default_rng(0).permutation(len(RUNS))[:200]
    found = rows_near(rows, split, samples)
    for place in range(0, len(rows), 7):
        others = np.delete(rows, place)
        expected = np.setdiff1d(others, rows_away(others, rows[[place]], split, samples))
        np.testing.assert_array_equal(np.sort(rows[found[place]]), expected)
    assert any(map(len, found)) == (gap.get("at") != "published" and gap["gap"] > 0)


def test_inner_folds_by_a_column_need_the_samples() -> None:
    split = {"kind": "fixed", "column": "story", "train": [1, 2], "test": 3}
    with pytest.raises(InputError, match="inner folds by 'split_group' need the sample table"):
        inner_blocks(make_folds(split, SAMPLES), 0, split)


def test_a_gap_in_seconds_needs_rising_onsets() -> None:
    samples = Samples({"split_group": RUNS, "run": RUNS, "onset_s": ONSETS_S[::-1]})
    with pytest.raises(InputError, match="onsets that rise within each run, but in the run '1' they do not"):
        make_folds({"kind": "contiguous", "folds": 4, "gap": 3, "unit": "seconds"}, samples)
