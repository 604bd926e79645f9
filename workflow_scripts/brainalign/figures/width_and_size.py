"""The same scores over the width of the models and over their size, side by side.

Not in Aw et al. 2023, whose own scores follow width (r = .97) more than size (.95): under least squares without a
penalty the score falls where there are about as many features as training samples, and rises again beyond (the double
descent); a penalised encoder shows no such valley.
"""

import pandas as pd
from matplotlib.figure import Figure

from brainalign.figures import layout, style
from brainalign.figures.scatter import PANEL, POINT, draw_panel, legend_of, of_place, panel_title, select_points
from brainalign.figures.style import Look
from brainalign.figures.tables import StudyTables, in_turn, method_name
from brainalign.responses.unit_names import ALL
from brainalign.row_labels import MODEL
from brainalign.scored import CHOSEN

TITLE = "Brain alignment over the width and over the size of models"
NEEDS = ("alignment", "properties", "correlations")
PROPERTIES = {"log10_width": "width", "log10_parameters": "parameters"}
LABELS = {"log10_width": "width (units of the hidden state)", "log10_parameters": "parameters"}
PANELS_ACROSS = 4  # two methods
UNSTABLE = "least squares is least stable"


def select(tables: StudyTables) -> pd.DataFrame:
    """Return widths, sizes and scores; `samples`, and `unstable`, the alarm of a layer that was chosen, if any."""
    none = tables.alignment.iloc[:0]
    table = select_points(tables.alignment, none, tables.properties, tables.correlations, PROPERTIES)
    place = ["encoder", "readout", "dataset", "features"]
    rows = tables.alignment
    rows = rows[(rows["subject"] == ALL) & (rows["region"] == ALL) & (rows["features_kind"] == MODEL)]
    samples = rows[rows["layer"] == CHOSEN].set_index(place)["samples"]
    alarmed = rows[(rows["layer_share"] > 0) & rows["alarms"].fillna("").str.contains(UNSTABLE)]
    sentences = alarmed.drop_duplicates(place).set_index(place)["alarms"]
    keys = pd.MultiIndex.from_frame(table[place])
    found = sentences.reindex(keys).fillna("").to_numpy()
    unstable = ["; ".join(part for part in text.split("; ") if part.startswith(UNSTABLE)) for text in found]
    return table.assign(samples=samples.reindex(keys).to_numpy(), unstable=unstable)


def draw(table: pd.DataFrame) -> Figure:
    """Return a row for each method and data set: the score over width, and over size."""
    points = table[table["row"] == POINT]
    if points.empty:
        return style.nothing(TITLE, "No model was scored whose width or number of parameters is known.")
    looks = style.looks(points["family"])
    places = in_turn(points)
    panels = [
        (of_place(table, name, *place), name, place)
        for place in sorted(places, key=lambda place: place[2])
        for name in PROPERTIES
    ]
    panels = [panel for panel in panels if (panel[0]["row"] == POINT).any()]
    shown = [part for part, _, _ in panels]
    rows: list[layout.Row] = []
    for start in range(0, len(panels), PANELS_ACROSS):
        block = panels[start : start + PANELS_ACROSS]
        titles = [f"{method_name(*place[:2])}\n{panel_title(part, place[2])}" for part, _, place in block]
        rows.append(layout.Row(titles, PANEL[1], [LABELS[name] for _, name, _ in block]))
    handles = legend_of(table, looks)
    if (points["unstable"] != "").any():
        ring = Look("black", "o", "-")
        said = "ring: about as many features as training samples in a chosen layer"
        handles.append(style.legend_mark(said, ring, markerfacecolor="none", markersize=9))
    if points["samples"].notna().any():
        handles.append(style.legend_line("samples of the data set", linestyle=":"))
    figure, grid = layout.arrange(TITLE + style.simulated_suffix(points["simulated"]), rows, PANEL[0], handles=handles)
    for axes, part in zip([axes for row in grid for axes in row], shown, strict=True):
        own = part[part["row"] == POINT]
        samples = own["samples"].astype(float)
        line = own["property"].iloc[0] == "log10_width" and samples.notna().any()
        if line:
            axes.axvline(samples.max(), color=style.GREY, linestyle=":", linewidth=1)
        draw_panel(axes, own, looks, logarithmic=True, also=[samples.max()] if line else [])
        ringed = own[own["unstable"] != ""]
        axes.plot(
            ringed["value"], ringed["r"], linestyle="none", marker="o", markersize=9, color="black",
            markerfacecolor="none", zorder=4,
        )  # fmt: skip
    for row in grid:
        row[0].set_ylabel("Pearson r, held out")
    return figure
