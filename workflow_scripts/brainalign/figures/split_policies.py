"""The same models under shuffled and under grouped splits, beside the nulls and the ceilings.

The control that Aw et al. 2023 lack, whose splits are shuffled: there a model that knows nothing of the text, only what
neighbours share (the autocorrelation null), can score as high as a language model.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from brainalign.figures import layout, style
from brainalign.figures.alignment import of_panel, panel_title, panels_of
from brainalign.figures.style import Look
from brainalign.figures.tables import StudyTables, with_properties
from brainalign.row_labels import GIVEN, JOINT, MODEL, NULL, UNTRAINED
from brainalign.study import summary_rows

TITLE = "The same models under different splits"
NEEDS = ("alignment", "properties")
COLUMNS = (
    "dataset simulated encoder split readout features features_kind family kind base layer_choice r r_low r_high "
    "ceiling_kind ceiling ceiling_low ceiling_high alarms folds samples neuroids"
).split()
SHUFFLED = ("shuffle", "kfold")  # splits that put neighbours on both sides
PANELS_ACROSS = 3


def select(tables: StudyTables) -> pd.DataFrame:
    """Return the chosen-layer scores of models and nulls under every encoder, with its split."""
    splits = tables.settings.get("splits", {})
    rows = summary_rows(tables.alignment)
    rows = with_properties(rows[rows["encoder"].isin(list(splits))], tables.properties, ["family", "kind", "base"])
    table = rows.assign(split=rows["encoder"].map(splits).astype(object))
    shuffled = table["split"].str.split(r"[ ,]").str[0].isin(SHUFFLED)
    return pd.concat([table[shuffled], table[~shuffled]])[COLUMNS]


def draw(table: pd.DataFrame) -> Figure:
    """Return a panel for each data set and readout: encoders along x, a line for each model and null."""
    encoders = list(table["encoder"].unique())
    if len(encoders) < 2:
        return style.nothing(
            TITLE, "There are no two encoders to compare; give one with shuffled and one with grouped splits."
        )
    models, nulls = table[table["features_kind"] != NULL], table[table["features_kind"] == NULL]
    trained = style.looks(models.loc[models["kind"] != UNTRAINED, "family"])
    looks = trained | _of_nulls(list(nulls["features"].unique()))
    panels = panels_of(table)
    several = len({readout for _, readout in panels}) > 1
    parts = [of_panel(table, *panel) for panel in panels]
    titles = [panel_title(part, panel[0], panel[1] * several) for part, panel in zip(parts, panels, strict=True)]
    splits = table.drop_duplicates("encoder").set_index("encoder")["split"]
    ticks = [f"{encoder}\n({splits[encoder]})" for encoder in encoders]
    width = max(2.4, 0.5 + sum(layout.room_for([tick]) for tick in ticks))
    rows, start = [], 0
    for count in layout.in_rows(len(panels), PANELS_ACROSS):
        rows.append(layout.Row(titles[start : start + count], 2.8, " "))
        start += count
    figure, grid = layout.arrange(
        TITLE + style.simulated_suffix(table["simulated"]),
        rows,
        width,
        handles=_legend(table, trained, looks),
    )
    for axes, part in zip([axes for row in grid for axes in row], parts, strict=True):
        _panel(axes, part, encoders, looks)
        axes.set_xticks(range(len(encoders)), ticks)
    for row in grid:
        row[0].set_ylabel("Pearson r on held-out rows")
    return figure


def _of_nulls(names: Sequence[str]) -> dict[str, Look]:
    """Return black looks, apart from the colours of the families."""
    markers = style.MARKERS[::-1]
    plain = style.looks(names)
    return {name: Look("black", markers[number % len(markers)], plain[name].dash) for number, name in enumerate(names)}


def _panel(axes: Any, part: pd.DataFrame, encoders: Sequence[str], looks: dict[str, Look]) -> None:
    axes.axhline(0, color="0.6", linewidth=0.6, zorder=0)
    place = {encoder: number for number, encoder in enumerate(encoders)}
    every = list(part["features"].unique())
    for number, features in enumerate(every):
        own = part[part["features"] == features].assign(x=lambda rows: rows["encoder"].map(place)).sort_values("x")
        null, twin = own["features_kind"].iloc[0] == NULL, own["kind"].iloc[0] == UNTRAINED
        look = looks.get(features if null else own["family"].iloc[0], style.PLAIN)
        x = own["x"] + 0.24 * (number / max(len(every) - 1, 1) - 0.5)  # so that intervals stand side by side
        width = 1.6 if null else 0.6
        inside = "white" if twin else look.colour
        dash = look.dash if null else ":" if twin else "-"
        axes.vlines(x, own["r_low"], own["r_high"], color=look.colour, linewidth=width / 2, alpha=0.6, zorder=2)
        axes.plot(
            x, own["r"], color=look.colour, linewidth=width, linestyle=dash, marker=look.marker,
            zorder=4 if null else 3, markersize=6 if null else 3.5, markerfacecolor=inside, markeredgewidth=0.7,
        )  # fmt: skip
    for encoder, x in place.items():
        for _, row in part[(part["encoder"] == encoder) & part["ceiling"].notna()].head(1).iterrows():
            ends = [x - 0.2, x + 0.2]
            axes.plot(ends, [row["ceiling"]] * 2, color="black", linewidth=1.4, zorder=1)
            axes.fill_between(ends, row["ceiling_low"], row["ceiling_high"], color="black", alpha=0.15, linewidth=0)
    axes.set_xlim(-0.5, len(encoders) - 0.5)


def _legend(table: pd.DataFrame, trained: dict[str, Look], looks: dict[str, Look]) -> list[Any]:
    models = table[table["features_kind"] == MODEL]
    handles: list[Any] = []
    for name, look in looks.items():
        if name in trained:
            count = models.loc[(models["family"] == name) & (models["kind"] != UNTRAINED), "features"].nunique()
            others = [kind for kind in (GIVEN, JOINT) if (table["features_kind"] == kind).any()]
            said = f"family {name} ({count} models)" if count else f"{' and '.join(others)} features"
            handles.append(style.legend_mark(said, look, linestyle="-", linewidth=0.6, markersize=3.5))
        else:
            handles.append(style.legend_mark(f"null: {name}", look, linestyle=look.dash, linewidth=1.6, markersize=6))
    if (models["kind"] == UNTRAINED).any():
        handles.append(style.legend_mark("untrained twin", style.PLAIN, linestyle=":", markerfacecolor="white"))
    for kind in table.loc[table["ceiling"].notna(), "ceiling_kind"].unique():
        handles.append(style.legend_line(f"ceiling ({kind}), its 95 % interval shaded", color="black", linewidth=1.4))
    handles.append(style.legend_line("vertical lines: 95 % interval over stimuli", linewidth=0.6))
    return handles
