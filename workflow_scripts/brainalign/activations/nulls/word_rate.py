"""Null: how fast words come, and nothing else."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from brainalign.errors import InputError

DEFAULTS: Mapping[str, Any] = {}


def compute(stimuli: pd.DataFrame, _settings: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return words per part and, where onsets are known, words per second.

    Where a sample collects several parts, the sample map adds them up (or averages them, by its weights): "words" is
    then words per sample, and "words_per_second" with weights that sum to 1 the rate.

    Parameters
    ----------
    stimuli : `text`; for a series `onset_s` (seconds) and `run` (without it the `context_group`), in presentation
        order.
    _settings : there are none.

    Returns
    -------
    "words" : words of each part, between white space (stimulus × 1).
    "words_per_second" : the words that begin at the part's onset, divided by the time to the next onset of the run;
        the last onset of a run is given the run's median time (stimulus × 1). Not there without two onsets in a run.

    Raises
    ------
    InputError : onsets that go back inside a run.
    """
    words = np.array([len(text.split()) for text in stimuli["text"]], dtype=np.float64)
    layers = {"words": words[:, None].astype(np.float32)}
    if "onset_s" in stimuli:
        seconds, moments = _seconds_to_the_next(stimuli)
        if np.isfinite(seconds).all():
            at_once = np.bincount(moments, weights=words)[moments]
            layers["words_per_second"] = (at_once / seconds)[:, None].astype(np.float32)
    return layers


def _seconds_to_the_next(stimuli: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the seconds to the next onset (stimulus,), and a number (stimulus,) that equal onsets of a run share."""
    onsets = stimuli["onset_s"].to_numpy(np.float64)
    runs = stimuli["run" if "run" in stimuli else "context_group"].astype(str)
    seconds, moments = np.full(len(onsets), np.nan), np.zeros(len(onsets), dtype=np.int64)
    for rows in runs.groupby(runs, sort=False).indices.values():
        steps = np.diff(onsets[rows])
        if (steps < 0).any():
            row = rows[int(np.argmax(steps < 0)) + 1]
            raise InputError(f"stimulus {stimuli['stimulus_id'].iloc[row]!r} has an onset before that of the last one.")
        moment = np.concatenate([[0], np.cumsum(steps > 0)])  # (part of the run,)
        moments[rows] = moments.max() + 1 + moment
        between = steps[steps > 0]
        last = np.median(between) if len(between) else np.nan
        seconds[rows] = np.append(between, last)[moment]
    known = np.isfinite(seconds)
    if known.any():  # a run with one onset has no time of its own
        seconds[~known] = np.median(seconds[known])
    return seconds, moments
