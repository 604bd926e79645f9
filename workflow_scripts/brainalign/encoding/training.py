"""Outer folds with their inner folds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.splits import Fold, inner_folds
from brainalign.responses.samples import Samples


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
    """

    train: np.ndarray
    test: np.ndarray
    blocks: tuple[slice, ...] | None
    single_rows: bool = False
    dropped: tuple[np.ndarray, ...] = ()


def training_folds(
    folds: Sequence[Fold], settings: EncoderSettings, samples: Samples, score_inner: bool
) -> list[TrainingFold]:
    """Give each outer fold its inner folds, where penalties are chosen or inner folds are scored.

    Raises
    ------
    InputError : too few outer folds to make inner ones of, or what `splits.inner_folds` refuses.
    """
    if not (settings.chooses_penalty or score_inner):
        return [TrainingFold(fold.train, fold.test, None) for fold in folds]
    if settings.inner == "leave-one-out":
        return [TrainingFold(fold.train, fold.test, _slices([1] * len(fold.train)), True) for fold in folds]
    return [_training_fold(folds, number, settings, samples) for number in range(len(folds))]


def whole_training_fold(folds: Sequence[Fold], settings: EncoderSettings, samples: Samples) -> TrainingFold:
    """Return all samples as one training set without test rows; its inner folds are made as those of any other."""
    whole = Fold(np.arange(len(samples)), np.empty(0, dtype=np.intp))
    if settings.inner == "leave-one-out":
        return TrainingFold(whole.train, whole.test, _slices([1] * len(whole.train)), True)
    return _training_fold([*folds, whole], len(folds), settings, samples)


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
    inner = inner_folds(folds, number, settings.split, samples)
    train = np.concatenate([fold.held_out for fold in inner])
    blocks = _slices([len(fold.held_out) for fold in inner])
    if not any(len(fold.dropped) for fold in inner):
        return TrainingFold(train, folds[number].test, blocks)
    place = np.argsort(train)
    dropped = tuple(place[np.searchsorted(train[place], fold.dropped)] for fold in inner)
    return TrainingFold(train, folds[number].test, blocks, dropped=dropped)


def _slices(lengths: Sequence[int]) -> tuple[slice, ...]:
    ends = np.cumsum(lengths).tolist()
    return tuple(slice(end - length, end) for end, length in zip(ends, lengths, strict=True))
