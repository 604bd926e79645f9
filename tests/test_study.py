"""Joined tables hold the cells as they are."""

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from brainalign.correlation.observations import observe
from brainalign.correlation.scores import ModelScores
from brainalign.errors import UnreadableFileError
from brainalign.study import differing_versions, properties_table, read_cell, read_losses, read_record, read_sizes
from brainalign.tables import read_table
from invented_study import DRAWS, ENCODERS, WrittenStudy

Invent = Callable[..., WrittenStudy]


def test_the_joined_table_is_the_cells_under_one_another(invent_study: Invent) -> None:
    study = invent_study()
    joined = read_table(study.join()[0])
    cells = pd.concat([read_table(path) for path in study.alignments], ignore_index=True)
    pd.testing.assert_frame_equal(joined[cells.columns], cells, check_exact=False, check_dtype=False, rtol=1e-12)
    assert set(joined) - set(cells) == {"r_q", "over_null_q"}
    assert joined["layer_index"].dropna().map(float.is_integer).all()


def test_replicates_are_those_of_the_chosen_layer(invent_study: Invent) -> None:
    study = invent_study()
    with h5py.File(study.join()[2]) as file:
        assert file["r"].shape == (DRAWS, len(study.encodings))
        names = [[text.decode() for text in file[name]] for name in ("dataset", "encoder", "readout", "features")]
        values = file["r"][()]
    for index, path in enumerate(study.encodings):
        encoder, readout, features = path.parts[-4:-1]
        assert [column[index] for column in names] == [path.stem, encoder, readout, features]
        with h5py.File(path) as file:
            np.testing.assert_array_equal(values[:, index], file["replicates"][:, -1, 0, 0])


def test_fewer_draws_end_in_nan(invent_study: Invent) -> None:
    study = invent_study()
    first = study.encodings[0]
    with h5py.File(first, "r+") as file:
        values, dims = file["replicates"][:50], file["replicates"].attrs.keys()
        assert dims
        del file["replicates"]
        file["replicates"] = values
    with h5py.File(study.join()[2]) as file:
        assert np.isfinite(file["r"][:50]).all()
        assert np.isnan(file["r"][50:, 0]).all()
        assert np.isfinite(file["r"][:, 1:]).all()


def test_versions_that_differ_are_shown_and_stop_nothing(invent_study: Invent) -> None:
    study = invent_study()
    with h5py.File(study.encodings[3], "r+") as file:
        file.attrs["versions"] = json.dumps({"numpy": "2.5.0", "scipy": "1.17"})
    joined = read_table(study.join()[0])
    rows = [len(read_table(path)) for path in study.alignments]
    expected = np.repeat(["numpy 2.5.0" if index == 3 else "numpy 2.4.6" for index in range(len(rows))], rows)
    assert joined["versions"].tolist() == expected.tolist()


def test_a_library_that_only_some_imported_does_not_differ() -> None:
    assert differing_versions([{"numpy": "2"}, {"numpy": "2", "scipy": "1"}]) == ["", ""]


def test_an_encoding_that_is_not_the_table_s_is_refused(invent_study: Invent) -> None:
    study = invent_study()
    with pytest.raises(UnreadableFileError, match="but the table made of it has"):
        read_cell(study.encodings[0], read_table(study.alignments[1]))


def test_properties_come_from_manifests_losses_and_config(invent_study: Invent) -> None:
    study = invent_study(losses=("world-loss", "other"), properties={"mmlu": {"tiny-1": 0.25}})
    table = read_table(study.join()[1]).set_index("model")
    assert table.columns.tolist() == [
        *("family", "kind", "base", "parameters", "log10_parameters", "width", "depth", "vocabulary"),
        "training_tokens",
        *(f"{loss}_nats_per_{unit}" for loss in ("world-loss", "other") for unit in ("token", "word", "byte")),
        "mmlu",
    ]
    for model in study.models:
        record = json.loads((study.root / "losses" / "world-loss" / f"{model}.json").read_text())
        assert table.loc[model, "world-loss_nats_per_token"] == pytest.approx(record["nats_per_token"])
    assert table.loc["tiny-2", "parameters"] == 100_000
    assert table.loc["tiny-2", "log10_parameters"] == pytest.approx(5.0)
    assert table.loc["tiny-1", "mmlu"] == 0.25
    assert table["mmlu"].isna().sum() == len(table) - 1
    assert table.loc["tiny-1-instruct", "base"] == "tiny-1"
    assert table.loc["tiny-1", "base"] == ""
    text = (study.study / "properties.csv").read_text()
    assert ",100000,5.0," in text


