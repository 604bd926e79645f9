"""The draws of the models' scores as weights of all samples, for ceilings that need no predictions.

Such a ceiling is one statistic of all samples, whatever the folds, and neither folds nor groups within them hold all of
its variance: that of resamples is smaller by (U - S) / U for U units drawn in S parts, and few units have Student's
t. A reliability of resampled groups is besides below that of the data, since a group that is drawn twice varies less
than two. Resamples ρ* of a neuroid's reliability ρ are therefore set about it and widened, before roots are taken,

    ρ + k (ρ* - mean of ρ*),     k = √(U / (U - S)) · t(.975; U - S) / z(.975),

which leaves them paired with the draws of the models' scores. Of simulated data sets of 3 repetitions, with stories
that differ in signal, 95 % intervals of the mean of 1 or 10 neuroids then hold the expected ceiling in 92 to 98 %
(5 and 10 stories held out one by one; 24 and 48 groups in 4 and 8 folds; ceilings of 0 to .86), and 1 to 3 % of
neuroids of noise have a lower bound above 0. As they were drawn, those of single neuroids held it in 81 to 93 % for
stories and in 89 to 94 % for groups.
"""

import numpy as np

from brainalign.ceilings.ceiling import Ceiling
from brainalign.encoding.preparation import kept_samples
from brainalign.encoding.scores import Units, over_neuroids
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.trial import Trial
from brainalign.errors import InputError
from brainalign.inference.replicates import spread_of_parts
from brainalign.intervals import percentile_interval
from brainalign.responses.samples import Samples


def sample_weights(trial: Trial) -> np.ndarray:
    """Return how often each draw of the models' scores takes each sample, (draw, sample).

    A sample counts as often as its group, or its fold where folds are drawn. Groups that no fold tests are drawn
    beside these, as many as there are, by a generator of the same seed. NaN where the models' scores have no draws.

    Parameters
    ----------
    trial : the data set under the encoder, whose draws these are.
    """
    settings, tests = trial.settings, [fold.test for fold in trial.folds]
    labels, index = np.unique(np.asarray(trial.samples.split_group).astype(str), return_inverse=True)
    if trial.draws.resampled == "nothing":
        return np.full((settings.draws, len(index)), np.nan)
    of_group = np.full((settings.draws, len(labels)), np.nan)
    for number, rows in enumerate([np.concatenate(tests)] if settings.pools else tests):
        tested = np.unique(index[rows])  # in the order of names, as the draws have them
        counts = trial.draws.counts
        of_group[:, tested] = trial.draws.fold_weights[:, number, None] if counts is None else counts[number]
    untested = np.isnan(of_group[0])
    size = int(untested.sum())
    if size:
        random = np.random.default_rng([settings.seed, size])
        of_group[:, untested] = random.multinomial(size, np.full(size, 1 / size), size=settings.draws)
    return np.asarray(of_group[:, index])


def spread_of_draws(trial: Trial, tested_only: bool = False) -> float:
    """Return what resamples of one statistic of all samples lack in spread, k of the module; 1 where nothing is drawn.

    Units are the folds where these are drawn, else the tested groups, drawn in each fold or all together; untested
    groups are another part.

    Parameters
    ----------
    trial : the data set under the encoder, by whose draws `sample_weights` are.
    tested_only : whether the statistic is of the tested groups alone.
    """
    if trial.draws.resampled == "nothing":
        return 1.0
    tested = len(trial.dependence.groups)
    everyone = len(np.unique(np.asarray(trial.samples.split_group).astype(str)))
    untested = 0 if tested_only else everyone - tested
    units = len(trial.draws.groups) if trial.draws.resampled == "folds" else tested
    parts = len(trial.draws.groups) if trial.draws.resampled == "groups within folds" else 1
    return spread_of_parts(units + untested, parts + (untested > 0))


def about(found: np.ndarray, replicates: np.ndarray, spread: float) -> np.ndarray:
    """Return replicates set about an estimate and widened, found + spread (replicates - their mean).

    Draws that are not finite stay so, and have no part in the mean.

    Parameters
    ----------
    found : (...); replicates : (draw, ...).
    """
    finite = np.isfinite(replicates)
    total = np.sum(replicates, axis=0, where=finite, dtype=np.float64)
    return np.asarray(found + spread * (replicates - total / np.maximum(finite.sum(axis=0), 1)))


def check_repetitions(
    responses: np.ndarray, samples: Samples, units: Units, settings: EncoderSettings, kind: str
) -> np.ndarray:
    """Return the responses to the samples that trimming leaves, (repetition, kept sample, neuroid).

    Raises
    ------
    InputError : no such axis, a single repetition, another shape, infinite values, a neuroid without any value for a
        sample, or one that has no sample with two values.
    """
    values = np.asarray(responses)
    if values.ndim != 3 or len(values) < 2:
        there = "have one" if values.ndim == 3 else "have no axis of them"
        raise InputError(f"a ceiling of the kind {kind!r} needs at least 2 repetitions, but the responses {there}.")
    if values.shape[1:] != (len(samples), len(units)):
        raise InputError(
            f"the responses have shape {values.shape}, but there are {len(samples)} samples and {len(units)} neuroids."
        )
    kept = kept_samples(samples, settings)
    values = values if kept is None else values[:, kept]
    there = ~np.isnan(values)
    counts = there.sum(axis=0)  # (sample, neuroid)
    for bad, what in (
        (np.isinf(values).any(axis=(0, 1)), "have infinite responses"),
        ((counts == 0).any(axis=0), "have no response at all to some sample"),
        ((counts < 2).all(axis=0), "have no sample with two responses"),
    ):
        if bad.any():
            first = str(units.neuroid[np.argmax(bad)])
            raise InputError(f"{np.count_nonzero(bad)} of {len(bad)} neuroids {what}, the first is {first!r}.")
    return values


def ceiling_of_responses(
    kind: str, found: np.ndarray, replicates: np.ndarray, units: Units, name: str, squared: bool = False
) -> Ceiling:
    """Return the ceiling of values per neuroid and of their replicates.

    Parameters
    ----------
    found : (neuroid,); replicates : (draw, neuroid).
    name : of the aggregate, see `scores.aggregate`.
    squared : whether the values are a ceiling of r².
    """
    of_cells = over_neuroids(replicates, units, name).astype(np.float32)
    low, high = percentile_interval(of_cells)
    return Ceiling(
        kind=kind,
        score_subjects=units.score_subjects,
        score_regions=units.score_regions,
        per_neuroid=found,
        aggregate=over_neuroids(found, units, name),
        low=low,
        high=high,
        replicates=of_cells,
        per_neuroid_low=percentile_interval(replicates)[0],
        units="r2" if squared else "r",
    )
