"""Figures show what lies in the CSV beside them and nothing else, in files that are equal for equal tables."""

import importlib
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from brainalign.config.figures import FIGURES
from brainalign.figures import style
from brainalign.figures.needs import drawn_by, needs
from brainalign.figures.tables import StudyTables
from brainalign.stages.draw_figure import draw_figure
from brainalign.tables import read_table
from invented_study import PROVENANCE, WrittenStudy, invent

KINDS = ("alignment", "properties", "correlations", "controlled_correlations", "pairs", "replicates")
KINDS += ("ceilings", "responses", "cells", "encodings", "activations", "manifests", "losses")
SPLITS = {"controlled": "grouped by split_group, 6 folds", "as-published": "shuffle, 10 folds"}
EVERY = {"name": "all", "without": []}
NOTHING_TO_SHOW = {"benchmarks", "behavior"}  # in the invented study


def settings(study: WrittenStudy) -> dict[str, Any]:
    kinds = ("vanilla", "instruction-tuned")
    runs = {kind: [name for name, entry in study.models.items() if entry["kind"] == kind] for kind in kinds}
    places = {kind: {name: float(place) for place, name in enumerate(names)} for kind, names in runs.items() if names}
    return {
        "over": EVERY,
        "splits": SPLITS,
        "runs": {kind: {"unit": "steps", "models": own} for kind, own in places.items()},
    }


def files(study: WrittenStudy, figure: str) -> dict[str, list[Path]]:
    wanted = needs(figure)
    found = {kind: [study.study / f"{kind}.csv"] for kind in KINDS[:5]} | {
        "replicates": [study.study / "replicates.h5"]
    }
    found |= {"ceilings": sorted(study.root.glob("ceilings/*/*.h5"))}
    return {kind: found.get(kind, []) if kind in wanted else [] for kind in KINDS}


def drawn_files(study: WrittenStudy, figure: str, folder: str = "figures") -> Path:
    out = study.study / folder / figure
    spec = {"figure": figure, **settings(study)}
    paths = [out.with_suffix(ending) for ending in (".csv", ".pdf", ".png")]
    draw_figure(spec, PROVENANCE, **files(study, figure), table=paths[0], pdf=paths[1], png=paths[2])
    return out


def tables(study: WrittenStudy, figure: str) -> StudyTables:
    named = {
        kind: {path.with_suffix("").parts[-2:]: path for path in paths} for kind, paths in files(study, figure).items()
    }
    return StudyTables(named, settings(study))


def module(figure: str) -> Any:
    return importlib.import_module(f"brainalign.figures.{drawn_by(figure)[0]}")


def select(study: WrittenStudy, figure: str) -> pd.DataFrame:
    selected: pd.DataFrame = module(figure).select(tables(study, figure))
    return selected


def draw(figure: str, table: pd.DataFrame) -> Figure:
    with style.styled():
        drawn: Figure = module(figure).draw(table)
    drawn.set_dpi(150)
    return drawn


_DRAWN: dict[tuple[Path, str], Figure] = {}


def drawing(study: WrittenStudy, figure: str) -> Figure:
    """The figure of a study, drawn once for all tests."""
    key = (study.root, figure)
    if key not in _DRAWN:
        _DRAWN[key] = draw(figure, select(study, figure))
    return _DRAWN[key]


def texts(figure: Figure) -> str:
    """Everything that is written on a figure."""
    figure.draw_without_rendering()
    return "\n".join(text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")))


def written(axes: Any) -> list[Any]:
    """The title, the labels of the axes, those of the ticks that are in view, and names in the panel."""
    ticks = [
        tick.label1
        for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim()))
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
        if min(low, high) <= tick.get_loc() <= max(low, high) and tick.label1.get_visible()
    ]
    return [axes.title, axes.xaxis.label, axes.yaxis.label, *ticks, *axes.texts]


def nothing_overlaps_or_leaves_the_page(figure: Figure) -> None:
    figure.draw_without_rendering()
    visible = [text for axes in figure.axes if axes.get_visible() for text in written(axes)]
    visible += figure.texts
    placed = [(text.get_text(), text.get_window_extent()) for text in visible if text.get_text().strip()]
    placed += [("legend", legend.get_window_extent()) for legend in figure.legends]
    page = figure.bbox
    for text, box in placed:
        assert page.x0 - 1 <= box.x0, text
        assert box.x1 <= page.x1 + 1, text
        assert page.y0 - 1 <= box.y0, text
        assert box.y1 <= page.y1 + 1, text
    shrunk = [(text, box.shrunk(0.9, 0.8)) for text, box in placed]
    for number, (text, box) in enumerate(shrunk):
        for other, other_box in shrunk[:number]:
            assert not box.overlaps(other_box), (text, other)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> WrittenStudy:
    return invent(tmp_path_factory.mktemp("study"), {"tiny": (4.0, 4.5, 5.0)}).finish()


