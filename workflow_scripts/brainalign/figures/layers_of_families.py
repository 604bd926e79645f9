"""Layer curves of all models of a family in one panel, over relative depth. Not in Aw et al. 2023."""

from typing import Any

import pandas as pd
from matplotlib import colormaps
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from brainalign.figures import layers, layout, style
from brainalign.figures.style import Look
from brainalign.figures.tables import StudyTables, method_name
from brainalign.row_labels import UNTRAINED

TITLE = "Brain alignment over relative depth, family by family"
NEEDS = ("alignment", "properties")
PANELS_ACROSS = 3
BANDS_UP_TO = 4  # curves; more bands hide one another


def select(tables: StudyTables) -> pd.DataFrame:
    """Return every layer's score of trained models, with its relative depth: 0 for the first layer, 1 for the last."""
    table = layers.select(tables)
    table = table[table["kind"] != UNTRAINED]
    parameters = tables.properties.set_index("model")["parameters"]
    deepest = table.groupby(["dataset", "encoder", "readout", "features"])["layer_index"].transform("max")
    depth = (table["layer_index"] / deepest.where(deepest > 0)).astype(float)
    return table.assign(relative_depth=depth, parameters=table["features"].map(parameters))


def draw(table: pd.DataFrame) -> Figure:
    """Return a panel for each method, data set and family; light curves are small models, dark ones large."""
    if table.empty:
        return style.nothing(TITLE, "The layers of no trained model were scored.")
    keys = ["encoder", "readout", "dataset", "family"]
    groups = [(tuple(map(str, names)), part) for names, part in table.groupby(keys, sort=False)]
    widest = max(layout.text_width(name, 6) for name in table["features"].unique())
    width, room = 2.3, 0.15 + widest
    rows, shown = [], []
    for method in dict.fromkeys(names[:2] for names, _ in groups):
        own = [(names, part) for names, part in groups if names[:2] == method]
        titles = [
            f"family {family}, n = {part['features'].nunique()} models\n"
            f"{dataset}{style.simulated_suffix(part['simulated'])}\n{style.sizes(part)}"
            for (_, _, dataset, family), part in own
        ]
        tallest = max(part["features"].nunique() for _, part in own)
        for count in layout.in_rows(len(own), PANELS_ACROSS):
            height = max(1.5, 0.11 * tallest + 0.2)
            rows.append(
                layout.Row([titles.pop(0) for _ in range(count)], height, "relative depth", method_name(*method))
            )
        shown += [part for _, part in own]
    handles = [
        style.legend_mark("layer chosen in a fold", style.PLAIN),
        style.legend_mark("layer never chosen", style.PLAIN, markerfacecolor="white"),
    ]
    if table["r_low"].notna().any():
        said = f"bands: 95 % interval of each layer; with over {BANDS_UP_TO} models, of the largest one"
        handles.append(style.legend_line(said, linewidth=6, alpha=0.2))
    figure, grid = layout.arrange(
        TITLE + style.simulated_suffix(table["simulated"]), rows, width, gap=room + 0.45, right=room, handles=handles
    )
    for axes, part in zip([axes for row in grid for axes in row], shown, strict=True):
        _panel(axes, part)
    for row in grid:
        row[0].set_ylabel("Pearson r")
    return figure


def looks_by_size(part: pd.DataFrame) -> dict[str, Look]:
    """Return a look for each model, light for small ones and dark for large; neighbours differ in marker and dash."""
    sizes = part.drop_duplicates("features")[["features", "parameters"]].sort_values("parameters", kind="stable")
    names = list(sizes["features"])
    shades = [0.85 * (1 - number / max(len(names) - 1, 1)) for number in range(len(names))]
    plain = style.looks(names)
    return {
        name: Look(to_hex(colormaps["cividis"](shade)), plain[name].marker, plain[name].dash)
        for name, shade in zip(names, shades, strict=True)
    }


def _panel(axes: Any, part: pd.DataFrame) -> None:
    axes.axhline(0, color="0.6", linewidth=0.6, zorder=0)
    looks = looks_by_size(part)
    ends = []
    for name, look in looks.items():
        curve = part[part["features"] == name].sort_values("layer_index")
        if len(looks) > BANDS_UP_TO and name != list(looks)[-1]:
            curve = curve.assign(r_low=float("nan"), r_high=float("nan"))
        layers.draw_curve(
            axes, curve.assign(r_band_low=float("nan"), r_band_high=float("nan")), look, False, "relative_depth"
        )
        ends.append((float(curve["r"].iloc[-1]), name, look.colour))
    axes.set_xlim(-0.05, 1.05)
    _name_ends(axes, ends)


def _name_ends(axes: Any, ends: list[tuple[float, str, str]]) -> None:
    """Write the names of curves right of their ends, moved apart where they would overlap."""
    height = axes.get_position().height * axes.figure.get_figheight()  # inches
    low, high = axes.get_ylim()
    apart = 0.105 / height * (high - low)
    places: list[float] = []
    for r, _, _ in sorted(ends):
        places.append(max(r, places[-1] + apart) if places else r)
    over = places[-1] - (high - apart / 2) if places else 0.0
    if over > 0:
        places = [place - over for place in places]
    for y, (r, name, colour) in zip(places, sorted(ends), strict=True):
        axes.plot([1.05, 1.09], [r, y], color=colour, linewidth=0.6, clip_on=False, scalex=False, scaley=False)
        axes.text(1.1, y, name, fontsize=6, color="0.2", va="center", ha="left", clip_on=False)
