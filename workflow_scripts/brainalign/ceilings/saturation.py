"""The curve through which scores of growing subject pools are taken to infinitely many subjects."""

import numpy as np

TAU_GRID = np.geomspace(0.02, 2e4, 240)  # in subjects
GOLDEN = (np.sqrt(5.0) - 1) / 2
GOLDEN_STEPS = 30
COLUMNS_AT_ONCE = 8192


def fit_saturation(sizes: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit v(x) = v0 (1 - exp(-x / tau)), v0 in [0, 1], by least squares, to many curves at once.

    For a given tau the best v0 is <f, v> / <f, f>, clipped, with f = 1 - exp(-x / tau); tau is searched on a grid and
    then by golden section between the neighbours of the best. Where the values rise in a straight line tau is at the
    grid's end, and v0 is 1: Brain-Score's bound, kept.

    Parameters
    ----------
    sizes : (size,), subjects in a pool.
    values : (size, curve).

    Returns
    -------
    v0, tau : (curve,) each.
    """
    parts = [
        _fit(np.asarray(sizes, dtype=np.float64), values[:, start : start + COLUMNS_AT_ONCE])
        for start in range(0, values.shape[1], COLUMNS_AT_ONCE)
    ]
    return np.concatenate([v0 for v0, _ in parts]), np.concatenate([tau for _, tau in parts])


def _fit(sizes: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    curves = -np.expm1(-sizes / TAU_GRID[:, None])  # (tau, size)
    projected, lengths = curves @ values, (curves**2).sum(axis=1)[:, None]
    v0 = np.clip(projected / lengths, 0.0, 1.0)  # (tau, curve)
    best = np.argmin(v0**2 * lengths - 2 * v0 * projected, axis=0)
    low = np.log(TAU_GRID[np.maximum(best - 1, 0)])
    high = np.log(TAU_GRID[np.minimum(best + 1, len(TAU_GRID) - 1)])
    for _ in range(GOLDEN_STEPS):
        left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        left_is_better = _error(sizes, values, left) <= _error(sizes, values, right)
        low, high = np.where(left_is_better, low, left), np.where(left_is_better, right, high)
    tau = np.exp((low + high) / 2)
    return _asymptote(sizes, values, tau)[0], tau


def _error(sizes: np.ndarray, values: np.ndarray, log_tau: np.ndarray) -> np.ndarray:
    v0, curve = _asymptote(sizes, values, np.exp(log_tau))
    return np.asarray(((values - v0 * curve) ** 2).sum(axis=0))


def _asymptote(sizes: np.ndarray, values: np.ndarray, tau: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    curve = -np.expm1(-sizes[:, None] / tau)  # (size, curve)
    return np.clip((curve * values).sum(axis=0) / (curve**2).sum(axis=0), 0.0, 1.0), curve
