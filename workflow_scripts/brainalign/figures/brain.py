"""Where in the brain a model's scores and the ceilings are high: every neuroid on a glass brain, and the cortex.

Not in Aw et al. 2023. Drawn where the neuroids of a data set have coordinates x, y and z whose space is declared as MNI
(millimetres) in the config; the outlines and the surface (fsaverage5) are those that nilearn brings along, so that
nothing is downloaded.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from brainalign.ceilings.ceiling import in_units_of_r
from brainalign.figures import layout, style
from brainalign.figures.tables import StudyTables, method_name
from brainalign.storage import open_arrays, read_arrays, read_attributes

TITLE = "Where scores are high"
NEEDS = ("encodings", "ceilings", "responses")
AXES = ("x", "y", "z")
COLUMNS = (
    "model dataset simulated space encoder readout layer_choice neuroid_id subject region x y z r ceiling_kind ceiling"
).split()
COLOURS = "cividis"
WIDTH, HEIGHT = 3.6, 1.1  # inches, of three views
NEAR = 6.0  # millimetres from a vertex of the cortex, within which neuroids are shown on it
VIEWS = (("left", "lateral"), ("left", "medial"), ("right", "medial"), ("right", "lateral"))
_UNDECLARED = (
    "The neuroids of {names} have coordinates, but not in a declared space: set datasets.{first}.coordinates to MNI if "
    "they are millimetres of MNI space."
)


def select(tables: StudyTables) -> pd.DataFrame:
    """Return each neuroid's place, its r at the chosen layer in the mean over folds, and its ceiling.

    This mean alone is taken here: encodings keep the folds apart, and joined tables have no rows of single neuroids, of
    which there may be a hundred thousand in each cell. It is the mean over folds that the aggregate `mean` takes before
    it goes over neuroids; folds in which r is not defined are left out.

    Rows of a data set without a declared space have no places.
    """
    spaces = tables.settings.get("coordinates", {})
    parts = [pd.DataFrame(columns=COLUMNS)]
    for (encoder, readout, model, dataset), path in tables.files["encodings"].items():
        neuroids = _places(tables.files["responses"][(dataset,)], spaces.get(dataset))
        if neuroids is None:
            continue
        fits = read_arrays(path, ["chosen_r"])["chosen_r"].astype(float)
        names: dict[str, Any] = {"model": model, "dataset": dataset, "encoder": encoder, "readout": readout}
        attributes = read_attributes(path)
        names |= {"simulated": int(attributes.get("simulated", 0)), "space": spaces.get(dataset) or ""}
        names |= {"layer_choice": _layer_choice(attributes)}
        some = np.isfinite(fits).any(axis=0)
        r = np.full(fits.shape[1], math.nan)
        r[some] = np.nanmean(fits[:, some], axis=0)
        kind, ceiling = _ceiling(tables.files["ceilings"].get((encoder, dataset)), len(r))
        measured: dict[str, Any] = {"r": np.round(r, 5), "ceiling_kind": kind, "ceiling": np.round(ceiling, 5)}
        parts.append(neuroids.assign(**names, **measured)[COLUMNS])
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else parts[0]


def draw(table: pd.DataFrame) -> Figure:
    """Return two rows for each data set and method, points and surface: r, and the ceiling on the same scale.

    A vertex of the surface shows the mean over neuroids within NEAR of it on the pial surface, drawn on the inflated
    one; where there is none it is grey.
    """
    undeclared: Any = table.loc[table["space"] == "", "dataset"].unique() if len(table) else []
    shown = table[(table["space"] != "") & table[list(AXES)].notna().all(axis=1)] if len(table) else table
    if shown.empty:
        if len(undeclared):
            names = ", ".join(undeclared)
            return style.nothing(TITLE, _UNDECLARED.format(names=names, first=undeclared[0]))
        return style.nothing(
            TITLE, "No neuroid has coordinates: the neuroid tables of the data sets have no x, y and z."
        )
    groups = list(shown.groupby(["dataset", "encoder", "readout"], sort=False))
    rows, parts = [], []
    for (dataset, encoder, readout), part in groups:
        method = method_name(str(encoder), str(readout))
        heading = f"{dataset}{style.simulated_suffix(part['simulated'])}, {method}"
        known = part["ceiling"].notna()
        titles = [f"r at the chosen layer, n = {int(part['r'].notna().sum())} neuroids"]
        columns = ["r"]
        if known.any():
            titles.append(f"ceiling ({part['ceiling_kind'].iloc[0]}), n = {int(known.sum())} neuroids")
            columns.append("ceiling")
        rows.append(layout.Row(titles, HEIGHT, "", heading))
        rows.append(layout.Row([f"the same, mean within {NEAR:g} mm of the cortex"] * len(columns), HEIGHT, "", ""))
        parts += [(part, columns, _brain), (part, columns, _cortex)]
    subjects = shown.groupby("dataset")["subject"].nunique()
    counts = ", ".join(f"{count} subjects of {name}" for name, count in subjects.items())
    figure, grid = layout.arrange(
        f"{TITLE}: {table['model'].iloc[0]}{style.simulated_suffix(shown['simulated'])}",
        rows,
        WIDTH,
        left=0.2,
        gap=0.2,
        right=0.9,
        note="Each point is a neuroid in MNI space, highest in front; left, top, right. Below, the inflated cortex "
        f"(fsaverage5), grey where no neuroid is near; {counts}. Values of single neuroids have no interval here; one "
        "scale for r and ceiling.",
    )
    for axes_row, (part, columns, drawn) in zip(grid, parts, strict=True):
        values = part[columns].to_numpy(float)
        limits = (min(0.0, float(np.nanquantile(values, 0.01))), float(np.nanquantile(values, 0.99)))
        for axes, column in zip(axes_row, columns, strict=True):
            drawn(axes, part[part[column].notna()].sort_values(column, kind="stable"), column, limits)
        _scale(axes_row[-1], limits)
    return figure


def _places(path: Any, space: str | None) -> pd.DataFrame | None:
    """Return neuroids with their coordinates, which are empty without a declared space; None where there are none."""
    with open_arrays(path) as file:
        if any(name not in file for name in AXES):
            return None
    arrays = read_arrays(path, ["neuroid", "subject", "region", *AXES])
    table = pd.DataFrame(arrays).rename(columns={"neuroid": "neuroid_id"})
    for name in AXES:
        table[name] = pd.to_numeric(table[name], errors="coerce") if space else math.nan
    return table


def _layer_choice(attributes: Mapping[str, Any]) -> str:
    """Return how an encoding's layers were chosen, as alignment tables say it: "best", "nested", "fixed:block_01"."""
    layer = json.loads(attributes.get("spec", "{}")).get("layer", "")
    return layer if isinstance(layer, str) else ":".join(*layer.items())


