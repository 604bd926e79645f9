"""Scores against the number of parameters: figures 2C, 6C and 7A of Aw et al. 2023."""

import pandas as pd
from matplotlib.figure import Figure

from brainalign.figures import style
from brainalign.figures.scatter import draw_points, select_points
from brainalign.figures.tables import StudyTables

TITLE = "Brain alignment and model size"
NEEDS = ("alignment", "properties", "correlations", "averages")
PROPERTY = "log10_parameters"


def select(tables: StudyTables) -> pd.DataFrame:
    """Return the models' parameters and scores, and the correlations with the logarithm of the parameters."""
    columns = {PROPERTY: "parameters"}
    return select_points(tables.alignment, tables.averages, tables.properties, tables.correlations, columns)


def draw(table: pd.DataFrame) -> Figure:
    """Return scores over parameters, on a logarithmic axis."""
    if table["value"].isna().all():
        return style.nothing(TITLE, "No model was scored whose number of parameters is known.")
    return draw_points(table, TITLE, {PROPERTY: "parameters"}, logarithmic=True)
