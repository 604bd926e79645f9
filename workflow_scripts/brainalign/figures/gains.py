"""Gain of each instruction-tuned model over its base in per cent, per data set: figure 1C of Aw et al. 2023.

Per cent have no interval of their own, as a ratio of two scores has none near 0: every pair is shown, and the mean
difference in r, which has one, stands beside the mean per cent.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from brainalign import number_texts
from brainalign.correlation.pairs import PAIR, SUMMARY
from brainalign.figures import layout, style
from brainalign.figures.pairs import selected_pairs
from brainalign.figures.style import Look
from brainalign.figures.tables import StudyTables, brain, dataset_name, in_turn, method_name, methods
from brainalign.row_labels import AVERAGE

TITLE = "Gain in brain alignment by instruction-tuning, per cent"
NEEDS = ("pairs", "properties")
COLUMNS = (
    "encoder readout dataset simulated layer_choice row over tuned base family in_mean percent_change percent_pairs "
    "percent_mean_over_pairs percent_mean_over_datasets percent_of_mean_r difference over_bases_low over_bases_high "
    "pairs bases wilcoxon_p_bases wilcoxon_smallest_p_bases reason"
).split()
NOTE_WIDTH = 2.5  # inches


def select(tables: StudyTables) -> pd.DataFrame:
    """Return the per cent of every pair and their means."""
    return selected_pairs(brain(tables.pairs), tables.properties, tables.settings["over"])[COLUMNS]


def draw(table: pd.DataFrame) -> Figure:
    """Return a panel for each method; a row for each data set, a point for each pair, a diamond for their mean."""
    if table.loc[table["row"] == PAIR, "percent_change"].isna().all():
        reasons = [reason for reason in table["reason"].dropna().unique() if reason]
        why = f": {reasons[0]}" if reasons else ""
        return style.nothing(TITLE, f"No pair of an instruction-tuned model and its base has a gain in per cent{why}.")
    kept = [of for of in methods(table) if _of(table, *of)["percent_change"].notna().any()]
    parts = [_of(table, *of) for of in kept]
    looks = style.looks(table.loc[table["row"] == PAIR, "family"])
    names = [_rows(part) for part in parts]
    labels = [_label(part, dataset) for part, own in zip(parts, names, strict=True) for dataset in own]
    rows = [
        layout.Row(
            [method_name(*of) + style.simulated_suffix(part["simulated"])],
            0.2 + 0.5 * len(own),
            "gain over the base, per cent of its r",
        )
        for of, part, own in zip(kept, parts, names, strict=True)
    ]
    handles = [style.legend_mark(f"pair of the family {family}", look) for family, look in looks.items()]
    handles.append(style.legend_mark("mean over pairs", Look("black", "D", "-"), markerfacecolor="none", markersize=8))
    if ((table["row"] == PAIR) & (table["in_mean"] == 0)).any():
        handles.append(style.legend_mark("faint: not in the mean", style.PLAIN, alpha=0.35))
    figure, grid = layout.arrange(
        TITLE + style.simulated_suffix(table["simulated"]),
        rows,
        3.2,
        left=layout.room_for(labels),
        right=NOTE_WIDTH,
        handles=handles,
        note="Δr: mean difference in r, in brackets its 95 % interval over bases; p: Wilcoxon's signed ranks over "
        "bases. Pairs whose base is not above 0 beyond its interval have no per cent.",
    )
    for row, part, own in zip(grid, parts, names, strict=True):
        _panel(row[0], part, own, looks)
    return figure


def _of(table: pd.DataFrame, encoder: str, readout: str) -> pd.DataFrame:
    return table[(table["encoder"] == encoder) & (table["readout"] == readout)]


def _rows(part: pd.DataFrame) -> list[str]:
    names = [dataset for _, _, dataset in in_turn(part)]
    return sorted(names, key=lambda name: name == AVERAGE)


def _label(part: pd.DataFrame, dataset: str) -> str:
    own = part[(part["dataset"] == dataset) & (part["row"] == PAIR) & (part["in_mean"] == 1)]
    known = int(own["percent_change"].notna().sum())
    every = number_texts.count(len(own), "pair")
    return f"{dataset_name(dataset)}\nn = {every if known == len(own) else f'{known} of {every}'}"


def _panel(axes: Any, part: pd.DataFrame, datasets: Sequence[str], looks: dict[str, Look]) -> None:
    for number, dataset in enumerate(datasets):
        own = part[part["dataset"] == dataset]
        pairs = own[(own["row"] == PAIR) & own["percent_change"].notna()].sort_values("percent_change", kind="stable")
        aside = np.resize([0.0, 0.14, -0.14, 0.26, -0.26], len(pairs))  # neighbours in per cent stand apart
        for (family, in_mean), members in pairs.assign(y=-number + aside).groupby(["family", "in_mean"], sort=False):
            look = looks[str(family)]
            axes.plot(
                members["percent_change"], members["y"], linestyle="none", marker=look.marker, color=look.colour,
                markersize=4, zorder=2, alpha=1.0 if in_mean else 0.35,
            )  # fmt: skip
        for _, row in own[own["row"] == SUMMARY].iterrows():
            axes.plot(
                row["percent_mean_over_pairs"], -number, marker="D", color="black", markersize=8, zorder=3,
                markerfacecolor="none",
            )  # fmt: skip
            axes.text(
                1.02, -number, _note(row), transform=axes.get_yaxis_transform(), ha="left", va="center", fontsize=7
            )
    axes.axvline(0, color="0.4", linewidth=0.6, zorder=0)
    axes.margins(x=0.06)
    axes.set_ylim(-len(datasets) + 0.5, 0.5)
    axes.set_yticks([-number for number in range(len(datasets))], [_label(part, name) for name in datasets])
    axes.tick_params(axis="y", length=0)


def _note(row: pd.Series) -> str:
    mean = row["percent_mean_over_pairs"]
    percent = f"mean {'+' * (mean > 0)}{number_texts.number(mean, 1)} %" if np.isfinite(mean) else "no mean per cent"
    low, high = row["over_bases_low"], row["over_bases_high"]
    difference = number_texts.with_interval(row["difference"], low, high, unknown="")
    p = number_texts.probability(row["wilcoxon_p_bases"], unknown="no p")
    bases = number_texts.count(row["bases"], "base") if pd.notna(row["bases"]) else ""
    return f"{percent}\nΔr = {difference}\n{p}, {bases}"
