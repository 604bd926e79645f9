"""What instruction-tuning changes: each tuned model against its base."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from brainalign.correlation.pairs import SUMMARY
from brainalign.correlation.scores import AVERAGE
from brainalign.figures import style
from brainalign.figures.style import Look
from brainalign.figures.tables import StudyTables

TITLE = "Instruction-tuned model minus its base"


def select(tables: StudyTables) -> pd.DataFrame:
    """Return every pair and the mean of every pair of the first set of models."""
    summary = tables.pairs["row"] == SUMMARY
    first = tables.pairs.loc[summary, "over"].head(1).tolist()
    return tables.pairs[~summary | tables.pairs["over"].isin(first)]


def draw(table: pd.DataFrame) -> Figure:
    """Return a panel for each data set and readout and for their average; a row for each pair, the mean last."""
    if table.empty:
        return style.nothing(TITLE, "This study has no pair of an instruction-tuned model and its base.")
    looks = style.looks(table["encoder"])
    table = table.assign(label=[_label(row) for _, row in table.iterrows()])
    labels = list(dict.fromkeys([*table.loc[table["row"] != SUMMARY, "label"], SUMMARY]))
    datasets = [*sorted(set(table["dataset"]) - {AVERAGE}), AVERAGE]
    panels = [(dataset, readout) for dataset in datasets for readout in table["readout"].unique()]
    down, across = style.rows_and_columns(len(panels))
    height = 1.7 + down * (0.8 + (0.18 + 0.08 * len(looks)) * len(labels))
    figure = style.new_figure(
        style.room_for(labels) + 2.8 * across, height, TITLE + style.simulated_suffix(table["simulated"])
    )
    grid = figure.subplots(down, across, sharey=True, squeeze=False)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    for axes, (dataset, readout) in zip(grid.flat, panels, strict=False):
        part = table[(table["dataset"] == dataset) & (table["readout"] == readout)]
        _panel(axes, part, labels, looks)
        note = f", {readout}" if table["readout"].nunique() > 1 else ""
        axes.set_title(f"{_dataset(dataset)}{note}{style.simulated_suffix(part['simulated'])}")
        axes.xaxis.set_major_locator(MaxNLocator(5))
    for axes in grid.flat[max(0, len(panels) - across) :]:
        axes.set_xlabel("difference in Pearson r, 95 % interval")
    style.legend_below(figure, _legend(table, looks))
    return figure


def _panel(axes: Any, part: pd.DataFrame, labels: list[str], looks: dict[str, Look]) -> None:
    place = {label: -number for number, label in enumerate(labels)}
    step = 0.5 / len(looks)
    for number, (encoder, look) in enumerate(looks.items()):
        own = part[part["encoder"] == encoder]
        y = own["label"].map(place) + step * ((len(looks) - 1) / 2 - number)
        summary = own["row"] == SUMMARY
        axes.hlines(
            y[summary],
            own["over_bases_low"][summary],
            own["over_bases_high"][summary],
            color=look.colour,
            alpha=0.35,
            linewidth=4,
            zorder=1,
        )
        style.interval_lines(axes, own, y, "difference", color=look.colour, marker=look.marker)
    axes.axhline(place[SUMMARY] + 0.5, color="0.4", linewidth=0.6)
    axes.axvline(0, color="0.4", linewidth=0.6, zorder=0)
    axes.set_yticks([place[label] for label in labels], labels)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(-len(labels) + 0.4, 0.6)


def _label(row: pd.Series) -> str:
    return SUMMARY if row["row"] == SUMMARY else f"{row['tuned']}\n− {row['base']}"


def _dataset(name: str) -> str:
    return "average over data sets" if name == AVERAGE else name


def _legend(table: pd.DataFrame, looks: dict[str, Look]) -> list[Any]:
    handles: list[Any] = []
    for encoder, look in looks.items():
        rows = table[(table["encoder"] == encoder) & (table["row"] == SUMMARY) & (table["dataset"] == AVERAGE)]
        note = "; ".join(
            f"{int(row['pairs'])} pairs, {int(row['bases'])} bases, {_wilcoxon(row)}" for _, row in rows.iterrows()
        )
        handles.append(style.legend_mark(f"{encoder}, on average: {note}", look, linestyle="-"))
    handles.append(Line2D([], [], color=style.GREY, alpha=0.4, linewidth=4, label="mean: interval over bases"))
    handles.append(Line2D([], [], color=style.GREY, linewidth=1, label="interval over stimuli"))
    return handles


def _wilcoxon(row: pd.Series) -> str:
    if not np.isfinite(row["wilcoxon_p_bases"]):
        return "no Wilcoxon p"
    return (
        f"Wilcoxon over bases {style.readable_p(row['wilcoxon_p_bases'])}"
        f" (smallest possible {row['wilcoxon_smallest_p_bases']:.3g})"
    )
