"""The variance that a bootstrap of held-out rows does not see: folds of a cross-validation train each other.

Let Q_gh be what test group g contributes to the score by way of training group h. The contributions c_g = Σ_h Q_gh of
different groups are dependent, since Q_gh and Q_hg hold the same two responses and, up to the fit, are equal. A
bootstrap over groups with the fits held estimates

    Σ_g var(c_g),   not   var(Σ_g c_g) = Σ_g var(c_g) + Σ_{g ≠ h} cov(Q_gh, Q_hg).

Where nothing is predicted the second sum equals the first (the score is a degenerate U-statistic): intervals of 95 %
cover 76 to 83 %. Where the prediction is good and the fit stable it vanishes. With Q̃ the pairs less their row and
column effects it is estimated by Σ Q̃_gh Q̃_hg, and replicates get it as a deviation with random signs ε of groups,

    d = ε' S ε / (√2 folds),   S = (Q̃ + Q̃') / 2,   variance |S|² / folds²,

which is linear in Q: with the same signs in all models, differences of replicates hold the dependence of the
difference. That no estimator from the scores of folds alone can do this is shown by Bengio & Grandvalet (2004); the
size of the error is that of Nadeau & Bengio (2003) and of Bates, Hastie & Tibshirani (2023).
"""

import zlib
from collections.abc import Iterable, Sequence

import numpy as np

from brainalign.encoding.scores import Units
from brainalign.encoding.threads import batches
from brainalign.errors import InputError
from brainalign.inference.contributions import base_members, over_cells, scaled_responses, standardised
from brainalign.inference.sign_flip import quadratic

FEWEST_GROUPS = 5  # to tell covariances of pairs by
_SWEEPS = 20  # of row and column means; each divides the rest by about the squared number of groups
IN_CACHE = 2**17  # products of test and training rows at a time
_AT_ONCE = 4096  # neuroids, so that no copies of all are made
_STREAM = 1  # keeps these draws apart from the bootstrap's of the same seed and groups


