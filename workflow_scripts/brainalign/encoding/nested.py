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

from brainalign.encoding.factors import Candidate, Factors, keeps_factors, with_inverses
from brainalign.encoding.inner_scores import InnerScores
from brainalign.encoding.places import (
    Array,
    Place,
    brought_back,
    dot,
    neuroids_at_once,
    or_on_the_processor,
    place_of,
    squared_lengths,
)
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.spectrum import Spectrum
from brainalign.encoding.threads import batches
from brainalign.free_memory import within_free_memory

CLOSE = 1e-6  # relative difference of summed squared errors under which they are computed again in float64
ORDERED_BYTES = 256 * 2**20  # of ordered responses that are kept, at most; more are copied when wanted
TABLE_BYTES = 512 * 2**20  # of summed squared errors at once, at most: neuroids are taken in chunks that fit


@dataclass(frozen=True)
class NestedFit:
    """What nested cross-validation gives, fold by fold.

    Parameters
    ----------
    prediction : of each outer fold (test, neuroid), by the fit without it, as deviations from the mean of that fit's
        training rows.
    candidate : (fold, neuroid), index into the candidates, spaces × penalties, of the one chosen.
    inner_r : (fold, inner fold, neuroid), r of held-out inner predictions under the chosen candidate; inner folds are
        the other outer folds in their order, or one, all of them pooled. None unless asked for.
    """

    prediction: list[np.ndarray]
    candidate: np.ndarray
    inner_r: np.ndarray | None


