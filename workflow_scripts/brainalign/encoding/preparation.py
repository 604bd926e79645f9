"""Responses and features as the regression takes them: checked, averaged, z-scored, delayed, trimmed."""

import logging
import warnings
from collections.abc import Sequence

import numpy as np

from brainalign.encoding.delays import delay, rows_inside_runs, sampling_period, zscore_within_runs
from brainalign.encoding.scores import Units
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.splits import Fold
from brainalign.encoding.threads import batches
from brainalign.errors import InputError
from brainalign.responses.samples import Samples

log = logging.getLogger(__name__)

AT_ONCE = 4096  # neuroids
SINGLE_RANGE = 1e-14, 1e17  # SD of responses whose squared errors are held by float32
FEATURE_RANGE = 1e-50, 1e50  # largest absolute value of a layer, so that eigenvalues and their squares are finite
FEWER = "; leave them out of the data, or take a split with fewer folds"


def kept_samples(samples: Samples, settings: EncoderSettings) -> np.ndarray | None:
    """Return the row numbers that trimming leaves, rising; None where all are, as where samples have no onsets."""
    if not any(settings.trim) or samples.onset_s is None:
        return None
    return rows_inside_runs(samples.run, settings.trim)


def tell_what_is_left_out(samples: Samples, settings: EncoderSettings) -> None:
    """Log that delays and trimming are left out where the samples have no onsets, as single sentences have none.

    It is a warning where there are several runs: such samples may well be a series whose onsets were not given.
    """
    asked = [f"delays {', '.join(map(str, settings.delays))}"] if settings.delays else []
    asked += [f"trimming {' and '.join(map(str, settings.trim))}"] if any(settings.trim) else []
    if not asked or samples.onset_s is not None:
        return
    runs = len(np.unique(samples.run.astype(str))) if "run" in samples.columns else 0
    level = logging.WARNING if runs > 1 else logging.INFO
    there = f"are in {runs} runs but have no onsets" if runs > 1 else "have no onsets"
    log.log(level, "the samples %s (a column 'onset_s'), so that %s are left out", there, " and ".join(asked))


def prepare_responses(
    responses: np.ndarray,
    samples: Samples,
    units: Units,
    folds: Sequence[Fold],
    precision: str = "float64",
    kept: np.ndarray | None = None,
) -> np.ndarray:
    """Return responses (sample, neuroid), each neuroid centred; repetitions are averaged, those that are NaN left out.

    Parameters
    ----------
    responses : (sample, neuroid) or (repetition, sample, neuroid).
    folds : that are scored by themselves, see `scored_folds`; their rows are those of the result.
    precision : "float32" or "float64", of the result; means are taken in float64 anyway.
    kept : row numbers of the samples that are returned; all unless given. The others may hold anything.

    Raises
    ------
    InputError : another shape; NaN or infinite values; neuroids that are constant over all samples, or over the test
        rows of a scored fold, where r is not defined, or that vary by less or more than float32 holds the squares of.
    """
    responses = np.asarray(responses)
    shape = responses.shape[-2:]
    if responses.ndim not in (2, 3) or shape != (len(samples), len(units)):
        raise InputError(
            f"the responses have shape {responses.shape}, but there are {len(samples)} samples and {len(units)} "
            "neuroids."
        )
    rows = slice(None) if kept is None else kept
    y = np.empty((len(samples) if kept is None else len(kept), len(units)), dtype=precision)
    unusable, constant, strange = (np.zeros(len(units), dtype=bool) for _ in range(3))
    for columns in batches(len(units), AT_ONCE):  # so that no float64 copy of everything is made
        own = responses[..., rows, columns].astype(np.float64)
        if own.ndim == 3:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # the mean of nothing is NaN, and refused below
                own = np.nanmean(own, axis=0)
        unusable[columns] = ~np.isfinite(own).all(axis=0)
        own[:, unusable[columns]] = 0.0  # refused below
        constant[columns] = _constant(own)
        spread = own.std(axis=0)
        strange[columns] = (spread > 0) & ((spread < SINGLE_RANGE[0]) | (spread > SINGLE_RANGE[1]))
        y[:, columns] = own - own.mean(axis=0)
    _refuse(unusable, units, "have NaN or infinite responses")
    _refuse(constant & ~unusable, units, "have the same response to every sample")
    if y.dtype == np.float32:
        low, high = SINGLE_RANGE
        what = f"vary by less than {low:g} or more than {high:g}, whose squares float32 does not hold"
        _refuse(strange & ~constant & ~unusable, units, what, "; take other units, or precision: float64")
    for number, fold in enumerate(folds):
        _refuse(_constant(y[fold.test]), units, f"have the same response to every test sample of fold {number}", FEWER)
    return y