def _ceiling(path: Any, neuroids: int) -> tuple[str, np.ndarray]:
    nothing = "", np.full(neuroids, math.nan)
    if path is None:
        return nothing
    arrays = read_arrays(path, ["ceiling_kind", "ceiling_units", "ceiling_per_neuroid"])
    values = in_units_of_r(arrays["ceiling_per_neuroid"], arrays["ceiling_units"].astype(str).tolist())
    if not len(values) or values.shape[1] != neuroids:
        return nothing
    return str(arrays["ceiling_kind"][0]), values[0].astype(float)


def _brain(axes: Any, part: pd.DataFrame, column: str, limits: tuple[float, float]) -> None:
    from nilearn.plotting import plot_markers  # type: ignore[import-untyped]  # it takes a second to import, and most studies have no coordinates

    size = float(np.clip(2500 / len(part), 1.5, 14))
    plot_markers(
        part[column].to_numpy(float), part[list(AXES)].to_numpy(float), node_size=size, node_cmap=COLOURS,
        node_vmin=limits[0], node_vmax=limits[1], alpha=0.8, display_mode="lzr", figure=axes.figure, axes=axes,
        annotate=False, colorbar=False,
    )  # fmt: skip
    for own in axes.figure.axes:
        for points in own.collections:
            points.set_rasterized(True)


def on_vertices(vertices: np.ndarray, places: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the mean of the values within NEAR of each vertex (vertex,), NaN where there is none.

    Parameters
    ----------
    vertices : (vertex, 3); places : (neuroid, 3), millimetres of one space; values : (neuroid,).
    """
    from scipy.spatial import cKDTree

    near = cKDTree(places).query_ball_point(vertices, NEAR)
    return np.array([values[found].mean() if found else math.nan for found in near])


def _cortex(axes: Any, part: pd.DataFrame, column: str, limits: tuple[float, float]) -> None:
    from nilearn.datasets import load_fsaverage, load_fsaverage_data  # type: ignore[import-untyped]
    from nilearn.plotting import plot_surf

    meshes, folds = load_fsaverage("fsaverage5"), load_fsaverage_data("fsaverage5", data_type="sulcal")
    place, figure = axes.get_position(), axes.figure
    axes.set_axis_off()
    for number, (side, view) in enumerate(VIEWS):
        values = on_vertices(
            meshes["pial"].parts[side].coordinates, part[list(AXES)].to_numpy(float), part[column].to_numpy(float)
        )
        width = place.width / len(VIEWS)
        wide, high = 1.1 * width, 1.1 * place.height  # axes in three dimensions leave much room around what they hold
        left, low = place.x0 + (number + 0.5) * width - wide / 2, place.y0 + (place.height - high) / 2
        own = figure.add_axes((left, low, wide, high), projection="3d")
        plot_surf(
            meshes["inflated"].parts[side], values, bg_map=folds.data.parts[side], hemi=side, view=view, cmap=COLOURS,
            vmin=limits[0], vmax=limits[1], colorbar=False, axes=own, figure=figure, engine="matplotlib",
        )  # fmt: skip
        own.patch.set_visible(False)  # it would lie over the neighbour
        for surface in own.collections:
            surface.set_rasterized(True)


def _scale(axes: Any, limits: tuple[float, float]) -> None:
    """Draw the scale of colours right of the last panel of a row."""
    place, figure = axes.get_position(), axes.figure
    across, up = figure.get_size_inches()
    scale = figure.add_axes((place.x1 + 0.15 / across, place.y0 + 0.1 / up, 0.1 / across, place.height - 0.2 / up))
    figure.colorbar(ScalarMappable(Normalize(*limits), COLOURS), cax=scale, label="Pearson r")
