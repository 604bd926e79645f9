"""One scale for predictions of folds that choose their penalties and are scored together.

Each fold chooses its own penalty, and shrinks its predictions the less, the more its training rows speak for the
features. The rows that it holds out then speak for them less. r of a fold does not depend on a scale, but r of the
predictions of all folds does: it would count most where features predict least, so that features that predict nothing
would score r < 0. Before they are scored together, predictions of a fold and neuroid are therefore divided by

    s = |w| √(‖K‖² / (n trace K)),   w = weights of the fold's fit,  K = Gram matrix of the features of all n samples.

|w| takes the penalty's shrinkage away, and depends on the training rows' responses only. The factor, which is the same
in all folds, makes s the SD of predictions of weights that are as long and that point as they do for a response of
noise under a large penalty: by it predictions of different layers or kernels can be put together.

For responses of noise, r without a scale is -.13 to -.16 (12 groups of 5 samples or 30 groups of 4, 10 to 300 features,
the default grid of penalties), and -.02 to .02 with it. Where each fold chooses the bandwidth of a kernel, too, -.08 to
-.10 becomes -.02 to -.04. Other scales were tried: the norm of the matrix of fitted values, and the SD of the fitted
values themselves, leave up to -.06 and -.03.
"""

from collections.abc import Sequence

import numpy as np

from brainalign.encoding.scores import CONSTANT
from brainalign.encoding.spectrum import Space, Spectrum
from brainalign.encoding.threads import batches

AT_ONCE = 4096  # neuroids, so that no float64 copy of all responses is made


def scale_of_fold(
    spaces: Sequence[Space],
    spectra: Sequence[Spectrum],
    responses: np.ndarray,
    chosen: np.ndarray,
    penalties: np.ndarray,
) -> np.ndarray:
    """Return the scale s of the predictions of one fold, (neuroid,); 0 where no feature varies.

    Parameters
    ----------
    spaces, spectra : of the features, and of their training rows.
    responses : (train, neuroid).
    chosen : (neuroid,), numbers of spaces.
    penalties : (neuroid,).
    """
    scale = np.zeros(responses.shape[1])
    for number in np.unique(chosen).tolist():
        own, spectrum = np.flatnonzero(chosen == number), spectra[number]
        y = responses[:, own]
        y = y - y.mean(axis=0) if spectrum.centred else y
        weights = (spectrum.scores.T @ y) / (spectrum.eigenvalues[:, None] + penalties[own])  # (axis, neuroid)
        scale[own] = np.linalg.norm(weights, axis=0) * _size(spaces[number])
    return scale


def scales_of_partition(
    spaces: Sequence[Space],
    spectra: Sequence[Spectrum],
    responses: np.ndarray,
    tests: Sequence[np.ndarray],
    predictions: Sequence[np.ndarray],
    chosen: np.ndarray,
    penalties: np.ndarray,
) -> np.ndarray:
    """Return `scale_of_fold` of folds that partition the samples, (fold, neuroid), without a factorisation of each.

    The fit without the rows B of a fold is the fit of all rows with predictions in the place of the responses of B,
    which leave no residuals there. So with Z and D of all samples

        w = (D + λ)^-1 (Zᵀ y - Z_Bᵀ r_B),   r_B = residuals of the rows that were left out.

    Parameters
    ----------
    spectra : of all samples in the order of `tests`.
    responses : (sample, neuroid).
    tests : row numbers of each fold; together all samples, none twice.
    predictions : of each fold (test, neuroid), as deviations from the mean of its training rows.
    chosen, penalties : (fold, neuroid), numbers of spaces and penalties.
    """
    order = np.concatenate(tests)
    ends = np.cumsum([len(rows) for rows in tests])
    blocks = [slice(int(end) - len(rows), int(end)) for end, rows in zip(ends, tests, strict=True)]
    scale = np.zeros(chosen.shape)
    for columns in batches(responses.shape[1], AT_ONCE):
        y = responses[order, columns].astype(np.float64)
        total = y.sum(axis=0)
        for number in np.unique(chosen[:, columns]).tolist():
            spectrum, size = spectra[number], _size(spaces[number])
            projected = spectrum.scores.T @ y  # (axis, neuroid)
            for fold, block in enumerate(blocks):
                own = np.flatnonzero(chosen[fold, columns] == number)
                held = y[block][:, own]
                mean = (total[own] - held.sum(axis=0)) / (len(y) - len(held))
                residuals = held - mean - predictions[fold][:, columns][:, own]
                weights = projected[:, own] - spectrum.scores[block].T @ residuals
                weights /= spectrum.eigenvalues[:, None] + penalties[fold, columns][own]
                scale[fold, columns.start + own] = np.linalg.norm(weights, axis=0) * size
    return scale


def factors(scale: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Return by what the predictions of each fold are multiplied, (fold, neuroid): SD of the responses / scale.

    So they stay in the responses' units. 0 where the scale is no more than rounding, as for constant features.

    Parameters
    ----------
    scale : (fold, neuroid), from `scale_of_fold`.
    deviation : (neuroid,), SD of the responses.
    """
    varies = scale > CONSTANT * deviation
    return np.where(varies, deviation / np.where(varies, scale, 1.0), 0.0)


def at_one_scale(predictions: Sequence[np.ndarray], scale: np.ndarray, responses: np.ndarray) -> list[np.ndarray]:
    """Return the predictions of all folds, each (test, neuroid), at one scale.

    Parameters
    ----------
    scale : (fold, neuroid).
    responses : (sample, neuroid), which give the units.
    """
    of_folds = factors(scale, responses.std(axis=0, dtype=np.float64))
    return [
        (prediction * factor).astype(prediction.dtype) for prediction, factor in zip(predictions, of_folds, strict=True)
    ]


def _size(space: Space) -> float:
    """Return √(‖K‖² / (n trace K)), K the Gram matrix of the features of all n samples."""
    trace = space.trace
    if trace <= 0:
        return 0.0
    return float(np.linalg.norm(space.gram / trace) * np.sqrt(trace / len(space.gram)))
