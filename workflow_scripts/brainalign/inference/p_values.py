"""P values of many columns at once from a resampled null distribution, alone and for the family of columns.

p = (b + 1) / (m + 1), where b of m resampled statistics are at least as large as the observed one (Phipson & Smyth
2010), so that p is never 0. Where all patterns are enumerated, m is their number without the one observed, and p is
the exact share of patterns.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from brainalign.errors import InputError, unknown

ALTERNATIVES = ("two-sided", "greater", "less")
TIE = 1e-10  # statistics closer than this share of the observed one are equal up to rounding

# In a cross-validation the response that scores one fold trains the others, so that the contribution of group g by way
# of training group h is, up to fitting, the contribution of h by way of g. Where nothing is predicted, the variance of
# their sum is therefore twice what resampling of held-out rows shows (see `shared_training`). That is the most that can
# be missing, and what is taken where it cannot be measured.
SHARED_TRAINING_SPREAD = float(np.sqrt(2))

# What is done about that in intervals, see `encoding.dependence`.
COUNTED, WIDENED, ONE_FOLD, NOT_COUNTED = KINDS = ("counted", "widened", "one fold", "not counted")


@dataclass(frozen=True)
class PValues:
    """The result of a resampling test of several columns.

    Parameters
    ----------
    statistic : (column,), as observed.
    p : (column,), of each column alone.
    p_family : (column,), single-step by the maximum statistic over columns: the chance, under the complete null, that
        any column reaches this one's statistic.
    p_step_down : (column,), the same by Westfall and Young's step-down maximum: never above p_family.
    smallest_p : (column,), what the test gives of the largest statistic that there can be.
    exact : whether every pattern was enumerated and compared as it is.
    resamples : m, without the observed pattern.
    """

    statistic: np.ndarray
    p: np.ndarray
    p_family: np.ndarray
    p_step_down: np.ndarray
    smallest_p: np.ndarray
    exact: bool
    resamples: int


def resampled_p(
    statistic: np.ndarray,
    null: Iterable[np.ndarray],
    alternative: str = "two-sided",
    spread: float | np.ndarray = 1.0,
    enumerated: bool = False,
    smallest_p: float | np.ndarray | None = None,
) -> PValues:
    """Compare observed statistics with resampled ones.

    Parameters
    ----------
    statistic : (column,); NaN gives NaN and takes no part in the maximum.
    null : batches (resample, column) of the statistic under the null, without the observed one.
    alternative : "two-sided" compares absolute values, "greater", "less".
    spread : by how much the null distribution is too narrow, one number or (column,); resampled statistics are
        multiplied by it.
    enumerated : whether the resamples are all there are.
    smallest_p : of the largest statistic, one number or (column,); unless given 1 / (m + 1), below which no p lies, and
        which a wide spread may keep all from reaching.

    Raises
    ------
    InputError : an unknown alternative, a spread that is not above 0.

    Sources: Phipson & Smyth (2010); Westfall & Young (1993), algorithm 4.1.
    """
    if alternative not in ALTERNATIVES:
        raise unknown("alternative", alternative, ALTERNATIVES)
    spread = checked_spread(spread)
    statistic = np.asarray(statistic, dtype=np.float64)
    tested = np.flatnonzero(~np.isnan(statistic))
    observed = threshold = _directed(statistic[tested], alternative)
    factor = np.broadcast_to(spread, statistic.shape)[tested]
    threshold = np.where(np.isfinite(threshold), threshold - TIE * np.abs(threshold), threshold)
    order = np.argsort(observed, kind="stable")  # least significant first
    alone, family, stepped = (np.zeros(len(tested), dtype=np.int64) for _ in range(3))
    resamples = 0
    for batch in null:
        values = factor * _directed(np.asarray(batch, dtype=np.float64)[:, tested], alternative)  # (resample, column)
        resamples += len(values)
        if not len(tested):
            continue
        alone += (values >= threshold).sum(axis=0)
        family += (values.max(axis=1)[:, None] >= threshold).sum(axis=0)
        successive = np.maximum.accumulate(values[:, order], axis=1)  # of this column and all less significant
        stepped[order] += (successive >= threshold[order]).sum(axis=0)
    p, p_family, p_step_down = ((count + 1) / (resamples + 1) for count in (alone, family, stepped))
    p_step_down[order] = np.maximum.accumulate(p_step_down[order][::-1])[::-1]  # monotone in the statistic
    size = len(statistic)
    smallest = np.broadcast_to(1 / (resamples + 1) if smallest_p is None else smallest_p, (size,))
    return PValues(
        statistic,
        _filled(p, tested, size),
        _filled(p_family, tested, size),
        _filled(p_step_down, tested, size),
        np.where(np.isnan(statistic), np.nan, smallest),
        enumerated and bool((spread == 1).all()),
        resamples,
    )


def checked_spread(spread: float | np.ndarray) -> np.ndarray:
    """Return by how much a null distribution is too narrow. Raises InputError where that is not above 0."""
    spread = np.asarray(spread, dtype=np.float64)
    if not (spread > 0).all():
        raise InputError(f"the spread of a null distribution must be above 0, but is {spread.min():g}.")
    return spread


def _directed(values: np.ndarray, alternative: str) -> np.ndarray:
    if alternative == "two-sided":
        return np.asarray(np.abs(values))
    return values if alternative == "greater" else -values


def _filled(values: np.ndarray, positions: np.ndarray, size: int) -> np.ndarray:
    result = np.full(size, np.nan)
    result[positions] = values
    return result
