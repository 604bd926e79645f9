"""Medians over neuroids, or subjects, in the draws of a bootstrap, without the noise that is in the data already.

The scores of a cell's neuroids differ in truth and by noise, and a bootstrap adds the same noise once more. A mean does
not mind. But by how much a median varies depends on how many neuroids lie near it, and on how surely each lies on one
side: replicates of medians spread too wide, by 6 to 16 % of neuroids that are alike. So each neuroid's replicates r*_v,
with mean r̄_v over draws, are first moved together,

    r*_v → r*_v - r̄_v + m + s (r̄_v - m),   s² = max(0, 1 - k² N / S),

with m the median of r̄_v, S its sum of squares over neuroids, N the mean over draws of that of r*_v - r̄_v, and k by how
much replicates are too narrow since folds train each other and groups are few. What is left, s² S, is that of the
truth. Noise that neuroids share moves all alike and is no part of N. Of few neuroids alone s² is mostly chance, and,
since it is never below 0, too large: to S and N of each subject POOLED degrees of freedom are added of what all
subjects of the region have together.
"""

from collections.abc import Sequence

import numpy as np

from brainalign.encoding.scores import Units
from brainalign.encoding.threads import Threads, Work, batches

POOLED = 8.0  # degrees of freedom
AT_ONCE = 2**19  # replicates, so that no copy of all is made


def medians_in_draws(values: np.ndarray, units: Units, name: str, spread: np.ndarray) -> np.ndarray:
    """Return the medians of `scores.over_neuroids` in every draw, (draw, score_subject, score_region).

    Parameters
    ----------
    values : (draw, neuroid).
    name : "schrimpf", whose "all" is the median over subjects, or "brain-score", of all subjects' neuroids.
    spread : (score_subject, score_region), k.
    """
    cells = np.full((len(values), *units.members.shape[:2]), np.nan)
    for region, members in enumerate(np.swapaxes(units.members, 0, 1)):  # members: (score_subject, neuroid)
        if region and len(units.regions) == 1:  # all regions are the one
            cells[:, :, region] = cells[:, :, 0]
        else:
            cells[:, :, region] = _of_region(values, members, name, spread[:, region])
    return cells


def _of_region(values: np.ndarray, members: np.ndarray, name: str, spread: np.ndarray) -> np.ndarray:
    """Return the medians of a region's cells, (draw, score_subject); `spread` is (score_subject,)."""
    cells = np.full((len(values), len(members)), np.nan)
    columns = {subject: np.flatnonzero(members[subject]) for subject in np.flatnonzero(members.any(axis=1)) if subject}
    if not columns:
        return cells
    found = [moments(values, own) for own in columns.values()]
    shares = kept_shares(found, spread[list(columns)])
    for (subject, own), (means, _), share in zip(columns.items(), found, shares, strict=True):
        cells[:, subject] = _medians(values, own, shifts(means, share))
    if name == "schrimpf":
        among, everyone, of_all = cells, np.array(list(columns)), np.sqrt(np.square(spread[list(columns)]).mean())
    else:
        among, everyone, of_all = values, np.flatnonzero(members[0]), spread[0]
    means, noise = moments(among, everyone)
    cells[:, 0] = _medians(among, everyone, shifts(means, kept_shares([(means, noise)], np.array([of_all]))[0]))
    return cells


def _medians(values: np.ndarray, columns: np.ndarray, moved: np.ndarray) -> np.ndarray:
    found, moved = np.empty(len(values), dtype=values.dtype), moved.astype(values.dtype)

    def work(part: slice) -> None:
        found[part] = np.median(values[part][:, columns] + moved, axis=1)

    _each_part(work, len(values), len(columns))
    return found


def _each_part(work: Work, draws: int, columns: int) -> None:
    """Do some work for AT_ONCE replicates at a time, side by side where there are more."""
    parts = batches(draws, max(1, AT_ONCE // columns))
    if len(parts) == 1:
        work(parts[0])
        return
    with Threads().pool() as each:
        each(work, parts)


def moments(values: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, float]:
    """Return r̄ of columns, (column,), and N.

    Parameters
    ----------
    values : (draw, neuroid or subject).
    columns : those of the cell.
    """
    parts = batches(len(values), max(1, AT_ONCE // len(columns)))
    means = sum(values[part][:, columns].sum(axis=0, dtype=np.float64) for part in parts) / len(values)
    squares = np.empty(len(values))  # of every draw, summed over columns

    def work(part: slice) -> None:
        squares[part] = (values[part][:, columns] - means).var(axis=1) * len(columns)

    _each_part(work, len(values), len(columns))
    return means, float(squares.mean())


def kept_shares(found: Sequence[tuple[np.ndarray, float]], spread: np.ndarray) -> np.ndarray:
    """Return s of each of the subjects of a region, (subject,).

    Parameters
    ----------
    found : r̄ and N of each, from `moments`.
    spread : (subject,), k of each.
    """
    freedom = np.array([len(means) - 1.0 for means, _ in found])
    squares = np.array([float(means.var()) * len(means) for means, _ in found])
    noise = np.square(spread) * np.array([own for _, own in found])
    together = POOLED / max(freedom.sum(), 1.0)
    squares, noise = squares + together * squares.sum(), noise + together * noise.sum()
    return np.asarray(np.sqrt(np.maximum(0.0, 1.0 - noise / np.where(squares > 0, squares, np.inf))))


def shifts(means: np.ndarray, share: float) -> np.ndarray:
    """Return what is added to each column's replicates, m + s (r̄ - m) - r̄, (column,); 0 for one or two columns."""
    if len(means) < 3:
        return np.zeros(len(means))
    return np.asarray((share - 1.0) * (means - np.median(means)))