@pytest.fixture(scope="module")
def measured_study(tmp_path_factory: pytest.TempPathFactory) -> WrittenStudy:
    """Not simulated, and with long names."""
    families = {"llama": (4.0, 4.6), "a-family-with-a-rather-long-name-v1.1": (4.1,)}
    return invent(tmp_path_factory.mktemp("measured"), families, simulated=0).finish()


@pytest.fixture(scope="module")
def one_model(tmp_path_factory: pytest.TempPathFactory) -> WrittenStudy:
    """One model and its twin, of which no loss is known."""
    study = invent(tmp_path_factory.mktemp("one"), {"only": (4.0,)}, tuned=False, losses=())
    return study.finish(["log10_parameters"])


@pytest.fixture(scope="module")
def many_models(tmp_path_factory: pytest.TempPathFactory, study: WrittenStudy) -> WrittenStudy:
    """The tables of the small study with 63 models in 7 families, each a copy of a small one under another name."""
    root = tmp_path_factory.mktemp("many")
    many = WrittenStudy(root, {}, {}, study.simulated)
    names = [f"family-{letter}" for letter in "abcdefg"]
    many.models = {
        model.replace("tiny", family): {
            **entry,
            "family": family,
            "base": (entry["base"] or "").replace("tiny", family),
        }
        for family in names
        for model, entry in study.models.items()
    }
    many.study.mkdir(parents=True)
    for kind in KINDS[:5]:
        table = read_table(study.study / f"{kind}.csv")
        text = [column for column in ("features", "model", "base", "family", "tuned") if column in table]
        own = table[text].apply(lambda column: column.str.contains("tiny")).any(axis=1) if text else table.index < 0
        parts = [table[~own]]
        for number, family in enumerate(names):
            part = table[own].copy()
            part[text] = part[text].apply(lambda column, family=family: column.str.replace("tiny", family))
            moved = part.select_dtypes("float").columns.intersection(["r", "r_low", "r_high", "r_base", "r_tuned"])
            part[moved] += 0.004 * number
            parts.append(part)
        pd.concat(parts).to_csv(many.study / f"{kind}.csv", index=False)
    (many.study / "replicates.h5").write_bytes((study.study / "replicates.h5").read_bytes())
    return many


@pytest.mark.parametrize("figure", FIGURES)
def test_equal_tables_give_equal_bytes_and_the_csv_is_all_that_is_drawn(study: WrittenStudy, figure: str) -> None:
    first, second = drawn_files(study, figure), study.study / "again" / figure
    selected, kept = select(study, figure), read_table(first.with_suffix(".csv"))
    assert list(kept.columns) == list(selected.columns)
    words = selected.select_dtypes(exclude="number").columns
    kept[words] = kept[words].astype(object).fillna("")
    style.save(draw(figure, kept), second.with_suffix(".pdf"), second.with_suffix(".png"))
    for ending in (".pdf", ".png"):
        assert first.with_suffix(ending).read_bytes() == second.with_suffix(ending).read_bytes(), ending
    assert b"CreationDate" not in first.with_suffix(".pdf").read_bytes()


@pytest.mark.parametrize("figure", sorted(set(FIGURES) - NOTHING_TO_SHOW))
def test_simulated_data_are_called_so_in_every_title(
    study: WrittenStudy, measured_study: WrittenStudy, figure: str
) -> None:
    for simulated, shown in ((True, study), (False, measured_study)):
        drawn = drawing(shown, figure)
        if figure == "ceilings":  # whose files do not say it in the invented study
            drawn = draw(figure, select(shown, figure).assign(simulated=int(simulated)))
        titles = [axes.get_title().replace("\n", " ") for axes in drawn.axes if axes.get_title()]
        about_data = [title for title in titles if "nats per" not in title]
        assert len(about_data) >= 2
        assert {"(simulated data)" in title for title in about_data} == {simulated}
        assert ("(simulated data)" in drawn.get_suptitle().replace("\n", " ")) == simulated


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("which", ["measured_study", "one_model"])
def test_nothing_written_overlaps_or_leaves_the_page(which: str, figure: str, request: pytest.FixtureRequest) -> None:
    nothing_overlaps_or_leaves_the_page(drawing(request.getfixturevalue(which), figure))


