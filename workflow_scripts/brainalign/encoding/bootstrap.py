"""Seeded bootstrap over groups, drawn once for a data set, so that models' replicates can be subtracted.

What is drawn depends on the groups' names, the folds and the seed alone, so that models, nulls and ceilings of a data
set share their draws, and other data sets have others:

- where every group is tested in one fold (grouped splits, single sentences): in each fold its groups, with
  replacement, as many as it has;
- where a group's rows are tested in several folds (shuffled splits): groups of the whole data set, with replacement,
  the same draw in all folds, since the folds are not independent;
- where every group is tested in one fold and some fold has fewer than FEWEST_GROUPS of them (stories held out one by
  one): folds, with replacement. Groups of so small a fold often leave only one that differs, whose r is lower than the
  fold's, so that the interval of a score would lie below the score;
- where fewer than FEWEST_GROUPS groups are scored together, in one fold or in overlapping ones: nothing. One group
  drawn again is itself, so that every interval would be a point.

The fit is not repeated: intervals are conditional on the fitted encoder.
"""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Protocol

import numpy as np

from brainalign.encoding.medians import medians_in_draws
from brainalign.encoding.scores import CONSTANT, Units, aggregate, means_of_sums, pearson
from brainalign.encoding.splits import Fold
from brainalign.encoding.threads import Threads, batches

FEWEST_GROUPS = 5
BATCH = 128  # neuroids at a time, so that a batch of draws stays in the processor's cache
SUMS_AT_ONCE = 32  # batches whose sums are held, so that they are added in one order whichever thread is first
ROUNDING = {"float64": 1e-12, "float32": 3e-6}  # share of a draw's sum of squares below which its variance is rounding


@dataclass(frozen=True)
class Draws:
    """Bootstrap draws of a data set under a split.

    Parameters
    ----------
    resampled : "groups within folds", "groups" or "folds"; "nothing" where few groups are scored together, whose
        replicates are NaN.
    groups : for each fold, the group number of each of its test rows (row,), counted within the fold.
    counts : for each fold, how often each draw takes each of its groups (draw, group), None where folds are resampled.
    fold_weights : (draw, fold): 1, or 0 where a draw takes no group of a fold, or how often the fold is drawn; NaN
        where nothing is resampled.
    """

    resampled: str
    groups: tuple[np.ndarray, ...]
    counts: tuple[np.ndarray, ...] | None
    fold_weights: np.ndarray

    @cached_property
    def indicators(self) -> list[np.ndarray]:
        """For each fold (group, row): 1 where the row is of the group."""
        return [(np.arange(rows.max() + 1)[:, None] == rows).astype(np.float64) for rows in self.groups]


def make_draws(split_group: np.ndarray, folds: Sequence[Fold], draws: int, seed: int) -> Draws:
    """Draw groups, or folds, as the module says.

    Parameters
    ----------
    split_group : (sample,).
    draws : how many.
    seed : of numpy's default generator.
    """
    labels = np.asarray(split_group).astype(str)
    unique = [np.unique(labels[fold.test], return_inverse=True) for fold in folds]
    groups = tuple(index for _, index in unique)
    names = [list(found) for found, _ in unique]
    everyone = np.unique(np.concatenate(names))
    random = np.random.default_rng([seed, zlib.crc32("\0".join(everyone.tolist()).encode())])
    are_apart = len(everyone) == sum(map(len, names))
    if len(everyone) < FEWEST_GROUPS and (len(folds) == 1 or not are_apart):
        return Draws("nothing", groups, None, np.full((draws, len(folds)), np.nan))
    if are_apart:
        if min(map(len, names)) < FEWEST_GROUPS:
            return Draws("folds", groups, None, _multinomial(random, len(folds), draws))
        counts = tuple(_multinomial(random, len(found), draws) for found in names)
        return Draws("groups within folds", groups, counts, np.ones((draws, len(folds))))
    drawn = _multinomial(random, len(everyone), draws)
    counts = tuple(drawn[:, np.searchsorted(everyone, found)] for found in names)
    weights = np.stack([(count.sum(axis=1) > 0).astype(np.float64) for count in counts], axis=1)
    return Draws("groups", groups, counts, weights)


