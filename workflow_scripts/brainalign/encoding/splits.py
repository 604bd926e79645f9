"""Outer folds, equal to scikit-learn's of the same name and seed, and the inner folds that follow from them.

scikit-learn itself is not imported: its import costs most of a second in every job.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brainalign.errors import InputError, unknown
from brainalign.responses.samples import Samples

MINIMUM_TEST_ROWS = 20  # r of a fold with fewer rows is mostly noise: its standard error is above .22
INNER_FOLDS = 5  # of the training rows, where the outer test sets do not partition the samples


@dataclass(frozen=True)
class Fold:
    """Row numbers of one split into training and test samples."""

    train: np.ndarray
    test: np.ndarray


def make_folds(split: Mapping[str, Any], samples: Samples) -> list[Fold]:
    """Return the outer folds that a split describes.

    Parameters
    ----------
    split : one of
        {kind: shuffle, folds, test, seed}: ShuffleSplit(folds, train_size=1 - test, random_state=seed);
        {kind: kfold, folds, seed}: KFold(folds, shuffle=seed is not None, random_state=seed);
        {kind: grouped, by, folds, seed}: GroupKFold(folds, shuffle=seed is not None, random_state=seed);
        {kind: leave-one-group-out, by}: LeaveOneGroupOut().
        `by` is a column of the sample table, `split_group` unless set; `seed` is null unless set.

    Raises
    ------
    InputError : unknown kind or setting, a missing setting or column, fewer samples or groups than folds, or a fold
        with fewer than MINIMUM_TEST_ROWS test rows.
    """
    kind = str(split.get("kind"))
    if kind not in _KINDS:
        raise unknown("kind of split", kind, _KINDS)
    make, required, optional = _KINDS[kind]
    for name in split:
        if name not in ("kind", *required, *optional):
            raise unknown(f"setting of the split {kind!r}", name, ("kind", *required, *optional))
    for name in required:
        if name not in split:
            raise InputError(f"the split {kind!r} needs {name!r}, but has only {', '.join(split)}.")
    folds = make(split, samples)
    _check_test_rows(folds, kind)
    return folds


def inner_blocks(folds: Sequence[Fold], number: int, split: Mapping[str, Any]) -> list[np.ndarray]:
    """Return the inner folds of one outer fold: disjoint sets of its training rows, together all of them.

    They are the test sets of the other outer folds. Shuffled outer test sets overlap and leave rows out; there they
    are INNER_FOLDS shuffled blocks of the training rows, drawn with the split's seed and blind to groups, as is the
    split itself.

    Raises
    ------
    InputError : fewer than 3 outer folds, so that an inner fold would have nothing to train on.
    """
    if split["kind"] == "shuffle":
        rows = np.sort(folds[number].train)
        return [rows[test] for test in _kfold_tests(len(rows), INNER_FOLDS, split.get("seed"))]
    if len(folds) < 3:
        raise InputError(
            f"inner folds are the remaining outer folds and need at least 3 of them, but there are {len(folds)}."
        )
    return [fold.test for other, fold in enumerate(folds) if other != number]


def _shuffle(split: Mapping[str, Any], samples: Samples) -> list[Fold]:
    share, size = float(split["test"]), len(samples)
    if not 0 < share < 1:
        raise InputError(f"the share of test rows must lie between 0 and 1, but is {share:g}.")
    n_train = int(np.floor((1 - share) * size))
    n_test = size - n_train
    random = np.random.RandomState(split["seed"])
    orders = [random.permutation(size) for _ in range(_n_folds(split, 1))]
    return [Fold(order[n_test:], order[:n_test]) for order in orders]


def _kfold(split: Mapping[str, Any], samples: Samples) -> list[Fold]:
    n_folds = _n_folds(split, 2)
    if len(samples) < n_folds:
        raise InputError(f"the split 'kfold' asks for {n_folds} folds, but there are only {len(samples)} samples.")
    return _partition(_kfold_tests(len(samples), n_folds, split.get("seed")), len(samples))


def _grouped(split: Mapping[str, Any], samples: Samples) -> list[Fold]:
    n_folds, by = _n_folds(split, 2), str(split.get("by", "split_group"))
    groups, index, counts = np.unique(_groups(samples, by), return_inverse=True, return_counts=True)
    if len(groups) < n_folds:
        raise InputError(
            f"the split 'grouped' asks for {n_folds} folds, but the column {by!r} has only {len(groups)} groups."
        )
    seed = split.get("seed")
    fold_of_group = _balance(counts, n_folds) if seed is None else _deal(len(groups), n_folds, seed)
    return _partition([np.flatnonzero(fold_of_group[index] == fold) for fold in range(n_folds)], len(samples))


def _leave_one_group_out(split: Mapping[str, Any], samples: Samples) -> list[Fold]:
    by = str(split.get("by", "split_group"))
    groups, index = np.unique(_groups(samples, by), return_inverse=True)
    if len(groups) < 2:
        raise InputError(f"the split 'leave-one-group-out' needs 2 groups, but the column {by!r} has {len(groups)}.")
    return _partition([np.flatnonzero(index == group) for group in range(len(groups))], len(samples))


def _groups(samples: Samples, by: str) -> np.ndarray:
    values = samples.column(by)
    return values.astype(str) if values.dtype == object else values


def _kfold_tests(size: int, n_folds: int, seed: int | None) -> list[np.ndarray]:
    order = np.arange(size)
    if seed is not None:
        np.random.RandomState(seed).shuffle(order)
    return [np.sort(part) for part in np.array_split(order, n_folds)]


def _balance(counts: np.ndarray, n_folds: int) -> np.ndarray:
    """Give each group, largest first, to the fold that has fewest rows; returns the fold of each group."""
    fold_of_group, rows = np.zeros(len(counts), dtype=np.intp), np.zeros(n_folds, dtype=np.intp)
    for group in np.argsort(counts, kind="stable")[::-1]:
        fold_of_group[group] = lightest = np.argmin(rows)
        rows[lightest] += counts[group]
    return fold_of_group


def _deal(n_groups: int, n_folds: int, seed: int) -> np.ndarray:
    fold_of_group = np.zeros(n_groups, dtype=np.intp)
    order = np.random.RandomState(seed).permutation(n_groups)
    for fold, groups in enumerate(np.array_split(order, n_folds)):
        fold_of_group[groups] = fold
    return fold_of_group


def _partition(tests: Sequence[np.ndarray], size: int) -> list[Fold]:
    return [Fold(np.setdiff1d(np.arange(size), test, assume_unique=True), test) for test in tests]


def _n_folds(split: Mapping[str, Any], least: int) -> int:
    folds = int(split["folds"])
    if folds < least:
        raise InputError(f"the split {split['kind']!r} needs at least {least} folds, but is given {folds}.")
    return folds


def _check_test_rows(folds: Sequence[Fold], kind: str) -> None:
    sizes = [len(fold.test) for fold in folds]
    if min(sizes) < MINIMUM_TEST_ROWS:
        raise InputError(
            f"fold {int(np.argmin(sizes))} of the split {kind!r} has {min(sizes)} test rows, too few for a "
            f"correlation per fold: at least {MINIMUM_TEST_ROWS} are needed, so take fewer folds or larger groups."
        )


_KINDS: dict[str, tuple[Callable[[Mapping[str, Any], Samples], list[Fold]], tuple[str, ...], tuple[str, ...]]] = {
    "shuffle": (_shuffle, ("folds", "test", "seed"), ()),
    "kfold": (_kfold, ("folds",), ("seed",)),
    "grouped": (_grouped, ("folds",), ("by", "seed")),
    "leave-one-group-out": (_leave_one_group_out, (), ("by",)),
}
