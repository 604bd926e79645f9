"""Predictions of a subject from other subjects: the encoder with their responses as features.

Under the encoder's split, scaling, kernel, penalties, inner folds and aggregate, but without delays or principal
components: the responses of two subjects to a stimulus have the same delay, and are taken whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from brainalign.ceilings.ceiling import Ceiling
from brainalign.ceilings.predicted import ceiling_of_predictions
from brainalign.encoding.delays import zscore_within_runs
from brainalign.encoding.fit import SpacesOfFold, fit_folds
from brainalign.encoding.kernels import spaces_of, spaces_of_gram
from brainalign.encoding.scales import at_one_scale
from brainalign.encoding.scores import Units
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.spectrum import FeatureSpace, Space
from brainalign.encoding.trial import Trial
from brainalign.errors import InputError
from brainalign.responses.samples import Columns, Samples

# A Gram matrix loses half the digits of small singular values. They matter where a pool has about as many neuroids as
# there are samples, so that only pools with twice as many are added up as Gram matrices.
WIDE = 2


@dataclass(frozen=True)
class OtherSubjects:
    """The responses of all subjects, of which some predict others.

    Parameters
    ----------
    trial : the data set under the encoder, as far as it takes responses for features.
    subject : (neuroid,), number of each neuroid's subject.
    """

    trial: Trial
    subject: np.ndarray

    @property
    def responses(self) -> np.ndarray:
        """The responses (sample, neuroid), centred, in the precision of the products."""
        return self.trial.y

    @property
    def units(self) -> Units:
        """Where the neuroids belong."""
        return self.trial.units

    @property
    def n_subjects(self) -> int:
        """How many subjects there are."""
        return len(self.units.subjects)

    def predict(self, pool: Sequence[int], targets: np.ndarray) -> list[np.ndarray]:
        """Predict responses from those of a pool of subjects; (test, target) for each fold.

        Predictions are at one scale where those of all folds are scored together (see `encoding.scales`).

        Parameters
        ----------
        pool : numbers of the subjects that predict.
        targets : (sample, target), centred responses of others.
        """
        settings = self.trial.settings
        fits = fit_folds(self.spaces(pool), targets, self.trial.training, settings, score_inner=False)
        predictions = [fit.prediction for fit in fits]
        if not settings.pools:
            return predictions
        return at_one_scale(predictions, np.stack([fit.scale for fit in fits]), targets)

    def spaces(self, pool: Sequence[int]) -> Sequence[Space] | SpacesOfFold:
        """Return the feature spaces of a pool, or a function that gives those of a fold, as `fit_folds` takes them.

        They are made of the sum of its subjects' Gram matrices where that is as exact. There are several where the
        encoder's kernel has a bandwidth or a degree to be chosen with the penalty.

        Parameters
        ----------
        pool : numbers of subjects.
        """
        settings, members = self.trial.settings, np.isin(self.subject, pool)
        if settings.standardize != "none":
            return self.trial.spaces_of_samples(self.features(members))
        if settings.kernel == "linear" and members.sum() < WIDE * len(self.responses):
            return spaces_of(self.features(members), settings)
        return spaces_of_gram(np.sum([self.grams[number] for number in pool], axis=0), settings)

    def features(self, members: np.ndarray) -> np.ndarray:
        """Return the responses of some neuroids as features (sample, member), scaled in each run as the encoder says.

        Scaling before and after delays is the same without delays, and what trimming leaves is scaled: responses of
        the samples that it takes may be anything.

        Parameters
        ----------
        members : (neuroid,) bool.
        """
        own, settings = self.responses[:, members], self.trial.settings
        return zscore_within_runs(own, self.trial.samples.run) if settings.zscore or settings.zscore_delayed else own

    @cached_property
    def grams(self) -> list[np.ndarray]:
        """The Gram matrix of each subject's features, (sample, sample) float64."""
        return [FeatureSpace(self.features(self.subject == number)).gram for number in range(self.n_subjects)]


def other_subjects(
    responses: np.ndarray, samples: Samples, neuroids: Columns, settings: EncoderSettings, least: int
) -> OtherSubjects:
    """Prepare responses for predictions between subjects.

    Parameters
    ----------
    responses : (sample, neuroid) or (repetition, sample, neuroid).
    least : how many subjects are needed.

    Raises
    ------
    InputError : fewer subjects, samples without runs in which features are to be scaled, and all that `encoder.Trial`
        refuses.
    """
    units = Units.from_table(neuroids)
    if len(units.subjects) < least:
        raise InputError(
            f"a ceiling from other subjects needs at least {least} of them here, "
            f"but the data set has {len(units.subjects)}."
        )
    plain = replace(
        settings,
        word_components=None,
        word_rule="own",
        delays=(),
        layer="best",
        fixed_layer=None,
        layer_for="all",
    )
    if plain.regression == "pca-ridge":
        plain = replace(plain, regression="ridge", components=None)
    number = {name: position for position, name in enumerate(units.subjects)}
    subject = np.array([number[name] for name in units.subject])
    return OtherSubjects(Trial(responses, samples, neuroids, plain), subject)


def leave_one_subject_out_ceiling(
    responses: np.ndarray, samples: Samples, neuroids: Columns, settings: EncoderSettings
) -> Ceiling:
    """Predict each subject's neuroids from those of all other subjects, and score them as a model's.

    It is what S - 1 other subjects predict, no bound: a model can score above it.

    Raises
    ------
    InputError : fewer than 2 subjects, and all that `other_subjects` refuses.
    """
    data = other_subjects(responses, samples, neuroids, settings, least=2)
    everyone = range(data.n_subjects)
    predictions = [np.empty((len(fold.test), len(data.units)), data.responses.dtype) for fold in data.trial.folds]
    for target in everyone:
        columns = data.subject == target
        pool = [number for number in everyone if number != target]
        for prediction, part in zip(predictions, data.predict(pool, data.responses[:, columns]), strict=True):
            prediction[:, columns] = part
    return ceiling_of_predictions("leave-one-subject-out", predictions, data.trial)
