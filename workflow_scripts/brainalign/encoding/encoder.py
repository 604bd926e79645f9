"""Features x responses x encoder: score every layer, choose among them, and draw the bootstrap."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from brainalign.encoding.bootstrap import Draws, make_draws, replicate
from brainalign.encoding.fit import FoldFit, fit_fold, training_folds
from brainalign.encoding.layers import LayerChoice
from brainalign.encoding.preparation import prepare_features, prepare_responses
from brainalign.encoding.scores import Units, aggregate, pearson
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.spectrum import FeatureSpace
from brainalign.encoding.splits import make_folds
from brainalign.errors import InputError
from brainalign.responses.samples import Columns, Samples

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Encoding:
    """Scores of one feature space on one data set. score_layers are the layers, then "chosen".

    Parameters
    ----------
    layers, score_layers, score_subjects, score_regions : names of the axes; the last two begin with "all".
    r : (layer, fold, neuroid), Pearson r on a fold's test rows.
    penalty : (layer, fold, neuroid), as used, scaled; NaN for ols.
    chosen_layer : (fold,), index into layers.
    inner_score : (layer, fold), aggregate of r of held-out inner predictions; NaN unless the layer choice is nested.
    aggregate_r : (score_layer, score_subject, score_region); NaN where a subject has no neuroid of a region.
    replicates : (draw, score_layer, score_subject, score_region) float32.
    resampled : what the bootstrap drew: "groups within folds", "groups" or "folds".
    constant_predictions : (layer, fold), neuroids whose prediction was constant and scored 0.
    rank : (layer, fold), of the training features.
    edge_share : (layer, fold), share of neuroids whose penalty is the grid's first or last; NaN where none is chosen.
    """

    layers: tuple[str, ...]
    score_layers: tuple[str, ...]
    score_subjects: tuple[str, ...]
    score_regions: tuple[str, ...]
    r: np.ndarray
    penalty: np.ndarray
    chosen_layer: np.ndarray
    inner_score: np.ndarray
    aggregate_r: np.ndarray
    replicates: np.ndarray
    resampled: str
    constant_predictions: np.ndarray
    rank: np.ndarray
    edge_share: np.ndarray


@dataclass(frozen=True)
class _LayerScores:
    """What is kept of a layer: everything but its features and predictions."""

    r: np.ndarray
    penalty: np.ndarray
    inner_score: np.ndarray
    aggregate_r: np.ndarray
    replicates: np.ndarray
    constant_predictions: np.ndarray
    rank: np.ndarray
    edge_share: np.ndarray


def encode(
    layers: Iterable[tuple[str, np.ndarray]],
    responses: np.ndarray,
    samples: Samples,
    neuroids: Columns,
    settings: EncoderSettings,
) -> Encoding:
    """Predict responses from each layer, cross-validated, and score the predictions.

    Parameters
    ----------
    layers : names and features (sample, width), after the sample map (`samples.apply_sample_map`); taken one at a
        time, so that memory holds one layer.
    responses : (sample, neuroid), or (repetition, sample, neuroid), whose mean over repetitions is taken.
    samples : the sample table, in the responses' order.
    neuroids : columns neuroid, subject, region.

    Raises
    ------
    InputError : shapes that do not fit, NaN or infinite values, neuroids that do not vary, no layer, a split that the
        samples do not allow.
    """
    units = Units.from_table(neuroids)
    folds = make_folds(settings.split, samples)
    y = prepare_responses(responses, samples, units, folds)
    score_inner = settings.layer == "nested"
    training = training_folds(folds, settings, score_inner)
    draws = make_draws(samples.split_group, folds, settings.draws, settings.seed)
    truths = [y[fold.test] for fold in folds]
    choice = LayerChoice(settings.layer, len(folds), settings.fixed_layer)
    leading: list[np.ndarray] = [np.empty(0)] * len(folds)  # the test predictions of the layer in front
    scores: dict[str, _LayerScores] = {}
    for name, features in layers:
        space = FeatureSpace(prepare_features(name, features, samples, settings))
        fits = [fit_fold(space, y, fold, settings, score_inner) for fold in training]
        scored = _score(fits, truths, units, draws, settings)
        leads = choice.update(len(scores), name, scored.inner_score, float(scored.aggregate_r[0, 0]))
        leading = [fit.prediction if lead else old for lead, fit, old in zip(leads, fits, leading, strict=True)]
        scores[name] = scored
        _report(name, features.shape[1], scored)
    if not scores:
        raise InputError("there is no layer to encode.")
    chosen = choice.chosen(list(scores))
    return _joined(scores, chosen, replicate(draws, leading, truths, units, settings.aggregate), draws, units, settings)


def _score(
    fits: list[FoldFit], truths: list[np.ndarray], units: Units, draws: Draws, settings: EncoderSettings
) -> _LayerScores:
    predictions = [fit.prediction for fit in fits]
    correlations = [pearson(prediction, truth) for prediction, truth in zip(predictions, truths, strict=True)]
    r = np.stack([values for values, _ in correlations])
    return _LayerScores(
        r=r,
        penalty=np.stack([fit.penalty for fit in fits]),
        inner_score=np.array([_inner_score(fit, units, settings) for fit in fits]),
        aggregate_r=aggregate(r, units, settings.aggregate),
        replicates=replicate(draws, predictions, truths, units, settings.aggregate),
        constant_predictions=np.array([count for _, count in correlations]),
        rank=np.array([fit.rank for fit in fits]),
        edge_share=np.array([fit.at_edge.mean() if settings.chooses_penalty else np.nan for fit in fits]),
    )


def _inner_score(fit: FoldFit, units: Units, settings: EncoderSettings) -> float:
    return np.nan if fit.inner_r is None else float(aggregate(fit.inner_r, units, settings.aggregate)[0, 0])


def _joined(
    scores: dict[str, _LayerScores],
    chosen: np.ndarray,
    chosen_replicates: np.ndarray,
    draws: Draws,
    units: Units,
    settings: EncoderSettings,
) -> Encoding:
    layers = list(scores.values())
    r = np.stack([layer.r for layer in layers])
    chosen_r = aggregate(r[chosen, np.arange(len(chosen))], units, settings.aggregate)  # of (fold, neuroid)
    return Encoding(
        layers=tuple(scores),
        score_layers=(*scores, "chosen"),
        score_subjects=units.score_subjects,
        score_regions=units.score_regions,
        r=r,
        penalty=np.stack([layer.penalty for layer in layers]),
        chosen_layer=chosen,
        inner_score=np.stack([layer.inner_score for layer in layers]),
        aggregate_r=np.stack([*(layer.aggregate_r for layer in layers), chosen_r]),
        replicates=np.stack([*(layer.replicates for layer in layers), chosen_replicates], axis=1),
        resampled=draws.resampled,
        constant_predictions=np.stack([layer.constant_predictions for layer in layers]),
        rank=np.stack([layer.rank for layer in layers]),
        edge_share=np.stack([layer.edge_share for layer in layers]),
    )


def _report(name: str, width: int, scored: _LayerScores) -> None:
    log.info(
        "layer %s: width %d, r %.3f, inner r %.3f, penalty at the grid's edge for %.0f %%, constant predictions %d",
        name,
        width,
        scored.aggregate_r[0, 0],
        scored.inner_score.mean(),
        100 * scored.edge_share.mean(),
        scored.constant_predictions.sum(),
    )