@pytest.mark.parametrize(
    "figure",
    [
        "alignment",
        "tuned-against-base",
        "gains",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("over-nulls", "split-policies", "width-and-size", "pairs")
        ),
    ],
)
def test_sixty_models_have_room(many_models: WrittenStudy, figure: str) -> None:
    table = select(many_models, figure)
    names = table["tuned" if "tuned" in table else "features"]
    assert names.nunique() >= (21 if "tuned" in table else 63)
    nothing_overlaps_or_leaves_the_page(draw(figure, table))


@pytest.mark.slow
@pytest.mark.parametrize("figure", ["layers", "layers-of-families"])
def test_the_layers_of_sixty_models_have_room(many_models: WrittenStudy, figure: str) -> None:
    nothing_overlaps_or_leaves_the_page(draw(figure, select(many_models, figure)))


@pytest.mark.parametrize("figure", FIGURES)
def test_an_empty_table_is_said_in_one_sentence(study: WrittenStudy, figure: str) -> None:
    drawn = draw(figure, select(study, figure).iloc[:0])
    assert not drawn.axes
    _, said = [text.get_text() for text in drawn.texts]  # the title, and
    assert said.endswith(".")
    nothing_overlaps_or_leaves_the_page(drawn)


@pytest.mark.parametrize("figure", ["alignment", "split-policies", "ceilings", "over-nulls"])
def test_what_is_not_known_is_left_out(study: WrittenStudy, figure: str) -> None:
    """Ceilings and intervals that are NaN, as of published scores, leave the rest as it is."""
    table = select(study, figure)
    unknown = [name for name in table.columns if name.startswith("ceiling") and name != "ceiling_kind"]
    unknown += [name for name in table.columns if name.endswith(("_low", "_high"))]
    if figure == "ceilings":
        unknown = ["low", "high", "null_high"]
    drawn = draw(figure, table.assign(**dict.fromkeys(unknown, np.nan)))
    assert drawn.axes
    nothing_overlaps_or_leaves_the_page(drawn)


@pytest.mark.parametrize("figure", ["alignment", "layers", "over-nulls", "split-policies"])
def test_scores_are_selected_and_not_computed(study: WrittenStudy, figure: str) -> None:
    selected = select(study, figure)
    alignment = read_table(study.study / "alignment.csv")
    shared = [name for name in selected.columns if name in alignment.columns]
    merged = selected[shared].drop_duplicates().merge(alignment[shared].drop_duplicates(), how="left", indicator=True)
    assert len(selected) > 0
    assert (merged["_merge"] == "both").all()


def test_the_alignment_figure_has_every_model_null_and_data_set(study: WrittenStudy) -> None:
    selected = select(study, "alignment")
    assert len(selected) == 2 * 2 * (9 + 3)
    shown = texts(drawing(study, "alignment"))
    for label in ("tiny-1", "tiny-3-instruct", "autocorrelation", "passages", "384 samples, 12 neuroids", "nested"):
        assert label in shown


def test_the_scaling_figure_shows_r_and_n_of_the_table_and_the_average(study: WrittenStudy) -> None:
    selected = select(study, "scaling")
    shown = texts(drawing(study, "scaling"))
    found = read_table(study.study / "correlations.csv")
    for _, row in found[found["property"] == "log10_parameters"].iterrows():
        assert f"r = {row['pearson_r']:.2f}".replace("-", "−") in shown
        assert row["n"] == 6
    assert "n = 6" in shown
    points = selected[selected["row"] == "model"]
    assert len(points) == 3 * 2 * 9
    passages, stories, average = (
        points[points["dataset"] == name].set_index(["encoder", "features"])["r"]
        for name in ("passages", "stories", "average")
    )
    np.testing.assert_allclose((passages + stories) / 2, average.loc[passages.index], rtol=1e-12)
    assert set(points.loc[points["kind"] == "untrained", "in_r"]) == {0}
    assert set(points.loc[points["kind"] != "untrained", "in_r"]) == {1}


def test_only_panels_that_have_scores_are_drawn(study: WrittenStudy) -> None:
    """Methods with different data sets leave no empty panel behind."""
    table = select(study, "scaling")
    fewer = table[(table["encoder"] == "controlled") | (table["dataset"] == "passages")]
    assert len(draw("scaling", fewer).axes) == 4
    assert all(axes.lines for axes in draw("scaling", fewer).axes)


