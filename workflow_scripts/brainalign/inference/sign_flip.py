"""Sign-flip tests of group-wise contributions: of one model, or of the difference between two.

Under the null a group's contribution is as likely to be negative as positive, independently of the other groups. That
holds for predictions of an encoder trained on other data. In a cross-validation it does not, and the null distribution
is widened by what groups share: see `shared_training`.
"""

from collections.abc import Iterator

import numpy as np

from brainalign.errors import InputError, unknown
from brainalign.inference.p_values import TIE, PValues, checked_spread, resampled_p

STATISTICS = ("mean", "studentised")
ENUMERATE_UP_TO = 2**14  # sign patterns
BATCH_NUMBERS = 2**24  # resampled statistics held at a time: 128 MiB of float64


def sign_patterns(groups: int, draws: int, seed: int) -> tuple[np.ndarray, bool]:
    """Return sign patterns (pattern, group) of -1 and 1 without the one of ones, and whether they are all.

    All 2^groups - 1 are returned where they are at most `draws` or ENUMERATE_UP_TO; else `draws` random ones.

    Raises
    ------
    InputError : fewer than 2 groups, or less than one draw.
    """
    if groups < 2:
        raise InputError(f"a sign-flip test needs at least 2 groups, but there is {groups}.")
    if draws < 1:
        raise InputError(f"a sign-flip test needs at least 1 draw, but is given {draws}.")
    if 2**groups <= max(draws, ENUMERATE_UP_TO):
        bits = (np.arange(1, 2**groups)[:, None] >> np.arange(groups)) & 1
        return 1.0 - 2.0 * bits, True
    random = np.random.default_rng(seed)
    return 1.0 - 2.0 * random.integers(0, 2, size=(draws, groups)), False


def sign_flip_test(
    contributions: np.ndarray,
    draws: int = 9999,
    seed: int = 0,
    alternative: str = "two-sided",
    statistic: str = "mean",
    spread: float | np.ndarray = 1.0,
) -> PValues:
    """Test whether the mean over groups of each column is 0.

    The statistic is the mean over groups, c̄, or ("studentised") the mean over its standard error under the null,

        z = c̄ / (spread √(Σ_g c_g² / G²)),

    of G groups: columns of unlike variance or spread weigh alike in the maximum over columns. The standard error is the
    same in all resamples, so that a single column's p is that of the mean, and never above p_family. Without a spread z
    is a monotone function of Student's t, t = z √((G - 1) / (G - z²)), the same for all columns, and gives the same p.
    With a spread t would not do: it grows faster than the mean, so that spread × t is less than the t of spread × c̄.
    Resamples multiply each group by a random sign, the same in all columns, so that the maximum over columns
    keeps their dependence.

    `smallest_p` is the p of groups that all contribute alike, whose z, √G / spread, is the largest that there can be.
    With a spread of 1 no contributions have a smaller p. With more, some patterns near that of ones are beyond it, too,
    and of unequal contributions there may be fewer of them: of 8 groups at a spread of √2, 8 of all 255 besides the one
    observed, but only 3 where five groups contribute 1.7 times as much as the others.

    Parameters
    ----------
    contributions : (group, column), a model's contributions (`contributions.group_contributions`), or the difference
        of two models'. A column of NaN alone gives NaN.
    alternative : "two-sided", "greater" or "less".
    spread : one number or (column,), `shared_training.spread_of` where contributions come from a cross-validation whose
        folds train each other; resampled means are multiplied by it. Without it 11 % (one-sided) and 15 % (two-sided)
        of simulated data sets of noise are rejected at 5 %; with it 4 to 6 %, of models that predict equally well, and
        of families of 2 to 5 feature spaces, too. With SHARED_TRAINING_SPREAD, for where it is not known, 3 to 5 % of
        noise and 1 to 3 % where there is signal.

    Raises
    ------
    InputError : fewer than 2 groups, an unknown statistic or alternative, a column with some NaN, a spread that is not
        above 0.
    """
    if statistic not in STATISTICS:
        raise unknown("statistic", statistic, STATISTICS)
    values = np.asarray(contributions, dtype=np.float64)
    missing = np.isnan(values)
    partly = missing.any(axis=0) & ~missing.all(axis=0)
    if partly.any():
        column = int(np.argmax(partly))
        raise InputError(
            f"column {column} of the contributions is NaN in {int(missing[:, column].sum())} of {len(values)} groups: "
            "it must be so in all or in none."
        )
    spread = checked_spread(spread)
    signs, enumerated = sign_patterns(len(values), draws, seed)
    unit = spread * np.sqrt((values**2).mean(axis=0) / len(values)) if statistic == "studentised" else np.ones(1)
    unit = np.where(unit == 0, 1.0, unit)  # of a column of zeros, whose means are all 0
    null = (batch @ values / len(values) / unit for batch in _batches(signs, values.shape[1]))
    smallest = _p_of_equal_contributions(signs, spread, alternative)
    return resampled_p(values.mean(axis=0) / unit, null, alternative, spread, enumerated, smallest)


def _p_of_equal_contributions(signs: np.ndarray, spread: np.ndarray, alternative: str) -> np.ndarray:
    """Return p where all groups contribute the same, in the shape of `spread`.

    Their mean under a pattern is the pattern's mean sign, which counts where spread × mean is at least 1.
    """
    means = signs.mean(axis=1)
    means = np.sort(np.abs(means) if alternative == "two-sided" else means)
    beyond = len(means) - np.searchsorted(means, (1 - TIE) / spread)
    return np.asarray((beyond + 1) / (len(means) + 1))


def _batches(signs: np.ndarray, columns: int) -> Iterator[np.ndarray]:
    size = max(1, BATCH_NUMBERS // max(columns, 1))
    for start in range(0, len(signs), size):
        yield signs[start : start + size]
