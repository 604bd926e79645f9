"""One thing that a reader has to know before believing a study's numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from brainalign.report import wording

Weight = Literal["alarm", "warning", "note"]


@dataclass(frozen=True)
class Caveat:
    """One thing to know. weight : "alarm" (numbers do not mean what they seem to), "warning" or "note"."""

    weight: Weight
    text: str


def way(encoder: str, config: Mapping[str, Any]) -> str:
    """Return what scores came by: an encoder of this study, or the method of a publication."""
    return f"{'Encoder' if encoder in config.get('encoders', {}) else 'Method'} {encoder}"


def names(rows: pd.DataFrame, column: str) -> list[str]:
    """Return the different values of a column, in their order."""
    return list(dict.fromkeys(rows[column]))


def is_text(value: object) -> bool:
    """Tell whether a cell of a table holds words."""
    return isinstance(value, str) and value != ""


def three(row: Mapping[str, Any] | pd.Series, name: str) -> str:
    """Return a column's number with its interval."""
    return wording.with_interval(row[name], row[f"{name}_low"], row[f"{name}_high"])
