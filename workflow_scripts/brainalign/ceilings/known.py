"""The ceiling of simulated data: how well the noise-free response predicts the response."""

from collections.abc import Sequence

import numpy as np

from brainalign.ceilings.ceiling import Ceiling
from brainalign.encoding.bootstrap import make_draws, replicate
from brainalign.encoding.preparation import prepare_responses
from brainalign.encoding.scores import Units, aggregate, pearson
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.splits import make_folds
from brainalign.errors import InputError
from brainalign.intervals import percentile_interval
from brainalign.responses.samples import Columns, Samples


def known_ceiling(
    noise_free: np.ndarray, responses: np.ndarray, samples: Samples, neuroids: Columns, settings: EncoderSettings
) -> Ceiling:
    """Return r of the noise-free response with the response on the encoder's test rows, draws and aggregate.

    Parameters
    ----------
    noise_free : (sample, neuroid).
    responses : (sample, neuroid) or (repetition, sample, neuroid).

    Raises
    ------
    InputError : shapes that do not fit, and all that `prepare_responses` and `make_folds` refuse.
    """
    units = Units.from_table(neuroids)
    folds = make_folds(settings.split, samples)
    y = prepare_responses(responses, samples, units, folds)
    if noise_free.shape != y.shape:
        raise InputError(f"the noise-free responses have shape {noise_free.shape}, but the responses {y.shape}.")
    signal = noise_free.astype(np.float64)
    predictions, truths = [signal[fold.test] for fold in folds], [y[fold.test] for fold in folds]
    return ceiling_of_predictions("known", predictions, truths, samples, units, settings)


def ceiling_of_predictions(
    kind: str,
    predictions: Sequence[np.ndarray],
    truths: Sequence[np.ndarray],
    samples: Samples,
    units: Units,
    settings: EncoderSettings,
) -> Ceiling:
    """Score predictions (test, neuroid) of each fold as `encode` scores a layer's, with the same draws.

    Parameters
    ----------
    predictions, truths : for each fold (test, neuroid).
    """
    folds = make_folds(settings.split, samples)
    draws = make_draws(samples.split_group, folds, settings.draws, settings.seed)
    r = np.stack([pearson(prediction, truth)[0] for prediction, truth in zip(predictions, truths, strict=True)])
    replicates = replicate(draws, predictions, truths, units, settings.aggregate)
    low, high = percentile_interval(replicates)
    return Ceiling(
        kind=kind,
        score_subjects=units.score_subjects,
        score_regions=units.score_regions,
        per_neuroid=r.mean(axis=0),
        aggregate=aggregate(r, units, settings.aggregate),
        low=low,
        high=high,
        replicates=replicates,
    )
