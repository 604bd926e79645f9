"""Features x responses x encoder: score every layer, choose among them, and draw the bootstrap."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from brainalign.encoding.cost import Task, expected_cost, measure_speed, sentence
from brainalign.encoding.fit import FoldFit, SpacesOfFold
from brainalign.encoding.joint import joint_spaces, weight_grid
from brainalign.encoding.layers import LayerChoice
from brainalign.encoding.preparation import tell_what_is_left_out
from brainalign.encoding.sampling import Sampling
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.spectrum import Space
from brainalign.encoding.threads import Threads
from brainalign.encoding.training import partition_samples, tell_pooled
from brainalign.encoding.trial import Scores, Trial
from brainalign.errors import InputError
from brainalign.responses.samples import Columns, Samples

log = logging.getLogger(__name__)

JOINT = "joint"
LONG = 10**11  # multiplications, from which on the time that a file of layers takes is told first


@dataclass(frozen=True)
class Encoding:
    """Scores of one feature space on one data set. score_layers are the layers, then "chosen".

    Scored folds are the outer folds, or one, of all folds' predictions together, where the split pools them.

    Parameters
    ----------
    layers, score_layers, score_subjects, score_regions : names of the axes; the last two begin with "all".
    r : (layer, scored fold, neuroid), Pearson r on a fold's test rows.
    r2 : (layer, scored fold, neuroid), 1 - squared error / squared distance of the test rows from the training mean.
    penalty : (layer, fold, neuroid), as used, scaled; NaN for ols.
    chosen_layer : (fold, choice unit), index into layers; one unit, or the subjects, or the neuroids.
    inner_score : (layer, fold), aggregate of r of held-out inner predictions; NaN unless the layer choice is nested.
    aggregate_r, aggregate_r2, aggregate_r2_test_mean : (score_layer, score_subject, score_region); the last against the
        mean of the test rows. NaN where a subject has no neuroid of a region.
    replicates : (draw, score_layer, score_subject, score_region) float32, of aggregate_r.
    replicates_r2 : (draw, score_subject, score_region) float32, of aggregate_r2 of the chosen layer.
    shift_p : (score_subject, score_region), p of the chosen layer by shifts of a series inside runs; NaN for no series.
    dependence : how replicates count that folds train each other, one of `p_values.KINDS`; of the chosen layer's.
    group_names : (group,); contributions : (group, score_layer, score_subject, score_region), what each group adds to
        the aggregate "mean"; NaN where groups are tested in several folds.
    pairs : (block, block, score_layer, score_subject, score_region), the same by way of each training block, of groups
        put together; NaN where that is not known. fold_of_block : (block,); pair_share : see `put_together`.
    chosen_r, chosen_r2, chosen_r2_test_mean : (scored fold, neuroid), of the chosen layer.
    resampled : what the bootstrap drew, see `bootstrap.Draws`.
    constant_predictions : (layer, scored fold), neuroids whose prediction was constant and scored 0.
    rank : (layer, fold), of the training features.
    edge_share : (layer, fold), share of neuroids whose penalty is the grid's first or last; NaN where none is chosen.
    width : (layer,), features of each layer, delayed copies counted.
    train_rows : (fold,), how many; groups : how many groups are tested.
    """

    layers: tuple[str, ...]
    score_layers: tuple[str, ...]
    score_subjects: tuple[str, ...]
    score_regions: tuple[str, ...]
    r: np.ndarray
    r2: np.ndarray
    penalty: np.ndarray
    chosen_layer: np.ndarray
    inner_score: np.ndarray
    aggregate_r: np.ndarray
    aggregate_r2: np.ndarray
    aggregate_r2_test_mean: np.ndarray
    replicates: np.ndarray
    replicates_r2: np.ndarray
    shift_p: np.ndarray
    dependence: str
    group_names: tuple[str, ...]
    contributions: np.ndarray
    pairs: np.ndarray
    fold_of_block: np.ndarray
    pair_share: float
    chosen_r: np.ndarray
    chosen_r2: np.ndarray
    chosen_r2_test_mean: np.ndarray
    resampled: str
    constant_predictions: np.ndarray
    rank: np.ndarray
    edge_share: np.ndarray
    width: np.ndarray
    train_rows: np.ndarray
    groups: int


@dataclass(frozen=True)
class _Fits:
    """What is kept of a layer's fits besides their scores."""

    penalty: np.ndarray
    inner_score: np.ndarray
    rank: np.ndarray
    edge_share: np.ndarray
    width: int


