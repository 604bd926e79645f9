"""The noise ceiling of repeated responses: how well the signal predicts the mean of the repetitions."""

from dataclasses import dataclass

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
from brainalign.errors import InputError
from brainalign.responses.samples import Columns, Samples

NEUROIDS_AT_ONCE = 512


def repeats_ceiling(responses: np.ndarray, samples: Samples, neuroids: Columns, settings: EncoderSettings) -> Ceiling:
    """Return the noise ceiling of each neuroid from the variance over its repetitions.

    Repetition j of sample i is y_ij = signal_i + shift_j + noise_ij. By the analysis of variance without interaction

        σ²_noise = Σ (y_ij − shift_j − mean_i)² / (Σ (k_i − 1) − (m − 1)),     k_i repetitions of sample i, m in all,

    and the mean over repetitions, which is what the models predict, has of its variance over samples the share

        ρ = 1 − (σ²_noise · mean(1 / k_i) + variance of the mean shift) / variance of the mean

    from the signal. The ceiling is √ρ, the expected r of the signal with that mean; with the noise ceiling
    signal-to-noise ratio ncsnr = σ_signal / σ_noise of Allen et al. (2022) it is √(ncsnr² / (ncsnr² + 1/m)), m the
    harmonic mean of the k_i. Where nothing is missing all samples have the same mean shift; where repetitions are
    missing it varies with who is missing, which is noise. Values are not clipped: noise alone gives ρ about 0, as often
    below, and there the ceiling is −√−ρ. Replicates are over the groups of stimuli, conditional on the repetitions;
    of ρ they are set about the estimate and widened, see `resampling`.

    Parameters
    ----------
    responses : (repetition, sample, neuroid); subjects or readers are repetitions too. NaN is left out.
    settings : the split and the bootstrap give the draws, the aggregate is taken over neuroids; no regression.

    Raises
    ------
    InputError : a neuroid with fewer repeated responses than repetitions have shifts, and all that
        `resampling.check_repetitions` and `encoder.Trial` refuse.
    """
    units = Units.from_table(neuroids)
    values = check_repetitions(responses, samples, units, settings, "repeats")
    _check_freedom(values, units)
    trial = Trial(responses, samples, neuroids, settings)
    weights, spread = sample_weights(trial), spread_of_draws(trial)
    found, replicates = np.empty(len(units)), np.empty((len(weights), len(units)), dtype=np.float32)
    once = np.ones((1, values.shape[1]))
    for start in range(0, len(units), NEUROIDS_AT_ONCE):
        columns = slice(start, start + NEUROIDS_AT_ONCE)
        parts = _parts(values[:, :, columns].astype(np.float64))
        reliability = _reliability(parts, once)[0]
        found[columns] = signed_root(reliability)
        replicates[:, columns] = signed_root(about(reliability, _reliability(parts, weights), spread))
    return ceiling_of_responses("repeats", found, replicates, units, settings.aggregate)


def _check_freedom(values: np.ndarray, units: Units) -> None:
    """Refuse neuroids of which nothing is left to tell noise by: Σ (k_i − 1) − (m − 1) is 0 or less."""
    there = ~np.isnan(values)
    repeated = there.sum(axis=(0, 1)) - values.shape[1]  # Σ (k_i − 1)
    bad = repeated < there.any(axis=1).sum(axis=0)
    if bad.any():
        first = str(units.neuroid[np.argmax(bad)])
        raise InputError(
            f"{np.count_nonzero(bad)} of {len(bad)} neuroids have too few repeated responses to tell noise from shifts "
            f"between repetitions, the first is {first!r}."
        )


@dataclass(frozen=True)
class _Parts:
    """What each sample adds to the sums, (sample, neuroid), and the share of degrees of freedom left by the shifts."""

    mean: np.ndarray
    mean_shift: np.ndarray
    squares: np.ndarray  # within the sample, shifts taken out
    freedom: np.ndarray  # repetitions less one
    inverse: np.ndarray  # 1 / repetitions
    left: np.ndarray  # (neuroid,)


def _parts(values: np.ndarray) -> _Parts:
    there = ~np.isnan(values)
    counts = there.sum(axis=0).astype(np.float64)  # (sample, neuroid)
    y = np.where(there, values, 0.0)
    of_repetition = there.sum(axis=1)  # (repetition, neuroid)
    shifts = y.sum(axis=1) / np.maximum(of_repetition, 1)
    mean = y.sum(axis=0) / counts
    mean_shift = (there * shifts[:, None]).sum(axis=0) / counts
    rest = np.where(there, values - shifts[:, None] - (mean - mean_shift), 0.0)
    freedom = counts - 1
    total = freedom.sum(axis=0)
    left = (total - ((of_repetition > 0).sum(axis=0) - 1)) / total
    return _Parts(
        mean - mean.mean(axis=0), mean_shift - mean_shift.mean(axis=0), (rest**2).sum(axis=0), freedom, 1 / counts, left
    )


def _reliability(parts: _Parts, weights: np.ndarray) -> np.ndarray:
    """Return ρ for samples that count by weights (draw, sample): (draw, neuroid); NaN where nothing varies."""
    total = weights.sum(axis=1)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        noise = (weights @ parts.squares) / (weights @ parts.freedom * parts.left)
        of_mean = noise * (weights @ parts.inverse) / total + _variance(parts.mean_shift, weights, total)
        return np.asarray(1 - of_mean / _variance(parts.mean, weights, total))


def _variance(values: np.ndarray, weights: np.ndarray, total: np.ndarray) -> np.ndarray:
    return np.asarray((weights @ values**2 - (weights @ values) ** 2 / total) / (total - 1))
