"""Outer folds with their inner folds."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brainalign.encoding.contiguous import rows_near
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.splits import MINIMUM_TEST_ROWS, Fold, inner_folds
from brainalign.errors import InputError
from brainalign.responses.samples import Samples

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingFold:
    """An outer fold with its inner folds; the training rows are sorted so that each inner fold is one slice.

    Parameters
    ----------
    train, test : row numbers.
    blocks : slices of `train`, one for each inner fold; None where no inner fold is needed.
    single_rows : whether the blocks are rows left out one by one.
    dropped : for each block the positions in `train` that are left out with it and not scored, for a gap; empty
        where there is no gap.
    pooled : whether r of held-out inner predictions is of all inner folds together: where rows are left out one by one,
        the split pools its folds, or some inner fold has fewer than MINIMUM_TEST_ROWS rows, since r of so few is mostly
        noise (of one row there is none).
    """

    train: np.ndarray
    test: np.ndarray
    blocks: tuple[slice, ...] | None
    single_rows: bool = False
    dropped: tuple[np.ndarray, ...] = ()
    pooled: bool = False


def training_folds(
    folds: Sequence[Fold], settings: EncoderSettings, samples: Samples, score_inner: bool
) -> list[TrainingFold]:
    """Give each outer fold its inner folds, where penalties are chosen or inner folds are scored.

    Raises
    ------
    InputError : too few outer folds to make inner ones of, what `splits.inner_folds` refuses, inner folds of a single
        row where the criterion is "r2", or a gap that leaves fewer than 2 rows to train on where rows are left out one
        by one.
    """
    if not (settings.chooses_penalty or score_inner):
        return [TrainingFold(fold.train, fold.test, None) for fold in folds]
    return [_training_fold(folds, number, settings, samples) for number in range(len(folds))]


def whole_training_fold(folds: Sequence[Fold], settings: EncoderSettings, samples: Samples) -> TrainingFold:
    """Return all samples as one training set without test rows; its inner folds are made as those of any other."""
    whole = Fold(np.arange(len(samples)), np.empty(0, dtype=np.intp))
    return _training_fold([*folds, whole], len(folds), settings, samples)


def tell_pooled(folds: Sequence[TrainingFold], settings: EncoderSettings) -> None:
    """Log where inner folds are scored together because they are small, which nothing in the settings asks for."""
    if settings.pools or settings.inner == "leave-one-out":
        return
    small = [fold for fold in folds if fold.pooled]
    if small:
        least = min(block.stop - block.start for fold in small for block in fold.blocks or ())
        log.info(
            "inner folds of %d of %d outer folds have fewer than %d rows, down to %d: layers are chosen by r of the "
            "predictions of all inner folds of an outer fold together",
            len(small),
            len(folds),
            MINIMUM_TEST_ROWS,
            least,
        )


def partition_samples(folds: Sequence[TrainingFold], n: int) -> bool:
    """Tell whether the test sets are a partition of n samples, and inner folds, where there are any, the other ones."""
    tests = np.concatenate([fold.test for fold in folds])
    if len(folds) < 3 or len(tests) != n or len(np.unique(tests)) != n:
        return False
    return all(
        len(fold.train) + len(fold.test) == n and _inner_are_others(folds, number) for number, fold in enumerate(folds)
    )


def _inner_are_others(folds: Sequence[TrainingFold], number: int) -> bool:
    """Tell whether a fold's inner folds, where it has any, are the other outer folds in their order."""
    fold = folds[number]
    if fold.blocks is None:
        return True
    others = [other.test for k, other in enumerate(folds) if k != number]
    if len(others) != len(fold.blocks) or fold.dropped:
        return False
    return all(np.array_equal(fold.train[block], rows) for block, rows in zip(fold.blocks, others, strict=True))


def _training_fold(folds: Sequence[Fold], number: int, settings: EncoderSettings, samples: Samples) -> TrainingFold:
    if settings.inner == "leave-one-out":
        return _rows_one_by_one(folds[number], number, settings, samples)
    inner = inner_folds(folds, number, settings.split, samples)
    train = np.concatenate([fold.held_out for fold in inner])
    lengths = [len(fold.held_out) for fold in inner]
    if settings.criterion == "r2" and settings.chooses_penalty and min(lengths) < 2:
        raise InputError(
            f"an inner fold of fold {number} has 1 row, of which there is no R2; take fewer inner folds or the "
            "criterion 'squared-error'."
        )
    pooled = settings.pools or min(lengths) < MINIMUM_TEST_ROWS
    if not any(len(fold.dropped) for fold in inner):
        return TrainingFold(train, folds[number].test, _slices(lengths), pooled=pooled)
    place = np.argsort(train)
    dropped = tuple(place[np.searchsorted(train[place], fold.dropped)] for fold in inner)
    return TrainingFold(train, folds[number].test, _slices(lengths), dropped=dropped, pooled=pooled)


def _rows_one_by_one(fold: Fold, number: int, settings: EncoderSettings, samples: Samples) -> TrainingFold:
    """Return an outer fold whose rows are left out one by one, each with the gap around it where the split has one."""
    near: list[np.ndarray] = []
    if settings.split["kind"] == "contiguous":
        near = rows_near(fold.train, settings.split, samples)
    most = max(map(len, near), default=0)
    if most and len(fold.train) - 1 - most < 2:
        raise InputError(
            f"a row that is left out of the training rows of fold {number} leaves {len(fold.train) - 1 - most} rows "
            "to train on; take a smaller gap."
        )
    blocks = _slices([1] * len(fold.train))
    return TrainingFold(fold.train, fold.test, blocks, True, tuple(near) if most else (), True)


def _slices(lengths: Sequence[int]) -> tuple[slice, ...]:
    ends = np.cumsum(lengths).tolist()
    return tuple(slice(end - length, end) for end, length in zip(ends, lengths, strict=True))
