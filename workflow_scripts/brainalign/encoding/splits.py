"""Outer folds, equal to scikit-learn's of the same name and seed, and the inner folds that follow from them.

scikit-learn itself is not imported: its import costs most of a second in every job.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brainalign.encoding.contiguous import rows_away
from brainalign.encoding.split_kinds import KINDS, Fold, Kind, balance, groups, kfold_tests
from brainalign.errors import InputError, unknown
from brainalign.responses.samples import Samples

MINIMUM_TEST_ROWS = 20  # r of a fold with fewer rows is mostly noise: its standard error is above .22
INNER_FOLDS = 5  # of the training rows, where the outer test sets are no partition to take them from
PUBLISHED_INNER_FOLDS = 10  # of Wehbe et al. 2014
SMALL_FOLDS = ("refuse", "pool")

__all__ = ["Fold", "InnerFold", "inner_blocks", "inner_folds", "is_pooled", "make_folds"]


@dataclass(frozen=True)
class InnerFold:
    """Row numbers of one inner fold; the rest of the training rows are what it trains on.

    Parameters
    ----------
    held_out : left out, predicted and scored.
    dropped : left out with them and not scored, since they are too near; empty where the split has no gap.
    """

    held_out: np.ndarray
    dropped: np.ndarray


def make_folds(split: Mapping[str, Any], samples: Samples) -> list[Fold]:
    """Return the outer folds that a split describes.

    Parameters
    ----------
    split : one of
        {kind: shuffle, folds, test, seed}: ShuffleSplit(folds, train_size=1 - test, random_state=seed);
        {kind: kfold, folds, seed}: KFold(folds, shuffle=seed is not None, random_state=seed);
        {kind: grouped, by, folds, seed}: GroupKFold(folds, shuffle=seed is not None, random_state=seed);
        {kind: leave-one-group-out, by}: LeaveOneGroupOut();
        {kind: contiguous, folds, gap, unit, at}: blocks of neighbouring samples, see `contiguous_folds`;
        {kind: fixed, column, train, test}: one fold, trained on the samples whose `column` holds (one of) `train` and
        tested on those that hold `test`; numbers and numbers written as text are the same; the other samples are left
        out.
        `by` is a column of the sample table, `split_group` unless set; `seed` is null unless set.
        Kinds that test each sample once at most take `small_folds`, see `is_pooled`; every kind takes `inner`, see
        `inner_blocks`.

    Raises
    ------
    InputError : unknown kind or setting, a missing setting or column, fewer samples or groups than folds, training and
        test values that overlap or that the column does not hold, a set without rows, or a fold with fewer than
        MINIMUM_TEST_ROWS test rows unless predictions are pooled.
    """
    kind = str(split.get("kind"))
    if kind not in KINDS:
        raise unknown("kind of split", kind, KINDS)
    of_kind = KINDS[kind]
    allowed = ("kind", *of_kind.required, *of_kind.optional, "inner", *(["small_folds"] if of_kind.poolable else []))
    for name in split:
        if name not in allowed:
            raise unknown(f"setting of the split {kind!r}", name, allowed)
    for name in of_kind.required:
        if name not in split:
            raise InputError(f"the split {kind!r} needs {name!r}, but has only {', '.join(split)}.")
    pooled = is_pooled(split)
    folds = of_kind.make(split, samples)
    if not pooled:
        _check_test_rows(folds, kind, of_kind)
    return folds


def is_pooled(split: Mapping[str, Any]) -> bool:
    """Return whether r is of the predictions of all folds together, `small_folds: pool`, not of each fold.

    Raises
    ------
    InputError : another value than "refuse" and "pool".
    """
    small_folds = str(split.get("small_folds", "refuse"))
    if small_folds not in SMALL_FOLDS:
        raise unknown("way with small folds", small_folds, SMALL_FOLDS)
    return small_folds == "pool"


def inner_blocks(
    folds: Sequence[Fold], number: int, split: Mapping[str, Any], samples: Samples | None = None
) -> list[np.ndarray]:
    """Return the inner folds of one outer fold: disjoint sets of its training rows, together all of them.

    Where the split says `inner: {folds, by}` they are grouped folds of the training rows by that column, or, without
    `by`, blocks of consecutive training rows: GroupKFold(folds) and KFold(folds) of the training rows in the table's
    order. Otherwise they are what the training rows share with the test sets of the other outer folds, or, where these
    are no partition,

    - shuffle: INNER_FOLDS shuffled blocks of the training rows, drawn with the split's seed and blind to groups, as is
      the split itself;
    - fixed: INNER_FOLDS grouped folds by `split_group`;
    - contiguous under the published rule: PUBLISHED_INNER_FOLDS blocks of consecutive training rows.

    Around a gap these blocks are not all that an inner fold leaves out: take `inner_folds`.

    Parameters
    ----------
    folds : as `make_folds` gives them for `split`.
    number : of the outer fold.
    samples : the sample table; needed where inner folds go by a column.

    Raises
    ------
    InputError : fewer than 3 outer folds to take inner ones from, so that one would have nothing to train on; fewer
        training rows or groups than inner folds.
    """
    train, inner = np.sort(folds[number].train), _inner(split)
    if inner is not None:
        return _blocks_of(train, inner, samples)
    if split["kind"] == "shuffle":
        return [train[test] for test in kfold_tests(len(train), INNER_FOLDS, split.get("seed"))]
    if len(folds) < 3:
        raise InputError(
            f"inner folds are the remaining outer folds and need at least 3 of them, but there are {len(folds)}; "
            "take more folds, or say `inner: {folds: ...}`."
        )
    blocks = [np.intersect1d(fold.test, train) for other, fold in enumerate(folds) if other != number]
    return [block for block in blocks if len(block)]  # a gap may have taken all of a neighbour


def inner_folds(folds: Sequence[Fold], number: int, split: Mapping[str, Any], samples: Samples) -> list[InnerFold]:
    """Return the inner folds of one outer fold, each with the rows that its gap takes from the inner training set.

    The held-out rows are those of `inner_blocks`. Rows are dropped where the split is contiguous with a gap in the
    training set: those of the same run at a distance of at most the gap.

    Raises
    ------
    InputError : as `inner_blocks`; fewer than 2 inner folds; an inner training set of fewer than 2 rows.
    """
    blocks = inner_blocks(folds, number, split, samples)
    if len(blocks) < 2:
        raise InputError(
            f"the gap leaves {len(blocks)} inner folds to the training rows of fold {number}, but 2 are needed; "
            "take a smaller gap or fewer folds."
        )
    result = []
    for position, block in enumerate(blocks):
        rest = np.setdiff1d(folds[number].train, block)
        kept = rows_away(rest, block, split, samples) if split["kind"] == "contiguous" else rest
        if len(kept) < 2:
            raise InputError(
                f"inner fold {position} of fold {number} is left with {len(kept)} rows to train on; "
                "take a smaller gap or more inner folds."
            )
        result.append(InnerFold(block, np.setdiff1d(rest, kept)))
    return result


def _inner(split: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return how inner folds are made of the training rows alone, None where outer folds or a shuffle give them."""
    inner: Mapping[str, Any] | None = split.get("inner")
    if inner is None:
        if split["kind"] == "fixed":
            return {"folds": INNER_FOLDS, "by": "split_group"}
        return {"folds": PUBLISHED_INNER_FOLDS} if split.get("at") == "published" else None
    for name in inner:
        if name not in ("folds", "by"):
            raise unknown("setting of the inner folds", name, ("folds", "by"))
    return {"folds": INNER_FOLDS} | {name: value for name, value in inner.items() if value is not None}


