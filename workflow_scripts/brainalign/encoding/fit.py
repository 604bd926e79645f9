"""One training set: choose penalties by held-out inner predictions, predict the test rows, score the inner folds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brainalign.encoding.inner import InnerFolds
from brainalign.encoding.ridge import predict, scaled_penalties
from brainalign.encoding.scores import pearson
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.spectrum import GRAM_LIMIT, FeatureSpace
from brainalign.encoding.splits import Fold, inner_blocks


@dataclass(frozen=True)
class TrainingFold:
    """An outer fold with its inner folds; the training rows are sorted so that each inner fold is one slice.

    Parameters
    ----------
    train, test : row numbers.
    blocks : slices of `train`, one for each inner fold; None where no inner fold is needed.
    single_rows : whether the blocks are rows left out one by one.
    """

    train: np.ndarray
    test: np.ndarray
    blocks: tuple[slice, ...] | None
    single_rows: bool = False


@dataclass(frozen=True)
class FoldFit:
    """What one training set gives.

    Parameters
    ----------
    prediction : (test, neuroid).
    penalty : (neuroid,), as used (scaled); NaN for ols.
    at_edge : (neuroid,) bool, whether the chosen penalty is the grid's first or last.
    rank : of the training features.
    inner_r : (inner fold, neuroid), r of held-out inner predictions under the chosen penalties (one row, pooled, where
        rows are left out one by one); None unless asked for.
    """

    prediction: np.ndarray
    penalty: np.ndarray
    at_edge: np.ndarray
    rank: int
    inner_r: np.ndarray | None


def training_folds(folds: Sequence[Fold], settings: EncoderSettings, score_inner: bool) -> list[TrainingFold]:
    """Give each outer fold its inner folds, where penalties are chosen or inner folds are scored.

    Raises
    ------
    InputError : too few outer folds to make inner ones of.
    """
    if not (settings.chooses_penalty or score_inner):
        return [TrainingFold(fold.train, fold.test, None) for fold in folds]
    if settings.inner == "leave-one-out":
        return [TrainingFold(fold.train, fold.test, _slices([1] * len(fold.train)), True) for fold in folds]
    result = []
    for number, fold in enumerate(folds):
        inner = inner_blocks(folds, number, settings.split)
        result.append(TrainingFold(np.concatenate(inner), fold.test, _slices([len(rows) for rows in inner])))
    return result


def fit_fold(
    space: FeatureSpace, responses: np.ndarray, fold: TrainingFold, settings: EncoderSettings, score_inner: bool
) -> FoldFit:
    """Fit the training rows of one outer fold and predict its test rows.

    Parameters
    ----------
    space : features of all samples.
    responses : (sample, neuroid) float64, all samples.
    score_inner : whether `inner_r` is wanted; only then does ols refit its inner folds.
    """
    y = responses[fold.train]
    spectrum = space.spectrum(fold.train, fold.test)
    penalties = scaled_penalties(settings.penalty_values, settings.grid_scale, spectrum)
    if penalties.min() < GRAM_LIMIT * spectrum.largest:
        spectrum = space.exact_spectrum(fold.train, fold.test)
    inner = InnerFolds(space, fold.train, fold.blocks or (), fold.single_rows, spectrum, penalties)
    index = _choose(inner, y, settings) if settings.chooses_penalty else np.zeros(y.shape[1], dtype=np.intp)
    chosen = penalties[index]
    last = len(penalties) - 1
    at_edge = (index == 0) | (index == last) if last else np.zeros(len(index), dtype=bool)
    return FoldFit(
        prediction=predict(spectrum, y, chosen),
        penalty=np.full(len(chosen), np.nan) if settings.regression == "ols" else chosen,
        at_edge=at_edge,
        rank=spectrum.rank,
        inner_r=_score_inner(inner, y, index) if score_inner else None,
    )


def _choose(inner: InnerFolds, y: np.ndarray, settings: EncoderSettings) -> np.ndarray:
    """Return the index of the penalty with the least summed squared inner error, for each neuroid (neuroid,)."""
    errors = np.zeros((len(inner.penalties), y.shape[1]))
    for _, batch, residuals in inner.residuals(y):
        errors[:, batch] += np.einsum("npv,npv->pv", residuals, residuals)
    if settings.penalties == "shared":
        return np.full(y.shape[1], errors.sum(axis=1).argmin())
    return np.asarray(errors.argmin(axis=0))


def _score_inner(inner: InnerFolds, y: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Return r of the held-out inner predictions at each neuroid's penalty, (inner fold, neuroid)."""
    predictions = np.empty(y.shape)
    for number in np.unique(index):
        columns = np.flatnonzero(index == number)
        for rows, batch, residuals in inner.residuals(y[:, columns], number):
            predictions[rows, columns[batch]] = y[rows, columns[batch]] - residuals[:, 0]
    blocks = [slice(None)] if inner.single_rows else inner.blocks
    return np.stack([pearson(predictions[block], y[block])[0] for block in blocks])


def _slices(lengths: Sequence[int]) -> tuple[slice, ...]:
    ends = np.cumsum(lengths).tolist()
    return tuple(slice(end - length, end) for end, length in zip(ends, lengths, strict=True))