def replicate(
    draws: Draws,
    predictions: Sequence[np.ndarray],
    responses: "Sequence[Columns]",
    units: Units,
    name: str,
    statistic: "Statistic | None" = None,
    spread: np.ndarray | None = None,
) -> np.ndarray:
    """Return the aggregate of r, or of another statistic, in every draw.

    Medians are of replicates that are moved together first, see `medians`.

    Parameters
    ----------
    predictions, responses : for each fold (test, neuroid), in the precision to compute in.
    units : of the neuroids.
    name : of the aggregate, see `scores.aggregate`.
    statistic : `replicate_r` unless given.
    spread : (score_subject, score_region), by how much replicates are too narrow, since folds train each other and
        groups are few, which medians need to know; 1 unless given.

    Returns
    -------
    (draw, score_subject, score_region) float32
    """
    of = statistic or replicate_r
    if name == "mean":
        return _replicated_means(draws, predictions, responses, units, of)
    wide = np.ones(units.members.shape[:2]) if spread is None else spread
    over = partial(medians_in_draws, spread=wide)
    if name == "brain-score":
        every = (_of_fold(draws, fold, predictions[fold], responses[fold], of) for fold in range(len(predictions)))
        return aggregate(every, units, name, draws.fold_weights, over).astype(np.float32)
    total = np.empty((len(draws.fold_weights), len(units)), dtype=np.float32)

    def work(columns: slice) -> None:
        total[:, columns] = mean_over_folds(draws, predictions, responses, columns, of)

    with Threads().pool() as each:
        each(work, batches(len(units), BATCH))
    return over(total, units, name).astype(np.float32)


def _replicated_means(
    draws: Draws, predictions: Sequence[np.ndarray], responses: "Sequence[Columns]", units: Units, of: "Statistic"
) -> np.ndarray:
    """Return `replicate` for means: sums over neuroids, batch by batch, so that no draw × neuroid array is made."""
    members = units.members.reshape(-1, len(units)).T.astype(predictions[0].dtype)  # (neuroid, cell)
    total = np.zeros((len(draws.fold_weights), members.shape[1]))
    sums = np.empty((SUMS_AT_ONCE, *total.shape))

    def work(columns: slice) -> None:
        place = columns.start // BATCH % SUMS_AT_ONCE
        sums[place] = mean_over_folds(draws, predictions, responses, columns, of) @ members[columns]

    with Threads().pool() as each:
        for part in batches(len(units), BATCH * SUMS_AT_ONCE):
            pieces = [
                slice(part.start + own.start, part.start + own.stop) for own in batches(part.stop - part.start, BATCH)
            ]
            each(work, pieces)
            total += sums[: len(pieces)].sum(axis=0)
    return means_of_sums(total, units).astype(np.float32)


def mean_over_folds(
    draws: Draws, predictions: Sequence[np.ndarray], responses: "Sequence[Columns]", columns: slice, of: "Statistic"
) -> np.ndarray:
    """Return the weighted mean over folds of a statistic in every draw, for some neuroids (draw, neuroid).

    Parameters
    ----------
    predictions, responses : for each fold (test, neuroid), in the precision to compute in.
    columns : of the neuroids.
    """
    dtype = predictions[0].dtype
    weights = (draws.fold_weights / draws.fold_weights.sum(axis=1, keepdims=True)).astype(dtype)  # (draw, fold)
    total = np.zeros((len(weights), columns.stop - columns.start), dtype=dtype)
    for fold, (prediction, response) in enumerate(zip(predictions, responses, strict=True)):
        total += weights[:, fold, None] * of(draws, fold, prediction[:, columns], response[:, columns])
    return total


