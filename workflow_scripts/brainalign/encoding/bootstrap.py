"""Seeded bootstrap over groups, drawn once for a data set, so that models' replicates can be subtracted.

What is drawn depends on the groups' names, the folds and the seed alone, so that models, nulls and ceilings of a data
set share their draws, and other data sets have others:

- where every group is tested in one fold (grouped splits, single sentences): in each fold its groups, with
  replacement, as many as it has;
- where a group's rows are tested in several folds (shuffled splits): groups of the whole data set, with replacement,
  the same draw in all folds, since the folds are not independent;
- where every group is tested in one fold and some fold has fewer than FEWEST_GROUPS of them (stories held out one by
  one): folds, with replacement. Groups of so small a fold often leave only one that differs, whose r is lower than the
  fold's, so that the interval of a score would lie below the score.

The fit is not repeated: intervals are conditional on the fitted encoder.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from brainalign.encoding.scores import CONSTANT, Units, aggregate, correlation, pearson
from brainalign.encoding.splits import Fold

FEWEST_GROUPS = 5


@dataclass(frozen=True)
class Draws:
    """Bootstrap draws of a data set under a split.

    Parameters
    ----------
    resampled : "groups within folds", "groups" or "folds".
    groups : for each fold, the group number of each of its test rows (row,), counted within the fold.
    counts : for each fold, how often each draw takes each of its groups (draw, group), None where folds are resampled.
    fold_weights : (draw, fold): 1, or 0 where a draw takes no group of a fold, or how often the fold is drawn.
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
    if len(everyone) == sum(map(len, names)):
        if min(map(len, names)) < FEWEST_GROUPS:
            return Draws("folds", groups, None, _multinomial(random, len(folds), draws))
        counts = tuple(_multinomial(random, len(found), draws) for found in names)
        return Draws("groups within folds", groups, counts, np.ones((draws, len(folds))))
    drawn = _multinomial(random, len(everyone), draws)
    counts = tuple(drawn[:, np.searchsorted(everyone, found)] for found in names)
    weights = np.stack([(count.sum(axis=1) > 0).astype(np.float64) for count in counts], axis=1)
    return Draws("groups", groups, counts, weights)


def replicate(
    draws: Draws, predictions: Sequence[np.ndarray], responses: Sequence[np.ndarray], units: Units, name: str
) -> np.ndarray:
    """Return the aggregate of r in every draw.

    Parameters
    ----------
    predictions, responses : for each fold (test, neuroid).
    units : of the neuroids.
    name : of the aggregate, see `scores.aggregate`.

    Returns
    -------
    (draw, score_subject, score_region) float32
    """
    r_of_folds = (
        replicate_r(draws, fold, prediction, response)
        for fold, (prediction, response) in enumerate(zip(predictions, responses, strict=True))
    )
    return aggregate(r_of_folds, units, name, draws.fold_weights).astype(np.float32)


def replicate_r(draws: Draws, fold: int, prediction: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Return r of one fold's rows in every draw, from sums over groups: (draw, neuroid).

    Rows count as often as their group is drawn. A prediction that is constant in the fold, or in a draw, gives 0.
    Where folds are resampled it is (1, neuroid): r itself, whatever the draw.
    """
    if draws.counts is None:
        return pearson(prediction, response)[0][None]
    p = prediction - prediction.mean(axis=0)
    y = response - response.mean(axis=0)
    constant = (p**2).sum(axis=0) <= CONSTANT**2 * (y**2).sum(axis=0)
    p = np.where(constant, 0.0, p)
    rows = np.concatenate([p, y, p * p, y * y, p * y], axis=1)  # (row, 5 * neuroid)
    sums = draws.counts[fold] @ (draws.indicators[fold] @ rows)  # (draw, 5 * neuroid)
    n = np.maximum(draws.counts[fold] @ draws.indicators[fold].sum(axis=1), 1.0)[:, None]  # (draw, 1)
    sum_p, sum_y, sum_pp, sum_yy, sum_py = np.split(sums, 5, axis=1)
    variance_y = sum_yy - sum_y**2 / n
    variance_y = np.where(variance_y > 1e-12 * sum_yy, variance_y, 0.0)  # less is rounding: one value, repeated
    return correlation(sum_py - sum_p * sum_y / n, sum_pp - sum_p**2 / n, variance_y)


def _multinomial(random: np.random.Generator, size: int, draws: int) -> np.ndarray:
    return random.multinomial(size, np.full(size, 1.0 / size), size=draws).astype(np.float64)
