"""What a score is worth over a model's own nulls: its untrained twins, and the model itself reading random tokens.

The first has the architecture and no training, the second the training and no text. Both come over seeds; a score is
set beside the mean over these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from brainalign.intervals import percentile_interval

if TYPE_CHECKING:
    from brainalign.scored import Scores

TWIN, RANDOM_TOKENS = "twin", "random_tokens"  # kinds, as they stand in the names of columns
_NAMES = {TWIN: "twins", RANDOM_TOKENS: "random_tokens"}  # the column that says which seeds there are


@dataclass(frozen=True)
class OwnNull:
    """A score over one kind of a model's own nulls.

    Parameters
    ----------
    names : of the seeds' feature spaces (twins) or readouts (random tokens).
    r, lowest, highest : (subject, region), over seeds, of r of the chosen layer: the mean, and both ends.
    over, low, high : (layer, subject, region), r − the mean over seeds, with its paired interval.
    """

    names: tuple[str, ...]
    r: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray
    over: np.ndarray
    low: np.ndarray
    high: np.ndarray


def over_own_null(scores: Scores, seeds: Mapping[str, Scores]) -> OwnNull:
    """Set each layer's score against the mean over seeds of the r of their own chosen layers.

        over = r − mean_s r_s,   over*_d = r*_d − mean_s r*_{s, d}

    The interval is of over*_d. A data set's draws d are the same for all feature spaces, so it is paired over stimuli
    and, like all others, conditional on the fits; and on the seeds that were taken. The spread of seeds is not part of
    it: a few seeds give no variance that could be added with known coverage (of two, Student's t makes an interval
    that excludes nothing, and resampling them takes half of the variance away). So it is shown instead, as the lowest
    and the highest seed's r: what is said of untrained networks at large has to hold against these.

    Parameters
    ----------
    scores : of the model; seeds : name → scores under the same draws, at least one.
    """
    chosen = np.stack([seed.r[-1] for seed in seeds.values()])  # (seed, subject, region)
    drawn = np.mean([seed.replicates[:, -1] for seed in seeds.values()], axis=0)  # (draw, subject, region)
    low, high = percentile_interval(scores.replicates - drawn[:, None])
    r = chosen.mean(axis=0)
    return OwnNull(tuple(seeds), r, chosen.min(axis=0), chosen.max(axis=0), scores.r - r, low, high)


def own_null_columns(kind: str, found: OwnNull | None) -> dict[str, Any]:
    """Return the columns of one kind of own nulls; empty where there is none.

    They are `twins` (names, separated by spaces), `twin_r`, `twin_r_lowest`, `twin_r_highest`, `over_twin`,
    `over_twin_low` and `over_twin_high`; for random tokens `random_tokens`, `random_tokens_r`, ….
    """
    names = [f"{kind}_r{end}" for end in ("", "_lowest", "_highest")]
    names += [f"over_{kind}{end}" for end in ("", "_low", "_high")]
    if found is None:
        return {_NAMES[kind]: np.array("", dtype=object)} | dict.fromkeys(names, np.array(np.nan))
    values = (found.r, found.lowest, found.highest, found.over, found.low, found.high)
    return {_NAMES[kind]: np.array(" ".join(found.names), dtype=object)} | dict(zip(names, values, strict=True))


def own_null_alarms(own: Mapping[str, OwnNull]) -> list[tuple[np.ndarray, str]]:
    """Say where a score does not lie above a model's own null beyond the paired interval, and where it lies below.

    Returns
    -------
    places (layer, subject, region) and a sentence for each.
    """
    said: list[tuple[np.ndarray, str]] = []
    for kind, found in own.items():
        plural = "s" if len(found.names) > 1 else ""
        of = f"its untrained twin{plural}" if kind == TWIN else "the model reading random tokens"
        below, unclear = not_above(found.over, found.low, found.high)
        said += [(below, f"r is below that of {of}"), (unclear, f"r is not clearly above that of {of}")]
    return said


def not_above(over: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where a difference lies below 0 beyond its interval, and where it is not clearly above 0, (…) bool each.

    Where there is no interval, a difference of 0 or less is not clearly above; where there is no difference, neither.
    """
    return high < 0, np.where(np.isnan(low), over <= 0, (low <= 0) & (high >= 0))
