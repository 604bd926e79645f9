"""Figures show what lies in the CSV beside them and nothing else, in files that are equal for equal tables."""

import functools
import importlib
import io
import itertools
import shutil
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from brainalign import number_texts
from brainalign.config.figures import FIGURES
from brainalign.figures import style
from brainalign.figures.needs import drawn_by, needs
from brainalign.figures.tables import StudyTables, by_name
from brainalign.stages.draw_figure import draw_figure
from brainalign.storage import read_arrays
from brainalign.study import summary_rows
from brainalign.tables import read_table
from figures.conftest import texts
from invented_study import PROVENANCE, WrittenStudy

TABLES = ("alignment", "properties", "correlations", "controlled_correlations", "pairs", "averages")
KINDS = (*TABLES, "ceilings", "responses", "cells", "encodings", "activations", "manifests", "losses")
LONG = "a-family-with-a-rather-long-name-v1.1"
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
    found = {kind: [study.study / f"{kind}.csv"] for kind in TABLES}
    found |= {"ceilings": sorted(study.root.glob("ceilings/*/*.h5"))}
    return {kind: found.get(kind, []) if kind in wanted else [] for kind in KINDS}


def drawn_files(study: WrittenStudy, figure: str, folder: str = "figures") -> Path:
    out = study.study / folder / figure
    spec = {"figure": figure, **settings(study)}
    paths = [out.with_suffix(ending) for ending in (".csv", ".pdf", ".png")]
    draw_figure(spec, PROVENANCE, **files(study, figure), table=paths[0], pdf=paths[1], png=paths[2])
    return out


def tables(study: WrittenStudy, figure: str) -> StudyTables:
    return StudyTables(by_name(files(study, figure)), settings(study))


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


def lines_of(figure: Figure) -> list[str]:
    """Everything that is drawn and written on a figure, as SVG, which is quicker than the files that are kept."""
    page = io.StringIO()
    with mpl.rc_context({**style.RC, "svg.fonttype": "none", "svg.hashsalt": "tests"}):
        figure.savefig(page, format="svg", metadata={"Date": None})
    return page.getvalue().splitlines()


def again_from_csv(figure: str, selected: pd.DataFrame, folder: Path) -> Figure:
    """The figure that the CSV beside it gives."""
    folder.mkdir(parents=True, exist_ok=True)
    selected.to_csv(folder / f"{figure}.csv", index=False)
    kept = read_table(folder / f"{figure}.csv")
    assert list(kept.columns) == list(selected.columns)
    words = selected.select_dtypes(exclude="number").columns
    kept[words] = kept[words].astype(object).fillna("")
    return draw(figure, kept)


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


read_once = functools.cache(read_table)


