"""Fit an encoder to all samples of a data set, so that it can be kept and predict responses to new stimuli."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from brainalign.encoding.delays import sampling_period
from brainalign.encoding.fit import factorise, fit_fold
from brainalign.encoding.fitted import NEUROIDS_AT_ONCE, Axes, FittedEncoder, TrainingKernel
from brainalign.encoding.fold_features import inverse_deviation, spaces_as_fitted, trimmed
from brainalign.encoding.kept_settings import check_can_be_kept
from brainalign.encoding.kernels import kernel_scale
from brainalign.encoding.preparation import (
    kept_samples,
    prepare_features,
    prepare_responses,
    scored_folds,
    tell_what_is_left_out,
)
from brainalign.encoding.ridge import scaled_penalties
from brainalign.encoding.scores import Units, pearson
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.spectrum import FeatureSpace, Space, Spectrum
from brainalign.encoding.splits import make_folds
from brainalign.encoding.threads import batches
from brainalign.encoding.training import whole_training_fold
from brainalign.errors import InputError
from brainalign.responses.samples import Columns, Samples

log = logging.getLogger(__name__)


def chosen_layer(layers: Sequence[str], inner_score: np.ndarray, chosen: np.ndarray) -> str:
    """Return the layer that an encoding chose for all folds together.

    It is the layer with the highest inner score in the mean over folds. Where inner folds were not scored (the layer
    was named, or chosen on test scores, one for all folds) it is that one.

    Parameters
    ----------
    layers : names.
    inner_score : (layer, fold); NaN where inner folds were not scored.
    chosen : (fold, choice unit), indices of layers.

    Raises
    ------
    InputError : subjects or neuroids that each have a layer of their own.
    """
    if chosen.ndim == 2 and chosen.shape[1] > 1:
        raise InputError(
            f"the encoding has a layer of its own for each of {chosen.shape[1]} subjects or neuroids, but an encoder "
            "is kept for one layer; name it."
        )
    if np.isfinite(inner_score).all():
        return str(layers[int(inner_score.mean(axis=1).argmax())])
    return str(layers[int(chosen.flat[0])])


def fit_to_all(
    layer: str,
    features: np.ndarray,
    responses: np.ndarray,
    samples: Samples,
    neuroids: Columns,
    settings: EncoderSettings,
) -> FittedEncoder:
    """Fit one layer to all samples: every regression and kernel of an encoder, under its preprocessing.

    Penalties, and the bandwidths or degrees of a kernel, are chosen among the encoder's candidates by its criterion in
    one cross-validation over its outer folds, or over what serves as inner folds where these are no partition of the
    samples (`splits.inner_folds`, with all samples as the training rows). All samples are those that trimming leaves.
    With `standardize: training` features are z-scored with their mean and SD over all samples.

    Parameters
    ----------
    layer : its name.
    features : (sample, width), after the sample map.
    responses : (sample, neuroid), or (repetition, sample, neuroid), whose mean over repetitions is taken.
    samples : the sample table, in the responses' order.
    neuroids : columns neuroid, subject, region.
    settings : its choice of layer, aggregate and bootstrap are not read.

    Raises
    ------
    InputError : settings that cannot be kept (see `kept_settings`), and what `encoder.encode` refuses.
    """
    check_can_be_kept(settings)
    units, kept = Units.from_table(neuroids), kept_samples(samples, settings)
    inside = trimmed(samples, kept)
    folds = make_folds(settings.split, inside)
    y = prepare_responses(responses, samples, units, scored_folds(folds, settings), settings.precision, kept)
    fold = whole_training_fold(folds, settings, inside)
    tell_what_is_left_out(samples, settings)
    x = prepare_features(layer, features, samples, settings)
    delays = settings.delays if samples.onset_s is not None else ()
    whole = replace(settings, delays=(), trim=(0, 0))
    undelayed = prepare_features(layer, features, samples, whole) if delays else x
    feature_mean = x.mean(axis=0)
    inverse = np.ones(x.shape[1]) if settings.standardize == "none" else inverse_deviation(x)
    scaled = x if settings.standardize == "none" else (x - feature_mean) * inverse
    kernel = None if settings.kernel == "linear" else _training_kernel(x - feature_mean, settings)
    spaces = [_Once(space, len(y)) for space in spaces_as_fitted(scaled, settings)]
    penalties = [
        scaled_penalties(settings.penalty_values, settings.grid_scale, space.trace, len(y)) for space in spaces
    ]
    found = fit_fold(spaces, penalties, y, fold, settings, score_inner=True)
    assert found.inner_r is not None
    used = np.zeros(len(units)) if settings.regression == "ols" else found.penalty
    spectra = {
        int(number): factorise(spaces[number], penalties[number], fold.train, fold.test, settings)[0]
        for number in np.unique(found.space)
    }
    # the axes take features as they are: what divides them is in the axes
    basis: Axes | TrainingKernel = kernel or Axes(inverse[:, None] * _axes(scaled, fold.train, spectra[0]))
    coefficients, shift, in_sample_r = _coefficients(basis, y, fold.train, spectra, found.space, used)
    cross_validated_r = found.inner_r.mean(axis=0, dtype=np.float64)
    log.info(
        "layer %s: fitted to %d samples; mean r of %d neuroids %.3f in sample, %.3f cross-validated; penalty at the "
        "grid's edge for %.0f %%",
        layer,
        len(y),
        len(units),
        in_sample_r.mean(),
        cross_validated_r.mean(),
        100 * found.at_edge.mean(),
    )
    return FittedEncoder(
        layer=layer,
        regression=settings.regression,
        neuroids={"neuroid": units.neuroid, "subject": units.subject, "region": units.region},
        zscore=settings.zscore,
        delays=tuple(delays),
        sampling_period_s=sampling_period(samples.column("onset_s"), samples.run) if delays else float("nan"),
        undelayed_mean=undelayed.mean(axis=0),
        feature_mean=feature_mean,
        basis=basis,
        coefficients=coefficients,
        intercept=_response_means(responses, kept) + shift,
        penalty=found.penalty,
        space=found.space,
        in_sample_r=in_sample_r,
        cross_validated_r=cross_validated_r,
    )


def _coefficients(
    basis: Axes | TrainingKernel,
    y: np.ndarray,
    train: np.ndarray,
    spectra: Mapping[int, Spectrum],
    space: np.ndarray,
    penalty: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the coefficients of the basis, what they add to the intercept, and r of the fitted values (neuroid,).

    On the axes of a spectrum they are C = (D + λ)^-1 Zᵀ y; on training samples A = Z D^-1 C, and since the columns of A
    sum to 0, centring the kernel takes nothing but a constant, (mean over training samples of k) A, from a prediction.

    Parameters
    ----------
    y : (sample, neuroid), centred.
    train : (sample,), all row numbers in the order of the spectra's rows.
    spectra : of each space that a neuroid has.
    space, penalty : (neuroid,).
    """
    kernel = basis if isinstance(basis, TrainingKernel) else None
    rows = len(train) if kernel else len(spectra[0].eigenvalues)
    coefficients = np.empty((rows, y.shape[1]), dtype=np.float64 if kernel else np.float32)
    shift, r = np.zeros(y.shape[1]), np.empty(y.shape[1])
    for number, spectrum in spectra.items():
        columns_of_space = np.flatnonzero(space == number)
        mean_kernel = kernel.of(kernel.features, number).mean(axis=0)[train] if kernel else None  # (training sample,)
        for part in batches(len(columns_of_space), NEUROIDS_AT_ONCE):
            columns = columns_of_space[part]
            own = y[np.ix_(train, columns)].astype(np.float64)
            found = (spectrum.scores.T @ own) / (spectrum.eigenvalues[:, None] + penalty[columns])  # (axis, neuroid)
            r[columns] = pearson(spectrum.scores @ found, own)[0]
            if mean_kernel is None:
                coefficients[:, columns] = found
            else:
                dual = (spectrum.scores / spectrum.eigenvalues) @ found  # (training sample, neuroid)
                dual -= dual.mean(axis=0)  # axes that are hardly more than rounding may hold some of the constant
                coefficients[np.ix_(train, columns)] = dual
                shift[columns] = -(mean_kernel @ dual)
    return coefficients, shift, r


