"""Predictions of a subject from other subjects: the encoder with their responses as features.

Under the encoder's split, penalties, inner folds and aggregate, but without delays, z-scores or principal components:
the responses of two subjects to a stimulus are compared as they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from brainalign.ceilings.ceiling import Ceiling
from brainalign.ceilings.predicted import ceiling_of_predictions
from brainalign.encoding.fit import SpacesOfFold, fit_folds
from brainalign.encoding.scores import Units
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.spectrum import FeatureSpace, GramSpace, Space
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

        Parameters
        ----------
        pool : numbers of the subjects that predict.
        targets : (sample, target), centred responses of others.
        """
        settings = self.trial.settings
        spaces: Sequence[Space] | SpacesOfFold = [self.space(pool)]
        if settings.standardize == "fold":
            spaces = self.trial.spaces_of_samples(self.responses[:, np.isin(self.subject, pool)])
        fits = fit_folds(spaces, targets, self.trial.training, settings, score_inner=False)
        return [fit.prediction for fit in fits]

    def space(self, pool: Sequence[int]) -> Space:
        """Return the feature space of a pool: the sum of its subjects' Gram matrices where that is as exact."""
        members = np.isin(self.subject, pool)
        if members.sum() < WIDE * len(self.responses):
            return FeatureSpace(self.responses[:, members])
        return GramSpace(np.sum([self.grams[number] for number in pool], axis=0))

    @cached_property
    def grams(self) -> list[np.ndarray]:
        """The Gram matrix of each subject's responses, (sample, sample) float64."""
        parts = [self.responses[:, self.subject == number].astype(np.float64) for number in range(self.n_subjects)]
        return [part @ part.T for part in parts]


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
    InputError : fewer subjects, and all that `encoder.Trial` refuses.
    """
    units = Units.from_table(neuroids)
    if len(units.subjects) < least:
        raise InputError(
            f"a ceiling from other subjects needs at least {least} of them here, "
            f"but the data set has {len(units.subjects)}."
        )
    plain = replace(
        settings,
        zscore=False,
        zscore_delayed=False,
        word_components=None,
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
