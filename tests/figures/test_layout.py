"""Text has the room that it takes, and names beside points stand on nothing."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from brainalign.figures import layout, style
from brainalign.figures.labels import place_labels


def renderer(figure: Figure) -> Any:
    return FigureCanvasAgg(figure).get_renderer()


@pytest.mark.parametrize("text", ["Pearson r", "a-family-with-a-rather-long-name-v1.1", "Δr = −0.011 [−0.020, −0.002]"])
@pytest.mark.parametrize("size", [5.5, 8, 10])
def test_no_text_is_wider_than_it_was_taken_to_be(text, size):
    figure, _ = layout.arrange("x", [layout.Row(["x"], 1)], 2)
    figure.set_dpi(150)
    with style.styled():
        drawn = figure.text(0, 0, text, fontsize=size, fontfamily="DejaVu Sans")
        inches = drawn.get_window_extent(renderer(figure)).width / 150
    assert inches <= layout.text_width(text, size) + 0.02
    assert inches > 0.85 * layout.text_width(text, size)


def test_lines_are_broken_at_spaces_then_at_joints_then_anywhere():
    assert layout.wrapped("two words", 0.5) == ["two", "words"]
    assert layout.wrapped("a-name-of-parts", 0.65) == ["a-name-of-", "parts"]
    assert layout.wrapped("a_name.of parts-x", 0.65) == ["a_name.of", "parts-x"]
    assert layout.wrapped("a-name-of-parts", 0.95) == ["a-name-of-parts"]
    pieces = layout.wrapped("m" * 40, 1.0)
    assert "".join(pieces) == "m" * 40
    assert all(layout.text_width(piece) <= 1.0 for piece in pieces)
    assert layout.wrapped("one\ntwo", 5) == ["one", "two"]
    assert layout.wrapped("", 1) == [""]


@pytest.mark.parametrize(("count", "across", "rows"), [(1, 4, [1]), (4, 4, [4]), (5, 4, [3, 2]), (13, 6, [5, 4, 4])])
def test_rows_are_as_even_as_they_can_be(count, across, rows):
    assert layout.in_rows(count, across) == rows


def test_a_group_of_one_panel_joins_the_row_before_it():
    assert layout.by_group(["a", "a", "b"], 3) == [[0, 1, 2]]
    assert layout.by_group(["a", "a", "a", "b"], 3) == [[0, 1, 2], [3]]
    assert layout.by_group(["a", "b", "b"], 5) == [[0], [1, 2]]


def test_names_overlap_neither_points_nor_one_another():
    random = np.random.default_rng(0)
    figure, grid = layout.arrange("x", [layout.Row(["x"], 2)], 2)
    figure.set_dpi(150)
    axes = grid[0][0]
    points = pd.DataFrame({"x": random.normal(size=60), "y": random.normal(size=60)})
    points["name"] = [f"model-{number}" for number in range(60)]
    axes.plot(points["x"], points["y"], "o", markersize=5)
    written = place_labels(axes, points)
    assert 0 < len(written) < 60
    with style.styled():
        boxes = [text.get_window_extent(renderer(figure)) for text in axes.texts]
    where = axes.transData.transform(points[["x", "y"]])
    for number, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:number])
        assert not any(box.contains(px, py) for px, py in where)


def test_a_point_without_a_place_has_no_name():
    _, grid = layout.arrange("x", [layout.Row(["x"], 2)], 2)
    points = pd.DataFrame({"x": [0.0, 1.0, np.nan], "y": [0.0, 1.0, 1.0], "name": ["a", "", "c"]})
    grid[0][0].plot(points["x"], points["y"], "o")
    assert place_labels(grid[0][0], points) == ["a"]
