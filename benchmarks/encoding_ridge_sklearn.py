"""Nested grouped ridge at the size of Pereira et al. 2018 against one scikit-learn Ridge per inner fold and penalty.

The floor is `pereira.products`.
"""

from benchmarks.pereira import PENALTIES, products, ridge, simulate
from benchmarks.refits import sklearn_seconds
from benchmarks.row import Row, row, seconds


def measure() -> Row:
    """Time ours in all folds, a share of scikit-learn's, and the floor."""
    inputs, settings = simulate(), ridge()
    floor = seconds(products(*inputs.responses.shape, inputs.folds(settings)))
    theirs, note = sklearn_seconds(inputs, settings, len(PENALTIES))
    ours = seconds(inputs.fit(settings))
    return row("encoding-ridge-sklearn", ours, "scikit-learn Ridge", theirs, floor, note=note)
