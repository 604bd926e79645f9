"""Names beside points, where there is room for them."""

from typing import Any

import numpy as np
import pandas as pd

from brainalign.figures.layout import text_width


def place_labels(axes: Any, points: pd.DataFrame, size: float = 5.5) -> list[str]:
    """Write names beside points, where there is room that no point, interval or other name takes; return those written.

    Points are taken in their order, so that the first are named where not all can be.

    Parameters
    ----------
    points : columns x, y and name, "" for points that are only in the way; if known, x_low, x_high, y_low and y_high,
        their intervals, and aside, by how many points of 1/72 inch they are drawn aside.
    """
    width, height = axes.get_position().size * axes.figure.get_size_inches()
    axes.autoscale_view()
    shares = axes.transScale + axes.transLimits

    def inches(x: str, y: str) -> np.ndarray:
        found = shares.transform(points[[x, y]].to_numpy(float)) * (width, height)
        aside = points["aside"].to_numpy(float) / 72 if "aside" in points else 0.0
        return np.asarray(found + np.column_stack([np.broadcast_to(aside, len(found)), np.zeros(len(found))]))

    places = inches("x", "y")
    taken: list[tuple[float, ...]] = [
        (px - 0.04, py - 0.04, px + 0.04, py + 0.04) for px, py in places if np.isfinite([px, py]).all()
    ]
    lines: list[tuple[float, ...]] = []
    for low, high in ((("x", "y_low"), ("x", "y_high")), (("x_low", "y"), ("x_high", "y"))):
        if {*low, *high} <= set(points.columns):
            ends = np.column_stack([inches(*low) - 0.01, inches(*high) + 0.01])
            lines += [tuple(map(float, line)) for line in ends if np.isfinite(line).all()]
    written: dict[int, str] = {}
    for beside, others in ((_BESIDE, lines), ([place for place in _BESIDE if place[1]], [])):  # then across thin lines
        for number, ((px, py), name) in enumerate(zip(places, points["name"], strict=True)):
            if number in written or not name or not np.isfinite([px, py]).all():
                continue
            for dx, dy, ha in beside:
                box = _box_of(name, px + dx, py + dy, ha, size)
                if _inside(box, width, height) and not any(_overlap(box, other) for other in [*taken, *others]):
                    axes.annotate(
                        name, (px / width, py / height), (dx * 72, dy * 72), xycoords="axes fraction",
                        textcoords="offset points", fontsize=size, color="0.25", ha=ha, va="center_baseline",
                    )  # fmt: skip
                    taken.append(box)
                    written[number] = name
                    break
    return [written[number] for number in sorted(written)]


def _box_of(name: str, x: float, y: float, ha: str, size: float) -> tuple[float, ...]:
    """Return the left, lower, right and upper end of a name that is anchored at a place, in inches."""
    wide, tall = text_width(name, size) + 0.03, 1.2 * size / 72
    left = x - (wide if ha == "right" else wide / 2 if ha == "center" else 0.0)
    return (left, y - tall / 2, left + wide, y + tall / 2)


# Where a name may stand beside its point, in inches, in this order.
_BESIDE = (
    (0.06, 0.0, "left"),
    (-0.06, 0.0, "right"),
    (0.03, 0.09, "left"),
    (-0.03, 0.09, "right"),
    (0.03, -0.09, "left"),
    (-0.03, -0.09, "right"),
    (0.0, 0.12, "center"),
    (0.0, -0.12, "center"),
    (0.05, 0.17, "left"),
    (-0.05, 0.17, "right"),
    (0.05, -0.17, "left"),
    (-0.05, -0.17, "right"),
)


def _inside(box: tuple[float, ...], width: float, height: float) -> bool:
    return box[0] >= 0 and box[1] >= 0 and box[2] <= width and box[3] <= height


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
