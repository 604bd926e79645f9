"""Ceilings that are scores of predictions: what `encode` does with a layer's predictions, and each neuroid's bound."""

from collections.abc import Sequence

import numpy as np

from brainalign.ceilings.ceiling import Ceiling
from brainalign.encoding.bootstrap import replicate_r
from brainalign.encoding.threads import Threads, batches
from brainalign.encoding.trial import Trial
from brainalign.inference.p_values import NOT_COUNTED
from brainalign.intervals import percentile_interval

NEUROIDS_AT_ONCE = 128


def ceiling_of_predictions(kind: str, predictions: Sequence[np.ndarray], trial: Trial, trained: bool = True) -> Ceiling:
    """Score predictions as `encode` scores a layer's, with the same draws.

    Where they were fitted, intervals are widened for folds that train each other, see `encoding.dependence`.

    Parameters
    ----------
    predictions : for each outer fold (test, neuroid), as deviations from the mean of its training rows.
    trial : the data set under the encoder.
    trained : whether the predictions were fitted.
    """
    scored, units = trial.score(predictions, trained=trained), trial.units
    low, high = percentile_interval(scored.replicates)
    return Ceiling(
        kind=kind,
        score_subjects=units.score_subjects,
        score_regions=units.score_regions,
        per_neuroid=scored.r.mean(axis=0),
        aggregate=scored.aggregate_r,
        low=low,
        high=high,
        replicates=scored.replicates,
        per_neuroid_low=_lower_bounds(trial, trial.scored(predictions), trained),
    )


def _lower_bounds(trial: Trial, predictions: Sequence[np.ndarray], trained: bool) -> np.ndarray:
    """Return the 2.5 % quantile over draws of each neuroid's mean r over folds, (neuroid,)."""
    draws, truths = trial.draws, trial.truths
    kind = trial.dependence_of(None) if trained else NOT_COUNTED
    n_neuroids = truths[0].shape[1]
    weights = draws.fold_weights / draws.fold_weights.sum(axis=1, keepdims=True)  # (draw, fold)
    low = np.empty(n_neuroids)

    def work(columns: slice) -> None:
        mean = np.zeros((len(weights), len(low[columns])))
        for fold, (prediction, truth) in enumerate(zip(predictions, truths, strict=True)):
            mean += weights[:, fold, None] * replicate_r(draws, fold, prediction[:, columns], truth[:, columns])
        low[columns] = percentile_interval(trial.dependence.corrected(mean, kind))[0]

    with Threads().pool() as each:
        each(work, batches(n_neuroids, NEUROIDS_AT_ONCE))
    return low
