"""How figures look: colours that the colour-blind can tell apart, markers that differ in grey, files without dates."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from brainalign.figures.layout import MINIMUM_WIDTH, wrapped
from brainalign.storage import replacing

# Okabe & Ito (2008), without the yellow, which is too pale for lines on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
GREY = "#5F5F5F"
ALARM = "!"  # stands at the right edge, beside a score that carries an alarm

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


PLAIN = Look(GREY, "o", "-")


def looks(names: Iterable[str]) -> dict[str, Look]:
    """Return a look for each name, in order; colours and markers repeat with different periods."""
    wanted = list(dict.fromkeys(names))
    each = zip(wanted, *(islice(cycle(part), len(wanted)) for part in (COLOURS, MARKERS, DASHES)), strict=True)
    return {name: Look(*parts) for name, *parts in each}


def styled() -> Any:
    """Return the context in which figures are drawn and saved."""
    return mpl.rc_context(RC)


def nothing(title: str, sentence: str) -> Figure:
    """Return a picture that says why there is nothing to show."""
    figure = Figure(figsize=(MINIMUM_WIDTH, 1.2))
    figure.suptitle("\n".join(wrapped(title, MINIMUM_WIDTH - 0.3, 10)))
    said = "\n".join(wrapped(sentence, MINIMUM_WIDTH - 0.6))
    figure.text(0.5, 0.35, said, ha="center", va="center", color=GREY)
    return figure


def save(figure: Figure, pdf: Path, png: Path) -> None:
    """Write a figure twice, whole or not at all; equal figures give equal bytes."""
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # it reports every glyph of a PDF's fonts
    for path, kind, metadata in ((png, "png", {"Software": None}), (pdf, "pdf", {"CreationDate": None})):
        with styled(), replacing(path) as temporary:
            figure.savefig(temporary, format=kind, metadata=metadata)


def simulated_suffix(simulated: Iterable[float]) -> str:
    """Return " (simulated data)" where all of it is, " (partly simulated data)" where some is, otherwise nothing."""
    share = np.asarray(list(simulated), dtype=float)
    share = share[np.isfinite(share)]
    if not share.size or not share.any():
        return ""
    return " (simulated data)" if (share == 1).all() else " (partly simulated data)"


def interval_lines(axes: Any, rows: pd.DataFrame, y: pd.Series, column: str = "r", **line: Any) -> None:
    """Draw a column's values and their intervals along x; an interval need not contain its point."""
    low, high = rows[f"{column}_low"].astype(float), rows[f"{column}_high"].astype(float)
    known = low.notna() & high.notna()
    width = line.pop("linewidth", 1.0)
    axes.hlines(
        y[known], low[known], high[known], color=line["color"], linewidth=width, zorder=2, alpha=line.get("alpha")
    )
    axes.plot(rows[column], y, linestyle="none", **{"markersize": 4, "zorder": 3, **line})


def legend_mark(label: str, look: Look, **line: Any) -> Line2D:
    """Return a legend entry with a marker."""
    options = {"linestyle": "none", "marker": look.marker, "color": look.colour, "markersize": 5, **line}
    return Line2D([], [], label=label, **options)


def legend_line(label: str, **line: Any) -> Line2D:
    """Return a legend entry that is a line, or text alone with `linestyle="none"`."""
    return Line2D([], [], label=label, **{"color": GREY, "linewidth": 1.0, **line})


def sizes(rows: pd.DataFrame) -> str:
    """Return "384 samples, 300 neuroids", or nothing where they are not known, as of published scores."""
    known = [f"{int(rows[name].max())} {name}" for name in ("samples", "neuroids") if rows[name].notna().any()]
    return ", ".join(known)
