"""Sign-flip tests of group-wise contributions: of one model, or of the difference between two.

Under the null a group's contribution is as likely to be negative as positive, independently of the other groups. That
holds for predictions of an encoder trained on other data. In a cross-validation it does not, and the null distribution
is widened by what groups share: see `shared_training`.
"""

from collections.abc import Iterator

import numpy as np

from brainalign.errors import InputError, unknown
from brainalign.inference.p_values import PValues, resampled_p

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

    The statistic is the mean over groups, or Student's t of it ("studentised": columns of unlike variance weigh alike
    in the maximum over columns; a single column's p is the same). Resamples multiply each group by a random sign, the
    same in all columns, so that the maximum over columns keeps their dependence.

    Parameters
    ----------
    contributions : (group, column), a model's contributions (`contributions.group_contributions`), or the difference
        of two models'. A column of NaN alone gives NaN.
    alternative : "two-sided", "greater" or "less".
    spread : one number or (column,), `shared_training.spread_of` where contributions come from a cross-validation whose
        folds train each other. Without it 11 % (one-sided) and 15 % (two-sided) of simulated data sets of noise are
        rejected at 5 %; with it 4 to 6 %, of models that predict equally well, too. With SHARED_TRAINING_SPREAD, for
        where it is not known, 3 to 5 % of noise and 1 to 3 % where there is signal.

    Raises
    ------
    InputError : fewer than 2 groups, an unknown statistic or alternative, a column with some NaN.
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
    signs, enumerated = sign_patterns(len(values), draws, seed)
    squares = (values**2).mean(axis=0)

    def of_means(means: np.ndarray) -> np.ndarray:
        if statistic == "mean":
            return means
        variance = np.maximum(squares - means**2, 0.0) / (len(values) - 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where((means == 0) & ~np.isnan(squares), 0.0, means / np.sqrt(variance))

    null = (of_means(batch @ values / len(values)) for batch in _batches(signs, values.shape[1]))
    smallest = _smallest(len(signs), enumerated, alternative)
    return resampled_p(of_means(values.mean(axis=0)), null, alternative, spread, enumerated, smallest)


def _smallest(patterns: int, enumerated: bool, alternative: str) -> float:
    """Two-sided, the opposite of the observed pattern always ties with it where all patterns are enumerated."""
    ties = 2 if enumerated and alternative == "two-sided" else 1
    return ties / (patterns + 1)


def _batches(signs: np.ndarray, columns: int) -> Iterator[np.ndarray]:
    size = max(1, BATCH_NUMBERS // max(columns, 1))
    for start in range(0, len(signs), size):
        yield signs[start : start + size]
