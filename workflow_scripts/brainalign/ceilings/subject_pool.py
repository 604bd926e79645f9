"""The ceiling extrapolated from growing pools of other subjects to infinitely many (Brain-Score).

It is an estimate from finite data, no bound: a model can score above it. And it is above 0 where subjects share
nothing: the asymptote of each neuroid's curve is held between 0 and 1, so that curves of noise give 0 or something,
never less, and their median or mean is something. What noise gives is therefore estimated beside it, by the same pools
and the same fit with the target subjects' responses shifted along the samples, and a ceiling that does not stand out
from it is told.

Whether a single neuroid has a ceiling is told by asymptotes of the same curves that may be negative, down to -1, in
resamples over groups of stimuli: noise gives values below 0 as often as above.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brainalign.ceilings.ceiling import Ceiling
from brainalign.ceilings.other_subjects import other_subjects
from brainalign.ceilings.pool_scores import Curves, curves_over_groups, curves_over_scores
from brainalign.ceilings.pools import DESIGNS, PoolScore, balanced_scores, brain_score_scores
from brainalign.ceilings.saturation import fit_saturation
from brainalign.ceilings.shifted import ShiftedTargets, shifted_targets
from brainalign.encoding.scores import Units, over_neuroids
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.trial import Trial
from brainalign.errors import InputError, unknown
from brainalign.intervals import LEVEL, percentile_interval
from brainalign.responses.samples import Columns, Samples

log = logging.getLogger(__name__)

FITS = ("neuroid", "aggregate")
HELD_OUT = 5  # Brain-Score's
# Of an aggregated curve, in units of the largest size. A straight line has no asymptote, and one through scores of
# almost 0 would otherwise have 1; so it is at most 3.5 times the score of the largest pools.
LONGEST_TAU = 3.0


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

    v(x) = v0 (1 - exp(-x / tau)), v0 in [0, 1], is fitted to the mean r over pools and folds by size in every resample;
    the ceiling is the median v0, per neuroid, then aggregated (v0 of the curve itself where nothing can be resampled).
    A pool's Gram matrix is the sum of its subjects', and one factorisation predicts all of its targets. Two designs:

    - "balanced": every size predicts every subject (`pools.balanced_scores`), and resamples are over groups of stimuli,
      as a model's. `low` and `high` are conditional on the fits and on these subjects, and widened for folds that train
      each other; of 80 simulated data sets of 5 subjects they held the mean estimate over stimuli in 91 %, and those of
      single subjects in 91 to 99 %.
    - "brain-score": Brain-Score's pools, fit and bootstrap. A resample draws the scores of a size, pools × folds, which
      share their stimuli and are no units of inference: `low` and `high` tell how the estimate depends on them, and are
      too narrow for other stimuli, the more so the more pools there are (6 balanced pools so resampled held it in
      50 %).

    `per_neuroid_low` is of the balanced design's resamples with v0 in [-1, 1]: their 2.5 % quantile, widened as above,
    less the bound that 2.5 % of neuroids exceed where responses are shifted, where that is above 0. Of neuroids of
    noise 2.2 to 3.0 % had it above 0 (3 to 6 subjects, grouped and shuffled splits); without shifts 3.5 to 7 %. It is
    None for "brain-score", by whose resamples 21 to 35 % would.

    Neither uses the draws of the models' scores, so `replicates` is None.

    Parameters
    ----------
    pools : balanced: pools per size and held-out subject, at least (all of them where there are fewer);
        brain-score: draws per size.
    seed : of the pools, the bootstraps and the shifts.
    bootstraps : how many resamples.
    fit : "neuroid" (Brain-Score's), or "aggregate": fit the aggregated scores of each subject and region instead, with
        tau up to LONGEST_TAU times the largest size; single neuroids whose scores rise in a straight line (v0 = 1) or
        are noise do not distort it. `per_neuroid` is fitted per neuroid in both.
    design : "balanced" or "brain-score".
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
    units, random, published = data.units, np.random.default_rng(seed), design == "brain-score"
    if published:
        asked = brain_score_scores(data.n_subjects, pools, held_out or HELD_OUT, seed)
    else:
        asked = balanced_scores(data.n_subjects, pools, random)
    _check_sizes(asked, units)
    shifted = shifted_targets(data, shifts, np.random.default_rng([seed, shifts]))
    if published:
        curves, of_shifted = curves_over_scores(asked, data, shifted, bootstraps, random)
    else:
        curves, of_shifted = curves_over_groups(asked, data, shifted, bootstraps, seed)
    own, of_noise = (_asymptotes(of, signed=not published) for of in (curves, of_shifted))
    found, replicates = _aggregated(curves, own, units, settings.aggregate, fit)
    # the aggregate of medians is not the median of aggregates where curves are noise: the spread is set around it
    spread = (replicates if published else _widened(replicates, data.trial)) - np.median(replicates, axis=0)
    low, high = percentile_interval(found + spread if curves.drawn is not None else np.full(replicates.shape, np.nan))
    null = null_high = None
    if shifts:
        null, null_high = _null(of_shifted, of_noise, shifted, settings.aggregate, fit)
        _tell(found, low, null, null_high)
    return Ceiling(
        kind="subject-pool",
        score_subjects=units.score_subjects,
        score_regions=units.score_regions,
        per_neuroid=own.middle,
        aggregate=found,
        low=low,
        high=high,
        replicates=None,
        per_neuroid_low=None if published else _lower_bounds(own, of_noise, data.trial),
        null=null,
        null_high=null_high,
    )


@dataclass(frozen=True)
class _Asymptotes:
    """v0 of the curves of neuroids in every resample, or of the curves themselves where there is none.

    Parameters
    ----------
    bounded : (draw, neuroid), in [0, 1].
    signed : (draw, neuroid), in [-1, 1]; NaN where it is not known.
    """

    bounded: np.ndarray
    signed: np.ndarray

    @property
    def middle(self) -> np.ndarray:
        """The median over draws (neuroid,)."""
        return np.asarray(np.median(self.bounded, axis=0))

    def of(self, neuroids: np.ndarray) -> "_Asymptotes":
        """Return those of some neuroids, (neuroid,) bool."""
        return _Asymptotes(self.bounded[:, neuroids], self.signed[:, neuroids])


def _asymptotes(curves: Curves, signed: bool) -> _Asymptotes:
    """Fit the curves of neuroids; where nothing is resampled, the curves themselves as one draw, whose sign is unknown.

    Parameters
    ----------
    signed : whether signed asymptotes are wanted; every curve is then known at all sizes.
    """
    if curves.drawn is None or not signed:
        bounded = asymptotes(curves.sizes, curves.resamples)
        return _Asymptotes(bounded, np.full(bounded.shape, np.nan))
    of_signed = asymptotes(curves.sizes, curves.drawn, lowest=-1.0)
    bounded, below = of_signed.copy(), of_signed <= 0  # where it is above 0, the best fit is the same within [0, 1]
    bounded[below] = fit_saturation(curves.sizes, np.moveaxis(curves.drawn, 1, 0)[:, below])[0]
    return _Asymptotes(bounded, of_signed)


def _aggregated(curves: Curves, found: _Asymptotes, units: Units, name: str, fit: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the ceilings of subjects and regions (score_subject, score_region), and of every resample (draw, ...).

    Parameters
    ----------
    name : of the aggregate, see `scores.aggregate`.
    fit : one of FITS.
    """
    if fit == "neuroid":
        return over_neuroids(found.middle, units, name), over_neuroids(found.bounded, units, name)
    cells = over_neuroids(curves.resamples, units, name)  # (draw, size, score_subject, score_region)
    flat = cells.reshape(*cells.shape[:2], -1)
    replicates = asymptotes(curves.sizes, flat, longest=LONGEST_TAU * curves.sizes.max())
    replicates = replicates.reshape(len(cells), *cells.shape[2:])
    return np.median(replicates, axis=0), replicates


