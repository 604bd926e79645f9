"""The curve through which scores of growing subject pools are taken to infinitely many subjects."""

import numpy as np

from brainalign.encoding.threads import Threads, batches

TAU_GRID = np.geomspace(0.02, 2e4, 64)  # in subjects
STEPS = 22
CURVES_AT_ONCE = 4096


def fit_saturation(
    sizes: np.ndarray, values: np.ndarray, longest: float = np.inf, lowest: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Fit v(x) = v0 (1 - exp(-x / tau)), v0 in [0, 1] unless said otherwise, by least squares, to many curves at once.

    For a given tau the best v0 is <f, v> / <f, f>, clipped, with f = 1 - exp(-x / tau). With it the error is a function
    of tau alone; its least value on a grid is refined, between the neighbours, to the zero of its derivative by
    halving and false position in turn. Where the values rise in a straight line tau is at the grid's end, and v0 is
    1: Brain-Score's bound, kept.

    Parameters
    ----------
    sizes : (size,), subjects in a pool.
    values : (size, curve).
    longest : the largest tau, in subjects, at least the grid's smallest.
    lowest : of v0. At -1 the fit is the same upside down, so that curves of noise have v0 below 0 as often as above.

    Returns
    -------
    v0, tau : (curve,) each.
    """
    x = np.asarray(sizes, dtype=np.float64)[:, None]
    taus = np.append(TAU_GRID[longest > TAU_GRID], min(longest, TAU_GRID[-1]))
    n_curves = values.shape[1]
    v0, tau = np.empty(n_curves), np.empty(n_curves)

    def work(columns: slice) -> None:
        v0[columns], tau[columns] = _fit(x, values[:, columns], taus, lowest)

    with Threads().pool() as each:
        each(work, batches(n_curves, CURVES_AT_ONCE))
    return v0, tau


def _fit(x: np.ndarray, values: np.ndarray, taus: np.ndarray, lowest: float) -> tuple[np.ndarray, np.ndarray]:
    grid = -np.expm1(-x.T / taus[:, None])  # (tau, size)
    projected, lengths = grid @ values, (grid**2).sum(axis=1)[:, None]
    v0 = np.clip(projected / lengths, lowest, 1.0)  # (tau, curve)
    best = np.argmin(v0 * (v0 * lengths - 2 * projected), axis=0)
    low = np.log(taus[np.maximum(best - 1, 0)])
    high = np.log(taus[np.minimum(best + 1, len(taus) - 1)])
    at_low, at_high = _slope(x, values, low, lowest), _slope(x, values, high, lowest)
    # where the error does not fall into the bracket from both sides, its least value is at one end
    low = np.where(at_high < 0, high, low)
    high = np.where(at_low > 0, low, high)
    middle = low
    for step in range(STEPS):
        share = np.full(low.shape, 0.5)
        if step % 2:  # where the slope breaks, at v0 = 1, false position alone is slow; halving is not
            difference = at_high - at_low
            share = np.where(difference > 0, -at_low / np.where(difference > 0, difference, 1.0), 0.5)
        middle = low + np.clip(share, 0.0, 1.0) * (high - low)
        slope = _slope(x, values, middle, lowest)
        falls = slope < 0
        low, at_low = np.where(falls, middle, low), np.where(falls, slope, at_low)
        high, at_high = np.where(falls, high, middle), np.where(falls, at_high, slope)
    tau = np.exp(middle)
    return _asymptote(values, -np.expm1(-x / tau), lowest), tau


def _slope(x: np.ndarray, values: np.ndarray, log_tau: np.ndarray, lowest: float) -> np.ndarray:
    """Return half the derivative of the error by log tau, v0 at its best (curve,)."""
    ratio = x * np.exp(-log_tau)  # (size, curve)
    decay = np.exp(-ratio)
    curve = 1.0 - decay
    v0 = _asymptote(values, curve, lowest)
    ratio *= decay  # minus the derivative of the curve
    curve *= v0
    curve -= values
    return np.asarray(-v0 * np.einsum("ij,ij->j", curve, ratio))


def _asymptote(values: np.ndarray, curve: np.ndarray, lowest: float) -> np.ndarray:
    lengths = np.einsum("ij,ij->j", curve, curve)
    return np.asarray(np.clip(np.einsum("ij,ij->j", curve, values) / lengths, lowest, 1.0))
