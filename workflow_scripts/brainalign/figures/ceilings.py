"""How the noise ceilings of neuroids are distributed, and the ceiling of the data set with its interval.

Aw et al. 2023 give one ceiling per data set (Table 6).
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from brainalign.ceilings.ceiling import in_units_of_r
from brainalign.figures import layout, style
from brainalign.figures.style import Look
from brainalign.figures.tables import StudyTables
from brainalign.responses.unit_names import ALL
from brainalign.storage import read_arrays, read_attributes

TITLE = "Noise ceilings of neuroids"
NEEDS = ("ceilings",)
AGGREGATE, NEUROID = "aggregate", "neuroid"
COLUMNS = "dataset simulated encoder ceiling_kind row neuroid_id ceiling low high null_high".split()
PANELS_ACROSS = 4
_IN_UNITS = (
    "ceiling_aggregate ceiling_low ceiling_high ceiling_null_high ceiling_per_neuroid ceiling_per_neuroid_low"
).split()


def select(tables: StudyTables) -> pd.DataFrame:
    """Return a row for each kind's ceiling of the data set over all subjects and regions, and for each neuroid's."""
    parts = [pd.DataFrame(columns=COLUMNS)]
    for (encoder, dataset), path in tables.files["ceilings"].items():
        names: dict[str, Any] = {
            "dataset": dataset,
            "encoder": encoder,
            "simulated": int(read_attributes(path).get("simulated", 0)),
        }
        parts += [part.assign(**names).reindex(columns=COLUMNS) for part in _of_file(read_arrays(path))]
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else parts[0]


def _of_file(arrays: dict[str, np.ndarray]) -> list[pd.DataFrame]:
    subject = list(map(str, arrays["score_subject"])).index(ALL)
    region = list(map(str, arrays["score_region"])).index(ALL)
    units = arrays["ceiling_units"].astype(str).tolist()
    arrays |= {name: in_units_of_r(arrays[name], units) for name in _IN_UNITS if name in arrays}
    parts = []
    for index, kind in enumerate(map(str, arrays["ceiling_kind"])):
        of = {
            "ceiling": "ceiling_aggregate", "low": "ceiling_low", "high": "ceiling_high",
            "null_high": "ceiling_null_high",
        }  # fmt: skip
        whole = {name: [float(arrays[column][index, subject, region])] for name, column in of.items()}
        parts.append(pd.DataFrame(whole).assign(ceiling_kind=kind, row=AGGREGATE, neuroid_id=""))
        per_neuroid = arrays.get("ceiling_per_neuroid")
        if per_neuroid is not None and np.isfinite(per_neuroid[index]).any():
            own = {"ceiling": per_neuroid[index], "low": arrays["ceiling_per_neuroid_low"][index]}
            names = arrays.get("neuroid", np.arange(per_neuroid.shape[1]))
            own = {name: np.round(values.astype(float), 5) for name, values in own.items()}
            parts.append(pd.DataFrame(own).assign(ceiling_kind=kind, row=NEUROID, neuroid_id=[str(n) for n in names]))
    return parts


def draw(table: pd.DataFrame) -> Figure:
    """Return a panel for each data set: the share of neuroids with at most a ceiling; below it the data set's."""
    if table["ceiling"].isna().all():
        return style.nothing(TITLE, "No noise ceiling was estimated: the data sets ask for none under `ceilings`.")
    table = table.assign(name=table["ceiling_kind"] + ", " + table["encoder"])
    looks = style.looks(table.sort_values(["ceiling_kind", "encoder"], kind="stable")["name"])
    panels = sorted({str(name) for name in table["dataset"]})
    parts = [table[table["dataset"] == name] for name in panels]
    titles = [
        f"{name}{style.simulated_suffix(part['simulated'])}\n{_count(part)}"
        for name, part in zip(panels, parts, strict=True)
    ]
    rows, start = [], 0
    for count in layout.in_rows(len(panels), PANELS_ACROSS):
        rows.append(layout.Row(titles[start : start + count], 2.0 + 0.16 * len(looks), "ceiling, Pearson r"))
        start += count
    handles = [style.legend_mark(name, look, linestyle=look.dash) for name, look in looks.items()]
    handles.append(style.legend_line("below: ceiling of the data set, 95 % interval"))
    if table["null_high"].notna().any():
        handles.append(style.legend_mark("highest that noise alone gave", Look(style.GREY, "|", "-"), markersize=8))
    figure, grid = layout.arrange(
        TITLE + style.simulated_suffix(table["simulated"]), rows, 2.7, left=0.7, handles=handles
    )
    for axes, part in zip([axes for row in grid for axes in row], parts, strict=True):
        _panel(axes, part, looks)
    for row in grid:
        row[0].set_ylabel("share of neuroids at or below")
    return figure


def _count(part: pd.DataFrame) -> str:
    own = part[part["row"] == NEUROID]
    if own.empty:
        return "ceilings of the data set alone"
    each = own.groupby("name")["ceiling"].agg(["size", "count"])
    known, every = int(each["count"].min()), int(each["size"].max())
    fewest = "" if each["count"].nunique() == 1 else "at least "
    return f"n = {every} neuroids" if known == every else f"n = {fewest}{known} of {every} neuroids have a ceiling"


def _panel(axes: Any, part: pd.DataFrame, looks: dict[str, Look]) -> None:
    axes.axhline(0, color="0.4", linewidth=0.6)
    for number, (name, look) in enumerate(looks.items()):
        own = part[part["name"] == name]
        values = np.sort(own.loc[own["row"] == NEUROID, "ceiling"].dropna().to_numpy(float))
        if len(values):
            share = np.arange(1, len(values) + 1) / len(values)
            marks = np.unique(np.linspace(0, len(values) - 1, 6).astype(int))
            axes.plot(
                values, share, drawstyle="steps-post", color=look.colour, linestyle=look.dash, linewidth=1.2,
                marker=look.marker, markevery=list(marks), markersize=3.5,
            )  # fmt: skip
        whole = own[own["row"] == AGGREGATE].rename(columns={"ceiling": "r", "low": "r_low", "high": "r_high"})
        y = pd.Series(-0.07 * (number + 1), index=whole.index)
        style.interval_lines(axes, whole, y, color=look.colour, marker=look.marker)
        axes.plot(whole["null_high"], y, linestyle="none", marker="|", markersize=8, color=look.colour)
    axes.set_ylim(-0.07 * (len(looks) + 1), 1.02)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
    axes.locator_params(axis="x", nbins=6)
