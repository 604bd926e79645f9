"""Scores normalised neuroid by neuroid, where each has a ceiling that stands out from noise."""

import numpy as np

from brainalign.encoding.scores import Units, aggregate
from brainalign.errors import InputError


def normalise_neuroids(
    r: np.ndarray, chosen_r: np.ndarray, units: Units, ceiling: np.ndarray, low: np.ndarray, name: str
) -> tuple[np.ndarray, np.ndarray]:
    """Aggregate r / ceiling over the neuroids whose ceiling's lower bound is above 0; all others are left out.

    Nothing is clipped. There is no interval: the bootstrap keeps replicates of aggregates, not of neuroids, and the
    aggregate of ratios is no ratio of aggregates.

    Parameters
    ----------
    r : (layer, scored fold, neuroid).
    chosen_r : (scored fold, neuroid), of the predictions of the layers that were chosen.
    ceiling, low : (neuroid,), in units of r; a lower bound that is NaN is not above 0.
    name : of the aggregate, see `scores.aggregate`.

    Returns
    -------
    normalised : (layer and "chosen", score_subject, score_region), NaN where no neuroid is left.
    neuroids : (score_subject, score_region), how many are left.

    Raises
    ------
    InputError : shapes that do not fit each other.
    """
    if not r.shape[2:] == ceiling.shape == low.shape == (len(units),):
        raise InputError(
            f"r has shape {r.shape}, (layer, fold, neuroid), but the ceilings {ceiling.shape}, their lower bounds "
            f"{low.shape}, and there are {len(units)} neuroids."
        )
    if chosen_r.shape != r.shape[1:]:
        raise InputError(f"r of the chosen layers has shape {chosen_r.shape}, but that of a layer {r.shape[1:]}.")
    kept = np.flatnonzero((low > 0) & (ceiling > 0))
    neuroids = units.members[:, :, kept].sum(axis=2)
    normalised = np.full((len(r) + 1, *neuroids.shape), np.nan)
    if not len(kept):
        return normalised, neuroids
    own = Units(units.neuroid[kept], units.subject[kept], units.region[kept])
    rows = [units.score_subjects.index(subject) for subject in own.score_subjects]
    columns = [units.score_regions.index(region) for region in own.score_regions]
    for number, of_layer in enumerate([*r, chosen_r]):
        scores = aggregate(of_layer[:, kept].astype(np.float64) / ceiling[kept], own, name)
        normalised[number][np.ix_(rows, columns)] = scores
    return normalised, neuroids
