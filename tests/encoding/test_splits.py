from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, KFold, LeaveOneGroupOut, ShuffleSplit

from brainalign.encoding.splits import Fold, inner_blocks, make_folds
from brainalign.errors import InputError
from brainalign.responses.samples import Samples

RANDOM = np.random.default_rng(3)
GROUPS = np.array([f"topic {number}" for number in RANDOM.integers(0, 17, size=253)], dtype=object)
STORIES = np.repeat([3, 1, 2], [100, 90, 63])
SAMPLES = Samples({"split_group": GROUPS, "story": STORIES})


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
