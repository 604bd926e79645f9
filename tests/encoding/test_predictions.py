"""The stages that keep an encoder and predict responses by it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from brainalign.activations.stored import write_activations
from brainalign.encoding.encoder import encode
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.stored import encoding_variables
from brainalign.errors import InputError, UnreadableFileError
from brainalign.provenance import Provenance
from brainalign.responses.matrix import Responses
from brainalign.stages.keep_encoder import keep_encoder
from brainalign.stages.predict_responses import predict_responses
from brainalign.storage import read_arrays, read_attributes, write_arrays
from brainalign.tables import write_table

PROVENANCE = Provenance("tests", {}, "tests@0")
ENCODER = {"penalties": 2.0, "grid": {"scale": "absolute"}, "split": {"kind": "grouped", "folds": 4}}
NAMES = {"encoder": "e", "readout": "last", "features": "m", "dataset": "d", "layer": "chosen", "stimuli_of": "new"}


@pytest.fixture
def files(dataset: Any, tmp_path: Path) -> dict[str, Path]:
    """A data set of two layers, the second of which is in the responses, with its encoding; and 30 new stimuli."""
    data = dataset(noise=0.5)
    random = np.random.default_rng(1)
    layers = {
        "embeddings": random.normal(size=(120, 3)),
        "block_01": data.features,
        "final": random.normal(size=(120, 5)),
    }
    new = {name: random.normal(size=(30, values.shape[1])) for name, values in layers.items()}
    ids, new_ids = (np.array([f"s{n}" for n in range(size)], dtype=object) for size in (120, 30))
    paths = {name: tmp_path / f"{name}.h5" for name in ("fitted", "responses", "encoding", "old", "new", "mapped")}
    write_activations(paths["old"], tmp_path / "old.json", ids, layers, {})
    write_activations(paths["new"], tmp_path / "new.json", new_ids, new, {})
    samples = pd.DataFrame({"sample_id": ids, "split_group": data.samples.split_group})
    neuroids = pd.DataFrame(data.neuroids).rename(columns={"neuroid": "neuroid_id"})
    entry = np.arange(120)
    responses = Responses(data.responses, samples, neuroids, ids, entry, entry, np.ones(120))
    write_arrays(paths["responses"], responses.variables(), {"simulated": 1})
    settings = EncoderSettings.from_mapping(ENCODER | {"bootstrap": {"draws": 20}})
    encoding = encode(layers.items(), data.responses, data.samples, data.neuroids, settings)
    write_arrays(paths["encoding"], encoding_variables(encoding, data.neuroids), {})
    # other responses: 15 samples, each of two stimuli
    scans = pd.DataFrame({"sample_id": [f"t{n}" for n in range(15)], "split_group": "g", "run": "r"})
    scans["onset_s"] = 2.0 * np.arange(15)
    mapped = Responses(
        random.normal(size=(15, 2)), scans, neuroids[:2], new_ids, np.arange(30) // 2, np.arange(30), np.full(30, 0.5)
    )
    write_arrays(paths["mapped"], mapped.variables(), {"simulated": 0})
    paths["stimuli"] = tmp_path / "stimuli.csv"
    table = pd.DataFrame({"stimulus_id": new_ids, "text": "a b", "context_group": "c", "split_group": "g"})
    write_table(paths["stimuli"], table, PROVENANCE)
    return paths


def keep(files: dict[str, Path], layer: str = "chosen", **changes: Any) -> None:
    encoding = [files["encoding"]] if layer == "chosen" else []
    fitted_to = {name: NAMES[name] for name in ("encoder", "readout", "features", "dataset")}
    spec = {"encoder": ENCODER | changes, "layer": layer, "names": fitted_to}
    keep_encoder(spec, PROVENANCE, files["old"], files["responses"], encoding, files["fitted"])


def test_a_kept_encoder_predicts_new_stimuli(files, tmp_path):
    keep(files)
    out = tmp_path / "p.h5"
    predict_responses(NAMES, PROVENANCE, files["fitted"], files["new"], files["stimuli"], [], out)
    found, facts = read_arrays(out), read_attributes(out)
    x, y = read_arrays(files["old"])["block_01"], read_arrays(files["responses"])["responses"]
    theirs = Ridge(alpha=2.0).fit(x, y).predict(read_arrays(files["new"])["block_01"])
    np.testing.assert_allclose(found["prediction"], theirs, atol=1e-5)
    assert found["prediction"].dtype == np.float32
    assert found["sample"].tolist() == [f"s{n}" for n in range(30)]
    assert found["neuroid"].tolist() == [f"n{n}" for n in range(6)]
    assert found["subject"].tolist() == ["S1", "S1", "S2", "S2", "S3", "S3"]
    assert (found["cross_validated_r"] > 0.5).all()
    assert {name: facts[name] for name in NAMES} == NAMES | {"layer": "block_01"}
    assert facts["simulated"] == 1
    assert facts["code"] == "tests@0"
    again = tmp_path / "again.h5"
    predict_responses(NAMES, PROVENANCE, files["fitted"], files["new"], files["stimuli"], [], again)
    assert again.read_bytes() == out.read_bytes()


def test_samples_are_those_of_the_responses_where_there_are_any(files, tmp_path):
    keep(files)
    out = tmp_path / "p.h5"
    predict_responses(NAMES, PROVENANCE, files["fitted"], files["new"], files["stimuli"], [files["mapped"]], out)
    found = read_arrays(out)
    x, y = read_arrays(files["old"])["block_01"], read_arrays(files["responses"])["responses"]
    new = read_arrays(files["new"])["block_01"].reshape(15, 2, -1).mean(axis=1)
    np.testing.assert_allclose(found["prediction"], Ridge(alpha=2.0).fit(x, y).predict(new), atol=1e-5)
    assert found["sample"].tolist() == [f"t{n}" for n in range(15)]
    assert found["onset_s"].tolist() == [2.0 * n for n in range(15)]
    assert set(found["run"]) == {"r"}


def test_a_layer_may_be_named(files):
    keep(files, "final")
    assert read_attributes(files["fitted"])["layer"] == "final"
    assert read_arrays(files["fitted"], ["axes"])["axes"].shape == (5, 5)
    with pytest.raises(InputError, match="'block_1'; did you mean 'block_01'"):
        keep(files, "block_1")


def test_other_features_and_files_are_refused(files, dataset, tmp_path):
    keep(files)
    ids = np.array([f"s{n}" for n in range(30)], dtype=object)
    arguments = (files["stimuli"], [], tmp_path / "p.h5")
    write_activations(tmp_path / "w.h5", tmp_path / "w.json", ids, {"block_01": np.ones((30, 9))}, {})
    with pytest.raises(InputError, match=r"features of shape \(sample, 8\), but is given \(30, 9\)"):
        predict_responses(NAMES, PROVENANCE, files["fitted"], tmp_path / "w.h5", *arguments)
    write_activations(tmp_path / "w.h5", tmp_path / "w.json", ids, {"block_02": np.ones((30, 8))}, {})
    with pytest.raises(InputError, match=r"unknown layer of .* 'block_01'"):
        predict_responses(NAMES, PROVENANCE, files["fitted"], tmp_path / "w.h5", *arguments)
    with pytest.raises(UnreadableFileError, match="it holds no fitted encoder"):
        predict_responses(NAMES, PROVENANCE, files["responses"], files["new"], *arguments)
    for name in ("encoder", "readout", "features", "dataset"):
        assert read_attributes(files["fitted"])[name] == NAMES[name]
        with pytest.raises(UnreadableFileError, match=f"its {name} is '{NAMES[name]}', not 'another'"):
            predict_responses(NAMES | {name: "another"}, PROVENANCE, files["fitted"], files["new"], *arguments)
    assert not (tmp_path / "p.h5").exists()


def test_an_encoder_with_a_layer_for_each_subject_is_not_kept_unless_one_is_named(files, dataset):
    data = dataset(noise=0.5)
    settings = replace(EncoderSettings.from_mapping(ENCODER | {"bootstrap": {"draws": 20}}), layer_for="subject")
    layers = [("block_01", data.features), ("final", data.features[:, ::-1] ** 2)]
    encoding = encode(layers, data.responses, data.samples, data.neuroids, settings)
    write_arrays(files["encoding"], encoding_variables(encoding, data.neuroids), {})
    with pytest.raises(InputError, match="a layer of its own for each of 3 subjects or neuroids"):
        keep(files)
    keep(files, "final")
