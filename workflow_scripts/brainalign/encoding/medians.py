"""Medians over neuroids, or subjects, in the draws of a bootstrap, without the noise that is in the data already.

The scores of a cell's neuroids differ in truth and by noise, and a bootstrap adds the same noise once more. A mean does
not mind. But by how much a median varies depends on how many neuroids lie near it, and on how surely each lies on one
side: replicates of medians spread too wide, by 6 to 16 % of neuroids that are alike. So each neuroid's replicates r*_v,
with mean r̄_v over draws, are first moved together,

    r*_v → r*_v - r̄_v + m + s (r̄_v - m),   s² = max(0, 1 - k² N / S),

with m the median of r̄_v, S its variance over neuroids, N the mean over draws of the variance over neuroids of
r*_v - r̄_v, and k by how much replicates are too narrow since folds train each other. What is left, s² S, is the
variance of the truth. Noise that neuroids share moves all alike and is no part of N.
"""

import numpy as np

from brainalign.encoding.scores import Units
from brainalign.encoding.threads import batches

DRAWS_AT_ONCE = 64  # so that no copy of all replicates is made


def medians_in_draws(values: np.ndarray, units: Units, name: str, spread: np.ndarray) -> np.ndarray:
    """Return the medians of `scores.over_neuroids` in every draw, (draw, score_subject, score_region).

    Parameters
    ----------
    values : (draw, neuroid).
    name : "schrimpf", whose "all" is the median over subjects, or "brain-score", of all subjects' neuroids.
    spread : (score_subject, score_region), k.
    """
    cells = np.full((len(values), *units.members.shape[:2]), np.nan)
    for subject, region in np.argwhere(units.members.any(axis=2)):
        if subject or name != "schrimpf":
            columns = np.flatnonzero(units.members[subject, region])
            cells[:, subject, region] = _medians(values, columns, spread[subject, region])
    if name == "schrimpf":
        for region, held in enumerate(np.asarray(units.members[1:].any(axis=2)).T):
            cells[:, 0, region] = _medians(cells[:, 1:, region], np.flatnonzero(held), spread[0, region])
    return cells


def _medians(values: np.ndarray, columns: np.ndarray, spread: float) -> np.ndarray:
    moved = shifts(values, columns, spread).astype(values.dtype)
    parts = batches(len(values), DRAWS_AT_ONCE)
    return np.concatenate([np.median(values[part][:, columns] + moved, axis=1) for part in parts])


def shifts(values: np.ndarray, columns: np.ndarray, spread: float) -> np.ndarray:
    """Return what is added to each column's replicates, m + s (r̄_v - m) - r̄_v, (column,); 0 for one or two columns.

    Parameters
    ----------
    values : (draw, neuroid or subject).
    columns : those of the cell.
    spread : k.
    """
    if len(columns) < 3:
        return np.zeros(len(columns))
    parts = batches(len(values), DRAWS_AT_ONCE)
    means = sum(values[part][:, columns].sum(axis=0, dtype=np.float64) for part in parts) / len(values)
    total = 0.0  # over draws, of the variance over columns
    for part in parts:
        total += float((values[part][:, columns] - means).var(axis=1).sum())
    noise, found = spread**2 * total / len(values), means.var()
    share = np.sqrt(1.0 - noise / found) if found > noise else 0.0
    return np.asarray((share - 1.0) * (means - np.median(means)))
