"""Partial and semi-partial correlation: what a property shares with a score beyond other properties."""

from typing import Literal

import numpy as np

from brainalign.correlation.statistics import pearson, resamples

Part = Literal["partial", "semi-partial"]

_NOTHING_LEFT = 1e-9  # of a column's own length, after the others have been taken out of it


def residuals(values: np.ndarray, covariates: np.ndarray) -> np.ndarray:
    """Return v − P v, P the projection on a constant and the covariates: (..., observation).

    NaN where the covariates and the constant are linearly dependent, and where nothing is left of the values.

    Parameters
    ----------
    values : (..., observation); covariates : (..., observation, covariate), at least as many rows as columns.
    """
    centred = covariates - covariates.mean(axis=-2, keepdims=True)
    lengths = np.linalg.norm(covariates, axis=-2)  # (..., covariate)
    left = values - values.mean(axis=-1, keepdims=True)
    q, r = np.linalg.qr(centred)  # (..., observation, covariate), (..., covariate, covariate)
    kept = np.abs(np.diagonal(r, axis1=-2, axis2=-1))  # (..., covariate)
    dependent = (kept <= _NOTHING_LEFT * lengths).any(axis=-1)
    for _ in range(2):  # a second time, since the first leaves rounding errors of the size of what it took away
        left = left - (q @ (np.swapaxes(q, -1, -2) @ left[..., None]))[..., 0]
    nothing = np.linalg.norm(left, axis=-1) <= _NOTHING_LEFT * np.linalg.norm(values, axis=-1)
    return np.where((dependent | nothing)[..., None], np.nan, left)


def controlled_r(x: np.ndarray, y: np.ndarray, covariates: np.ndarray, part: Part) -> np.ndarray:
    """Return the partial or semi-partial correlation of x and y given covariates, over the observations.

    partial = r(x − P x, y − P y), semi-partial = r(x − P x, y), P the projection on a constant and the covariates. NaN
    where the covariates are linearly dependent or explain x (or, for partial, y) entirely.

    Parameters
    ----------
    x, y : (..., observation); covariates : (..., observation, covariate).
    """
    return pearson(residuals(x, covariates), residuals(y, covariates) if part == "partial" else y)


def bootstrap_controlled_r(
    x: np.ndarray, y: np.ndarray, covariates: np.ndarray, part: Part, draws: int, seed: int
) -> np.ndarray:
    """Return the (semi-)partial correlation in samples of the observations with replacement: (draw,), NaN as above.

    Parameters
    ----------
    x, y : (observation,); covariates : (observation, covariate).
    """
    chosen = resamples(len(x), draws, seed)
    return controlled_r(x[chosen], y[chosen], covariates[chosen], part)