class _Once:
    """A space that factorises all samples once: for the choice of a penalty, and for the fit."""

    def __init__(self, space: Space, size: int) -> None:
        self._space, self._size = space, size
        self._found: dict[str, Spectrum] = {}

    @property
    def trace(self) -> float:
        return self._space.trace

    @property
    def gram(self) -> np.ndarray:
        return self._space.gram

    def spectrum(self, train: np.ndarray, test: np.ndarray) -> Spectrum:
        return self._kept("spectrum", train, test)

    def exact_spectrum(self, train: np.ndarray, test: np.ndarray) -> Spectrum:
        return self._kept("exact_spectrum", train, test)

    def _kept(self, which: str, train: np.ndarray, test: np.ndarray) -> Spectrum:
        if len(train) < self._size:
            found: Spectrum = getattr(self._space, which)(train, test)
            return found
        if which not in self._found:
            self._found[which] = getattr(self._space, which)(train, test)
        return self._found[which]


def _training_kernel(centred: np.ndarray, settings: EncoderSettings) -> TrainingKernel:
    """Return the kernel of centred features (sample, prepared width), scaled as `kernels.spaces_of` scales it."""
    scale = kernel_scale(FeatureSpace(centred).gram, settings.kernel)
    parameters = settings.degrees if settings.kernel == "polynomial" else settings.bandwidths
    return TrainingKernel(settings.kernel, np.array(parameters), scale, centred)


def _axes(features: np.ndarray, train: np.ndarray, spectrum: Spectrum) -> np.ndarray:
    """Return V = Xᵀ Z D^-1 (prepared width, axis), since X = Z Vᵀ and Zᵀ Z = D."""
    centred = FeatureSpace(features).features
    return np.asarray(centred[train].T @ (spectrum.scores / spectrum.eigenvalues))


def _response_means(responses: np.ndarray, kept: np.ndarray | None) -> np.ndarray:
    """Return the mean response of each neuroid (neuroid,) float64, over repetitions first, NaN left out."""
    rows = slice(None) if kept is None else kept
    result = np.empty(responses.shape[-1])
    for columns in batches(len(result), NEUROIDS_AT_ONCE):
        own = np.asarray(responses[..., rows, columns], dtype=np.float64)
        result[columns] = (np.nanmean(own, axis=0) if own.ndim == 3 else own).mean(axis=0)
    return result
