"""Scores of models against a number of each model, with the correlation over models."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import ScaledTranslation

from brainalign.correlation.scores import AVERAGE
from brainalign.figures import style
from brainalign.figures.style import Look
from brainalign.figures.tables import TUNED, UNTRAINED, StudyTables, scores_of_models

_STATISTICS = (
    "n pearson_r pearson_p fisher_low fisher_high over_stimuli_low over_stimuli_high spearman_rho reason"
).split()
COLUMNS = [
    *"property dataset simulated encoder readout features family kind value r r_low r_high".split(),
    *_STATISTICS,
]
FILLS = {"vanilla": "full", TUNED: "top", UNTRAINED: "none"}
DODGE = {UNTRAINED: -4.5, TUNED: 4.5}  # points


def select_points(tables: StudyTables, columns: dict[str, str]) -> pd.DataFrame:
    """Return a row for each property, encoder, readout, data set and model that has both numbers.

    Each carries the correlation over the trained models. Rows of the data set "average" have that alone.

    Parameters
    ----------
    columns : property → its column in the table of properties, which becomes `value`.
    """
    keys = ["property", "encoder", "readout", "dataset"]
    found = tables.correlations
    if len(found):
        found = found[found["over"] == found["over"].iloc[0]]  # of several sets of models, the first
    found = found[[*keys, "simulated", *_STATISTICS]]
    parts = []
    for name, column in columns.items():
        own = found[found["property"] == name]
        points = scores_of_models(tables, ["family", "kind", column]).rename(columns={column: "value"})
        points = points.assign(property=name).dropna(subset=["value", "r"])
        parts.append(points.merge(own.drop(columns="simulated"), on=keys, how="left"))
        parts.append(own[own["dataset"] == AVERAGE])
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    return table.reindex(columns=COLUMNS)


def draw_points(table: pd.DataFrame, title: str, labels: dict[str, str], logarithmic: bool) -> Figure:
    """Return a row of panels for each encoder, readout and property, a column for each data set.

    Parameters
    ----------
    labels : property → label of its axis.
    """
    points = table[table["dataset"] != AVERAGE]
    rows = list(points[["property", "encoder", "readout"]].drop_duplicates().itertuples(index=False))
    datasets = sorted(points["dataset"].unique())
    looks = style.looks(points["family"])
    figure = style.new_figure(
        1.0 + 3.0 * len(datasets), 1.3 + 2.7 * len(rows), title + style.simulated_suffix(points["simulated"])
    )
    parts = figure.subfigures(len(rows), 1, squeeze=False)[:, 0]
    for subfigure, (name, encoder, readout) in zip(parts, rows, strict=True):
        part = table[(table["property"] == name) & (table["encoder"] == encoder) & (table["readout"] == readout)]
        average = _statistics(part[part["dataset"] == AVERAGE])
        subfigure.suptitle(f"{encoder}, {readout}; average over data sets: {average}", fontsize=8, fontweight="bold")
        grid = subfigure.subplots(1, len(datasets), squeeze=False)[0]
        for axes, dataset in zip(grid, datasets, strict=True):
            _panel(axes, part[part["dataset"] == dataset], dataset, looks, dodge=logarithmic)
            axes.set_xlabel(labels[name])
            if logarithmic:
                axes.set_xscale("log")
        grid[0].set_ylabel("Pearson r on held-out rows")
    style.legend_below(figure, _legend(points, looks))
    return figure


def _panel(axes: Any, points: pd.DataFrame, dataset: str, looks: dict[str, Look], dodge: bool) -> None:
    """Draw one data set; `dodge` moves kinds of models sideways by a few points, where they share their x."""
    axes.axhline(0, color="0.6", linewidth=0.6, zorder=0)
    for names, part in points.groupby(["family", "kind"], sort=False):
        family, kind = map(str, names)
        look = looks[family]
        aside = DODGE.get(kind, 0.0) / 72 if dodge else 0.0
        place = axes.transData + ScaledTranslation(aside, 0, axes.figure.dpi_scale_trans)
        lines = axes.vlines(part["value"], part["r_low"], part["r_high"], color=look.colour, linewidth=0.8, zorder=2)
        lines.set_transform(place)
        axes.update_datalim(part[["value", "r"]].to_numpy(float))  # also where no interval is known
        axes.plot(
            part["value"],
            part["r"],
            linestyle="none",
            marker=look.marker,
            color=look.colour,
            fillstyle=FILLS.get(kind, "full"),
            markerfacecoloralt="white",
            markersize=6,
            zorder=3,
            transform=place,
        )
    suffix = style.simulated_suffix(points["simulated"])
    axes.set_title(f"{dataset}{suffix}\n{_statistics(points)}")
    axes.margins(x=0.1)


def _statistics(rows: pd.DataFrame) -> str:
    found = rows.dropna(subset=["pearson_r"]).head(1)
    for _, row in found.iterrows():
        interval = f"{row['pearson_r']:.2f} [{row['fisher_low']:.2f}, {row['fisher_high']:.2f}]"
        signed = interval.replace("-", "−")
        return f"r = {signed}, {style.readable_p(row['pearson_p'])}, n = {int(row['n'])} models"
    reasons = [reason for reason in rows["reason"].dropna().unique() if reason]
    return f"no r: {reasons[0]}" if reasons else "no correlation was asked for"


def _legend(points: pd.DataFrame, looks: dict[str, Look]) -> list[Any]:
    handles: list[Any] = [style.legend_mark(f"family {family}", look) for family, look in looks.items()]
    notes = {UNTRAINED: "untrained twin (not in r)"}
    for kind in (kind for kind in FILLS if (points["kind"] == kind).any()):
        plain = Look(style.GREY, "o", "-")
        handles.append(
            style.legend_mark(notes.get(kind, kind), plain, fillstyle=FILLS[kind], markerfacecoloralt="white")
        )
    handles.append(Line2D([], [], color=style.GREY, linewidth=0.8, label="lines: 95 % interval over stimuli"))
    handles.append(Line2D([], [], linestyle="none", label="[ ]: 95 % interval over models (Fisher)"))
    return handles
