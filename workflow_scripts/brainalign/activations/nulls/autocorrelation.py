"""Null: what neighbours in a block share, without any text (OASM).

Orthogonal Autocorrelated Sequences Model of Hadidi et al. (2025), "Illusions of alignment between large language
models and brains emerge from fragile methods and overlooked confounds", bioRxiv 10.1101/2025.03.09.642245: an
identity matrix, smoothed inside each block. A predictor made of it scores above zero only where parts of one block
stand on both sides of a split.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from brainalign.errors import InputError

DEFAULTS: Mapping[str, Any] = {"sigmas": (0.5, 1.0, 2.0)}
_REACH = 4.0  # standard deviations at which the filter is cut, as in scipy.ndimage


def compute(stimuli: pd.DataFrame, settings: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return one layer per width of the filter.

    Parameters
    ----------
    stimuli : `context_group` (the block), in presentation order.
    settings : `sigmas`, standard deviations in parts; 0 leaves the identity. The published grid is 0 to 4.8 in steps
        of 0.1, its best widths on shuffled splits 2.2 (Pereira), 1.8 (Fedorenko 2016) and 1.5 (Blank).

    Returns
    -------
    "sigma_<sigma>" → (stimulus × stimulus): for each block of K parts, G · I of size K × K in columns of its own.
    All of them lie in memory, 4 bytes × widths × stimuli².

    Raises
    ------
    InputError : no width, or a negative one.
    """
    sigmas = [float(sigma) for sigma in settings["sigmas"]]
    if not sigmas or min(sigmas) < 0 or not np.isfinite(sigmas).all():
        raise InputError(f"the widths of the autocorrelation null must be 0 or more, but are {sigmas}.")
    blocks = [np.asarray(rows) for rows in stimuli.groupby("context_group", sort=False).indices.values()]
    layers = {}
    for sigma in sigmas:
        features = np.zeros((len(stimuli), len(stimuli)), dtype=np.float32)
        for rows in blocks:
            features[np.ix_(rows, rows)] = gaussian_filter(len(rows), sigma)
        layers[f"sigma_{sigma}"] = features
    return layers


def gaussian_filter(size: int, sigma: float) -> np.ndarray:
    """Return the identity of a size, Gaussian-filtered along its rows (size × size, float64).

    out[i, j] = Σ_d w(d) [i = mirror(j + d)], w(d) ∝ exp(−d² / 2σ²) for |d| ≤ round(4σ), Σ w = 1, where mirror reflects
    about the edges and repeats the edge element (d c b a | a b c d | d c b a), as `scipy.ndimage.gaussian_filter1d`
    does by default.
    """
    if sigma == 0:
        return np.eye(size)
    reach = int(_REACH * sigma + 0.5)
    distance = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (distance / sigma) ** 2)
    weights /= weights.sum()
    column = np.arange(size)[:, None] + distance  # (column, distance)
    column %= 2 * size
    mirrored = np.where(column < size, column, 2 * size - 1 - column)
    result = np.zeros((size, size))
    np.add.at(result, (mirrored, np.arange(size)[:, None]), weights)
    return result
