"""Replicates of a score made as wide as the score is distributed, where a bootstrap draws less than that."""

import numpy as np

from brainalign.errors import InputError


def widened(replicates: np.ndarray, spread: float | np.ndarray) -> np.ndarray:
    """Return replicates (draw, ...) moved away from their mean by a factor; those of factor 1 as they are."""
    mean = replicates.mean(axis=0)
    moved = (mean + spread * (replicates - mean)).astype(replicates.dtype)
    return np.where(np.equal(spread, 1.0), replicates, moved)


def corrected_replicates(
    replicates: np.ndarray, resampled: str, fold_number: int, deviations: np.ndarray | None = None
) -> np.ndarray:
    """Return replicates whose percentiles cover the expected score of the fitted encoders.

    Where folds are resampled, replicates r* are moved away from their mean, r̄ + k (r* - r̄), with

        k = √(folds / (folds - 1)) · t(.975; folds - 1) / z(.975),

    since their variance is that of the folds divided by folds, not folds - 1, and their distribution normal where
    Student's t is due. Where groups are resampled within folds they stay, since the shrinkage by (m - 1) / m of m
    groups is made up for by the curvature of r in small samples (measured for 5 to 24 groups per fold). Then the
    deviations are added. Without deviations intervals are too narrow by up to √2.

    Parameters
    ----------
    replicates : (draw, ...), of the aggregate.
    resampled : "folds", "groups within folds" or "groups".
    deviations : (draw, ...), from `shared_training_deviations`.
    """
    values = np.asarray(replicates, dtype=np.float64)
    if resampled == "folds":
        values = widened(values, small_sample_factor(fold_number))
    return values if deviations is None else values + deviations


def small_sample_factor(size: int) -> float:
    """Return √(n / (n - 1)) · t(.975; n - 1) / z(.975): what replicates of a mean of n lack in spread.

    Raises
    ------
    InputError : fewer than 2.
    """
    from scipy.special import ndtri, stdtrit

    if size < 2:
        raise InputError(f"the spread of a mean cannot be told from {size} value.")
    return float(np.sqrt(size / (size - 1)) * stdtrit(size - 1, 0.975) / ndtri(0.975))


def spread_of_parts(units: int, parts: int) -> float:
    """Return √(U / (U - S)) · t(.975; U - S) / z(.975): what resamples of a sum over units lack that S parts draw.

    Each part's own mean takes a unit from what varies.

    Parameters
    ----------
    units : U, in all parts together, more than `parts`.
    parts : S, in each of which units are drawn.
    """
    same = units - parts + 1  # units of a single part that leave as many degrees of freedom
    return small_sample_factor(same) * float(np.sqrt(units / same))
