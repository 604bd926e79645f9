"""The ceiling from random halves of the repetitions, with the correction of Spearman and Brown."""

from itertools import combinations
from math import comb

import numpy as np

from brainalign.ceilings.ceiling import Ceiling, signed_root
from brainalign.ceilings.resampling import (
    about,
    ceiling_of_responses,
    check_repetitions,
    sample_weights,
    spread_of_draws,
)
from brainalign.encoding.scores import Units
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.trial import Trial
from brainalign.errors import InputError, unknown
from brainalign.responses.samples import Columns, Samples

OF = ("r", "reliability")
NEUROIDS_AT_ONCE = 512


def split_half_ceiling(
    responses: np.ndarray,
    samples: Samples,
    neuroids: Columns,
    settings: EncoderSettings,
    splits: int = 10,
    seed: int = 0,
    of: str = "r",
) -> Ceiling:
    """Return the median over random halves of the repetitions of r corrected to all repetitions.

    For each split r is of the mean responses of its two halves over samples, and 2r / (1 + r) the reliability of the
    mean of all repetitions (Spearman 1910, Brown 1910). A perfect model's r with that mean is its square root, which
    is the ceiling. `of="reliability"` gives the reliability itself, a ceiling of r² and declared as one; Brain-Score
    (Futrell2018) takes it as a ceiling of r. Not clipped: where r is below 0 the root of what is below 0 is taken as
    −√−x. Replicates are over the groups of stimuli, conditional on the halves; of the reliability they are set
    about the estimate and widened, see `resampling`.

    Parameters
    ----------
    responses : (repetition, sample, neuroid); subjects or readers are repetitions too. NaN is left out of a half's
        mean, and a sample without a value in one half is left out of that split.
    splits : random halves; all of them where there are no more.
    seed : of the halves.
    of : "r" or "reliability".
    settings : the split and the bootstrap give the draws, the aggregate is taken over neuroids; no regression.

    Raises
    ------
    InputError : an unknown `of`, fewer than 1 split, and all that `resampling.check_repetitions` and
        `encoder.Trial` refuse.
    """
    if of not in OF:
        raise unknown("quantity of a split-half ceiling", of, OF)
    units = Units.from_table(neuroids)
    values = check_repetitions(responses, samples, units, settings, "split-half")
    trial = Trial(responses, samples, neuroids, settings)
    weights, spread = sample_weights(trial).astype(np.float32), spread_of_draws(trial)
    halves = draw_halves(len(values), splits, np.random.default_rng(seed))
    found, replicates = np.empty(len(units)), np.empty((len(weights), len(units)), dtype=np.float32)
    once = np.ones((1, values.shape[1]))
    for start in range(0, len(units), NEUROIDS_AT_ONCE):
        columns = slice(start, start + NEUROIDS_AT_ONCE)
        part = values[:, :, columns].astype(np.float64)
        of_all, of_draws = [], []
        for half in halves:
            first, second, there = _halves(part, half)
            of_all.append(_corrected(first, second, there, once))
            first, second, there = (array.astype(np.float32) for array in (first, second, there))
            of_draws.append(_corrected(first, second, there, weights))
        found[columns] = np.median(of_all, axis=0)[0]
        replicates[:, columns] = about(found[columns], np.median(of_draws, axis=0), spread)
    if of == "r":
        found, replicates = signed_root(found), signed_root(replicates)
    return ceiling_of_responses("split-half", found, replicates, units, settings.aggregate, squared=of == "reliability")


def draw_halves(repetitions: int, splits: int, random: np.random.Generator) -> list[np.ndarray]:
    """Return the numbers of the repetitions in the first half of each split, (repetitions // 2,) each.

    All splits where there are no more than asked for, otherwise different random ones.

    Raises
    ------
    InputError : fewer than 1 split.
    """
    if splits < 1:
        raise InputError(f"a split-half ceiling needs at least 1 split, but is given {splits}.")
    size = repetitions // 2
    even = repetitions % 2 == 0
    if comb(repetitions, size) // (2 if even else 1) <= splits:
        every = combinations(range(repetitions), size)
        return [np.array(half) for half in every if not even or half[0] == 0]
    found: dict[tuple[int, ...], None] = {}
    while len(found) < splits:
        half = sorted(random.choice(repetitions, size, replace=False).tolist())
        if even and half[0] != 0:  # the same split, called by its other half
            half = sorted(set(range(repetitions)) - set(half))
        found[tuple(half)] = None
    return [np.array(half) for half in found]


def _halves(values: np.ndarray, half: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the means of both halves, centred and 0 where a half has no value, and where both have one."""
    is_first = np.isin(np.arange(len(values)), half)
    first, second = _mean(values[is_first]), _mean(values[~is_first])
    there = ~(np.isnan(first) | np.isnan(second))
    return _centred(first, there), _centred(second, there), there.astype(np.float64)


def _mean(values: np.ndarray) -> np.ndarray:
    there = ~np.isnan(values)
    counts = there.sum(axis=0)
    return np.where(counts > 0, np.where(there, values, 0.0).sum(axis=0) / np.maximum(counts, 1), np.nan)


def _centred(mean: np.ndarray, there: np.ndarray) -> np.ndarray:
    held = np.where(there, mean, 0.0)
    held = np.where(there, held - held.sum(axis=0) / np.maximum(there.sum(axis=0), 1), 0.0)
    scale = np.sqrt((held**2).sum(axis=0))
    return np.asarray(held / np.where(scale > 0, scale, 1.0))


def _corrected(first: np.ndarray, second: np.ndarray, there: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return 2r / (1 + r) of two halves (sample, neuroid) with samples weighted, (draw, neuroid).

    0 where a half does not vary, NaN where weights are.
    """
    n = np.maximum(weights @ there, 1)
    sum_first, sum_second = weights @ first, weights @ second
    covariance = weights @ (first * second) - sum_first * sum_second / n
    variance = (weights @ first**2 - sum_first**2 / n) * (weights @ second**2 - sum_second**2 / n)
    varies = variance > 0
    r = np.where(varies, covariance / np.sqrt(np.where(varies, variance, 1)), np.where(np.isnan(variance), np.nan, 0))
    return np.asarray(2 * r / np.maximum(1 + r, np.finfo(r.dtype).eps))
