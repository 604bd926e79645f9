"""Dissimilarities of samples, and their ranks."""

import numpy as np

from brainalign.errors import unknown
from brainalign.similarity.settings import DISTANCES

# Over fewer units the distance says nothing: with 2 units every correlation is -1 or 1, with 1 unit every cosine.
FEWEST_UNITS = {"correlation": 3, "cosine": 2, "euclidean": 1}
EQUAL = 12  # decimals, of the largest, to which dissimilarities are kept: those that only differ by rounding are ties


class UndefinedError(Exception):
    """A similarity is not defined; the message says why, a clause without a full stop."""


def dissimilarities(values: np.ndarray, distance: str, what: str) -> np.ndarray:
    """Return the dissimilarity of every pair of samples: (sample, unit) -> (sample, sample), symmetric, 0 with itself.

    correlation: 1 - Pearson's r of two samples over units (Kriegeskorte, Mur & Bandettini 2008); cosine: 1 - cosine;
    euclidean: the length of the difference.

    Parameters
    ----------
    values : (sample, unit), finite.
    what : "features" or "responses", for messages.

    Raises
    ------
    InputError : an unknown distance.
    UndefinedError : fewer units than FEWEST_UNITS; a sample whose units all have one value (correlation) or are 0
        (cosine).
    """
    if distance not in DISTANCES:
        raise unknown("distance", distance, DISTANCES)
    units = values.shape[1]
    if units < FEWEST_UNITS[distance]:
        raise UndefinedError(
            f"the {what} have {units} unit{'' if units == 1 else 's'}, but {distance} distances need "
            f"{FEWEST_UNITS[distance]}"
        )
    x = np.asarray(values, dtype=np.float64)
    if distance == "euclidean":
        x = x - x.mean(axis=0)
        products = x @ x.T
        squared = np.diag(products)[:, None] + np.diag(products) - 2 * products
        return np.asarray(np.sqrt(_with_ties(np.maximum(squared, 0.0))))
    if distance == "correlation":
        x = x - x.mean(axis=1, keepdims=True)
    length = np.sqrt(np.einsum("ij,ij->i", x, x))
    largest = np.abs(values).max(axis=1).astype(np.float64) * np.sqrt(units)
    flat = int(np.count_nonzero(length <= 1e-12 * largest))
    if flat:
        same = "the same value in every unit" if distance == "correlation" else "0 in every unit"
        raise UndefinedError(f"{flat} of {len(x)} samples have {same} of the {what}")
    x = x / length[:, None]
    return _with_ties(np.clip(1 - x @ x.T, 0.0, 2.0))


def average_ranks(ordered: np.ndarray) -> np.ndarray:
    """Return the ranks from 1 of values that are in rising order (value,); equal values share their mean rank.

    >>> average_ranks(np.array([2.0, 5.0, 5.0, 9.0])).tolist()
    [1.0, 2.5, 2.5, 4.0]
    """
    first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    if len(first) == len(ordered):
        return np.arange(1.0, len(ordered) + 1)
    counts = np.diff(first, append=len(ordered))
    return np.repeat(first + (counts + 1) / 2, counts)


def _with_ties(values: np.ndarray) -> np.ndarray:
    """Round to EQUAL decimals of the largest value, and make a sample's dissimilarity to itself 0, in place."""
    np.fill_diagonal(values, 0.0)
    largest = values.max(initial=0.0)
    if largest > 0:
        values /= largest
        np.round(values, EQUAL, out=values)
        values *= largest
    return values
