"""Scores against the number of parameters."""

import pandas as pd
from matplotlib.figure import Figure

from brainalign.figures import style
from brainalign.figures.scatter import draw_points, select_points
from brainalign.figures.tables import StudyTables

TITLE = "Brain alignment and model size"
PROPERTY = "log10_parameters"


def select(tables: StudyTables) -> pd.DataFrame:
    """Return a row for each model and data set, with its parameters and the correlation with their logarithm."""
    return select_points(tables, {PROPERTY: "parameters"})


def draw(table: pd.DataFrame) -> Figure:
    """Return scores over parameters, on a logarithmic axis."""
    if table["value"].isna().all():
        return style.nothing(TITLE, "No model was scored whose number of parameters is known.")
    return draw_points(table, TITLE, {PROPERTY: "parameters"}, logarithmic=True)
