"""Figures show rows of the tables and nothing else, in files that are equal for equal tables."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from brainalign.figures import style
from brainalign.figures.tables import StudyTables
from brainalign.stages.draw_figure import draw_figure
from brainalign.tables import read_table
from invented_study import PROVENANCE, WrittenStudy, invent

FIGURES = ("alignment", "layers", "scaling", "losses", "pairs")
Invent = Callable[..., WrittenStudy]


def draw(study: WrittenStudy, figure: str, folder: str = "figures") -> Path:
    tables = [study.study / f"{name}.csv" for name in ("alignment", "properties", "correlations", "pairs")]
    out = study.study / folder / figure
    draw_figure({"figure": figure}, PROVENANCE, *tables, *(out.with_suffix(end) for end in (".csv", ".pdf", ".png")))
    return out


def tables(study: WrittenStudy) -> StudyTables:
    return StudyTables(
        *(read_table(study.study / f"{name}.csv") for name in ("alignment", "properties", "correlations", "pairs"))
    )


def module(figure: str) -> Any:
    return importlib.import_module(f"brainalign.figures.{figure}")


def written(axes: Any) -> list[Any]:
    """The title, the labels of the axes and those of the ticks that are in view."""
    ticks = [
        tick.label1
        for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim()))
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
        if low <= tick.get_loc() <= high and tick.label1.get_visible()
    ]
    return [axes.title, axes.xaxis.label, axes.yaxis.label, *ticks]


def texts(figure: Figure) -> str:
    """Everything that is written on a figure."""
    figure.draw_without_rendering()
    return "\n".join(text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> WrittenStudy:
    return invent(tmp_path_factory.mktemp("study"), {"tiny": (4.0, 4.5, 5.0)}).finish()


@pytest.fixture(scope="module")
def measured_study(tmp_path_factory: pytest.TempPathFactory) -> WrittenStudy:
    """Not simulated, and with long names."""
    families = {"llama": (4.0, 4.3, 4.6), "a-family-with-a-rather-long-name-v1.1": (4.1, 5.2)}
    return invent(tmp_path_factory.mktemp("measured"), families, simulated=0).finish()


@pytest.mark.parametrize("figure", FIGURES)
def test_equal_tables_give_equal_bytes(study: WrittenStudy, figure: str) -> None:
    first, second = draw(study, figure, "first"), draw(study, figure, "second")
    for ending in (".csv", ".pdf", ".png"):
        assert first.with_suffix(ending).read_bytes() == second.with_suffix(ending).read_bytes(), ending
    assert b"CreationDate" not in first.with_suffix(".pdf").read_bytes()


@pytest.mark.parametrize("figure", FIGURES)
def test_simulated_data_are_called_so_in_every_title(
    study: WrittenStudy, measured_study: WrittenStudy, figure: str
) -> None:
    for simulated, shown in ((True, study), (False, measured_study)):
        drawn = module(figure).draw(module(figure).select(tables(shown)))
        titles = [axes.get_title() for axes in drawn.axes if axes.get_title()]
        assert len(titles) >= 2
        assert {"(simulated data)" in title for title in titles} == {simulated}
        assert ("(simulated data)" in drawn.get_suptitle()) == simulated


@pytest.mark.parametrize("figure", ["alignment", "layers"])
def test_scores_are_selected_and_not_computed(study: WrittenStudy, figure: str) -> None:
    selected = module(figure).select(tables(study))
    shown = selected[["dataset", "encoder", "readout", "features", "r", "r_low", "r_high"]]
    merged = shown.merge(tables(study).alignment, how="left", indicator=True)
    assert len(selected) > 0
    assert (merged["_merge"] == "both").all()


def test_the_alignment_figure_has_every_model_null_and_data_set(study: WrittenStudy) -> None:
    selected = module("alignment").select(tables(study))
    assert len(selected) == 2 * 2 * (9 + 3)
    shown = texts(module("alignment").draw(selected))
    for label in ("tiny-1", "tiny-3-instruct", "autocorrelation", "passages", "384 samples, 12 neuroids", "nested"):
        assert label in shown


def test_the_scaling_figure_shows_r_and_n_of_the_table(study: WrittenStudy) -> None:
    selected = module("scaling").select(tables(study))
    shown = texts(module("scaling").draw(selected))
    found = tables(study).correlations
    for _, row in found[found["property"] == "log10_parameters"].iterrows():
        assert f"r = {row['pearson_r']:.2f}".replace("-", "−") in shown
        assert row["n"] == 6
    assert "n = 6 models" in shown
    assert set(selected["property"]) == {"log10_parameters"}
    points = selected.dropna(subset=["r"])
    assert np.log10(points["value"]).round(6).isin([4.0, 4.5, 5.0]).sum() > 0
    assert len(points) == 2 * 2 * 9


def test_the_losses_figure_shows_the_loss_of_the_properties(study: WrittenStudy) -> None:
    points = module("losses").select(tables(study)).dropna(subset=["r"]).drop_duplicates("features")
    losses = tables(study).properties.set_index("model")["world-loss_nats_per_token"]
    assert points.set_index("features")["value"].to_dict() == pytest.approx(losses.to_dict())


def test_the_pairs_figure_shows_the_table(study: WrittenStudy) -> None:
    selected = module("pairs").select(tables(study))
    pd.testing.assert_frame_equal(selected, read_table(study.study / "pairs.csv"))
    shown = texts(module("pairs").draw(selected))
    assert "3 pairs, 3 bases" in shown
    assert "smallest possible 0.25" in shown


@pytest.mark.parametrize(
    ("figure", "sentence"),
    [
        ("losses", "No next-word loss was measured in this study."),
        ("pairs", "This study has no pair of an instruction-tuned model and its base."),
    ],
)
def test_nothing_to_show_is_said_in_the_picture(invent_study: Invent, figure: str, sentence: str) -> None:
    study = invent_study(tuned=False, losses=()).finish(["log10_parameters"])
    out = draw(study, figure)
    table = read_table(out.with_suffix(".csv"))
    assert table.empty
    assert "difference" in table.columns if figure == "pairs" else "value" in table.columns
    assert sentence in texts(module(figure).draw(table))
    assert out.with_suffix(".png").stat().st_size > 1000


def test_too_few_models_are_said_on_the_plot(invent_study: Invent) -> None:
    study = invent_study(tuned=False).finish()
    assert "no r: fewer than 3 models" in texts(module("scaling").draw(module("scaling").select(tables(study))))


@pytest.mark.parametrize("figure", FIGURES)
def test_nothing_written_overlaps_or_leaves_the_page(measured_study: WrittenStudy, figure: str) -> None:
    with style.styled():
        drawn = module(figure).draw(module(figure).select(tables(measured_study)))
    drawn.set_dpi(150)
    drawn.draw_without_rendering()
    visible = [text for axes in drawn.axes if axes.get_visible() for text in written(axes)]
    placed = [(text.get_text(), text.get_window_extent()) for text in visible if text.get_text()]
    placed += [("legend", legend.get_window_extent()) for legend in drawn.legends]
    placed.append(("title", drawn.findobj(lambda artist: artist is drawn._suptitle)[0].get_window_extent()))
    page = drawn.bbox
    for text, box in placed:
        assert page.x0 <= box.x0, text
        assert box.x1 <= page.x1, text
    for number, (text, box) in enumerate(placed):
        for other, other_box in placed[:number]:
            assert not box.shrunk(0.9, 0.9).overlaps(other_box.shrunk(0.9, 0.9)), (text, other)


def test_looks_differ_in_colour_and_in_marker() -> None:
    looks = style.looks([f"encoder-{number}" for number in range(7)])
    assert len({look.colour for look in looks.values()}) == 7
    assert len({look.marker for look in looks.values()}) == 7


@pytest.mark.parametrize(
    ("shares", "suffix"),
    [
        ([1, 1.0], " (simulated data)"),
        ([0, 0], ""),
        ([0, 1], " (partly simulated data)"),
        ([0.5], " (partly simulated data)"),
    ],
)
def test_the_suffix_says_how_much_is_simulated(shares: list[float], suffix: str) -> None:
    assert style.simulated_suffix(shares) == suffix


@pytest.mark.parametrize(
    ("p", "shown"), [(0.0123, "p = .012"), (0.0001, "p < .001"), (1.0, "p = 1.000"), (np.nan, "no p")]
)
def test_p_is_readable(p: float, shown: str) -> None:
    assert style.readable_p(p) == shown
