"""The ceiling extrapolated from growing pools of other subjects to infinitely many (Brain-Score).

It is an estimate from finite data, no bound: a model can score above it. And it is above 0 where subjects share
nothing: the asymptote of each neuroid's curve is held between 0 and 1, so that curves of noise give 0 or something,
never less, and their median or mean is something. What noise gives is therefore estimated beside it, by the same pools
and the same fit with the target subjects' responses shifted along the samples, and a ceiling that does not stand out
from it is told.
"""

import logging
from collections.abc import Sequence

import numpy as np

from brainalign.ceilings.ceiling import Ceiling
from brainalign.ceilings.other_subjects import OtherSubjects, other_subjects
from brainalign.ceilings.pools import DESIGNS, PoolScore, balanced_scores, brain_score_scores
from brainalign.ceilings.saturation import fit_saturation
from brainalign.ceilings.shifted import ShiftedTargets, shifted_targets
from brainalign.encoding.scores import Units, over_neuroids, pearson
from brainalign.encoding.settings import EncoderSettings
from brainalign.errors import InputError, unknown
from brainalign.intervals import percentile_interval
from brainalign.responses.samples import Columns, Samples

log = logging.getLogger(__name__)

FITS = ("neuroid", "aggregate")
HELD_OUT = 5  # Brain-Score's
# Of an aggregated curve, in units of the largest size. A straight line has no asymptote, and one through scores of
# almost 0 would otherwise have 1; so it is at most 3.5 times the score of the largest pools.
LONGEST_TAU = 3.0

Scores = dict[tuple[tuple[int, ...], int], np.ndarray]


def subject_pool_ceiling(
    responses: np.ndarray,
    samples: Samples,
    neuroids: Columns,
    settings: EncoderSettings,
    pools: int = 3,
    seed: int = 0,
    bootstraps: int = 100,
    fit: str = "neuroid",
    design: str = "balanced",
    held_out: int | None = None,
    shifts: int = 19,
) -> Ceiling:
    """Extrapolate the score of predictions from growing numbers of other subjects to infinitely many.

    For each bootstrap the scores of a size (pools x folds) are drawn with replacement and averaged, and
    v(x) = v0 (1 - exp(-x / tau)) is fitted; the ceiling is the median v0 over bootstraps, per neuroid, then aggregated.
    `low` and `high` come from the same bootstraps; they are not the draws of the models' scores, so `replicates` is
    None. A pool's Gram matrix is the sum of its subjects', and one factorisation predicts all of its targets.

    Parameters
    ----------
    pools : balanced: pools per size and held-out subject, at least (all of them where there are fewer);
        brain-score: draws per size.
    seed : of the pools, the bootstraps and the shifts.
    fit : "neuroid" (Brain-Score's), or "aggregate": fit the aggregated scores of each subject and region instead, with
        tau up to LONGEST_TAU times the largest size; single neuroids whose scores rise in a straight line (v0 = 1) or
        are noise do not distort it. `per_neuroid` is fitted per neuroid in both.
    design : "balanced" (`pools.balanced_scores`) or "brain-score" (`pools.brain_score_scores`).
    held_out : brain-score: draws of the held-out subject from each pool, 5 unless given.
    shifts : of the target responses, for what noise gives; 0 leaves that out.

    Raises
    ------
    InputError : fewer than 3 subjects, an unknown `fit` or `design`, a subject that the draws held out at fewer than 2
        sizes, and all that `other_subjects` refuses.
    """
    for kind, given, allowed in (("fit", fit, FITS), ("design", design, DESIGNS)):
        if given not in allowed:
            raise unknown(kind, given, allowed)
    data = other_subjects(responses, samples, neuroids, settings, least=3)
    random = np.random.default_rng(seed)
    if design == "balanced":
        asked = balanced_scores(data.n_subjects, pools, random)
    else:
        asked = brain_score_scores(data.n_subjects, pools, held_out or HELD_OUT, seed)
    _check_sizes(asked, data.units)
    shifted = shifted_targets(data, samples, shifts, np.random.default_rng([seed, shifts]))
    scores, of_shifted = _scores(asked, data, shifted)
    means = _bootstrapped_means(asked, scores, data.subject, bootstraps, random)
    aggregated = _Aggregation(settings.aggregate, fit)
    v0 = _asymptotes(asked, means, data.subject)  # (bootstrap, neuroid)
    per_neuroid = np.median(v0, axis=0)
    replicates, found = aggregated.of(means, v0, per_neuroid, data.units)
    # the aggregate of medians is not the median of aggregates where curves are noise: the spread is set around it
    low, high = (bound + found - np.median(replicates, axis=0) for bound in percentile_interval(replicates))
    null = null_high = None
    if shifts:
        null, null_high = _null(asked, of_shifted, shifted, bootstraps, random, aggregated)
        _tell(found, low, null, null_high)
    units = data.units
    return Ceiling(
        kind="subject-pool",
        score_subjects=units.score_subjects,
        score_regions=units.score_regions,
        per_neuroid=per_neuroid,
        aggregate=found,
        low=low,
        high=high,
        replicates=None,
        per_neuroid_low=percentile_interval(v0)[0],
        null=null,
        null_high=null_high,
    )


