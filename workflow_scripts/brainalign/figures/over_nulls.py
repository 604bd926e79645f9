"""What every model's score is worth beyond the nulls, with the alarms.

The control that Aw et al. 2023 lack: what is left of a score when position, length and what neighbours share are
accounted for.
"""

import pandas as pd
from matplotlib.figure import Figure

from brainalign.figures import layout, style
from brainalign.figures.alignment import of_panel, panel_title, panels_of
from brainalign.figures.forest import draw_rows, height_of, legend_of, rows_of
from brainalign.figures.tables import StudyTables, with_properties
from brainalign.row_labels import NULL
from brainalign.study import summary_rows

TITLE = "Brain alignment beyond the nulls"
NEEDS = ("alignment", "properties")
COLUMNS = (
    "dataset simulated encoder readout features features_kind family kind base layer_choice best_null best_null_r "
    "over_null over_null_low over_null_high over_null_p unique_r2 unique_r2_low unique_r2_high alarms samples neuroids"
).split()
MEASURES = {
    "over_null": "r − r of the best null, 95 % interval",
    "unique_r2": "R² beyond all nulls, 95 % interval",
}
PANELS_ACROSS = 4
ALARMS_LISTED = 12


def select(tables: StudyTables) -> pd.DataFrame:
    """Return the chosen-layer scores of everything that stands beside nulls."""
    rows = summary_rows(tables.alignment)
    rows = rows[(rows["features_kind"] != NULL) & rows["over_null"].notna()]
    return with_properties(rows, tables.properties, ["family", "kind", "base"])[COLUMNS]


def draw(table: pd.DataFrame) -> Figure:
    """Return panels for r over the best null and, where it was computed, R² beyond all nulls."""
    if table.empty:
        return style.nothing(TITLE, "No score stands beside a null: the study has no nulls under `features`.")
    rows, looks = rows_of(table), style.looks(table["encoder"])
    places = panels_of(table)
    several = len({readout for _, readout in places}) > 1
    panels: list[tuple[pd.DataFrame, str]] = []
    titles, labels = [], []
    for dataset, readout in places:
        part = of_panel(table, dataset, readout)
        for column, label in MEASURES.items():
            if part[column].notna().any():
                panels.append((part, column))
                titles.append(f"{panel_title(part, dataset, readout * several)}\n{_null_note(part, column)}")
                labels.append(label)
    counts = layout.in_rows(len(panels), PANELS_ACROSS)
    starts = [sum(counts[:number]) for number in range(len(counts))]
    height = height_of(rows, len(looks))
    figure, grid = layout.arrange(
        TITLE + style.simulated_suffix(table["simulated"]),
        [layout.Row(titles[s : s + n], height, labels[s : s + n]) for s, n in zip(starts, counts, strict=True)],
        2.2,
        left=layout.room_for(name for name, _ in rows),
        gap=0.3,
        handles=legend_of(table, looks, "listed below"),
        note=_alarm_note(table),
    )
    every = [(axes, number == 0) for row in grid for number, axes in enumerate(row)]
    for (axes, first), (part, column) in zip(every, panels, strict=True):
        draw_rows(axes, part, rows, looks, column, labelled=first)
    return figure


def _null_note(part: pd.DataFrame, column: str) -> str:
    if column != "over_null":
        known = list(part.loc[part[column].notna(), "encoder"].unique())
        return f"encoder {', '.join(known)}"
    best = part[["encoder", "best_null"]].drop_duplicates().groupby("best_null", sort=False)["encoder"].agg(", ".join)
    said = [f"{null} ({encoders})" if len(best) > 1 else str(null) for null, encoders in best.items()]
    return f"best null: {', '.join(said)}"


def _alarm_note(table: pd.DataFrame) -> str:
    """Return every alarm, with how many scores carry it."""
    counts: dict[str, int] = {}
    for sentences in table["alarms"].fillna(""):
        for sentence in filter(None, sentences.split("; ")):
            counts[sentence] = counts.get(sentence, 0) + 1
    listed = sorted(counts.items(), key=lambda item: -item[1])
    said = [f"! {sentence} ({count} of {len(table)} scores)" for sentence, count in listed[:ALARMS_LISTED]]
    more = len(listed) - ALARMS_LISTED
    return "\n".join([*said, *([f"! and {more} further alarms, see the table"] if more > 0 else [])])
