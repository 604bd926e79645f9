"""Every correlation of alignment with a property, with its interval, alone and with other properties held fixed.

Table 2 of Aw et al. 2023 and the insets of its figure 2, with the partial correlations that the paper lacks.
"""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from brainalign.figures import layout, style
from brainalign.figures.tables import StudyTables, brain, dataset_name, in_turn, method_name, methods
from brainalign.row_labels import AVERAGE

TITLE = "What goes with brain alignment: correlations over models"
NEEDS = ("correlations", "controlled_correlations")
ALONE, PARTIAL = "pearson", "partial"
COLUMNS = (
    "encoder readout dataset simulated layer_choice over analysis property given n bases r low high p corrected_p "
    "reason"
).split()
PANELS_ACROSS = 6


def select(tables: StudyTables) -> pd.DataFrame:
    """Return Pearson's r with every property over every set of models, and the partial correlations."""
    alone = brain(tables.correlations).rename(columns={"pearson_r": "r", "pearson_p": "p"})
    alone = alone.rename(columns={"fisher_low": "low", "fisher_high": "high"}).assign(analysis=ALONE, given="")
    held = brain(tables.controlled)
    held = held[held["analysis"] == PARTIAL].rename(columns={"estimate": "r"})
    parts = [part[COLUMNS].astype(object) for part in (alone, held) if len(part)]
    return pd.concat(parts, ignore_index=True).infer_objects() if parts else alone[COLUMNS]


def draw(table: pd.DataFrame) -> Figure:
    """Return a panel for each data set, a row for each property and set of models, a marker for each method."""
    if table["r"].isna().all():
        reasons = [reason for reason in table["reason"].dropna().unique() if reason]
        said = f": {reasons[0]}" if reasons else "."
        return style.nothing(TITLE, f"There is no correlation over models{said}")
    several = table["over"].nunique() > 1
    table = table.assign(label=[_label(row, several) for _, row in table.iterrows()])
    table = table.assign(method=[method_name(*of) for of in table[["encoder", "readout"]].values])
    table = table[~_repeats_a_single_data_set(table)]
    labels = list(dict.fromkeys(table.sort_values(["analysis", "property"], key=_turn(table), kind="stable")["label"]))
    looks = style.looks(method_name(*of) for of in methods(table))
    datasets = list(dict.fromkeys(dataset for _, _, dataset in in_turn(table)))
    datasets = sorted(datasets, key=lambda name: (name != AVERAGE, name))
    parts = [table[table["dataset"] == dataset] for dataset in datasets]
    titles = [
        dataset_name(name) + style.simulated_suffix(part["simulated"])
        for name, part in zip(datasets, parts, strict=True)
    ]
    rows, start = [], 0
    height = 0.1 + (0.1 + 0.09 * len(looks)) * len(labels)
    for count in layout.in_rows(len(titles), PANELS_ACROSS):
        rows.append(layout.Row(titles[start : start + count], height, "r, 95 % interval"))
        start += count
    figure, grid = layout.arrange(
        TITLE + style.simulated_suffix(table["simulated"]),
        rows,
        1.6,
        left=layout.room_for(labels),
        gap=0.35,
        handles=[style.legend_mark(name, look, linestyle="-") for name, look in looks.items()],
        note="n: models. Models of one family, and those tuned from one base, are not independent; these intervals "
        "(Fisher) take them to be. Hollow, property | others: partial correlation, with the others held fixed.",
    )
    places = [(axes, number == 0) for row in grid for number, axes in enumerate(row)]
    for (axes, first), part in zip(places, parts, strict=True):
        _panel(axes, part, labels, looks, first)
    return figure


def _repeats_a_single_data_set(table: pd.DataFrame) -> pd.Series:
    of_one = table[table["dataset"] != AVERAGE].groupby("method")["dataset"].nunique()
    return (table["dataset"] == AVERAGE) & (table["method"].map(of_one).fillna(0) < 2)


def _turn(table: pd.DataFrame) -> Any:
    order = {name: number for number, name in enumerate(table["property"].unique())}

    def key(column: pd.Series) -> pd.Series:
        return column.map(order) if column.name == "property" else column.map({ALONE: 0, PARTIAL: 1})

    return key


def _label(row: pd.Series, several: bool) -> str:
    given = f" | {', '.join(str(row['given']).split())}" if row["analysis"] == PARTIAL else ""
    over = f" ({row['over']}, n = {row['n']})" if several else f" (n = {row['n']})"
    return f"{row['property']}{given}{over}"


def _panel(axes: Any, part: pd.DataFrame, labels: list[str], looks: dict[str, style.Look], labelled: bool) -> None:
    place = {label: -number for number, label in enumerate(labels)}
    looks = {name: look for name, look in looks.items() if (part["method"] == name).any()}
    step = 0.6 / max(len(looks), 1)
    for height in place.values():
        axes.axhline(height, color="0.92", linewidth=0.5, zorder=0)
    for number, (name, look) in enumerate(looks.items()):
        own = part[(part["method"] == name) & part["r"].notna()].assign(r_low=part["low"], r_high=part["high"])
        y = own["label"].map(place) + step * ((len(looks) - 1) / 2 - number)
        held = own["analysis"] == PARTIAL
        for which, inside in ((~held, look.colour), (held, "white")):
            style.interval_lines(
                axes, own[which], y[which], color=look.colour, marker=look.marker, markerfacecolor=inside
            )
    axes.axvline(0, color="0.4", linewidth=0.6, zorder=1)
    axes.set_xlim(-1.05, 1.05)
    axes.set_ylim(-len(labels) + 0.4, 0.6)
    axes.set_yticks(list(place.values()), list(place))
    axes.tick_params(axis="y", length=0, labelleft=labelled)
