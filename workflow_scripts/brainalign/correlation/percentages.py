"""The average gain in per cent, in the three ways in which people compute it; they differ."""

from collections.abc import Mapping

import numpy as np

from brainalign.correlation.scores import ModelScores
from brainalign.intervals import percentile_interval

UNKNOWN = "the interval of the base's r is not known, so that the per cent is of a base that may be 0"
AT_ZERO = "no per cent: the interval of the base's r does not lie above 0"
NOT_POSITIVE = "no per cent: the base's r is not above 0"


def percent_change(tuned: float, base: float, base_replicates: np.ndarray) -> tuple[float, str]:
    """Return 100 × (tuned / base − 1) with what is to be said of it, or NaN with the reason for none.

    There is none where the base's r is not above 0, or where its interval over stimuli reaches down to 0: a ratio to
    what may be 0 has no meaning. Where no interval is known, as of published scores, the per cent is given and this
    is said.

    Parameters
    ----------
    base_replicates : (draw,) of the base's r; NaN or none where there are none.
    """
    if not base > 0:
        return float("nan"), NOT_POSITIVE
    low = float(percentile_interval(base_replicates)[0])
    if low <= 0:
        return float("nan"), AT_ZERO
    return float(100 * (tuned / base - 1)), "" if np.isfinite(low) else UNKNOWN


def percentages(scores: ModelScores, pairs: Mapping[str, str]) -> dict[str, float]:
    """Return the average gain in per cent over pairs, in three ways.

    percent_mean_over_pairs : the mean over pairs of 100 × (r_tuned / r_base − 1), of these scores; for "average", of
        the averaged scores. `percent_pairs` says of how many pairs: those whose base allows one.
    percent_mean_over_datasets : for "average", the mean over data sets (weighted as the average is) of each data set's
        percent_mean_over_pairs, so that a data set with low scores counts as much as one with high scores (so in Aw
        et al. 2023); for one data set, the same as the first. NaN where a data set has no pair that allows one.
    percent_of_mean_r : 100 × (mean r_tuned / mean r_base − 1), the gain of the mean score; where the mean of the bases
        allows one.

    Parameters
    ----------
    pairs : tuned model → base, all of them with a score.
    """
    t = [scores.of(model) for model in pairs]
    b = [scores.of(model) for model in pairs.values()]
    own = _each(scores, pairs)
    of_datasets = _mean(own)
    if scores.parts:
        means = [weight * _mean(_each(part, pairs)) for part, weight in scores.parts]
        of_datasets = float(np.sum(means))
    of_mean, _ = percent_change(scores.r[t].mean(), scores.r[b].mean(), scores.replicates[:, b].mean(axis=1))
    return {
        "percent_pairs": int(np.isfinite(own).sum()),
        "percent_mean_over_pairs": _mean(own),
        "percent_mean_over_datasets": of_datasets,
        "percent_of_mean_r": of_mean,
    }


def _each(scores: ModelScores, pairs: Mapping[str, str]) -> np.ndarray:
    changes = []
    for tuned, base in pairs.items():
        t, b = scores.of(tuned), scores.of(base)
        changes.append(percent_change(scores.r[t], scores.r[b], scores.replicates[:, b])[0])
    return np.array(changes)  # (pair,)


def _mean(values: np.ndarray) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")
