"""Fit all outer folds: choose penalties by held-out inner predictions, predict the test rows, score the inner folds.

Where the folds partition the samples and inner folds are the other outer folds, a ridge is fitted for all of them at
once (`nested`), and so are least squares where that is as exact (`least_squares`). Otherwise (shuffled splits, gaps,
rows left out one by one, principal components of the training rows, features that are fitted in the fold) each outer
fold is factorised by itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from brainalign.encoding.delays import zscore
from brainalign.encoding.inner import InnerFolds
from brainalign.encoding.least_squares import identity_holds, refit_all
from brainalign.encoding.nested import fit_nested
from brainalign.encoding.ridge import deviations, scaled_penalties
from brainalign.encoding.scales import scale_of_fold, scales_of_partition
from brainalign.encoding.scores import pearson
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.spectrum import GRAM_LIMIT, Space, Spectrum, least_squares
from brainalign.encoding.threads import batches
from brainalign.encoding.training import TrainingFold, partition_samples, training_folds
from brainalign.errors import InputError

__all__ = ["FoldFit", "SpacesOfFold", "TrainingFold", "fit_fold", "fit_folds", "training_folds"]

AT_ONCE = 4096  # neuroids, so that no float64 copy of all responses is made

SpacesOfFold = Callable[[int], Sequence[Space]]


@dataclass(frozen=True)
class FoldFit:
    """What one training set gives.

    Parameters
    ----------
    prediction : (test, neuroid), as deviations from the mean of the training rows, so that float32 keeps the digits of
        a prediction that hardly varies.
    penalty : (neuroid,), as used (scaled); NaN for ols.
    space : (neuroid,), which of the feature spaces was chosen.
    at_edge : (neuroid,) bool, whether the chosen penalty is the grid's first or last.
    scale : (neuroid,), of the predictions, by which they are divided where those of all folds are scored together (see
        `scales`); 1 where they are not.
    rank : of the training features (for a ridge of all samples' where all folds are fitted at once); the largest of
        the spaces'.
    inner_r : (inner fold, neuroid), r of held-out inner predictions under the chosen penalties; one row, of all inner
        folds together, where these are pooled (see `training.TrainingFold`); None unless asked for.
    """

    prediction: np.ndarray
    penalty: np.ndarray
    space: np.ndarray
    at_edge: np.ndarray
    scale: np.ndarray
    rank: int
    inner_r: np.ndarray | None


def fit_folds(
    spaces: Sequence[Space] | SpacesOfFold,
    responses: np.ndarray,
    folds: Sequence[TrainingFold],
    settings: EncoderSettings,
    score_inner: bool,
    device: str = "cpu",
) -> list[FoldFit]:
    """Fit every outer fold and predict its test rows.

    Parameters
    ----------
    spaces : of all samples; where there are several, one is chosen with the penalty, by the same inner errors. Or,
        where something of the features is fitted in the fold, a function that gives the spaces of a fold by its number;
        relative penalties are then of the training rows' Gram matrix.
    responses : (sample, neuroid), centred; float32 lets products be in float32 where that changes nothing.
    folds : see `training_folds`.
    score_inner : whether `inner_r` is wanted; only then does ols refit its inner folds.
    device : where folds that are fitted at once are multiplied, see `fit_nested`.

    Raises
    ------
    InputError : spaces of all folds, where features are to be standardised in the fold.
    """
    if callable(spaces):
        return [
            fit_fold(spaces(number), None, responses, fold, settings, score_inner) for number, fold in enumerate(folds)
        ]
    if settings.standardize != "none":
        raise InputError("features that are standardised in the fold need spaces of each fold, but are given one.")
    n = len(responses)
    if partition_samples(folds, n) and settings.regression == "ols":
        return _fit_least_squares(spaces[0], responses, folds, settings, score_inner, device)
    penalties = [scaled_penalties(settings.penalty_values, settings.grid_scale, space.trace, n) for space in spaces]
    if _all_at_once(spaces, penalties, folds, n, settings):
        return _fit_nested(spaces, penalties, responses, folds, settings, score_inner, device)
    return [fit_fold(spaces, penalties, responses, fold, settings, score_inner) for fold in folds]


def fit_fold(
    spaces: Sequence[Space],
    penalties: Sequence[np.ndarray] | None,
    responses: np.ndarray,
    fold: TrainingFold,
    settings: EncoderSettings,
    score_inner: bool,
) -> FoldFit:
    """Fit the training rows of one outer fold by themselves and predict its test rows.

    Parameters
    ----------
    penalties : for each space (penalty,), scaled; None scales those of the settings by the training rows.
    """
    inner = [
        _factorised(space, None if penalties is None else penalties[number], fold, settings)
        for number, space in enumerate(spaces)
    ]
    n_penalties, n_neuroids = len(inner[0].penalties), responses.shape[1]
    tried = np.concatenate([folds.penalties for folds in inner])
    shared = _shared_choice(inner, responses, fold, settings)
    index = np.empty(n_neuroids, dtype=np.intp)
    prediction = np.empty((len(fold.test), n_neuroids), dtype=responses.dtype)
    inner_r, scale = [], np.ones(n_neuroids)
    for columns in batches(n_neuroids, AT_ONCE):
        y, unit = _targets(responses, fold, columns, settings)
        own = _errors_of_spaces(inner, y, settings).argmin(axis=0) if shared is None else np.full(y.shape[1], shared)
        index[columns] = own
        of_space, of_grid = np.divmod(own, n_penalties)
        predicted = np.empty((len(fold.test), y.shape[1]))
        for number, folds in enumerate(inner):
            chosen = np.flatnonzero(of_space == number)
            if len(chosen) == y.shape[1]:
                predicted = deviations(folds.spectrum, y, tried[own])
            elif len(chosen):
                predicted[:, chosen] = deviations(folds.spectrum, y[:, chosen], tried[own[chosen]])
        prediction[:, columns] = predicted if unit is None else predicted * unit
        if settings.pools:
            scale[columns] = scale_of_fold(spaces, [folds.spectrum for folds in inner], y, of_space, tried[own])
            scale[columns] *= 1.0 if unit is None else unit
        if score_inner:
            inner_r.append(_score_inner(inner, y, of_space, of_grid, fold.pooled))
    return FoldFit(
        prediction=prediction,
        penalty=np.full(n_neuroids, np.nan) if settings.regression == "ols" else tried[index],
        space=index // n_penalties,
        at_edge=_at_edge(index % n_penalties, n_penalties),
        scale=scale,
        rank=max(folds.spectrum.rank for folds in inner),
        inner_r=np.concatenate(inner_r, axis=1) if score_inner else None,
    )


def factorise(
    space: Space, penalties: np.ndarray | None, train: np.ndarray, test: np.ndarray, settings: EncoderSettings
) -> tuple[Spectrum, np.ndarray]:
    """Factorise training rows as exactly as the penalties need; return the spectrum and the penalties (penalty,).

    Parameters
    ----------
    penalties : (penalty,), scaled; None scales those of the settings by the training rows. Least squares have one, 0.
    train, test : row numbers.
    settings : reads `regression`, `components` and, for penalties, `penalty_values` and `grid_scale`.
    """
    if settings.regression == "ols":
        spectrum, penalties = least_squares(space, train, test), np.zeros(1)
    else:
        spectrum = space.spectrum(train, test)
        if penalties is None:
            penalties = scaled_penalties(settings.penalty_values, settings.grid_scale, spectrum.trace, len(train))
        if penalties.min() < GRAM_LIMIT * spectrum.largest:
            spectrum = space.exact_spectrum(train, test)
    return spectrum if settings.components is None else spectrum.first(settings.components), penalties


def _factorised(
    space: Space, penalties: np.ndarray | None, fold: TrainingFold, settings: EncoderSettings
) -> InnerFolds:
    spectrum, penalties = factorise(space, penalties, fold.train, fold.test, settings)
    blocks = fold.blocks or ()
    return InnerFolds(
        space, fold.train, blocks, fold.single_rows, spectrum, penalties, settings.components, fold.dropped
    )


def _targets(
    responses: np.ndarray, fold: TrainingFold, columns: slice, settings: EncoderSettings
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return training responses (train, neuroid) in float64, and their SD where they are standardised."""
    y = responses[fold.train, columns].astype(np.float64)
    return (y, None) if settings.standardize == "none" else zscore(y)


def _all_at_once(
    spaces: Sequence[Space],
    penalties: Sequence[np.ndarray],
    folds: Sequence[TrainingFold],
    n: int,
    settings: EncoderSettings,
) -> bool:
    """Tell whether the folds of a ridge partition the samples, and the identity holds at every penalty."""
    if settings.regression != "ridge" or not partition_samples(folds, n):
        return False
    # the largest eigenvalue is at most the trace, so that this never says yes where it should say no
    return all(own.min() >= GRAM_LIMIT * space.trace for space, own in zip(spaces, penalties, strict=True))


def _fit_nested(
    spaces: Sequence[Space],
    penalties: Sequence[np.ndarray],
    responses: np.ndarray,
    folds: Sequence[TrainingFold],
    settings: EncoderSettings,
    score_inner: bool,
    device: str,
) -> list[FoldFit]:
    tests, order = _order(folds)
    spectra = [space.spectrum(order, order[:0]) for space in spaces]
    pooled = any(fold.pooled for fold in folds)
    found = fit_nested(spectra, penalties, responses, tests, settings, score_inner, pooled, device)
    of_space, of_grid = np.divmod(found.candidate, len(penalties[0]))  # (fold, neuroid) each
    penalty, scale = np.concatenate(penalties)[found.candidate], np.ones(found.candidate.shape)
    if settings.pools:
        scale = scales_of_partition(spaces, spectra, responses, tests, found.prediction, of_space, penalty)
    return [
        FoldFit(
            prediction=found.prediction[number],
            penalty=penalty[number],
            space=of_space[number],
            at_edge=_at_edge(of_grid[number], len(penalties[0])),
            scale=scale[number],
            rank=max(spectrum.rank for spectrum in spectra),
            inner_r=None if found.inner_r is None else found.inner_r[number],
        )
        for number, fold in enumerate(folds)
    ]


def _fit_least_squares(
    space: Space,
    responses: np.ndarray,
    folds: Sequence[TrainingFold],
    settings: EncoderSettings,
    score_inner: bool,
    device: str,
) -> list[FoldFit]:
    tests, order = _order(folds)
    spectrum: Spectrum = least_squares(space, order, order[:0])
    pooled, n_neuroids = any(fold.pooled for fold in folds), responses.shape[1]
    first, scale = np.zeros((len(folds), n_neuroids), dtype=np.intp), np.ones((len(folds), n_neuroids))
    if identity_holds(spectrum, tests, score_inner):
        nested = fit_nested([spectrum], [np.zeros(1)], responses, tests, settings, score_inner, pooled, device)
        prediction, inner_r = nested.prediction, nested.inner_r
        ranks = [min(spectrum.rank, len(fold.train) - 1) for fold in folds]
        if settings.pools:
            scale = scales_of_partition([space], [spectrum], responses, tests, prediction, first, np.zeros(first.shape))
    else:
        refits = refit_all(space, responses, tests, score_inner, pooled)
        prediction, inner_r, ranks = [refits.prediction[rows] for rows in tests], refits.inner_r, refits.ranks
        for number, fold in enumerate(folds if settings.pools else ()):
            own = [least_squares(space, fold.train, fold.test)]
            scale[number] = scale_of_fold([space], own, responses[fold.train], first[0], np.zeros(n_neuroids))
    return [
        FoldFit(
            prediction=prediction[number],
            penalty=np.full(n_neuroids, np.nan),
            space=first[number],
            at_edge=np.zeros(n_neuroids, dtype=bool),
            scale=scale[number],
            rank=ranks[number],
            inner_r=None if inner_r is None else inner_r[number],
        )
        for number, fold in enumerate(folds)
    ]


def _order(folds: Sequence[TrainingFold]) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the test rows of folds that partition the samples, and all of them one after the other."""
    tests = [fold.test for fold in folds]
    return tests, np.concatenate(tests)


def _at_edge(index: np.ndarray, n_penalties: int) -> np.ndarray:
    last = n_penalties - 1
    return (index == 0) | (index == last) if last else np.zeros(len(index), dtype=bool)


def _shared_choice(
    inner: Sequence[InnerFolds], responses: np.ndarray, fold: TrainingFold, settings: EncoderSettings
) -> int | None:
    """Return the candidate (space × penalty) of all neuroids: the only one, or that of the least inner error summed
    over neuroids; None where each neuroid has its own."""
    if sum(len(folds.penalties) for folds in inner) == 1:
        return 0
    if settings.penalties != "shared":
        return None
    total: np.ndarray | float = 0.0
    for columns in batches(responses.shape[1], AT_ONCE):
        y, _ = _targets(responses, fold, columns, settings)
        total = total + _errors_of_spaces(inner, y, settings).sum(axis=1)
    return int(np.argmin(total))


def _errors_of_spaces(inner: Sequence[InnerFolds], y: np.ndarray, settings: EncoderSettings) -> np.ndarray:
    """Return summed squared inner errors, or summed 1 - R2 of the inner folds, (candidate, neuroid)."""
    return np.concatenate([_errors(folds, y, settings) for folds in inner])


def _errors(inner: InnerFolds, y: np.ndarray, settings: EncoderSettings) -> np.ndarray:
    errors = np.zeros((len(inner.penalties), y.shape[1]))
    for rows, columns, residuals in inner.residuals(y):
        np.square(residuals, out=residuals)
        if settings.criterion == "squared-error":
            errors[:, columns] += residuals.sum(axis=0)
            continue
        for block in (block for block in inner.blocks if rows.start <= block.start < rows.stop):
            own = residuals[block.start - rows.start : block.stop - rows.start].sum(axis=0)  # (penalty, neuroid)
            total = len(y[block]) * y[block, columns].var(axis=0)
            errors[:, columns] += np.where(total > 0, own / np.where(total > 0, total, 1.0), 0.0)
    return errors


def _score_inner(
    inner: Sequence[InnerFolds], y: np.ndarray, of_space: np.ndarray, of_grid: np.ndarray, pooled: bool
) -> np.ndarray:
    """Return r of the held-out inner predictions at each neuroid's candidate, (inner fold, neuroid).

    Pooled, it is one row: r of the predictions' deviations from the mean of the rows that trained each inner fold, with
    the responses, see `inner_scores`.
    """
    predictions = np.empty(y.shape)
    for space, number in sorted(set(zip(of_space.tolist(), of_grid.tolist(), strict=True))):
        columns = np.flatnonzero((of_space == space) & (of_grid == number))
        for rows, batch, residuals in inner[space].residuals(y[:, columns], number):
            predictions[rows, columns[batch]] = y[rows, columns[batch]] - residuals[:, 0]
    if pooled:
        predictions -= inner[0].training_means(y)
        return pearson(predictions, y)[0][None]
    return np.stack([pearson(predictions[block], y[block])[0] for block in inner[0].blocks])
