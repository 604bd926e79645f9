"""C = I - H of all samples at one penalty, and the inverses of its blocks: what nested cross-validation multiplies."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from brainalign.encoding.places import Array, joined
from brainalign.encoding.spectrum import Spectrum
from brainalign.encoding.threads import Threads, batches, kept_property
from brainalign.free_memory import within_free_memory

Inverse = tuple[Array, Array | None]
FACTORS = 5  # times n × n: what a candidate's factors hold, C and the inverses in float64 and float32
KEPT_BYTES = 256 * 2**20  # of factors that are kept, at most; more are made when wanted
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

    @kept_property
    def exact(self) -> "Factors":
        """The factors in float64."""
        return Factors(self.spectrum, self.penalty, self.blocks, self.pairs)

    @kept_property
    def _rounded(self) -> "Factors":
        copy = self.exact.through(_single)
        copy.dtype = np.dtype(np.float32)
        return copy

    def factors(self, dtype: np.dtype) -> "Factors":
        """The factors in the precision of the responses, or in float64 where float32 would not do."""
        if dtype == np.float64 or self.exact.growth > FLOAT32_LIMIT:
            return self.exact
        return self._rounded

    def forget(self) -> None:
        """Free the factors, unless they are to be kept."""
        if not self.keeps:
            for name in ("exact", "_rounded"):
                self.__dict__.pop(name, None)


def with_inverses(candidates: Sequence[Candidate], *of: str) -> Iterator[Candidate]:
    """Yield candidates whose inverses are made, "of_pairs", "of_blocks" or both.

    As many candidates as there are threads, and memory for their factors, are made ready side by side, each on one
    thread: one after the other their small matrices would leave threads idle, or in each other's way.
    """
    if not candidates:
        return
    threads = Threads()
    at_once = min(threads.count, factors_at_once(len(candidates[0].spectrum.scores)))

    def work(part: slice) -> None:
        for candidate in candidates[part]:
            for name in of:
                getattr(candidate.exact, name)

    for some in batches(len(candidates), at_once):
        if at_once > 1:
            with threads.pool() as side_by_side:
                side_by_side(work, [slice(number, number + 1) for number in range(some.start, some.stop)])
        yield from candidates[some]


def factors_at_once(samples: int) -> int:
    """Return of how many candidates the factors may be held at a time, at least 1."""
    return max(1, _with_room(samples))


def keeps_factors(samples: int, candidates: int) -> bool:
    """Tell whether the factors of all candidates fit in the memory that they may take."""
    return candidates <= _with_room(samples)


def _with_room(samples: int) -> int:
    return within_free_memory(KEPT_BYTES) // (FACTORS * 8 * samples**2)


class Factors:
    """C and the inverses of its blocks at one penalty, in one precision and place; made in float64 by NumPy.

    Inverses are made when they are first asked for, which is not to be in several threads at once.
    """

    def __init__(
        self, spectrum: Spectrum, penalty: float, blocks: Sequence[slice], pairs: Sequence[tuple[int, int]]
    ) -> None:
        n = len(spectrum.scores)
        weights, self.rest = spectrum.complement(penalty)
        self.blocks, self.pairs = blocks, pairs
        self.scores, self.dtype, self.complement = spectrum.scores, spectrum.scores.dtype, None
        if 2 * self.scores.shape[1] < n:
            self.weighted = self.scores * weights
        else:
            self.complement = self._dense(weights)

    @kept_property
    def of_pairs(self) -> list[Inverse]:
        """Of the rows of two blocks, for each pair."""
        return [self._inverse([self.blocks[number] for number in pair]) for pair in self.pairs]

    @kept_property
    def of_blocks(self) -> list[Inverse]:
        """Of the rows of each block."""
        return [self._inverse([block]) for block in self.blocks]

    @kept_property
    def growth(self) -> float:
        """The largest norm of the inverses of pairs, whose 2-norms are at least those of their blocks."""
        return max((float(np.abs(core).sum(axis=1).max()) for core, _ in self.of_pairs or self.of_blocks), default=1.0)

    def _dense(self, weights: np.ndarray) -> np.ndarray:
        """Return C; the weights have one sign, below 0 where C is what they take from the identity."""
        scaled = self.scores * np.sqrt(np.abs(weights))
        dense = scaled @ scaled.T  # half as much work as of two different matrices
        if self.rest:
            n = len(dense)
            np.negative(dense, out=dense)
            dense -= 1.0 / n
            dense[np.diag_indices(n)] += 1.0
        return np.asarray(dense)

    def _inverse(self, rows: list[slice]) -> Inverse:
        """Return (C_BB)^-1, or the core and A of I + A core Aᵀ where axes are fewer than rows (Woodbury)."""
        n, size = len(self.scores), sum(block.stop - block.start for block in rows)
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

    @kept_property
    def _weights(self) -> np.ndarray:
        squares = np.einsum("ij,ij->j", self.scores, self.scores)
        products = np.einsum("ij,ij->j", self.scores, self.weighted)
        return np.asarray(products / np.where(squares > 0, squares, 1.0))

    def through(self, each: Callable[[np.ndarray], Array]) -> "Factors":
        """Return the same with every array put through a function: rounded, or held at another place."""
        return _Copy(self, each)

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


class _Copy(Factors):
    """Factors whose arrays are those of others, put through a function; inverses when they are asked for."""

    def __init__(self, source: Factors, each: Callable[[np.ndarray], Array]) -> None:
        self._source, self._each = source, each
        self.rest, self.blocks, self.pairs, self.dtype = source.rest, source.blocks, source.pairs, source.dtype
        self.complement = None
        if source.complement is None:
            self.scores, self.weighted = each(source.scores), each(source.weighted)
        else:
            self.complement = each(source.complement)

    @kept_property
    def of_pairs(self) -> list[Inverse]:
        return self._through(self._source.of_pairs)

    @kept_property
    def of_blocks(self) -> list[Inverse]:
        return self._through(self._source.of_blocks)

    @kept_property
    def growth(self) -> float:
        return self._source.growth

    def _through(self, inverses: list[Inverse]) -> list[Inverse]:
        return [(self._each(core), None if left is None else self._each(left)) for core, left in inverses]


def _single(values: np.ndarray) -> np.ndarray:
    return np.asarray(values.astype(np.float32))


def _times(inverse: Inverse, residuals: Array) -> Array:
    core, left = inverse
    if left is None:
        return core @ residuals
    return residuals + left @ (core @ (left.T @ residuals))
