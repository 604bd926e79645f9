"""What instruction-tuning changes: each tuned model against its base, as a difference in r with its intervals.

The difference behind figure 1B and 1C of Aw et al. 2023, with the uncertainty that the paper does not give.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from brainalign import number_texts
from brainalign.correlation.observations import members
from brainalign.correlation.pairs import SUMMARY
from brainalign.figures import layout, style
from brainalign.figures.style import Look
from brainalign.figures.tables import StudyTables, brain, dataset_name, first_set, in_turn
from brainalign.row_labels import AVERAGE

TITLE = "Instruction-tuned model minus its base"
NEEDS = ("pairs", "properties")
PANELS_ACROSS = 6


def select(tables: StudyTables) -> pd.DataFrame:
    """Return every pair and the mean of the pairs of the first set of models."""
    return selected_pairs(brain(tables.pairs), tables.properties, tables.settings["over"])


def selected_pairs(pairs: pd.DataFrame, properties: pd.DataFrame, over: Mapping[str, Any]) -> pd.DataFrame:
    """Return the pairs and the mean of the first set of pairs, without the average of a single data set.

    `family` is that of the tuned model; `in_mean` is 1 for the pairs of the set.

    Parameters
    ----------
    over : which models are in the first set, see `correlation.observations.members`.
    """
    own = pairs[pairs["dataset"] != AVERAGE].groupby(["encoder", "readout"])["dataset"].nunique()
    methods = pd.MultiIndex.from_frame(pairs[["encoder", "readout"]])
    several = own.reindex(methods).fillna(0).to_numpy() > 1
    kept = pairs[(pairs["dataset"] != AVERAGE) | several]
    summary = kept["row"] == SUMMARY
    found = pd.concat([kept[~summary], first_set(kept[summary])]).sort_index()
    family = found["tuned"].map(properties.set_index("model")["family"]).astype(object).fillna("")
    among = members({name: value for name, value in over.items() if name != "name"}, properties)
    return found.assign(family=family, in_mean=found["tuned"].isin(list(among)).astype(int))


def draw(table: pd.DataFrame) -> Figure:
    """Return a panel for each data set and readout and for their average; a row for each pair, the mean last."""
    if table.empty:
        return style.nothing(TITLE, "This study has no pair of an instruction-tuned model and its base.")
    looks = style.looks(table["encoder"])
    table = table.assign(label=[_label(row) for _, row in table.iterrows()])
    labels = list(dict.fromkeys([*table.loc[table["row"] != SUMMARY, "label"], SUMMARY]))
    panels = in_turn(table, ("readout", "dataset"))
    several = len({readout for readout, _ in panels}) > 1
    parts = [table[(table["readout"] == readout) & (table["dataset"] == dataset)] for readout, dataset in panels]
    titles = [_title(part, readout, dataset, several) for part, (readout, dataset) in zip(parts, panels, strict=True)]
    height = 0.1 + (0.16 + 0.07 * len(looks)) * len(labels)
    label = "Δr, 95 % interval" if table["difference_low"].notna().any() else "Δr"
    rows, start = [], 0
    for count in layout.in_rows(len(panels), PANELS_ACROSS):
        rows.append(layout.Row(titles[start : start + count], height, label))
        start += count
    figure, grid = layout.arrange(
        TITLE + style.simulated_suffix(table["simulated"]),
        rows,
        1.8,
        left=layout.room_for(labels),
        gap=0.3,
        handles=_legend(table, looks),
    )
    places = [(axes, number == 0) for row in grid for number, axes in enumerate(row)]
    for (axes, first), part in zip(places, parts, strict=True):
        _panel(axes, part, labels, looks)
        axes.tick_params(axis="y", labelleft=first)
    return figure


def _panel(axes: Any, part: pd.DataFrame, labels: list[str], looks: dict[str, Look]) -> None:
    place = {label: -number for number, label in enumerate(labels)}
    looks = {encoder: look for encoder, look in looks.items() if (part["encoder"] == encoder).any()}
    step = 0.5 / max(len(looks), 1)
    for number, (encoder, look) in enumerate(looks.items()):
        own = part[(part["encoder"] == encoder) & part["difference"].notna()]
        y = own["label"].map(place) + step * ((len(looks) - 1) / 2 - number)
        summary = (own["row"] == SUMMARY) & own["over_bases_low"].notna()
        axes.hlines(
            y[summary],
            own["over_bases_low"][summary],
            own["over_bases_high"][summary],
            color=look.colour,
            alpha=0.35,
            linewidth=4,
            zorder=1,
        )
        outside = (own["in_mean"] == 0) & (own["row"] != SUMMARY)
        for which, faint in ((~outside, 1.0), (outside, 0.4)):
            line = {"color": look.colour, "marker": look.marker, "alpha": faint}
            style.interval_lines(axes, own[which], y[which], "difference", **line)
    axes.axhline(place[SUMMARY] + 0.5, color="0.4", linewidth=0.6)
    axes.axvline(0, color="0.4", linewidth=0.6, zorder=0)
    axes.set_yticks([place[label] for label in labels], labels)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(-len(labels) + 0.4, 0.6)
    axes.locator_params(axis="x", nbins=4)


def _title(part: pd.DataFrame, readout: str, dataset: str, several: bool) -> str:
    note = f", {readout}" if several else ""
    counts = part[part["row"] == SUMMARY][["pairs", "bases"]].dropna()
    most = counts.max().items() if len(counts) else ()
    size = f"n = {', '.join(number_texts.count(n, str(name).removesuffix('s')) for name, n in most)}" if most else ""
    return f"{dataset_name(dataset)}{note}{style.simulated_suffix(part['simulated'])}\n{size}"


def _label(row: pd.Series) -> str:
    return SUMMARY if row["row"] == SUMMARY else f"{row['tuned']} − {row['base']}"


def _legend(table: pd.DataFrame, looks: dict[str, Look]) -> list[Any]:
    handles: list[Any] = []
    for encoder, look in looks.items():
        rows = table[(table["encoder"] == encoder) & (table["row"] == SUMMARY)]
        rows = rows[rows["dataset"] == AVERAGE] if (rows["dataset"] == AVERAGE).any() else rows
        found = [f"{dataset_name(row['dataset'])}: {wilcoxon(row)}" for _, row in rows.iterrows()]
        handles.append(style.legend_mark("; ".join([encoder, *found]), look, linestyle="-"))
    if ((table["in_mean"] == 0) & (table["row"] != SUMMARY)).any():
        handles.append(style.legend_mark("faint: not in the mean", style.PLAIN, alpha=0.4))
    if table["over_bases_low"].notna().any():
        handles.append(style.legend_line("mean: 95 % interval over bases", alpha=0.4, linewidth=4))
    if table["difference_low"].notna().any():
        handles.append(style.legend_line("95 % interval over stimuli"))
    return handles


def wilcoxon(row: pd.Series) -> str:
    """Return Wilcoxon's p over bases beside the smallest that there can be."""
    if not np.isfinite(row["wilcoxon_p_bases"]):
        return "no Wilcoxon p"
    return (
        f"Wilcoxon over bases {number_texts.probability(row['wilcoxon_p_bases'])}"
        f" (smallest possible {row['wilcoxon_smallest_p_bases']:.3g})"
    )
