"""Several feature spaces together: K = Σ γ_i K_i / trace(K_i), with weights γ chosen like the penalty (banded ridge).

An unweighted sum of raw kernels would be ruled by the space with the largest numbers; so each is divided by its trace,
and the weights are tried on a grid that contains each space alone. A ridge on K with penalty λ is a ridge with penalty
λ trace(K_i) / γ_i on the features of space i (Nunez-Elizalde, Huth & Gallant 2019; himalaya's banded ridge).

What features explain beyond nulls is a difference of two such fits, R²(features and nulls) - R²(nulls), and means
something only where the first fit can be the second: its weights are w for the features and (1 - w) γ for the nulls,
with the very γ that are tried for the nulls by themselves, and w = 0 among the shares.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, combinations_with_replacement
from math import comb

import numpy as np

from brainalign.encoding.spectrum import FeatureSpace, GramSpace, Space
from brainalign.errors import InputError

FINEST = 10  # steps of a grid of weights, at most
FEWEST_SHARES = 2  # steps of the features' share beside nulls, at least: 0, 1/2 and 1
# Steps of that share that come before further weights of the nulls: with features of many dimensions a coarser share
# costs more of what they explain than coarser weights of the nulls do, which are the same in both fits.
SHARES_FIRST = 4


def weight_grid(n_spaces: int, limit: int = 25, seed: int = 0) -> np.ndarray:
    """Return weights (candidate, space), each row summing to 1: every space alone first, then mixtures.

    The mixtures are those of the finest lattice of equal steps (of at most FINEST) that has no more than `limit`
    candidates. A lattice mixes no more spaces than it has steps; where that would not be all, the mixtures are
    the equal ones of all spaces, of all but one, but two and so on down to pairs, as far as all of a size are within
    the limit, and then draws from a flat Dirichlet distribution.

    Parameters
    ----------
    limit : candidates at most, but at least one for each space and one mixture.

    >>> weight_grid(2, limit=5).tolist()
    [[1.0, 0.0], [0.0, 1.0], [0.25, 0.75], [0.5, 0.5], [0.75, 0.25]]
    """
    alone = np.eye(n_spaces)
    if n_spaces == 1:
        return alone
    fitting = [steps for steps in range(n_spaces, FINEST + 1) if comb(steps + n_spaces - 1, n_spaces - 1) <= limit]
    if fitting:
        steps = max(fitting)
        chosen = [np.bincount(places, minlength=n_spaces) for places in _placements(n_spaces, steps)]
        lattice = np.array(chosen) / steps
        mixtures = lattice[lattice.max(axis=1) < 1]
        return np.concatenate([alone, mixtures[np.lexsort(mixtures.T[::-1])]])
    found = [alone, np.full((1, n_spaces), 1 / n_spaces)]
    left = limit - n_spaces - 1
    for size in range(n_spaces - 1, 1, -1):
        if comb(n_spaces, size) > left:
            break
        found.append(_equal_mixtures(n_spaces, size))
        left -= comb(n_spaces, size)
    return np.concatenate([*found, np.random.default_rng(seed).dirichlet(np.ones(n_spaces), max(0, left))])


def weights_of_nulls(n_nulls: int, limit: int = 25, seed: int = 0) -> np.ndarray:
    """Return the weights γ of nulls together (candidate, null): as many as leave `weights_beside_nulls` in its limit.

    >>> weights_of_nulls(2, limit=8).tolist()
    [[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]
    """
    return weight_grid(n_nulls, (limit - 1) // _steps_first(n_nulls, limit), seed)


def weights_beside_nulls(n_spaces: int, limit: int = 25, seed: int = 0) -> np.ndarray:
    """Return weights of features and nulls together, (candidate, space), the features first: (w, (1 - w) γ).

    γ are those of `weights_of_nulls`, each with the shares w = 0, 1/s, ..., (s - 1)/s, and the features alone, w = 1,
    come once: 1 + s × (number of γ) candidates. So every weighting of the nulls by themselves is among them. Within the
    limit there are first up to SHARES_FIRST steps s for the fewest γ, each null alone and all together; then more γ;
    and where these are all that there can be, steps up to FINEST.

    Parameters
    ----------
    n_spaces : the features and the nulls, at least 2.
    limit : candidates at most, but at least FEWEST_SHARES steps for the fewest γ: 2 × (number of nulls) + 3.

    >>> weights_beside_nulls(2, limit=4).round(3).tolist()
    [[1.0, 0.0], [0.0, 1.0], [0.333, 0.667], [0.667, 0.333]]
    """
    gammas = weights_of_nulls(n_spaces - 1, limit, seed)
    steps = min(FINEST, max(_steps_first(n_spaces - 1, limit), (limit - 1) // len(gammas)))
    shares = np.arange(steps) / steps
    beside = [np.column_stack([np.full(len(gammas), share), (1 - share) * gammas]) for share in shares]
    return np.concatenate([np.eye(1, n_spaces), *beside])


def _steps_first(n_nulls: int, limit: int) -> int:
    """Return the steps of the features' share that the fewest weights of the nulls leave room for."""
    fewest = n_nulls + (n_nulls > 1)
    return min(SHARES_FIRST, max(FEWEST_SHARES, (limit - 1) // fewest))


# How the weights that are tried follow from what is joined.
WEIGHTS: Mapping[str, Callable[[int, int, int], np.ndarray]] = {
    "joint": weight_grid,
    "nulls": weights_of_nulls,
    "beside-nulls": weights_beside_nulls,
}


def _placements(n_spaces: int, steps: int) -> list[tuple[int, ...]]:
    return list(combinations_with_replacement(range(n_spaces), steps))


def _equal_mixtures(n_spaces: int, size: int) -> np.ndarray:
    """Return the equal mixtures of so many of the spaces, (candidate, space)."""
    return np.array([np.isin(range(n_spaces), mixed) / size for mixed in combinations(range(n_spaces), size)])


def joint_spaces(features: Sequence[np.ndarray], weights: np.ndarray) -> list[Space]:
    """Return a space for each row of weights.

    Parameters
    ----------
    features : of each space (sample, width), prepared.
    weights : (candidate, space), see `weight_grid`.

    Raises
    ------
    InputError : weights that are negative or all 0, or not one for each space.
    """
    weights = np.asarray(weights, dtype=np.float64)
    if weights.ndim != 2 or weights.shape[1] != len(features):
        raise InputError(f"there are {len(features)} spaces to join, but weights of shape {weights.shape}.")
    if (weights < 0).any() or not weights.any(axis=1).all():
        raise InputError("the weights of joint spaces must be 0 or more, and not all 0.")
    size = len(features[0]) if len(features) else 0
    grams = np.zeros((len(features), size, size))
    for own, values in zip(grams, features, strict=True):
        space = FeatureSpace(values)
        if space.trace > 0:
            np.divide(space.gram, space.trace, out=own)
    return [GramSpace(np.tensordot(row, grams, axes=1)) for row in weights]
