"""Correction of p values over declared families of tests."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from brainalign.errors import InputError
from brainalign.inference.false_discovery import false_discovery_p

SELECTORS = {
    "properties": "property",
    "over": "over",
    "datasets": "dataset",
    "encoders": "encoder",
    "readouts": "readout",
}


def correct(table: pd.DataFrame, corrections: Mapping[str, Mapping[str, Any]], p: str) -> pd.DataFrame:
    """Return the table with `correction`, `corrected_tests` (how many) and `corrected_p`.

    Corrected is the false discovery rate, by Benjamini and Hochberg (1995), over the rows of one correction that have
    a p.

    Parameters
    ----------
    table : with the columns of SELECTORS, `analysis` and the column of p.
    corrections : name → {analysis: …, properties: […], datasets: […], …}; a row belongs to a correction if the analysis
        is its own and every list holds the row's value.

    Raises
    ------
    InputError : a row of two corrections, or a correction without a test in any table that has its analysis.
    """
    table = table.assign(correction="", corrected_tests=pd.array([pd.NA] * len(table), dtype="Int64"))
    table["corrected_p"] = np.nan
    for name, wanted in corrections.items():
        rows = _selected(table, wanted)
        taken = table.loc[rows & (table["correction"] != ""), "correction"]
        if len(taken):
            raise InputError(f"analyses.corrections: a test is in {taken.iloc[0]!r} and in {name!r}; one is allowed.")
        values = table.loc[rows, p].to_numpy(np.float64)
        if (table["analysis"] == wanted["analysis"]).any() and not np.isfinite(values).any():
            raise InputError(f"analyses.corrections.{name}: no test of this study belongs to it.")
        table.loc[rows, "correction"] = name
        table.loc[rows, "corrected_tests"] = int(np.isfinite(values).sum())
        table.loc[rows, "corrected_p"] = false_discovery_p(values)
    return table


def _selected(table: pd.DataFrame, wanted: Mapping[str, Any]) -> pd.Series:
    rows: pd.Series = table["analysis"] == wanted["analysis"]
    for key, column in SELECTORS.items():
        allowed: Sequence[str] | None = wanted.get(key)
        if allowed is not None:
            rows &= table[column].isin(list(allowed))
    return rows