def _of_fold(draws: Draws, fold: int, prediction: np.ndarray, response: "Columns", of: "Statistic") -> np.ndarray:
    """Return a statistic of all neuroids, computed in batches (draw, neuroid)."""
    pieces = batches(prediction.shape[1], BATCH)
    found: list[np.ndarray] = [np.empty(0)] * len(pieces)

    def work(columns: slice) -> None:
        found[columns.start // BATCH] = of(draws, fold, prediction[:, columns], response[:, columns])

    with Threads().pool() as each:
        each(work, pieces)
    return np.concatenate(found, axis=1)


def replicate_r(draws: Draws, fold: int, prediction: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Return r of one fold's rows in every draw, from sums over groups: (draw, neuroid).

    Rows count as often as their group is drawn. A prediction that is constant in the fold, or in a draw, gives 0.
    Where folds are resampled it is (1, neuroid): r itself, whatever the draw.
    """
    if draws.counts is None:
        return pearson(prediction, response)[0][None]
    y = response - response.mean(axis=0)
    p = prediction - prediction.mean(axis=0)
    length_p, length_y = np.einsum("ij,ij->j", p, p), np.einsum("ij,ij->j", y, y)
    varies = length_p > CONSTANT**2 * length_y
    y /= np.sqrt(length_y)
    p *= np.where(varies, 1.0 / np.sqrt(np.where(varies, length_p, 1.0)), 0.0).astype(p.dtype)
    counts, indicators = draws.counts[fold].astype(p.dtype), draws.indicators[fold].astype(p.dtype)
    n = np.maximum(counts @ indicators.sum(axis=1), 1.0)[:, None]  # (draw, 1)
    root = 1.0 / np.sqrt(n)
    sum_p = (counts * root) @ (indicators @ p)  # (draw, neuroid), over the root of n
    sum_y = (counts * root) @ (indicators @ y)
    covariance = counts @ (indicators @ (p * y))
    covariance -= sum_p * sum_y
    found, product = _variance(sum_p, counts @ (indicators @ (p * p)))
    also_found, of_y = _variance(sum_y, counts @ (indicators @ (y * y)))
    product *= of_y
    found &= also_found
    if not found.all():
        product[~found] = np.inf
    np.sqrt(product, out=product)
    covariance /= product
    return np.asarray(covariance)


def _variance(sums: np.ndarray, squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where the sum of squares about the mean is more than rounding, and that sum; both arguments are used up.

    Parameters
    ----------
    sums : over the square root of how many there are.
    squares : summed.
    """
    np.square(sums, out=sums)
    squares -= sums
    share = ROUNDING[sums.dtype.name]
    sums *= share / (1.0 - share)  # squares - sums > share * squares, without another array
    return squares > sums, squares


def replicate_r2(draws: Draws, fold: int, prediction: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Return R² against the training mean of one fold's rows in every draw: (draw, neuroid).

    R² = [Σ w (y² - e²) / Σ w] / [Σ y² / n], with w how often a row's group is drawn: the reduction of squared error is
    resampled, and the response's own mean square is held at its value in all n rows. Were it resampled too, draws would
    lie below the estimate on average, since groups with large responses have large reductions. Where folds are
    resampled it is (1, neuroid): R² itself.

    Parameters
    ----------
    prediction, response : (row, neuroid), both as deviations from the mean of the training rows.
    """
    reduction = np.square(response) - np.square(response - prediction)
    total = np.square(response).sum(axis=0)  # (neuroid,)
    if draws.counts is None:
        return np.asarray(reduction.sum(axis=0) / total)[None]
    counts, indicators = draws.counts[fold].astype(response.dtype), draws.indicators[fold].astype(response.dtype)
    rows = np.maximum(counts @ indicators.sum(axis=1), 1.0)[:, None]  # (draw, 1)
    drawn = counts @ (indicators @ reduction)
    drawn *= len(response) / rows
    return np.asarray(drawn / total)


class Columns(Protocol):
    """Rows × neuroids of which some neuroids can be asked for: an array, or `trial.Deviations`."""

    def __getitem__(self, place: tuple[slice, slice], /) -> np.ndarray: ...


Statistic = Callable[[Draws, int, np.ndarray, np.ndarray], np.ndarray]


def _multinomial(random: np.random.Generator, size: int, draws: int) -> np.ndarray:
    return random.multinomial(size, np.full(size, 1.0 / size), size=draws).astype(np.float64)
