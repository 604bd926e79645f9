"""Nested choice of penalties by plain refits with scikit-learn: how long all of it would take, from a share of it."""

import time

import numpy as np
from sklearn.linear_model import Ridge

from benchmarks.pereira import Inputs
from brainalign.encoding.settings import EncoderSettings


def sklearn_seconds(inputs: Inputs, settings: EncoderSettings, tried: int) -> tuple[float, str]:
    """Return the seconds of one Ridge for each outer fold, inner fold and penalty, and which share was measured.

    The share is the first inner fold of the first outer fold with some of the penalties, and one fit of that outer
    fold's training rows for all neuroids, as if all had chosen one penalty (with more, it would take longer). Features
    and responses are float32, in which scikit-learn is fastest.

    Parameters
    ----------
    tried : how many of the penalties are fitted.
    """
    x, y, folds = inputs.features, inputs.responses, inputs.training(settings)
    fold, penalties = folds[0], inputs.penalties()
    assert fold.blocks is not None
    held_out = np.arange(fold.blocks[0].start, fold.blocks[0].stop)
    left_out = np.concatenate([held_out, *fold.dropped[:1]])
    inner, test = np.delete(fold.train, left_out), fold.train[held_out]
    begun = time.perf_counter()
    for penalty in penalties[:: len(penalties) // tried][:tried]:
        residuals = y[test] - Ridge(penalty).fit(x[inner], y[inner]).predict(x[test])
        np.square(residuals).sum(axis=0)
    of_inner = (time.perf_counter() - begun) * len(penalties) / tried
    begun = time.perf_counter()
    Ridge(penalties[0]).fit(x[fold.train], y[fold.train]).predict(x[fold.test])
    of_outer = time.perf_counter() - begun
    n_inner = sum(len(other.blocks or ()) for other in folds)
    share = f"the peer's seconds from {tried} of {len(penalties)} penalties in 1 of {n_inner} inner folds"
    return of_inner * n_inner + of_outer * len(folds), share