def test_properties_stand_in_the_order_of_size_and_base() -> None:
    models = {
        "b": {"family": "f", "kind": "vanilla", "base": None},
        "a-tuned": {"family": "f", "kind": "instruction-tuned", "base": "c"},
        "c": {"family": "f", "kind": "vanilla", "base": None},
    }
    manifests = {
        name: {"parameters": size, "width": 1, "depth": 1} for name, size in zip(models, (9, 5, 5), strict=True)
    }
    assert properties_table(models, [], manifests, {})["model"].tolist() == ["c", "a-tuned", "b"]


def test_a_model_without_a_manifest_has_empty_sizes() -> None:
    row = properties_table({"a": {"family": "f", "kind": "vanilla", "base": None}}, [], {}, {}).iloc[0]
    assert row[["parameters", "log10_parameters", "width", "depth"]].isna().all()


@pytest.mark.parametrize(
    ("text", "reason"), [("{", "it is not JSON"), ("[]", "has no 'width'"), ('{"depth": 1}', "has no 'width'")]
)
def test_a_broken_record_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(text)
    with pytest.raises(UnreadableFileError, match=reason):
        read_record(path, ["width"])


def test_a_loss_of_spans_is_no_next_word_loss(tmp_path: Path) -> None:
    """T5 beside a decoder: it has no number in the decoder's columns, and is left out of a correlation by name."""
    models = {name: {"family": "f", "kind": "vanilla", "base": None} for name in ("gpt", "t5")}
    for name, prefix in (("gpt", ""), ("t5", "span_")):
        path = tmp_path / "wiki" / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({f"{prefix}nats_per_{unit}": 0.5 for unit in ("token", "word", "byte")}))
    losses = read_losses(sorted((tmp_path / "wiki").iterdir()))
    table = properties_table(models, [], {}, losses)
    assert [name for name in table.columns if "nats" in name] == [
        f"wiki_{prefix}nats_per_{unit}" for prefix in ("", "span_") for unit in ("token", "word", "byte")
    ]
    assert table.loc[table["wiki_nats_per_byte"].notna(), "model"].tolist() == ["gpt"]
    assert table.loc[table["wiki_span_nats_per_byte"].notna(), "model"].tolist() == ["t5"]
    r, draws = np.array([0.1, 0.2]), np.ones((3, 2))
    scores = ModelScores("ridge", "last", "words", ("gpt", "t5"), r, draws, r, draws, 0)
    for name, own, other in (("wiki", "gpt", "t5"), ("wiki_span_nats_per_token", "t5", "gpt")):
        found = observe(scores, table, ["gpt", "t5"], name)
        assert (found.models, found.left_out) == ((own,), (other,))


def test_a_file_without_a_loss_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wiki" / "gpt.json"
    path.parent.mkdir()
    path.write_text('{"nats_per_token": 1}')
    with pytest.raises(UnreadableFileError, match="it has no 'nats_per_token', nats_per_word and nats_per_byte"):
        read_losses([path])


def test_sizes_are_those_of_the_manifest_or_stated(tmp_path: Path) -> None:
    sizes = {"parameters": 7, "width": 2, "depth": 1, "vocabulary": 5}
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "manifest.json").write_text(json.dumps(sizes))
    found = read_sizes({"a": {}, "b": {"sizes": {"parameters": 9}}}, [tmp_path / "a" / "manifest.json"])
    assert found == {"a": sizes, "b": {"parameters": 9}}


def test_the_same_cells_give_the_same_bytes(invent_study: Invent) -> None:
    study = invent_study()
    first = [path.read_bytes() for path in study.join()]
    assert [path.read_bytes() for path in study.join()] == first
    assert len(study.encodings) == len(ENCODERS) * 2 * 9
