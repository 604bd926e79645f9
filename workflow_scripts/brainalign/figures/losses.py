"""Scores against next-word loss: figures 6D and 7B of Aw et al. 2023."""

import pandas as pd
from matplotlib.figure import Figure

from brainalign.figures import style
from brainalign.figures.scatter import draw_points, select_points
from brainalign.figures.tables import StudyTables, loss_columns, loss_in_words

TITLE = "Brain alignment and next-word loss"
NEEDS = ("alignment", "properties", "correlations", "averages")


def select(tables: StudyTables) -> pd.DataFrame:
    """Return the models' losses and scores, and the correlations over models."""
    columns = loss_columns(tables.properties, tables.correlations["property"])
    return select_points(tables.alignment, tables.averages, tables.properties, tables.correlations, columns)


def draw(table: pd.DataFrame) -> Figure:
    """Return scores over the loss."""
    if table["value"].isna().all():
        return style.nothing(TITLE, "No next-word loss was measured in this study.")
    labels = {name: _label(name) for name in table["property"].unique()}
    return draw_points(table, TITLE, labels, logarithmic=False)


def _label(name: str) -> str:
    kind, loss, unit = loss_in_words(name)
    return f"{kind}, {loss} ({unit})"
