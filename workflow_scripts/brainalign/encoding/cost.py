"""How long an encoding will take and how much memory it will need, told before it starts.

Both follow from the algorithm: which arrays exist at once, how many numbers are multiplied, and how many are passed
over one by one. Rates are measured on the machine by short products. With n samples, p features, V neuroids, F folds,
K candidates (spaces × penalties), P = F (F - 1) / 2 pairs of folds and products in float32:

- all folds at once (see `nested`): K (2 n² V + P 2 (2 n / F)² V) operations to choose, the same without K for about
  CANDIDATES_IN_USE candidates to predict; factors of one candidate hold about 3 n² numbers in float64 and in float32;
- each fold by itself (see `fit.fit_fold`): F K (2 n² V + 2 n² V / F) operations in float64 for chunks of neuroids.

Every array that grows with n V is counted: responses as given and as prepared, predictions, those of the layer in
front, and the training rows of a fold.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from brainalign.encoding.bootstrap import SUMS_AT_ONCE
from brainalign.encoding.dependence import MOST_BLOCKS, SIDE_BY_SIDE_BYTES
from brainalign.encoding.factors import factors_at_once, keeps_factors
from brainalign.encoding.fit import AT_ONCE as CHUNK
from brainalign.encoding.inner import INVERSE_BYTES, REFIT_BYTES, RESIDUAL_BYTES
from brainalign.encoding.nested import copies_ordered, neuroids_of_table
from brainalign.encoding.places import BATCH, neuroids_at_once
from brainalign.encoding.sampled_neuroids import SUMS_BYTES
from brainalign.encoding.threads import Threads, batches
from brainalign.free_memory import within_free_memory

DOUBLE, SINGLE = 8, 4  # bytes of a number
CANDIDATES_IN_USE = 2.0  # ASSUME: different candidates that a neuroid chooses over the outer folds
EIGENVALUES = 25.0  # times n³: operations of an eigendecomposition, at the rate of products
INVERSE = 4.0  # times n³: of an inverse, likewise
CHOICE_BATCHES, PREDICTION_BATCHES = 4, 7  # of a thread's neuroids: responses, residuals, and copies of both
PREPARED_COPIES = 4  # of a chunk of neuroids in float64, while responses are checked and centred
FOLD_CHUNKS, RESIDUAL_COPIES = 3, 3  # of a chunk of neuroids, and of residuals, while a fold is fitted by itself
FOLD_COPIES = 8  # of one fold's test rows, or of all where they are pooled, while they are scored
MAP_COPIES = 4  # of the linear map from training rows to a fold's test rows, while it is made
SUMS_COPIES = 4  # of the sums of sampled neuroids in all draws, while layers are chosen again
PAIR_TABLES = 6  # times block × block × cell, while the dependence of groups is counted
BOOTSTRAP_PASSES = 50.0  # over each draw × fold × neuroid
CHOICE_PASSES, SCORE_PASSES = 5.0, 12.0  # over each held-out inner residual, to choose by it and to score it
MEBIBYTE, GIBIBYTE = 2**20, 2**30


@dataclass(frozen=True)
class Task:
    """What is to be encoded.

    Parameters
    ----------
    samples, width, neuroids : n, p and V.
    layers : how many.
    folds : outer folds.
    penalties, spaces : candidates are spaces × penalties.
    members : feature spaces that are joined in each of the spaces.
    grams : whether spaces are known by their Gram matrices alone, as other kernels and joint spaces are.
    repetitions : of the responses as they are given.
    pooled : whether predictions of all folds are scored together.
    draws : of the bootstrap.
    cells : subjects × regions, with "all" of both, that scores and replicates are kept of.
    groups : of the bootstrap; with them grows what tells how groups train each other.
    threads : that work side by side.
    inner_scores : whether layers are chosen by inner scores.
    at_once : whether all folds are fitted from one factorisation.
    refits : whether each inner fold is factorised by itself, where folds are not fitted at once.
    single : whether products may be in float32.
    sampled : neuroids of which pairs of groups are kept, where each chooses its layer.
    """

    samples: int
    width: int
    neuroids: int
    layers: int = 1
    folds: int = 10
    penalties: int = 13
    spaces: int = 1
    members: int = 1
    grams: bool = False
    repetitions: int = 1
    pooled: bool = False
    draws: int = 1000
    cells: int = 4
    groups: int = 100
    threads: int = 2
    inner_scores: bool = True
    at_once: bool = True
    refits: bool = False
    single: bool = True
    sampled: int = 0

    @property
    def candidates(self) -> int:
        """Spaces × penalties."""
        return self.penalties * self.spaces

    @property
    def axes(self) -> int:
        """How many principal axes the features have at most."""
        return self.samples if self.grams else min(self.samples, self.width)

    @property
    def pairs(self) -> int:
        """How many pairs of folds there are."""
        return self.folds * (self.folds - 1) // 2


@dataclass(frozen=True)
class Speed:
    """Rates of this machine, each on all threads: operations of products, and numbers passed over, in a second."""

    single: float
    double: float
    elements: float


@dataclass(frozen=True)
class Cost:
    """What a task is expected to take: seconds, and bytes at its peak, the responses that are given included."""

    seconds: float
    bytes: int


def expected_cost(task: Task, speed: Speed) -> Cost:
    """Return the expected seconds of all layers and the expected peak of memory."""
    of_layer = _seconds_at_once(task, speed) if task.at_once else _seconds_of_each(task, speed)
    drawn = BOOTSTRAP_PASSES * task.draws * task.folds * task.neuroids / speed.elements
    return Cost(task.layers * of_layer + (task.layers + 1) * drawn, expected_bytes(task))


def sentence(task: Task, cost: Cost) -> str:
    """Return the expectation for the log.

    >>> sentence(Task(384, 4096, 12155, layers=40), Cost(113.0, 1_200_000_000))
    '40 layers of 384 samples × 4,096 features → 12,155 neuroids: about 110 s and 1.1 GiB'
    """
    what = "1 layer" if task.layers == 1 else f"{task.layers} layers"
    return (
        f"{what} of {task.samples:,} samples × {task.width:,} features → {task.neuroids:,} neuroids: about "
        f"{_duration(cost.seconds)} and {_size(cost.bytes)}"
    )


def expected_bytes(task: Task) -> int:
    """Return the expected peak of memory: what is always there, and the largest of what each step adds."""
    n, f, v = task.samples, task.folds, task.neuroids
    matrix, chunk = _matrix(task), DOUBLE * n * min(v, CHUNK)
    pair_table = DOUBLE * min(task.groups, MOST_BLOCKS) ** 2 * task.cells
    of_layer = f * v * (_number(task) + 2 * DOUBLE)  # r, R² and penalties
    of_scores = DOUBLE * (task.groups + 1) * task.cells + pair_table + SINGLE * task.draws * task.cells
    always = held_bytes(task) + matrix * ((task.layers > 1) + 2 * task.pooled)
    always += 2 * task.layers * of_layer + 2 * (task.layers + 1) * of_scores  # twice, since they are put together
    always += 2 * DOUBLE * v * task.cells  # the neuroids' names and cells
    of_sampled = min(task.groups, MOST_BLOCKS) ** 2 * task.sampled
    always += task.layers * SINGLE * of_sampled
    features, grams, spectra = _spaces(task)
    inner = f * (6 * DOUBLE if task.pooled else (f - 1) * _number(task)) * v if task.inner_scores else 0
    fitted = features + grams + matrix + inner  # what is there once a layer is fitted
    rows = matrix if task.pooled else matrix // f  # of a scored fold
    training = matrix - matrix // f
    steps = [
        chunk * (PREPARED_COPIES if task.repetitions == 1 else 2 * task.repetitions + PREPARED_COPIES),
        training,
        4 * features + grams + (task.members + 3) * DOUBLE * n * n * task.grams,
        features + grams + spectra + _factorisation(n, task),
        fitted + _factorisation(n, task),
        fitted + spectra // task.spaces + _of_pairs(task),
        fitted + (FOLD_COPIES + 2 * task.pooled) * rows,
        fitted + rows * task.pooled + DOUBLE * SUMS_AT_ONCE * task.draws * task.cells,
        fitted + (f + PAIR_TABLES) * pair_table,
        fitted + 2 * DOUBLE * of_sampled,
        fitted + SUMS_COPIES * min(SUMS_BYTES, DOUBLE * task.layers * task.draws * f * task.sampled),
    ]
    if task.at_once:
        ordered = matrix if task.candidates > 1 and copies_ordered(matrix) else 0
        factors = features + grams + spectra + _factors(task) + ordered
        batches_held = DOUBLE * n * min(v, neuroids_at_once(n)) * task.threads
        chosen = DOUBLE * f * v
        table = task.candidates * f * min(v, neuroids_of_table(n, f, task.candidates)) * DOUBLE
        steps.append(factors + chosen + int(1.3 * table) + CHOICE_BATCHES * batches_held)
        steps.append(factors + chosen + matrix + inner + PREDICTION_BATCHES * batches_held)
    else:
        pieces = INVERSE_BYTES + RESIDUAL_BYTES * RESIDUAL_COPIES + REFIT_BYTES * task.refits
        errors = DOUBLE * task.candidates * min(v, CHUNK)
        of_fold = spectra + _factorisation(n - n // f, task) + FOLD_CHUNKS * chunk
        steps.append(fitted + of_fold + errors + min(pieces, DOUBLE * n * n * task.candidates + 4 * chunk))
    return int(always + max(steps))


def held_bytes(task: Task) -> int:
    """Return what is there before a layer is fitted: responses as given and as prepared, and features as given."""
    given = SINGLE * task.repetitions * task.samples * task.neuroids
    return given + _matrix(task) + SINGLE * task.samples * task.width


def measure_speed() -> Speed:
    """Measure rates by products and passes of a tenth of a second in all."""
    return Speed(_product_rate(np.dtype(np.float32)), _product_rate(np.dtype(np.float64)), _pass_rate())


def _number(task: Task) -> int:
    """Bytes of one number of the responses as prepared."""
    return SINGLE if task.single else DOUBLE


def _matrix(task: Task) -> int:
    """Bytes of responses, or of the predictions of all folds."""
    return _number(task) * task.samples * task.neuroids


def _spaces(task: Task) -> tuple[int, int, int]:
    """Bytes of a layer's features as prepared, of the Gram matrices that are kept, and of the spectra of all spaces."""
    n = task.samples
    grams = task.spaces if task.grams else int(task.width >= n)
    return DOUBLE * n * task.width, DOUBLE * n * n * grams, DOUBLE * n * task.axes * task.spaces


