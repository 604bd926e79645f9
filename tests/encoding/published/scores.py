"""What a published pipeline gives, and Pearson's r column by column."""

from typing import NamedTuple

import numpy as np


class Published(NamedTuple):
    """Scores of one feature space.

    r : (fold, neuroid).
    score : the pipeline's own aggregate of r.
    penalty : (fold, neuroid) where the pipeline chooses one, else None.
    """

    r: np.ndarray
    score: float
    penalty: np.ndarray | None = None


def pearson(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return r of each column (column,): mean of the products of z-scores; NaN where one is constant."""
    return np.array([np.mean(zscore(a[:, [j]]) * zscore(b[:, [j]])) for j in range(a.shape[1])])


def zscore(values: np.ndarray) -> np.ndarray:
    """Return (x - mean) / SD of each column, SD over n; NaN in a column that is constant or holds NaN."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return (values - values.mean(axis=0)) / values.std(axis=0)
