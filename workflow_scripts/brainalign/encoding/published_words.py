"""Two faults of the code that Aw et al. 2023 scored Wehbe2014 with, kept for a rerun of it (see `wehbe2014`).

The code is that of Toneva & Wehbe 2019, whose scans are the samples and whose words are the stimuli here.

- Components are fitted to words that are looked up as those of the training samples by a number off by one: a word's
  sample, counted over all runs, less the samples that are dropped up to the start of its run, less 1. A number below 0
  counts from the end, words of a run's dropped samples look up samples beside it, and those of the last ones have none.
- A sample without stimuli is not a number, and so is what z-scores within its run are of it: every column that it
  reaches by its delays is 0 in its whole run.
"""

from collections.abc import Sequence

import numpy as np

from brainalign.encoding.delays import delay, rows_of_runs
from brainalign.errors import InputError


def samples_looked_up(training: np.ndarray, runs: np.ndarray, trim: tuple[int, int]) -> np.ndarray:
    """Return the rows of the samples whose stimuli components are fitted to, rising.

    Parameters
    ----------
    training : (kept sample,) bool, of the samples that trimming leaves, which are in the training set.
    runs : (sample,), of all samples.
    trim : samples dropped at the start and the end of each run.

    Raises
    ------
    InputError : samples of one run that are not next to each other, or too few of them for the look-up.
    """
    parts = rows_of_runs(runs)
    if not np.array_equal(np.concatenate(parts), np.arange(len(runs))):
        raise InputError("word_rule: published needs the samples of each run next to each other.")
    rows, number = np.arange(len(runs)), np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    place = rows - (number + 1) * trim[0] - number * trim[1] - 1
    found = rows <= len(runs) - trim[1]
    if place[found].min() < -len(training):
        raise InputError(
            f"word_rule: published looks up samples {trim[0] + 1} before the first, but trimming leaves "
            f"{len(training)}."
        )
    return np.asarray(np.flatnonzero(found)[training[place[found]]])


def without_reached_columns(
    features: np.ndarray,
    is_empty: np.ndarray,
    runs: np.ndarray,
    delays: Sequence[int],
    kept: np.ndarray | None,
) -> np.ndarray:
    """Return features with 0 in each run for the columns that a sample without stimuli reaches in it.

    Parameters
    ----------
    features : (kept sample, delays * width), the first delay's columns first.
    is_empty : (sample,) bool, whether a sample has no stimuli.
    runs : (sample,), of all samples.
    delays : that were applied; none where empty.
    kept : rows of the samples that trimming leaves; all where None.
    """
    reached = is_empty[:, None].astype(np.float64)
    if delays:
        reached = delay(reached, runs, delays)
    if kept is not None:
        reached, runs = reached[kept], runs[kept]
    result, width = features.copy(), features.shape[1] // reached.shape[1]
    for rows in rows_of_runs(runs):
        result[np.ix_(rows, np.repeat(reached[rows].any(axis=0), width))] = 0.0
    return result
