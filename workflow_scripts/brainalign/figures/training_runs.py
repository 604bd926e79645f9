"""Scores along training and tuning runs: figures 1D, 1E and 8A to 8C of Aw et al. 2023.

A run is a list of models with the place of each along the run, declared in the config as `runs`; runs that begin at one
model, such as one with and one without instructions, are the paper's ablation.
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from brainalign.figures import layout, style
from brainalign.figures.style import Look
from brainalign.figures.tables import SIZES, StudyTables, dataset_name, in_turn, loss_in_words, method_name
from brainalign.row_labels import MODEL
from brainalign.study import summary_rows

TITLE = "Brain alignment along training"
NEEDS = ("alignment", "properties", "averages")
SCORE = "r"
COLUMNS = "run unit position features measure dataset simulated encoder readout layer_choice value low high".split()
PANELS_ACROSS = 4
_LABELS = ("model", "family", "kind", "base")


def select(tables: StudyTables) -> pd.DataFrame:
    """Return each model of each run with its scores, averages, losses and given properties."""
    runs = tables.settings.get("runs", {})
    places = [
        {"run": name, "unit": run["unit"], "features": model, "position": float(place)}
        for name, run in runs.items()
        for model, place in sorted(run["models"].items(), key=lambda item: (item[1], item[0]))
    ]
    scores = summary_rows(tables.alignment)
    scores = scores[scores["features_kind"] == MODEL]
    parts = [scores] if not runs else [tables.averages, scores]
    names = {"r": "value", "r_low": "low", "r_high": "high"}
    found = [part.rename(columns=names).assign(measure=SCORE) for part in parts if len(part)]
    known = [name for name in tables.properties.columns if name not in (*_LABELS, *SIZES)]
    known = [name for name in known if pd.api.types.is_numeric_dtype(tables.properties[name])]
    numbers = tables.properties[["model", *known]].rename(columns={"model": "features"})
    measured = numbers.melt("features", var_name="measure", value_name="value").dropna(subset=["value"])
    every = pd.concat([part.astype(object) for part in [*found, measured] if len(part)], ignore_index=True)
    table = pd.DataFrame(places, columns=["run", "unit", "features", "position"]).merge(every, on="features")
    for name in ("encoder", "readout", "dataset", "layer_choice"):
        table[name] = table.get(name, pd.Series(dtype=object)).astype(object).fillna("")
    return table.reindex(columns=COLUMNS).infer_objects()


def draw(table: pd.DataFrame) -> Figure:
    """Return a panel for each method and data set, the average first, then one for each loss and given number."""
    scores = table[table["measure"] == SCORE]
    if scores.empty:
        return style.nothing(TITLE, "No run is declared: name the models along a training under `runs` in the config.")
    looks = style.looks(table["run"])
    rows: list[layout.Row] = []
    shown: list[pd.DataFrame] = []
    for encoder, readout in dict.fromkeys(place[:2] for place in in_turn(scores)):
        own = scores[(scores["encoder"] == encoder) & (scores["readout"] == readout)]
        parts = [(name, own[own["dataset"] == name]) for _, _, name in in_turn(own)]
        titles = [
            f"{dataset_name(name)}{style.simulated_suffix(part['simulated'])}\n{_count(part)}" for name, part in parts
        ]
        _add(rows, titles, _unit(table), method_name(encoder, readout))
        shown += [part for _, part in parts]
    others = table[table["measure"] != SCORE]
    changing = [name for name in others["measure"].unique() if _changes(others[others["measure"] == name])]
    if changing:
        parts = [(name, others[others["measure"] == name]) for name in changing]
        _add(rows, [f"{_in_words(name)}\n{_count(part)}" for name, part in parts], _unit(table), "other measures")
        shown += [part for _, part in parts]
    handles = [style.legend_mark(f"run {name}", look, linestyle=look.dash) for name, look in looks.items()]
    if scores["low"].notna().any():
        handles.append(style.legend_line("vertical lines: 95 % interval over stimuli"))
    figure, grid = layout.arrange(TITLE + style.simulated_suffix(scores["simulated"]), rows, 2.2, handles=handles)
    for axes, part in zip([axes for row in grid for axes in row], shown, strict=True):
        _panel(axes, part, looks)
    for row, first in zip(grid, [shown[sum(map(len, grid[:number]))] for number in range(len(grid))], strict=True):
        row[0].set_ylabel("Pearson r, held out" if first["measure"].iloc[0] == SCORE else "")
    return figure


def _add(rows: list[layout.Row], titles: list[str], unit: str, heading: str) -> None:
    for count in layout.in_rows(len(titles), PANELS_ACROSS):
        rows.append(layout.Row([titles.pop(0) for _ in range(count)], 1.8, unit, heading))


def _unit(table: pd.DataFrame) -> str:
    return ", ".join(dict.fromkeys(table["unit"]))


def _in_words(measure: str) -> str:
    if "_nats_per_" not in measure:
        return measure
    kind, loss, unit = loss_in_words(measure)
    return f"{loss}{', spans' if kind == 'loss of spans' else ''} ({unit})"


def _count(part: pd.DataFrame) -> str:
    return f"n = {part['features'].nunique()} models, {part['run'].nunique()} runs, one training each"


def _changes(part: pd.DataFrame) -> bool:
    """Tell whether a number is known of at least two models of a run."""
    numbers = pd.to_numeric(part["value"], errors="coerce")
    return bool((numbers.notna().groupby(part["run"]).sum() > 1).any())


def _panel(axes: Any, part: pd.DataFrame, looks: dict[str, Look]) -> None:
    for run, own in part.groupby("run", sort=False):
        look, own = looks[str(run)], own.sort_values("position")
        x, y = own["position"].to_numpy(float), own["value"].to_numpy(float)
        low, high = own["low"].to_numpy(float), own["high"].to_numpy(float)
        known = np.isfinite(low) & np.isfinite(high)
        axes.vlines(x[known], low[known], high[known], color=look.colour, linewidth=0.8)
        axes.plot(x, y, color=look.colour, linestyle=look.dash, marker=look.marker, markersize=4.5, linewidth=1.1)
    axes.margins(x=0.08)
