"""Wilcoxon's signed-rank test, exact with ties, and the smallest p that it can give."""

import numpy as np


def signed_ranks_p(differences: np.ndarray) -> float:
    """Return the two-sided p of Wilcoxon's signed-rank test; NaN where a difference is missing or all are 0.

    Differences of 0 are left out (Wilcoxon 1945). W is the sum of the mid-ranks of |d| over positive d; p is the
    share of all 2^n choices of signs whose W is at least as far from its mean. Exact also where |d| are tied: the
    distribution is that of the ranks found. Scores printed with few decimals are tied often, and only up to rounding,
    so that differences are compared to 10 digits.

    Parameters
    ----------
    differences : (pair,).
    """
    from scipy import stats

    d = _rounded(differences)
    if not np.isfinite(d).all() or not d.any():
        return float("nan")
    d = d[d != 0]
    ranks = np.rint(2 * stats.rankdata(np.abs(d))).astype(int)  # twice the mid-ranks, which are whole numbers
    chances = np.ones(1)  # of each sum of ranks
    for rank in ranks:
        longer = np.zeros(len(chances) + rank)
        longer[: len(chances)] += chances / 2
        longer[rank:] += chances / 2
        chances = longer
    total = int(ranks.sum())
    away = np.abs(2 * np.arange(total + 1) - total)
    return float(min(1.0, chances[away >= abs(2 * int(ranks[d > 0].sum()) - total)].sum()))


def approximate_p(differences: np.ndarray) -> float:
    """Return the p of the same test by the normal approximation with its correction for ties, without continuity.

    What most programs report where differences are tied; it is too large or too small for few differences.
    """
    from scipy import stats

    d = _rounded(differences)
    if not np.isfinite(d).all() or not d.any():
        return float("nan")
    d = d[d != 0]
    ranks = stats.rankdata(np.abs(d))
    away = ranks[d > 0].sum() - ranks.sum() / 2
    return float(2 * stats.norm.sf(abs(away) / np.sqrt((ranks**2).sum() / 4)))


def smallest_p(differences: np.ndarray) -> float:
    """Return the smallest two-sided p that so many differences other than 0 can give: 2^(1 − n), NaN for none."""
    n = int(np.count_nonzero(_rounded(differences)))
    return float(2.0 ** (1 - n)) if n else float("nan")


def _rounded(differences: np.ndarray) -> np.ndarray:
    largest = np.abs(differences).max(initial=0.0)
    return np.round(differences / largest, 10) if largest > 0 else np.asarray(differences, dtype=np.float64)
