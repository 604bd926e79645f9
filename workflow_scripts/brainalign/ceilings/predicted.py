"""Ceilings that are scores of predictions: what `encode` does with a layer's predictions, and each neuroid's bound."""

from collections.abc import Sequence

import numpy as np

from brainalign.ceilings.ceiling import Ceiling
from brainalign.encoding.bootstrap import Draws, replicate_r
from brainalign.encoding.encoder import Trial
from brainalign.encoding.threads import Threads, batches
from brainalign.intervals import percentile_interval

NEUROIDS_AT_ONCE = 128


def ceiling_of_predictions(kind: str, predictions: Sequence[np.ndarray], trial: Trial) -> Ceiling:
    """Score predictions as `encode` scores a layer's, with the same draws.

    Parameters
    ----------
    predictions : for each outer fold (test, neuroid).
    trial : the data set under the encoder.
    """
    scored, units = trial.score(predictions), trial.units
    low, high = percentile_interval(scored.replicates)
    joined = [np.concatenate(predictions)] if trial.settings.pools else predictions
    return Ceiling(
        kind=kind,
        score_subjects=units.score_subjects,
        score_regions=units.score_regions,
        per_neuroid=scored.r.mean(axis=0),
        aggregate=scored.aggregate_r,
        low=low,
        high=high,
        replicates=scored.replicates,
        per_neuroid_low=_lower_bounds(trial.draws, joined, trial.truths),
    )


def _lower_bounds(draws: Draws, predictions: Sequence[np.ndarray], truths: Sequence[np.ndarray]) -> np.ndarray:
    """Return the 2.5 % quantile over draws of each neuroid's mean r over folds, (neuroid,)."""
    n_neuroids = truths[0].shape[1]
    weights = draws.fold_weights / draws.fold_weights.sum(axis=1, keepdims=True)  # (draw, fold)
    low = np.empty(n_neuroids)

    def work(columns: slice) -> None:
        mean = np.zeros((len(weights), len(low[columns])))
        for fold, (prediction, truth) in enumerate(zip(predictions, truths, strict=True)):
            mean += weights[:, fold, None] * replicate_r(draws, fold, prediction[:, columns], truth[:, columns])
        low[columns] = percentile_interval(mean)[0]

    with Threads().pool() as each:
        each(work, batches(n_neuroids, NEUROIDS_AT_ONCE))
    return low