def test_the_losses_figure_shows_the_loss_of_the_properties(study: WrittenStudy) -> None:
    selected = select(study, "losses")
    points = selected[selected["row"] == "model"].drop_duplicates("features")
    losses = read_table(study.study / "properties.csv").set_index("model")["world-loss_nats_per_token"]
    assert points.set_index("features")["value"].to_dict() == pytest.approx(losses.to_dict())


def test_the_pairs_figures_show_the_table(study: WrittenStudy) -> None:
    selected = select(study, "pairs")
    found = read_table(study.study / "pairs.csv")
    pd.testing.assert_frame_equal(selected[found.columns], found)
    shown = texts(drawing(study, "pairs"))
    assert "n = 3 pairs, 3 bases" in shown
    assert "smallest possible 0.25" in shown
    for _, row in found[found["row"] != "pair"].iterrows():
        assert f"Δr = {style.signed(row['difference'], 3)}" in texts(drawing(study, "tuned-against-base"))


def test_pairs_outside_the_first_set_are_told_apart(study: WrittenStudy) -> None:
    own = tables(study, "gains")
    fewer = StudyTables(own.files, own.settings | {"over": EVERY | {"without": ["tiny-1-instruct"]}})
    selected = module("gains").select(fewer)
    pairs = selected[selected["row"] == "pair"]
    assert set(pairs.loc[pairs["tuned"] == "tiny-1-instruct", "in_mean"]) == {0}
    assert set(pairs.loc[pairs["tuned"] != "tiny-1-instruct", "in_mean"]) == {1}
    assert "faint: not in the mean" in texts(draw("gains", selected))


def test_every_ceiling_of_a_neuroid_is_in_the_table_and_counted(study: WrittenStudy) -> None:
    table = pd.DataFrame(
        {
            "dataset": "passages", "simulated": 0, "encoder": "controlled", "ceiling_kind": "subject-pool",
            "row": ["aggregate", *["neuroid"] * 10], "neuroid_id": ["", *map(str, range(10))],
            "ceiling": [0.4, *[np.nan] * 3, *np.linspace(0.2, 0.6, 7)], "low": 0.3, "high": 0.5, "null_high": 0.1,
        }
    )  # fmt: skip
    assert "n = 7 of 10 neuroids have a ceiling" in texts(draw("ceilings", table))
    assert len(select(study, "ceilings")) == 2 * 2 * 2  # encoder × data set × kind, without neuroids of their own


@pytest.mark.parametrize(
    ("figure", "sentence"),
    [
        ("losses", "No next-word loss was measured in this study."),
        ("pairs", "This study has no pair of an instruction-tuned model and its base."),
        ("benchmarks", "No given number is correlated"),
        ("behavior", "This study has no scores of reading times"),
        ("correlations", "There is no correlation over models: fewer than 3 models"),
    ],
)
def test_nothing_to_show_is_said_in_the_picture(one_model: WrittenStudy, figure: str, sentence: str) -> None:
    out = drawn_files(one_model, figure)
    table = read_table(out.with_suffix(".csv"))
    assert sentence in texts(drawing(one_model, figure)).replace("\n", " ")
    assert len(table.columns) > 5
    assert out.with_suffix(".png").stat().st_size > 1000


def test_too_few_models_are_said_on_the_plot(one_model: WrittenStudy) -> None:
    assert "no r: fewer than 3 models" in texts(drawing(one_model, "scaling"))


def test_runs_are_in_their_order_and_losses_beside_them(study: WrittenStudy) -> None:
    selected = select(study, "training-runs")
    own = selected[(selected["run"] == "vanilla") & (selected["measure"] == "world-loss_nats_per_token")]
    assert list(own["features"]) == ["tiny-1", "tiny-2", "tiny-3"]
    assert list(own["position"]) == [0, 1, 2]
    scores = selected[(selected["measure"] == "r") & (selected["dataset"] == "average")]
    assert len(scores) == 2 * 6
    assert "world-loss (nats per byte)" in texts(drawing(study, "training-runs"))


def test_no_run_is_said(study: WrittenStudy) -> None:
    own = tables(study, "training-runs")
    none = module("training-runs").select(StudyTables(own.files, {"runs": {}}))
    assert "No run is declared" in texts(draw("training-runs", none))


