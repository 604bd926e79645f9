"""Intervals from bootstrap replicates."""

import numpy as np

LEVEL = 0.95
FEWEST_SUBJECTS = 6  # that are resampled; of fewer, each one's value is shown instead


def percentile_interval(replicates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the 2.5 and 97.5 % quantiles over draws.

    Draws that are not finite are left out; where none is finite the interval is NaN.

    Parameters
    ----------
    replicates : (draw, ...).

    Returns
    -------
    low, high : (...) float64 each.
    """
    values = np.asarray(replicates, dtype=np.float64)
    finite = np.where(np.isfinite(values), values, np.nan)
    some = ~np.isnan(finite).all(axis=0)
    low, high = np.full(values.shape[1:], np.nan), np.full(values.shape[1:], np.nan)
    tail = (1 - LEVEL) / 2
    columns = finite[:, some]  # (draw, cell)
    if np.isnan(columns).any():
        low[some], high[some] = np.nanquantile(columns, [tail, 1 - tail], axis=0)
    elif columns.size:
        low[some], high[some] = np.quantile(columns, [tail, 1 - tail], axis=0)
    return low, high
