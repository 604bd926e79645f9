"""Circular shifts inside runs: a test for time series that keeps each series' autocorrelation."""

from collections.abc import Iterator, Sequence

import numpy as np

from brainalign.encoding.scores import Units, means_of_sums
from brainalign.encoding.threads import batches
from brainalign.errors import InputError
from brainalign.inference.contributions import standardised
from brainalign.inference.p_values import PValues, resampled_p

# Any shift but none. Leaving out short lags seems careful, since they keep some of a true relation, but under the null
# it compares a high r with everything except its high neighbours: with autocorrelations of .7 and .9, 6.6 and 7.7 % of
# simulated data sets are rejected at 5 % (one-sided) with a lag of 10 in runs of 150 to 200 samples, and 9 and 13 % in
# runs of 60. With a lag of 1 it is 5.4 and 5.2 %, and 5.3 and 6.2 %.
DEFAULT_MINIMUM_LAG = 1
FEWEST_OFFSETS = 20  # a run with fewer has hardly a distribution of its own
ENUMERATE_UP_TO = 2**14
BATCH_NUMBERS = 2**24
NEUROIDS_AT_ONCE = 1024


def circular_shift_test(
    prediction: np.ndarray,
    response: np.ndarray,
    runs: np.ndarray,
    folds: np.ndarray | None = None,
    draws: int = 9999,
    seed: int = 0,
    minimum_lag: int = DEFAULT_MINIMUM_LAG,
    alternative: str = "greater",
    spread: float = 1.0,
) -> PValues:
    """Test r of each neuroid against r with the predictions of every run shifted round by random offsets.

    The statistic is the mean over folds of Pearson's r. A shift by o of a run of n samples pairs prediction i with
    response (i + o) mod n; offsets are drawn from minimum_lag … n - minimum_lag, one for each run and draw, the same
    for all neuroids. A shift reorders samples inside a fold, so that means and SDs stay and r at all offsets is one
    circular cross-correlation by FFT: O(sample · log sample · neuroid). All combinations of offsets are taken where
    they are few.

    Parameters
    ----------
    prediction, response : (sample, neuroid), held out, in order of time within each run; no constant response.
    runs : (sample,), a run's samples are consecutive and regular.
    folds : (sample,), the fold that tested each sample; a run lies in one fold. One fold unless given.
    minimum_lag : samples.
    spread : SHARED_TRAINING_SPREAD where the folds trained each other, 1 for predictions trained on other data.

    Raises
    ------
    InputError : a run that is not consecutive, lies in two folds, or is too short for FEWEST_OFFSETS offsets.
    """
    folds = np.zeros(len(runs), dtype=np.int64) if folds is None else np.asarray(folds)
    correlations = run_correlations(prediction, response, runs, folds)
    return _tested(correlations, np.unique(runs), draws, seed, minimum_lag, alternative, spread)


def circular_shift_test_of_cells(
    predictions: Sequence[np.ndarray],
    responses: Sequence[np.ndarray],
    runs: Sequence[np.ndarray],
    units: Units,
    draws: int = 9999,
    seed: int = 0,
    spread: float | np.ndarray = 1.0,
) -> np.ndarray:
    """Return one-sided p of the mean r over folds and neuroids of each subject and region, as `circular_shift_test`.

    What a run adds to r at each offset is averaged over neuroids before offsets are drawn, so that all neuroids of a
    cell are shifted together: what they share is in the null, too. A run that several folds test is shifted in each of
    its parts.

    Parameters
    ----------
    predictions, responses : for each fold (test, neuroid), in order of time within each run.
    runs : for each fold (test,), the run of each row.
    spread : one number or (score_subject, score_region), see `sign_flip.sign_flip_test`.

    Returns
    -------
    (score_subject, score_region), of the aggregate "mean"; NaN where a subject has no neuroid of a region.

    Raises
    ------
    InputError : as `circular_shift_test`.
    """
    fold = np.repeat(np.arange(len(runs)), [len(of_fold) for of_fold in runs])
    parts = [f"{number}/{name}" for number, of_fold in enumerate(runs) for name in of_fold.astype(str).tolist()]
    names, part = np.unique(np.array(parts), return_inverse=True)
    members = units.members.reshape(-1, len(units)).T.astype(np.float64)  # (neuroid, cell)
    sums = [np.zeros((count, members.shape[1])) for count in np.bincount(part)]
    for columns in batches(len(units), NEUROIDS_AT_ONCE):
        p, y = (np.concatenate([rows[:, columns] for rows in given]) for given in (predictions, responses))
        for total, found in zip(sums, run_correlations(p, y, part, fold), strict=True):
            total += found @ members[columns]
    means = [means_of_sums(total, units) for total in sums]  # (offset, score_subject, score_region) of each run
    flat = [values.reshape(len(values), -1) for values in means]
    wide = np.broadcast_to(spread, means[0].shape[1:]).ravel()
    tested = _tested(flat, names, draws, seed, DEFAULT_MINIMUM_LAG, "greater", wide)
    return tested.p.reshape(means[0].shape[1:])