def _factorisation(n: int, task: Task) -> int:
    """Bytes while n rows are factorised: the smaller Gram matrix with what the solver takes, and its axes."""
    if task.grams or task.width >= n:
        return 6 * DOUBLE * n * n
    return 5 * DOUBLE * task.width**2 + 3 * DOUBLE * n * task.width


def _factors(task: Task) -> int:
    """Bytes of the factors in float64 and float32: of all candidates where these are kept, or of those side by side."""
    n, f, axes = task.samples, task.folds, task.axes
    rows = 2 * n // f
    of_pair = rows * rows if rows <= axes + 1 else (axes + 1) * (rows + axes + 1)
    whole = 2 * n * axes if 2 * axes < n else n * n
    numbers = whole + of_pair * task.pairs + f * rows * rows // 4
    of_one = numbers * (DOUBLE + (SINGLE if task.single else 0))
    made = 4 * DOUBLE * min(rows, axes + 1) ** 2  # while a block is inverted
    at_once = min(task.threads, factors_at_once(n), task.candidates)
    return of_one * (task.candidates if keeps_factors(n, task.candidates) else at_once) + made * at_once


def _of_pairs(task: Task) -> int:
    """Bytes while it is told how groups of a fold are scored by way of one another."""
    n, f, number = task.samples, task.folds, _number(task)
    test, train = n // f, n - n // f
    maps = MAP_COPIES * DOUBLE * test * n
    products = number * min(task.groups, MOST_BLOCKS) // f * train * task.cells
    copies = number * task.neuroids * test * FOLD_COPIES + 2 * number * train * min(task.neuroids, CHUNK)
    side_by_side = min(task.threads, f) if _matrix(task) <= within_free_memory(SIDE_BY_SIDE_BYTES) else 1
    return (maps + products + copies) * side_by_side


