"""Nested cross-validation over folds that partition the samples: every fit from one factorisation of all samples.

With H(λ) the fitted values' matrix of all n samples (see `ridge`) and C = I - H, the rows B left out of a fit are
predicted by all others with residuals (C_BB)^-1 (C y)_B. So at each penalty

- the residuals of outer fold j are (C_jj)^-1 (C y)_j;
- with B = i ∪ j, (C_BB)^-1 (C y)_B holds those of inner fold i in outer fold j, and of inner fold j in outer fold i.

That is one n × n product with the responses for each penalty, and one block product for each penalty and pair of folds:
no fold is fitted by itself. Penalties are the same in all folds, so they are scaled by the features of all samples
(never by responses).

Factorisations and predictions are in float64. Inner errors, where nearly all the time goes, are in float32 where that
changes nothing (see `factors`); where two candidates are so close that float32 could mistake one for the other,
their errors are computed again in float64.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from brainalign.encoding.factors import Candidate, Factors
from brainalign.encoding.inner_scores import InnerScores
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.spectrum import Spectrum
from brainalign.encoding.threads import Threads, batches

CLOSE = 1e-6  # relative difference of summed squared errors under which they are computed again in float64
BATCH = 512  # neuroids at a time, so that a batch of residuals stays in the processor's cache
TABLE_BYTES = 512 * 2**20  # of summed squared errors at once: neuroids are taken in chunks that fit


@dataclass(frozen=True)
class NestedFit:
    """What nested cross-validation gives; rows are in the order of the samples.

    Parameters
    ----------
    prediction : (sample, neuroid), each row predicted by the fit without its outer fold, as a deviation from the mean
        of that fit's training rows.
    candidate : (fold, neuroid), index into the candidates, spaces × penalties, of the one chosen.
    inner_r : (fold, inner fold, neuroid), r of held-out inner predictions under the chosen candidate; inner folds are
        the other outer folds in their order, or one, all of them pooled. None unless asked for.
    """

    prediction: np.ndarray
    candidate: np.ndarray
    inner_r: np.ndarray | None


def fit_nested(
    spectra: Sequence[Spectrum],
    penalties: Sequence[np.ndarray],
    responses: np.ndarray,
    tests: Sequence[np.ndarray],
    settings: EncoderSettings,
    score_inner: bool,
) -> NestedFit:
    """Choose a candidate for each outer fold and neuroid by inner folds, and predict the outer folds.

    Parameters
    ----------
    spectra : of all samples in the order of `tests`; more than one where the space is chosen with the penalty.
    penalties : for each space (penalty,), each above 0; or 0 alone, for least squares, where the identity holds (see
        `least_squares`).
    responses : (sample, neuroid), centred; in the precision of the products.
    tests : row numbers of each outer fold; together all samples, none twice.
    settings : reads `penalties` (per neuroid or shared), `criterion` and `chooses_penalty`.
    score_inner : whether `inner_r` is wanted; of all inner folds together where the split pools its folds.
    """
    order = np.concatenate(tests)
    ends = np.cumsum([len(rows) for rows in tests])
    blocks = [slice(int(end) - len(rows), int(end)) for end, rows in zip(ends, tests, strict=True)]
    tried = [(own, float(value)) for own, values in zip(spectra, penalties, strict=True) for value in values]
    pairs = list(combinations(range(len(tests)), 2)) if score_inner or len(tried) > 1 else []
    candidates = [Candidate(spectrum, penalty, blocks, pairs) for spectrum, penalty in tried]
    n_neuroids, n_folds = responses.shape[1], len(tests)
    prediction = np.empty_like(responses)
    chosen = np.empty((n_folds, n_neuroids), dtype=np.intp)
    n_inner = 1 if settings.pools else n_folds - 1
    inner_r = np.empty((n_folds, n_inner, n_neuroids), dtype=responses.dtype) if score_inner else None
    size = max(1, TABLE_BYTES // (8 * n_folds * len(candidates)))
    shared = _shared_choice(candidates, responses, order, blocks, settings, size)
    for columns in batches(n_neuroids, size):
        y = responses[order, columns]
        if shared is not None:
            index = np.repeat(shared[:, None], y.shape[1], axis=1)
        elif len(candidates) > 1:
            index = _choose(candidates, y, blocks, settings)
        else:
            index = np.zeros((n_folds, y.shape[1]), dtype=np.intp)
        chosen[:, columns] = index
        predicted, r = _predict(candidates, y, blocks, index, score_inner, settings.pools)
        prediction[order, columns] = predicted
        if inner_r is not None:
            inner_r[:, :, columns] = r
    return NestedFit(prediction, chosen, inner_r)


def _errors(
    candidates: Sequence[Candidate],
    y: np.ndarray,
    blocks: Sequence[slice],
    settings: EncoderSettings,
) -> np.ndarray:
    """Return summed squared errors of inner folds, (candidate, fold, neuroid) float64."""
    table = np.zeros((len(candidates), len(blocks), y.shape[1]))
    threads = Threads()
    weights = _weights(y, blocks, settings)
    for number, candidate in enumerate(candidates):
        factors = candidate.factors(y.dtype)
        _add_errors(table[number], factors, y, weights, threads)
        candidate.forget()
    return table


def _add_errors(
    table: np.ndarray, factors: Factors, y: np.ndarray, weights: np.ndarray | None, threads: Threads
) -> None:
    """Add the summed squared errors of inner folds to a table (fold, neuroid)."""

    def work(columns: slice) -> None:
        held = y[:, columns].astype(factors.scores.dtype, copy=False)
        for first, second, one, other in factors.pair_residuals(factors.fitted_residuals(held)):
            for outer, inner, residuals in ((second, first, one), (first, second, other)):
                np.square(residuals, out=residuals)
                summed = residuals.sum(axis=0)
                table[outer, columns] += summed if weights is None else summed * weights[inner, columns]

    with threads.pool() as each:
        each(work, batches(y.shape[1], BATCH))


def _weights(y: np.ndarray, blocks: Sequence[slice], settings: EncoderSettings) -> np.ndarray | None:
    """Return 1 / sum of squares of the responses of each inner fold, where R2 is the criterion (fold, neuroid)."""
    if settings.criterion == "squared-error":
        return None
    totals = np.stack([len(y[block]) * y[block].var(axis=0, dtype=np.float64) for block in blocks])
    return np.where(totals > 0, 1.0 / np.where(totals > 0, totals, 1.0), 0.0)


def _choose(
    candidates: Sequence[Candidate], y: np.ndarray, blocks: Sequence[slice], settings: EncoderSettings
) -> np.ndarray:
    """Return the candidate with the least summed squared inner error, (fold, neuroid); of equal ones the first."""
    table = _errors(candidates, y, blocks, settings)
    if y.dtype == np.float32:
        close = table <= table.min(axis=0) * (1 + CLOSE)  # (candidate, fold, neuroid)
        close &= close.sum(axis=0) > 1
        weights, threads = _weights(y, blocks, settings), Threads()
        for number, candidate in enumerate(candidates):
            columns = np.flatnonzero(close[number].any(axis=0))
            if len(columns):
                again = np.zeros((len(blocks), len(columns)))
                some = None if weights is None else weights[:, columns]
                _add_errors(again, candidate.exact, y[:, columns].astype(np.float64), some, threads)
                table[number][:, columns] = np.where(close[number][:, columns], again, table[number][:, columns])
                candidate.forget()
    return np.asarray(table.argmin(axis=0))


def _shared_choice(
    candidates: Sequence[Candidate],
    responses: np.ndarray,
    order: np.ndarray,
    blocks: Sequence[slice],
    settings: EncoderSettings,
    size: int,
) -> np.ndarray | None:
    """Return the candidate with the least error summed over all neuroids, (fold,); None where each has its own."""
    if settings.penalties != "shared" or len(candidates) == 1:
        return None
    total = np.zeros((len(candidates), len(blocks)))
    for columns in batches(responses.shape[1], size):
        total += _errors(candidates, responses[order, columns], blocks, settings).sum(axis=2)
    return np.asarray(total.argmin(axis=0))


def _predict(
    candidates: Sequence[Candidate],
    y: np.ndarray,
    blocks: Sequence[slice],
    index: np.ndarray,
    score_inner: bool,
    pooled: bool,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return predictions of the outer folds (sample, neuroid), and r of the inner folds (fold, inner fold, neuroid)."""
    prediction = np.empty_like(y)
    scores = InnerScores(len(blocks), y.shape[1], y.dtype, pooled) if score_inner else None
    threads = Threads()
    for number in np.unique(index):
        columns = np.flatnonzero((index == number).any(axis=0))
        factors = candidates[number].exact

        def work(part: slice, columns: np.ndarray = columns, factors: Factors = factors, number: int = number) -> None:
            own = columns[part]
            held = y[:, own].astype(np.float64)
            taken = index[:, own] == number  # (fold, neuroid)
            residuals, total = factors.fitted_residuals(held), held.sum(axis=0)
            for fold, block in enumerate(blocks):
                rest = len(held) - (block.stop - block.start)
                mean = (total - held[block].sum(axis=0)) / rest
                predicted = held[block] - factors.block_residuals(residuals, fold) - mean
                prediction[block, own] = np.where(taken[fold], predicted, prediction[block, own])
            if scores is None:
                return
            for first, second, one, other in factors.pair_residuals(residuals):
                for outer, inner, left_out in ((second, first, one), (first, second, other)):
                    if taken[outer].any():
                        truth = held[blocks[inner]]
                        scores.add(outer, inner, truth, truth - left_out, own, taken[outer])

        with threads.pool() as each:
            each(work, batches(len(columns), BATCH))
        candidates[number].forget()
    return prediction, None if scores is None else scores.r()
