"""Features of a layer for each outer fold, where components or SDs are fitted to its training samples."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from brainalign.encoding.components import principal_components
from brainalign.encoding.delays import zscore
from brainalign.encoding.kernels import spaces_of
from brainalign.encoding.preparation import arrange, check_features, kept_samples
from brainalign.encoding.published_words import samples_looked_up, without_reached_columns
from brainalign.encoding.sampling import Sampling
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.spectrum import FeatureSpace, Space
from brainalign.encoding.splits import Fold, make_folds
from brainalign.errors import InputError
from brainalign.responses.samples import Samples


@dataclass(frozen=True)
class FoldFeatures:
    """How the features of any layer are prepared for the outer folds of a data set.

    Parameters
    ----------
    samples : the sample table, untrimmed.
    folds : outer folds of the samples that trimming leaves.
    sampling : how stimuli become samples; None where features are of samples already.
    """

    samples: Samples
    folds: Sequence[Fold]
    settings: EncoderSettings
    sampling: Sampling | None = None

    def check(self, name: str, features: np.ndarray) -> np.ndarray:
        """Return features that can be prepared: of stimuli, where components of these are asked for, else of samples.

        Parameters
        ----------
        name : of the layer.
        features : (stimulus, width), or (sample, width) where there is no sampling.

        Raises
        ------
        InputError : another number of rows; NaN or infinite values; components of stimuli without a sampling.
        """
        if self.sampling is None:
            if self.settings.word_components is not None:
                raise InputError("components of stimuli need features of stimuli and the map from these to samples.")
            check_features(name, features, len(self.samples))
            return features
        if len(self.samples) != self.sampling.n_samples:
            raise InputError(f"the map is to {self.sampling.n_samples} samples, but there are {len(self.samples)}.")
        check_features(name, features, len(features), "stimuli")
        return features if self.settings.word_components is not None else self.sampling.features(features)

    def of_all(self, features: np.ndarray) -> np.ndarray:
        """Return the features of all folds (kept sample, width), where nothing is fitted in the fold.

        Parameters
        ----------
        features : as `check` returns them.
        """
        return arrange(features, self.samples, self.settings)

    def of_fold(self, features: np.ndarray, number: int) -> np.ndarray:
        """Return the features of one outer fold (kept sample, width), see `standardised` for rows outside the fold.

        Components are fitted to the stimuli of the training samples and applied to all stimuli before the sample map;
        under `word_rule` "published", to other stimuli (see `published_words`).

        Parameters
        ----------
        features : as `check` returns them.
        number : of the fold.
        """
        count, sampling = self.settings.word_components, self.sampling
        kept = kept_samples(self.samples, self.settings)
        if count is not None and sampling is not None:
            rows = self._fitted(number, kept)
            features = sampling.features(principal_components(features, sampling.stimuli_of(rows), count))
        x = arrange(features, self.samples, self.settings)
        if sampling is not None and self.settings.word_rule == "published" and sampling.is_empty.any():
            delays = self.settings.delays if self.samples.onset_s is not None else ()
            x = without_reached_columns(x, sampling.is_empty, self.samples.run, delays, kept)
        standard = self.settings.standardize
        return x if standard == "none" else standardised(x, self.folds[number], standard)

    def spaces_of_fold(self, features: np.ndarray, number: int) -> list[Space]:
        """Return the feature spaces of one outer fold, of features as `check` returns them."""
        return spaces_as_fitted(self.of_fold(features, number), self.settings)

    def width(self, features: np.ndarray) -> int:
        """Return how many features (row, width) become, delayed copies counted."""
        delays = self.settings.delays if self.samples.onset_s is not None else ()
        count = self.settings.word_components
        own = int(features.shape[1])
        return (own if count is None else min(count, own)) * max(1, len(delays))

    def _fitted(self, number: int, kept: np.ndarray | None) -> np.ndarray:
        """Return the samples to whose stimuli components are fitted: those of the training set.

        Under the published rule of the gap those that it takes from the training set are among them.

        Parameters
        ----------
        kept : rows of the samples that trimming leaves; all where None.
        """
        split = self.settings.split
        train = self.folds[number].train
        if split.get("at") == "published":
            train = make_folds({**split, "gap": 0}, trimmed(self.samples, kept))[number].train
        if self.settings.word_rule == "own":
            return train if kept is None else kept[train]
        training = np.zeros(len(self.samples) if kept is None else len(kept), dtype=bool)
        training[train] = True
        return samples_looked_up(training, self.samples.run, (0, 0) if kept is None else self.settings.trim)


def spaces_of_samples(features: np.ndarray, fold: Fold, settings: EncoderSettings) -> list[Space]:
    """Return the feature spaces of one outer fold, of features (kept sample, width) that are only standardised."""
    return spaces_as_fitted(standardised(features.astype(np.float64), fold, settings.standardize), settings)


def standardised(features: np.ndarray, fold: Fold, standard: str) -> np.ndarray:
    """Z-score features (x - mean) / SD, with SD over n; a column is 0 where it is constant.

    "training"  mean and SD are of the training rows, and all rows are z-scored with them, as by scikit-learn's
                StandardScaler in a pipeline.
    "fold"      training and test rows are z-scored each with their own mean and SD, as some published code does; all
                other rows are 0.

    Parameters
    ----------
    features : (sample, width).
    """
    if standard == "training":
        mean, inverse = features[fold.train].mean(axis=0), inverse_deviation(features[fold.train])
        return np.asarray((features - mean) * inverse)
    result = np.zeros_like(features)
    for rows in (fold.train, fold.test):
        result[rows] = zscore(features[rows])[0]
    return result


def inverse_deviation(features: np.ndarray) -> np.ndarray:
    """Return 1 / SD of each column (width,), SD over n; 0 where a column is constant.

    Parameters
    ----------
    features : (row, width).
    """
    deviation = zscore(features)[1]
    return np.asarray(np.where(deviation > 0, 1.0 / np.where(deviation > 0, deviation, 1.0), 0.0))


def spaces_as_fitted(features: np.ndarray, settings: EncoderSettings) -> list[Space]:
    """Return the spaces of prepared features (sample, width), not centred for a fit without an intercept."""
    return spaces_of(features, settings) if settings.intercept else [FeatureSpace(features, centred=False)]


def trimmed(samples: Samples, kept: np.ndarray | None) -> Samples:
    """Return the rows of the sample table that are kept; all of them where `kept` is None."""
    if kept is None:
        return samples
    return replace(samples, columns={name: np.asarray(values)[kept] for name, values in samples.columns.items()})
