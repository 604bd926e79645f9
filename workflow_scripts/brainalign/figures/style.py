"""How figures look: colours that the colour-blind can tell apart, markers that differ in grey, files without dates."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

from brainalign.storage import replacing

# Okabe & Ito (2008), without the yellow, which is too pale for lines on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
GREY = "#5F5F5F"
PANELS_PER_ROW = 6
MINIMUM_WIDTH = 7.0  # inches; the longest title fits
LEGEND_MARK, LEGEND_CHARACTER = 0.65, 0.068  # inches

RC = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "figure.titlesize": 10,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "pdf.fonttype": 42,
    "savefig.dpi": 150,
}


@dataclass(frozen=True)
class Look:
    """A colour, marker and dash that belong together."""

    colour: str
    marker: str
    dash: Any


def looks(names: Iterable[str]) -> dict[str, Look]:
    """Return a look for each name, in order; colours and markers repeat with different periods."""
    wanted = list(dict.fromkeys(names))
    each = zip(wanted, *(islice(cycle(part), len(wanted)) for part in (COLOURS, MARKERS, DASHES)), strict=True)
    return {name: Look(*parts) for name, *parts in each}


def styled() -> Any:
    """Return the context in which figures are drawn and saved."""
    return mpl.rc_context(RC)


def new_figure(width: float, height: float, title: str) -> Figure:
    """Return an empty figure, in inches, that keeps its parts apart."""
    width = max(width, MINIMUM_WIDTH)
    figure = Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=0.09, h_pad=0.06))
    figure.suptitle(title)
    return figure


def room_for(labels: Iterable[str]) -> float:
    """Return the width that labels beside a panel take, in inches."""
    return 0.6 + 0.06 * max(len(line) for label in labels for line in label.split("\n"))


def rows_and_columns(panels: int) -> tuple[int, int]:
    """Return how many rows and columns hold the panels: one row up to 6, then rows as even as they can be."""
    rows = -(-panels // PANELS_PER_ROW)
    return rows, -(-panels // rows)


def nothing(title: str, sentence: str) -> Figure:
    """Return a picture that says why there is nothing to show."""
    figure = new_figure(5, 1.6, title)
    figure.text(0.5, 0.4, sentence, ha="center", va="center", color=GREY, wrap=True)
    return figure


def save(figure: Figure, pdf: Path, png: Path) -> None:
    """Write a figure twice, whole or not at all; equal figures give equal bytes."""
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # it reports every glyph of a PDF's fonts
    for path, kind, metadata in ((png, "png", {"Software": None}), (pdf, "pdf", {"CreationDate": None})):
        with styled(), replacing(path) as temporary:
            figure.savefig(temporary, format=kind, metadata=metadata)
        figure.set_layout_engine("none")  # the second file keeps the first one's layout, which is slow to find


def simulated_suffix(simulated: Iterable[float]) -> str:
    """Return " (simulated data)" where all of it is, " (partly simulated data)" where some is, otherwise nothing."""
    share = np.asarray(list(simulated), dtype=float)
    if not share.size or not share.any():
        return ""
    return " (simulated data)" if (share == 1).all() else " (partly simulated data)"


def interval_lines(axes: Any, rows: pd.DataFrame, y: pd.Series, column: str = "r", **line: Any) -> None:
    """Draw a column's values and their intervals along x; an interval need not contain its point."""
    low, high = rows[f"{column}_low"], rows[f"{column}_high"]
    axes.hlines(y, low, high, color=line["color"], linewidth=line.pop("linewidth", 1.0), zorder=2)
    axes.plot(rows[column], y, linestyle="none", **{"markersize": 4, "zorder": 3, **line})


def legend_mark(label: str, look: Look, **line: Any) -> Line2D:
    """Return a legend entry with a marker."""
    options = {"linestyle": "none", "marker": look.marker, "color": look.colour, "markersize": 5, **line}
    return Line2D([], [], label=label, **options)


def legend_below(figure: Figure, handles: Sequence[Any]) -> None:
    """Put the legend under everything else, in as many columns as the figure is wide enough for."""
    widest = max(len(handle.get_label()) for handle in handles)
    columns = int(figure.get_figwidth() / (LEGEND_MARK + LEGEND_CHARACTER * widest))
    figure.legend(handles=list(handles), loc="outside lower center", ncols=max(1, min(columns, len(handles))))


def readable_p(p: float) -> str:
    """Return "p = .012", "p < .001", or "no p" for NaN."""
    if not np.isfinite(p):
        return "no p"
    return "p < .001" if p < 0.001 else f"p = {p:.3f}".replace("0.", ".")
