"""Figures of one model: a card says what the files of its cells hold; a brain is drawn in a declared space only."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from brainalign.errors import UnreadableFileError
from brainalign.figures import brain, card, style
from brainalign.figures.tables import StudyTables, by_name
from brainalign.stages.draw_figure import draw_figure
from brainalign.storage import Variable, write_arrays
from brainalign.tables import read_table
from figures.conftest import texts
from invented_study import PROVENANCE, WrittenStudy

MODEL = "tiny-2"


def words(values: Any) -> np.ndarray:
    return np.array([str(value) for value in values], dtype=object)


@pytest.fixture(scope="module")
def files(study: WrittenStudy) -> dict[str, list[Path]]:
    """The files of one model; its encodings with penalties and its activations are written here."""
    encodings = []
    for encoder in ("controlled", "as-published"):
        path = study.root / "fits" / encoder / "last-token" / MODEL / "passages.h5"
        penalty = np.full((3, 2, 4), np.nan)
        if encoder == "controlled":
            penalty[1] = [[1.0, 10.0, 15.0, 99.0], [2.0, 20.0, 200.0, 300.0]]
            penalty[2] = 1e6
        variables = {
            "penalty": Variable(("layer", "fold", "neuroid"), penalty),
            "chosen_layer": Variable(("fold", "choice_unit"), np.array([[1], [1]])),
            "edge_share": Variable(("layer", "fold"), np.array([[0.0, 0.0], [0.25, 0.5], [1.0, 1.0]])),
            "subject": Variable(("neuroid",), words("1122")),
        }
        write_arrays(path, variables, {"simulated": 1})
        encodings.append(path)
    activations = study.root / "activations" / "last-token" / MODEL / "passages.h5"
    summary = {"parts": 384, "tokens": 29931, "parts_past_limit": 3, "parts_truncated": 2, "tokens_truncated": 17}
    write_arrays(activations, {"stimulus": Variable(("stimulus",), words("ab"))}, {"summary": json.dumps(summary)})
    return {
        "cells": [path for path in study.alignments if path.parts[-2] == MODEL],
        "encodings": encodings,
        "activations": [activations],
        "manifests": [study.root / "models" / MODEL / "manifest.json"],
        "losses": [study.root / "losses" / "world-loss" / f"{MODEL}.json"],
    }


def run_stage(out: Path, spec: dict[str, Any], given: dict[str, list[Path]]) -> pd.DataFrame:
    kinds = "alignment properties correlations controlled_correlations pairs averages ceilings responses cells"
    kinds += " encodings activations manifests losses"
    paths = {kind: given.get(kind, []) for kind in kinds.split()}
    table, pdf, png = (out.with_suffix(ending) for ending in (".csv", ".pdf", ".png"))
    draw_figure(spec, PROVENANCE, **paths, table=table, pdf=pdf, png=png)
    assert png.stat().st_size > 1000
    return read_table(table)


def test_the_card_says_what_the_files_say(study: WrittenStudy, files: dict[str, list[Path]], tmp_path: Path) -> None:
    spec = {"figure": f"card-{MODEL}", "model": MODEL, "family": "tiny", "kind": "vanilla", "base": None}
    table = run_stage(tmp_path / "card", spec, files)
    tokens = table[table["section"] == card.TOKENS].set_index("item")["value"]
    assert tokens.to_dict() == {
        "parts": 384, "tokens": 29931, "parts_past_limit": 3, "parts_truncated": 2, "tokens_truncated": 17
    }  # fmt: skip
    penalties = table[(table["section"] == card.PENALTY) & (table["item"] == "decade")]
    assert penalties.set_index("position")["value"].to_dict() == {0: 2, 1: 4, 2: 2}
    assert penalties["share"].sum() == pytest.approx(1)
    edge = table[(table["section"] == card.PENALTY) & (table["item"] != "decade")]
    assert list(edge["share"]) == [0.375]
    scores = table[(table["section"] == card.SCORE) & (table["item"] == "r")]
    whole = pd.concat([read_table(path) for path in files["cells"]])
    whole = whole[(whole["subject"] == "all") & (whole["region"] == "all")]
    assert sorted(scores["value"]) == pytest.approx(sorted(whole.loc[whole["layer"] == "chosen", "r"]))
    layers = table[table["section"] == card.LAYER]
    assert len(layers) == (whole["layer"] != "chosen").sum()
    table[["text", "dataset", "readout", "encoder"]] = table[["text", "dataset", "readout", "encoder"]].fillna("")
    with style.styled():
        shown = texts(card.draw(table))
    for said in (
        "Model card: tiny-2 (simulated data)",
        "29,931",
        "at the edge of the grid",
        "per byte",
        "as-published",
    ):
        assert said in shown


def test_the_card_of_an_encoder_with_a_decoder_names_its_loss(files: dict[str, list[Path]], tmp_path: Path) -> None:
    path = tmp_path / "losses" / "world-loss" / f"{MODEL}.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"span_nats_per_token": 0.5, "span_nats_per_byte": 0.125, "nats": 9.0}))
    spec = {"figure": f"card-{MODEL}", "model": MODEL, "family": "tiny", "kind": "vanilla", "base": None}
    table = run_stage(tmp_path / "card", spec, files | {"losses": [path], "encodings": []})
    words = ["text", "dataset", "readout", "encoder"]
    with style.styled():
        shown = texts(card.draw(table.assign(**{name: table[name].fillna("") for name in words})))
    assert "loss of spans, world-loss, in nats: 0.500 per token, 0.125 per byte" in shown
    assert "next-word" not in shown


@pytest.mark.parametrize(
    ("chosen", "decades", "edge"),
    [
        ([[0], [1]], {0: 4, 1: 4}, (0.1 + 0.3) / 2),
        ([[0, 1], [1, 0]], {0: 2, 1: 2, 2: 2, 3: 2}, (0.1 + 0.2 + 0.3 + 0.4) / 4),  # subjects "2" and "1"
        ([[0, 0, 0, 1], [0, 0, 0, 1]], {0: 3, 1: 1, 2: 3, 3: 1}, (3 * 0.1 + 0.2 + 3 * 0.4 + 0.3) / 8),
    ],
    ids=["all", "subject", "neuroid"],
)
def test_penalties_count_at_the_layer_that_was_chosen_for_each_neuroid(
    tmp_path: Path, chosen: list[list[int]], decades: dict[int, int], edge: float
) -> None:
    path = tmp_path / "controlled" / "last-token" / MODEL / "passages.h5"
    power = np.array([[0, 2], [3, 1]])  # (layer, fold)
    variables = {
        "penalty": Variable(("layer", "fold", "neuroid"), np.repeat(10.0**power, 4, axis=1).reshape(2, 2, 4) * 1.5),
        "chosen_layer": Variable(("fold", "choice_unit"), np.array(chosen)),
        "edge_share": Variable(("layer", "fold"), np.array([[0.1, 0.4], [0.2, 0.3]])),
        "subject": Variable(("neuroid",), words("2121")),
    }
    write_arrays(path, variables, {"simulated": 1})
    none: dict[str, list[Path]] = {kind: [] for kind in ("cells", "activations", "losses", "manifests")}
    table = card.select(StudyTables(by_name(none | {"encodings": [path]}), {"model": MODEL}))
    found = table[table["item"] == "decade"].set_index("position")
    assert found["value"].to_dict() == decades
    assert found["share"].to_dict() == {decade: count / 8 for decade, count in decades.items()}
    assert table.loc[table["item"] != "decade", "share"].dropna().tolist() == pytest.approx([edge])


def test_layers_of_units_that_are_neither_subjects_nor_neuroids_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "controlled" / "last-token" / MODEL / "passages.h5"
    variables = {
        "penalty": Variable(("layer", "fold", "neuroid"), np.ones((1, 1, 4))),
        "chosen_layer": Variable(("fold", "choice_unit"), np.zeros((1, 3), dtype=int)),
        "edge_share": Variable(("layer", "fold"), np.zeros((1, 1))),
        "subject": Variable(("neuroid",), words("1122")),
    }
    write_arrays(path, variables, {})
    none: dict[str, list[Path]] = {kind: [] for kind in ("cells", "activations", "losses", "manifests")}
    with pytest.raises(UnreadableFileError, match="it has layers of 3 units, but 4 neuroids of 2 subjects"):
        card.select(StudyTables(by_name(none | {"encodings": [path]}), {"model": MODEL}))


def test_a_card_without_scores_says_so(files: dict[str, list[Path]]) -> None:
    named = {"manifests": {(MODEL, "manifest"): files["manifests"][0]}}
    none: dict[str, dict[tuple[str, ...], Path]] = {
        kind: {} for kind in ("cells", "encodings", "activations", "losses")
    }
    table = card.select(StudyTables(named | none, {"model": MODEL, "family": "tiny", "kind": "vanilla", "base": ""}))
    shown = texts(card.draw(table))
    assert "No text was read by this model." in shown
    assert "No data set was scored." in shown


def write_brain(root: Path, places: bool) -> dict[str, list[Path]]:
    """Write the responses, ceilings and encoding of 30 neuroids, the last without a score."""
    random = np.random.default_rng(0)
    neuroid = {"neuroid": words(range(30)), "subject": words(["1", "2"] * 15), "region": words(["a"] * 30)}
    if places:
        neuroid |= {name: random.uniform(-50, 50, 30) for name in "xyz"}
    responses = root / "responses" / "mine.h5"
    write_arrays(responses, {name: Variable(("neuroid",), values) for name, values in neuroid.items()}, {})
    r = np.stack([np.linspace(0, 0.2, 30), np.linspace(0.2, 0.4, 30)])
    r[:, -1] = np.nan
    encoding = root / "encoding" / "controlled" / "last-token" / MODEL / "mine.h5"
    facts: dict[str, str | int | float] = {"simulated": 0, "spec": json.dumps({"layer": {"fixed": "block_01"}})}
    write_arrays(encoding, {"chosen_r": Variable(("scored_fold", "neuroid"), r.astype(np.float32))}, facts)
    ceilings = root / "ceilings" / "controlled" / "mine.h5"
    values = {
        "ceiling_kind": Variable(("ceiling_kind",), words(["repeats"])),
        "ceiling_units": Variable(("ceiling_kind",), words(["r2"])),
        "ceiling_per_neuroid": Variable(("ceiling_kind", "neuroid"), np.full((1, 30), 0.25)),
    }
    write_arrays(ceilings, values, {})
    return {"responses": [responses], "encodings": [encoding], "ceilings": [ceilings]}


@pytest.mark.parametrize(
    ("places", "space", "said"),
    [
        (True, "MNI", "r at the chosen layer, n = 29 neuroids"),
        (True, None, "set datasets.mine.coordinates to MNI if they are millimetres of MNI space."),
        (False, "MNI", "No neuroid has coordinates"),
    ],
)
def test_a_brain_is_drawn_where_its_space_is_declared(
    tmp_path: Path, places: bool, space: str | None, said: str
) -> None:
    spec = {"figure": f"brain-{MODEL}", "model": MODEL, "coordinates": {"mine": space}}
    table = brain.select(StudyTables(by_name(write_brain(tmp_path, places)), spec))
    assert set(table["layer_choice"]) <= {"fixed:block_01"}
    assert len(table) == (30 if places else 0)
    with style.styled():
        figure = brain.draw(table)
    assert said in texts(figure).replace("\n", " ")
    if places and space:
        np.testing.assert_allclose(table["r"][:29], np.linspace(0.1, 0.3, 30)[:29], atol=1e-5)
        assert set(table["ceiling"]) == {0.5}
        assert "2 subjects of mine" in texts(figure).replace("\n", " ")
        assert [axes.name for axes in figure.axes].count("3d") == 2 * 4  # r and ceiling, two hemispheres from two sides
    else:
        assert table[["x", "y", "z"]].isna().all().all()


def test_a_vertex_shows_the_mean_of_the_neuroids_near_it() -> None:
    random = np.random.default_rng(2)
    vertices, places, values = (
        random.uniform(-20, 20, (50, 3)),
        random.uniform(-20, 20, (200, 3)),
        random.normal(size=200),
    )
    found = brain.on_vertices(vertices, places, values)
    distance = np.linalg.norm(vertices[:, None] - places, axis=2)
    expected = [values[row <= brain.NEAR].mean() if (row <= brain.NEAR).any() else np.nan for row in distance]
    np.testing.assert_allclose(found, expected)
    assert 0 < np.isnan(found).sum() < 50
