"""Features of a series: z-scores within a run, delayed copies that stand for the haemodynamic response, trimming."""

from collections.abc import Sequence

import numpy as np

from brainalign.errors import InputError

GRID_TOLERANCE = 0.01  # of the sampling period: how far an interval, or another series' period, may be from it
ROUNDING = 1e-12  # of the largest value: an SD below it is rounding


def zscore(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (x - mean) / SD of each column, SD over n, and the SDs; both are 0 where a column is constant.

    Parameters
    ----------
    values : (row, column).
    """
    centred = values - values.mean(axis=0)
    deviation = centred.std(axis=0)
    varies = deviation > ROUNDING * np.abs(values).max(axis=0, initial=0.0)
    scored = np.where(varies, centred / np.where(varies, deviation, 1.0), 0.0)
    return scored, np.where(varies, deviation, 0.0)


def zscore_within_runs(features: np.ndarray, runs: np.ndarray) -> np.ndarray:
    """Return (x - mean) / SD per column within each run; a column that is constant in a run becomes 0 there.

    Parameters
    ----------
    features : (sample, width).
    runs : (sample,), the run of each sample.
    """
    result = np.empty(features.shape)
    for rows in rows_of_runs(runs):
        result[rows] = zscore(features[rows].astype(np.float64))[0]
    return result


def delay(features: np.ndarray, runs: np.ndarray, delays: Sequence[int]) -> np.ndarray:
    """Return [X(t - d) for d in delays], zero before a run's first sample and never across runs (FIR).

    Parameters
    ----------
    features : (sample, width), rows of a run in the order of time; centred, so that 0 stands for the mean.
    runs : (sample,).
    delays : samples, each 0 or more.

    Returns
    -------
    (sample, len(delays) * width), the first delay's columns first.
    """
    width = features.shape[1]
    result = np.zeros((len(features), len(delays) * width))
    for rows in rows_of_runs(runs):
        for position, shift in enumerate(delays):
            columns = slice(position * width, (position + 1) * width)
            result[rows[shift:], columns] = features[rows[: max(len(rows) - shift, 0)]]
    return result


def rows_inside_runs(runs: np.ndarray, trim: tuple[int, int]) -> np.ndarray:
    """Return the row numbers that are left, rising, where each run loses `trim` rows at its start and its end.

    Parameters
    ----------
    runs : (sample,), rows of a run in the order of time.

    Raises
    ------
    InputError : a run that is left with fewer than 2 rows.
    """
    kept = []
    for rows in rows_of_runs(runs):
        inside = rows[trim[0] : max(len(rows) - trim[1], trim[0])]
        if len(inside) < 2:
            raise InputError(
                f"trimming {trim[0]} and {trim[1]} samples leaves the run {str(runs[rows[0]])!r} of {len(rows)} "
                f"samples with {len(inside)}, but 2 are needed."
            )
        kept.append(inside)
    return np.sort(np.concatenate(kept))


def sampling_period(onset_s: np.ndarray, runs: np.ndarray) -> float:
    """Return the seconds between samples, which are the same in and over all runs; NaN where no run has two samples.

    A delay counts samples, so that it is a time only where these are one period apart. It is the first run's median
    step, from which no step of that run, and no median step of another, differs by more than GRID_TOLERANCE of it.

    Parameters
    ----------
    onset_s : (sample,), rows of a run in the order of time.
    runs : (sample,).

    Raises
    ------
    InputError : onsets of a run that do not rise in equal steps; runs of different periods.
    """
    found: dict[str, float] = {}
    for rows in rows_of_runs(runs):
        steps = np.diff(onset_s[rows])
        if not len(steps):
            continue
        run, period = str(runs[rows[0]]), float(np.median(steps))
        if period <= 0 or np.abs(steps - period).max() > GRID_TOLERANCE * period:
            raise InputError(
                f"delays need onsets in equal, rising steps, but run {run!r} has steps from {steps.min():g} to "
                f"{steps.max():g} s."
            )
        first, of_first = next(iter(found.items()), (run, period))
        if not is_same_period(period, of_first):
            raise InputError(
                f"delays count samples, which must be equally far apart in all runs, but are {of_first:g} s apart in "
                f"run {first!r} and {period:g} s in run {run!r}."
            )
        found[run] = period
    return next(iter(found.values()), float("nan"))


def is_same_period(period: float, expected: float) -> bool:
    """Tell whether two sampling periods in seconds are the same within GRID_TOLERANCE; NaN, of no period, is as any."""
    return not abs(period - expected) > GRID_TOLERANCE * expected


def rows_of_runs(runs: np.ndarray) -> list[np.ndarray]:
    """Return the row numbers of each run, in table order, runs by first appearance."""
    _, first, index = np.unique(np.asarray(runs).astype(str), return_index=True, return_inverse=True)
    return [np.flatnonzero(index == run) for run in np.argsort(first)]