def _seconds_at_once(task: Task, speed: Speed) -> float:
    n, p, v, f, axes = task.samples, task.width, task.neuroids, task.folds, task.axes
    rows = 2 * n / f
    whole = min(2.0 * n * n, 4.0 * n * axes) * v  # C y
    held_out = task.pairs * 2.0 * rows**2 * v
    in_use = CANDIDATES_IN_USE if task.candidates > 1 else 1.0
    products = task.candidates * (whole + held_out) if task.candidates > 1 else 0.0
    products += in_use * (whole + held_out) if task.inner_scores else 0.0
    exact = in_use * whole + 2.0 * n * n * v  # predictions, and how groups train each other
    factors = task.candidates * (2.0 * n * n * axes + INVERSE * task.pairs * rows**3)
    decompositions = 2.0 * n * axes * p + EIGENVALUES * (task.spaces * axes**3 + f * axes**3)
    residuals = n * (f - 1) * v
    passes = CHOICE_PASSES * task.candidates * residuals + SCORE_PASSES * in_use * residuals * task.inner_scores
    rate = speed.single if task.single else speed.double
    return products / rate + (exact + factors + decompositions) / speed.double + passes / speed.elements


def _seconds_of_each(task: Task, speed: Speed) -> float:
    n, p, v, f, axes = task.samples, task.width, task.neuroids, task.folds, task.axes
    inner = max(f - 1, 1)
    decompositions = 2.0 * n * axes * p + EIGENVALUES * f * axes**3 * (1 + inner * task.refits) * task.spaces
    predictions = 2.0 * n * axes * v  # of one candidate
    products = f * task.candidates * (predictions + 2.0 * n * n / inner * v)
    passes = CHOICE_PASSES * f * task.candidates * n * v
    return (decompositions + products) / speed.double + passes / speed.elements


