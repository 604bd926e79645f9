"""An encoder fitted to a whole data set, and what it predicts for new stimuli.

A linear map is kept on the principal axes V of the training features (see `spectrum`), with D the squared lengths of
the training rows' scores Z on them:

    prediction = intercept + (x - m) V C,      C = (D + λ)^-1 Zᵀ y.

V is no larger than the training features and C no larger than the responses, whichever of samples and features are
fewer, and every term is about as large as what it adds to the prediction. So C in float32 keeps the prediction's own
precision at every penalty; coefficients (K + λ)^-1 y in float32 would lose as many digits as K + λ is ill-conditioned.
Weights V C (feature × neuroid) are made only when asked for.

A non-linear map is kept as its training features X and coefficients of the samples, in float64:

    prediction = intercept + k(x, X) A,      A = (K + λ)^-1 y with K centred, whose columns sum to 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from brainalign.encoding.delays import delay, is_same_period, sampling_period, zscore_within_runs
from brainalign.encoding.threads import batches
from brainalign.errors import InputError
from brainalign.responses.samples import Samples

NEUROIDS_AT_ONCE = 4096
SAMPLES_AT_ONCE = 1024


@dataclass(frozen=True)
class Axes:
    """Principal axes of the training features; divided by the features' SDs where these were standardised.

    Parameters
    ----------
    values : (prepared width, axis) float64.
    """

    values: np.ndarray

    @property
    def width(self) -> int:
        """Of the prepared features."""
        return len(self.values)

    def of(self, x: np.ndarray, _space: int) -> np.ndarray:
        """Return the scores (sample, axis) of centred features x (sample, prepared width); there is one space."""
        return np.asarray(x @ self.values)


@dataclass(frozen=True)
class TrainingKernel:
    """The kernel k(x, X) of new samples and the training samples; see `kernels`.

    Parameters
    ----------
    kernel : "rbf" or "polynomial".
    parameters : (space,), its bandwidths or degrees.
    scale : of the training samples: rbf, the median squared distance of two; polynomial, the mean squared length.
    features : (training sample, prepared width) float64, less the mean of the training samples.
    """

    kernel: str
    parameters: np.ndarray
    scale: float
    features: np.ndarray

    @property
    def width(self) -> int:
        """Of the prepared features."""
        return int(self.features.shape[1])

    def of(self, x: np.ndarray, space: int) -> np.ndarray:
        """Return k(x, X) (sample, training sample) of centred features x (sample, prepared width) in one space."""
        products, parameter = x @ self.features.T, float(self.parameters[space])
        if self.kernel == "polynomial":
            return np.asarray((1.0 + products / self.scale) ** int(parameter))
        lengths = np.einsum("ij,ij->i", x, x)
        squared = np.maximum(lengths[:, None] + self._lengths - 2 * products, 0.0)
        return np.asarray(np.exp(-squared / (2 * parameter**2 * self.scale)))

    @cached_property
    def _lengths(self) -> np.ndarray:
        return np.asarray(np.einsum("ij,ij->i", self.features, self.features))


@dataclass(frozen=True)
class FittedEncoder:
    """All that is needed to predict responses to new stimuli.

    Parameters
    ----------
    layer : whose features it was fitted to.
    regression : "ridge", "ols" or "pca-ridge".
    neuroids : columns neuroid, subject, region, each (neuroid,) of text.
    zscore : features are z-scored within each run, by the run's own mean and SD.
    delays : in samples; none where the training samples had no onsets.
    sampling_period_s : seconds between training samples, which the delays count; NaN without delays.
    undelayed_mean : (width,) float64, mean of the training samples' features before delays.
    feature_mean : (prepared width,) float64, after them; as wide as all delays together.
    basis : what the coefficients are of.
    coefficients : (axis, neuroid) float32, or (training sample, neuroid) float64 of a non-linear map.
    intercept : (neuroid,) float64.
    penalty : (neuroid,), as used (scaled); NaN for ols.
    space : (neuroid,), which of a kernel's bandwidths or degrees each neuroid has; 0 for linear maps.
    in_sample_r : (neuroid,), r of the fitted values with the training responses.
    cross_validated_r : (neuroid,), mean over folds of r of held-out predictions under the same penalty and space (or r
        of all folds' together, where folds are pooled or have few rows, see `training.TrainingFold`). They
        were chosen by these folds, and principal components are those of all samples, so that it lies somewhat above
        the nested scores of an encoding.
    """

    layer: str
    regression: str
    neuroids: Mapping[str, np.ndarray]
    zscore: bool
    delays: tuple[int, ...]
    sampling_period_s: float
    undelayed_mean: np.ndarray
    feature_mean: np.ndarray
    basis: Axes | TrainingKernel
    coefficients: np.ndarray
    intercept: np.ndarray
    penalty: np.ndarray
    space: np.ndarray
    in_sample_r: np.ndarray
    cross_validated_r: np.ndarray

    @property
    def width(self) -> int:
        """Of the features that it predicts from, before delays."""
        return len(self.undelayed_mean)


def predict(
    fitted: FittedEncoder, features: np.ndarray, samples: Samples | None = None, layer: str | None = None
) -> np.ndarray:
    """Predict responses: intercept + (x - m) V C, or intercept + k(x, X) A; see the head of this module.

    The features are z-scored within the new samples' runs and delayed where the training features were; the zeros
    before a run's first sample stand for the training mean. Nothing is trimmed.

    Parameters
    ----------
    features : (sample, width), after the sample map, of the layer and readout that the encoder was fitted to.
    samples : the new samples; needed only for z-scores (`run`) and delays (`run`, `onset_s`).
    layer : the name of the layer that the features are of; not looked at unless given.

    Returns
    -------
    (sample, neuroid) float32, in the units of the training responses.

    Raises
    ------
    InputError : another layer or width; NaN or infinite values; another number of samples; z-scores without runs,
        delays without runs or onsets, on onsets that do not rise in equal steps, or in steps other than the training
        samples'.
    """
    x = _prepared(fitted, np.asarray(features), samples, layer)
    result = np.empty((len(x), len(fitted.intercept)), dtype=np.float32)
    for rows in batches(len(x), SAMPLES_AT_ONCE):
        for space in np.unique(fitted.space).tolist():
            basis, own = fitted.basis.of(x[rows], space), np.flatnonzero(fitted.space == space)
            for part in batches(len(own), NEUROIDS_AT_ONCE):
                columns = own[part]
                coefficients = fitted.coefficients[:, columns].astype(np.float64)
                result[rows, columns] = basis @ coefficients + fitted.intercept[columns]
    return result


def weights(fitted: FittedEncoder) -> np.ndarray:
    """Return V C (prepared width, neuroid) float32: the change of each response per unit of a prepared feature.

    With delays, the first delay's features come first.

    Raises
    ------
    InputError : a non-linear map, which has no weights.
    """
    if not isinstance(fitted.basis, Axes):
        raise InputError(f"an encoder with the kernel {fitted.basis.kernel!r} has no weights of features.")
    result = np.empty((fitted.basis.width, len(fitted.intercept)), dtype=np.float32)
    for columns in batches(result.shape[1], NEUROIDS_AT_ONCE):
        result[:, columns] = fitted.basis.values @ fitted.coefficients[:, columns].astype(np.float64)
    return result


def _prepared(fitted: FittedEncoder, features: np.ndarray, samples: Samples | None, layer: str | None) -> np.ndarray:
    """Return features (sample, prepared width) as the training features were prepared, less their mean."""
    if layer is not None and layer != fitted.layer:
        raise InputError(f"the encoder was fitted to the layer {fitted.layer!r}, but is given the layer {layer!r}.")
    if features.ndim != 2 or features.shape[1] != fitted.width:
        raise InputError(
            f"the encoder was fitted to features of shape (sample, {fitted.width}), but is given {features.shape}."
        )
    bad = int(np.count_nonzero(~np.isfinite(features)))
    if bad:
        raise InputError(f"the features have {bad} NaN or infinite values of {features.size}.")
    if samples is not None and len(samples) != len(features):
        raise InputError(f"there are {len(samples)} samples, but features of {len(features)}.")
    x = features.astype(np.float64)
    if fitted.zscore:
        x = zscore_within_runs(x, _column(samples, "run", "z-scores its features within runs"))
    if fitted.delays:
        what = f"delays its features by {', '.join(map(str, fitted.delays))} samples of a run"
        run, onset_s = _column(samples, "run", what), _column(samples, "onset_s", what)
        period = sampling_period(onset_s.astype(np.float64), run)
        if not is_same_period(period, fitted.sampling_period_s):
            raise InputError(
                f"the encoder {what}, which were {fitted.sampling_period_s:g} s apart where it was fitted, but the new "
                f"samples are {period:g} s apart."
            )
        x = delay(x - fitted.undelayed_mean, run, fitted.delays)
    return np.asarray(x - fitted.feature_mean)


def _column(samples: Samples | None, name: str, what: str) -> np.ndarray:
    if samples is None or name not in samples.columns:
        raise InputError(f"the encoder {what}, but the new samples have no column {name!r}.")
    return samples.column(name)
