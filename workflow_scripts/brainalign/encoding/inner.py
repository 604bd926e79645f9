"""Held-out residuals of a training set's inner folds, in pieces that fit in memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from brainalign.encoding.ridge import (
    IDENTITY_LIMIT,
    BlockInverse,
    block_inverses,
    block_residuals,
    leave_one_out_residuals,
    residuals_of_tests,
    smallest_share,
)
from brainalign.encoding.spectrum import GRAM_LIMIT, FeatureSpace, Space, Spectrum, least_squares
from brainalign.free_memory import within_free_memory

INVERSE_BYTES = 128 * 2**20  # of inverses at once, at most: inner folds are taken in groups that fit
REFIT_BYTES = 512 * 2**20  # of refitted inner folds that are kept for further neuroids, at most
RESIDUAL_BYTES = 32 * 2**20  # of residuals at once: neuroids are taken in batches that fit

Piece = tuple[slice, slice, np.ndarray]


@dataclass(frozen=True)
class InnerFolds:
    """The inner folds of one training set; their residuals come from the identity or from refits.

    Parameters
    ----------
    space : features of all samples.
    train : row numbers of the training samples, sorted so that each inner fold is one slice.
    blocks : consecutive slices of `train`, one for each inner fold, together all of it.
    single_rows : whether the blocks are rows left out one by one.
    spectrum : of the training rows.
    penalties : (penalty,), scaled.
    dropped : for each block, positions in `train` that are left out with it and not predicted; empty without a gap.
    components : of the training rows, fitted to all of them and held through the inner folds; None keeps the features.
    """

    space: Space
    train: np.ndarray
    blocks: tuple[slice, ...]
    single_rows: bool
    spectrum: Spectrum
    penalties: np.ndarray
    components: int | None = None
    dropped: tuple[np.ndarray, ...] = ()

    def residuals(self, y: np.ndarray, number: int | None = None) -> Iterator[Piece]:
        """Yield held-out residuals: rows of `train`, columns of y, and (row, penalty, neuroid) of these.

        Parameters
        ----------
        y : (train, neuroid).
        number : of the one penalty to try; all of them unless given.
        """
        tried = slice(None) if number is None else slice(number, number + 1)
        if self.by_refits:
            yield from self._refitted(y, self.penalties[tried])
        elif self.single_rows and not self.dropped:
            for columns in _batches(y.shape[1], (len(y) + self._axes) * len(self.penalties[tried])):
                residuals = leave_one_out_residuals(self.spectrum, y[:, columns], self.penalties[tried])
                yield slice(0, len(y)), columns, residuals
        else:
            yield from self._identity(y, tried)

    @cached_property
    def by_refits(self) -> bool:
        """Whether inner folds are refitted, since the identity would not be exact, or take longer.

        It is not exact where penalties are so small that some rows alone determine a direction, be it of the features
        or of their components; it takes longer where axes are much fewer than the rows of a block, or rows are dropped
        around blocks of many rows, since the identity needs the fitted values of all rows then.
        """
        if self.dropped and not self.single_rows:
            return True
        if 2 * self._axes < min((block.stop - block.start for block in self.blocks), default=0):
            return True
        smallest = float(self.penalties.min())
        if smallest >= GRAM_LIMIT * self.spectrum.largest and smallest > 0:
            return False
        if self.spectrum.interpolates and (smallest > 0 or self.spectrum.is_conditioned):
            return False
        return smallest_share(self.spectrum, smallest, self._left_out) < IDENTITY_LIMIT

    def training_means(self, y: np.ndarray) -> np.ndarray:
        """Return the mean of the rows that train each row's inner fold, (row, neuroid); 0 without an intercept.

        Parameters
        ----------
        y : (train, neuroid).
        """
        if not self.spectrum.centred:
            return np.zeros_like(y)
        lengths = np.array([block.stop - block.start for block in self.blocks])
        left_out = np.add.reduceat(y, [block.start for block in self.blocks], axis=0)  # sums, (block, neuroid)
        for number, near in enumerate(self.dropped):
            left_out[number] += y[near].sum(axis=0)
        rest = len(y) - lengths - np.array([len(near) for near in self.dropped] or [0])
        return np.repeat((y.sum(axis=0) - left_out) / rest[:, None], lengths, axis=0)

    @cached_property
    def _left_out(self) -> Sequence[slice | np.ndarray]:
        """What each inner fold leaves out: its block, and the rows that are dropped with it."""
        if not self.dropped:
            return self.blocks
        own = [np.arange(block.start, block.stop) for block in self.blocks]
        return [np.concatenate(both) for both in zip(own, self.dropped, strict=True)]

    @property
    def _axes(self) -> int:
        return len(self.spectrum.eigenvalues)

    def _identity(self, y: np.ndarray, tried: slice) -> Iterator[Piece]:
        penalties = self.penalties[tried]
        for group in self._groups:
            blocks, left_out = self.blocks[group], self._left_out[group] if self.dropped else ()
            inverses = self._inverses(group, tried)
            rows = slice(blocks[0].start, blocks[-1].stop)
            size = len(y) if self.dropped else rows.stop - rows.start
            for columns in _batches(y.shape[1], (size + self._axes) * len(penalties)):
                found = block_residuals(self.spectrum, y[:, columns], penalties, blocks, inverses, left_out)
                yield rows, columns, found

    @cached_property
    def _groups(self) -> list[slice]:
        """Numbers of blocks, in groups whose inverses fit in memory."""
        starts: list[int] = []
        room = 0
        for number, block in enumerate(self.blocks):
            rows = block.stop - block.start + (len(self.dropped[number]) if self.dropped else 0)
            needed = 8 * len(self.penalties) * rows * min(rows, self._axes + 1)
            if not starts or needed > room:
                starts.append(number)
                room = within_free_memory(INVERSE_BYTES)
            room -= needed
        return [slice(*ends) for ends in pairwise([*starts, len(self.blocks)])]

    def _inverses(self, group: slice, tried: slice) -> list[BlockInverse]:
        if len(self._groups) == 1:
            return [inverse[tried] for inverse in self._all_inverses]
        return self._make_inverses(group, tried)

    @cached_property
    def _all_inverses(self) -> list[BlockInverse]:
        return self._make_inverses(slice(None), slice(None))

    def _make_inverses(self, group: slice, tried: slice) -> list[BlockInverse]:
        found = block_inverses(self.spectrum, self.penalties[tried], self._left_out[group])
        if not self.dropped:
            return found
        lengths = [block.stop - block.start for block in self.blocks[group]]
        return [inverse.first(length) for inverse, length in zip(found, lengths, strict=True)]

    def _refitted(self, y: np.ndarray, penalties: np.ndarray) -> Iterator[Piece]:
        for number, block in enumerate(self.blocks):
            rest, spectrum = self._refit(number)
            size = block.stop - block.start
            for columns in _batches(y.shape[1], (size + len(spectrum.eigenvalues)) * len(penalties)):
                yield block, columns, residuals_of_tests(spectrum, y[rest, columns], y[block, columns], penalties)

    def _refit(self, number: int) -> tuple[np.ndarray, Spectrum]:
        """Return the rows that train an inner fold, positions in `train`, and their spectrum."""
        if number not in self._kept:
            refit = self._make_refit(number)
            if 8 * len(self.blocks) * refit[1].scores.size > within_free_memory(REFIT_BYTES):
                return refit
            self._kept[number] = refit
        return self._kept[number]

    @cached_property
    def _kept(self) -> dict[int, tuple[np.ndarray, Spectrum]]:
        return {}

    def _make_refit(self, number: int) -> tuple[np.ndarray, Spectrum]:
        block = self.blocks[number]
        left_out = np.arange(block.start, block.stop)
        if self.dropped:
            left_out = np.concatenate([left_out, self.dropped[number]])
        rest = np.delete(np.arange(len(self.train)), left_out)
        if self.components is not None:
            held = FeatureSpace(self.spectrum.scores, self.spectrum.centred)  # components of all training rows
            return rest, held.exact_spectrum(rest, np.arange(len(self.train))[block])
        train, test, smallest = self.train[rest], self.train[block], float(self.penalties.min())
        if smallest == 0:
            return rest, least_squares(self.space, train, test)
        spectrum = self.space.spectrum(train, test)
        exact = smallest >= GRAM_LIMIT * spectrum.largest
        return rest, spectrum if exact else self.space.exact_spectrum(train, test)


def _batches(n_neuroids: int, rows: int) -> list[slice]:
    size = max(1, RESIDUAL_BYTES // (8 * rows))
    return [slice(start, min(start + size, n_neuroids)) for start in range(0, n_neuroids, size)]
