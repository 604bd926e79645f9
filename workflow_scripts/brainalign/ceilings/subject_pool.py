"""Ceilings from other subjects: the encoder with their responses as features, undelayed and not z-scored.

They are estimates from finite data, not bounds: a model can score above them.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from math import comb

import numpy as np

from brainalign.ceilings.ceiling import Ceiling
from brainalign.ceilings.known import ceiling_of_predictions
from brainalign.ceilings.saturation import fit_saturation
from brainalign.encoding.fit import TrainingFold, fit_fold, training_folds
from brainalign.encoding.preparation import prepare_responses
from brainalign.encoding.scores import Units, over_neuroids, pearson
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.spectrum import FeatureSpace
from brainalign.encoding.splits import make_folds
from brainalign.errors import InputError, unknown
from brainalign.intervals import percentile_interval
from brainalign.responses.samples import Columns, Samples

log = logging.getLogger(__name__)

FITS = ("neuroid", "aggregate")


def leave_one_subject_out_ceiling(
    responses: np.ndarray, samples: Samples, neuroids: Columns, settings: EncoderSettings
) -> Ceiling:
    """Predict each subject's neuroids from those of all other subjects, under the encoder's split and penalties.

    Raises
    ------
    InputError : fewer than 2 subjects, and all that `prepare_responses` and `make_folds` refuse.
    """
    data = _prepare(responses, samples, neuroids, settings, least_subjects=2)
    predictions = [np.empty((len(fold.test), len(data.units))) for fold in data.folds]
    for held_out in range(len(data.units.subjects)):
        targets = data.subject == held_out
        for prediction, part in zip(predictions, data.predict(~targets, targets), strict=True):
            prediction[:, targets] = part
    tests = [fold.test for fold in data.folds]
    truths = [data.responses[test] for test in tests]
    return ceiling_of_predictions("leave-one-subject-out", predictions, truths, samples, data.units, data.settings)


def subject_pool_ceiling(
    responses: np.ndarray,
    samples: Samples,
    neuroids: Columns,
    settings: EncoderSettings,
    pools: int = 3,
    seed: int = 0,
    bootstraps: int = 100,
    fit: str = "neuroid",
) -> Ceiling:
    """Extrapolate the score of predictions from x = 1 .. S - 1 other subjects to infinitely many (Brain-Score).

    Every pool of x subjects predicts all subjects outside it, with one factorisation. For each bootstrap the scores
    of a size (pools x folds) are drawn with replacement and averaged, and v(x) = v0 (1 - exp(-x / tau)) is fitted; the
    ceiling is the median v0 over bootstraps, per neuroid, then aggregated. `low` and `high` come from the same
    bootstraps; they are not the draws of the models' scores, so `replicates` is None.

    Parameters
    ----------
    pools : pools per size and held-out subject, at least (all of them where there are fewer).
    seed : of the pools and the bootstraps.
    fit : "neuroid", or "aggregate": fit the aggregated scores of each subject and region instead, which a neuroid
        whose score rises in a straight line (v0 = 1) does not distort. `per_neuroid` is fitted per neuroid in both.

    Raises
    ------
    InputError : fewer than 3 subjects, an unknown `fit`, and all that `prepare_responses` and `make_folds` refuse.
    """
    if fit not in FITS:
        raise unknown("fit", fit, FITS)
    data = _prepare(responses, samples, neuroids, settings, least_subjects=3)
    random = np.random.default_rng(seed)
    n_subjects = len(data.units.subjects)
    sizes = np.arange(1, n_subjects)
    means = np.empty((bootstraps, len(sizes), len(data.units)))
    for position, size in enumerate(sizes):
        chosen = list(draw_pools(n_subjects, int(size), pools, random))
        log.info("subject pools of %d: %d pools", size, len(chosen))
        means[:, position] = _bootstrapped_means(data, chosen, bootstraps, random)
    v0 = _asymptotes(sizes, means)  # (bootstrap, neuroid)
    per_neuroid = np.median(v0, axis=0)
    name = settings.aggregate
    if fit == "neuroid":
        replicates, scores = over_neuroids(v0, data.units, name), over_neuroids(per_neuroid, data.units, name)
    else:
        replicates = _asymptotes(sizes, over_neuroids(means, data.units, name))
        scores = np.median(replicates, axis=0)
    low, high = percentile_interval(replicates)
    units = data.units
    return Ceiling("subject-pool", units.score_subjects, units.score_regions, per_neuroid, scores, low, high, None)


def draw_pools(n_subjects: int, size: int, pools: int, random: np.random.Generator) -> Iterator[tuple[int, ...]]:
    """Yield different pools of `size` subjects until each subject is outside at least `pools` of them (or of all).

    A pool that holds out nobody who still needs one is passed over.
    """
    wanted = min(pools, comb(n_subjects - 1, size))
    needed = np.full(n_subjects, wanted)
    seen: set[tuple[int, ...]] = set()
    while (needed > 0).any():
        pool = tuple(sorted(random.choice(n_subjects, size, replace=False).tolist()))
        outside = np.setdiff1d(np.arange(n_subjects), pool)
        if pool in seen or not (needed[outside] > 0).any():
            continue
        seen.add(pool)
        needed[outside] -= 1
        yield pool


@dataclass(frozen=True)
class _Data:
    responses: np.ndarray
    subject: np.ndarray
    units: Units
    folds: list[TrainingFold]
    settings: EncoderSettings

    def predict(self, sources: np.ndarray, targets: np.ndarray) -> list[np.ndarray]:
        """Predict the target neuroids from the source neuroids; (test, target) for each fold."""
        space, y = FeatureSpace(self.responses[:, sources]), self.responses[:, targets]
        return [fit_fold(space, y, fold, self.settings, score_inner=False).prediction for fold in self.folds]


def _prepare(
    responses: np.ndarray, samples: Samples, neuroids: Columns, settings: EncoderSettings, least_subjects: int
) -> _Data:
    units = Units.from_table(neuroids)
    if len(units.subjects) < least_subjects:
        raise InputError(
            f"a ceiling from other subjects needs at least {least_subjects} of them here, "
            f"but the data set has {len(units.subjects)}."
        )
    folds = make_folds(settings.split, samples)
    y = prepare_responses(responses, samples, units, folds)
    subject = np.array([units.subjects.index(name) for name in units.subject])
    return _Data(y, subject, units, training_folds(folds, settings, score_inner=False), settings)


def _bootstrapped_means(
    data: _Data, pools: list[tuple[int, ...]], bootstraps: int, random: np.random.Generator
) -> np.ndarray:
    """Return the mean over drawn pools x folds of r, (bootstrap, neuroid), for pools of one size."""
    scores: list[list[np.ndarray]] = [[] for _ in data.units.subjects]  # of each held-out subject (fold, its neuroid)
    for pool in pools:
        sources = np.isin(data.subject, pool)
        predictions = data.predict(sources, ~sources)
        truths = [data.responses[fold.test][:, ~sources] for fold in data.folds]
        r = np.stack([pearson(*pair)[0] for pair in zip(predictions, truths, strict=True)])
        for held_out in set(range(len(scores))) - set(pool):
            scores[held_out].append(r[:, data.subject[~sources] == held_out])
    means = np.empty((bootstraps, len(data.units)))
    for held_out, found in enumerate(scores):
        choices = np.concatenate(found)  # (pool x fold, neuroid)
        size = len(choices)
        counts = random.multinomial(size, np.full(size, 1 / size), size=bootstraps)
        means[:, data.subject == held_out] = counts @ choices / size
    return means


def _asymptotes(sizes: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Fit curves (bootstrap, size, ...); return v0 (bootstrap, ...), NaN where a curve is."""
    curves = np.moveaxis(means, 1, 0)  # (size, bootstrap, ...)
    flat = curves.reshape(len(sizes), -1)
    result = np.full(flat.shape[1], np.nan)
    finite = np.isfinite(flat).all(axis=0)
    result[finite] = fit_saturation(sizes, flat[:, finite])[0]
    return result.reshape(curves.shape[1:])
