"""Behavioural alignment: figures 3A to 3E and 9 of Aw et al. 2023, for studies with scores of reading times.

Such scores are data sets of the encoder "behavior": tuned models against their bases, then the score over every
property that is correlated; over losses within each family, as losses of different families do not compare.
"""

import pandas as pd
from matplotlib.figure import Figure

from brainalign.correlation.pairs import PAIR
from brainalign.figures import layout, style
from brainalign.figures.scatter import COLUMNS as POINT_COLUMNS
from brainalign.figures.scatter import CORRELATION, POINT, draw_panel, legend_of, panel_title, select_points
from brainalign.figures.tables import StudyTables, loss_columns
from brainalign.figures.tuned_against_base import COLUMNS as PAIR_COLUMNS
from brainalign.figures.tuned_against_base import draw_pairs, pairs_title, pairs_with_families
from brainalign.row_labels import BEHAVIOR

TITLE = "Behavioural alignment: scores of reading times"
NEEDS = ("alignment", "properties", "correlations", "controlled_correlations", "pairs")
COLUMNS = list(dict.fromkeys(["panel", *PAIR_COLUMNS, *POINT_COLUMNS]))
WITHIN = "within family"
PANELS_ACROSS = 4
PANEL = 2.25  # inches


def select(tables: StudyTables) -> pd.DataFrame:
    """Return pairs, points and correlations of the encoder "behavior"; `panel` says where a row is shown."""
    pairs = tables.pairs[tables.pairs["encoder"] == BEHAVIOR]
    found = pairs_with_families(pairs, tables.properties, tables.settings["over"]).assign(panel="tuned against base")
    correlated = tables.correlations[tables.correlations["encoder"] == BEHAVIOR]
    columns = {name: name for name in correlated["property"].unique() if name in tables.properties.columns}
    columns |= {name: "parameters" for name in columns if name == "log10_parameters"} | {
        name: column for name, column in loss_columns(tables.properties).items() if name in set(correlated["property"])
    }
    alignment = tables.behavior_alignment
    points = select_points(alignment, alignment.iloc[:0], tables.properties, correlated, columns)
    points = points.assign(panel=points["property"])
    parts = [found, points, *_within_families(points, tables)]
    filled = [part.reindex(columns=COLUMNS).astype(object) for part in parts if len(part)]
    table = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=COLUMNS)
    return table.infer_objects()


def draw(table: pd.DataFrame) -> Figure:
    """Return a panel for pairs and one for each property, and for losses one within each family."""
    if table.empty:
        return style.nothing(TITLE, "This study has no scores of reading times: no data set of the encoder `behavior`.")
    panels = list(dict.fromkeys((str(d), str(p)) for d, p in table[["dataset", "panel"]].values))
    parts = [table[(table["dataset"] == dataset) & (table["panel"] == panel)] for dataset, panel in panels]
    titles, labels = [], []
    for (dataset, panel), part in zip(panels, parts, strict=True):
        of_pairs = (part["row"] == PAIR).any()
        title = pairs_title(part, dataset) if of_pairs else panel_title(part, dataset)
        titles.append(title)
        labels.append("r of the base" if of_pairs else panel.replace("log10_parameters", "parameters"))
    counts = layout.in_rows(len(panels), PANELS_ACROSS)
    starts = [sum(counts[:number]) for number in range(len(counts))]
    points = table[table["row"] == POINT]
    looks = style.looks(table.loc[table["family"].fillna("") != "", "family"])
    figure, grid = layout.arrange(
        TITLE + style.simulated_suffix(table["simulated"]),
        [layout.Row(titles[s : s + n], PANEL, labels[s : s + n]) for s, n in zip(starts, counts, strict=True)],
        PANEL,
        handles=legend_of(table[table["row"].isin([POINT, CORRELATION])], looks) if len(points) else [],
    )
    for axes, (_, panel), part in zip([axes for row in grid for axes in row], panels, parts, strict=True):
        if (part["row"] == PAIR).any():
            draw_pairs(axes, part[part["row"] == PAIR], looks)
        else:
            draw_panel(axes, part[part["row"] == POINT], looks, logarithmic=panel == "log10_parameters")
    for row, start in zip(grid, starts, strict=True):
        row[0].set_ylabel("r of the tuned model" if (parts[start]["row"] == PAIR).any() else "r")
    return figure


def _within_families(points: pd.DataFrame, tables: StudyTables) -> list[pd.DataFrame]:
    """Return the points of losses once more, family by family, with the correlations within the families."""
    held = tables.controlled
    held = held[(held["encoder"] == BEHAVIOR) & (held["analysis"] == WITHIN)]
    losses = [name for name in points["property"].unique() if "loss" in name]
    renamed = {"estimate": "pearson_r", "p": "pearson_p", "low": "fisher_low", "high": "fisher_high"}
    parts = []
    for name in losses:
        for family, own in points[(points["property"] == name) & (points["row"] == POINT)].groupby("family"):
            panel = f"{name}, {WITHIN} {family}"
            found = held[(held["property"] == name) & (held["family"] == family)].rename(columns=renamed)
            found = (
                found[found["dataset"].isin(own["dataset"])]
                .drop_duplicates(["dataset", "n"])
                .assign(row=CORRELATION, property=panel, family="")
            )
            parts += [own.assign(panel=panel, property=panel), found.assign(panel=panel)]
    return parts
