"""Tests of finished scores, and how far apart two of them may be, from what groups contribute and share by training.

Both need no predictions: `contributions` and `pairs` of the fits are kept, see `inference.shared_training`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from brainalign.inference.p_values import NOT_COUNTED, ONE_FOLD
from brainalign.inference.shared_training import shared_variance, spread_of, tells_dependence
from brainalign.inference.sign_flip import sign_flip_test
from brainalign.scored import Fits, Scores

DRAWS = 1999  # sign patterns of a test


def p_columns(scores: Scores, nulls: Mapping[str, Scores], is_best: bool) -> dict[str, Any]:
    """Return the columns of p and `dependence`, which `alignment.alignment_table` describes; NaN where there are none.

    Parameters
    ----------
    nulls : name → scores under the same draws.
    is_best : whether the chosen layer is the one with the highest test score.
    """
    nothing = np.full(scores.r.shape, np.nan)
    found = dict.fromkeys("r_p r_p_layers r_p_shift over_null_p over_null_p_layers smallest_p".split(), nothing)
    fits = scores.fits
    found["dependence"] = np.array("" if fits is None else fits.dependence, dtype=object)
    if fits is None:
        return found
    if not is_best:
        found["r_p_shift"] = np.append(nothing[:-1], fits.shift_p[None], axis=0)
    if len(fits.contributions) < 2 or np.isnan(fits.contributions[:, -1]).all():
        return found
    best_layer = int(scores.chosen_layer.flat[0]) if is_best else None  # the same in all folds
    tested = _sign_flips(fits.contributions, fits.pairs, fits, best_layer)
    found["r_p"], found["r_p_layers"], found["smallest_p"] = tested
    beside = [null.fits for null in nulls.values() if null.fits is not None]
    if beside:
        best = best_null(nulls)[None, None]  # (1, 1, subject, region)
        contributions = np.take_along_axis(np.stack([of.contributions[:, -1] for of in beside], axis=1), best, axis=1)
        pairs = np.take_along_axis(np.stack([of.pairs[:, :, -1] for of in beside], axis=2), best[None], axis=2)
        found["over_null_p"], found["over_null_p_layers"], _ = _sign_flips(
            fits.contributions - contributions, fits.pairs - pairs, fits, best_layer
        )
    return found


def _sign_flips(
    contributions: np.ndarray, pairs: np.ndarray, fits: Fits, best_layer: int | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return p alone, p in the family of layers, and p alone of equal contributions, (layer, subject, region) each.

    One fold's groups deviate from their own mean, which takes 1 / m from the variance of m groups; the null
    distribution is widened by that.

    Parameters
    ----------
    best_layer : the one with the highest test score, where it is the chosen layer, whose p is then that of the family.
    """
    shape = contributions.shape[1:]
    flat = contributions.reshape(*contributions.shape[:2], -1)  # (group, layer, cell)
    spread = np.full(flat.shape[1:], np.sqrt(len(flat) / (len(flat) - 1)))
    if fits.dependence != ONE_FOLD:
        spread = _spread(contributions, pairs, fits)
        spread[-1] *= fits.choice_spread
        spread = spread.reshape(flat.shape[1:])
    alone = sign_flip_test(flat.reshape(len(flat), -1), DRAWS, alternative="greater", spread=spread.ravel())
    family = np.full(flat.shape[1:], np.nan)
    for cell in range(flat.shape[2]):
        tested = sign_flip_test(
            flat[:, :-1, cell], DRAWS, alternative="greater", statistic="studentised", spread=spread[:-1, cell]
        )
        family[:-1, cell] = tested.p_family
    p = alone.p.reshape(shape)
    if best_layer is not None:
        p[-1] = family.reshape(shape)[best_layer]
    return p, family.reshape(shape), alone.smallest_p.reshape(shape)


def best_null(nulls: Mapping[str, Scores]) -> np.ndarray:
    """Return the number of the null with the highest r of its chosen layer, (subject, region).

    Parameters
    ----------
    nulls : name → scores, at least one.
    """
    chosen = np.stack([null.r[-1] for null in nulls.values()])  # (null, subject, region)
    return np.asarray(np.where(np.isnan(chosen), -np.inf, chosen).argmax(axis=0))


def replicates_beyond(nulls: Fits, joint: Fits, by_choice: float | np.ndarray) -> np.ndarray:
    """Return replicates of R² of features and nulls less that of the nulls, (draw, subject, region).

    Folds depend on each other by less in what nulls and features predict than in what the features add, of which they
    may predict nothing. So the replicates of both are taken as a bootstrap with the fits held gives them, and their
    difference is widened by its own spread, from the pairs of the difference, and by the choice of the features' layer.
    With both widened by themselves, intervals of 40 groups cover 85 to 88 % of the mean over data sets, so 92 to 95 %.

    Parameters
    ----------
    nulls, joint : fits of the nulls together, and of features and nulls.
    by_choice : (subject, region), by how much the choice of the features' layer widens replicates.
    """
    joint_alone, nulls_alone = (
        (of.replicates_r2 - of.replicates_r2.mean(axis=0)) / of.spread_r2 for of in (joint, nulls)
    )
    mean = (joint.replicates_r2 - nulls.replicates_r2).mean(axis=0)
    spread: float | np.ndarray = 1.0
    if joint.dependence not in (ONE_FOLD, NOT_COUNTED):
        contributions = joint.contributions[:, -1] - nulls.contributions[:, -1]
        spread = _spread(contributions, joint.pairs[:, :, -1] - nulls.pairs[:, :, -1], joint) * by_choice
    return np.asarray(mean + spread * (joint_alone - nulls_alone))


def _spread(contributions: np.ndarray, pairs: np.ndarray, fits: Fits) -> np.ndarray:
    """Return by how much a distribution is too narrow in which folds do not train each other, (...).

    Parameters
    ----------
    contributions : (group, ...); pairs : (block, block, ...).
    """
    shared = np.full(contributions.shape[1:], np.nan)
    if tells_dependence(fits.fold_of_block):
        shared = shared_variance(pairs, fits.fold_of_block, fits.pair_share)
    return spread_of(shared, np.square(contributions).sum(axis=0))
