"""Which subjects predict which: the pools of other subjects behind an extrapolated ceiling."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import comb, perm

import numpy as np

DESIGNS = ("balanced", "brain-score")


@dataclass(frozen=True)
class PoolScore:
    """One score that is asked for: a pool of subjects predicts another one.

    Parameters
    ----------
    size : where the score stands on the axis of the extrapolation.
    pool : numbers of the subjects that predict, rising.
    target : number of the subject that is predicted.
    """

    size: int
    pool: tuple[int, ...]
    target: int


def balanced_scores(n_subjects: int, pools: int, random: np.random.Generator) -> list[PoolScore]:
    """Return scores of pools of 1 .. S - 1 subjects, each of which predicts all subjects outside it.

    See `draw_pools`; the size is the number of subjects that predict.
    """
    return [
        PoolScore(size, pool, target)
        for size in range(1, n_subjects)
        for pool in draw_pools(n_subjects, size, pools, random)
        for target in range(n_subjects)
        if target not in pool
    ]


def brain_score_scores(n_subjects: int, pools: int, held_out: int, seed: int) -> list[PoolScore]:
    """Return the scores of Brain-Score's ceiling of Pereira2018 (`ceiling_packaging.py`).

    For each number x = 2 .. S of subjects, `pools` different ordered draws of x subjects; of each, `held_out` draws
    with replacement of the one that the others predict (one drawn twice counts once). The size is x, the subject held
    out included. Both generators start from the same seed, as there; the order in which Brain-Score holds the subjects
    is that of a set, so that its own draws differ from run to run.
    """
    of_pools, of_targets = np.random.RandomState(seed), np.random.RandomState(seed)
    scores = []
    for size in range(2, n_subjects + 1):
        chosen: dict[tuple[int, ...], None] = {}
        while len(chosen) < min(pools, perm(n_subjects, size)):
            chosen[tuple(of_pools.choice(n_subjects, size, replace=False).tolist())] = None
        for subjects in chosen:
            members = sorted(subjects)
            for target in sorted(set(of_targets.choice(members, held_out).tolist())):
                scores.append(PoolScore(size, tuple(other for other in members if other != target), target))
    return scores


def draw_pools(n_subjects: int, size: int, pools: int, random: np.random.Generator) -> Iterator[tuple[int, ...]]:
    """Yield different pools of `size` subjects until each subject is outside at least `pools` of them (or of all).

    A pool leaves out those who have been left out least, at random among equals, so that pools are few. Where that
    gives a pool again, random ones are tried, and passed over where they leave out nobody who still needs it.
    """
    needed = np.full(n_subjects, min(pools, comb(n_subjects - 1, size)))
    everyone = np.arange(n_subjects)
    seen: set[tuple[int, ...]] = set()
    again = False
    while (needed > 0).any():
        order = random.choice(n_subjects, n_subjects, replace=False)
        if not again:
            order = order[np.argsort(needed[order], kind="stable")]
        pool = tuple(sorted(order[:size].tolist()))
        outside = np.setdiff1d(everyone, pool)
        again = pool in seen
        if again or not (needed[outside] > 0).any():
            continue
        seen.add(pool)
        needed[outside] -= 1
        yield pool
