"""A row for each model under the heading of its family, its untrained twins just below it, other features below."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from brainalign.figures import style
from brainalign.figures.style import Look
from brainalign.row_labels import GIVEN, JOINT, MODEL, NULL, UNTRAINED

Rows = Sequence[tuple[str, bool]]


def rows_of(table: pd.DataFrame) -> Rows:
    """Return (label, whether it is a heading), top to bottom. Twins lie on the row of the model that they copy."""
    models = table[table["features_kind"] == MODEL]
    own_row = (models["kind"] != UNTRAINED) | ~models["base"].isin(list(models["features"]))
    rows: list[tuple[str, bool]] = []
    for family, members in models[own_row].groupby("family", sort=False):
        rows += [(f"family {family}", True)] + [(name, False) for name in members["features"].unique()]
    for heading, kind in (("given features", GIVEN), ("joint features", JOINT), ("nulls", NULL)):
        found = table.loc[table["features_kind"] == kind, "features"].unique()
        rows += [(heading, True)] * bool(len(found)) + [(name, False) for name in found]
    return rows


def height_of(rows: Rows, looks: int) -> float:
    """Return the height of a panel in inches."""
    return (0.1 + 0.1 * looks) * len(rows) + 0.1


def draw_rows(axes: Any, part: pd.DataFrame, rows: Rows, looks: dict[str, Look], column: str, labelled: bool) -> None:
    """Draw one column with its interval, a marker for each encoder; "!" at the right edge where there is an alarm."""
    place = {name: -number for number, (name, heading) in enumerate(rows) if not heading}
    looks = {encoder: look for encoder, look in looks.items() if (part["encoder"] == encoder).any()}
    step = 0.75 / max(len(looks), 1)
    for level in place.values():
        axes.axhline(level, color="0.92", linewidth=0.5, zorder=0)
    for number, (encoder, look) in enumerate(looks.items()):
        own = part[(part["encoder"] == encoder) & part[column].notna()]
        shift = step * ((len(looks) - 1) / 2 - number)
        twin = (own["kind"] == UNTRAINED) & own["base"].isin(list(place))
        trained, twins = own[~twin], own[twin]
        line = {"color": look.colour, "marker": look.marker}
        y = trained["features"].map(place) + shift
        style.interval_lines(axes, trained, y, column, **line)
        below = twins["base"].map(place) + shift - 0.4 * step
        style.interval_lines(axes, twins, below, column, markerfacecolor="white", markersize=3, linewidth=0.6, **line)
        warned = y[trained["alarms"].fillna("") != ""]
        for height in warned.to_list():
            axes.text(
                1.01, height, style.ALARM, transform=axes.get_yaxis_transform(), fontsize=8, fontweight="bold",
                color=look.colour, ha="left", va="center",
            )  # fmt: skip
    axes.axvline(0, color="0.4", linewidth=0.6, zorder=1)
    axes.set_ylim(-len(rows) + 0.4, 0.6)
    axes.set_yticks([-number for number in range(len(rows))], [name for name, _ in rows])
    for label, (_, heading) in zip(axes.get_yticklabels(), rows, strict=True):
        label.set_fontweight("bold" if heading else "normal")
    axes.tick_params(axis="y", length=0, labelleft=labelled)
    axes.locator_params(axis="x", nbins=5)


def legend_of(table: pd.DataFrame, looks: dict[str, Look], where: str = "see the column `alarms`") -> list[Any]:
    """Return the entries that say what markers are."""
    handles: list[Any] = []
    for encoder, look in looks.items():
        choice = ", ".join(table.loc[table["encoder"] == encoder, "layer_choice"].unique())
        name = encoder if choice == encoder else f"{encoder} (layer: {choice})"
        handles.append(style.legend_mark(name, look, linestyle="-"))
    if (table["kind"] == UNTRAINED).any():
        handles.append(style.legend_mark("untrained twin", style.PLAIN, markerfacecolor="white", markersize=3))
    if (table["alarms"].fillna("") != "").any():
        handles.append(style.legend_line(f"{style.ALARM} at the right: alarm, {where}", linestyle="none"))
    return handles
