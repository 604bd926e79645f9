"""Scores against next-word loss."""

import pandas as pd
from matplotlib.figure import Figure

from brainalign.figures import style
from brainalign.figures.scatter import draw_points, select_points
from brainalign.figures.tables import StudyTables
from brainalign.study import LOSS_UNIT

TITLE = "Brain alignment and next-word loss"


def select(tables: StudyTables) -> pd.DataFrame:
    """Return a row for each loss, model and data set, with the correlation over models."""
    columns = [name for name in tables.properties.columns if name.endswith(LOSS_UNIT)]
    return select_points(tables, {name.removesuffix(LOSS_UNIT): name for name in columns})


def draw(table: pd.DataFrame) -> Figure:
    """Return scores over the loss."""
    if table["value"].isna().all():
        return style.nothing(TITLE, "No next-word loss was measured in this study.")
    labels = {name: f"next-word loss, {name} (nats per token)" for name in table["property"].unique()}
    return draw_points(table, TITLE, labels, logarithmic=False)
