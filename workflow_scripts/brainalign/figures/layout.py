"""Where things stand on a page: panels in rows, each as wide as asked, with room for exactly what is written.

Positions are computed in inches from the widths of the texts, once, so that nothing overlaps, equal tables give equal
pictures, and no time goes into a layout engine.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

LINE = 0.145  # inches from one line of 8-point text to the next
MINIMUM_WIDTH = 7.0  # inches
EDGE = 0.15  # inches
_HINTED = 1.06  # letters that are set on whole pixels take up to so much more room
_LEGEND_MARK = 0.5  # inches
_HEAD_LINE, _MONOSPACED = 0.13, 0.0586  # inches, of 7-point letters of one width


@cache
def text_width(text: str, size: float = 8, weight: str = "normal") -> float:
    """Return the width of one line of text in inches."""
    font = FontProperties(family="DejaVu Sans", size=size, weight=weight)
    return (
        float(text_to_path.get_text_width_height_descent(text.replace("$", "S"), font, ismath=False)[0]) / 72 * _HINTED
    )


def room_for(labels: Iterable[str], size: float = 7) -> float:
    """Return the width that labels beside a panel take with their tick, in inches."""
    lines = [line for label in labels for line in label.split("\n")]
    return 0.3 + max((text_width(line, size, "bold") for line in lines), default=0.0)


def wrapped(text: str, width: float, size: float = 8, weight: str = "normal") -> list[str]:
    """Break text into lines that are at most `width` inches wide: at spaces, else after "-", "_" or ".", else anywhere.

    Line breaks that are in the text stay.
    """
    return [line for paragraph in text.split("\n") for line in _wrapped(paragraph, width, size, weight)]


def _wrapped(text: str, width: float, size: float, weight: str) -> list[str]:
    lines: list[str] = []
    while text_width(text, size, weight) > width and len(text) > 1:
        fits = next(n for n in range(len(text) - 1, 0, -1) if n == 1 or text_width(text[:n], size, weight) <= width)
        space = text.rfind(" ", 1, fits + 1)
        joint = 1 + max(text.rfind(mark, 0, fits) for mark in "-_.")
        cut = space if space > 0 else joint if joint > 1 else fits
        lines.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [*lines, text]


@dataclass(frozen=True)
class Row:
    """A row of panels, each with a title.

    Parameters
    ----------
    titles : one for each panel; may hold line breaks, and is broken where it is too wide.
    height : of the panels, in inches.
    labels : of the x axes, one for each panel, or one for all.
    heading : above the row.
    """

    titles: Sequence[str]
    height: float
    labels: Sequence[str] | str = ""
    heading: str = ""


def arrange(
    title: str,
    rows: Sequence[Row],
    width: float,
    *,
    left: float = 0.7,
    gap: float = 0.6,
    right: float = EDGE,
    handles: Sequence[Any] = (),
    note: str = "",
    head: Sequence[str] = (),
) -> tuple[Figure, list[list[Any]]]:
    """Return a figure and its panels, row by row.

    Parameters
    ----------
    width : of a panel, in inches; left : room for what stands left of a row's first panel; gap : between panels.
    handles : of the legend, which stands below; note : text under the legend.
    head : lines of a table in letters of one width, between the title and the panels.
    """
    most = max(len(row.titles) for row in rows)
    right = max(right, 0.4 * gap + 0.05)
    content = left + most * width + (most - 1) * gap + right
    page = max(content, MINIMUM_WIDTH, 2 * EDGE + _MONOSPACED * max(map(len, head), default=0))
    start = (page - content) / 2 + left
    right_of_last = page - start - (most - 1) * (width + gap) - width
    beside = min(start - EDGE, 0.4 * gap, right_of_last - EDGE / 2)  # what a title may take on either side of its panel
    alone = min(start, page - start - width) - EDGE
    room = [width + 2 * (beside if len(row.titles) > 1 else alone) for row in rows]
    above = wrapped(title, page - 2 * EDGE, 10)
    broken = [[wrapped(text, room[i]) for text in row.titles] for i, row in enumerate(rows)]
    headings = [wrapped(row.heading, page - start - EDGE, 8, "bold") if row.heading else [] for row in rows]
    labels = [[wrapped(text, width + 0.8 * gap) if text else [] for text in _each(row)] for row in rows]
    legend, legend_height = _legend_plan(handles, page)
    notes = wrapped(note, page - 2 * EDGE, 7) if note else []
    height = 0.12 + 0.19 * len(above)
    head_top = height + 0.1
    height += _HEAD_LINE * len(head) + (0.2 if head else 0.0)
    tops = []
    for row, titles, heading, label in zip(rows, broken, headings, labels, strict=True):
        height += 0.06 + (LINE * len(heading) + 0.1 if heading else 0.0) + LINE * max(map(len, titles)) + 0.08
        tops.append(height)
        height += row.height + 0.24 + LINE * max(map(len, label)) + 0.06
    bottom = legend_height + (0.06 + 0.14 * len(notes) if notes else 0.0) + 0.06
    height += bottom
    figure = Figure(figsize=(page, height))
    figure.suptitle("\n".join(above), y=1 - 0.08 / height, va="top")
    for number, line in enumerate(head):
        y = height - head_top - number * _HEAD_LINE
        figure.text(EDGE / page, y / height, line, family="DejaVu Sans Mono", fontsize=7, ha="left", va="top")
    panels = []
    for row, titles, heading, label, top in zip(rows, broken, headings, labels, tops, strict=True):
        own = []
        for number, text in enumerate(titles):
            box = (start + number * (width + gap), height - top - row.height, width, row.height)
            axes = figure.add_axes(tuple(np.divide(box, (page, height, page, height))))
            axes.set_title("\n".join(text), pad=4)
            if label[number]:
                axes.set_xlabel("\n".join(label[number]))
            own.append(axes)
        if heading:
            y = height - top + 0.1 + LINE * max(map(len, titles))
            figure.text(
                start / page, y / height, "\n".join(heading), fontsize=8, fontweight="bold", ha="left", va="bottom"
            )
        panels.append(own)
    if handles:
        figure.legend(
            handles=legend, loc="lower center", ncols=_columns(legend, page), borderaxespad=0,
            bbox_to_anchor=(0.5, (bottom - legend_height) / height), handlelength=2.4, columnspacing=1.5,
        )  # fmt: skip
    if notes:
        figure.text(EDGE / page, 0.06 / height, "\n".join(notes), fontsize=7, color="0.3", ha="left", va="bottom")
    return figure, panels


def by_group(groups: Sequence[str], across: int) -> list[list[int]]:
    """Return the panels of each row: those of a group stand together; a group of one panel joins the row before it.

    >>> by_group(["a", "a", "a", "b", "c", "c"], 4)
    [[0, 1, 2, 3], [4, 5]]
    """
    rows: list[list[int]] = []
    for group in dict.fromkeys(groups):
        own = [number for number, name in enumerate(groups) if name == group]
        if len(own) == 1 and rows and len(rows[-1]) < across:
            rows[-1] += own
            continue
        for count in in_rows(len(own), across):
            rows.append(own[:count])
            own = own[count:]
    return rows


def in_rows(count: int, across: int) -> list[int]:
    """Return how many panels each row holds: rows as even as they can be, none with more than `across`.

    >>> in_rows(7, 4)
    [4, 3]
    """
    rows = -(-count // across)
    return [count // rows + (number < count % rows) for number in range(rows)]


def _each(row: Row) -> Sequence[str]:
    return [row.labels] * len(row.titles) if isinstance(row.labels, str) else row.labels


def _columns(handles: Sequence[Any], page: float) -> int:
    widest = max(max(text_width(line) for line in handle.get_label().split("\n")) for handle in handles)
    return max(1, min(int((page - 2 * EDGE) / (_LEGEND_MARK + widest)), len(handles)))


def _legend_plan(handles: Sequence[Any], page: float) -> tuple[Sequence[Any], float]:
    """Break the labels, and return the handles with the height of the legend."""
    if not handles:
        return handles, 0.0
    for handle in handles:
        handle.set_label("\n".join(wrapped(handle.get_label(), page - 2 * EDGE - _LEGEND_MARK)))
    columns = _columns(handles, page)
    down = -(-len(handles) // columns)
    lines = max(len(handle.get_label().split("\n")) for handle in handles)
    return handles, 0.08 + down * lines * 0.18


def page_of_text(title: str, lines: Sequence[str]) -> Figure:
    """Return a page of lines in letters of one width, without a panel."""
    page = max(MINIMUM_WIDTH, 2 * EDGE + _MONOSPACED * max(map(len, lines)))
    above = wrapped(title, page - 2 * EDGE, 10)
    height = 0.4 + 0.19 * len(above) + _HEAD_LINE * len(lines)
    figure = Figure(figsize=(page, height))
    figure.suptitle("\n".join(above), y=1 - 0.08 / height, va="top")
    for number, line in enumerate(lines):
        y = height - 0.25 - 0.19 * len(above) - number * _HEAD_LINE
        figure.text(EDGE / page, y / height, line, family="DejaVu Sans Mono", fontsize=7, ha="left", va="top")
    return figure
