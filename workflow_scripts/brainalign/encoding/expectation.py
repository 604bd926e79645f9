"""What a fit is expected to take, said in the log before it starts."""

import logging

import numpy as np

from brainalign.encoding.cost import (
    GIBIBYTE,
    Task,
    expected_bytes,
    expected_cost,
    held_bytes,
    measure_speed,
    sentence,
)
from brainalign.encoding.threads import Threads
from brainalign.encoding.training import partition_samples
from brainalign.encoding.trial import Trial
from brainalign.free_memory import free_memory_of_host

log = logging.getLogger(__name__)

LONG = 10**11  # multiplications, from which on the time that a file of layers takes is told first


def tell_expected_cost(
    trial: Trial, given: np.ndarray, width: int, n_layers: int, members: int = 1, weightings: int | None = None
) -> None:
    """Log how long a fit is expected to take and how much memory, unless that is a moment; warn if more than is free.

    Parameters
    ----------
    given : the responses as they were given.
    width : of a layer, or of those that are joined together.
    members, weightings : of joint spaces, how many are joined and how many weightings of them are tried.
    """
    settings, (samples, neuroids) = trial.settings, trial.y.shape
    kernels = {"rbf": len(settings.bandwidths), "polynomial": len(settings.degrees)}.get(settings.kernel)
    task = Task(
        samples=samples,
        width=width,
        neuroids=neuroids,
        layers=n_layers,
        folds=len(trial.folds),
        penalties=len(settings.penalty_values),
        spaces=weightings or kernels or 1,
        members=members,
        grams=bool(weightings or kernels),
        repetitions=1 if given.ndim == 2 else len(given),
        pooled=settings.pools,
        draws=settings.draws,
        cells=trial.units.members.shape[0] * trial.units.members.shape[1],
        groups=len(trial.dependence.groups),
        threads=Threads().count,
        inner_scores=trial.score_inner,
        at_once=settings.regression == "ridge"
        and not settings.fits_features
        and partition_samples(trial.training, samples),
        single=settings.precision == "float32",
        sampled=0 if trial.sampled is None else len(trial.sampled.neuroids),
    )
    if n_layers * samples**2 * neuroids * task.candidates > LONG:
        log.info("expected on the processor: %s", sentence(task, expected_cost(task, measure_speed())))
    needed, free = expected_bytes(task) - held_bytes(task), free_memory_of_host()
    if needed > free:
        log.warning(
            "encoding is expected to need %.1f GiB more than it holds now, but %.1f GiB are free",
            needed / GIBIBYTE,
            free / GIBIBYTE,
        )
