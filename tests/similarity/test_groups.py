"""Sums over pairs of samples in a draw against pairs that are counted one by one."""

import numpy as np
import pytest

from brainalign.similarity.groups import Groups
from similarity.conftest import drawn_pairs, labels_of

LABELS = labels_of([3, 1, 2, 4, 2])


def test_sums_of_groups_are_those_of_their_samples():
    groups = Groups.from_labels(LABELS, draws=3, seed=0)
    values = np.random.default_rng(0).normal(size=(12, 12))
    names = LABELS[groups.order]
    assert names.tolist() == sorted(names)
    found = groups.block_sums(values)
    for a, first in enumerate(np.unique(LABELS)):
        for b, second in enumerate(np.unique(LABELS)):
            assert found[a, b] == pytest.approx(values[np.ix_(names == first, names == second)].sum())
    np.testing.assert_array_equal(groups.within, names[:, None] == names)
    assert groups.sizes.tolist() == [3, 1, 2, 4, 2]


def test_a_draw_counts_pairs_of_copies():
    groups = Groups.from_labels(LABELS, draws=20, seed=1)
    values = np.random.default_rng(0).normal(size=(12, 12))
    values += values.T
    ordered = values[np.ix_(groups.order, groups.order)]
    found = groups.weighted(groups.block_sums(np.triu(ordered, k=1)))
    assert (groups.counts[0] == 1).all()
    assert (groups.counts.sum(axis=1) == 5).all()
    assert (groups.counts[1:].max(axis=1) > 1).any()
    for draw, counts in enumerate(groups.counts):
        of = dict(zip(np.unique(LABELS), counts.astype(int), strict=True))
        assert found[draw] == pytest.approx(sum(values[i, j] for i, j in drawn_pairs(LABELS, of)))


def test_draws_hang_on_the_groups_and_the_seed_alone():
    one = Groups.from_labels(LABELS, 50, 3)
    again = Groups.from_labels(np.random.default_rng(5).permutation(np.concatenate([LABELS, LABELS])), 50, 3)
    np.testing.assert_array_equal(one.counts, again.counts)
    assert (one.counts != Groups.from_labels(LABELS, 50, 4).counts).any()
    assert (one.counts != Groups.from_labels(np.char.add("x", LABELS), 50, 3).counts).any()