def _product_rate(dtype: np.dtype) -> float:
    left, right = np.ones((384, 384), dtype=dtype), np.ones((384, BATCH), dtype=dtype)
    return 2.0 * left.size * BATCH * _rate(lambda: left @ right)


def _pass_rate() -> float:
    values = np.ones((64, BATCH), dtype=np.float32)
    return values.size * _rate(lambda: np.multiply(values, values))


def _rate(work: Callable[[], object], seconds: float = 0.03) -> float:
    """Return how often some work is done in a second on all threads, each on its own."""
    threads = Threads()
    work()
    begun = time.perf_counter()
    for _ in range(4):
        work()
    times = max(1, int(4 * seconds / max(time.perf_counter() - begun, 1e-9)))

    def several(part: slice) -> None:
        for _ in range(part.start, part.stop):
            work()

    begun = time.perf_counter()
    with threads.pool() as each:
        each(several, batches(times * threads.count, times))
    return times * threads.count / (time.perf_counter() - begun)


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.2g} s"
    if seconds < 600:
        return f"{round(seconds, -1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3 * 3600 else f"{seconds / 3600:.1f} h"


def _size(size: int) -> str:
    return f"{size / MEBIBYTE:.0f} MiB" if size < GIBIBYTE else f"{size / GIBIBYTE:.1f} GiB"
