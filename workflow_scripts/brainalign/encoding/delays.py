"""Features of a series: z-scores within a run, and delayed copies that stand for the haemodynamic response."""

from collections.abc import Sequence

import numpy as np

from brainalign.errors import InputError

GRID_TOLERANCE = 0.01  # of the sampling period: how far an interval may be from the run's median interval


def zscore_within_runs(features: np.ndarray, runs: np.ndarray) -> np.ndarray:
    """Return (x - mean) / SD per column within each run; a column that is constant in a run becomes 0 there.

    Parameters
    ----------
    features : (sample, width).
    runs : (sample,), the run of each sample.
    """
    result = np.empty(features.shape)
    for rows in rows_of_runs(runs):
        block = features[rows].astype(np.float64)
        centred = block - block.mean(axis=0)
        deviation = centred.std(axis=0)
        varies = deviation > 1e-12 * np.abs(block).max(axis=0)
        result[rows] = np.where(varies, centred / np.where(varies, deviation, 1.0), 0.0)
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


def check_regular(onset_s: np.ndarray, runs: np.ndarray) -> None:
    """Raise InputError where a run's onsets do not rise in equal steps: a delay counts samples."""
    for rows in rows_of_runs(runs):
        steps = np.diff(onset_s[rows])
        if not len(steps):
            continue
        period = float(np.median(steps))
        if period <= 0 or np.abs(steps - period).max() > GRID_TOLERANCE * period:
            raise InputError(
                f"delays need onsets in equal, rising steps, but run {str(runs[rows[0]])!r} has steps from "
                f"{steps.min():g} to {steps.max():g} s."
            )


def rows_of_runs(runs: np.ndarray) -> list[np.ndarray]:
    """Return the row numbers of each run, in table order, runs by first appearance."""
    _, first, index = np.unique(np.asarray(runs).astype(str), return_index=True, return_inverse=True)
    return [np.flatnonzero(index == run) for run in np.argsort(first)]
