"""The stage that fits an encoder at the layer that another data set chose."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from brainalign.activations.stored import write_activations
from brainalign.encoding.encoder import encode
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.stored import read_best_layer, read_choice
from brainalign.errors import InputError, UnreadableFileError
from brainalign.provenance import Provenance
from brainalign.responses.matrix import Responses
from brainalign.stages.fit_encoder import fit_encoder
from brainalign.storage import Variable, read_arrays, write_arrays

PROVENANCE = Provenance("tests", {}, "tests@0")
SPLIT = {"kind": "grouped", "folds": 4}
NESTED = {"penalties": 1.0, "split": SPLIT, "bootstrap": {"draws": 20}, "layer": "nested"}
LAYERS = ("embeddings", "block_01", "final")


def _write(folder: Path, data: Any, follows: str) -> tuple[Path, Path]:
    """Write three layers, of which the responses follow one, and the responses."""
    folder.mkdir()
    random = np.random.default_rng(1)
    layers = {name: data.features if name == follows else random.normal(size=(120, 4)) for name in LAYERS}
    ids = np.array([f"s{number}" for number in range(120)], dtype=object)
    write_activations(folder / "activations.h5", folder / "digest.json", ids, layers, {})
    samples = pd.DataFrame({"sample_id": ids, "split_group": data.samples.split_group})
    neuroids = pd.DataFrame(data.neuroids).rename(columns={"neuroid": "neuroid_id"})
    entry = np.arange(120)
    responses = Responses(data.responses, samples, neuroids, ids, entry, entry, np.ones(120))
    write_arrays(folder / "responses.h5", responses.variables(), {"simulated": 1})
    return folder / "activations.h5", folder / "responses.h5"


def test_the_layer_is_the_others_whatever_the_own_responses_follow(dataset: Any, tmp_path: Path) -> None:
    other = _write(tmp_path / "other", dataset(seed=1), "block_01")
    own = _write(tmp_path / "own", dataset(seed=2), "final")
    chosen = {}
    for name, inputs, choosing in (("other", other, []), ("nested", own, []), ("by-other", own, ["other"])):
        spec = NESTED | ({"layer": {"dataset": "other"}} if choosing else {})
        out = tmp_path / f"{name}.h5"
        fit_encoder(spec, PROVENANCE, *inputs, [tmp_path / f"{by}.h5" for by in choosing], out)
        chosen[name] = read_choice(out)
    assert chosen == {"other": ["block_01"] * 4, "nested": ["final"] * 4, "by-other": ["block_01"] * 4}
    found = read_arrays(tmp_path / "by-other.h5")
    layer = LAYERS.index("block_01")
    np.testing.assert_array_equal(found["aggregate_r"][-1], found["aggregate_r"][layer])
    np.testing.assert_array_equal(found["replicates"][:, -1], found["replicates"][:, layer])
    assert found["aggregate_r"][-1, 0, 0] < found["aggregate_r"][LAYERS.index("final"), 0, 0] - 0.3


def test_the_best_layer_is_that_of_the_inner_folds_not_of_the_test_folds(tmp_path: Path) -> None:
    inner = np.array([[0.1, 0.3], [0.5, 0.2], [np.nan, np.nan]])  # means .2, .35
    _write_encoding(tmp_path / "e.h5", inner)
    assert read_best_layer(tmp_path / "e.h5") == "block_01"
    _write_encoding(tmp_path / "e.h5", inner[[1, 0, 2]])
    assert read_best_layer(tmp_path / "e.h5") == "embeddings"


def test_an_encoding_that_chose_by_test_scores_chooses_for_no_other(tmp_path: Path) -> None:
    _write_encoding(tmp_path / "e.h5", np.full((3, 2), np.nan))
    with pytest.raises(UnreadableFileError, match="its inner folds were not scored, so that no layer can be chosen"):
        read_best_layer(tmp_path / "e.h5")


def _write_encoding(path: Path, inner_scores: np.ndarray) -> None:
    """Write inner scores (layer, fold), and test scores by which the last layer is best."""
    variables = {
        "layer": Variable(("layer",), np.array(LAYERS, dtype=object)),
        "inner_score": Variable(("layer", "fold"), inner_scores),
        "aggregate_r": Variable(("layer",), np.array([0.1, 0.2, 0.9])),
    }
    write_arrays(path, variables, {})


def test_a_fixed_layer_that_there_is_not_is_refused_before_any_is_read(
    dataset: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = _write(tmp_path / "own", dataset(seed=2), "final")
    monkeypatch.setattr("brainalign.encoding.trial.Trial.fit", _never)
    spec = NESTED | {"layer": {"fixed": "blok_01"}}
    with pytest.raises(InputError, match="unknown layer 'blok_01'; did you mean 'block_01'"):
        fit_encoder(spec, PROVENANCE, *own, [], tmp_path / "out.h5")
    data, settings = dataset(seed=2), EncoderSettings.from_mapping(spec)
    layers = [("block_01", data.features), ("final", data.features)]
    with pytest.raises(InputError, match="unknown layer 'blok_01'; did you mean 'block_01'"):
        encode(layers, data.responses, data.samples, data.neuroids, settings)


def _never(*_: Any) -> None:
    raise AssertionError("a layer was fitted")
