"""Every model's score on every data set, beside its untrained twins, the nulls and the ceiling."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from brainalign.figures import style
from brainalign.figures.style import Look
from brainalign.figures.tables import MODEL, NULL, UNTRAINED, StudyTables, with_properties
from brainalign.study import summary_rows

TITLE = "Brain alignment of every model, its untrained twins and the nulls"
COLUMNS = (
    "dataset simulated encoder readout features features_kind family kind base parameters layer_choice r r_low r_high "
    "ceiling_kind ceiling ceiling_low ceiling_high best_null over_null over_null_low over_null_high samples neuroids"
).split()


def select(tables: StudyTables) -> pd.DataFrame:
    """Return the chosen-layer scores over all subjects and regions of every feature space."""
    columns = ["family", "kind", "base", "parameters"]
    return with_properties(summary_rows(tables.alignment), tables.properties, columns)[COLUMNS]


def draw(table: pd.DataFrame) -> Figure:
    """Return a panel for each data set and readout; a row for each model, a colour and marker for each encoder."""
    if table.empty:
        return style.nothing(TITLE, "No feature space was scored.")
    rows = _rows(table)
    looks = style.looks(table["encoder"])
    of_models = table[table["features_kind"] == MODEL]
    readouts = of_models["readout"].unique() if len(of_models) else ["none"]
    panels = [(dataset, readout) for dataset in sorted(table["dataset"].unique()) for readout in readouts]
    down, across = style.rows_and_columns(len(panels))
    per_row = 0.1 + 0.12 * len(looks)
    figure = style.new_figure(
        style.room_for(name for name, _ in rows) + 2.6 * across,
        1.6 + down * (0.7 + per_row * len(rows)),
        TITLE + style.simulated_suffix(table["simulated"]),
    )
    grid = figure.subplots(down, across, sharey=True, squeeze=False)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    for axes, (dataset, readout) in zip(grid.flat, panels, strict=False):
        part = table[(table["dataset"] == dataset) & table["readout"].isin([readout, "none"])]
        _panel(axes, part, rows, looks)
        readout_note = f"{readout}, " if len(readouts) > 1 else ""
        size = f"{readout_note}{part['samples'].max()} samples, {part['neuroids'].max()} neuroids"
        axes.set_title(f"{dataset}{style.simulated_suffix(part['simulated'])}\n{size}")
    for axes in grid.flat[max(0, len(panels) - across) :]:
        axes.set_xlabel("Pearson r on held-out rows, 95 % interval")
    style.legend_below(figure, _legend(table, looks))
    return figure


def _rows(table: pd.DataFrame) -> list[tuple[str, bool]]:
    """Return (label, whether it is a heading), top to bottom. Twins lie on the row of the model that they copy."""
    models = table[(table["features_kind"] == MODEL) & (table["kind"] != UNTRAINED)]
    rows: list[tuple[str, bool]] = []
    for family, members in models.groupby("family", sort=False):
        rows += [(f"family {family}", True)] + [(name, False) for name in members["features"].unique()]
    for heading, kind in (("given features", "given"), ("nulls", NULL)):
        found = table.loc[table["features_kind"] == kind, "features"].unique()
        rows += [(heading, True)] * bool(len(found)) + [(name, False) for name in found]
    return rows


def _panel(axes: Any, part: pd.DataFrame, rows: Sequence[tuple[str, bool]], looks: dict[str, Look]) -> None:
    place = {name: -number for number, (name, heading) in enumerate(rows) if not heading}
    step = 0.75 / len(looks)
    for number, (encoder, look) in enumerate(looks.items()):
        own = part[part["encoder"] == encoder]
        shift = step * ((len(looks) - 1) / 2 - number)
        _ceiling(axes, own, look)
        twin = own["kind"] == UNTRAINED
        trained, twins = own[~twin], own[twin & own["base"].isin(list(place))]
        line = {"color": look.colour, "marker": look.marker}
        style.interval_lines(axes, trained, trained["features"].map(place) + shift, **line)
        below = twins["base"].map(place) + shift - 0.4 * step
        style.interval_lines(axes, twins, below, markerfacecolor="white", markersize=3, linewidth=0.6, **line)
    for y in place.values():
        axes.axhline(y, color="0.92", linewidth=0.5, zorder=0)
    axes.axvline(0, color="0.4", linewidth=0.6, zorder=1)
    axes.set_ylim(-len(rows) + 0.4, 0.6)
    axes.set_yticks([-number for number in range(len(rows))], [name for name, _ in rows])
    for label, (_, heading) in zip(axes.get_yticklabels(), rows, strict=False):
        label.set_fontweight("bold" if heading else "normal")
    axes.tick_params(axis="y", length=0)


def _ceiling(axes: Any, own: pd.DataFrame, look: Look) -> None:
    known = own.dropna(subset=["ceiling"]).head(1)
    for _, row in known.iterrows():
        axes.axvspan(row["ceiling_low"], row["ceiling_high"], color=look.colour, alpha=0.12, linewidth=0, zorder=0)
        axes.axvline(row["ceiling"], color=look.colour, linestyle=look.dash, linewidth=1.2, zorder=1)


def _legend(table: pd.DataFrame, looks: dict[str, Look]) -> list[Any]:
    handles: list[Any] = []
    for encoder, look in looks.items():
        own = table[table["encoder"] == encoder]
        choice = ", ".join(own["layer_choice"].unique())
        handles.append(style.legend_mark(f"{encoder} (layer: {choice})", look, linestyle="-"))
        if own["ceiling"].notna().any():
            kinds = ", ".join(kind for kind in own["ceiling_kind"].unique() if kind)
            line = Line2D([], [], color=look.colour, linestyle=look.dash, label=f"ceiling ({kinds}), {encoder}")
            handles.append(line)
    if (table["kind"] == UNTRAINED).any():
        hollow = style.legend_mark("untrained twin", Look(style.GREY, "o", "-"), markerfacecolor="white")
        handles.append(hollow)
    if table["ceiling_low"].notna().any():
        handles.append(Patch(color=style.GREY, alpha=0.2, linewidth=0, label="95 % interval of the ceiling"))
    return handles