def scored_folds(folds: Sequence[Fold], settings: EncoderSettings) -> Sequence[Fold]:
    """Return the folds that are scored by themselves: one of all test rows where the split pools them."""
    if not settings.pools:
        return folds
    return [Fold(np.empty(0, dtype=np.intp), np.concatenate([fold.test for fold in folds]))]


def check_features(name: str, features: np.ndarray, rows: int, what: str = "samples") -> None:
    """Raise InputError for features that cannot be fitted.

    That is: another number of rows than there are, NaN or infinite values, or none that is 0 or within FEATURE_RANGE.

    Parameters
    ----------
    name : of the layer.
    rows, what : how many samples (or stimuli) there are.
    """
    if features.ndim != 2 or len(features) != rows:
        raise InputError(f"layer {name!r} has shape {features.shape}, but there are {rows} {what}.")
    bad = int(np.count_nonzero(~np.isfinite(features)))
    if bad:
        raise InputError(f"layer {name!r} has {bad} NaN or infinite values of {features.size}.")
    largest, (low, high) = float(np.abs(features).max(initial=0)), FEATURE_RANGE
    if largest and not low <= largest <= high:
        raise InputError(
            f"the largest absolute value of layer {name!r} is {largest:.3g}, but must lie between {low:g} and {high:g} "
            "(or be 0), so that products of features can be computed."
        )


def prepare_features(name: str, features: np.ndarray, samples: Samples, settings: EncoderSettings) -> np.ndarray:
    """Check features (sample, width), then `arrange` them.

    Parameters
    ----------
    name : of the layer, for messages.

    Raises
    ------
    InputError : another number of rows than samples; NaN or infinite values; and what `arrange` refuses.
    """
    check_features(name, features, len(samples))
    return arrange(features, samples, settings)


def arrange(features: np.ndarray, samples: Samples, settings: EncoderSettings) -> np.ndarray:
    """Return features after z-scoring within runs, delays, trimming and z-scoring again, in this order.

    Delays and trimming apply where the samples have onsets. The features are centred before delays, so that the zeros
    before a run's first sample stand for the mean; where trimming takes as many samples from the start of a run as the
    longest delay, none of them is left.

    Parameters
    ----------
    features : (sample, width).

    Returns
    -------
    (kept sample, width * delays) float64

    Raises
    ------
    InputError : z-scores, delays or trimming without runs; delays on onsets that do not rise in equal steps,
        those of one run or of all.
    """
    x = features.astype(np.float64)
    if settings.zscore:
        x = zscore_within_runs(x, samples.run)
    if settings.delays and samples.onset_s is not None:
        sampling_period(samples.onset_s, samples.run)  # refuses steps that a delay cannot count
        x = delay(x - x.mean(axis=0), samples.run, settings.delays)
    kept = kept_samples(samples, settings)
    x = x if kept is None else x[kept]
    if settings.zscore_delayed:
        x = zscore_within_runs(x, samples.run if kept is None else samples.run[kept])
    return x


def _constant(y: np.ndarray) -> np.ndarray:
    return np.asarray(y.max(axis=0) == y.min(axis=0))


def _refuse(bad: np.ndarray, units: Units, what: str, remedy: str = "") -> None:
    if bad.any():
        first = units.neuroid[np.argmax(bad)]
        raise InputError(f"{np.count_nonzero(bad)} of {len(bad)} neuroids {what}, the first is {str(first)!r}{remedy}.")
