"""Scores against benchmark scores and other given numbers: figures 2A, 2B, 6A, 6B and 6D of Aw et al. 2023.

The large panel of the paper's figure is the average over data sets here, its insets are the panels beside it.
"""

import pandas as pd
from matplotlib.figure import Figure

from brainalign.figures import style
from brainalign.figures.scatter import draw_points, select_points
from brainalign.figures.tables import StudyTables, measured_columns

TITLE = "Brain alignment and what models know: benchmarks and other given numbers"
NEEDS = ("alignment", "properties", "correlations", "averages")


def select(tables: StudyTables) -> pd.DataFrame:
    """Return the models' given numbers and scores, and the correlations over models."""
    columns = benchmark_columns(tables.correlations, tables.properties)
    return select_points(tables.alignment, tables.averages, tables.properties, tables.correlations, columns)


def draw(table: pd.DataFrame) -> Figure:
    """Return scores over each benchmark."""
    if table["value"].isna().all():
        return style.nothing(
            TITLE, "No given number is correlated: name entries of `properties`, such as mmlu, in analyses.correlate."
        )
    return draw_points(table, TITLE, {name: name for name in table["property"].unique()}, logarithmic=False)


def benchmark_columns(correlations: pd.DataFrame, properties: pd.DataFrame) -> dict[str, str]:
    """Return the properties that are correlated and neither sizes nor measured losses."""
    measured = measured_columns(properties)
    found = [name for name in correlations["property"].unique() if name not in measured]
    return {name: name for name in found if name in properties.columns}