def _widened(replicates: np.ndarray, trial: Trial) -> np.ndarray:
    """Return replicates (draw, ...) that hold how folds depend on each other, see `encoding.dependence`."""
    return trial.dependence.corrected(replicates, trial.dependence_of(None))


def _lower_bounds(own: _Asymptotes, of_noise: _Asymptotes, trial: Trial) -> np.ndarray:
    """Return the 2.5 % quantile of each neuroid's signed asymptotes, less what noise exceeds as often; NaN if no draws.

    Parameters
    ----------
    of_noise : of shifted responses, possibly none.
    """
    bounds, bounds_of_noise = (percentile_interval(_widened(of.signed, trial))[0] for of in (own, of_noise))
    if not len(bounds_of_noise):
        return bounds
    return np.asarray(bounds - max(0.0, float(np.quantile(bounds_of_noise, (1 + LEVEL) / 2))))


def asymptotes(sizes: np.ndarray, scores: np.ndarray, longest: float = np.inf, lowest: float = 0.0) -> np.ndarray:
    """Return v0 (..., column) of curves (..., size, column), each over the sizes at which it is known.

    NaN where a curve is known at fewer than 2 sizes. A column is known at the same sizes in all its curves, or not at
    all.

    Parameters
    ----------
    sizes : (size,).
    longest, lowest : bounds of tau and of v0, see `fit_saturation`.
    """
    known = np.isfinite(scores).any(axis=tuple(range(scores.ndim - 2)))  # (size, column)
    found = np.full((*scores.shape[:-2], scores.shape[-1]), np.nan)
    patterns, number = np.unique(known, axis=1, return_inverse=True)
    for index, pattern in enumerate(patterns.T):
        rows, columns = np.flatnonzero(pattern), np.flatnonzero(number.ravel() == index)
        if len(rows) < 2:
            continue
        curves = np.moveaxis(scores[..., rows, :][..., columns], -2, 0)  # (size, ..., column)
        flat = curves.reshape(len(rows), -1)
        whole = np.isfinite(flat).all(axis=0)
        v0 = np.full(flat.shape[1], np.nan)
        v0[whole] = fit_saturation(sizes[rows], flat[:, whole], longest, lowest)[0]
        found[..., columns] = v0.reshape(curves.shape[1:])
    return found


