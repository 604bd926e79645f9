"""The linear maps from training responses to held-out predictions, of each fold, one penalty after the other."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from brainalign.encoding.fit import FoldFit, SpacesOfFold, factorise
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.spectrum import GRAM_LIMIT, Space, Spectrum
from brainalign.encoding.splits import Fold

# Of a fold by its number: (test, training) maps, each with the numbers of the neuroids that it predicts.
HatsOfFold = Callable[[int], Iterator[tuple[np.ndarray, np.ndarray]]]


def hats_of_folds(
    spaces: Sequence[Space] | SpacesOfFold,
    fits: Sequence[FoldFit],
    folds: Sequence[Fold],
    samples: int,
    settings: EncoderSettings,
) -> HatsOfFold:
    """Return what gives the maps of a fold from training responses to predictions' deviations from their mean.

    Each is made when it is asked for, so that one of them is held at a time.

    Parameters
    ----------
    spaces : of all folds, or a function that gives those of one.
    fits : of every fold, with the spaces and penalties that its neuroids chose.
    folds : row numbers.
    samples : how many there are.
    settings : reads `regression`, `components` and the grid of penalties.

    Returns
    -------
    A function of a fold's number that yields, for each space and penalty in use, H (test, training), whose rows sum to
    0, and the numbers of the neuroids that it predicts; together these are all neuroids.
    """
    if callable(spaces):
        return _by_fold(spaces, fits, folds, settings)
    smallest = min((float(own.min()) for fit in fits for _, own in _used(fit, settings)), default=0.0)
    limit = GRAM_LIMIT * max(space.trace for space in spaces)
    if settings.regression == "ols" or settings.components is not None or smallest < limit:
        return _by_fold(lambda _: spaces, fits, folds, settings)
    return _from_one_factorisation(spaces, fits, folds, samples, settings)


def _by_fold(
    spaces: SpacesOfFold, fits: Sequence[FoldFit], folds: Sequence[Fold], settings: EncoderSettings
) -> HatsOfFold:
    """Return what gives T (D + λ)^-1 Zᵀ of a fold, from a factorisation of its training rows."""

    def hats(number: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        fold, fit, of_fold = folds[number], fits[number], spaces(number)
        for space, own in _used(fit, settings):
            spectrum, _ = factorise(of_fold[space], own, fold.train, fold.test, settings)
            for penalty in own:
                hat = (spectrum.test_scores / (spectrum.eigenvalues + penalty)) @ spectrum.scores.T
                yield hat, _neuroids(fit, space, penalty, settings)

    return hats


def _from_one_factorisation(
    spaces: Sequence[Space],
    fits: Sequence[FoldFit],
    folds: Sequence[Fold],
    samples: int,
    settings: EncoderSettings,
) -> HatsOfFold:
    """Return the same for spaces of all samples, from one factorisation of these.

    With H = Z (D + λ)^-1 Zᵀ + 1 1ᵀ / n of all samples, the rows B of a fold are predicted by the others R through
    (I - H_BB)^-1 H_BR (see `nested`), whose rows sum to 1, the mean of R's responses with them.
    """
    everyone, nobody = np.arange(samples), np.empty(0, dtype=np.intp)
    used = sorted({space for fit in fits for space, _ in _used(fit, settings)})
    of_all: dict[int, Spectrum] = {space: spaces[space].spectrum(everyone, nobody) for space in used}

    def hats(number: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        fold, fit = folds[number], fits[number]
        for space, own in _used(fit, settings):
            found = of_all[space]
            for penalty in own:
                rows = (found.scores[fold.test] / (found.eigenvalues + penalty)) @ found.scores.T
                rows += found.mean_share
                left_out = np.eye(len(fold.test)) - rows[:, fold.test]
                hat = np.linalg.solve(left_out, rows[:, fold.train])
                hat -= 1.0 / len(fold.train)  # deviations from the mean of the training rows
                yield hat, _neuroids(fit, space, penalty, settings)

    return hats


def _used(fit: FoldFit, settings: EncoderSettings) -> list[tuple[int, np.ndarray]]:
    """Return the spaces that a fold uses, each with its penalties (penalty,)."""
    penalty = _penalty(fit, settings)
    return [(int(space), np.unique(penalty[fit.space == space])) for space in np.unique(fit.space)]


def _neuroids(fit: FoldFit, space: int, penalty: float, settings: EncoderSettings) -> np.ndarray:
    return np.flatnonzero((fit.space == space) & (_penalty(fit, settings) == penalty))


def _penalty(fit: FoldFit, settings: EncoderSettings) -> np.ndarray:
    return np.zeros(len(fit.penalty)) if settings.regression == "ols" else fit.penalty
