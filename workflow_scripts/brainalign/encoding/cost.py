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

from brainalign.encoding.dependence import MOST_BLOCKS
from brainalign.encoding.nested import KEPT_BYTES, TABLE_BYTES
from brainalign.encoding.places import BATCH
from brainalign.encoding.threads import Threads, batches

DOUBLE, SINGLE = 8, 4  # bytes of a number
CANDIDATES_IN_USE = 2.0  # ASSUME: different candidates that a neuroid chooses over the outer folds
EIGENVALUES = 25.0  # times n³: operations of an eigendecomposition, at the rate of products
INVERSE = 4.0  # times n³: of an inverse, likewise
BATCHES = 4  # of a thread's batch of neuroids: responses, residuals, and copies of both
FOLD_COPIES = 5  # of one fold's test rows, while they are scored
PAIR_TABLES = 6  # times group × group × cell, while the dependence of groups is counted
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
    draws : of the bootstrap.
    cells : subjects × regions, with "all" of both, that scores and replicates are kept of.
    groups : of the bootstrap; with them grows what tells how groups train each other.
    threads : that work side by side.
    inner_scores : whether layers are chosen by inner scores.
    at_once : whether all folds are fitted from one factorisation.
    refits : whether each inner fold is factorised by itself, where folds are not fitted at once.
    single : whether products may be in float32.
    """

    samples: int
    width: int
    neuroids: int
    layers: int = 1
    folds: int = 10
    penalties: int = 13
    spaces: int = 1
    draws: int = 1000
    cells: int = 4
    groups: int = 100
    threads: int = 2
    inner_scores: bool = True
    at_once: bool = True
    refits: bool = False
    single: bool = True

    @property
    def candidates(self) -> int:
        """Spaces × penalties."""
        return self.penalties * self.spaces

    @property
    def axes(self) -> int:
        """How many principal axes the features have at most."""
        return min(self.samples, self.width)

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
    each = SINGLE if task.single else DOUBLE
    matrix = each * n * v  # responses, or predictions of all folds
    of_layer = f * v * (each + 2 * DOUBLE)  # r, R² and penalties
    always = SINGLE * n * v + matrix * (1 + (task.layers > 1)) + 2 * task.layers * of_layer
    always += 2 * SINGLE * task.draws * (task.layers + 1) * task.cells
    always += 2 * DOUBLE * v * task.cells  # the neuroids' names and cells
    always += SINGLE * n * task.width + BATCHES * DOUBLE * n * min(v, BATCH) * task.threads
    dependence = DOUBLE * min(task.groups, MOST_BLOCKS) ** 2 * task.cells
    features, gram = DOUBLE * n * task.width, DOUBLE * n * n if task.width >= n else 0
    held = task.spaces * (DOUBLE * n * task.axes + (gram if task.spaces > 1 else 0)) + features + gram
    inner = each * f * (f - 1) * v if task.inner_scores else 0
    steps = [4 * features, features + gram + _factorisation(n, task.width)]
    if task.at_once:
        factors = _factors(task)
        table = DOUBLE * task.candidates * f * v
        steps.append(held + factors + min(2 * table, 2 * TABLE_BYTES))
        steps.append(held + factors + matrix + inner + DOUBLE * f * v)
    else:
        steps.append(held + _factorisation(n - n // f, task.width) + matrix + inner)
    known = features + gram + matrix + inner
    steps.append(known + _factorisation(n - n // f, task.width))
    rows = FOLD_COPIES * matrix // f
    steps.append(known + matrix - matrix // f + rows + dependence)  # the training rows of one fold
    steps.append(known + rows + PAIR_TABLES * dependence)
    return int(always + max(steps))


def measure_speed() -> Speed:
    """Measure rates by products and passes of a tenth of a second in all."""
    return Speed(_product_rate(np.dtype(np.float32)), _product_rate(np.dtype(np.float64)), _pass_rate())


def _factorisation(n: int, width: int) -> int:
    """Bytes while n rows are factorised: the smaller Gram matrix with what the solver takes, and its axes."""
    if width >= n:
        return 6 * DOUBLE * n * n
    return 5 * DOUBLE * width * width + 3 * DOUBLE * n * width


def _factors(task: Task) -> int:
    """Bytes of the factors in float64 and float32: of one candidate, or of all where these are kept."""
    n, f, axes = task.samples, task.folds, task.axes
    rows = 2 * n // f
    of_pair = rows * rows if rows <= axes + 1 else (axes + 1) * (rows + axes + 1)
    whole = 2 * n * axes if 2 * axes < n else n * n
    numbers = whole + of_pair * task.pairs + f * rows * rows // 4
    of_one = numbers * (DOUBLE + (SINGLE if task.single else 0))
    all_kept = 5 * DOUBLE * n * n * task.candidates <= KEPT_BYTES
    return of_one * task.candidates if all_kept else of_one


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
