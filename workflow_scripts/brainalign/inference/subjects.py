"""Intervals over subjects, where there are enough of them."""

from dataclasses import dataclass

import numpy as np

from brainalign.errors import InputError
from brainalign.inference.replicates import small_sample_factor
from brainalign.intervals import FEWEST_SUBJECTS, percentile_interval


@dataclass(frozen=True)
class OverSubjects:
    """The mean over subjects, with an interval or the reason for none.

    Parameters
    ----------
    values : (subject, …), to be shown in any case.
    mean, low, high : (…); low and high are NaN where subjects were not resampled.
    replicates : (draw, …), of which that interval is; NaN where subjects were not resampled.
    reason : why not, "" where they were.
    """

    values: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    replicates: np.ndarray
    reason: str


def over_subjects(
    values: np.ndarray, draws: int, seed: int | np.random.Generator, on_request: bool = False
) -> OverSubjects:
    """Return the mean over subjects and its 95 % interval from subjects drawn with replacement.

    Replicates are moved away from the mean by `small_sample_factor`, without which 6 and 10 subjects give intervals
    that cover 86 and 90 %. Under FEWEST_SUBJECTS subjects there is no interval, unless it is asked for.

    Parameters
    ----------
    values : (subject, …), finite.
    seed : of the random numbers, or these; several data sets drawn from the same generator are independent.
    on_request : resample fewer than FEWEST_SUBJECTS subjects, though at least 2.

    Raises
    ------
    InputError : no subject, or a value that is not finite.
    """
    values = np.asarray(values, dtype=np.float64)
    if not len(values) or not np.isfinite(values).all():
        raise InputError(f"an interval over subjects needs finite values, but has {len(values)} subjects with others.")
    size = len(values)
    mean = values.mean(axis=0)
    none = np.full(mean.shape, np.nan)
    if size < 2 or (size < FEWEST_SUBJECTS and not on_request):
        remedy = "" if size < 2 else " unless asked for"
        reason = f"{size} of at least {FEWEST_SUBJECTS} subjects: their values are shown, not resampled{remedy}"
        return OverSubjects(values, mean, none, none, np.full((draws, *mean.shape), np.nan), reason)
    weights = np.random.default_rng(seed).multinomial(size, np.full(size, 1 / size), size=draws) / size
    replicates = np.tensordot(weights, values, axes=1)  # (draw, …)
    replicates = mean + small_sample_factor(size) * (replicates - mean)
    return OverSubjects(values, mean, *percentile_interval(replicates), replicates, "")
