"""Several feature spaces together: K = Σ γ_i K_i / trace(K_i), with weights γ chosen like the penalty (banded ridge).

An unweighted sum of raw kernels would be ruled by the space with the largest numbers; so each is divided by its trace,
and the weights are tried on a grid that contains each space alone. A ridge on K with penalty λ is a ridge with penalty
λ trace(K_i) / γ_i on the features of space i (Nunez-Elizalde, Huth & Gallant 2019; himalaya's banded ridge).
"""

from collections.abc import Sequence
from itertools import combinations_with_replacement
from math import comb

import numpy as np

from brainalign.encoding.spectrum import FeatureSpace, GramSpace, Space
from brainalign.errors import InputError

FINEST = 10  # steps of a grid of weights, at most


def weight_grid(n_spaces: int, limit: int = 16, seed: int = 0) -> np.ndarray:
    """Return weights (candidate, space), each row summing to 1: every space alone first, then mixtures.

    The mixtures are those of the finest lattice of equal steps (of at most FINEST) that has no more than `limit`
    candidates; where even the lattice of halves has more, the equal mixture and draws from a flat Dirichlet
    distribution.

    Parameters
    ----------
    limit : candidates at most, but at least one for each space and one mixture.

    >>> weight_grid(2, limit=5).tolist()
    [[1.0, 0.0], [0.0, 1.0], [0.25, 0.75], [0.5, 0.5], [0.75, 0.25]]
    """
    alone = np.eye(n_spaces)
    if n_spaces == 1:
        return alone
    fitting = [steps for steps in range(2, FINEST + 1) if comb(steps + n_spaces - 1, n_spaces - 1) <= limit]
    if fitting:
        steps = max(fitting)
        chosen = [np.bincount(places, minlength=n_spaces) for places in _placements(n_spaces, steps)]
        lattice = np.array(chosen) / steps
        mixtures = lattice[lattice.max(axis=1) < 1]
        return np.concatenate([alone, mixtures[np.lexsort(mixtures.T[::-1])]])
    even = np.full((1, n_spaces), 1 / n_spaces)
    drawn = max(0, limit - n_spaces - 1)
    return np.concatenate([alone, even, np.random.default_rng(seed).dirichlet(np.ones(n_spaces), drawn)])


def _placements(n_spaces: int, steps: int) -> list[tuple[int, ...]]:
    return list(combinations_with_replacement(range(n_spaces), steps))


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
    grams = []
    for values in features:
        space = FeatureSpace(values)
        grams.append(space.gram / space.trace if space.trace > 0 else np.zeros_like(space.gram))
    return [GramSpace(np.tensordot(row, np.stack(grams), axes=1)) for row in weights]
