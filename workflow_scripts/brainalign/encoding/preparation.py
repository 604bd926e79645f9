"""Responses and features as the regression takes them: checked, averaged, z-scored, delayed."""

import warnings
from collections.abc import Sequence

import numpy as np

from brainalign.encoding.delays import check_regular, delay, zscore_within_runs
from brainalign.encoding.scores import Units
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.splits import Fold
from brainalign.errors import InputError
from brainalign.responses.samples import Samples


def prepare_responses(responses: np.ndarray, samples: Samples, units: Units, folds: Sequence[Fold]) -> np.ndarray:
    """Return responses (sample, neuroid) in float64; repetitions are averaged, those that are NaN left out.

    Parameters
    ----------
    responses : (sample, neuroid) or (repetition, sample, neuroid).

    Raises
    ------
    InputError : another shape; NaN or infinite values; neuroids that are constant over all samples, or over the test
        rows of a fold, where r is not defined.
    """
    y = np.asarray(responses, dtype=np.float64)
    if y.ndim == 3:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # the mean of nothing is NaN, and refused below
            y = np.nanmean(y, axis=0)
    if y.shape != (len(samples), len(units)):
        raise InputError(
            f"the responses have shape {y.shape}, but there are {len(samples)} samples and {len(units)} neuroids."
        )
    _refuse(np.asarray(~np.isfinite(y).all(axis=0)), units, "have NaN or infinite responses")
    _refuse(_constant(y), units, "have the same response to every sample")
    for number, fold in enumerate(folds):
        _refuse(_constant(y[fold.test]), units, f"have the same response to every test sample of fold {number}")
    return y


def prepare_features(name: str, features: np.ndarray, samples: Samples, settings: EncoderSettings) -> np.ndarray:
    """Return features (sample, width) after z-scoring within runs and delays, in this order.

    Delays apply where the samples have onsets; the features are centred first, so that the zeros before a run's
    first sample stand for the mean.

    Parameters
    ----------
    name : of the layer, for messages.

    Raises
    ------
    InputError : another number of rows than samples; NaN or infinite values; z-scores or delays without runs; delays
        on onsets that do not rise in equal steps.
    """
    if features.ndim != 2 or len(features) != len(samples):
        raise InputError(f"layer {name!r} has shape {features.shape}, but there are {len(samples)} samples.")
    bad = int(np.count_nonzero(~np.isfinite(features)))
    if bad:
        raise InputError(f"layer {name!r} has {bad} NaN or infinite values of {features.size}.")
    x = features.astype(np.float64)
    if settings.zscore:
        x = zscore_within_runs(x, samples.run)
    if settings.delays and samples.onset_s is not None:
        check_regular(samples.onset_s, samples.run)
        x = delay(x - x.mean(axis=0), samples.run, settings.delays)
    return x


def _constant(y: np.ndarray) -> np.ndarray:
    return np.asarray(y.max(axis=0) == y.min(axis=0))


def _refuse(bad: np.ndarray, units: Units, what: str) -> None:
    if bad.any():
        first = units.neuroid[np.argmax(bad)]
        raise InputError(f"{np.count_nonzero(bad)} of {len(bad)} neuroids {what}, the first is {str(first)!r}.")
