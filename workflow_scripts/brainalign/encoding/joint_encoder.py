"""Several feature spaces x responses x encoder: predict from all of them together, each at its chosen layer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from brainalign.encoding.encoder import (
    Encoding,
    assembled,
    report,
    summarised,
)
from brainalign.encoding.expectation import tell_expected_cost
from brainalign.encoding.fit import FoldFit, SpacesOfFold
from brainalign.encoding.joint import joint_spaces, weight_grid
from brainalign.encoding.sampling import Sampling
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.spectrum import Space
from brainalign.encoding.trial import Trial
from brainalign.errors import InputError
from brainalign.responses.samples import Columns, Samples

JOINT = "joint"


@dataclass(frozen=True)
class Member:
    """A feature space that is joined with others.

    Parameters
    ----------
    layers : name to features as `encode` takes them; each is read when it is asked for.
    chosen : (fold,) of text, the layer that was chosen in each outer fold.
    """

    layers: Mapping[str, np.ndarray]
    chosen: Sequence[str]


def encode_joint(
    members: Sequence[Member],
    responses: np.ndarray,
    samples: Samples,
    neuroids: Columns,
    settings: EncoderSettings,
    sampling: Sampling | None = None,
    device: str = "cpu",
    weights: np.ndarray | None = None,
) -> Encoding:
    """Predict responses from several feature spaces together, each at the layer chosen in the fold (see `joint`).

    Weights of the spaces are chosen with the penalty. The one layer is named "joint".

    Parameters
    ----------
    members : in the order of the weights.
    weights : (candidate, member), those that are tried; by default `joint.weight_grid` of `settings.mixtures`.
    responses, samples, neuroids, sampling, device : as for `encode`.
    settings : a ridge with a linear kernel and an intercept.

    Raises
    ------
    InputError : no members, another regression or kernel, no intercept, choices of another number of folds, and all
        that `encode` refuses.
    """
    if (settings.regression, settings.kernel) != ("ridge", "linear"):
        raise InputError(f"joint spaces need a linear ridge, but this is {settings.kernel} {settings.regression}.")
    if not settings.intercept:
        raise InputError("joint spaces need a fit with an intercept, but this is one without.")
    if not members:
        raise InputError("there is no feature space to join.")
    own = replace(settings, layer="fixed", layer_for="all", fixed_layer=JOINT)
    trial = Trial(responses, samples, neuroids, own, sampling, device)
    for member in members:
        if len(member.chosen) != len(trial.folds):
            raise InputError(
                f"a layer was chosen in {len(member.chosen)} folds of a joint space's member, but there are "
                f"{len(trial.folds)}."
            )
    if weights is None:
        weights = weight_grid(len(members), settings.mixtures, settings.seed)
    choices = list(zip(*(member.chosen for member in members), strict=True))  # of each fold, a layer of each member
    fits: list[FoldFit | None] = [None] * len(trial.folds)
    pairs: list[np.ndarray] = []
    taken: list[float] = []
    distinct = list(dict.fromkeys(choices))
    for layers in distinct:
        values = [
            trial.features.check(layer, np.asarray(member.layers[layer]))
            for member, layer in zip(members, layers, strict=True)
        ]
        width = sum(trial.features.width(own) for own in values)
        if layers == distinct[0]:
            tell_expected_cost(trial, np.asarray(responses), width, len(distinct), len(members), len(weights))
        spaces = _joint(values, weights, trial)
        found = trial.fit(spaces)
        own_folds = np.array([choice == layers for choice in choices])
        fits = [new if mine else old for mine, new, old in zip(own_folds, found, fits, strict=True)]
        of_groups = trial.pairs(spaces, found)
        pairs.append(trial.dependence.unknown_pairs() if of_groups is None else of_groups)
        taken.append(float(own_folds.mean()))
        del values, spaces, found  # before those of the next choice are made
    complete = [fit for fit in fits if fit is not None]
    predictions = [fit.prediction for fit in complete]
    share = np.broadcast_to(np.array(taken)[:, None], (len(taken), len(trial.units)))
    scale = np.stack([fit.scale for fit in complete])
    scored = trial.score(predictions, trial.dependence.pairs_of_choice(pairs, share), scale=scale)
    kept = summarised(complete, np.full(len(fits), np.nan), width, settings)  # the last choice's width
    report(JOINT, scored, kept)
    return assembled({JOINT: (scored, kept)}, np.zeros((len(fits), 1), dtype=np.intp), predictions, scale, trial)


def _joint(values: Sequence[np.ndarray], weights: np.ndarray, trial: Trial) -> Sequence[Space] | SpacesOfFold:
    """Return the joint spaces of all folds, or a function that gives those of one."""
    features = trial.features
    if not trial.settings.fits_features:
        return joint_spaces([features.of_all(own) for own in values], weights)
    return lambda number: joint_spaces([features.of_fold(own, number) for own in values], weights)