def pair_contributions(
    hats: Iterable[tuple[np.ndarray, np.ndarray]],
    training_response: np.ndarray,
    prediction: np.ndarray,
    response: np.ndarray,
    centre: np.ndarray,
    training_groups: np.ndarray,
    test_groups: np.ndarray,
    groups: int,
    units: Units,
) -> np.ndarray:
    """Return what each test group of one fold contributes to its r by way of each training group.

        Q_gh = mean over neuroids of Σ_{i in g, j in h} z_i H_ij (y_j - mean) / |p - p̄|,   z = (y - centre) / |y - ȳ|

    with the mean of the training responses, and H the linear map from them to predictions, whose rows sum to 0 (the
    intercept apart), its columns centred over the test rows. Σ_h Q_gh are the fold's `group_contributions` about the
    same centre. The cost is one product of (test, neuroid) by (neuroid, training) for each penalty's neuroids: as much
    as predicting once.

    Parameters
    ----------
    hats : for each penalty in use, H (test, training) and the numbers of the neuroids that it predicts; for the kept
        axes of a ridge H = T (D + λ)^-1 Zᵀ. Together the numbers are all neuroids, each once.
    training_response : (training, neuroid); prediction, response : (test, neuroid), of one fold.
    centre : (neuroid,), taken from the test responses: for `shared_training_deviations` their own mean in the fold,
        since replicates centre every draw in its fold too (with the mean over all samples, intervals cover 96 to
        97.5 %); for `sign_flip_pairs_test` the mean over all samples, as for `group_contributions` (with the fold's,
        5 to 7 % of data sets of noise are rejected).
    training_groups, test_groups : group numbers, (training,) and (test,).
    groups : how many there are in the data set.
    units : of the neuroids.

    Returns
    -------
    (group, group, score_subject, score_region), test by training, 0 in rows of groups that the fold does not test. The
    sum over folds is the data set's; for a layer chosen by fold, the sum over folds of the chosen layers'.

    Raises
    ------
    InputError : a neuroid that is in no hat or in two.
    """
    norm = np.linalg.norm(prediction - prediction.mean(axis=0), axis=0)
    varies = standardised(prediction, response).any(axis=0)
    scale = np.where(varies, 1.0 / np.where(varies, norm, 1.0), 0.0)
    z = (scaled_responses(response, centre) * scale).astype(response.dtype)
    members = base_members(units) > 0
    products = np.zeros(
        (len(members), len(response), len(training_response)), dtype=z.dtype
    )  # of test and training rows
    at_once = max(1, IN_CACHE // len(training_response))
    times = np.zeros(len(units), dtype=np.int64)
    for hat, neuroids in hats:
        times[neuroids] += 1
        used = np.zeros(len(units), dtype=bool)
        used[neuroids] = True
        centred = (hat - hat.mean(axis=0)).astype(z.dtype)
        for base, of_base in enumerate(members):
            chosen = np.flatnonzero(of_base & used)
            if not len(chosen):
                continue
            for part in batches(len(chosen), _AT_ONCE):
                own = chosen[part]
                of_test, of_training = z[:, own], training_response[:, own]
                of_training = (of_training - of_training.mean(axis=0)).T
                for rows in batches(len(response), at_once):
                    product = of_test[rows] @ of_training
                    product *= centred[rows]
                    products[base, rows] += product
    if (times != 1).any():
        neuroid = int(np.argmax(times != 1))
        raise InputError(f"neuroid {neuroid} is predicted by {times[neuroid]} hats, but must be by one.")
    numbers = np.arange(groups)[:, None]
    of_test_group, of_training_group = ((numbers == of).astype(z.dtype) for of in (test_groups, training_groups))
    pairs = of_test_group @ products @ of_training_group.T  # (base, group, group)
    return over_cells(np.moveaxis(pairs.astype(np.float64), 0, 2), units)


def group_signs(groups: Sequence[str], draws: int, seed: int) -> np.ndarray:
    """Return random signs (draw, group): the same for every model of a data set, others for other groups."""
    random = np.random.default_rng([seed, zlib.crc32("\0".join(groups).encode()), _STREAM])
    return 1.0 - 2.0 * random.integers(0, 2, size=(draws, len(groups)))


def centred_pairs(pairs: np.ndarray, fold_of_group: np.ndarray) -> np.ndarray:
    """Return S: pairs of different folds less additive effects of both groups, symmetric, scaled for these effects.

    Parameters
    ----------
    pairs : (group, group, ...), test by training, as summed over folds.
    fold_of_group : (group,), where each group is tested.

    Raises
    ------
    InputError : fewer than FEWEST_GROUPS groups, or as few pairs of different folds as there are effects.
    """
    apart, freedom = _pairs_apart(fold_of_group)
    if not tells_dependence(fold_of_group):
        raise InputError(
            f"the dependence of folds needs at least {FEWEST_GROUPS} groups, and more pairs of different folds than "
            f"twice the groups, but there are {len(fold_of_group)} groups in {len(np.unique(fold_of_group))} folds "
            f"with {int(apart.sum())} such pairs."
        )
    mask = apart.astype(np.float64).reshape(*apart.shape, *[1] * (pairs.ndim - 2))
    values = pairs * mask
    for _ in range(_SWEEPS):
        values = (values - values.sum(axis=1, keepdims=True) / mask.sum(axis=1, keepdims=True)) * mask
        values = (values - values.sum(axis=0, keepdims=True) / mask.sum(axis=0, keepdims=True)) * mask
    return np.asarray((values + values.swapaxes(0, 1)) / 2 * np.sqrt(apart.sum() / freedom))


def tells_dependence(fold_of_group: np.ndarray) -> bool:
    """Tell whether groups in folds (group,) have more pairs of different folds than additive effects of both groups."""
    apart, freedom = _pairs_apart(fold_of_group)
    return len(fold_of_group) >= FEWEST_GROUPS and freedom >= 1 and bool(apart.any(axis=1).all())


def _pairs_apart(fold_of_group: np.ndarray) -> tuple[np.ndarray, int]:
    """Return which pairs are of different folds, (group, group), and how many there are beyond the effects."""
    apart = fold_of_group[:, None] != fold_of_group
    return apart, int(apart.sum()) - 2 * len(fold_of_group) + 1


def shared_training_deviations(pairs: np.ndarray, fold_of_group: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Return d = ε' S ε / (√2 folds), to be added to bootstrap replicates of the mean over folds.

    Parameters
    ----------
    pairs : (group, group, ...); fold_of_group : (group,), folds that partition the groups.
    signs : (draw, group), from `group_signs`.

    Returns
    -------
    (draw, ...)
    """
    symmetric = centred_pairs(pairs, fold_of_group)
    groups, _, *cells = symmetric.shape
    folds = len(np.unique(fold_of_group))
    drawn = quadratic(signs, symmetric.reshape(groups, groups, -1)) / (np.sqrt(2.0) * folds)
    return np.asarray(drawn.reshape(len(signs), *cells))


def corrected_replicates(
    replicates: np.ndarray, resampled: str, fold_number: int, deviations: np.ndarray | None = None
) -> np.ndarray:
    """Return replicates whose percentiles cover the expected score of the fitted encoders.

    Where folds are resampled, replicates r* are moved away from their mean, r̄ + k (r* - r̄), with

        k = √(folds / (folds - 1)) · t(.975; folds - 1) / z(.975),

    since their variance is that of the folds divided by folds, not folds - 1, and their distribution normal where
    Student's t is due. Where groups are resampled within folds they stay, since the shrinkage by (m - 1) / m of m
    groups is made up for by the curvature of r in small samples (measured for 5 to 24 groups per fold). Then the
    deviations are added. Without deviations intervals are too narrow by up to √2.

    Parameters
    ----------
    replicates : (draw, ...), of the aggregate.
    resampled : "folds", "groups within folds" or "groups".
    deviations : (draw, ...), from `shared_training_deviations`.
    """
    values = np.asarray(replicates, dtype=np.float64)
    if resampled == "folds":
        mean = values.mean(axis=0)
        values = mean + small_sample_factor(fold_number) * (values - mean)
    return values if deviations is None else values + deviations


def small_sample_factor(size: int) -> float:
    """Return √(n / (n - 1)) · t(.975; n - 1) / z(.975): what replicates of a mean of n lack in spread.

    Raises
    ------
    InputError : fewer than 2.
    """
    from scipy.special import ndtri, stdtrit

    if size < 2:
        raise InputError(f"the spread of a mean cannot be told from {size} value.")
    return float(np.sqrt(size / (size - 1)) * stdtrit(size - 1, 0.975) / ndtri(0.975))
