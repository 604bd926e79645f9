"""How much better features predict a region than the one that a data set names as its control.

Whatever predicts responses without their having to do with language, as drifts, arousal or the rhythm of presentation,
predicts a region outside of the language network, too; what is left over that region is specific to the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from brainalign.errors import InputError, unknown
from brainalign.intervals import percentile_interval
from brainalign.own_nulls import not_above

if TYPE_CHECKING:
    from brainalign.scored import Scores

_NUMBERS = ("control_r", "over_control", "over_control_low", "over_control_high")


@dataclass(frozen=True)
class OverControl:
    """Scores over those of the control region; all (layer, subject, region).

    Parameters
    ----------
    name : the control region.
    r : its score for the same layer and subject; NaN where nothing is set against it, as the control region itself.
    over, low, high : r − r of the control region, with its paired interval; NaN where that is.
    """

    name: str
    r: np.ndarray
    over: np.ndarray
    low: np.ndarray
    high: np.ndarray


def over_control_region(scores: Scores, name: str) -> OverControl:
    """Set each region's score against that of the control region, of the same layer and subject.

        over = r_region − r_control,   over*_d = r*_{region, d} − r*_{control, d}

    The interval is of over*_d. The draws d of stimuli are the same for all regions, so it is paired and, like all
    others, conditional on the fits; it says nothing of other neuroids. The control region is not set against itself,
    nor is "all", of which it is a part. A subject without neuroids there has no difference.

    Regions differ in noise, too: where the control's ceiling is lower, so is its r for that reason alone.

    Raises
    ------
    InputError : no such region.
    """
    regions = scores.regions[1:]
    if name not in regions:
        raise InputError(f"the data set has no such region: {unknown('control_region', name, regions)}")
    place = scores.regions.index(name)
    against = np.array([number not in (0, place) for number in range(len(scores.regions))])
    r = np.where(against, scores.r[..., place, None], np.nan)
    drawn = np.where(against, scores.replicates - scores.replicates[..., place, None], np.nan)
    return OverControl(name, r, scores.r - r, *percentile_interval(drawn))


def control_columns(found: OverControl | None) -> dict[str, Any]:
    """Return the columns `control_region`, `control_r`, `over_control`, `over_control_low`, `over_control_high`.

    All are empty where nothing is set against a control region.
    """
    if found is None:
        return {"control_region": np.array("", dtype=object)} | dict.fromkeys(_NUMBERS, np.array(np.nan))
    names = np.where(np.isnan(found.r), "", found.name).astype(object)
    return {"control_region": names} | dict(zip(_NUMBERS, (found.r, found.over, found.low, found.high), strict=True))


def control_alarms(found: OverControl | None) -> list[tuple[np.ndarray, str]]:
    """Say where a region's r does not lie above that of the control region; see `own_nulls.not_above`.

    Returns
    -------
    places (layer, subject, region) and a sentence for each.
    """
    if found is None:
        return []
    below, unclear = not_above(found.over, found.low, found.high)
    what = f"that of the control region {found.name}"
    return [(below, f"r is below {what}"), (unclear, f"r is not clearly above {what}")]


def not_above_control(alignment: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of an alignment table whose r is not clearly above that of the control region, or below it."""
    known = alignment[alignment["over_control"].notna()]
    low = known["over_control_low"]
    return known[~(low.where(low.notna(), known["over_control"]) > 0)]