def _check_sizes(asked: Sequence[PoolScore], units: Units) -> None:
    for number, name in enumerate(units.subjects):
        sizes = {score.size for score in asked if score.target == number}
        if len(sizes) < 2:
            raise InputError(
                f"the random pools predict the subject {str(name)!r} at {len(sizes)} sizes, but a curve needs 2; "
                "take more pools."
            )


def _null(
    curves: Curves, found: _Asymptotes, shifted: ShiftedTargets, name: str, fit: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and the highest ceiling over shifts, (score_subject, score_region) each."""
    ceilings = []
    for shift in range(shifted.count):
        units, own = shifted.units_of(shift), shifted.shift == shift
        ceiling, _ = _aggregated(curves.of(own), found.of(own), units, name, fit)
        rows = [units.score_subjects.index(subject) for subject in shifted.units.score_subjects]
        columns = [units.score_regions.index(region) for region in shifted.units.score_regions]
        ceilings.append(ceiling[np.ix_(rows, columns)])
    return np.mean(ceilings, axis=0), np.max(ceilings, axis=0)


def _tell(found: np.ndarray, low: np.ndarray, null: np.ndarray, null_high: np.ndarray) -> None:
    """Warn where the interval over everybody, or the estimate where it has none, reaches what noise gives."""
    if (found if np.isnan(low[0, 0]) else low)[0, 0] > null_high[0, 0]:
        return
    log.warning(
        "the extrapolated ceiling %.3f, from %.3f, does not stand out from noise: by the same pools and fit, subjects "
        "that share nothing have %.3f, up to %.3f; scores that are normalised by it mean nothing",
        found[0, 0],
        low[0, 0],
        null[0, 0],
        null_high[0, 0],
    )
