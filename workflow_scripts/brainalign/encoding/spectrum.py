"""The one factorisation that all penalties, neuroids and inner folds of a training set share."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Protocol

import numpy as np
from threadpoolctl import ThreadpoolController

# Errors of a Gram matrix's eigenvalues are some eps times the largest, so penalties of at least 1e-9 times it keep
# a prediction's error under 1e-6; for smaller ones the features themselves are factorised.
GRAM_LIMIT = 1e-9

# Least squares divide by the eigenvalues themselves: where the smallest kept one is at least this share of the largest,
# the Gram matrix gives r to better than 1e-7.
CONDITION_LIMIT = 1e-8

# Rows up to which a factorisation is done on one thread: threads that wait for each other at every column save little,
# and on busy cores cost a hundred times the whole.
ONE_THREAD = 1024

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
        by `exact_spectrum` and `least_squares` only.
    centred : whether features are centred by their training mean; False for a fit without an intercept, where
        "centred" is to be read as "as they are" throughout.
    """

    scores: np.ndarray
    eigenvalues: np.ndarray
    test_scores: np.ndarray
    trace: float
    rank: int
    interpolates: bool = False
    centred: bool = True

    @property
    def largest(self) -> float:
        """The largest eigenvalue, 0 where no feature varies."""
        return float(self.eigenvalues.max(initial=0.0))

    @property
    def is_conditioned(self) -> bool:
        """Whether the smallest eigenvalue is at least CONDITION_LIMIT times the largest."""
        return bool(self.eigenvalues.min(initial=np.inf) >= CONDITION_LIMIT * self.largest)

    @property
    def mean_share(self) -> float:
        """What the intercept adds to each entry of the fitted values' matrix H: 1 / n, 0 without one."""
        return 1.0 / len(self.scores) if self.centred else 0.0

    def complement(self, penalty: float) -> tuple[np.ndarray, float]:
        """Return weights w (axis,) and c, 0 or 1, of I - H = c (I - 1 1ᵀ / n) + Z w Zᵀ at a penalty.

        Plainly w = -1 / (D + λ) and c = 1. Where the axes span every centred response, (I - 1 1ᵀ / n) = Z D^-1 Zᵀ and
        w = λ / (D (D + λ)), c = 0, which keeps all digits however small λ is. At λ = 0 nothing of it is left there; w
        is then of the limit of (I - H) / λ, times the smallest eigenvalue: residuals of rows left out, which is all
        that it serves for, do not depend on a factor.
        """
        if self.interpolates and penalty == 0:
            return self.eigenvalues.min(initial=np.inf) / self.eigenvalues**2, 0.0
        if self.interpolates:
            return penalty / (self.eigenvalues * (self.eigenvalues + penalty)), 0.0
        return -1.0 / (self.eigenvalues + penalty), 1.0

    def first(self, axes: int) -> "Spectrum":
        """Return the spectrum of the first principal components of the training features: the largest eigenvalues.

        With fewer than all of them the axes no longer span every centred response.
        """
        kept = np.argsort(-self.eigenvalues, kind="stable")[:axes]
        eigenvalues = self.eigenvalues[kept]
        return Spectrum(
            self.scores[:, kept],
            eigenvalues,
            self.test_scores[:, kept],
            float(eigenvalues.sum()),
            min(self.rank, axes),
            self.interpolates and len(kept) == len(self.eigenvalues),
            self.centred,
        )


class Space(Protocol):
    """Features of all samples, factorised for any training set."""

    @property
    def trace(self) -> float:
        """Sum of the squares of the features of all samples, centred."""
        ...

    @property
    def gram(self) -> np.ndarray:
        """X Xᵀ of the features of all samples, centred (sample, sample)."""
        ...

    def spectrum(self, train: np.ndarray, test: np.ndarray) -> Spectrum:
        """Factorise the training rows; exact for penalties above GRAM_LIMIT * largest."""
        ...

    def exact_spectrum(self, train: np.ndarray, test: np.ndarray) -> Spectrum:
        """Factorise the training rows as exactly as can be."""
        ...


