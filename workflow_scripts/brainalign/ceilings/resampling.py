"""The draws of the models' scores as weights of all samples, for ceilings that need no predictions."""

import numpy as np

from brainalign.ceilings.ceiling import Ceiling
from brainalign.encoding.preparation import kept_samples
from brainalign.encoding.scores import Units, over_neuroids
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.trial import Trial
from brainalign.errors import InputError
from brainalign.intervals import percentile_interval
from brainalign.responses.samples import Samples


def sample_weights(trial: Trial) -> np.ndarray:
    """Return how often each draw of the models' scores takes each sample, (draw, sample).

    A sample counts as often as its group, or its fold where folds are drawn. Groups that no fold tests are drawn
    beside these, as many as there are, by a generator of the same seed.

    Parameters
    ----------
    trial : the data set under the encoder, whose draws these are.
    """
    settings, tests = trial.settings, [fold.test for fold in trial.folds]
    labels, index = np.unique(np.asarray(trial.samples.split_group).astype(str), return_inverse=True)
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
