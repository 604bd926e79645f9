"""How each model's score runs over its layers."""

from textwrap import fill
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from brainalign.figures import style
from brainalign.figures.style import Look
from brainalign.figures.tables import MODEL, UNTRAINED, StudyTables, with_properties
from brainalign.scored import ALL, CHOSEN

TITLE = "Brain alignment over layers"
COLUMNS = (
    "dataset simulated encoder readout features family kind base layer layer_index layer_share layer_choice "
    "r r_low r_high samples neuroids"
).split()
MODELS_PER_BLOCK = 10
LABEL_WIDTH = 18  # characters


def select(tables: StudyTables) -> pd.DataFrame:
    """Return every layer's score over all subjects and regions of every model."""
    table = tables.alignment
    wanted = (table["subject"] == ALL) & (table["region"] == ALL) & (table["layer"] != CHOSEN)
    rows = table[wanted & (table["features_kind"] == MODEL)]
    return with_properties(rows, tables.properties, ["family", "kind", "base"])[COLUMNS]


def draw(table: pd.DataFrame) -> Figure:
    """Return a row of panels for each model, a column for each data set and readout; many models in several blocks."""
    if table.empty:
        return style.nothing(TITLE, "No model was scored.")
    models = list(table.loc[table["kind"] != UNTRAINED, "features"].unique())
    columns = list(table[["dataset", "readout"]].drop_duplicates().sort_values("dataset").itertuples(index=False))
    blocks = -(-len(models) // MODELS_PER_BLOCK)
    down = -(-len(models) // blocks)
    looks = style.looks(table["encoder"])
    size = (1.0 + (0.3 + 2.4 * len(columns)) * blocks, 1.8 + 1.3 * down)
    figure = style.new_figure(*size, TITLE + style.simulated_suffix(table["simulated"]))
    grid = figure.subplots(down, len(columns) * blocks, squeeze=False)
    for across, (dataset, readout) in enumerate(columns):
        part = table[(table["dataset"] == dataset) & (table["readout"] == readout)]
        title = _title(part, dataset, readout if table["readout"].nunique() > 1 else "")
        for number, model in enumerate(models):
            block, row = divmod(number, down)
            axes = grid[row, block * len(columns) + across]
            _panel(axes, part, model, looks)
            if axes is not grid[0, across]:
                axes.sharey(grid[0, across])
            axes.set_title(title if row == 0 else "")
            axes.set_ylabel(f"{fill(model, LABEL_WIDTH)}\nPearson r" if across == 0 else "")
            axes.set_xlabel(_layer_label(part) if row == down - 1 or number == len(models) - 1 else "")
    for axes in grid.flat:
        axes.set_visible(bool(axes.lines))
    style.legend_below(figure, _legend(table, looks))
    return figure


def _title(part: pd.DataFrame, dataset: str, readout: str) -> str:
    named = f"{dataset}, {readout}" if readout else dataset
    size = f"{part['samples'].max()} samples, {part['neuroids'].max()} neuroids"
    return f"{named}{style.simulated_suffix(part['simulated'])}\n{size}"


def _layer_label(part: pd.DataFrame) -> str:
    """Name the first and the last layer where all models call them the same."""
    first = part.loc[part["layer_index"] == 0, "layer"].unique()
    deepest = part.groupby("features")["layer_index"].transform("max")
    last = part.loc[part["layer_index"] == deepest, "layer"].unique()
    return f"layer (0: {first[0]}, last: {last[0]})" if len(first) == len(last) == 1 else "layer"


def _panel(axes: Any, part: pd.DataFrame, model: str, looks: dict[str, Look]) -> None:
    axes.axhline(0, color="0.6", linewidth=0.6, zorder=0)
    twins = part.loc[(part["kind"] == UNTRAINED) & (part["base"] == model), "features"].unique()
    for encoder, look in looks.items():
        for features in (*twins, model):
            curve = part[(part["features"] == features) & (part["encoder"] == encoder)].sort_values("layer_index")
            if len(curve):
                _curve(axes, curve, look, features != model)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def _curve(axes: Any, curve: pd.DataFrame, look: Look, twin: bool) -> None:
    x = curve["layer_index"].astype(float)
    chosen = (curve["layer_share"] > 0).to_numpy()
    axes.fill_between(x, curve["r_low"], curve["r_high"], color=look.colour, alpha=0.08 if twin else 0.18, linewidth=0)
    width, dash = (0.8, ":") if twin else (1.2, "-")
    axes.plot(x, curve["r"], color=look.colour, linewidth=width, linestyle=dash, zorder=2)
    for which, inside in ((chosen, look.colour), (~chosen, "white")):
        axes.plot(
            x[which],
            curve["r"][which],
            linestyle="none",
            marker=look.marker,
            color=look.colour,
            markerfacecolor=inside,
            markersize=3 if twin else 4.5,
            zorder=3,
        )


def _legend(table: pd.DataFrame, looks: dict[str, Look]) -> list[Any]:
    handles = [style.legend_mark(encoder, look, linestyle="-") for encoder, look in looks.items()]
    plain = Look(style.GREY, "o", "-")
    handles.append(style.legend_mark("layer chosen in a fold", plain))
    handles.append(style.legend_mark("layer never chosen", plain, markerfacecolor="white"))
    if (table["kind"] == UNTRAINED).any():
        handles.append(style.legend_mark("untrained twin", plain, linestyle=":", markersize=3))
    return handles
