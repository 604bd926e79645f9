"""Scores normalised neuroid by neuroid, where each has a ceiling that stands out from noise."""

import numpy as np

from brainalign.encoding.scores import Units, aggregate
from brainalign.errors import InputError


def normalise_neuroids(
    r: np.ndarray, chosen_layer: np.ndarray, units: Units, ceiling: np.ndarray, low: np.ndarray, name: str
) -> tuple[np.ndarray, np.ndarray]:
    """Aggregate r / ceiling over the neuroids whose ceiling's lower bound is above 0; all others are left out.

    Nothing is clipped. There is no interval: the bootstrap keeps replicates of aggregates, not of neuroids, and the
    aggregate of ratios is no ratio of aggregates.

    Parameters
    ----------
    r : (layer, scored fold, neuroid).
    chosen_layer : (fold, choice unit), index into the layers; one unit, or the subjects, or the neuroids.
    ceiling, low : (neuroid,), in units of r; a lower bound that is NaN is not above 0.
    name : of the aggregate, see `scores.aggregate`.

    Returns
    -------
    normalised : (layer and "chosen", score_subject, score_region), NaN where no neuroid is left, and for "chosen" where
        folds are scored together but have other layers, whose r together is not in r.
    neuroids : (score_subject, score_region), how many are left.

    Raises
    ------
    InputError : shapes that do not fit each other.
    """
    if r.shape[2:] != ceiling.shape or ceiling.shape != low.shape or len(units) != len(ceiling):
        raise InputError(
            f"r has shape {r.shape}, (layer, fold, neuroid), but the ceilings {ceiling.shape}, their lower bounds "
            f"{low.shape}, and there are {len(units)} neuroids."
        )
    kept = np.flatnonzero((low > 0) & (ceiling > 0))
    neuroids = units.members[:, :, kept].sum(axis=2)
    normalised = np.full((len(r) + 1, *neuroids.shape), np.nan)
    if not len(kept):
        return normalised, neuroids
    own = Units(units.neuroid[kept], units.subject[kept], units.region[kept])
    rows = [units.score_subjects.index(subject) for subject in own.score_subjects]
    columns = [units.score_regions.index(region) for region in own.score_regions]
    for number, of_layer in enumerate([*r, _of_chosen(r, chosen_layer, units)]):
        scores = aggregate(of_layer[:, kept].astype(np.float64) / ceiling[kept], own, name)
        normalised[number][np.ix_(rows, columns)] = scores
    return normalised, neuroids


def _of_chosen(r: np.ndarray, chosen_layer: np.ndarray, units: Units) -> np.ndarray:
    """Return r of the chosen layers (scored fold, neuroid)."""
    unit_of_neuroid = {1: np.zeros(len(units), dtype=np.intp), len(units): np.arange(len(units))}
    subjects = {name: number for number, name in enumerate(units.subjects)}
    unit_of_neuroid.setdefault(len(subjects), np.array([subjects[name] for name in units.subject]))
    index = chosen_layer[:, unit_of_neuroid[chosen_layer.shape[1]]]  # (fold, neuroid)
    if len(index) != r.shape[1]:
        together = np.take_along_axis(r, index[None, :1], axis=0)[0]
        return np.where((index == index[0]).all(axis=0), together, np.nan)
    return np.asarray(np.take_along_axis(r, index[None], axis=0)[0])
