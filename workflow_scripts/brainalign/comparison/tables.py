"""Two tables of the same form, such as two studies' scores, set beside each other row by row."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from brainalign.errors import InputError
from brainalign.inference.paired import paired_difference

TOLERANCE = 1e-5  # to which a fast path agrees with its slow twin, and two machines with each other
PAIRED, INDEPENDENT, NONE = "paired", "independent", ""
IDENTICAL, EQUAL = "identical", "equal but for rounding"
WITHIN, BEYOND = "within the interval", "beyond the interval"
DIFFERENT = "different, without an interval"
ONLY_A, ONLY_B = "only in a", "only in b"
VERDICTS = (BEYOND, DIFFERENT, ONLY_A, ONLY_B, WITHIN, EQUAL, IDENTICAL)
DIFFERING = (BEYOND, DIFFERENT, ONLY_A, ONLY_B)
COLUMNS = (
    "measure",
    *(f"{study}{bound}" for study in "ab" for bound in ("", "_low", "_high")),
    *("difference", "difference_low", "difference_high", "difference_p", "interval", "verdict"),
)

Draws = Callable[[Mapping[str, str], str], "tuple[np.ndarray, np.ndarray] | None"]


def compare_tables(
    a: pd.DataFrame,
    b: pd.DataFrame,
    names: Sequence[str],
    measures: Sequence[str],
    draws: Draws | None = None,
    tolerance: float = TOLERANCE,
) -> pd.DataFrame:
    """Return one row per row of either table and measure: both values, b − a with its interval, and a verdict.

    interval : "paired", 2.5 and 97.5 % quantiles of the differences draw by draw, where both values have replicates of
        the same draws; "independent", from the interval of each (see `independent_interval`), which is too wide where
        the two share stimuli; empty where either has none.
    difference_p : two-sided, of a paired interval (see `inference.paired`); empty beside the others.
    verdict : "identical", value and interval alike to the last digit; "equal but for rounding", within
        `tolerance`; "within the interval", which holds 0; "beyond the interval", which does not; "different, without
        an interval"; "only in a" or "only in b", a row, or a value, that the other has not.

    Parameters
    ----------
    a, b : tables in which no two rows have the same names; a missing column of names is empty. A measure of which
        neither row has a value is passed over.
    names : the columns that say what a row is about.
    measures : columns of numbers; `<measure>_low` and `_high` beside them are their intervals.
    draws : (names of a row, measure) → replicates in a and in b (draw,) each, where they are of the same draws.
    tolerance : in the measure's units.

    Raises
    ------
    InputError : a table with two rows of the same names.
    """
    found = [measure for measure in measures if measure in a.columns or measure in b.columns]
    sides = [_by_names(table, names, which) for which, table in (("a", a), ("b", b))]
    together = sides[0].index.union(sides[1].index, sort=False)
    inside = [together.isin(side.index) for side in sides]
    one_sided = np.select([inside[0] & ~inside[1], ~inside[0] & inside[1]], [ONLY_A, ONLY_B], "")
    parts = [pd.DataFrame(columns=[*names, *COLUMNS, "_row"])]
    for number, measure in enumerate(found):
        columns = {
            f"{study}{bound}": _numbers(side, f"{measure}{bound}", together)
            for study, side in zip("ab", sides, strict=True)
            for bound in ("", "_low", "_high")
        }
        part = together.to_frame(index=False).assign(measure=measure, **columns, verdict=one_sided)
        part = part.assign(_row=np.arange(len(part)))
        told = part["a"].notna() | part["b"].notna() | ((part["verdict"] != "") & (number == 0))
        parts.append(part[told])
    joined = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    joined = _with_differences(joined, names, draws)
    joined["verdict"] = _verdicts(joined, tolerance)
    return joined.sort_values("_row", kind="stable", ignore_index=True)[[*names, *COLUMNS]]


def independent_interval(
    a: np.ndarray, a_low: np.ndarray, a_high: np.ndarray, b: np.ndarray, b_low: np.ndarray, b_high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the interval of b − a from an interval of each, for estimates that are independent of each other.

    low = (b − a) − √((b − b_low)² + (a_high − a)²), high = (b − a) + √((b_high − b)² + (a − a_low)²): the method of
    variance estimates recovery (Zou & Donner 2008), which keeps what is lopsided in the two. An estimate outside its
    own interval, as a percentile interval allows, counts as at its end.

    Parameters
    ----------
    all (...), of one shape.
    """
    difference = b - a
    below = np.hypot(np.maximum(b - b_low, 0), np.maximum(a_high - a, 0))
    above = np.hypot(np.maximum(b_high - b, 0), np.maximum(a - a_low, 0))
    return difference - below, difference + above


