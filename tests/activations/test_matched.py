"""Layers matched in width: one after the other, on disk, and by the stage itself."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind

from brainalign.activations.extraction import extract
from brainalign.activations.matched import Match, match_layers
from brainalign.activations.matching import components, projected, projection_matrix
from brainalign.activations.partial import PartialStates
from brainalign.activations.readout import Readout
from brainalign.activations.stored import read_layers
from brainalign.errors import InputError
from brainalign.models.manifest import describe_folder, write_manifest
from brainalign.provenance import Provenance
from brainalign.stages.extract_activations import extract_activations
from brainalign.storage import read_attributes
from brainalign.tables import write_table

STIMULI = 30
WIDTHS = {"embeddings": 12, "block_01": 20, "final": 12}
IS_LANGUAGE = np.arange(14) % 2 == 0


@pytest.fixture
def layers() -> dict[str, np.ndarray]:
    """Stimuli, then a localizer's texts."""
    random = np.random.default_rng(0)
    rows = STIMULI + len(IS_LANGUAGE)
    return {name: random.standard_normal((rows, width)).astype(np.float32) for name, width in WIDTHS.items()}


def matched(layers: dict, folder: Path, **match: Any) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    found, done = match_layers(layers, STIMULI, Match(**match), folder, IS_LANGUAGE)
    json.dumps(done)
    return {name: values[:] for name, values in found.items()}, done


def test_components_and_projections_of_the_stimuli_alone(layers, tmp_path) -> None:
    found, done = matched(layers, tmp_path / "a", kind="components", count=5)
    assert list(found) == list(WIDTHS)
    for name, states in layers.items():
        np.testing.assert_array_equal(found[name], components(states[:STIMULI], 5)[0])
    assert done == {"kind": "components", "count": 5, "stimuli": STIMULI, "ranks_below_count": {}}
    found, done = matched(layers, tmp_path / "b", kind="projection", count=5, seed=2)
    for name, states in layers.items():
        np.testing.assert_array_equal(
            found[name], projected(states[:STIMULI], projection_matrix(name, WIDTHS[name], 5, 2))
        )
    assert done == {"kind": "projection", "count": 5, "stimuli": STIMULI, "seed": 2}


def test_a_constant_layer_is_told(layers, tmp_path, caplog) -> None:
    layers["embeddings"][:] = 0.3
    found, done = matched(layers, tmp_path, kind="components", count=5)
    assert not found["embeddings"].any()
    assert done["ranks_below_count"] == {"embeddings": 0}
    assert "the layer embeddings has 0 components only; the others are zeros" in caplog.text


def t_of(states: np.ndarray) -> np.ndarray:
    texts = states[STIMULI:].astype(float)
    return ttest_ind(texts[IS_LANGUAGE], texts[~IS_LANGUAGE], equal_var=False).statistic


@pytest.mark.parametrize("rank", ["t", "absolute-t"])
def test_a_localizer_keeps_the_most_selective_units_of_each_layer(layers, tmp_path, rank) -> None:
    found, done = matched(layers, tmp_path, kind="localizer", count=4, rank=rank)
    for name, states in layers.items():
        t = t_of(states) if rank == "t" else np.abs(t_of(states))
        units = sorted(np.argsort(-t)[:4])
        np.testing.assert_array_equal(found[name], states[:STIMULI, units])
        assert done["lowest_value"][name] == pytest.approx(t[units].min())
    assert done["units"] == dict.fromkeys(WIDTHS, 4)
    assert (done["language_texts"], done["control_texts"]) == (7, 7)


def test_a_localizer_over_the_whole_model_gives_one_layer(layers, tmp_path) -> None:
    found, done = matched(layers, tmp_path, kind="localizer", count=17, over="model")
    joined = np.hstack(list(layers.values()))
    units = sorted(np.argsort(-t_of(joined))[:17])
    assert list(found) == ["localized"]
    np.testing.assert_array_equal(found["localized"], joined[:STIMULI, units])
    assert sum(done["units"].values()) == 17
    with pytest.raises(InputError, match=r"the model has 44 units that vary .*, but match asks for 45"):
        matched(layers, tmp_path, kind="localizer", count=45, over="model")


@pytest.mark.parametrize("kind", ["components", "projection", "localizer"])
def test_a_layer_that_is_too_narrow_is_refused(layers, tmp_path, kind) -> None:
    with pytest.raises(InputError, match="the layer embeddings has 12 units, and so cannot be matched to 13"):
        matched(layers, tmp_path, kind=kind, count=13)


def test_what_can_be_foreseen_is_refused_before_a_model_is_read() -> None:
    Match("components", 5).check(6, 5)
    Match("localizer", 9, over="model").check(1, 4)
    with pytest.raises(InputError, match="6 stimuli have no more than 5 components, but match asks for 6"):
        Match("components", 6).check(6, 16)
    with pytest.raises(InputError, match="the model's states have 16 units, and so cannot be matched to 17"):
        Match("projection", 17).check(100, 16)


