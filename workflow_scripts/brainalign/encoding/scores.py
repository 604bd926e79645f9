"""Pearson r per neuroid, and the named ways to make one number of neuroids and folds."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from brainalign.errors import unknown
from brainalign.responses.samples import Columns
from brainalign.responses.unit_names import ALL, refuse_the_name_of_all

CONSTANT = 1e-8  # a prediction whose SD is below this share of the response's is constant
OverNeuroids = Callable[[np.ndarray, "Units", str], np.ndarray]
AGGREGATES = ("mean", "schrimpf", "brain-score")


@dataclass(frozen=True)
class Units:
    """Where each neuroid belongs.

    Parameters
    ----------
    neuroid, subject, region : (neuroid,) of text.
    """

    neuroid: np.ndarray
    subject: np.ndarray
    region: np.ndarray

    @classmethod
    def from_table(cls, neuroids: Columns) -> Self:
        """Take the columns `neuroid`, `subject` and `region` of a table or mapping.

        Raises
        ------
        InputError : a subject or region of the name that stands for all of them.
        """
        refuse_the_name_of_all(neuroids)
        return cls(*(np.asarray(neuroids[name]).astype(str) for name in ("neuroid", "subject", "region")))

    def __len__(self) -> int:
        return len(self.neuroid)

    @cached_property
    def subjects(self) -> tuple[str, ...]:
        """The subjects by first appearance."""
        return tuple(dict.fromkeys(self.subject.tolist()))

    @cached_property
    def regions(self) -> tuple[str, ...]:
        """The regions by first appearance."""
        return tuple(dict.fromkeys(self.region.tolist()))

    @property
    def score_subjects(self) -> tuple[str, ...]:
        """ "all", then the subjects."""
        return (ALL, *self.subjects)

    @property
    def score_regions(self) -> tuple[str, ...]:
        """ "all", then the regions."""
        return (ALL, *self.regions)

    @cached_property
    def members(self) -> np.ndarray:
        """Which neuroids a cell holds, (score_subject, score_region, neuroid) bool."""
        of_subject = np.stack([self.subject == name for name in self.subjects])
        of_region = np.stack([self.region == name for name in self.regions])
        everyone = np.ones((1, len(self)), dtype=bool)
        rows, columns = np.concatenate([everyone, of_subject]), np.concatenate([everyone, of_region])
        return np.asarray(rows[:, None, :] & columns[None, :, :])


def pearson(prediction: np.ndarray, response: np.ndarray) -> tuple[np.ndarray, int]:
    """Return Pearson's r of each column, 0 where the prediction is constant, and how many predictions are.

    A prediction is constant where its SD is under CONSTANT times the response's SD.

    Parameters
    ----------
    prediction, response : (row, neuroid); no response is constant.
    """
    p = prediction - prediction.mean(axis=0)
    y = response - response.mean(axis=0)
    variance_p, variance_y = np.einsum("ij,ij->j", p, p), np.einsum("ij,ij->j", y, y)
    r = correlation(np.einsum("ij,ij->j", p, y), variance_p, variance_y)
    return r, int(np.count_nonzero(variance_p <= CONSTANT**2 * variance_y))


def determination(prediction: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Return R² = 1 - Σ (y - p)² / Σ y² of each column, not clipped; NaN where Σ y² is 0.

    Parameters
    ----------
    prediction, response : (row, neuroid), p and y, both as deviations from the mean of the training rows.
    """
    errors = np.square(response - prediction).sum(axis=0, dtype=np.float64)
    total = np.square(response).sum(axis=0, dtype=np.float64)
    return np.asarray(1.0 - errors / np.where(total > 0, total, np.nan))


