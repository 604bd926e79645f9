"""Nested ridge at the size of Wehbe et al. 2014: 1,211 scans, 25,000 neuroids, 4 contiguous folds with gaps.

Once with 40 features (10 components at 4 delays) and once with 4,096. Around a gap inner folds are refitted. The peer
is one scikit-learn Ridge per inner fold and penalty; the floor is `pereira.products`.
"""

from benchmarks.pereira import products, ridge, simulate
from benchmarks.refits import sklearn_seconds
from benchmarks.row import Row, row, seconds

SAMPLES, NEUROIDS, RUNS = 1211, 25_000, 4
WIDTHS = (40, 4096)
SPLIT = {"kind": "contiguous", "folds": 4, "gap": 5}
TRIED = 2  # penalties that the peer is measured with


def measure() -> list[Row]:
    """Time ours in all folds, a share of scikit-learn's, and the floor, for each width."""
    settings, rows = ridge(split=SPLIT), []
    for width in WIDTHS:
        inputs = simulate(SAMPLES, width, NEUROIDS, RUNS)
        floor = seconds(products(SAMPLES, NEUROIDS, inputs.folds(settings)), 1)
        theirs, note = sklearn_seconds(inputs, settings, TRIED)
        ours = seconds(inputs.fit(settings), 1)
        rows.append(row(f"encoding-wehbe-{width}", ours, "scikit-learn Ridge", theirs, floor, note=note))
    return rows
