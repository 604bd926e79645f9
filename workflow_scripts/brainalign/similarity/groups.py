"""Groups of samples, and sums over pairs of samples in every bootstrap draw of groups.

A draw takes groups with replacement, as many as there are. A group that is drawn w times stands in the sample w times,
and pairs between two of its copies are left out: they would be pairs of a group with itself. So a pair of samples of
groups a != b counts w_a w_b times, and a pair within group a counts w_a times. Whatever is a sum over pairs of samples
is then a quadratic form in w of the sums over pairs of groups, and a thousand draws cost one small matrix product.

The draws depend on the groups' names and the seed alone, so all feature spaces of a data set share them.
"""

import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np


@dataclass(frozen=True)
class Groups:
    """Samples in the order of their groups, and how often each draw takes each group.

    Parameters
    ----------
    order : (sample,), the row of the table that each ordered sample is; table order within a group.
    index : (sample,), the group of each ordered sample, rising.
    counts : (1 + draw, group), how often a group is drawn; the first row is all ones: the data as they are.
    """

    order: np.ndarray
    index: np.ndarray
    counts: np.ndarray

    @classmethod
    def from_labels(cls, labels: np.ndarray, draws: int, seed: int) -> Self:
        """Order samples by their groups' labels (sample,), and draw groups."""
        names, index = np.unique(np.asarray(labels).astype(str), return_inverse=True)
        order = np.argsort(index, kind="stable")
        random = np.random.default_rng([seed, zlib.crc32("\0".join(names.tolist()).encode())])
        drawn = random.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
        counts = np.concatenate([np.ones((1, len(names))), drawn])
        return cls(order, index[order], counts)

    def __len__(self) -> int:
        return int(self.counts.shape[1])

    @cached_property
    def sizes(self) -> np.ndarray:
        """Samples of each group (group,)."""
        return np.bincount(self.index)

    @cached_property
    def within(self) -> np.ndarray:
        """Which pairs lie within a group, (sample, sample) bool; a sample with itself does."""
        return np.asarray(self.index[:, None] == self.index)

    def row_sums(self, values: np.ndarray) -> np.ndarray:
        """Return the sum over each group's samples: (sample, ...) -> (group, ...)."""
        return np.asarray(np.add.reduceat(values, self._starts, axis=0))

    def column_sums(self, values: np.ndarray) -> np.ndarray:
        """Return the sum over each group's samples: (k, sample) -> (k, group)."""
        return np.asarray(np.add.reduceat(values, self._starts, axis=1))

    def block_sums(self, values: np.ndarray) -> np.ndarray:
        """Return the sum over each pair of groups: (sample, sample) -> (group, group)."""
        return self.column_sums(self.row_sums(values))

    def weighted(self, sums: np.ndarray) -> np.ndarray:
        """Return sum_{a != b} w_a w_b S_ab + sum_a w_a S_aa for every draw w: (group, group) -> (1 + draw,)."""
        within = np.diag(sums)
        between = sums - np.diag(within)
        return np.asarray(np.einsum("dg,dg->d", self.counts @ between, self.counts) + self.counts @ within)

    @cached_property
    def _starts(self) -> np.ndarray:
        return np.flatnonzero(np.diff(self.index, prepend=-1))