class _Aggregation:
    """How curves of neuroids become a ceiling of subjects and regions."""

    def __init__(self, name: str, fit: str) -> None:
        self.name, self.fit = name, fit

    def of(
        self, means: dict[int, np.ndarray], v0: np.ndarray, per_neuroid: np.ndarray, units: Units
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return replicates (bootstrap, score_subject, score_region) and the ceiling (score_subject, score_region).

        Parameters
        ----------
        means : size → (bootstrap, neuroid); v0 : (bootstrap, neuroid); per_neuroid : (neuroid,).
        """
        if self.fit == "neuroid":
            return over_neuroids(v0, units, self.name), over_neuroids(per_neuroid, units, self.name)
        sizes = [size for size, values in means.items() if np.isfinite(values).all()]
        curves = np.stack([over_neuroids(means[size], units, self.name) for size in sizes], axis=1)
        replicates = _fitted(np.array(sizes), curves, LONGEST_TAU * max(sizes))
        return replicates, np.median(replicates, axis=0)


def _scores(asked: Sequence[PoolScore], data: OtherSubjects, shifted: ShiftedTargets) -> tuple[Scores, Scores]:
    """Return (pool, target) → r (fold, neuroid of the target), and the same of its shifted responses."""
    targets: dict[tuple[int, ...], set[int]] = {}
    for score in asked:
        targets.setdefault(score.pool, set()).add(score.target)
    scores, of_shifted = Scores(), Scores()
    shared = data.trial.settings.penalties == "shared"
    for number, (pool, predicted) in enumerate(targets.items(), start=1):
        log.info("pool %d of %d: %d subjects predict %d others", number, len(targets), len(pool), len(predicted))
        wanted = [(scores, data.responses, data.subject, target) for target in sorted(predicted)]
        if shifted.count:
            wanted += [(of_shifted, shifted.responses, shifted.subject, target) for target in sorted(predicted)]
        # a penalty shared by all neuroids is one subject's, as where a subject is encoded
        for group in [[item] for item in wanted] if shared else [wanted]:
            parts = [responses[:, subject == target] for _, responses, subject, target in group]
            r = _r(data, pool, np.concatenate(parts, axis=1))
            ends = np.cumsum([part.shape[1] for part in parts])[:-1]
            for (found, _, _, target), own in zip(group, np.split(r, ends, axis=1), strict=True):
                found[pool, target] = own
    return scores, of_shifted


def _r(data: OtherSubjects, pool: Sequence[int], targets: np.ndarray) -> np.ndarray:
    """Return r of the targets in each scored fold (fold, target)."""
    predictions, tests = data.predict(pool, targets), [fold.test for fold in data.trial.folds]
    if data.trial.settings.pools:
        predictions, tests = [np.concatenate(predictions)], [np.concatenate(tests)]
    return np.stack([pearson(*pair)[0] for pair in zip(predictions, (targets[rows] for rows in tests), strict=True)])


def _check_sizes(asked: Sequence[PoolScore], units: Units) -> None:
    for number, name in enumerate(units.subjects):
        sizes = {score.size for score in asked if score.target == number}
        if len(sizes) < 2:
            raise InputError(
                f"the random pools predict the subject {str(name)!r} at {len(sizes)} sizes, but a curve needs 2; "
                "take more pools."
            )


def _bootstrapped_means(
    asked: Sequence[PoolScore], scores: Scores, subject: np.ndarray, bootstraps: int, random: np.random.Generator
) -> dict[int, np.ndarray]:
    """Return size → the mean of r over drawn pools x folds (bootstrap, neuroid), NaN where a subject has none."""
    means = {}
    for size in sorted({score.size for score in asked}):
        mean = np.full((bootstraps, len(subject)), np.nan)
        for target in range(int(subject.max(initial=-1)) + 1):
            own = [score for score in asked if (score.size, score.target) == (size, target)]
            if not own:
                continue
            choices = np.concatenate([scores[score.pool, target] for score in own])  # (pool x fold, neuroid)
            count = len(choices)
            drawn = random.multinomial(count, np.full(count, 1 / count), size=bootstraps)
            mean[:, subject == target] = drawn @ choices / count
        means[size] = mean
    return means


def _asymptotes(asked: Sequence[PoolScore], means: dict[int, np.ndarray], subject: np.ndarray) -> np.ndarray:
    """Fit each neuroid's curve over the sizes at which its subject was predicted; return v0 (bootstrap, neuroid)."""
    v0 = np.empty(next(iter(means.values())).shape)
    for target in range(int(subject.max(initial=-1)) + 1):
        sizes = sorted({score.size for score in asked if score.target == target})
        columns = np.flatnonzero(subject == target)
        v0[:, columns] = _fitted(np.array(sizes), np.stack([means[size][:, columns] for size in sizes], axis=1))
    return v0


def _fitted(sizes: np.ndarray, curves: np.ndarray, longest: float = np.inf) -> np.ndarray:
    """Fit curves (bootstrap, size, ...); return v0 (bootstrap, ...), NaN where a curve is."""
    moved = np.moveaxis(curves, 1, 0)  # (size, bootstrap, ...)
    flat = moved.reshape(len(sizes), -1)
    result = np.full(flat.shape[1], np.nan)
    finite = np.isfinite(flat).all(axis=0)
    result[finite] = fit_saturation(sizes, flat[:, finite], longest)[0]
    return result.reshape(moved.shape[1:])


def _null(
    asked: Sequence[PoolScore],
    scores: Scores,
    shifted: ShiftedTargets,
    bootstraps: int,
    random: np.random.Generator,
    aggregated: _Aggregation,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and the highest ceiling over shifts, (score_subject, score_region) each."""
    means = _bootstrapped_means(asked, scores, shifted.subject, bootstraps, random)
    v0 = _asymptotes(asked, means, shifted.subject)
    per_neuroid = np.median(v0, axis=0)
    found = []
    for shift in range(shifted.count):
        own = shifted.shift == shift
        of_shift = {size: values[:, own] for size, values in means.items()}
        units = shifted.units_of(shift)
        ceiling = aggregated.of(of_shift, v0[:, own], per_neuroid[own], units)[1]
        rows = [units.score_subjects.index(name) for name in shifted.units.score_subjects]
        columns = [units.score_regions.index(name) for name in shifted.units.score_regions]
        found.append(ceiling[np.ix_(rows, columns)])
    return np.mean(found, axis=0), np.max(found, axis=0)


def _tell(found: np.ndarray, low: np.ndarray, null: np.ndarray, null_high: np.ndarray) -> None:
    """Warn where the interval over everybody reaches what noise gives."""
    if low[0, 0] > null_high[0, 0]:
        return
    log.warning(
        "the extrapolated ceiling %.3f, from %.3f, does not stand out from noise: by the same pools and fit, subjects "
        "that share nothing have %.3f, up to %.3f; scores that are normalised by it mean nothing",
        found[0, 0],
        low[0, 0],
        null[0, 0],
        null_high[0, 0],
    )
