"""Correlation coefficients of many samples at once, their p values and intervals."""

from itertools import permutations

import numpy as np

EXACT_UP_TO = 8
_NORMAL_975 = 1.959963984540054


def pearson(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return Pearson's r over the last axis; NaN where x or y is constant or holds NaN.

    Parameters
    ----------
    x, y : (..., observation), broadcast against each other.
    """
    constant = (np.ptp(x, axis=-1) == 0) | (np.ptp(y, axis=-1) == 0)
    x = x - x.mean(axis=-1, keepdims=True)
    y = y - y.mean(axis=-1, keepdims=True)
    scale = np.sqrt((x**2).sum(axis=-1) * (y**2).sum(axis=-1))
    return np.where(constant, np.nan, np.clip((x * y).sum(axis=-1) / np.where(scale > 0, scale, np.nan), -1, 1))


def correlation_p(r: float, n: int, covariates: int = 0) -> float:
    """Return the two-sided p of r = 0 from t = r √(df / (1 − r²)), df = n − 2 − covariates; NaN for df below 1.

    Assumes pairs of normal variables and independent observations; exact for Pearson's r and for partial correlations.
    """
    from scipy import stats

    df = n - 2 - covariates
    if df < 1 or not np.isfinite(r):
        return float("nan")
    if abs(r) >= 1:
        return 0.0
    return float(2 * stats.t.sf(abs(r) * np.sqrt(df / (1 - r * r)), df))


def fisher_interval(r: float, n: int, covariates: int = 0) -> tuple[float, float]:
    """Return tanh(artanh r ± 1.96 / √(n − 3 − covariates)); NaN where that root is not above 0, and for |r| = 1.

    Assumes pairs of normal variables and independent observations (Fisher 1921; for partial correlations, 1924).
    """
    if n - covariates < 4 or not abs(r) < 1:
        return float("nan"), float("nan")
    half = _NORMAL_975 / np.sqrt(n - 3 - covariates)
    return float(np.tanh(np.arctanh(r) - half)), float(np.tanh(np.arctanh(r) + half))


def resamples(n: int, draws: int, seed: int) -> np.ndarray:
    """Return samples of n observations with replacement, as positions: (draw, observation)."""
    return np.random.default_rng(seed).integers(n, size=(draws, n))


def bootstrap_pearson(x: np.ndarray, y: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Return r of `draws` samples of the observations with replacement: (draw,); NaN where a sample is constant.

    Parameters
    ----------
    x, y : (observation,).
    """
    chosen = resamples(len(x), draws, seed)
    return pearson(x[chosen], y[chosen])


def spearman(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Return Spearman's rho and its two-sided p.

    p is exact, the share of all orders of y with |rho| at least as large, up to 8 observations, and from Student's t
    beyond.

    Parameters
    ----------
    x, y : (observation,), neither constant.
    """
    from scipy import stats

    ranks_x, ranks_y = stats.rankdata(x), stats.rankdata(y)
    rho = float(pearson(ranks_x, ranks_y))
    if len(x) > EXACT_UP_TO:
        return rho, float(stats.spearmanr(x, y).pvalue)
    orders = np.array(list(permutations(ranks_y)))  # (order, observation)
    return rho, float(np.mean(np.abs(pearson(ranks_x, orders)) >= abs(rho) - 1e-12))
