"""How each model's score runs over its layers, with the interval of each layer and the band of the whole curve.

Aw et al. 2023 show the best layer alone.
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from brainalign.figures import layout, style
from brainalign.figures.style import Look
from brainalign.figures.tables import StudyTables, with_properties
from brainalign.responses.unit_names import ALL
from brainalign.row_labels import MODEL, UNTRAINED
from brainalign.scored import CHOSEN

TITLE = "Brain alignment over layers"
NEEDS = ("alignment", "properties")
COLUMNS = (
    "dataset simulated encoder readout features family kind base layer layer_index layer_share layer_choice "
    "r r_low r_high r_band_low r_band_high alarms samples neuroids"
).split()
PANELS_ACROSS = 6


def select(tables: StudyTables) -> pd.DataFrame:
    """Return every layer's score over all subjects and regions of every model."""
    table = tables.alignment
    wanted = (table["subject"] == ALL) & (table["region"] == ALL) & (table["layer"] != CHOSEN)
    rows = table[wanted & (table["features_kind"] == MODEL)]
    return with_properties(rows, tables.properties, ["family", "kind", "base"])[COLUMNS]


def draw(table: pd.DataFrame) -> Figure:
    """Return a panel for each model, data set and readout; several models in a row where there is room."""
    if table.empty:
        return style.nothing(TITLE, "The layers of no model were scored.")
    models = owners(table)
    columns = sorted({(str(d), str(r)) for d, r in table[["dataset", "readout"]].values})
    several = len({readout for _, readout in columns}) > 1
    looks = style.looks(table["encoder"])
    per_row = max(1, PANELS_ACROSS // len(columns))
    rows, shown = [], []
    for start in range(0, len(models), per_row):
        block = [(model, *column) for model in models[start : start + per_row] for column in columns]
        parts = [_part(table, *place) for place in block]
        last = start + per_row >= len(models)
        titles = [
            f"{model}\n{dataset}{', ' + readout if several else ''}{style.simulated_suffix(part['simulated'])}"
            for (model, dataset, readout), part in zip(block, parts, strict=True)
        ]
        rows.append(layout.Row(titles, 1.0, "layer" if last else ""))
        shown += list(zip([place[0] for place in block], parts, strict=True))
    figure, grid = layout.arrange(
        TITLE + style.simulated_suffix(table["simulated"]),
        rows,
        1.75,
        gap=0.4,
        handles=_legend(table, looks),
        note=_note(table, columns),
    )
    limits: dict[tuple[str, str], list[Any]] = {}
    for number, (axes, (model, part)) in enumerate(zip([axes for row in grid for axes in row], shown, strict=True)):
        _panel(axes, part, model, looks)
        limits.setdefault(columns[number % len(columns)], []).append(axes)
    for same in limits.values():
        low, high = (pick(axes.get_ylim()[end] for axes in same) for end, pick in ((0, min), (1, max)))
        for axes in same:
            axes.set_ylim(low, high)
    for row in grid:
        row[0].set_ylabel("Pearson r")
    return figure


def owners(table: pd.DataFrame) -> list[str]:
    """Return the models that have a panel of their own: all but the twins of others."""
    twin = (table["kind"] == UNTRAINED) & table["base"].isin(list(table["features"]))
    return list(table.loc[~twin, "features"].unique())


def _part(table: pd.DataFrame, model: str, dataset: str, readout: str) -> pd.DataFrame:
    own = (table["features"] == model) | ((table["kind"] == UNTRAINED) & (table["base"] == model))
    return table[own & (table["dataset"] == dataset) & (table["readout"] == readout)]


def _note(table: pd.DataFrame, columns: list[tuple[str, str]]) -> str:
    sizes = [f"{dataset}: {style.sizes(table[table['dataset'] == dataset])}" for dataset, _ in columns]
    first = table.loc[table["layer_index"] == 0, "layer"].unique()
    zero = f" Layer 0: {first[0]}." if len(first) == 1 else ""
    return f"{'; '.join(dict.fromkeys(sizes))}.{zero}"


def _panel(axes: Any, part: pd.DataFrame, model: str, looks: dict[str, Look]) -> None:
    axes.axhline(0, color="0.6", linewidth=0.6, zorder=0)
    for encoder, look in looks.items():
        own = part[part["encoder"] == encoder]
        for features in sorted(own["features"].unique(), key=lambda name: name == model):
            draw_curve(axes, own[own["features"] == features].sort_values("layer_index"), look, features != model)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def draw_curve(axes: Any, curve: pd.DataFrame, look: Look, twin: bool, x: str = "layer_index") -> None:
    """Draw one curve, its intervals as a band and, of a model itself, the simultaneous band as thin lines."""
    place, r = curve[x].astype(float).to_numpy(), curve["r"].to_numpy(float)
    chosen = (curve["layer_share"] > 0).to_numpy()
    low, high = curve["r_low"].to_numpy(float), curve["r_high"].to_numpy(float)
    axes.fill_between(place, low, high, color=look.colour, alpha=0.08 if twin else 0.2, linewidth=0)
    if not twin:
        for bound in ("r_band_low", "r_band_high"):
            axes.plot(place, curve[bound].to_numpy(float), color=look.colour, linewidth=0.5, linestyle=(0, (2, 2)))
    width, dash = (0.8, ":") if twin else (1.2, "-")
    axes.plot(place, r, color=look.colour, linewidth=width, linestyle=dash, zorder=2)
    size = 2.5 if twin else 4.0
    for which, inside in ((chosen, look.colour), (~chosen, "white")):
        axes.plot(
            place[which], r[which], linestyle="none", marker=look.marker, color=look.colour, markerfacecolor=inside,
            markersize=size, markeredgewidth=0.8, zorder=3,
        )  # fmt: skip


def _legend(table: pd.DataFrame, looks: dict[str, Look]) -> list[Any]:
    handles: list[Any] = []
    for encoder, look in looks.items():
        choice = ", ".join(table.loc[table["encoder"] == encoder, "layer_choice"].unique())
        handles.append(style.legend_mark(f"{encoder} (layer: {choice})", look, linestyle="-"))
    handles.append(style.legend_mark("layer chosen in a fold", style.PLAIN))
    if (table["layer_share"] == 0).any():
        handles.append(style.legend_mark("layer never chosen", style.PLAIN, markerfacecolor="white"))
    if (table["kind"] == UNTRAINED).any():
        handles.append(style.legend_mark("untrained twin", style.PLAIN, linestyle=":", markersize=3))
    if table["r_low"].notna().any():
        handles.append(Patch(color=style.GREY, alpha=0.25, linewidth=0, label="95 % interval of each layer"))
    if np.isfinite(table["r_band_low"].astype(float)).any():
        said = "symmetric 95 % band of the whole curve"
        handles.append(style.legend_line(said, linewidth=0.7, linestyle=(0, (2, 2))))
    return handles