def _blocks_of(train: np.ndarray, inner: Mapping[str, Any], samples: Samples | None) -> list[np.ndarray]:
    n_folds, by = int(inner["folds"]), inner.get("by")
    if n_folds < 2:
        raise InputError(f"there must be at least 2 inner folds, but {n_folds} are asked for.")
    if by is None:
        if len(train) < n_folds:
            raise InputError(f"{n_folds} inner folds are asked for, but there are only {len(train)} training rows.")
        return [train[rows] for rows in kfold_tests(len(train), n_folds, None)]
    if samples is None:
        raise InputError(f"inner folds by {by!r} need the sample table.")
    names, index, counts = np.unique(groups(samples, str(by))[train], return_inverse=True, return_counts=True)
    if len(names) < n_folds:
        raise InputError(
            f"{n_folds} inner folds by {by!r} are asked for, but the training rows have only {len(names)} groups; "
            "say `inner: {folds: ..., by: ...}`."
        )
    fold_of_group = balance(counts, n_folds)
    return [train[fold_of_group[index] == fold] for fold in range(n_folds)]


def _check_test_rows(folds: Sequence[Fold], kind: str, of_kind: Kind) -> None:
    sizes = [len(fold.test) for fold in folds]
    if min(sizes) < MINIMUM_TEST_ROWS:
        pool = "; or score the predictions of all folds together, `small_folds: pool`" if of_kind.poolable else ""
        raise InputError(
            f"fold {int(np.argmin(sizes))} of the split {kind!r} has {min(sizes)} test rows, too few for a "
            f"correlation per fold: at least {MINIMUM_TEST_ROWS} are needed, so take {of_kind.remedy}{pool}."
        )
