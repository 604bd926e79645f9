"""Least squares of all outer folds that partition the samples, with the inner folds of a nested choice of layer.

A fit without penalty has the leave-block-out identity too (see `nested`), as the limit of a ridge's: with K the
centred Gram matrix and B the rows left out, residuals are (K⁺_BB)^-1 (K⁺ y)_B where features interpolate all samples (K
has rank n - 1), and (I - H_BB)^-1 (y - H y)_B where the rows that remain determine every direction. Then no fold is
factorised by itself. Near the interpolation peak neither holds, and folds are refitted: a fit without the folds i and j
serves inner fold i of outer fold j and inner fold j of outer fold i, so that it is made once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from brainalign.encoding.inner_scores import InnerScores
from brainalign.encoding.places import BATCH
from brainalign.encoding.ridge import IDENTITY_LIMIT, smallest_share, smoother
from brainalign.encoding.spectrum import Space, Spectrum, least_squares
from brainalign.encoding.threads import Threads, batches


@dataclass(frozen=True)
class Refits:
    """What least squares give, each fold and each pair of folds left out in turn.

    Parameters
    ----------
    prediction : (sample, neuroid), as deviations from the mean of the training rows.
    ranks : (fold,), of the training features.
    inner_r : (fold, inner fold, neuroid), see `InnerScores`; None unless asked for.
    """

    prediction: np.ndarray
    ranks: list[int]
    inner_r: np.ndarray | None


def identity_holds(spectrum: Spectrum, tests: Sequence[np.ndarray], score_inner: bool) -> bool:
    """Tell whether the identity gives all fits without a fold (and without two) as exactly as refits.

    Where features interpolate all samples, they do so all the more a part of them: its smallest eigenvalue is not below
    that of all samples, nor its largest above. So one look at their condition is enough.

    Parameters
    ----------
    spectrum : of all samples in the order of `tests`, for least squares.
    """
    if spectrum.interpolates:
        return spectrum.is_conditioned
    ends = np.cumsum([len(rows) for rows in tests])
    blocks = [np.arange(end - len(rows), end) for end, rows in zip(ends, tests, strict=True)]
    if score_inner:
        blocks = [np.concatenate(pair) for pair in combinations(blocks, 2)]
    fewest = len(spectrum.scores) - max(len(block) for block in blocks)
    if spectrum.rank >= fewest:
        return False
    return smallest_share(spectrum, 0.0, blocks) >= IDENTITY_LIMIT


def refit_all(
    space: Space, responses: np.ndarray, tests: Sequence[np.ndarray], score_inner: bool, pooled: bool
) -> Refits:
    """Fit the samples without each fold, and where inner scores are wanted without each pair of folds.

    Parameters
    ----------
    responses : (sample, neuroid), centred.
    tests : row numbers of each outer fold; together all samples, none twice.
    pooled : whether inner scores are of all inner folds of an outer fold together.
    """
    prediction = np.empty_like(responses)
    scores = InnerScores(len(tests), responses.shape[1], responses.dtype, pooled) if score_inner else None
    ranks, threads = [], Threads()
    for test in tests:
        found, maker, train = _fit(space, [test], len(responses))
        ranks.append(found.rank)

        def predict(
            columns: slice, test: np.ndarray = test, train: np.ndarray = train, maker: np.ndarray = maker
        ) -> None:
            prediction[test, columns] = maker @ responses[train, columns].astype(np.float64)

        with threads.pool() as each:
            each(predict, batches(responses.shape[1], BATCH))
    if scores is None:
        return Refits(prediction, ranks, None)
    for first, second in combinations(range(len(tests)), 2):
        _, maker, train = _fit(space, [tests[first], tests[second]], len(responses))

        def score(
            columns: slice,
            first: int = first,
            second: int = second,
            train: np.ndarray = train,
            maker: np.ndarray = maker,
        ) -> None:
            y = responses[train, columns].astype(np.float64)
            predicted = maker @ y  # as deviations from the mean of the training rows
            size = len(tests[first])
            for outer, inner, part in ((second, first, predicted[:size]), (first, second, predicted[size:])):
                scores.add(outer, inner, responses[tests[inner], columns].astype(np.float64), part, columns)

        with threads.pool() as each:
            each(score, batches(responses.shape[1], BATCH))
    return Refits(prediction, ranks, scores.r())


def _fit(space: Space, held_out: Sequence[np.ndarray], size: int) -> tuple[Spectrum, np.ndarray, np.ndarray]:
    """Return the fit without some folds: its spectrum, the matrix that makes predictions, and its training rows."""
    test = np.concatenate(held_out)
    train = np.setdiff1d(np.arange(size), test)
    found = least_squares(space, train, test)
    return found, smoother(found, 0.0), train