def determination_about_test_mean(r2: np.ndarray, deviations: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Return R² against the mean of the test rows, 1 - Σ (y - p)² / Σ (y - ȳ)²; NaN where they do not vary.

    Of one fold it is never above R² against the mean of the training rows, since no constant is nearer to the test rows
    than their own mean, which a prediction cannot know.

    Parameters
    ----------
    r2 : (neuroid,), from `determination`.
    deviations : (row, neuroid), y less the mean of the training rows, those of each row's own fold.
    response : (row, neuroid), y, up to a constant that all rows share, which is not large beside how y varies.
    """
    total = np.einsum("ij,ij->j", deviations, deviations, dtype=np.float64)
    mean = response.mean(axis=0, dtype=np.float64)
    about_mean = np.einsum("ij,ij->j", response, response, dtype=np.float64) - len(response) * mean**2
    return np.asarray(1.0 - (1.0 - r2) * total / np.where(about_mean > 0, about_mean, np.nan))


def correlation(covariance: np.ndarray, variance_p: np.ndarray, variance_y: np.ndarray) -> np.ndarray:
    """Return covariance / (√variance_p √variance_y), 0 where the prediction (or the response) is constant.

    The roots are taken first, since the product of the variances may be beyond float32 in the units of the responses:
    in tesla it is about 1e-45.
    """
    varies = (variance_p > CONSTANT**2 * variance_y) & (variance_y > 0)
    product = np.where(varies, np.sqrt(variance_p), 1.0) * np.where(varies, np.sqrt(variance_y), 1.0)
    return np.asarray(np.where(varies, covariance / product, 0.0))


def aggregate(
    r_of_folds: Iterable[np.ndarray],
    units: Units,
    name: str,
    fold_weights: np.ndarray | None = None,
    over: OverNeuroids | None = None,
) -> np.ndarray:
    """Make scores per subject and region of r per fold and neuroid.

    "mean"        mean over folds; mean over a subject's neuroids; "all" is the mean over subjects.
    "schrimpf"    mean over folds; median over a subject's neuroids; "all" is the median over subjects
                  (Schrimpf et al. 2021).
    "brain-score" median over neuroids in each fold, those of all subjects pooled for "all"; mean over folds
                  (Brain-Score language).

    Parameters
    ----------
    r_of_folds : for each fold an array (..., neuroid); taken one at a time. An axis of length 1 is broadcast against
        `fold_weights`.
    fold_weights : (..., fold), weights of the mean over folds, not all 0; equal unless given.
    over : `over_neuroids`, or what is to take its place.

    Returns
    -------
    (..., score_subject, score_region), NaN where a subject has no neuroid of a region.

    Raises
    ------
    InputError : another name.
    """
    if name not in AGGREGATES:
        raise unknown("aggregate", name, AGGREGATES)
    within = over or over_neuroids
    if name == "brain-score":
        return _mean_over_folds((within(r, units, name) for r in r_of_folds), fold_weights, trailing=2)
    return within(_mean_over_folds(r_of_folds, fold_weights, trailing=1), units, name)


def over_neuroids(values: np.ndarray, units: Units, name: str) -> np.ndarray:
    """Return (..., score_subject, score_region) of values (..., neuroid): the part of `aggregate` within a fold."""
    if name not in AGGREGATES:
        raise unknown("aggregate", name, AGGREGATES)
    if name == "mean":
        members = units.members.reshape(-1, len(units)).T.astype(np.float64)  # (neuroid, cell)
        return means_of_sums(values @ members, units)
    cells = _medians(values, units)
    return cells if name == "brain-score" else _over_subjects(cells, units, np.median)


def means_of_sums(sums: np.ndarray, units: Units) -> np.ndarray:
    """Return the means (..., score_subject, score_region) of sums over the neuroids of each cell (..., cell)."""
    counts = units.members.sum(axis=2)  # (score_subject, score_region)
    cells = sums.reshape(*sums.shape[:-1], *counts.shape) / np.where(counts > 0, counts, np.nan)
    return _over_subjects(cells, units, np.mean)


def _mean_over_folds(values: Iterable[np.ndarray], weights: np.ndarray | None, trailing: int) -> np.ndarray:
    total: np.ndarray | float = 0.0
    weight: np.ndarray | float = 0.0
    for fold, value in enumerate(values):
        of_fold = 1.0 if weights is None else weights[(..., fold, *[None] * trailing)]
        total = total + of_fold * value
        weight = weight + of_fold
    return np.asarray(total / weight)


def _over_subjects(cells: np.ndarray, units: Units, middle: Callable[..., np.ndarray]) -> np.ndarray:
    """Put the mean or median over subjects in the place of all subjects."""
    for region, held in enumerate(np.asarray(units.members[1:].any(axis=2)).T):
        cells[..., 0, region] = middle(cells[..., 1:, region][..., held], axis=-1)
    return cells


def _medians(values: np.ndarray, units: Units) -> np.ndarray:
    result = np.full((*values.shape[:-1], *units.members.shape[:2]), np.nan)
    for subject, region in np.argwhere(units.members.any(axis=2)):
        result[..., subject, region] = np.median(values[..., units.members[subject, region]], axis=-1)
    return result
