"""The variance that a bootstrap of held-out rows does not see: folds of a cross-validation train each other.

Let Q_gh be what test group g contributes to the score by way of training group h. The contributions c_g = Σ_h Q_gh of
different groups are dependent, since Q_gh and Q_hg hold the same two responses and, up to the fit, are equal. A
bootstrap over groups with the fits held estimates

    Σ_g var(c_g),   not   var(Σ_g c_g) = Σ_g var(c_g) + Σ_{g ≠ h} cov(Q_gh, Q_hg).

Where nothing is predicted the second sum equals the first (the score is a degenerate U-statistic): intervals of 95 %
cover 76 to 83 %. Where the prediction is good and the fit stable it vanishes. With Q̃ the pairs less their row and
column effects it is estimated by Σ Q̃_gh Q̃_hg, and replicates get it as a deviation with random signs ε of groups,

    d = w ε' S ε / √2,   S = (Q̃ + Q̃') / 2,   w² = Σ Q̃_gh Q̃_hg / |S|²,

whose variance is the estimate. With the same signs in all models, differences of replicates hold the dependence of the
difference: S is linear in Q, and w, a little under 1, hardly differs. Tests, and replicates of which the pairs are not
known exactly (of R²), are given the spread itself,

    √(1 + Σ Q̃_gh Q̃_hg / Σ_g c_g²),

about √2 where nothing is predicted and nearer to 1 the better the prediction. That no estimator from the scores of
folds alone can do this is shown by Bengio & Grandvalet (2004); the size of the error is that of Nadeau & Bengio (2003)
and of Bates, Hastie & Tibshirani (2023).
"""

import zlib
from collections.abc import Iterable, Sequence

import numpy as np

from brainalign.encoding.scores import Units
from brainalign.encoding.splits import Fold
from brainalign.encoding.threads import batches
from brainalign.errors import InputError
from brainalign.inference.contributions import base_members, over_cells, scaled_responses, standardised

FEWEST_GROUPS = 5  # to tell covariances of pairs by
IN_CACHE = 2**17  # products of test and training rows at a time
_AT_ONCE = 4096  # neuroids, so that no copies of all are made
_STREAM = 1  # keeps these draws apart from the bootstrap's of the same seed and groups


