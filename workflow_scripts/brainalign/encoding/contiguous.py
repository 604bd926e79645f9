"""Blocks of neighbouring samples, and the gap that keeps a training set apart from the block that is held out.

Samples that follow each other in time have responses that are alike whatever the stimulus (slow haemodynamics, drift)
and, with delays, features in common. A block is therefore held out together with the `gap` around it: rows so near to
a held-out row are in no training set. Nearness is of time, so that only rows of the same run have it: the next run
starts after a pause. Blocks are cut over the whole table, across runs, as published; to hold out whole runs take
`leave-one-group-out` by `run`, which needs no gap.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from brainalign.encoding.delays import rows_of_runs
from brainalign.errors import InputError, unknown
from brainalign.responses.samples import Samples

UNITS = ("samples", "seconds")
RULES = ("train", "published")
TOLERANCE_S = 1e-6  # onsets are sums of a sampling period: rows at exactly the gap's distance belong to the gap

Rows = np.ndarray


def contiguous_folds(split: Mapping[str, Any], samples: Samples, n_folds: int) -> list[tuple[Rows, Rows]]:
    """Return (train, test) row numbers of blocks of neighbouring samples, in the table's order.

    Parameters
    ----------
    split : gap, and any of
        unit : "samples" (default; counted within a run) or "seconds" (of `onset_s`);
        at : "train" (default): blocks as of np.array_split, their lengths equal or one row apart; a test set is a
            whole block, and rows of the same run at a distance of at most `gap` from it are in no training set.
            "published": the rule of Wehbe et al. 2014 and Toneva & Wehbe 2019, as their code has it: blocks of
            n // folds rows, the last takes the rest; the first and the last fold lose `gap` rows at the front and the
            back of the training set, the folds between them lose `gap` rows at both ends of the test set; runs are not
            looked at.
    n_folds : blocks.

    Raises
    ------
    InputError : a gap below 0 or, in samples, not whole; an unknown unit or rule; seconds without onsets that rise
        within each run, or under the published rule; more folds than samples; a training or test set that the gap
        leaves without rows.
    """
    gap, unit, rule = float(split["gap"]), str(split.get("unit", "samples")), str(split.get("at", "train"))
    if unit not in UNITS:
        raise unknown("unit of the gap", unit, UNITS)
    if rule not in RULES:
        raise unknown("rule of the gap", rule, RULES)
    if not 0 <= gap < np.inf or (unit == "samples" and gap != int(gap)):
        kind = "a whole number of samples" if unit == "samples" else "a number of seconds"
        raise InputError(f"the gap of the split 'contiguous' must be {kind} of at least 0, but is {gap:g}.")
    size = len(samples)
    if size < n_folds:
        raise InputError(f"the split 'contiguous' asks for {n_folds} folds, but there are only {size} samples.")
    if rule == "published":
        if unit != "samples":
            raise InputError("the published rule of the split 'contiguous' counts its gap in samples, not in seconds.")
        folds = _published(size, n_folds, int(gap))
    else:
        blocks = np.array_split(np.arange(size), n_folds)
        folds = [(rows_away(np.delete(np.arange(size), block), block, split, samples), block) for block in blocks]
    for number, (train, test) in enumerate(folds):
        for name, rows in (("training", train), ("test", test)):
            if len(rows) < 2:
                raise InputError(
                    f"the gap of {gap:g} {unit} leaves fold {number} of the split 'contiguous' with {len(rows)} "
                    f"{name} rows; take a smaller gap or fewer folds."
                )
    return folds


def rows_away(rows: Rows, held_out: Rows, split: Mapping[str, Any], samples: Samples) -> Rows:
    """Return the rows that are farther than the gap from every held-out row of their run.

    Parameters
    ----------
    rows, held_out : row numbers.
    split : gap and unit, see `contiguous_folds`; the published rule knows no such distance and keeps all rows.
    """
    gap = float(split["gap"])
    if gap == 0 or split.get("at", "train") == "published":
        return rows
    run, position = _runs_and_positions(split, samples)
    near = np.zeros(len(samples), dtype=bool)
    for of_run in rows_of_runs(run):
        held = np.sort(position[np.intersect1d(of_run, held_out)])
        if not len(held):
            continue
        after = np.searchsorted(held, position[of_run])
        following = held[np.minimum(after, len(held) - 1)]
        preceding = held[np.maximum(after - 1, 0)]
        distance = np.minimum(np.abs(following - position[of_run]), np.abs(position[of_run] - preceding))
        near[of_run] = distance <= gap + TOLERANCE_S
    return np.asarray(rows[~near[rows]])


def rows_near(rows: Rows, split: Mapping[str, Any], samples: Samples) -> list[np.ndarray]:
    """Return for each row the positions in `rows` of the others of its run that are within the gap of it.

    Parameters
    ----------
    rows : row numbers, in any order.
    split : gap and unit, see `contiguous_folds`; the published rule knows no such distance, and nothing is near.
    """
    near = [np.empty(0, dtype=np.intp) for _ in rows]
    gap = float(split["gap"])
    if gap == 0 or split.get("at", "train") == "published":
        return near
    run, position = _runs_and_positions(split, samples)
    for of_run in rows_of_runs(run):
        own = np.flatnonzero(np.isin(rows, of_run))
        own = own[np.argsort(position[rows[own]], kind="stable")]
        places = position[rows[own]]
        first = np.searchsorted(places, places - gap - TOLERANCE_S)
        end = np.searchsorted(places, places + gap + TOLERANCE_S, side="right")
        for number, row in enumerate(own):
            near[row] = np.concatenate([own[first[number] : number], own[number + 1 : end[number]]])
    return near


def _runs_and_positions(split: Mapping[str, Any], samples: Samples) -> tuple[np.ndarray, np.ndarray]:
    """Return the run of each row, and where it lies there in the unit of the gap, (sample,) each."""
    run = samples.run if "run" in samples.columns else np.zeros(len(samples))
    return run, _position(samples, run, str(split.get("unit", "samples")))


def _position(samples: Samples, run: np.ndarray, unit: str) -> np.ndarray:
    """Return where each row lies in its run (sample,): its number there, or its onset in seconds."""
    position = np.zeros(len(samples))
    onset_s = samples.onset_s
    if unit == "seconds" and onset_s is None:
        raise InputError("a gap in seconds needs samples with onsets (a column 'onset_s'); without them count samples.")
    for of_run in rows_of_runs(run):
        if unit == "samples" or onset_s is None:
            position[of_run] = np.arange(len(of_run))
            continue
        steps = np.diff(onset_s[of_run])
        if not np.all(steps >= 0):  # NaN included
            raise InputError(
                f"a gap in seconds needs onsets that rise within each run, but in the run {str(run[of_run[0]])!r} "
                "they do not; put the samples in the order of time."
            )
        position[of_run] = onset_s[of_run]
    return position


def _published(size: int, n_folds: int, gap: int) -> list[tuple[Rows, Rows]]:
    length = size // n_folds
    edges = [*range(0, length * n_folds, length), size]
    folds = []
    for number in range(n_folds):
        test = np.arange(edges[number], edges[number + 1])
        train = np.delete(np.arange(size), test)
        if number == 0:
            train = train[gap:]
        elif number == n_folds - 1:
            train = train[: max(len(train) - gap, 0)]
        else:
            test = test[gap : max(len(test) - gap, gap)]
        folds.append((train, test))
    return folds
