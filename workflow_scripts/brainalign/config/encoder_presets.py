"""Encoders as published, by name: what a config writes as `preset: aw2023`. Keys beside it change it.

Their faults are kept: shuffled splits leak between sentences of one passage, least squares follows the width of a
layer, the best layer is taken by its test score, penalties end where the published grid ends, and components are fitted
to words that are looked up one scan beside those of the training scans (`word_rule: own` mends this).
"""

from collections.abc import Mapping
from typing import Any

from brainalign.config.base import NOTHING

PRESETS: Mapping[str, Mapping[str, Any]] = {
    # Aw et al. 2023, Pereira2018 and Blank2014: Brain-Score's linear predictivity of 2023
    "aw2023": {
        "regression": "ols",
        "split": {"kind": "shuffle", "folds": 10, "test": 0.1, "seed": 1},
        "layer": "best",
        "aggregate": "brain-score",
    },
    # Aw et al. 2023, Wehbe2014: principal components of the training words, delays, standardised in the fold
    "wehbe2014": {
        "regression": "ridge",
        "penalties": "per-neuroid",
        "grid": {"log10_min": -6, "log10_max": 9, "count": 16, "scale": "absolute"},
        "criterion": "r2",
        "word_components": 10,
        "word_rule": "published",
        "delays": [1, 2, 3, 4],
        "trim": [20, 15],
        "zscore_delayed": True,
        "standardize": "fold",
        "intercept": False,
        "split": {"kind": "contiguous", "folds": 4, "gap": 5, "at": "published"},
        "layer": "best",
        "aggregate": "mean",
        "beyond_nulls": False,
    },
    # Brain-Score language in 2026: groups held out, one penalty for all neuroids by rows left out one by one
    "brain-score": {
        "regression": "ridge",
        "penalties": "shared",
        "grid": {"log10_min": -3, "log10_max": 3, "count": 7, "scale": "absolute"},
        "inner": "leave-one-out",
        "split": {"kind": "grouped", "folds": 10, "seed": 1234},
        "layer": "best",
        "aggregate": "brain-score",
        "beyond_nulls": False,
    },
}


def changed_preset(preset: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a preset's settings with the given ones in their place.

    A section's keys are changed one by one, unless it is given another `kind`, whose keys are others. Least squares has
    no penalties, so that it takes none of the preset's.

    Parameters
    ----------
    preset : a name of PRESETS.
    given : an entry of `encoders` as it was written.
    """
    unread = {"penalties", "grid", "inner", "criterion"} if given.get("regression") == "ols" else set()
    result = {key: value for key, value in PRESETS[preset].items() if key not in unread}
    for key, value in given.items():
        own = result.get(key)
        if isinstance(own, Mapping) and value is NOTHING:
            continue  # as the preset has it
        if isinstance(own, Mapping) and isinstance(value, Mapping) and value.get("kind") in (None, own.get("kind")):
            result[key] = {**own, **value}
        else:
            result[key] = value
    return result
