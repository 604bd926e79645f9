"""Layers of one width, so that a model cannot score by being wide: components, random projections, chosen units."""

import hashlib
from collections.abc import Sequence

import numpy as np

from brainalign.errors import InputError

RANKS = ("t", "absolute-t", "t-of-magnitudes")
_ROWS = 1024  # projected at a time


def check_width(layer: str, width: int, count: int) -> None:
    """Raise InputError where a layer is narrower than asked for: filled up, it would not be matched."""
    if width < count:
        raise InputError(f"the layer {layer} has {width} units, and so cannot be matched to {count}.")


def check_components(stimuli: int, count: int) -> None:
    """Raise InputError where stimuli are too few for so many components: centred, n stimuli span n − 1 directions."""
    if count >= stimuli:
        most = max(stimuli - 1, 0)
        raise InputError(f"{stimuli} stimuli have no more than {most} components, but match asks for {count}.")


def components(states: np.ndarray, count: int) -> tuple[np.ndarray, int]:
    """Return the first principal components of a layer's states over all stimuli.

    Z = X_c V, where X_c = X − mean and V (width × count) are the eigenvectors of X_cᵀX_c with the largest
    eigenvalues, each with the sign that makes its largest score (the first of equal ones) positive. Not whitened.
    It knows nothing of any response, but is fitted to all stimuli, those of the test folds included.

    Parameters
    ----------
    states : (stimulus × width).
    count : components, fewer than stimuli and at most the width.

    Returns
    -------
    scores (stimulus × count) float32, and the rank of X_c up to `count`; columns beyond the rank are zeros.

    Raises
    ------
    InputError : too few stimuli.
    """
    from scipy.linalg import eigh

    stimuli, width = states.shape
    check_components(stimuli, count)
    centred = states.astype(np.float64)
    centred -= centred.mean(axis=0)
    dual = stimuli < width
    products = centred @ centred.T if dual else centred.T @ centred
    size = len(products)
    eigenvalues, vectors = eigh(products, subset_by_index=[size - count, size - 1])  # ascending
    eigenvalues, vectors = eigenvalues[::-1], vectors[:, ::-1]
    cut = max(stimuli, width) * np.finfo(np.float64).eps * max(eigenvalues[0], 0.0)
    rank = int((eigenvalues > cut).sum())
    scores = np.zeros((stimuli, count))
    scores[:, :rank] = (vectors * np.sqrt(np.maximum(eigenvalues, 0)) if dual else centred @ vectors)[:, :rank]
    largest = scores[np.abs(scores).argmax(axis=0), np.arange(count)]
    return (scores * np.where(largest < 0, -1, 1)).astype(np.float32), rank


def projection_matrix(layer: str, width: int, count: int, seed: int) -> np.ndarray:
    """Return R / √count (width × count), R standard normal: E ‖x R‖² / count = ‖x‖² (Johnson & Lindenstrauss 1984).

    It follows from the layer's name, its width and the seed, so that all data sets share it, and the first columns
    of R are those of a smaller count.
    """
    named = hashlib.sha256(f"{layer}\0{width}".encode()).digest()
    random = np.random.default_rng([seed, *np.frombuffer(named, dtype="<u4").tolist()])
    return np.asarray(random.standard_normal((count, width)).T / np.sqrt(count))


def projected(states: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return states (stimulus × width) times a matrix (width × count) as float32, multiplied in float64."""
    result = np.empty((len(states), matrix.shape[1]), dtype=np.float32)
    for start in range(0, len(states), _ROWS):
        result[start : start + _ROWS] = states[start : start + _ROWS].astype(np.float64) @ matrix
    return result


def selectivity(language: np.ndarray, control: np.ndarray, rank: str = "t") -> np.ndarray:
    """Return how much more each unit responds to language than to the control texts (unit,), float64.

    Welch's t = (m₁ − m₂) / √(s₁²/n₁ + s₂²/n₂), s² with n − 1; −∞ for a unit that varies in neither condition.
    "t" is the localizer of AlKhamissi et al. 2024 (Brain-like language processing via a shallow untrained multihead
    attention network) and Brain-Score; "t-of-magnitudes", of |states|, that of AlKhamissi et al. 2024 (The LLM
    language network); "absolute-t" also takes units that respond less.

    Parameters
    ----------
    language, control : (text × unit), at least two texts each.
    rank : one of RANKS.
    """
    first, second = (states.astype(np.float64) for states in (language, control))
    if rank == "t-of-magnitudes":
        first, second = np.abs(first), np.abs(second)
    squared_error = first.var(axis=0, ddof=1) / len(first) + second.var(axis=0, ddof=1) / len(second)
    difference = first.mean(axis=0) - second.mean(axis=0)
    # A unit that is constant has a variance of rounding only.
    varies = squared_error > (np.finfo(np.float64).eps * np.maximum(np.abs(first).max(0), np.abs(second).max(0))) ** 2
    t = np.full(len(difference), -np.inf)
    t[varies] = difference[varies] / np.sqrt(squared_error[varies])
    if rank == "absolute-t":
        t[varies] = np.abs(t[varies])
    return t


def most_selective(values: Sequence[np.ndarray], count: int, of: str) -> list[np.ndarray]:
    """Return the indices of the units with the largest values, over all layers, for each layer ascending.

    Of equal ones, those of an earlier layer come first, and in a layer those of a smaller index.

    Parameters
    ----------
    values : for each layer (unit,), −∞ where a unit cannot be chosen.
    of : what the units are of, for the message.

    Raises
    ------
    InputError : fewer units that can be chosen.
    """
    joined = np.concatenate(values)
    possible = int(np.isfinite(joined).sum())
    if possible < count:
        raise InputError(f"{of} has {possible} units that vary over the localizer's texts, but match asks for {count}.")
    chosen = np.zeros(len(joined), dtype=bool)
    chosen[np.argsort(-joined, kind="stable")[:count]] = True
    bounds = np.cumsum([len(layer) for layer in values])[:-1]
    return [np.flatnonzero(layer) for layer in np.split(chosen, bounds)]
