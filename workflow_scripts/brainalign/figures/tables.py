"""The tables of a study that figures select from, and rows that several figures show."""

from dataclasses import dataclass

import pandas as pd

from brainalign.study import summary_rows

MODEL, NULL, UNTRAINED = "model", "null", "untrained"
TUNED = "instruction-tuned"


@dataclass(frozen=True)
class StudyTables:
    """alignment, properties, correlations, pairs: as the stages before wrote them."""

    alignment: pd.DataFrame
    properties: pd.DataFrame
    correlations: pd.DataFrame
    pairs: pd.DataFrame


def with_properties(alignment: pd.DataFrame, properties: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return rows of the alignment with columns of their models' properties, in the order of the properties.

    Rows of features that are not models come last, with empty properties.
    """
    order = {model: number for number, model in enumerate(properties["model"])}
    own = properties[["model", *columns]].rename(columns={"model": "features"})
    table = alignment.merge(own, on="features", how="left", sort=False)
    text = [name for name in ("family", "kind", "base") if name in columns]
    table[text] = table[text].astype(object).fillna("")
    position = table["features"].map(order).fillna(len(order))
    return table.assign(_position=position).sort_values("_position", kind="stable").drop(columns="_position")


def scores_of_models(tables: StudyTables, columns: list[str]) -> pd.DataFrame:
    """Return each model's chosen-layer score over all subjects and regions with columns of its properties."""
    rows = summary_rows(tables.alignment)
    return with_properties(rows[rows["features_kind"] == MODEL], tables.properties, columns)
