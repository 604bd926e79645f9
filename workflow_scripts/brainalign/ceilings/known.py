"""The ceiling of simulated data: how well the noise-free response predicts the response."""

import numpy as np

from brainalign.ceilings.ceiling import Ceiling
from brainalign.ceilings.predicted import ceiling_of_predictions
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.trial import Trial
from brainalign.errors import InputError
from brainalign.responses.samples import Columns, Samples


def known_ceiling(
    noise_free: np.ndarray, responses: np.ndarray, samples: Samples, neuroids: Columns, settings: EncoderSettings
) -> Ceiling:
    """Return r of the noise-free response with the response on the encoder's test rows, draws and aggregate.

    It is the score of a model that knows the noise-free response f: of f_i - mean of f over the rows that trained i's
    fold, as a fitted model's predictions are scored (see `trial.Trial.score`). That mean matters only where the
    predictions of all folds are scored together.

    Parameters
    ----------
    noise_free : (sample, neuroid).
    responses : (sample, neuroid) or (repetition, sample, neuroid).

    Raises
    ------
    InputError : shapes that do not fit, and all that `encoder.Trial` refuses.
    """
    trial = Trial(responses, samples, neuroids, settings)
    noise_free = noise_free if trial.kept is None else noise_free[trial.kept]
    if noise_free.shape != trial.y.shape:
        raise InputError(f"the noise-free responses have shape {noise_free.shape}, but the responses {trial.y.shape}.")
    signal = [noise_free[fold.test] - noise_free[fold.train].mean(axis=0, dtype=np.float64) for fold in trial.folds]
    return ceiling_of_predictions("known", [part.astype(trial.y.dtype) for part in signal], trial, trained=False)