def test_rows_on_disk_give_what_arrays_give(layers, tmp_path) -> None:
    partial = PartialStates.open(tmp_path / "partial", {}, STIMULI + len(IS_LANGUAGE))
    for name, states in layers.items():
        partial.write(name, np.arange(len(states)), states)
    partial.finish({})
    on_disk = {name: partial.layer(name) for name in layers}
    for number, match in enumerate(
        [{"kind": "components", "count": 3}, {"kind": "projection", "count": 3}, {"kind": "localizer", "count": 3}]
    ):
        first, _ = matched(layers, tmp_path / f"a{number}", **match)
        second, _ = matched(on_disk, partial.scratch() / "matched", **match)
        for name, expected in first.items():
            np.testing.assert_array_equal(second[name], expected)
    partial.remove()
    assert not (tmp_path / "partial").exists()


# --- the stage ------------------------------------------------------------------------------------------------------

LOCALIZER = "text,condition\n" + "".join(
    f"the {noun} sleeps near the mill,sentence\n{noun[::-1]} xq zzv jk,non-word\n"
    for noun in ("red fox", "old owl", "big dog", "day", "cat")
)
COLUMNS = {"text": "text", "condition": "condition", "conditions": ["sentence", "non-word"]}


@pytest.fixture(scope="module")
def files(tmp_path_factory, make_model, byte_tokenizer, stimuli) -> Path:
    folder = tmp_path_factory.mktemp("stage")
    make_model("llama").save_pretrained(folder / "weights")
    byte_tokenizer.save_pretrained(folder / "weights")
    write_manifest(folder / "manifest.json", describe_folder(folder / "weights"))
    (folder / "localizer.csv").write_text(LOCALIZER)
    table = stimuli.assign(text=stimuli["text"].str.strip())
    write_table(folder / "stimuli.csv", table, Provenance("stimuli", {}, "none"))
    return folder


@pytest.fixture
def run(files: Path) -> Callable[..., tuple[dict[str, np.ndarray], dict[str, Any]]]:
    """Run the stage and return its layers, and its attributes."""

    def run(spec: dict[str, Any], placement: str = "resident") -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        spec = {"readout": {"pooling": "mean"}, "dtype": "float32"} | spec
        localizer = [files / "localizer.csv"] if "localizer" in spec else []
        out = files / "out.h5"
        extract_activations(
            spec, Provenance("extract_activations", spec, "none"), files / "stimuli.csv", files / "manifest.json",
            localizer, out, files / "digest.json", placement, 4096,
        )  # fmt: skip
        assert not (files / "out.h5.partial").exists()
        ids = pd.read_csv(files / "stimuli.csv", dtype=str)["stimulus_id"]
        return dict(read_layers(out, ids.to_numpy(object))), read_attributes(out)

    return run


def test_the_stage_matches_what_it_extracts(run) -> None:
    whole, attributes = run({})
    assert "match" not in attributes
    found, attributes = run({"match": {"kind": "components", "count": 6}})
    assert list(found) == list(whole)
    for name, states in whole.items():
        np.testing.assert_array_equal(found[name], components(states, 6)[0])
    assert json.loads(attributes["match"])["count"] == 6
    found, _ = run({"match": {"kind": "projection", "count": 6, "seed": 1}})
    np.testing.assert_array_equal(found["final"], projected(whole["final"], projection_matrix("final", 16, 6, 1)))


@pytest.mark.parametrize("placement", ["resident", "streamed"])
def test_the_stage_reads_the_localizers_texts_too(run, placement, make_model, byte_tokenizer, tables) -> None:
    whole, _ = run({})
    given = {"localizer": {"columns": COLUMNS}}
    found, attributes = run(given | {"match": {"kind": "localizer", "count": 5}}, placement)
    rows = [line.split(",") for line in LOCALIZER.splitlines()[1:]]
    texts = tables(*[[text] for text, _ in rows])
    states = extract(make_model("llama"), byte_tokenizer, texts, Readout(pooling="mean")).layers
    is_language = np.array([condition == "sentence" for _, condition in rows])
    for name, layer in states.items():
        t = ttest_ind(layer[is_language].astype(float), layer[~is_language].astype(float), equal_var=False).statistic
        units = sorted(np.argsort(-t)[:5])
        np.testing.assert_allclose(found[name], whole[name][:, units], rtol=1e-4, atol=1e-5)
    assert json.loads(attributes["match"])["language_texts"] == 5


def test_what_cannot_be_matched_is_refused_before_the_model_is_loaded(run, monkeypatch) -> None:
    monkeypatch.setattr("brainalign.stages.extract_activations.load_at", None)
    with pytest.raises(InputError, match="the model's states have 16 units, and so cannot be matched to 17"):
        run({"match": {"kind": "projection", "count": 17}})
