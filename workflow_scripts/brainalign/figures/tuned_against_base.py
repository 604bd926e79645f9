"""Score of each instruction-tuned model over that of its base: figure 1B of Aw et al. 2023, and for each data set."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from brainalign import number_texts
from brainalign.correlation.pairs import PAIR, SUMMARY
from brainalign.figures import layout, style
from brainalign.figures.labels import place_labels
from brainalign.figures.pairs import selected_pairs
from brainalign.figures.style import Look
from brainalign.figures.tables import StudyTables, brain, dataset_name, in_turn, method_name

TITLE = "Brain alignment of instruction-tuned models and of their bases"
NEEDS = ("pairs", "properties")
COLUMNS = (
    "encoder readout dataset simulated layer_choice row over tuned base family in_mean r_tuned r_tuned_low "
    "r_tuned_high r_base r_base_low r_base_high difference difference_low difference_high pairs pairs_higher bases "
    "over_bases_low over_bases_high"
).split()
PANELS_ACROSS = 5
SIDE = 2.1  # inches


def select(tables: StudyTables) -> pd.DataFrame:
    """Return both scores of every pair, and the mean difference."""
    return pairs_with_families(brain(tables.pairs), tables.properties, tables.settings["over"])


def pairs_with_families(pairs: pd.DataFrame, properties: pd.DataFrame, over: Mapping[str, Any]) -> pd.DataFrame:
    """Return pairs that have both scores and their means, see `pairs.selected_pairs`."""
    found = selected_pairs(pairs, properties, over)
    return found[(found["row"] == SUMMARY) | found["difference"].notna()][COLUMNS]


def draw(table: pd.DataFrame) -> Figure:
    """Return a square panel for each method and data set, the average first; above the line, tuning helps."""
    of_pairs = table[table["row"] == PAIR]
    if of_pairs.empty:
        return style.nothing(TITLE, "No instruction-tuned model and its base were both scored.")
    looks = style.looks(of_pairs["family"])
    places = in_turn(of_pairs)
    parts = [part_of(table, *place) for place in places]
    headings = [method_name(*place[:2]) for place in places]
    rows, order = [], []
    for own in layout.by_group(headings, PANELS_ACROSS):
        titles = [
            f"{headings[number]}\n" * (headings[number] != headings[own[0]])
            + pairs_title(parts[number], places[number][2])
            for number in own
        ]
        rows.append(layout.Row(titles, SIDE, "Pearson r of the base", headings[own[0]]))
        order += own
    handles = [style.legend_mark(f"family {family}", look) for family, look in looks.items()]
    if (of_pairs["in_mean"] == 0).any():
        handles.append(style.legend_mark("faint: not in the mean", style.PLAIN, alpha=0.4))
    handles.append(style.legend_line("no difference", linewidth=0.8))
    handles.append(style.legend_line("Δr: mean difference, [ ] its 95 % interval", linestyle="none"))
    if of_pairs["r_tuned_low"].notna().any():
        handles.append(style.legend_line("crosses: 95 % intervals over stimuli", linewidth=0.8))
    figure, grid = layout.arrange(TITLE + style.simulated_suffix(table["simulated"]), rows, SIDE, handles=handles)
    for axes, part in zip([axes for row in grid for axes in row], [parts[number] for number in order], strict=True):
        draw_pairs(axes, part[part["row"] == PAIR], looks)
    for row in grid:
        row[0].set_ylabel("Pearson r of the tuned model")
    return figure


def part_of(table: pd.DataFrame, encoder: str, readout: str, dataset: str) -> pd.DataFrame:
    """Return the rows of one panel."""
    return table[(table["encoder"] == encoder) & (table["readout"] == readout) & (table["dataset"] == dataset)]


def pairs_title(part: pd.DataFrame, dataset: str) -> str:
    """Return the data set, how many pairs there are and how many are higher, and their mean difference."""
    lines = [f"{dataset_name(dataset)}{style.simulated_suffix(part['simulated'])}"]
    for _, row in part[part["row"] == SUMMARY].dropna(subset=["difference"]).iterrows():
        lines.append(f"n = {number_texts.count(row['pairs'], 'pair')}, {int(row['pairs_higher'])} higher when tuned")
        low, high = row["over_bases_low"], row["over_bases_high"]
        over = f", {number_texts.count(row['bases'], 'base')}" if number_texts.is_known(low, high) else ""
        lines.append(f"Δr = {number_texts.with_interval(row['difference'], low, high, unknown='')}{over}")
    return "\n".join(lines)


def draw_pairs(axes: Any, pairs: pd.DataFrame, looks: Mapping[str, Look]) -> None:
    """Draw pairs with crosses of intervals, and the line of no difference."""
    for (family, in_mean), own in pairs.groupby(["family", "in_mean"], sort=False):
        look, faint = looks[str(family)], 1.0 if in_mean else 0.4
        known = own["r_tuned_low"].notna() & own["r_base_low"].notna()
        line = {"color": look.colour, "linewidth": 0.6, "alpha": 0.7 * faint, "zorder": 2}
        axes.vlines(own["r_base"][known], own["r_tuned_low"][known], own["r_tuned_high"][known], **line)
        axes.hlines(own["r_tuned"][known], own["r_base_low"][known], own["r_base_high"][known], **line)
        axes.plot(
            own["r_base"], own["r_tuned"], linestyle="none", marker=look.marker, color=look.colour, markersize=4.5,
            zorder=3, alpha=faint,
        )  # fmt: skip
    numbers = pairs[[f"r_{of}{end}" for of in ("tuned", "base") for end in ("", "_low", "_high")]].to_numpy(float)
    low, high = np.nanmin(numbers), np.nanmax(numbers)
    margin = 0.08 * (high - low) or 0.01
    axes.set_xlim(low - margin, high + margin)
    axes.set_ylim(low - margin, high + margin)
    axes.plot(axes.get_xlim(), axes.get_xlim(), color=style.GREY, linewidth=0.8, zorder=1)
    axes.locator_params(nbins=5)
    renamed = {"r_base": "x", "r_tuned": "y", "tuned": "name"}
    renamed |= {f"r_base_{end}": f"x_{end}" for end in ("low", "high")}
    renamed |= {f"r_tuned_{end}": f"y_{end}" for end in ("low", "high")}
    diagonal = pd.DataFrame({"x": np.linspace(low - margin, high + margin, 40), "name": ""})  # names do not stand on it
    named = pairs.sort_values("in_mean", ascending=False, kind="stable").rename(columns=renamed)[list(renamed.values())]
    place_labels(axes, pd.concat([diagonal.assign(y=diagonal["x"]), named], ignore_index=True))