def test_shuffled_splits_come_first(study: WrittenStudy) -> None:
    selected = select(study, "split-policies")
    assert list(selected["encoder"].unique()) == ["as-published", "controlled"]
    alone = selected[selected["encoder"] == "controlled"]
    assert "no two encoders" in texts(draw("split-policies", alone))


def test_alarms_are_marked_and_listed(study: WrittenStudy) -> None:
    table = select(study, "over-nulls").assign(alarms="")
    assert "!" not in texts(draw("over-nulls", table))
    table.loc[table.index[0], "alarms"] = "the null length scores higher; there are only 2 groups of samples"
    shown = texts(draw("over-nulls", table))
    assert shown.split("\n").count("!") == 1
    assert f"! the null length scores higher (1 of {len(table)} scores)" in shown
    assert f"! there are only 2 groups of samples (1 of {len(table)} scores)" in shown


def test_behavior_is_apart_from_the_brain(study: WrittenStudy, tmp_path: Path) -> None:
    """Scores of the encoder "behavior" are in its own figure, and in no other."""
    folder = tmp_path / "studies"
    folder.mkdir()
    for kind in KINDS[:5]:
        table = read_table(study.study / f"{kind}.csv")
        if "encoder" in table:
            table["encoder"] = table["encoder"].replace("as-published", "behavior")
        table.to_csv(folder / f"{kind}.csv", index=False)
    named = {kind: {("x",): folder / f"{kind}.csv"} for kind in KINDS[:5]}
    named["replicates"] = {("x",): study.study / "replicates.h5"}
    own = StudyTables(named, settings(study))
    for figure in ("alignment", "pairs", "correlations", "layers"):
        assert set(module(figure).select(own)["encoder"]) == {"controlled"}
    found = module("behavior").select(own)
    assert set(found["encoder"]) == {"behavior"}
    assert set(found["panel"]) >= {"tuned against base", "log10_parameters", "world-loss"}
    drawn = draw("behavior", found)
    assert all(axes.lines for axes in drawn.axes)
    nothing_overlaps_or_leaves_the_page(drawn)


def test_looks_differ_in_colour_and_in_marker_and_in_grey() -> None:
    looks = style.looks([f"encoder-{number}" for number in range(7)])
    assert len({look.colour for look in looks.values()}) == 7
    assert len({look.marker for look in looks.values()}) == 7
    many = style.looks([f"family-{number}" for number in range(60)])
    assert len({(look.colour, look.marker, look.dash) for look in many.values()}) == 60
    assert all(one.marker != other.marker or one.dash != other.dash for one, other in itertools.pairwise(many.values()))


def test_models_of_a_family_grow_darker(study: WrittenStudy) -> None:
    looks = module("layers-of-families").looks_by_size(select(study, "layers-of-families"))
    luminance = [
        sum(weight * int(look.colour[place : place + 2], 16) for weight, place in ((0.299, 1), (0.587, 3), (0.114, 5)))
        for look in looks.values()
    ]
    assert luminance == sorted(luminance, reverse=True)
    assert len({look.marker for look in looks.values()}) == 6


@pytest.mark.parametrize(
    ("shares", "suffix"),
    [
        ([1, 1.0], " (simulated data)"),
        ([0, 0], ""),
        ([0, 1], " (partly simulated data)"),
        ([0.5], " (partly simulated data)"),
        ([1, np.nan], " (simulated data)"),
        ([], ""),
    ],
)
def test_the_suffix_says_how_much_is_simulated(shares: list[float], suffix: str) -> None:
    assert style.simulated_suffix(shares) == suffix


@pytest.mark.parametrize(
    ("p", "shown"), [(0.0123, "p = .012"), (0.0001, "p < .001"), (1.0, "p = 1.000"), (np.nan, "no p")]
)
def test_p_is_readable(p: float, shown: str) -> None:
    assert style.readable_p(p) == shown


@pytest.mark.parametrize(("number", "shown"), [(-0.004, "−0.00"), (-0.0, "0.00"), (-0.126, "−0.13"), (0.5, "0.50")])
def test_numbers_have_a_true_minus_sign(number: float, shown: str) -> None:
    assert style.signed(number) == shown


@pytest.mark.parametrize(("number", "shown"), [(20, "20"), (1e4, "10k"), (3.4e8, "340M"), (7e9, "7B"), (1e12, "1T")])
def test_large_numbers_are_readable(number: float, shown: str) -> None:
    assert module("scaling").draw_points.__globals__["counted"](number) == shown
