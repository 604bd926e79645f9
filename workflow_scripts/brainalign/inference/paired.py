"""The difference of two models from bootstrap replicates that share their draws."""

from dataclasses import dataclass

import numpy as np

from brainalign.errors import InputError
from brainalign.intervals import percentile_interval


@dataclass(frozen=True)
class Difference:
    """A difference of scores with its interval and p; arrays (cell, …).

    Parameters
    ----------
    difference : first − second.
    low, high : percentile interval of the replicates of the difference.
    p : two-sided, consistent with the interval: p ≤ .05 where it leaves out 0.
    smallest_p : 2 / (draws + 1).
    draws : that are finite, in each cell.
    """

    difference: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p: np.ndarray
    smallest_p: np.ndarray
    draws: np.ndarray


def paired_difference(
    first: np.ndarray, second: np.ndarray, first_replicates: np.ndarray, second_replicates: np.ndarray
) -> Difference:
    """Return the difference of two models' scores, its percentile interval and the p that inverts the interval.

        p = 2 min(#{d* ≤ 0} + 1, #{d* ≥ 0} + 1) / (m + 1), at most 1,

    with d* the m replicates of the difference. It is the level at which the percentile interval begins to hold 0, so
    that a table cannot show an interval without 0 beside a p above its level, as it could with replicates shifted to 0.
    Replicates should be those of `shared_training.corrected_replicates`: of simulated data sets whose models reach the
    same score, 4 to 5 % are then rejected at 5 %, and 12 to 17 % with the bootstrap's own replicates.

    Parameters
    ----------
    first, second : (cell, …); first_replicates, second_replicates : (draw, cell, …), of the same draws.

    Raises
    ------
    InputError : another number of draws.
    """
    if first_replicates.shape != second_replicates.shape:
        raise InputError(
            f"replicates are {first_replicates.shape} and {second_replicates.shape}: only models of one data set and "
            "encoder share their draws."
        )
    replicates = np.asarray(first_replicates, dtype=np.float64) - second_replicates
    low, high = percentile_interval(replicates)
    finite = np.isfinite(replicates)
    draws = finite.sum(axis=0)
    below = (finite & (replicates <= 0)).sum(axis=0)
    above = (finite & (replicates >= 0)).sum(axis=0)
    p = np.minimum(2 * (np.minimum(below, above) + 1) / (draws + 1), 1.0)
    none = draws == 0
    return Difference(
        np.asarray(first, dtype=np.float64) - second,
        low,
        high,
        np.where(none, np.nan, p),
        np.where(none, np.nan, np.minimum(2 / (draws + 1), 1.0)),
        draws,
    )
