"""Nested ridge at the size of Blank et al. 2014: 1,317 samples of 8 stories held out one by one, 60 neuroids.

The peer is one scikit-learn Ridge per inner fold and penalty; the floor is `pereira.products`. With so few neuroids
nearly all the time goes into factorising the features, which the floor leaves out.
"""

from benchmarks.pereira import products, ridge, simulate
from benchmarks.refits import sklearn_seconds
from benchmarks.row import Row, row, seconds

SAMPLES, NEUROIDS, STORIES = 1317, 60, 8
TRIED = 2  # penalties that the peer is measured with


def measure() -> Row:
    """Time ours in all folds, a share of scikit-learn's, and the floor."""
    inputs = simulate(SAMPLES, neuroids=NEUROIDS, groups=STORIES)
    settings = ridge(split={"kind": "leave-one-group-out"})
    floor = seconds(products(SAMPLES, NEUROIDS, inputs.folds(settings)))
    theirs, note = sklearn_seconds(inputs, settings, TRIED)
    return row("encoding-blank", seconds(inputs.fit(settings)), "scikit-learn Ridge", theirs, floor, note=note)