class FeatureSpace:
    """Features of all samples, factorised for any training set.

    Parameters
    ----------
    features : (sample, width). Held in float64, with columns that never vary set to 0, and centred: where means are
        large, centring training rows alone would leave rounding that a fit could take for signal.
    centred : False takes features as they are, for fits without an intercept.
    """

    def __init__(self, features: np.ndarray, centred: bool = True) -> None:
        self.centred = centred
        self.features = _centred(features.astype(np.float64)) if centred else features.astype(np.float64)

    @cached_property
    def trace(self) -> float:
        """Sum of the squares of the features of all samples, centred."""
        return float(np.einsum("ij,ij->", self.features, self.features))

    @cached_property
    def gram(self) -> np.ndarray:
        """X Xᵀ of all samples (sample, sample), made once where a training set is smaller than the width."""
        return np.asarray(self.features @ self.features.T)

    def spectrum(self, train: np.ndarray, test: np.ndarray) -> Spectrum:
        """Factorise the smaller Gram matrix of the training rows; exact for penalties above GRAM_LIMIT * largest."""
        if self.features.shape[1] < len(train):
            return self._primal(train, test)
        return _of_gram(self.gram, train, test, self.centred)

    def exact_spectrum(self, train: np.ndarray, test: np.ndarray) -> Spectrum:
        """Factorise the training features themselves; singular values under max(n, p) * eps * largest are cut.

        Where there are more features than rows, of Xᵀ = Q R first, and then R by an SVD, which is as exact as an SVD
        of X and much faster.
        """
        x, x_test = self._split(train, test)
        total = float(np.sum(x**2))
        shape = x.shape
        with _suited_threads(min(shape)):
            if shape[1] > shape[0]:
                basis, triangle = np.linalg.qr(x.T)
                x, x_test = triangle.T, x_test @ basis
            left, singular, right = np.linalg.svd(x, full_matrices=False)
        kept = singular > max(shape) * EPSILON * singular.max(initial=0.0)
        singular = singular[kept]
        scores, axes = left[:, kept] * singular, right[kept].T
        rank = int(kept.sum())
        full = rank == len(train) - self.centred
        return Spectrum(scores, singular**2, x_test @ axes, total, rank, full, self.centred)

    def _split(self, train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x = self.features[train]
        if not self.centred:
            return x, self.features[test]
        return _centred(x), self.features[test] - x.mean(axis=0)

    def _primal(self, train: np.ndarray, test: np.ndarray) -> Spectrum:
        x, x_test = self._split(train, test)
        eigenvalues, axes = _eigh(x.T @ x)  # (width,), (width, width)
        kept, rank = _kept(eigenvalues, max(x.shape))
        axes = axes[:, kept]
        total = float(np.sum(x**2))
        return Spectrum(x @ axes, eigenvalues[kept], x_test @ axes, total, rank, centred=self.centred)


class GramSpace:
    """A feature space known by its Gram matrix alone: a sum of spaces, or a non-linear map.

    Parameters
    ----------
    gram : (sample, sample) float64, symmetric and positive semi-definite; it need not be centred.
    """

    def __init__(self, gram: np.ndarray) -> None:
        self.gram = _twice_centred(gram)

    @property
    def trace(self) -> float:
        """Sum of the squares of the features of all samples, centred."""
        return float(np.trace(self.gram))

    def spectrum(self, train: np.ndarray, test: np.ndarray) -> Spectrum:
        """Factorise the Gram matrix of the training rows; exact for penalties above GRAM_LIMIT * largest."""
        return _of_gram(self.gram, train, test)

    def exact_spectrum(self, train: np.ndarray, test: np.ndarray) -> Spectrum:
        """The same with eigenvalues under n * eps * largest cut: all that a Gram matrix can tell."""
        return _cut(_of_gram(self.gram, train, test))


def least_squares(space: Space, train: np.ndarray, test: np.ndarray) -> Spectrum:
    """Factorise the training rows for a fit without penalty: by a Gram matrix where that tells r to 1e-6.

    It does where the eigenvalues that are not cut, those over n * eps * largest, are all above CONDITION_LIMIT times
    the largest. Otherwise the features themselves are factorised.
    """
    found = _cut(space.spectrum(train, test))
    return found if found.is_conditioned else space.exact_spectrum(train, test)


def _of_gram(gram: np.ndarray, train: np.ndarray, test: np.ndarray, centred: bool = True) -> Spectrum:
    k, between = gram[np.ix_(train, train)], gram[np.ix_(test, train)]
    if centred:
        size, mean = np.trace(k), k.mean(axis=0)
        k = k - mean - mean[:, None] + mean.mean()
        if np.trace(k) <= len(train) * EPSILON * size:
            k = np.zeros_like(k)  # nothing but rounding: no feature varies in these rows
        between = between - between.mean(axis=1, keepdims=True) - mean + mean.mean()
    eigenvalues, left = _eigh(k)
    kept, rank = _kept(eigenvalues, len(train))
    singular, left = np.sqrt(eigenvalues[kept]), left[:, kept]
    test_scores, trace = between @ (left / singular), float(np.trace(k))
    return Spectrum(left * singular, eigenvalues[kept], test_scores, trace, rank, centred=centred)


def _cut(found: Spectrum) -> Spectrum:
    """Return a spectrum of a Gram matrix without the eigenvalues that do not count towards the rank."""
    kept = np.sort(np.argsort(found.eigenvalues)[len(found.eigenvalues) - found.rank :])
    full = found.rank == len(found.scores) - found.centred
    scores, test_scores = found.scores[:, kept], found.test_scores[:, kept]
    return Spectrum(scores, found.eigenvalues[kept], test_scores, found.trace, found.rank, full, found.centred)


def _twice_centred(gram: np.ndarray) -> np.ndarray:
    """Return the Gram matrix of the centred features."""
    mean = gram.mean(axis=0)
    return np.asarray(gram - mean - mean[:, None] + mean.mean())


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


def _eigh(gram: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    with _suited_threads(len(gram)):
        eigenvalues, axes = np.linalg.eigh(gram)
    return eigenvalues, axes


@contextmanager
def _suited_threads(rows: int) -> Iterator[None]:
    """Let the linear algebra library use one thread for a small factorisation."""
    if rows > ONE_THREAD:
        yield
        return
    with _libraries().limit(limits=1):
        yield


@cache
def _libraries() -> Any:
    return ThreadpoolController().select(user_api="blas")
