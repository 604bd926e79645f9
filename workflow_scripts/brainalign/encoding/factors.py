"""C = I - H of all samples at one penalty, and the inverses of its blocks: what nested cross-validation multiplies."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import numpy as np

from brainalign.encoding.places import Array, joined
from brainalign.encoding.spectrum import Spectrum

FLOAT32_LIMIT = 24.0  # of the norm of (C_BB)^-1, by which rounding of C y grows


class Candidate:
    """One space at one penalty: C of all samples, and the inverses of its blocks.

    Parameters
    ----------
    spectrum : of all samples.
    blocks : slices of the samples, one for each fold.
    pairs : of the folds that are also left out together.
    keeps : whether factors are kept until the candidate is gone, or made again each time they are wanted.
    """

    def __init__(
        self,
        spectrum: Spectrum,
        penalty: float,
        blocks: Sequence[slice],
        pairs: Sequence[tuple[int, int]],
        keeps: bool = False,
    ) -> None:
        self.spectrum, self.penalty, self.blocks, self.pairs, self.keeps = spectrum, penalty, blocks, pairs, keeps

    @cached_property
    def exact(self) -> "Factors":
        """The factors in float64."""
        return Factors(self.spectrum, self.penalty, self.blocks, self.pairs)

    def factors(self, dtype: np.dtype) -> "Factors":
        """The factors in the precision of the responses, or in float64 where float32 would not do."""
        if dtype == np.float64 or self.exact.growth > FLOAT32_LIMIT:
            return self.exact
        return self.exact.rounded

    def forget(self) -> None:
        """Free the factors, unless they are to be kept."""
        if not self.keeps:
            self.__dict__.pop("exact", None)


class Factors:
    """C and the inverses of its blocks at one penalty, in one precision and place; made in float64 by NumPy."""

    def __init__(
        self, spectrum: Spectrum, penalty: float, blocks: Sequence[slice], pairs: Sequence[tuple[int, int]]
    ) -> None:
        n = len(spectrum.scores)
        weights, self.rest = spectrum.complement(penalty)
        self.blocks, self.pairs = blocks, pairs
        self.scores, self.weighted = spectrum.scores, spectrum.scores * weights
        self.dtype = self.scores.dtype
        self.complement = None if 2 * self.scores.shape[1] < n else self._dense(n)
        self.of_pairs = [self._inverse([blocks[number] for number in pair], n) for pair in pairs]
        self.of_blocks = [self._inverse([block], n) for block in blocks]
        cores = [core for core, _ in (*self.of_pairs, *self.of_blocks)]
        self.growth = max((float(np.abs(core).sum(axis=1).max()) for core in cores), default=1.0)

    def _dense(self, n: int) -> np.ndarray:
        dense = self.weighted @ self.scores.T
        if self.rest:
            dense -= 1.0 / n
            dense[np.diag_indices(n)] += 1.0
        del self.weighted  # as large as what was made of it
        return np.asarray(dense)

    def _inverse(self, rows: list[slice], n: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Return (C_BB)^-1, or the core and A of I + A core Aᵀ where axes are fewer than rows (Woodbury)."""
        size = sum(block.stop - block.start for block in rows)
        if self.complement is not None:
            held = np.concatenate([np.arange(block.start, block.stop) for block in rows])
            return np.linalg.inv(self.complement[held[:, None], held]), None
        z = np.concatenate([self.scores[block] for block in rows])
        weighted = np.concatenate([self.weighted[block] for block in rows])
        if not self.rest or z.shape[1] + 1 >= size:
            return np.linalg.inv(weighted @ z.T + self.rest * (np.eye(size) - 1.0 / n)), None
        scaled = z * np.sqrt(np.maximum(-self._weights, 0.0))
        left = np.concatenate([np.full((size, 1), np.sqrt(1.0 / n)), scaled], axis=1)
        return np.linalg.inv(np.eye(left.shape[1]) - left.T @ left), left

    @cached_property
    def _weights(self) -> np.ndarray:
        squares = np.einsum("ij,ij->j", self.scores, self.scores)
        products = np.einsum("ij,ij->j", self.scores, self.weighted)
        return np.asarray(products / np.where(squares > 0, squares, 1.0))

    @cached_property
    def rounded(self) -> "Factors":
        """The same in float32."""
        copy = self.through(_single)
        copy.dtype = np.dtype(np.float32)
        return copy

    def through(self, each: Callable[[np.ndarray], Array]) -> "Factors":
        """Return the same with every array put through a function: rounded, or held at another place."""
        copy = object.__new__(Factors)
        copy.rest, copy.blocks, copy.pairs, copy.growth = self.rest, self.blocks, self.pairs, self.growth
        copy.dtype, copy.complement = self.dtype, None
        if self.complement is None:
            copy.scores, copy.weighted = each(self.scores), each(self.weighted)
        else:
            copy.complement = each(self.complement)
        for name in ("of_pairs", "of_blocks"):
            pieces = [(each(core), None if left is None else each(left)) for core, left in getattr(self, name)]
            setattr(copy, name, pieces)
        return copy

    def fitted_residuals(self, y: Array) -> Array:
        """Return C y (sample, neuroid)."""
        if self.complement is not None:
            return self.complement @ y
        found = self.weighted @ (self.scores.T @ y)
        if self.rest:
            found += y
            found -= y.mean(axis=0)
        return found

    def pair_residuals(self, residuals: Array) -> Iterator[tuple[int, int, Array]]:
        """Yield i, j and the residuals of i's rows and under these of j's rows, predicted by all rows outside both."""
        for (first, second), inverse in zip(self.pairs, self.of_pairs, strict=True):
            one, other = self.blocks[first], self.blocks[second]
            are_neighbours = one.stop == other.start  # whose rows need no copy
            both = residuals[one.start : other.stop] if are_neighbours else joined([residuals[one], residuals[other]])
            yield first, second, _times(inverse, both)

    def block_residuals(self, residuals: Array, number: int) -> Array:
        """Return the residuals of a block's rows, predicted by all rows outside it."""
        return _times(self.of_blocks[number], residuals[self.blocks[number]])


def _single(values: np.ndarray) -> np.ndarray:
    return np.asarray(values.astype(np.float32))


def _times(inverse: tuple[Array, Array | None], residuals: Array) -> Array:
    core, left = inverse
    if left is None:
        return core @ residuals
    return residuals + left @ (core @ (left.T @ residuals))
