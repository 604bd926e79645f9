"""Non-linear maps in kernel form, made of the linear Gram matrix of features as they are after delays."""

import numpy as np

from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.spectrum import FeatureSpace, GramSpace, Space


def spaces_of(features: np.ndarray, settings: EncoderSettings) -> list[Space]:
    """Return the feature spaces among which, with the penalty, each neuroid (or all together) chooses.

    kernel "linear": the features themselves. "rbf": one space for each bandwidth. "polynomial": one for each degree.

    Parameters
    ----------
    features : (sample, width), prepared.
    settings : reads `kernel`, `bandwidths` and `degrees`.
    """
    linear = FeatureSpace(features)
    return [linear] if settings.kernel == "linear" else spaces_of_gram(linear.gram, settings)


def spaces_of_gram(gram: np.ndarray, settings: EncoderSettings) -> list[Space]:
    """Return `spaces_of` features of which the linear Gram matrix alone is known, as of many features put together.

    Parameters
    ----------
    gram : (sample, sample), linear, of centred features.
    settings : reads `kernel`, `bandwidths` and `degrees`.
    """
    if settings.kernel == "linear":
        return [GramSpace(gram)]
    if settings.kernel == "rbf":
        return [GramSpace(rbf(gram, bandwidth)) for bandwidth in settings.bandwidths]
    return [GramSpace(polynomial(gram, degree)) for degree in settings.degrees]


def rbf(gram: np.ndarray, bandwidth: float) -> np.ndarray:
    """Return exp(-d² / (2 b² m²)), with d² = K_ii + K_jj - 2 K_ij, and m² the median of d² over pairs of samples.

    Parameters
    ----------
    gram : (sample, sample), linear.
    bandwidth : b, in units of the median distance.
    """
    return np.asarray(np.exp(-_squared_distances(gram) / (2 * bandwidth**2 * kernel_scale(gram, "rbf"))))


def polynomial(gram: np.ndarray, degree: int) -> np.ndarray:
    """Return (1 + K / k)^degree of the centred features' Gram matrix K, with k the mean of its diagonal.

    Parameters
    ----------
    gram : (sample, sample), linear, of centred features.
    degree : 2 or more; 1 would be the linear kernel.
    """
    return np.asarray((1.0 + gram / kernel_scale(gram, "polynomial")) ** degree)


def kernel_scale(gram: np.ndarray, kernel: str) -> float:
    """Return what a kernel measures features by: m² of `rbf`, k of `polynomial`; 1 where no feature varies.

    Parameters
    ----------
    gram : (sample, sample), linear, of centred features.
    """
    if kernel == "polynomial":
        return float(np.diag(gram).mean()) or 1.0
    squared = _squared_distances(gram)
    median = float(np.median(squared[np.triu_indices(len(gram), 1)]))
    if median > 0:
        return median
    return float(squared.mean()) or 1.0  # more than half of all pairs are of equal features: the mean tells their scale


def _squared_distances(gram: np.ndarray) -> np.ndarray:
    lengths = np.diag(gram)
    squared = np.maximum(lengths[:, None] + lengths - 2 * gram, 0.0)
    np.fill_diagonal(squared, 0.0)
    return np.asarray(squared)
