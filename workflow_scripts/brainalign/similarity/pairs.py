"""Similarities that are a correlation, or a cosine, of two matrices over pairs of samples.

Each is computed on one or more sets of samples and averaged over them. In a bootstrap draw pairs are counted anew
(see `groups`), while ranks and centred Gram matrices are those of all samples of the set, held fixed.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brainalign.similarity.dissimilarity import FEWEST_UNITS, UndefinedError, average_ranks, dissimilarities
from brainalign.similarity.groups import Groups
from brainalign.similarity.settings import SimilaritySettings

SMALLEST = 1e-12  # a variance below this share of the sum of squares is rounding


@dataclass(frozen=True)
class Representation:
    """Features or responses as a metric compares them.

    Parameters
    ----------
    base : what the matrices of all sets are made of; or, where there is one set, its matrix.
    sums, squares : (set, 1 + draw), the sum of the matrix's entries over pairs, and of their squares.
    distance : of the dissimilarities; empty where there are none.
    """

    base: Any
    sums: np.ndarray
    squares: np.ndarray
    distance: str = ""


class PairMetric(ABC):
    """A similarity over pairs: what both metrics of this kind share.

    Parameters
    ----------
    groups : of the samples.
    sets : (sample,) bool for each set of samples; one set of all samples, or a split's test samples.
    pairs : for each set (sample, sample) bool, the pairs that count.
    centred : compare by Pearson's r over pairs; otherwise by the cosine.
    """

    def __init__(self, groups: Groups, sets: Sequence[np.ndarray], pairs: Sequence[np.ndarray], centred: bool) -> None:
        self.groups = groups
        self._sets = sets
        self._centred = centred
        self._pairs = np.stack([groups.weighted(groups.block_sums(own.astype(np.float64))) for own in pairs])

    def represent(self, values: np.ndarray, what: str) -> Representation:
        """Return features or responses (sample, unit) as they are compared.

        Raises
        ------
        UndefinedError : where the metric is not defined for them.
        """
        base, distance = self._base(values, what)
        sums, squares = [], []
        for number in range(len(self._sets)):
            matrix = self._matrix(base, number, what)
            sums.append(self.groups.weighted(self.groups.block_sums(matrix)))
            squares.append(self.groups.weighted(self.groups.block_sums(matrix**2)))
        single = len(self._sets) == 1
        return Representation(matrix if single else base, np.stack(sums), np.stack(squares), distance)

    def compare(self, features: Representation, responses: Sequence[Representation]) -> np.ndarray:
        """Return the similarity of features to each responses, NaN in draws where it is not defined.

        Returns
        -------
        (response, 1 + draw), the first column of the data as they are.
        """
        result = np.zeros((len(responses), len(self.groups.counts)))
        for number in range(len(self._sets)):
            mine = self._ready(features, number)
            for index, other in enumerate(responses):
                products = self.groups.weighted(self.groups.block_sums(mine * self._ready(other, number)))
                result[index] += self._coefficient(products, features, other, number)
        return result / len(self._sets)

    def _ready(self, representation: Representation, number: int) -> np.ndarray:
        single = len(self._sets) == 1
        return np.asarray(representation.base) if single else self._matrix(representation.base, number, "")

    def _coefficient(
        self, products: np.ndarray, features: Representation, responses: Representation, number: int
    ) -> np.ndarray:
        squares = (features.squares[number], responses.squares[number])
        if not self._centred:
            return _ratio(products, *squares, squares)
        pairs = np.maximum(self._pairs[number], 1.0)
        x, y = features.sums[number], responses.sums[number]
        return _ratio(products - x * y / pairs, squares[0] - x**2 / pairs, squares[1] - y**2 / pairs, squares)

    @abstractmethod
    def _base(self, values: np.ndarray, what: str) -> tuple[Any, str]:
        """Return what the matrices of all sets are made of, and the distance that was taken, if any."""

    @abstractmethod
    def _matrix(self, base: Any, number: int, what: str) -> np.ndarray:
        """Return the matrix of one set (sample, sample): 0 where a pair does not count."""


class RankedDissimilarities(PairMetric):
    """Representational similarity analysis: the correlation of dissimilarities over pairs of samples.

    Spearman's rho (or Pearson's r) of d(x_i, x_j) and d(y_i, y_j) over pairs i < j, where d is a distance between two
    samples over units (Kriegeskorte, Mur & Bandettini 2008, doi:10.3389/neuro.06.004.2008).

    controlled    over pairs of different groups. Neighbours in a text or in time are alike in features and in noise,
                  so pairs within a group correlate without any relation. Features of too few units for the distance
                  (a null of one number) are compared by Euclidean distance, which `Representation.distance` tells.
    as-published  over all pairs of a split's test samples, averaged over splits.
    """

    def __init__(self, groups: Groups, sets: Sequence[np.ndarray], settings: SimilaritySettings) -> None:
        self._settings = settings
        self._controlled = settings.kind == "controlled"
        self._fewest_groups = 3 if self._controlled else 1
        upper = np.triu(~groups.within if self._controlled else np.ones_like(groups.within), k=1)
        self._first, self._second = (side.astype(np.int32) for side in np.nonzero(upper))
        super().__init__(groups, sets, [upper & own & own[:, None] for own in sets], centred=True)

    def _base(self, values: np.ndarray, what: str) -> tuple[Any, str]:
        refuse_few_groups(self.groups, self._fewest_groups, "RSA over pairs of different groups")
        distance = self._settings.distance
        if self._controlled and what == "features" and values.shape[1] < FEWEST_UNITS[distance]:
            distance = "euclidean"
        found = dissimilarities(values, distance, what)[self._first, self._second]
        order = np.argsort(found, kind="stable")
        return (self._first[order], self._second[order], found[order]), distance

    def _matrix(self, base: Any, number: int, what: str) -> np.ndarray:
        first, second, ordered = base
        own = self._sets[number]
        if not own.all():
            kept = own[first] & own[second]
            first, second, ordered = first[kept], second[kept], ordered[kept]
        if not len(ordered) or ordered[0] == ordered[-1]:
            raise UndefinedError(f"all pairs of samples are equally dissimilar in the {what}")
        compared = average_ranks(ordered) if self._settings.compare == "spearman" else ordered
        matrix = np.zeros(self.groups.within.shape)
        matrix[first, second] = (compared - compared.mean()) / compared.std()
        return matrix


class CentredGrams(PairMetric):
    """Plain linear centred kernel alignment (Kornblith et al. 2019), averaged over sets of samples.

    tr(K' L') / sqrt(tr(K' K') tr(L' L')) with K' = H X X^T H, L' = H Y Y^T H, H = I - 1/n. Centred by row means, so
    that it costs n^2 operations. All entries count, those of a sample with itself too, as published; that is why
    unrelated matrices with more units than samples come near 1.
    """

    def __init__(self, groups: Groups, sets: Sequence[np.ndarray]) -> None:
        super().__init__(groups, sets, [own & own[:, None] for own in sets], centred=False)

    def _base(self, values: np.ndarray, what: str) -> tuple[Any, str]:
        return gram(values, what), ""

    def _matrix(self, base: Any, number: int, what: str) -> np.ndarray:
        own = self._sets[number]
        rows = np.flatnonzero(own)
        inside = base[np.ix_(rows, rows)]
        means = inside.mean(axis=0)
        inside = inside - means - means[:, None] + means.mean()
        if np.diag(inside).sum() <= SMALLEST * np.diag(base).sum():
            raise UndefinedError(f"the {what} are the same for all samples of a set")
        matrix = np.zeros_like(base)
        matrix[np.ix_(rows, rows)] = inside
        return np.asarray(matrix)


def gram(values: np.ndarray, what: str) -> np.ndarray:
    """Return the Gram matrix of centred columns, its mean diagonal entry 1: (sample, unit) -> (sample, sample).

    Raises
    ------
    UndefinedError : no column varies.
    """
    x = np.asarray(values, dtype=np.float64)
    largest = np.abs(x).max(initial=0.0)
    x = x - x.mean(axis=0)
    if np.abs(x).max(initial=0.0) <= SMALLEST * largest:
        raise UndefinedError(f"the {what} are the same for all samples")
    result = x @ x.T
    return np.asarray(result / np.diag(result).mean())


def refuse_few_groups(groups: Groups, fewest: int, what: str) -> None:
    """Raise UndefinedError where there are fewer groups than a statistic needs."""
    if len(groups) < fewest:
        raise UndefinedError(f"there are {len(groups)} groups, but {what} needs {fewest}")


def _ratio(
    product: np.ndarray, square_x: np.ndarray, square_y: np.ndarray, scales: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Return product / sqrt(square_x square_y), NaN where a square is no more than rounding."""
    defined = (square_x > SMALLEST * scales[0]) & (square_y > SMALLEST * scales[1])
    safe = np.where(defined, square_x * square_y, 1.0)
    return np.asarray(np.where(defined, product / np.sqrt(safe), np.nan))
