"""Figures of one model: a card says what the files of its cells hold; a brain is drawn in a declared space only."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from brainalign.figures import brain, card, style
from brainalign.figures.tables import StudyTables
from brainalign.stages.draw_figure import draw_figure
from brainalign.storage import Variable, write_arrays
from brainalign.tables import read_table
from invented_study import PROVENANCE, WrittenStudy, invent

MODEL = "tiny-2"


def words(values: Any) -> np.ndarray:
    return np.array([str(value) for value in values], dtype=object)


def texts(figure: Figure) -> str:
    figure.draw_without_rendering()
    return "\n".join(text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> WrittenStudy:
    return invent(tmp_path_factory.mktemp("study"), {"tiny": (4.0, 4.5)}).finish()


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
    kinds = "alignment properties correlations controlled_correlations pairs replicates ceilings responses cells"
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
    write_arrays(encoding, {"chosen_r": Variable(("scored_fold", "neuroid"), r.astype(np.float32))}, {"simulated": 0})
    ceilings = root / "ceilings" / "controlled" / "mine.h5"
    values = {
        "ceiling_kind": Variable(("ceiling_kind",), words(["repeats"])),
        "ceiling_per_neuroid": Variable(("ceiling_kind", "neuroid"), np.full((1, 30), 0.5)),
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
    table = run_stage(tmp_path / "brain", spec, write_brain(tmp_path, places))
    assert len(table) == (30 if places else 0)
    table = table.assign(space=space or "") if places else table
    with style.styled():
        figure = brain.draw(table)
    assert said in texts(figure).replace("\n", " ")
    if places and space:
        np.testing.assert_allclose(table["r"][:29], np.linspace(0.1, 0.3, 30)[:29], atol=1e-5)
        assert set(table["ceiling"]) == {0.5}
        assert "2 subjects of mine" in texts(figure).replace("\n", " ")
    else:
        assert table[["x", "y", "z"]].isna().all().all()