def pair_contributions(
    hats: Iterable[tuple[np.ndarray, np.ndarray]],
    responses: np.ndarray,
    fold: Fold,
    prediction: np.ndarray,
    centre: np.ndarray,
    group: np.ndarray,
    groups: int,
    units: Units,
    norm: np.ndarray | None = None,
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
    responses : (sample, neuroid), of which a copy of the training rows is made for a few neuroids at a time.
    fold : row numbers of training and test samples; prediction : (test, neuroid), of its test samples.
    centre : (neuroid,), the mean of the fold's test responses, since replicates centre every draw in its fold too
        (with the mean over all samples, intervals cover 96 to 97.5 %); of all where they are scored together.
    group : (sample,), the group number of each sample; groups : how many there are in the data set.
    norm : (neuroid,), |p - p̄| |y - ȳ| where predictions of all folds are scored together; then H is not centred, since
        the centre does that. Of the fold unless given.
    units : of the neuroids.

    Returns
    -------
    (group, group, score_subject, score_region), test by training, 0 in rows of groups that the fold does not test. The
    sum over folds is the data set's; for a layer chosen by fold, the sum over folds of the chosen layers'.

    Raises
    ------
    InputError : a neuroid that is in no hat or in two.
    """
    z = scaled_by_prediction(responses[fold.test], prediction, centre, norm)
    members = base_members(units) > 0
    tested, place = np.unique(group[fold.test], return_inverse=True)
    order = np.argsort(place, kind="stable")  # rows of a group lie together, so that few groups are in a batch
    at_once = max(1, IN_CACHE // len(fold.train))
    indicators = []  # for each batch of rows, the groups in it and (group, row): 1 where the row is of the group
    for part in batches(len(order), at_once):
        held, index = np.unique(place[order[part]], return_inverse=True)
        indicators.append((order[part], held, (np.arange(len(held))[:, None] == index).astype(z.dtype)))
    products = np.zeros((len(members), len(tested), len(fold.train)), dtype=z.dtype)  # of test group and training row
    times = np.zeros(len(units), dtype=np.int64)
    for hat, neuroids in hats:
        times[neuroids] += 1
        used = np.zeros(len(units), dtype=bool)
        used[neuroids] = True
        centred = (hat - hat.mean(axis=0) if norm is None else hat).astype(z.dtype)
        for base, of_base in enumerate(members):
            chosen = np.flatnonzero(of_base & used)
            if not len(chosen):
                continue
            for part in batches(len(chosen), _AT_ONCE):
                own = chosen[part]
                of_test, of_training = z[:, own], responses[fold.train[:, None], own]
                of_training -= of_training.mean(axis=0)
                for rows, held, of_group in indicators:
                    product = of_test[rows] @ of_training.T
                    product *= centred[rows]
                    products[base, held] += of_group @ product
    if (times != 1).any():
        neuroid = int(np.argmax(times != 1))
        raise InputError(f"neuroid {neuroid} is predicted by {times[neuroid]} hats, but must be by one.")
    of_training_group = (np.arange(groups)[:, None] == group[fold.train]).astype(z.dtype)
    of_tested = over_cells(np.moveaxis(products @ of_training_group.T, 0, 2), units)
    pairs = np.zeros((groups, *of_tested.shape[1:]))
    pairs[:, :, np.isnan(of_tested).all(axis=(0, 1))] = np.nan  # of subjects without a region
    pairs[tested] = of_tested
    return pairs


def scaled_by_prediction(
    response: np.ndarray, prediction: np.ndarray, centre: np.ndarray, norm: np.ndarray | None
) -> np.ndarray:
    """Return z of `pair_contributions`, (test, neuroid); 0 where a prediction is constant.

    Parameters
    ----------
    response, prediction : (test, neuroid); centre, norm : as there.
    """
    if norm is None:
        length = np.linalg.norm(prediction - prediction.mean(axis=0), axis=0)
        varies = standardised(prediction, response).any(axis=0)
        scaled = scaled_responses(response, centre)
    else:
        length, varies, scaled = norm, norm > 0, response - centre
    return np.asarray((scaled * np.where(varies, 1.0 / np.where(varies, length, 1.0), 0.0)).astype(response.dtype))


def group_signs(groups: Sequence[str], draws: int, seed: int) -> np.ndarray:
    """Return random signs (draw, group): the same for every model of a data set, others for other groups."""
    random = np.random.default_rng([seed, zlib.crc32("\0".join(groups).encode()), _STREAM])
    return 1.0 - 2.0 * random.integers(0, 2, size=(draws, len(groups)))


def residual_pairs(pairs: np.ndarray, fold_of_group: np.ndarray) -> np.ndarray:
    """Return Q̃: pairs of different folds less additive effects of both groups, scaled for these effects.

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
    present = apart.astype(np.float64)
    groups, mask = len(present), present[:, :, None]
    values = pairs.reshape(groups, groups, -1) * mask
    sums = np.concatenate([values.sum(axis=1), values.sum(axis=0)])  # of rows and columns, (2 groups, cell)
    counts = np.diag(present.sum(axis=1))  # pairs apart are so both ways
    effects = np.linalg.pinv(np.block([[counts, present], [present, counts]]), hermitian=True) @ sums
    values -= effects[:groups, None]
    values -= effects[None, groups:]
    values *= np.sqrt(apart.sum() / freedom) * mask
    return np.asarray(values.reshape(pairs.shape))


def shared_variance(pairs: np.ndarray, fold_of_group: np.ndarray, share: float = 1.0) -> np.ndarray:
    """Return Σ_{g ≠ h} Q̃_gh Q̃_hg, (...): the variance of Σ Q_gh that the contributions of groups do not show.

    Parameters
    ----------
    pairs : (group, group, ...); fold_of_group : (group,).
    share : of the pairs of groups in different folds that are among these, where groups of several folds are put
        together (see `put_together`).

    Raises
    ------
    InputError : as `residual_pairs`.
    """
    values = residual_pairs(pairs, fold_of_group)
    return np.asarray((values * values.swapaxes(0, 1)).sum(axis=(0, 1)) / share)


def spread_of(shared: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Return √(1 + shared / variance): by how much a distribution is too narrow that leaves out what is shared.

    Parameters
    ----------
    shared : (...), from `shared_variance`; taken for 0 where it is estimated to be less.
    variance : (...), Σ_g c_g², or that of bootstrap replicates. Where it is 0 the spread is SHARED_TRAINING_SPREAD, as
        where `shared` is not known.
    """
    known = np.isfinite(shared) & (variance > 0)
    ratio = np.maximum(np.where(known, shared, 1.0), 0.0) / np.where(known, variance, 1.0)
    return np.asarray(np.sqrt(1.0 + ratio))


def put_together(fold_of_group: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Put groups together, neighbours of one fold or whole neighbouring folds, so that at most about `most` are left.

    Sums of pairs over what is put together estimate the same covariances, with more noise.

    Parameters
    ----------
    fold_of_group : (group,).

    Returns
    -------
    block_of_group : (group,), numbers from 0 in the order of their first groups.
    fold_of_block : (block,); a number for each block where it holds whole folds.
    share : of the pairs of groups in different folds that are in different blocks.
    """
    folds = np.unique(fold_of_group)
    block_of_group = np.empty(len(fold_of_group), dtype=np.intp)
    fold_of_block: list[int] = []
    if len(folds) > most:
        for number, part in enumerate(np.array_split(folds, most)):
            block_of_group[np.isin(fold_of_group, part)] = number
            fold_of_block.append(number)
    else:
        for number, fold in enumerate(folds):
            members = np.flatnonzero(fold_of_group == fold)
            parts = min(len(members), max(1, most // len(folds)))
            for part in np.array_split(members, parts):
                block_of_group[part] = len(fold_of_block)
                fold_of_block.append(number)
    order = np.argsort(np.unique(block_of_group, return_index=True)[1])  # of blocks, by their first groups
    block_of_group, fold_of_first = np.argsort(order)[block_of_group], np.array(fold_of_block)[order]
    apart = fold_of_group[:, None] != fold_of_group
    kept = apart & (block_of_group[:, None] != block_of_group)
    return block_of_group, fold_of_first, float(kept.sum() / max(apart.sum(), 1))


def pairs_of_choice(pairs: np.ndarray, share: np.ndarray, fold_of_group: np.ndarray) -> np.ndarray:
    """Return pairs that stand for predictions chosen by fold, such as those of one layer in some folds.

        Q = k Σ_l p_l Q^l,   k such that Σ Q̃_gh Q̃_hg = Σ_l p_l Σ Q̃^l_gh Q̃^l_hg

    Q_gh and Q_hg of two folds with different layers are hardly alike, so that pairs taken fold by fold would show
    nothing shared. But it is by the other folds' responses that a fold's layer is chosen: what is chosen is at least as
    dependent as its layers are.

    Parameters
    ----------
    pairs : (choice, group, group, ...).
    share : (choice, ...), p_l, of the folds that took each.
    fold_of_group : (group,).
    """
    weights = share[:, None, None]
    mixed = (weights * pairs).sum(axis=0)
    if (share > 0).sum(axis=0).max() == 1:
        return np.asarray(mixed)
    each = np.stack([shared_variance(own, fold_of_group) for own in pairs])
    wanted, found = np.maximum((share * each).sum(axis=0), 0.0), shared_variance(mixed, fold_of_group)
    return np.asarray(mixed * np.sqrt(np.where(found > 0, wanted / np.where(found > 0, found, 1.0), 1.0)))


def tells_dependence(fold_of_group: np.ndarray) -> bool:
    """Tell whether groups in folds (group,) have more pairs of different folds than additive effects of both groups."""
    apart, freedom = _pairs_apart(fold_of_group)
    return len(fold_of_group) >= FEWEST_GROUPS and freedom >= 1 and bool(apart.any(axis=1).all())


def _pairs_apart(fold_of_group: np.ndarray) -> tuple[np.ndarray, int]:
    """Return which pairs are of different folds, (group, group), and how many there are beyond the effects."""
    apart = fold_of_group[:, None] != fold_of_group
    return apart, int(apart.sum()) - 2 * len(fold_of_group) + 1


def shared_training_deviations(
    pairs: np.ndarray, fold_of_group: np.ndarray, signs: np.ndarray, share: float = 1.0
) -> np.ndarray:
    """Return d = w ε' S ε / √2, to be added to bootstrap replicates of the mean over folds.

    Parameters
    ----------
    pairs : (group, group, ...), shares of the mean over folds; fold_of_group : (group,).
    signs : (draw, group), from `group_signs`.
    share : see `shared_variance`.

    Returns
    -------
    (draw, ...)
    """
    drawn = deviation_pairs(pairs, fold_of_group, share)
    groups, _, *cells = drawn.shape
    return np.asarray(_quadratic(signs, drawn.reshape(groups, groups, -1)).reshape(len(signs), *cells))


def deviation_pairs(pairs: np.ndarray, fold_of_group: np.ndarray, share: float = 1.0) -> np.ndarray:
    """Return w S / √(2 share), (group, group, ...): with random signs, ε' of it ε is a deviation of what is shared.

    Parameters
    ----------
    pairs, fold_of_group, share : as for `shared_training_deviations`.
    """
    values = residual_pairs(pairs, fold_of_group)
    turned = values.swapaxes(0, 1)
    symmetric, shared = (values + turned) / 2, (values * turned).sum(axis=(0, 1))
    size = np.square(symmetric).sum(axis=(0, 1))
    weight = np.clip(np.divide(shared, size, out=np.zeros_like(size), where=size > 0), 0.0, 1.0)
    return np.asarray(symmetric * np.sqrt(weight / (2.0 * share)))


def _quadratic(signs: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Return Σ_gh s_g s_h Q_gh for signs (draw, group) and pairs (group, group, column): (draw, column)."""
    groups, _, columns = pairs.shape
    by_second = (signs @ pairs.reshape(groups, -1)).reshape(len(signs), groups, columns)
    return np.asarray(np.einsum("dh,dhc->dc", signs, by_second))