def encode(
    layers: Iterable[tuple[str, np.ndarray]],
    responses: np.ndarray,
    samples: Samples,
    neuroids: Columns,
    settings: EncoderSettings,
    sampling: Sampling | None = None,
    n_layers: int | None = None,
    device: str = "cpu",
) -> Encoding:
    """Predict responses from each layer, cross-validated, and score the predictions.

    Parameters
    ----------
    layers : names and features (sample, width), after the sample map, or (stimulus, width) where `sampling` is given;
        taken one at a time, so that memory holds one layer.
    responses : (sample, neuroid), or (repetition, sample, neuroid), whose mean over repetitions is taken.
    samples : the sample table, in the responses' order.
    neuroids : columns neuroid, subject, region.
    sampling : how stimuli become samples; needed where `settings.word_components` are fitted to stimuli.
    n_layers : how many layers there are; where given, the time and memory that they are expected to take are logged
        before a long fit.
    device : where the products of a ridge over folds that partition the samples are computed: "cpu", or one of torch
        such as "cuda", which gives the same to rounding.

    Raises
    ------
    InputError : no layer; a NaN or infinite value; features of another number of rows; and what `Trial` refuses.
    """
    trial = Trial(responses, samples, neuroids, settings, sampling, device)
    tell_what_is_left_out(samples, settings)
    if trial.score_inner:
        tell_pooled(trial.training, settings)
    choice = LayerChoice(settings.layer, len(trial.folds), settings.fixed_layer, trial.n_units)
    leading: list[np.ndarray] = []  # the test predictions of the layer in front
    leading_pairs: np.ndarray | None = None  # see `Trial.pairs`, of the layer in front
    scores: dict[str, tuple[Scores, _Fits]] = {}
    for name, features in layers:
        if n_layers and not scores:
            _expect(trial, trial.features.width(features), n_layers)
        spaces = trial.spaces(name, features)
        fits = trial.fit(spaces)
        predictions, pairs = [fit.prediction for fit in fits], trial.pairs(spaces, fits)
        scored, inner = trial.score(predictions, pairs), np.stack([trial.inner_scores(fit) for fit in fits])
        leads = choice.update(len(scores), name, inner[:, :-1], float(scored.aggregate_r[0, 0]))
        leading = _in_front(leading, predictions, leads[:, trial.unit_of_neuroid])
        leading_pairs = _pairs_in_front(leading_pairs, pairs, leads, trial)
        scores[name] = scored, _kept(fits, inner[:, -1], trial.features.width(features), settings)
        _report(name, *scores[name])
    if not scores:
        raise InputError("there is no layer to encode.")
    return _joined(scores, choice.chosen(list(scores)), leading, leading_pairs, trial)


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
    InputError : another regression or kernel, no intercept, choices of another number of folds, and all that
        `encode` refuses.
    """
    if (settings.regression, settings.kernel) != ("ridge", "linear"):
        raise InputError(f"joint spaces need a linear ridge, but this is {settings.kernel} {settings.regression}.")
    if not settings.intercept:
        raise InputError("joint spaces need a fit with an intercept, but this is one without.")
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
    pairs: np.ndarray | None = None
    for layers in dict.fromkeys(choices):
        values = [
            trial.features.check(layer, np.asarray(member.layers[layer]))
            for member, layer in zip(members, layers, strict=True)
        ]
        spaces = _joint(values, weights, trial)
        found = trial.fit(spaces)
        own_folds = np.array([choice == layers for choice in choices])
        fits = [new if mine else old for mine, new, old in zip(own_folds, found, fits, strict=True)]
        pairs = _pairs_in_front(pairs, trial.pairs(spaces, found), own_folds[:, None], trial)
    complete = [fit for fit in fits if fit is not None]
    predictions = [fit.prediction for fit in complete]
    width = sum(trial.features.width(own) for own in values)  # at the layers of the last choice
    scored, kept = trial.score(predictions, pairs), _kept(complete, np.full(len(fits), np.nan), width, settings)
    _report(JOINT, scored, kept)
    return _joined({JOINT: (scored, kept)}, np.zeros((len(fits), 1), dtype=np.intp), predictions, pairs, trial)


def _joint(values: Sequence[np.ndarray], weights: np.ndarray, trial: Trial) -> Sequence[Space] | SpacesOfFold:
    """Return the joint spaces of all folds, or a function that gives those of one."""
    features = trial.features
    if not trial.settings.fits_features:
        return joint_spaces([features.of_all(own) for own in values], weights)
    return lambda number: joint_spaces([features.of_fold(own, number) for own in values], weights)


def _in_front(leading: list[np.ndarray], predictions: list[np.ndarray], leads: np.ndarray) -> list[np.ndarray]:
    """Return the predictions of what leads now, for each fold (test, neuroid); `leads` is (fold, neuroid)."""
    if not leading:
        return predictions
    merged = []
    for old, new, where in zip(leading, predictions, leads, strict=True):
        merged.append(new if where.all() else np.where(where, new, old) if where.any() else old)
    return merged


def _expect(trial: Trial, width: int, n_layers: int) -> None:
    """Log how long a file of layers is expected to take, and how much memory, unless that is a moment."""
    settings, (samples, neuroids) = trial.settings, trial.y.shape
    spaces = {"rbf": len(settings.bandwidths), "polynomial": len(settings.degrees)}.get(settings.kernel, 1)
    task = Task(
        samples=samples,
        width=width,
        neuroids=neuroids,
        layers=n_layers,
        folds=len(trial.folds),
        penalties=len(settings.penalty_values),
        spaces=spaces,
        draws=settings.draws,
        cells=trial.units.members.shape[0] * trial.units.members.shape[1],
        groups=len(trial.dependence.groups),
        threads=Threads().count,
        inner_scores=trial.score_inner,
        at_once=settings.regression == "ridge"
        and not settings.fits_features
        and partition_samples(trial.training, samples),
        single=settings.precision == "float32",
    )
    if n_layers * samples**2 * neuroids * task.penalties * spaces > LONG:
        log.info("expected on the processor: %s", sentence(task, expected_cost(task, measure_speed())))


def _pairs_in_front(
    leading: np.ndarray | None, pairs: np.ndarray | None, leads: np.ndarray, trial: Trial
) -> np.ndarray | None:
    """Return the pairs of what leads now: rows of a block are of the layer that leads in its fold.

    None where neuroids of one fold have different layers, so that no layer's pairs are those of the chosen one.
    """
    if pairs is None or trial.n_units > 1:
        return None
    if leading is None:
        return pairs
    now = leads[trial.dependence.fold_of_block, 0]  # (block,)
    return np.where(now[:, None, None, None], pairs, leading)


def _kept(fits: list[FoldFit], inner_score: np.ndarray, width: int, settings: EncoderSettings) -> _Fits:
    return _Fits(
        penalty=np.stack([fit.penalty for fit in fits]),
        inner_score=inner_score,
        rank=np.array([fit.rank for fit in fits]),
        edge_share=np.array([fit.at_edge.mean() if settings.chooses_penalty else np.nan for fit in fits]),
        width=width,
    )


def _joined(
    scores: dict[str, tuple[Scores, _Fits]],
    chosen: np.ndarray,
    leading: Sequence[np.ndarray],
    pairs: np.ndarray | None,
    trial: Trial,
) -> Encoding:
    of_layers, fits = [scored for scored, _ in scores.values()], [kept for _, kept in scores.values()]
    only = np.unique(chosen)
    of_chosen = of_layers[only[0]] if len(only) == 1 else trial.score(leading, pairs)
    units = trial.units
    return Encoding(
        layers=tuple(scores),
        score_layers=(*scores, "chosen"),
        score_subjects=units.score_subjects,
        score_regions=units.score_regions,
        r=np.stack([layer.r for layer in of_layers]),
        r2=np.stack([layer.r2 for layer in of_layers]),
        chosen_layer=chosen,
        aggregate_r=np.stack([layer.aggregate_r for layer in (*of_layers, of_chosen)]),
        aggregate_r2=np.stack([layer.aggregate_r2 for layer in (*of_layers, of_chosen)]),
        aggregate_r2_test_mean=np.stack([layer.aggregate_r2_test_mean for layer in (*of_layers, of_chosen)]),
        replicates=np.stack([layer.replicates for layer in (*of_layers, of_chosen)], axis=1),
        replicates_r2=trial.replicates_r2(leading, of_chosen.spread),
        shift_p=trial.shift_p(leading, of_chosen.spread),
        dependence=trial.dependence.kind(not np.isnan(of_chosen.pairs).all()),
        group_names=trial.dependence.groups,
        contributions=np.stack([layer.contributions for layer in (*of_layers, of_chosen)], axis=1),
        pairs=np.stack([layer.pairs for layer in (*of_layers, of_chosen)], axis=2),
        fold_of_block=trial.dependence.together[1],
        pair_share=trial.dependence.together[2],
        chosen_r=of_chosen.r,
        chosen_r2=of_chosen.r2,
        chosen_r2_test_mean=of_chosen.r2_test_mean,
        resampled=trial.draws.resampled,
        constant_predictions=np.stack([layer.constant_predictions for layer in of_layers]),
        train_rows=np.array([len(fold.train) for fold in trial.folds]),
        groups=len(trial.dependence.groups),
        **{item.name: np.stack([getattr(layer, item.name) for layer in fits]) for item in fields(_Fits)},
    )


def _report(name: str, scored: Scores, fits: _Fits) -> None:
    log.info(
        "layer %s: width %d, r %.3f, inner r %.3f, penalty at the grid's edge for %.0f %%, constant predictions %d",
        name,
        fits.width,
        scored.aggregate_r[0, 0],
        fits.inner_score.mean(),
        100 * fits.edge_share.mean(),
        scored.constant_predictions.sum(),
    )
