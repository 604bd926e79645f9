"""Similarity of every layer of a feature space to every subject's and region's responses."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from brainalign.encoding.scores import Units
from brainalign.errors import InputError
from brainalign.intervals import percentile_interval
from brainalign.responses.samples import Columns, Samples
from brainalign.similarity.debiased import DebiasedCKA
from brainalign.similarity.dissimilarity import UndefinedError
from brainalign.similarity.groups import Groups
from brainalign.similarity.pairs import CentredGrams, RankedDissimilarities
from brainalign.similarity.preparation import averaged_responses, checked_features, paired_rows, shuffled_tests
from brainalign.similarity.settings import SimilaritySettings

FEWEST_GROUPS = 5  # below it draws of groups are so few different ones that their interval says little: none is given

log = logging.getLogger(__name__)


class Metric(Protocol):
    """What `measure` needs of a metric."""

    def represent(self, values: np.ndarray, what: str) -> Any: ...

    def compare(self, features: Any, responses: Sequence[Any]) -> np.ndarray: ...


@dataclass(frozen=True)
class Similarity:
    """Similarity of one feature space to one data set's responses.

    Parameters
    ----------
    layers : names; subjects, regions : names, the first of each "all".
    value, low, high : (layer, subject, region), NaN where undefined; low and high also where there are fewer than
        FEWEST_GROUPS groups.
    draws : (layer, subject, region), the draws in which it is defined, and which the interval is of.
    reason : (layer, subject, region) text: why the value is empty, or what is left out of a mean over subjects.
    distance : (layer,) text, the distance taken for the features; empty for cka.
    width : (layer,), units.
    neuroids : (subject, region), how many.
    samples, groups : how many are compared.
    """

    layers: tuple[str, ...]
    subjects: tuple[str, ...]
    regions: tuple[str, ...]
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    draws: np.ndarray
    reason: np.ndarray
    distance: tuple[str, ...]
    width: tuple[int, ...]
    neuroids: np.ndarray
    samples: int
    groups: int


@dataclass(frozen=True)
class _Cells:
    """The neuroids of every subject x region as they are compared.

    of : (subject, region), position in `represented`, -1 where a cell has no neuroids or is a mean of others.
    represented : what the metric made of each different set of neuroids, or the reason why it could not.
    """

    of: np.ndarray
    represented: list[Any]


def measure(
    layers: Iterable[tuple[str, np.ndarray]],
    responses: np.ndarray,
    samples: Samples,
    neuroids: Columns,
    settings: SimilaritySettings,
    mapped: np.ndarray | None = None,
) -> Similarity:
    """Compare each layer with the responses of each subject and region, over all stimuli.

    A region's or subject's neuroids are taken together, as one representation; the region "all" is all neuroids of a
    subject. The subject "all" is the mean over subjects for controlled metrics, and all subjects' neuroids taken
    together for those as published, as Brain-Score does.

    Intervals are 95 % percentiles of a bootstrap over groups (`groups`), with the same draws for every feature space of
    a data set. They are conditional on the subjects, the neuroids, the models, and, but for debiased CKA, on the ranks
    or centred Gram matrices of the samples; for those as published on the splits, too. Subjects are not resampled.

    Series are compared sample by sample, without delayed copies of the features; `settings.delay` shifts them as a
    whole, within runs.

    Memory is about 8 (n^2 (C + 6) + 2 n p + 4 n D) bytes for n samples, C different sets of neuroids, p units of one
    layer and D draws.

    Parameters
    ----------
    layers : names and features (sample, unit), after the sample map; taken one at a time.
    responses : (sample, neuroid), or (repetition, sample, neuroid), whose mean over repetitions is taken.
    samples : the sample table, in the responses' order.
    neuroids : columns neuroid, subject, region.
    mapped : (sample,) bool, samples that have features; all unless given.

    Raises
    ------
    InputError : shapes that do not fit, NaN or infinite values, no layer, onsets that a delay cannot follow.
    """
    units = Units.from_table(neuroids)
    feature_rows, response_rows = paired_rows(samples, mapped, settings.delay)
    groups = Groups.from_labels(samples.split_group[response_rows], settings.draws, settings.seed)
    metric = make_metric(settings, groups)
    y = averaged_responses(responses, samples, units)[response_rows[groups.order]]
    cells = _represent_cells(metric, y, units, pooled=settings.kind == "as-published")
    rows = feature_rows[groups.order]
    found: dict[str, tuple[np.ndarray, np.ndarray, str, int]] = {}
    for name, features in layers:
        x = checked_features(name, features, len(samples))[rows]
        replicates, reason, distance = _compare_layer(metric, x, cells, groups)
        if settings.kind == "controlled":
            _average_over_subjects(replicates, reason, cells.of)
        found[name] = (replicates, reason, distance, features.shape[1])
        log.info("layer %s: width %d, %s %.3f", name, features.shape[1], settings.metric, replicates[0, 0, 0])
    if not found:
        raise InputError("there is no layer to compare.")
    return _summary(found, units, groups, len(rows))


def make_metric(settings: SimilaritySettings, groups: Groups) -> Metric:
    """Return the metric that settings describe, on samples in the order of their groups."""
    n = len(groups.index)
    sets = [np.ones(n, dtype=bool)]
    if settings.kind == "as-published":
        tests = shuffled_tests(n, settings.folds, settings.test, settings.split_seed)
        sets = [np.isin(groups.order, test) for test in tests]
    if settings.metric == "rsa":
        return RankedDissimilarities(groups, sets, settings)
    return CentredGrams(groups, sets) if settings.kind == "as-published" else DebiasedCKA(groups)


def _represent_cells(metric: Metric, y: np.ndarray, units: Units, pooled: bool) -> _Cells:
    members = units.members.copy()
    if not pooled:
        members[0] = False  # the subject "all" is a mean
    different, position = np.unique(members.reshape(-1, len(units)), axis=0, return_inverse=True)
    log.info("%d samples, %d sets of neuroids", len(y), int(different.any(axis=1).sum()))
    represented = [_or_reason(metric.represent, y[:, own], "responses") for own in different]
    of = np.where(members.any(axis=2), position.reshape(members.shape[:2]), -1)
    return _Cells(of, represented)


def _or_reason(represent: Callable[[np.ndarray, str], Any], values: np.ndarray, what: str) -> Any:
    if not values.shape[1]:
        return ""
    try:
        return represent(values, what)
    except UndefinedError as error:
        return str(error)


def _compare_layer(metric: Metric, x: np.ndarray, cells: _Cells, groups: Groups) -> tuple[np.ndarray, np.ndarray, str]:
    """Return values (1 + draw, subject, region), reasons (subject, region), and the features' distance."""
    replicates = np.full((len(groups.counts), *cells.of.shape), np.nan)
    reason = np.full(cells.of.shape, "", dtype=object)
    features = _or_reason(metric.represent, x, "features")
    defined = [index for index, other in enumerate(cells.represented) if not isinstance(other, str)]
    for index, other in enumerate(cells.represented):
        if isinstance(other, str) or isinstance(features, str):
            reason[cells.of == index] = features if isinstance(features, str) else other
    if isinstance(features, str):
        return replicates, reason, ""
    found = metric.compare(features, [cells.represented[index] for index in defined])
    for index, values in zip(defined, found, strict=True):
        replicates[:, cells.of == index] = values[:, None]
    return replicates, reason, str(features.distance)


