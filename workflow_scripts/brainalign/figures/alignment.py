"""Every model's score on every data set, beside its untrained twins, the nulls and the ceiling.

The per-model results of Aw et al. 2023 (Table 5), with what the paper lacks: intervals, nulls, twins and ceilings.
"""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from brainalign.figures import layout, style
from brainalign.figures.forest import draw_rows, height_of, legend_of, rows_of
from brainalign.figures.style import Look
from brainalign.figures.tables import StudyTables, in_turn, with_properties
from brainalign.row_labels import MODEL
from brainalign.study import summary_rows

TITLE = "Brain alignment of every model, its untrained twins and the nulls"
NEEDS = ("alignment", "properties")
COLUMNS = (
    "dataset simulated encoder readout features features_kind family kind base parameters layer_choice r r_low r_high "
    "ceiling_kind ceiling ceiling_low ceiling_high best_null over_null over_null_low over_null_high alarms samples "
    "neuroids"
).split()
PANELS_ACROSS = 5


def select(tables: StudyTables) -> pd.DataFrame:
    """Return the chosen-layer scores over all subjects and regions of every feature space."""
    columns = ["family", "kind", "base", "parameters"]
    return with_properties(summary_rows(tables.alignment), tables.properties, columns)[COLUMNS]


def draw(table: pd.DataFrame) -> Figure:
    """Return a panel for each data set and readout; a row for each model, a colour and marker for each encoder."""
    if table.empty:
        return style.nothing(TITLE, "No feature space was scored.")
    rows, looks = rows_of(table), style.looks(table["encoder"])
    panels = panels_of(table)
    several = len({readout for _, readout in panels}) > 1
    parts = [of_panel(table, dataset, readout) for dataset, readout in panels]
    titles = [
        panel_title(part, dataset, readout * several) for part, (dataset, readout) in zip(parts, panels, strict=True)
    ]
    known = table["r_low"].notna().any()
    label = "Pearson r, held out, 95 % interval" if known else "Pearson r, held out"
    figure, grid = layout.arrange(
        TITLE + style.simulated_suffix(table["simulated"]),
        page_rows(titles, height_of(rows, len(looks)), label),
        2.2,
        left=layout.room_for(name for name, _ in rows),
        gap=0.3,
        handles=[*legend_of(table, looks), *_ceiling_legend(table, looks)],
        note="" if known else "No interval is known of these scores.",
    )
    places = [(axes, number == 0) for row in grid for number, axes in enumerate(row)]
    for (axes, first), part in zip(places, parts, strict=True):
        for encoder, look in looks.items():
            _ceiling(axes, part[part["encoder"] == encoder], look)
        draw_rows(axes, part, rows, looks, "r", labelled=first)
    return figure


def panels_of(table: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the (data set, readout) that have scores; nulls stand in the panels of the models."""
    models = table[table["features_kind"] == MODEL]
    found = in_turn(models if len(models) else table, ("readout", "dataset"))
    return sorted({(dataset, readout) for readout, dataset in found})


def of_panel(table: pd.DataFrame, dataset: str, readout: str) -> pd.DataFrame:
    """Return the rows of a data set and readout, and those of its nulls."""
    return table[(table["dataset"] == dataset) & table["readout"].isin([readout, "none"])]


def panel_title(part: pd.DataFrame, dataset: str, readout: str = "") -> str:
    """Return what a panel is of, and how much data it rests on."""
    models = part.loc[part["features_kind"] == MODEL, "features"].nunique()
    name = f"{dataset}, {readout}" if readout else dataset
    size = style.sizes(part)
    return f"{name}{style.simulated_suffix(part['simulated'])}\n{size or f'n = {models} models'}"


def page_rows(titles: list[str], height: float, label: str) -> list[layout.Row]:
    """Return rows of panels that share their labels at the left."""
    rows, start = [], 0
    for count in layout.in_rows(len(titles), PANELS_ACROSS):
        rows.append(layout.Row(titles[start : start + count], height, label))
        start += count
    return rows


def _ceiling(axes: Any, own: pd.DataFrame, look: Look) -> None:
    for _, row in own.dropna(subset=["ceiling"]).head(1).iterrows():
        if pd.notna(row["ceiling_low"]):
            axes.axvspan(row["ceiling_low"], row["ceiling_high"], color=look.colour, alpha=0.12, linewidth=0, zorder=0)
        axes.axvline(row["ceiling"], color=look.colour, linestyle=look.dash, linewidth=1.2, zorder=1)


def _ceiling_legend(table: pd.DataFrame, looks: dict[str, Look]) -> list[Any]:
    handles: list[Any] = []
    for encoder, look in looks.items():
        own = table[(table["encoder"] == encoder) & table["ceiling"].notna()]
        if len(own):
            kinds = ", ".join(kind for kind in own["ceiling_kind"].unique() if kind)
            label = f"ceiling ({kinds}), {encoder}"
            handles.append(style.legend_line(label, color=look.colour, linestyle=look.dash))
    if table["ceiling_low"].notna().any():
        handles.append(Patch(color=style.GREY, alpha=0.2, linewidth=0, label="95 % interval of the ceiling"))
    return handles
