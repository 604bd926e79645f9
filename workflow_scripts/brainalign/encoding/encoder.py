"""Features x responses x encoder: score every layer, choose among them, and draw the bootstrap."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from brainalign.encoding.expectation import tell_expected_cost
from brainalign.encoding.fit import FoldFit
from brainalign.encoding.layers import LayerChoice, check_fixed_layer
from brainalign.encoding.preparation import tell_what_is_left_out
from brainalign.encoding.rechosen import spread_of_choice
from brainalign.encoding.sampled_neuroids import NeuroidContributions
from brainalign.encoding.sampling import Sampling
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.training import tell_pooled
from brainalign.encoding.trial import Scores, Trial
from brainalign.errors import InputError
from brainalign.inference.p_values import WIDENED
from brainalign.inference.replicates import widened
from brainalign.responses.samples import Columns, Samples

log = logging.getLogger(__name__)


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
    spread_r2 : (score_subject, score_region), by how much these are widened for what folds and layers share.
    shift_p : (score_subject, score_region), p of the chosen layer by shifts of a series inside runs; NaN for no series.
    dependence : how replicates count that folds train each other, one of `p_values.KINDS`; of the chosen layer's.
    group_names : (group,); contributions : (group, score_layer, score_subject, score_region), what each group adds to
        the aggregate "mean"; NaN where groups are tested in several folds.
    pairs : (block, block, score_layer, score_subject, score_region), the same by way of each training block, of groups
        put together; NaN where that is not known. fold_of_block : (block,); pair_share : see `put_together`.
    choice_spread : (score_subject, score_region), by how much replicates of the chosen layer are widened since it is
        chosen by fold, see `rechosen`.
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
    spread_r2: np.ndarray
    shift_p: np.ndarray
    dependence: str
    group_names: tuple[str, ...]
    contributions: np.ndarray
    pairs: np.ndarray
    fold_of_block: np.ndarray
    pair_share: float
    choice_spread: np.ndarray
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
class FitSummary:
    """What is kept of a layer's fits besides their scores; arrays as in `Encoding`, of one layer."""

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
    names: Sequence[str] | None = None,
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
    names : of all layers; where given, a fixed layer that is not among them is refused before the first fit (as it is
        where `layers` is a list), and the time and memory that the layers are expected to take are logged before a
        long fit.
    device : where the products of a ridge over folds that partition the samples are computed: "cpu", or one of torch
        such as "cuda", which gives the same to rounding.

    Raises
    ------
    InputError : no layer, or not the fixed one; a NaN or infinite value; features of another number of rows; and what
        `Trial` refuses.
    """
    known = [name for name, _ in layers] if names is None and isinstance(layers, Sequence) else names
    if known:
        check_fixed_layer(settings.fixed_layer, known)
    trial = Trial(responses, samples, neuroids, settings, sampling, device)
    tell_what_is_left_out(samples, settings)
    if trial.score_inner:
        tell_pooled(trial.training, settings)
    choice = LayerChoice(settings.layer, len(trial.folds), settings.fixed_layer, trial.n_units)
    leading: list[np.ndarray] = []  # the test predictions of the layer in front
    leading_scale = np.ones((len(trial.folds), len(trial.units)))  # and their scale
    scores: dict[str, tuple[Scores, FitSummary]] = {}
    of_neuroids: list[NeuroidContributions] = []
    for name, features in layers:
        if names and not scores:
            tell_expected_cost(trial, np.asarray(responses), trial.features.width(features), len(names))
        spaces = trial.spaces(name, features)
        fits = trial.fit(spaces)
        predictions, pairs = [fit.prediction for fit in fits], trial.pairs(spaces, fits)
        scale = np.stack([fit.scale for fit in fits])
        scored = trial.score(predictions, pairs, scale=scale)
        inner = np.stack([trial.inner_scores(fit) for fit in fits])
        leads = choice.update(len(scores), name, inner[:, :-1], float(scored.aggregate_r[0, 0]))
        ahead = leads[:, trial.unit_of_neuroid]
        leading = _in_front(leading, predictions, ahead)
        leading_scale = np.where(ahead, scale, leading_scale)
        scores[name] = scored, summarised(fits, inner[:, -1], trial.features.width(features), settings)
        if trial.sampled is not None:
            of_neuroids.append(trial.sampled.score(spaces, fits, pairs is not None))
        report(name, *scores[name])
        del features, spaces, fits, predictions  # before those of the next layer are made
    if not scores:
        raise InputError("there is no layer to encode.")
    return assembled(scores, choice.chosen(list(scores)), leading, leading_scale, trial, of_neuroids)


def _in_front(leading: list[np.ndarray], predictions: list[np.ndarray], leads: np.ndarray) -> list[np.ndarray]:
    """Return the predictions of what leads now, for each fold (test, neuroid); `leads` is (fold, neuroid)."""
    if not leading:
        return predictions
    merged = []
    for old, new, where in zip(leading, predictions, leads, strict=True):
        merged.append(new if where.all() else np.where(where, new, old) if where.any() else old)
    return merged


def summarised(fits: list[FoldFit], inner_score: np.ndarray, width: int, settings: EncoderSettings) -> FitSummary:
    return FitSummary(
        penalty=np.stack([fit.penalty for fit in fits]),
        inner_score=inner_score,
        rank=np.array([fit.rank for fit in fits]),
        edge_share=np.array([fit.at_edge.mean() if settings.chooses_penalty else np.nan for fit in fits]),
        width=width,
    )


def assembled(
    scores: dict[str, tuple[Scores, FitSummary]],
    chosen: np.ndarray,
    leading: Sequence[np.ndarray],
    scale: np.ndarray,
    trial: Trial,
    of_neuroids: Sequence[NeuroidContributions] = (),
) -> Encoding:
    of_layers, fits = [scored for scored, _ in scores.values()], [kept for _, kept in scores.values()]
    only = np.unique(chosen)
    if len(only) == 1:
        of_chosen = of_layers[only[0]]
    else:
        share = np.stack([(chosen[:, trial.unit_of_neuroid] == number).mean(axis=0) for number in only])
        pairs = trial.dependence.pairs_of_choice([of_layers[number].pairs for number in only], share)
        of_chosen = trial.score(leading, pairs, scale=scale)
    by_choice = _spread_of_choice(of_layers, of_neuroids, trial)
    of_chosen = replace(of_chosen, replicates=widened(of_chosen.replicates, by_choice))
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
        replicates_r2=widened(trial.replicates_r2(leading, of_chosen.spread), by_choice),
        spread_r2=by_choice * (of_chosen.spread if trial.dependence.kind(False) == WIDENED else 1.0),
        shift_p=trial.shift_p(trial.for_r(leading, scale), of_chosen.spread * by_choice),
        dependence=trial.dependence.kind(not np.isnan(of_chosen.pairs).all()),
        group_names=trial.dependence.groups,
        contributions=np.stack([layer.contributions for layer in (*of_layers, of_chosen)], axis=1),
        pairs=np.stack([layer.pairs for layer in (*of_layers, of_chosen)], axis=2),
        fold_of_block=trial.dependence.fold_of_block,
        pair_share=trial.dependence.pair_share,
        choice_spread=by_choice,
        chosen_r=of_chosen.r,
        chosen_r2=of_chosen.r2,
        chosen_r2_test_mean=of_chosen.r2_test_mean,
        resampled=trial.draws.resampled,
        constant_predictions=np.stack([layer.constant_predictions for layer in of_layers]),
        train_rows=np.array([len(fold.train) for fold in trial.folds]),
        groups=len(trial.dependence.groups),
        **{item.name: np.stack([getattr(layer, item.name) for layer in fits]) for item in fields(FitSummary)},
    )


def _spread_of_choice(
    of_layers: Sequence[Scores], of_neuroids: Sequence[NeuroidContributions], trial: Trial
) -> np.ndarray:
    """Return by how much the choice of layers by inner folds widens scores, (score_subject, score_region)."""
    nothing = np.ones(trial.units.members.shape[:2])
    if not trial.draws_choice or len(of_layers) == 1:
        return nothing
    if trial.sampled is not None:
        return trial.sampled.spread_of_choice(of_neuroids)
    subjects = None if trial.settings.layer_for == "all" else np.arange(1, len(nothing))
    contributions, pairs = [layer.contributions for layer in of_layers], [layer.pairs for layer in of_layers]
    return spread_of_choice(trial.dependence, contributions, pairs, subjects)


def report(name: str, scored: Scores, fits: FitSummary) -> None:
    log.info(
        "layer %s: width %d, r %.3f, inner r %.3f, penalty at the grid's edge for %.0f %%, constant predictions %d",
        name,
        fits.width,
        scored.aggregate_r[0, 0],
        fits.inner_score.mean(),
        100 * fits.edge_share.mean(),
        scored.constant_predictions.sum(),
    )
