"""1,000 bootstrap replicates of r for 12,155 neuroids in 10 folds against rows resampled one draw at a time.

The floor is the products of the draws' counts with the five sums over groups that r is made of, in float32.
"""

import time

import numpy as np

from benchmarks.pereira import NEUROIDS, ridge, simulate
from benchmarks.row import Row, row, seconds
from brainalign.encoding.bootstrap import make_draws, replicate
from brainalign.encoding.scores import Units, pearson

DRAWS, TRIED = 1000, 10
SUMS = 5  # of p, y, p², y², p y
AT_ONCE = 64  # neuroids


def measure() -> Row:
    """Time ours, a share of the plain way, and the floor."""
    inputs = simulate()
    folds, units = inputs.folds(ridge()), Units.from_table(inputs.neuroids)
    draws = make_draws(inputs.samples.split_group, folds, DRAWS, 0)
    noise = np.random.default_rng(1).standard_normal(inputs.responses.shape, dtype=np.float32)
    predictions = [inputs.responses[fold.test] + noise[fold.test] for fold in folds]
    responses = [inputs.responses[fold.test] for fold in folds]

    def plain() -> None:
        assert draws.counts is not None
        for draw in range(TRIED):
            for fold, prediction in enumerate(predictions):
                times = draws.counts[fold][draw].astype(int)[draws.groups[fold]]
                rows = np.repeat(np.arange(len(prediction)), times)
                pearson(prediction[rows], responses[fold][rows])

    sums = [np.ones((len(names), AT_ONCE), np.float32) for names in draws.indicators]
    counts = [found.astype(np.float32) for found in draws.counts or ()]
    found = np.empty((DRAWS, AT_ONCE), np.float32)

    def floor() -> None:
        for _ in range(SUMS * (NEUROIDS // AT_ONCE)):
            for count, values in zip(counts, sums, strict=True):
                np.matmul(count, values, out=found)

    processor = time.process_time()
    ours = seconds(lambda: replicate(draws, predictions, responses, units, "mean"))
    processor = (time.process_time() - processor) / 4
    peer = seconds(plain, 1) * DRAWS / TRIED
    note = f"the peer's seconds from {TRIED} of {DRAWS} draws; ours {processor:.1f} s of processor time"
    return row("bootstrap-12155", ours, "resampled rows", peer, seconds(floor), note=note)
