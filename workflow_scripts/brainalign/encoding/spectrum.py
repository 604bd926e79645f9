"""The one factorisation that all penalties, neuroids and inner folds of a training set share."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

# Errors of a Gram matrix's eigenvalues are some eps times the largest, so penalties of at least 1e-9 times it keep
# a prediction's error under 1e-6; for smaller ones the features themselves are factorised.
GRAM_LIMIT = 1e-9

EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Spectrum:
    """Training and test rows in the principal axes V of the centred training features X.

    Parameters
    ----------
    scores : (train, axis), X V; its columns are orthogonal.
    eigenvalues : (axis,), the squared length of each column of `scores`, above 0.
    test_scores : (test, axis), the test rows, centred by the training mean, times V.
    trace : sum of the squares of X, the trace of its Gram matrix.
    rank : number of singular values above max(train, width) * eps * largest.
    interpolates : whether the axes span every centred response, so that the fit at penalty 0 leaves no residual; said
        by `exact_spectrum` only.
    """

    scores: np.ndarray
    eigenvalues: np.ndarray
    test_scores: np.ndarray
    trace: float
    rank: int
    interpolates: bool = False

    @property
    def largest(self) -> float:
        """The largest eigenvalue, 0 where no feature varies."""
        return float(self.eigenvalues.max(initial=0.0))


class FeatureSpace:
    """Features of all samples, factorised for any training set.

    Parameters
    ----------
    features : (sample, width). Held in float64, with columns that never vary set to 0, and centred: where means are
        large, centring training rows alone would leave rounding that a fit could take for signal.
    """

    def __init__(self, features: np.ndarray) -> None:
        self.features = _centred(features.astype(np.float64))

    @cached_property
    def gram(self) -> np.ndarray:
        """X Xᵀ of all samples (sample, sample), made once where a training set is smaller than the width."""
        return np.asarray(self.features @ self.features.T)

    def spectrum(self, train: np.ndarray, test: np.ndarray) -> Spectrum:
        """Factorise the smaller Gram matrix of the training rows; exact for penalties above GRAM_LIMIT * largest."""
        if self.features.shape[1] < len(train):
            return self._primal(train, test)
        return self._dual(train, test)

    def exact_spectrum(self, train: np.ndarray, test: np.ndarray) -> Spectrum:
        """Factorise the training features themselves (SVD); singular values under max(n, p) * eps * largest are cut."""
        x, x_test = self._split(train, test)
        left, singular, right = np.linalg.svd(x, full_matrices=False)
        kept = singular > max(x.shape) * EPSILON * singular.max(initial=0.0)
        singular = singular[kept]
        scores, axes = left[:, kept] * singular, right[kept].T
        rank = int(kept.sum())
        return Spectrum(scores, singular**2, x_test @ axes, float(np.sum(x**2)), rank, rank == len(train) - 1)

    def _split(self, train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x = self.features[train]
        return _centred(x), self.features[test] - x.mean(axis=0)

    def _primal(self, train: np.ndarray, test: np.ndarray) -> Spectrum:
        x, x_test = self._split(train, test)
        eigenvalues, axes = np.linalg.eigh(x.T @ x)  # (width,), (width, width)
        kept, rank = _kept(eigenvalues, max(x.shape))
        axes = axes[:, kept]
        return Spectrum(x @ axes, eigenvalues[kept], x_test @ axes, float(np.sum(x**2)), rank)

    def _dual(self, train: np.ndarray, test: np.ndarray) -> Spectrum:
        k = self.gram[np.ix_(train, train)]
        mean = k.mean(axis=0)
        centred = k - mean - mean[:, None] + mean.mean()
        if np.trace(centred) <= len(train) * EPSILON * np.trace(k):
            centred = np.zeros_like(centred)  # nothing but rounding: no feature varies in these rows
        between = self.gram[np.ix_(test, train)]
        between = between - between.mean(axis=1, keepdims=True) - mean + mean.mean()
        eigenvalues, left = np.linalg.eigh(centred)
        kept, rank = _kept(eigenvalues, len(train))
        singular, left = np.sqrt(eigenvalues[kept]), left[:, kept]
        return Spectrum(left * singular, eigenvalues[kept], between @ (left / singular), float(np.trace(centred)), rank)


def _kept(eigenvalues: np.ndarray, size: int) -> tuple[np.ndarray, int]:
    """Return the axes that are more than rounding, and the rank as an SVD with the usual cut would give it at best."""
    largest = eigenvalues.max(initial=0.0)
    return eigenvalues > EPSILON * largest, int(np.count_nonzero(eigenvalues > size * EPSILON * largest))


def _centred(x: np.ndarray) -> np.ndarray:
    """Centre columns, and set those to 0 that differ from their mean by no more than rounding."""
    size = np.abs(x).max(axis=0, initial=0.0)
    centred = x - x.mean(axis=0)
    constant = np.abs(centred).max(axis=0, initial=0.0) <= len(x) * EPSILON * size
    return np.asarray(np.where(constant, 0.0, centred))