def fit_nested(
    spectra: Sequence[Spectrum],
    penalties: Sequence[np.ndarray],
    responses: np.ndarray,
    tests: Sequence[np.ndarray],
    settings: EncoderSettings,
    score_inner: bool,
    pooled: bool,
    device: str = "cpu",
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
    score_inner : whether `inner_r` is wanted.
    pooled : whether it is of all inner folds of an outer fold together.
    device : of the products: "cpu", or one of torch such as "cuda". Factorisations are the processor's. Where a card's
        memory does not suffice, the processor takes its place.
    """
    order = np.concatenate(tests)
    ends = np.cumsum([len(rows) for rows in tests])
    blocks = [slice(int(end) - len(rows), int(end)) for end, rows in zip(ends, tests, strict=True)]
    tried = [(own, float(value)) for own, values in zip(spectra, penalties, strict=True) for value in values]
    pairs = list(combinations(range(len(tests)), 2)) if score_inner or len(tried) > 1 else []
    keeps = keeps_factors(len(order), len(tried))
    candidates = [Candidate(spectrum, penalty, blocks, pairs, keeps) for spectrum, penalty in tried]
    y = _Ordered(responses, order, len(candidates) > 1 and copies_ordered(responses.nbytes))
    n_neuroids, n_folds = responses.shape[1], len(tests)
    size = neuroids_of_table(len(order), n_folds, len(candidates))

    def fit(place: Place) -> NestedFit:
        prediction = [np.empty((len(rows), n_neuroids), dtype=responses.dtype) for rows in tests]
        chosen = np.empty((n_folds, n_neuroids), dtype=np.intp)
        scores = InnerScores(n_folds, n_neuroids, responses.dtype, pooled) if score_inner else None
        shared = _shared_choice(candidates, y, blocks, settings, size, place)
        for columns in batches(n_neuroids, size):
            if shared is not None:
                chosen[:, columns] = shared[:, None]
            elif len(candidates) > 1:
                chosen[:, columns] = _choose(candidates, y, columns, blocks, settings, place)
            else:
                chosen[:, columns] = 0
        _predict(candidates, y, blocks, chosen, prediction, scores, place)
        return NestedFit(prediction, chosen, None if scores is None else scores.r())

    return or_on_the_processor(place_of(device), fit)


def copies_ordered(size: int) -> bool:
    """Tell whether responses of so many bytes are copied all at once, for several candidates."""
    return size <= within_free_memory(ORDERED_BYTES)


def neuroids_of_table(samples: int, folds: int, candidates: int) -> int:
    """Return of how many neuroids a table of errors fits: whole batches, so that these are the same in all chunks."""
    size = within_free_memory(TABLE_BYTES) // (8 * folds * candidates)
    batch = neuroids_at_once(samples)
    return max(1, size // batch * batch or size)


class _Ordered:
    """Responses with the rows of each fold side by side, all copied at once or a batch at a time."""

    def __init__(self, responses: np.ndarray, order: np.ndarray, at_once: bool) -> None:
        self._responses, self._order = responses, order
        self.dtype, self.n_neuroids = responses.dtype, int(responses.shape[1])
        self._all = np.take(responses, order, axis=0) if at_once else None

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, columns: np.ndarray) -> np.ndarray:
        """Return some neuroids, rising (sample, neuroid)."""
        first, last = int(columns[0]), int(columns[-1]) + 1
        are_neighbours = last - first == len(columns)
        if self._all is not None:
            return self._all[:, first:last] if are_neighbours else np.take(self._all, columns, axis=1)
        if are_neighbours:  # whose rows are copied as they lie
            return np.take(self._responses[:, first:last], self._order, axis=0)
        return np.take(np.take(self._responses, columns, axis=1), self._order, axis=0)


def _errors(
    candidates: Sequence[Candidate],
    y: _Ordered,
    columns: slice,
    blocks: Sequence[slice],
    settings: EncoderSettings,
    place: Place,
) -> np.ndarray:
    """Return summed squared errors of inner folds, (candidate, fold, neuroid) float64."""
    own = np.arange(columns.start, columns.stop)
    table = np.zeros((len(candidates), len(blocks), len(own)))
    for number, candidate in enumerate(with_inverses(candidates, "of_pairs")):
        _add_errors(table[number], candidate.factors(y.dtype), y, own, settings, place)
        candidate.forget()
    return table


def _add_errors(
    table: np.ndarray, factors: Factors, y: _Ordered, columns: np.ndarray, settings: EncoderSettings, place: Place
) -> None:
    """Add the summed squared errors of inner folds to a table (fold, neuroid) of some neuroids."""
    own = factors.through(place.hold)
    _ = own.of_pairs  # made before threads ask for them
    sizes = [block.stop - block.start for block in factors.blocks]
    inner = np.array(factors.pairs, dtype=np.intp)  # (pair, 2), and the other of the two is its outer fold
    is_of = place.hold((np.arange(len(sizes))[:, None] == inner[:, ::-1].ravel()).astype(np.float64))  # (fold, 2 pairs)

    def work(part: slice) -> None:
        given = y[columns[part]]
        weights = _weights(given, factors.blocks, settings)
        squares = place.hold(np.empty((2 * len(inner), given.shape[1])))
        residuals_of_all = own.fitted_residuals(place.hold(given.astype(factors.dtype, copy=False)))
        for number, (first, _, residuals) in enumerate(own.pair_residuals(residuals_of_all)):
            squares[2 * number : 2 * number + 2] = squared_lengths(residuals, sizes[first])
        if weights is not None:
            squares *= place.hold(weights[inner.ravel()])
        table[:, part] += brought_back(is_of @ squares)

    place.each(work, len(columns), len(y))


def _weights(y: np.ndarray, blocks: Sequence[slice], settings: EncoderSettings) -> np.ndarray | None:
    """Return 1 / sum of squares of the responses of each inner fold, where R2 is the criterion (fold, neuroid)."""
    if settings.criterion == "squared-error":
        return None
    totals = np.stack([len(y[block]) * y[block].var(axis=0, dtype=np.float64) for block in blocks])
    return np.where(totals > 0, 1.0 / np.where(totals > 0, totals, 1.0), 0.0)


def _choose(
    candidates: Sequence[Candidate],
    y: _Ordered,
    columns: slice,
    blocks: Sequence[slice],
    settings: EncoderSettings,
    place: Place,
) -> np.ndarray:
    """Return the candidate with the least summed squared inner error, (fold, neuroid); of equal ones the first."""
    table = _errors(candidates, y, columns, blocks, settings, place)
    if y.dtype == np.float32:
        close = table <= table.min(axis=0) * (1 + CLOSE)  # (candidate, fold, neuroid)
        close &= close.sum(axis=0) > 1
        numbers = np.flatnonzero(close.any(axis=(1, 2))).tolist()
        for number, candidate in zip(numbers, with_inverses([candidates[n] for n in numbers], "of_pairs"), strict=True):
            found = np.flatnonzero(close[number].any(axis=0))
            again = np.zeros((len(blocks), len(found)))
            _add_errors(again, candidate.exact, y, columns.start + found, settings, place)
            table[number][:, found] = np.where(close[number][:, found], again, table[number][:, found])
            candidate.forget()
    return np.asarray(table.argmin(axis=0))


def _shared_choice(
    candidates: Sequence[Candidate],
    y: _Ordered,
    blocks: Sequence[slice],
    settings: EncoderSettings,
    size: int,
    place: Place,
) -> np.ndarray | None:
    """Return the candidate with the least error summed over all neuroids, (fold,); None where each has its own."""
    if settings.penalties != "shared" or len(candidates) == 1:
        return None
    total = np.zeros((len(candidates), len(blocks)))
    for columns in batches(y.n_neuroids, size):
        total += _errors(candidates, y, columns, blocks, settings, place).sum(axis=2)
    return np.asarray(total.argmin(axis=0))


def _predict(
    candidates: Sequence[Candidate],
    y: _Ordered,
    blocks: Sequence[slice],
    index: np.ndarray,
    prediction: Sequence[np.ndarray],
    scores: InnerScores | None,
    place: Place,
) -> None:
    """Write predictions of the outer folds, each (test, neuroid), and gather r of the inner folds.

    Predictions are in float64; r of the inner folds, whose products take longer, in the precision of the responses
    where that tells it.
    """
    taken, of = np.unique(index).tolist(), ("of_blocks",) if scores is None else ("of_blocks", "of_pairs")
    for number, candidate in zip(taken, with_inverses([candidates[n] for n in taken], *of), strict=True):
        columns, factors = np.flatnonzero((index == number).any(axis=0)), candidate.exact.through(place.hold)
        quick, _ = factors, factors.of_blocks  # made before threads ask for them
        if scores is not None:
            if candidate.factors(y.dtype) is not candidate.exact:
                quick = candidate.factors(y.dtype).through(place.hold)
            _ = quick.of_pairs, factors.of_pairs

        def work(
            part: slice,
            columns: np.ndarray = columns,
            factors: Factors = factors,
            quick: Factors = quick,
            number: int = number,
        ) -> None:
            own = columns[part]
            given = y[own]
            held, taken = place.hold(given.astype(np.float64)), index[:, own] == number  # taken: (fold, neuroid)
            residuals, total = factors.fitted_residuals(held), held.sum(axis=0)
            for fold, block in enumerate(blocks):
                mean = (total - held[block].sum(axis=0)) / (len(held) - (block.stop - block.start))
                predicted = brought_back(held[block] - factors.block_residuals(residuals, fold) - mean)
                prediction[fold][:, own] = np.where(taken[fold], predicted, prediction[fold][:, own])
            if scores is None:
                return
            if scores.pooled or quick is factors:
                _score_pairs(scores, factors, held, residuals, own, taken)
                return
            rounded = place.hold(given)
            weak = _score_pairs(scores, quick, rounded, quick.fitted_residuals(rounded), own, taken)
            if len(weak):
                _score_pairs(scores, factors, held[:, weak], residuals[:, weak], own[weak], taken[:, weak])

        place.each(work, len(columns), len(y))
        candidate.forget()
        del factors, quick, work  # before those of the next candidate are made


def _score_pairs(
    scores: InnerScores, factors: Factors, y: Array, residuals: Array, own: np.ndarray, taken: np.ndarray
) -> np.ndarray:
    """Gather r of the inner folds of some neuroids; return positions among these where the precision does not tell it.

    Parameters
    ----------
    y, residuals : (sample, neuroid), the responses and C times them.
    taken : (fold, neuroid), of which outer folds.
    """
    weak = np.zeros(len(own), dtype=bool)
    truths = [y[block] for block in factors.blocks]
    sums, total = [], 0.0
    if scores.pooled:
        sums, total = [truth.sum(axis=0) for truth in truths], y.sum(axis=0)
    else:
        truths = [truth - truth.mean(axis=0) for truth in truths]
    lengths = [brought_back(dot(truth, truth)) for truth in truths]
    some = np.asarray(taken.any(axis=1))
    for first, second, of_both in factors.pair_residuals(residuals):
        size = len(truths[first])
        for outer, inner, left_out in ((second, first, of_both[:size]), (first, second, of_both[size:])):
            if some[outer] and scores.pooled:
                rows = len(y) - len(truths[outer]) - len(truths[inner])
                predicted = truths[inner] - left_out - (total - sums[outer] - sums[inner]) / rows
                scores.add(outer, inner, truths[inner], predicted, own, taken[outer])
            elif some[outer]:
                weak |= scores.add_residuals(outer, inner, truths[inner], lengths[inner], left_out, own, taken[outer])
    return np.flatnonzero(weak)
