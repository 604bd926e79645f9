"""Medians over neuroids, or subjects, in the draws of a bootstrap, without the noise that is in the data already.

The scores of a cell's neuroids differ in truth and by noise, and a bootstrap adds the same noise once more. A mean does
not mind. But by how much a median varies depends on how many neuroids lie near it, and on how surely each lies on one
side: replicates of medians spread too wide, by 6 to 16 % of neuroids that are alike. So each neuroid's replicates r*_v,
with mean r̄_v over draws, are first moved together,

    r*_v → r*_v - r̄_v + m + s (r̄_v - m),   s² = max(0, 1 - k² N / S),

with m the median of r̄_v, S its sum of squares over neuroids, N the mean over draws of that of r*_v - r̄_v, and k by how
much replicates are too narrow since folds train each other and groups are few. What is left, s² S, is that of the
truth. Noise that neuroids share moves all alike and is no part of N. S and N are summed over the subjects of a region:
of few neuroids alone s² is mostly chance, and, since it is never below 0, too large.
"""

from collections.abc import Sequence

import numpy as np

from brainalign.encoding.scores import Units
from brainalign.encoding.threads import Threads, batches

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
    done: dict[bytes, int] = {}  # of the same neuroids, as of all regions where there is one
    for region, members in enumerate(np.swapaxes(units.members, 0, 1)):  # members: (score_subject, neuroid)
        same = done.setdefault(members.tobytes(), region)
        cells[:, :, region] = (
            cells[:, :, same] if same < region else _of_region(values, members, name, spread[:, region])
        )
    return cells


def _of_region(values: np.ndarray, members: np.ndarray, name: str, spread: np.ndarray) -> np.ndarray:
    """Return the medians of a region's cells, (draw, score_subject); `spread` is (score_subject,)."""
    cells = np.full((len(values), len(members)), np.nan)
    columns = {subject: np.flatnonzero(members[subject]) for subject in np.flatnonzero(members.any(axis=1)) if subject}
    if not columns:
        return cells
    found = {subject: moments(values, own) for subject, own in columns.items()}
    share = kept_share(list(found.values()), spread[list(found)])
    for subject, own in columns.items():
        cells[:, subject] = _medians(values, own, shifts(found[subject][0], share))
    among, everyone = (cells, np.array(list(columns))) if name == "schrimpf" else (values, np.flatnonzero(members[0]))
    of_all = moments(among, everyone)
    cells[:, 0] = _medians(among, everyone, shifts(of_all[0], kept_share([of_all], spread[:1])))
    return cells


def _medians(values: np.ndarray, columns: np.ndarray, moved: np.ndarray) -> np.ndarray:
    found, moved = np.empty(len(values), dtype=values.dtype), moved.astype(values.dtype)

    def work(part: slice) -> None:
        found[part] = np.median(values[part][:, columns] + moved, axis=1)

    with Threads().pool() as each:
        each(work, batches(len(values), DRAWS_AT_ONCE))
    return found


def moments(values: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, float]:
    """Return r̄ of columns, (column,), and N.

    Parameters
    ----------
    values : (draw, neuroid or subject).
    columns : those of the cell.
    """
    parts = batches(len(values), DRAWS_AT_ONCE)
    means = sum(values[part][:, columns].sum(axis=0, dtype=np.float64) for part in parts) / len(values)
    squares = np.empty(len(values))  # of every draw, summed over columns

    def work(part: slice) -> None:
        squares[part] = (values[part][:, columns] - means).var(axis=1) * len(columns)

    with Threads().pool() as each:
        each(work, parts)
    return means, float(squares.mean())


def kept_share(found: Sequence[tuple[np.ndarray, float]], spread: np.ndarray) -> float:
    """Return s of cells together.

    Parameters
    ----------
    found : r̄ and N of each cell, from `moments`.
    spread : (cell,), k of each.
    """
    noise = sum(k**2 * own for (_, own), k in zip(found, spread, strict=True))
    squares = sum(float(means.var()) * len(means) for means, _ in found)
    return float(np.sqrt(1.0 - noise / squares)) if squares > noise else 0.0


def shifts(means: np.ndarray, share: float) -> np.ndarray:
    """Return what is added to each column's replicates, m + s (r̄ - m) - r̄, (column,); 0 for one or two columns."""
    if len(means) < 3:
        return np.zeros(len(means))
    return np.asarray((share - 1.0) * (means - np.median(means)))
