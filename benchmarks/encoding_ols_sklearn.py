"""Least squares at the size of Pereira et al. 2018 against scikit-learn's LinearRegression, fold by fold.

The floor is what no least-squares prediction of all folds can do without: the features' products with each other, and
for each fold one product of a test × train matrix with the responses, in float64.
"""

import numpy as np
from sklearn.linear_model import LinearRegression

from benchmarks.pereira import FOLDS, ridge, simulate
from benchmarks.row import Row, row, seconds


def measure() -> Row:
    """Time ours in all folds, scikit-learn's in one, and the floor."""
    inputs, settings = simulate(), ridge(regression="ols")
    folds = inputs.folds(settings)
    features, responses = inputs.features.astype(np.float64), inputs.responses.astype(np.float64)

    def peer() -> None:
        train, test = folds[0].train, folds[0].test
        LinearRegression().fit(inputs.features[train], inputs.responses[train]).predict(inputs.features[test])

    def floor() -> None:
        gram = features @ features.T
        for fold in folds:
            gram[np.ix_(fold.test, fold.train)] @ responses[fold.train]

    ours, theirs = seconds(inputs.fit(settings)), seconds(peer, 1)
    note = f"the peer's seconds are {FOLDS} times those of 1 fold ({theirs:.1f} s), in float32"
    return row("encoding-ols-sklearn", ours, "scikit-learn LinearRegression", FOLDS * theirs, seconds(floor), note=note)
