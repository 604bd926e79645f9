"""Scores of models against a number of each model, with the correlation over models."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter
from matplotlib.transforms import ScaledTranslation

from brainalign import number_texts
from brainalign.figures import layout, style
from brainalign.figures.labels import place_labels
from brainalign.figures.style import Look
from brainalign.figures.tables import dataset_name, in_turn, method_name, scores_of_models, with_properties
from brainalign.row_labels import TUNED, UNTRAINED

_LABELS = "property dataset simulated encoder readout layer_choice row".split()
_POINT = "features family kind base value r r_low r_high in_r".split()
STATISTICS = "over n pearson_r pearson_p fisher_low fisher_high permutation_p spearman_rho reason".split()
COLUMNS = [*_LABELS, *_POINT, *STATISTICS]
POINT, CORRELATION = "model", "correlation"
FILLS = {"vanilla": "full", TUNED: "top", UNTRAINED: "none"}
DODGE = {UNTRAINED: -4.5, TUNED: 4.5}  # points
PANELS_ACROSS = 5
PANEL = (2.2, 1.9)  # inches


def select_points(
    alignment: pd.DataFrame,
    averages: pd.DataFrame,
    properties: pd.DataFrame,
    correlations: pd.DataFrame,
    columns: Mapping[str, str],
) -> pd.DataFrame:
    """Return a row for each property, method, data set and model that has both numbers, and for each correlation.

    `row` is "model", with the model's `value` of the property and its r, or "correlation", with the statistics over a
    set of models (`over`). `in_r` is 1 for the models of the first set that is correlated, 0 for others, and empty
    where nothing is.

    Parameters
    ----------
    averages : the table of averages over data sets.
    columns : property → its column in the table of properties, which becomes `value`.
    """
    parts = []
    for name, column in columns.items():
        found = correlations[correlations["property"] == name]
        wanted = ["family", "kind", "base", column]
        single = scores_of_models(alignment, properties, wanted)
        points = pd.concat([single, with_properties(averages, properties, wanted)], ignore_index=True)
        points = points.rename(columns={column: "value"}).dropna(subset=["value", "r"])
        points = points.assign(property=name, row=POINT, in_r=_in_r(points, found))
        several = found["dataset"].isin(points["dataset"].unique())
        parts += [points.reindex(columns=COLUMNS), found[several].assign(row=CORRELATION).reindex(columns=COLUMNS)]
    filled = [part.astype(object) for part in parts if len(part)]
    table = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=COLUMNS)
    return table.infer_objects()


def draw_points(
    table: pd.DataFrame, title: str, labels: Mapping[str, str], logarithmic: bool, y: str = "Pearson r, held out"
) -> Figure:
    """Return panels for each property and method: the average over data sets first, then each data set.

    Parameters
    ----------
    labels : property → label of its axis.
    """
    points = table[table["row"] == POINT]
    looks = style.looks(points["family"])
    places = in_turn(points, ("property", "encoder", "readout", "dataset"))
    shown = [of_place(table, *place) for place in places]
    headings = [f"{place[0]}: " * (len(labels) > 1) + method_name(*place[1:3]) for place in places]
    rows, order = [], []
    for own in layout.by_group(headings, PANELS_ACROSS):
        titles = [
            f"{headings[number]}\n" * (headings[number] != headings[own[0]])
            + panel_title(shown[number], places[number][3])
            for number in own
        ]
        rows.append(layout.Row(titles, PANEL[1], [labels[places[number][0]] for number in own], headings[own[0]]))
        order += own
    figure, grid = layout.arrange(
        title + style.simulated_suffix(points["simulated"]), rows, PANEL[0], handles=legend_of(table, looks)
    )
    for axes, part in zip([axes for row in grid for axes in row], [shown[number] for number in order], strict=True):
        draw_panel(axes, part[part["row"] == POINT], looks, logarithmic)
    for row in grid:
        row[0].set_ylabel(y)
    return figure


def of_place(table: pd.DataFrame, name: str, encoder: str, readout: str, dataset: str) -> pd.DataFrame:
    """Return the rows of one panel."""
    place = {"property": name, "encoder": encoder, "readout": readout, "dataset": dataset}
    kept = pd.Series(True, index=table.index)
    for column, value in place.items():
        kept &= table[column] == value
    return table[kept]


def panel_title(part: pd.DataFrame, dataset: str) -> str:
    """Return the data set and one line for each set of models that is correlated."""
    name = f"{dataset_name(dataset)}{style.simulated_suffix(part['simulated'])}"
    return "\n".join([name, *statistics(part[part["row"] == CORRELATION])])


def statistics(rows: pd.DataFrame) -> list[str]:
    """Return the correlation over the first set of models, or why there is none, and r and n of the others."""
    if rows.empty:
        return ["no correlation was asked for"]
    first, *others = [row for _, row in rows.iterrows()]
    if pd.isna(first["pearson_r"]):
        lines = [f"no r: {first['reason']}"]
    else:
        found = number_texts.with_interval(first["pearson_r"], first["fisher_low"], first["fisher_high"], 2, unknown="")
        lines = [f"r = {found}, {number_texts.probability(first['pearson_p'], unknown='no p')}, n = {int(first['n'])}"]
    said = [
        f"{row['over']} {number_texts.number(row['pearson_r'], 2)} (n = {int(row['n'])})"
        for row in others
        if pd.notna(row["pearson_r"])
    ]
    return [*lines, *([f"r of {', '.join(said)}"] if said else [])]


def draw_panel(
    axes: Any, points: pd.DataFrame, looks: Mapping[str, Look], logarithmic: bool, also: Sequence[float] = ()
) -> None:
    """Draw the models; on a logarithmic axis kinds of one size are moved sideways by a few points.

    `also` are further values of the property that are to lie on the axis.
    """
    axes.axhline(0, color="0.6", linewidth=0.6, zorder=0)
    if logarithmic:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(FixedLocator(_ticks(points["value"].astype(float))))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: counted(value)))
        axes.xaxis.set_minor_formatter(NullFormatter())
    points = points.assign(in_r=points["in_r"].astype(float).fillna(1))
    for names, part in points.groupby(["family", "kind", "in_r"], sort=False):
        family, kind, in_r = str(names[0]), str(names[1]), bool(names[2])
        look, value = looks[family], part["value"].astype(float)
        faint = 1.0 if in_r or kind == UNTRAINED else 0.4
        aside = DODGE.get(kind, 0.0) / 72 if logarithmic else 0.0
        place = axes.transData + ScaledTranslation(aside, 0, axes.figure.dpi_scale_trans)
        known = part["r_low"].notna()
        lines = axes.vlines(
            value[known], part["r_low"][known], part["r_high"][known],
            color=look.colour, linewidth=0.8, zorder=2, alpha=faint,
        )  # fmt: skip
        lines.set_transform(place)
        axes.update_datalim(pd.DataFrame({"x": value, "y": part["r"]}).to_numpy(float))
        for bound in ("r_low", "r_high"):
            axes.update_datalim(pd.DataFrame({"x": value, "y": part[bound]})[known].to_numpy(float))
        axes.plot(
            value, part["r"].astype(float), linestyle="none", marker=look.marker, color=look.colour,
            fillstyle=FILLS.get(kind, "full"), markerfacecoloralt="white", markersize=5, zorder=3, transform=place,
            alpha=faint,
        )  # fmt: skip
    axes.margins(y=0.1)
    axes.set_xlim(*_limits([*points["value"].astype(float), *also], logarithmic))
    if len(points):
        trained = points["kind"] != UNTRAINED
        moved = points["kind"].map(DODGE).fillna(0.0) if logarithmic else 0.0
        renamed = points.rename(columns={"value": "x", "r": "y", "r_low": "y_low", "r_high": "y_high"})
        renamed = renamed.assign(name=points["features"].where(trained, ""), aside=moved)
        place_labels(axes, renamed.sort_values("in_r", ascending=False, kind="stable"))


def legend_of(table: pd.DataFrame, looks: Mapping[str, Look]) -> list[Any]:
    """Return the entries for families, kinds of models and intervals."""
    points, found = table[table["row"] == POINT], table[table["row"] == CORRELATION]
    handles: list[Any] = [style.legend_mark(f"family {family}", look) for family, look in looks.items()]
    for kind in (kind for kind in FILLS if (points["kind"] == kind).any()):
        said = "untrained twin (not in r)" if kind == UNTRAINED else kind
        handles.append(style.legend_mark(said, style.PLAIN, fillstyle=FILLS[kind], markerfacecoloralt="white"))
    outside = (points["in_r"] == 0) & (points["kind"] != UNTRAINED)
    if outside.any() and len(found):
        first = found["over"].iloc[0]
        said = f"faint: not of the first r, over {first}" if found["over"].nunique() > 1 else "faint: not in r"
        handles.append(style.legend_mark(said, style.PLAIN, alpha=0.4))
    if points["r_low"].notna().any():
        handles.append(style.legend_line("lines: 95 % interval over stimuli", linewidth=0.8))
    if len(found):
        handles.append(style.legend_line("[ ]: 95 % interval over models (Fisher)", linestyle="none"))
    return handles


def _in_r(points: pd.DataFrame, found: pd.DataFrame) -> pd.Series:
    """Tell which points are among the models of the first set of their correlation."""
    place = ["encoder", "readout", "dataset"]
    first = found.drop_duplicates(place)
    members = {tuple(row[:3]): set(str(row[3]).split()) for row in first[[*place, "models"]].values}
    rows = [(tuple(row[:3]), row[3]) for row in points[[*place, "features"]].values]
    found_in = [float(name in members[where]) if where in members else math.nan for where, name in rows]
    return pd.Series(found_in, index=points.index, dtype=float)


def counted(value: float) -> str:
    """Return a large number with a unit: 20, 10k, 340M, 7B."""
    for size, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def _limits(values: Sequence[float], logarithmic: bool) -> tuple[float, float]:
    """Return the ends of an axis that holds the values, with room beside them, also where they are all one."""
    low, high = min(values), max(values)
    if logarithmic:
        factor = max((high / low) ** 0.12, 1.5 if high > low else 3.0)
        return low / factor, high * factor
    margin = 0.12 * (high - low) or 0.1 * abs(high) or 1.0
    return low - margin, high + margin


def _ticks(values: pd.Series) -> list[float]:
    """Return ticks of a logarithmic axis: powers of ten and, on a short one, multiples of them."""
    low, high = np.log10(values.min()), np.log10(values.max())
    steps = (1.0,) if high - low > 2.5 else (1.0, 3.0) if high - low > 1.2 else (1.0, 2.0, 5.0)
    return [step * 10.0**power for power in range(int(low) - 1, int(high) + 2) for step in steps]
