"""Ceilings that are scores of predictions: what `encode` does with a layer's predictions, and each neuroid's bound."""

from collections.abc import Sequence

import numpy as np

from brainalign.ceilings.ceiling import Ceiling
from brainalign.ceilings.resampling import about, spread_of_draws
from brainalign.encoding.bootstrap import replicate_r
from brainalign.encoding.threads import Threads, batches
from brainalign.encoding.trial import Trial
from brainalign.inference.p_values import NOT_COUNTED
from brainalign.intervals import percentile_interval

NEUROIDS_AT_ONCE = 128


def ceiling_of_predictions(kind: str, predictions: Sequence[np.ndarray], trial: Trial, trained: bool = True) -> Ceiling:
    """Score predictions as `encode` scores a layer's, with the same draws.

    Where they were fitted, intervals are widened for folds that train each other, see `encoding.dependence`. Where they
    were not, replicates are those of a score and paired with the models', but intervals are set about the estimate:
    r of resampled groups lies below that of the fold, the more of the variance is between groups, and where r is high
    and noise little that is as much as the spread. They are widened as in `ceilings.resampling`, but for draws of
    folds, whose replicates have been.
    Of simulated data sets with ceilings of .44 to .86 they hold the expected one in 94 to 97 % (24 to 96 groups in
    4 to 10 folds or pooled; as they were drawn, 89 to 92 %), and in 92 to 94 % where 5 to 10 stories that differ in
    signal are held out one by one, whose r are skewed (81 to 90 %).

    Parameters
    ----------
    predictions : for each outer fold (test, neuroid), as deviations from the mean of its training rows.
    trial : the data set under the encoder.
    trained : whether the predictions were fitted.
    """
    scored, units = trial.score(predictions, trained=trained), trial.units
    replicates = scored.replicates
    low, high = percentile_interval(replicates if trained else _about(scored.aggregate_r, replicates, trial))
    return Ceiling(
        kind=kind,
        score_subjects=units.score_subjects,
        score_regions=units.score_regions,
        per_neuroid=scored.r.mean(axis=0),
        aggregate=scored.aggregate_r,
        low=low,
        high=high,
        replicates=replicates,
        per_neuroid_low=_lower_bounds(trial, trial.scored(predictions), scored.r.mean(axis=0), trained),
    )


def _about(found: np.ndarray, replicates: np.ndarray, trial: Trial) -> np.ndarray:
    """Return replicates (draw, ...) of a score that was not fitted, set about it."""
    is_widened = trial.draws.resampled == "folds"  # by `Dependence.corrected`
    return about(found, replicates, 1.0 if is_widened else spread_of_draws(trial, tested_only=True))


def _lower_bounds(trial: Trial, predictions: Sequence[np.ndarray], found: np.ndarray, trained: bool) -> np.ndarray:
    """Return the 2.5 % quantile over draws of each neuroid's mean r over folds, which is `found`, (neuroid,)."""
    draws, truths = trial.draws, trial.truths
    kind = trial.dependence_of(None) if trained else NOT_COUNTED
    n_neuroids = truths[0].shape[1]
    weights = draws.fold_weights / draws.fold_weights.sum(axis=1, keepdims=True)  # (draw, fold)
    low = np.empty(n_neuroids)

    def work(columns: slice) -> None:
        mean = np.zeros((len(weights), len(low[columns])))
        for fold, (prediction, truth) in enumerate(zip(predictions, truths, strict=True)):
            mean += weights[:, fold, None] * replicate_r(draws, fold, prediction[:, columns], truth[:, columns])
        mean = trial.dependence.corrected(mean, kind)
        low[columns] = percentile_interval(mean if trained else _about(found[columns], mean, trial))[0]

    with Threads().pool() as each:
        each(work, batches(n_neuroids, NEUROIDS_AT_ONCE))
    return low