def _tested(
    correlations: list[np.ndarray],
    names: np.ndarray,
    draws: int,
    seed: int,
    minimum_lag: int,
    alternative: str,
    spread: float | np.ndarray,
) -> PValues:
    """Compare r with r at offsets; what each run adds is (offset, column)."""
    if minimum_lag < 1 or draws < 1:
        raise InputError(f"a circular shift needs a lag and draws of at least 1, but has {minimum_lag} and {draws}.")
    lengths = [len(values) for values in correlations]
    shortest = int(np.argmin(lengths))
    if lengths[shortest] - 2 * minimum_lag + 1 < FEWEST_OFFSETS:
        raise InputError(
            f"run {names[shortest]} has {lengths[shortest]} samples, too few for {FEWEST_OFFSETS} offsets of "
            f"at least {minimum_lag} samples either way: {2 * minimum_lag + FEWEST_OFFSETS - 1} are needed."
        )
    choices = [np.arange(minimum_lag, length - minimum_lag + 1) for length in lengths]
    combinations = float(np.prod([float(len(choice)) for choice in choices]))
    enumerated = combinations <= max(draws, ENUMERATE_UP_TO)
    if enumerated:
        offsets = np.stack(np.meshgrid(*choices, indexing="ij"), axis=-1).reshape(-1, len(choices))
    else:
        random = np.random.default_rng(seed)
        offsets = np.stack([random.choice(choice, size=draws) for choice in choices], axis=1)  # (draw, run)
    observed = np.sum([values[0] for values in correlations], axis=0)
    return resampled_p(observed, _shifted(correlations, offsets), alternative, spread, enumerated)


def run_correlations(
    prediction: np.ndarray, response: np.ndarray, runs: np.ndarray, folds: np.ndarray
) -> list[np.ndarray]:
    """Return, for each run in sorted order, what it adds to the mean r over folds at each offset: (offset, neuroid).

    The sum over runs at offset 0 is the mean over folds of r.
    """
    numbers = np.unique(folds)
    p, y = np.empty(prediction.shape), np.empty(response.shape)
    for fold in numbers:
        rows = folds == fold
        p[rows], y[rows] = standardised(prediction[rows], response[rows]), standardised(response[rows])
    correlations = []
    for run in np.unique(runs):
        rows = np.flatnonzero(runs == run)
        if rows[-1] - rows[0] + 1 != len(rows):
            raise InputError(f"the samples of run {run} are not consecutive, so they cannot be shifted round.")
        if len(np.unique(folds[rows])) > 1:
            raise InputError(f"run {run} lies in {len(np.unique(folds[rows]))} folds, but must lie in one.")
        transformed = np.conj(np.fft.rfft(p[rows], axis=0)) * np.fft.rfft(y[rows], axis=0)
        correlations.append(np.fft.irfft(transformed, n=len(rows), axis=0) / len(numbers))
    return correlations


def _shifted(correlations: list[np.ndarray], offsets: np.ndarray) -> Iterator[np.ndarray]:
    size = max(1, BATCH_NUMBERS // max(correlations[0].shape[1], 1))
    for start in range(0, len(offsets), size):
        batch = offsets[start : start + size]
        total = np.zeros((len(batch), correlations[0].shape[1]))
        for run, values in enumerate(correlations):
            total += values[batch[:, run]]
        yield total