def _average_over_subjects(replicates: np.ndarray, reason: np.ndarray, of: np.ndarray) -> None:
    """Fill in the subject "all": the mean over the subjects whose value is defined."""
    for region in range(of.shape[1]):
        has = of[1:, region] >= 0
        own = replicates[:, 1:, region][:, has]
        defined = ~np.isnan(own[0])
        if defined.any():
            replicates[:, 0, region] = own[:, defined].mean(axis=1)
            if not defined.all():
                reason[0, region] = f"mean over {int(defined.sum())} of {len(defined)} subjects, the others undefined"
        elif has.any():
            reason[0, region] = reason[1:, region][has][0]


def _summary(
    found: dict[str, tuple[np.ndarray, np.ndarray, str, int]], units: Units, groups: Groups, n_samples: int
) -> Similarity:
    value, low, high, draws = [], [], [], []
    for replicates, _, _, _ in found.values():
        drawn = replicates[1:] if len(groups) >= FEWEST_GROUPS else replicates[:0]
        drawn = np.where(np.isnan(replicates[0]), np.nan, drawn)
        ends = percentile_interval(drawn)
        value.append(replicates[0])
        low.append(ends[0])
        high.append(ends[1])
        draws.append(np.isfinite(drawn).sum(axis=0))
    return Similarity(
        layers=tuple(found),
        subjects=units.score_subjects,
        regions=units.score_regions,
        value=np.stack(value),
        low=np.stack(low),
        high=np.stack(high),
        draws=np.stack(draws),
        reason=np.stack([reason for _, reason, _, _ in found.values()]),
        distance=tuple(distance for _, _, distance, _ in found.values()),
        width=tuple(width for _, _, _, width in found.values()),
        neuroids=units.members.sum(axis=2),
        samples=n_samples,
        groups=len(groups),
    )
