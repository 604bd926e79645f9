"""Which samples are compared, and features and responses as checked arrays."""

import warnings

import numpy as np

from brainalign.encoding.delays import rows_of_runs, sampling_period
from brainalign.encoding.scores import Units
from brainalign.errors import InputError
from brainalign.responses.samples import Samples


def paired_rows(samples: Samples, mapped: np.ndarray | None, delay: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which row of the features goes with which row of the responses: (pair,) each, in table order.

    Row t of the responses goes with row t - delay of the features, in the same run and the same group, where the
    samples have onsets; otherwise with row t. Rows without a partner are left out, and rows of features that no
    stimulus is mapped to: a scan without a word has no representation.

    Parameters
    ----------
    mapped : (sample,) bool, whether some stimulus is mapped to the sample; None: to every sample.
    delay : samples.

    Raises
    ------
    InputError : a delay on onsets that do not rise in equal steps, the same in all runs; no row that is left.
    """
    features = responses = np.arange(len(samples))
    if delay and samples.onset_s is not None:
        sampling_period(samples.onset_s, samples.run)  # refuses steps that a delay cannot count
        runs = rows_of_runs(samples.run)
        features = np.concatenate([rows[: max(len(rows) - delay, 0)] for rows in runs])
        responses = np.concatenate([rows[delay:] for rows in runs])
        group = np.asarray(samples.split_group).astype(str)
        kept = group[features] == group[responses]
        features, responses = features[kept], responses[kept]
    if mapped is not None:
        kept = np.asarray(mapped, dtype=bool)[features]
        features, responses = features[kept], responses[kept]
    if not len(features):
        raise InputError(f"no sample is left to compare, of {len(samples)}, after a delay of {delay} samples.")
    order = np.argsort(responses, kind="stable")
    return features[order], responses[order]


def averaged_responses(responses: np.ndarray, samples: Samples, units: Units) -> np.ndarray:
    """Return responses (sample, neuroid) in float64; repetitions are averaged, those that are NaN left out.

    Raises
    ------
    InputError : another shape; NaN or infinite values.
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
    bad = np.asarray(~np.isfinite(y).all(axis=0))
    if bad.any():
        first = str(units.neuroid[np.argmax(bad)])
        raise InputError(
            f"{np.count_nonzero(bad)} of {len(bad)} neuroids have NaN or infinite responses, the first is {first!r}."
        )
    return y


def checked_features(name: str, features: np.ndarray, n_samples: int) -> np.ndarray:
    """Return a layer's features (sample, unit) as they are.

    Raises
    ------
    InputError : another number of rows than samples; NaN or infinite values.
    """
    if features.ndim != 2 or len(features) != n_samples:
        raise InputError(f"layer {name!r} has shape {features.shape}, but there are {n_samples} samples.")
    bad = int(np.count_nonzero(~np.isfinite(features)))
    if bad:
        raise InputError(f"layer {name!r} has {bad} NaN or infinite values of {features.size}.")
    return features


def shuffled_tests(n_samples: int, folds: int, test: float, seed: int) -> list[np.ndarray]:
    """Return the test rows of scikit-learn's ShuffleSplit(folds, test_size=test, random_state=seed): (row,) each.

    With `test_size` scikit-learn rounds the number of test rows up, and with `train_size` the number of training rows
    down; the two differ, in 1 row, where the shares are not exact.
    """
    n_test = int(np.ceil(test * n_samples))
    random = np.random.RandomState(seed)
    return [random.permutation(n_samples)[:n_test] for _ in range(folds)]
