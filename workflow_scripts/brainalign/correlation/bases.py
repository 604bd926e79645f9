"""Permutation of whole bases: models that were tuned from one base are no independent observations."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from brainalign.correlation.statistics import pearson

EXACT_UP_TO = 7  # bases; 5,040 orders
LEAST = 3


@dataclass(frozen=True)
class Permutation:
    """p; the smallest p that so many bases and orders can give; how many orders were looked at."""

    p: float
    smallest: float
    orders: int


def permutation_p(x: np.ndarray, y: np.ndarray, bases: Sequence[str], orders: int, seed: int) -> Permutation:
    """Return the two-sided p that a property and a score go together, from exchanging whole bases.

    Every model is given its base's mean of x, so that a base has one value however many models it has; the statistic is
    |r| of these and y. Under the null hypothesis the bases' values may be exchanged, and all models of a base take
    the new value together. Up to 7 bases all orders are looked at, and p is the share that gives at least the statistic
    found; beyond, p = (b + 1) / (orders + 1) over random ones. NaN for fewer than 3 bases and for constant values.

    What x explains between models of one base does not enter: base means hold nothing of it.

    Parameters
    ----------
    x, y : (model,); bases : the base of each model; orders : how many random ones.
    """
    names = list(dict.fromkeys(bases))
    place = np.array([names.index(base) for base in bases])  # (model,)
    means = np.array([x[place == number].mean() for number in range(len(names))])  # (base,)
    found = np.abs(pearson(means[place], y))
    if len(names) < LEAST or not np.isfinite(found):
        return Permutation(math.nan, math.nan, 0)
    least = found - 1e-12
    if len(names) <= EXACT_UP_TO:
        every = np.array(list(permutations(range(len(names)))))  # (order, base)
        p = np.mean(np.abs(pearson(means[every][:, place], y)) >= least)
        return Permutation(float(p), 1 / len(every), len(every))
    random = np.random.default_rng(seed)
    drawn = random.permuted(np.tile(means, (orders, 1)), axis=1)  # (order, base)
    reached = int((np.abs(pearson(drawn[:, place], y)) >= least).sum())
    return Permutation((reached + 1) / (orders + 1), 1 / (orders + 1), orders)