@pytest.fixture(autouse=True)
def tables_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures of all tests select from tables that are parsed when the first asks for them."""
    monkeypatch.setattr("brainalign.figures.tables.read_table", read_once)


def derived(study: WrittenStudy, root: Path, models: dict[str, dict[str, Any]]) -> WrittenStudy:
    """A study with other models, whose tables are still to be written, and the ceilings of an invented one."""
    shutil.copytree(study.root / "ceilings", root / "ceilings")
    made = WrittenStudy(root, models, {}, study.simulated)
    made.study.mkdir(parents=True)
    return made


@pytest.fixture(scope="module")
def measured_study(tmp_path_factory: pytest.TempPathFactory, study: WrittenStudy) -> WrittenStudy:
    """The small study under other names, long ones among them, of two families, and not simulated."""

    def renamed(text: str) -> str:
        return text.replace("tiny-3", f"{LONG}-1").replace("tiny-", "llama-")

    models = {
        renamed(model): entry | {"family": LONG if "tiny-3" in model else "llama", "base": renamed(entry["base"] or "")}
        for model, entry in study.models.items()
    }
    measured = derived(study, tmp_path_factory.mktemp("measured"), models)
    for kind in TABLES:
        table = read_table(study.study / f"{kind}.csv")
        for column in table.select_dtypes(exclude="number"):
            table[column] = table[column].map(renamed)
        if "family" in table:
            known = (
                table["model"].map({name: entry["family"] for name, entry in models.items()})
                if "model" in table
                else ""
            )
            table["family"] = np.where(table["family"] == "", "", known if "model" in table else "llama")
        if "simulated" in table:
            table["simulated"] = 0
        table.to_csv(measured.study / f"{kind}.csv", index=False)
    return measured


@pytest.fixture(scope="module")
def one_model(tmp_path_factory: pytest.TempPathFactory, study: WrittenStudy) -> WrittenStudy:
    """One model and its twin, of which no loss is known."""
    models = {name: study.models[name] for name in ("tiny-1", "tiny-1-untrained-0")}
    one = derived(study, tmp_path_factory.mktemp("one"), models)
    alignment, properties = (read_table(study.study / f"{kind}.csv") for kind in ("alignment", "properties"))
    kept = alignment["features"].isin(models) | (alignment["features_kind"] != "model")
    paths = [one.study / f"{kind}.csv" for kind in ("alignment", "properties")]
    alignment[kept].to_csv(paths[0], index=False)
    known = [name for name in properties.columns if "loss" not in name]
    properties.loc[properties["model"].isin(models), known].to_csv(paths[1], index=False)
    one.analyse(*paths, study.study / "replicates.h5", ["log10_parameters"])
    return one


@pytest.fixture(scope="module")
def many_models(tmp_path_factory: pytest.TempPathFactory, study: WrittenStudy) -> WrittenStudy:
    """The tables of the small study with 63 models in 7 families, each a copy of a small one under another name."""
    names = [f"family-{letter}" for letter in "abcdefg"]
    models = {
        model.replace("tiny", family): {
            **entry,
            "family": family,
            "base": (entry["base"] or "").replace("tiny", family),
        }
        for family in names
        for model, entry in study.models.items()
    }
    many = derived(study, tmp_path_factory.mktemp("many"), models)
    for kind in TABLES:
        table = read_table(study.study / f"{kind}.csv")
        if kind == "alignment":
            table = table[(table["subject"] == "all") & (table["region"] == "all")]
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
    return many


@pytest.mark.parametrize("figure", FIGURES)
def test_equal_tables_give_equal_pages_and_the_csv_is_all_that_is_drawn(
    study: WrittenStudy, figure: str, tmp_path: Path
) -> None:
    again = again_from_csv(figure, select(study, figure), tmp_path)
    assert lines_of(again) == lines_of(drawing(study, figure))


def test_the_stage_writes_equal_bytes(study: WrittenStudy, tmp_path: Path) -> None:
    """Whole files, as they are kept: a PDF that is packed, and a picture of points."""
    figure = "alignment"
    first, second = drawn_files(study, figure), tmp_path / figure
    style.save(again_from_csv(figure, select(study, figure), tmp_path), *map(second.with_suffix, (".pdf", ".png")))
    for ending in (".pdf", ".png"):
        assert first.with_suffix(ending).read_bytes() == second.with_suffix(ending).read_bytes(), ending
    assert b"CreationDate" not in first.with_suffix(".pdf").read_bytes()
    pd.testing.assert_frame_equal(read_table(first.with_suffix(".csv")), read_table(second.with_suffix(".csv")))


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


# What of the numbers of a figure is in no table of scores: numbers of the models, and what is told of a row.
NOT_SCORES = {
    "scaling": {"value", "in_r"},
    "losses": {"value", "in_r"},
    "benchmarks": {"value", "in_r"},
    "behavior": {"value", "in_r", "in_mean"},
    "alignment": {"parameters"},
    "width-and-size": {"value", "in_r"},
    "layers-of-families": {"parameters", "relative_depth"},
    "training-runs": {"position"},
    "tuned-against-base": {"in_mean"},
    "gains": {"in_mean"},
    "pairs": {"in_mean"},
}


def sources_of(study: WrittenStudy, figure: str, selected: pd.DataFrame) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    """The rows of a figure, beside the table of the study in which they are to be found, its columns renamed."""
    read = {kind: read_once(study.study / f"{kind}.csv") for kind in TABLES}
    scores = pd.concat([summary_rows(read["alignment"]), read["averages"]], ignore_index=True)
    if figure in ("alignment", "layers", "layers-of-families", "over-nulls", "split-policies"):
        return [(selected, read["alignment"])]
    if figure in ("tuned-against-base", "gains", "pairs"):
        return [(selected, read["pairs"])]
    if figure == "training-runs":
        renamed = scores.rename(columns={"r": "value", "r_low": "low", "r_high": "high"})
        return [(selected[selected["measure"] == "r"], renamed)]
    if figure == "correlations":
        alone = {"pearson_r": "r", "fisher_low": "low", "fisher_high": "high", "pearson_p": "p"}
        correlations = read["correlations"].rename(columns=alone)
        own = selected["analysis"] == "pearson"
        held = read["controlled_correlations"].rename(columns={"estimate": "r"})
        return [(selected[own], correlations), (selected[~own], held)]
    points = selected["row"] == "model"
    return [(selected[points], scores), (selected[selected["row"] == "correlation"], read["correlations"])]


@pytest.mark.parametrize("figure", sorted(set(FIGURES) - {"ceilings"}))
def test_scores_of_chosen_layers_say_how_these_were_chosen(study: WrittenStudy, figure: str) -> None:
    selected = select(study, figure)
    assert "layer_choice" in selected
    choices = selected.loc[selected["encoder"] == "as-published", "layer_choice"]
    assert set(choices) <= {"best"}


@pytest.mark.parametrize("figure", sorted(set(FIGURES) - NOTHING_TO_SHOW - {"ceilings"}))
def test_scores_are_selected_and_not_computed(study: WrittenStudy, figure: str) -> None:
    selected = select(study, figure)
    assert len(selected) > 0
    looked_up = set()
    for rows, source in sources_of(study, figure, selected):
        if rows.empty:
            continue
        names = [name for name in rows.columns if rows[name].notna().any()]
        shared = [name for name in names if name in source.columns]
        looked_up |= {*shared}
        wanted, there = (part[shared].drop_duplicates() for part in (rows.infer_objects(), source))
        merged = wanted.merge(there, how="left", indicator=True)
        assert (merged["_merge"] == "both").all(), merged[merged["_merge"] != "both"]
    numbers = {name for name in selected.select_dtypes("number") if selected[name].notna().any()}
    assert numbers - looked_up == NOT_SCORES.get(figure, set()) & numbers


def test_ceilings_are_those_of_the_files(study: WrittenStudy) -> None:
    selected = select(study, "ceilings")
    for (encoder, dataset), rows in selected[selected["row"] == "aggregate"].groupby(["encoder", "dataset"]):
        names = ["ceiling_kind", "ceiling_aggregate", "ceiling_low", "ceiling_high"]
        arrays = read_arrays(study.root / "ceilings" / str(encoder) / f"{dataset}.h5", names)
        for column, name in zip(("ceiling", "low", "high"), names[1:], strict=True):
            expected = dict(zip(arrays["ceiling_kind"], arrays[name][:, 0, 0], strict=True))
            assert rows.set_index("ceiling_kind")[column].to_dict() == expected


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
        assert f"r = {number_texts.number(row['pearson_r'], 2)} [" in shown
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
        assert f"Δr = {number_texts.number(row['difference'])}" in texts(drawing(study, "tuned-against-base"))


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
    assert sentence in texts(drawing(one_model, figure)).replace("\n", " ")
    assert len(select(one_model, figure).columns) > 5


def test_a_figure_with_nothing_to_show_is_written_too(one_model: WrittenStudy) -> None:
    out = drawn_files(one_model, "losses")
    assert out.with_suffix(".png").stat().st_size > 1000
    assert list(read_table(out.with_suffix(".csv")).columns) == list(select(one_model, "losses").columns)


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
    for kind in TABLES:
        table = read_table(study.study / f"{kind}.csv")
        if "encoder" in table:
            table["encoder"] = table["encoder"].replace("as-published", "behavior")
        table.to_csv(folder / f"{kind}.csv", index=False)
    named = by_name({kind: [folder / f"{kind}.csv"] for kind in TABLES})
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


@pytest.mark.parametrize(("number", "shown"), [(20, "20"), (1e4, "10k"), (3.4e8, "340M"), (7e9, "7B"), (1e12, "1T")])
def test_large_numbers_are_readable(number: float, shown: str) -> None:
    assert module("scaling").draw_points.__globals__["counted"](number) == shown