def _with_differences(joined: pd.DataFrame, names: Sequence[str], draws: Draws | None) -> pd.DataFrame:
    values = {name: joined[name].to_numpy(np.float64) for name in COLUMNS[1:7]}
    difference = values["b"] - values["a"]
    low, high = independent_interval(*values.values())
    p = np.full(len(joined), np.nan)
    interval = np.where(np.isfinite(low) & np.isfinite(high), INDEPENDENT, NONE).astype(object)
    if draws is not None:
        for number, key in enumerate(joined[[*names, "measure"]].itertuples(index=False, name=None)):
            row = dict(zip(names, map(str, key), strict=False))
            pair = draws(row, str(key[-1])) if np.isfinite(difference[number]) else None
            if pair is None:
                continue
            found = paired_difference(values["b"][number], values["a"][number], pair[1], pair[0])
            if np.isfinite([found.low, found.high]).all():
                low[number], high[number], p[number] = found.low, found.high, found.p
                interval[number] = PAIRED
    ends = {"difference_low": low, "difference_high": high, "difference_p": p}
    return joined.assign(difference=difference, **ends, interval=interval)


def _verdicts(joined: pd.DataFrame, tolerance: float) -> np.ndarray:
    a, b, difference = (joined[name].to_numpy(np.float64) for name in ("a", "b", "difference"))
    same = np.ones(len(joined), dtype=bool)
    for bound in ("", "_low", "_high"):
        one, other = (joined[f"{study}{bound}"].to_numpy(np.float64) for study in "ab")
        same &= (one == other) | (np.isnan(one) & np.isnan(other))
    outside = (joined["difference_low"] > 0) | (joined["difference_high"] < 0)
    return np.select(
        [
            joined["verdict"] != "",  # a row of one study only
            same,
            np.isnan(b) & np.isfinite(a),
            np.isnan(a) & np.isfinite(b),
            np.abs(difference) <= tolerance,
            joined["interval"] == NONE,
            outside,
        ],
        [joined["verdict"].astype(object), IDENTICAL, ONLY_A, ONLY_B, EQUAL, DIFFERENT, BEYOND],
        WITHIN,
    )


def _by_names(table: pd.DataFrame, names: Sequence[str], which: str) -> pd.DataFrame:
    texts = {name: table[name].fillna("").astype(str) if name in table else "" for name in names}
    keys = pd.DataFrame(texts, index=table.index, columns=list(names))
    twice = keys[keys.duplicated()]
    if len(twice):
        said = ", ".join(f"{name} {value!r}" for name, value in twice.iloc[0].items() if value)
        raise InputError(f"the table {which} has two rows of {said or 'no name'}.")
    numbers: dict[str, Any] = {name: table[name].to_numpy() for name in table.columns if name not in names}
    return pd.DataFrame(numbers, index=pd.MultiIndex.from_frame(keys))


def _numbers(side: pd.DataFrame, column: str, rows: pd.Index) -> np.ndarray:
    if column not in side.columns:
        return np.full(len(rows), np.nan)
    return pd.to_numeric(side[column], errors="coerce").astype("float64").reindex(rows).to_numpy(np.float64)
