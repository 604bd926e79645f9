"""Models, loaded where they fit."""

import logging
from pathlib import Path

import pandas as pd
import pytest

from brainalign.activations.extraction import extract
from brainalign.activations.one_by_one import extract_one_by_one
from brainalign.activations.placed import find_place, load_at
from brainalign.activations.readout import Readout
from brainalign.errors import InputError
from brainalign.models.manifest import describe_folder
from models.tiny import write_own

TABLE = pd.DataFrame({"stimulus_id": ["1", "2"], "text": ["the fox", "sleeps"], "context_group": ["a", "a"]})


@pytest.mark.parametrize("placement", ["auto", "resident"])
def test_a_model_with_python_of_its_own(tmp_path: Path, caplog: pytest.LogCaptureFixture, placement: str) -> None:
    """Its class is the one with the head, and its embeddings have a name of their own."""
    caplog.set_level(logging.INFO)
    manifest = describe_folder(write_own(tmp_path / "own"), remote_code=True)
    place = find_place(manifest, "float32", placement, 4096, {}, {})
    assert place.placement == "resident"
    assert "the model needs" in caplog.text
    model, tokenizer = load_at(place, manifest, "float32", tmp_path / "scratch")
    found = extract(model, tokenizer, TABLE, Readout(pooling="mean")).layers
    expected = extract_one_by_one(model, tokenizer, TABLE, Readout(pooling="mean"))
    assert list(found) == list(expected) == ["embeddings", "block_01", "block_02"]
    for layer, states in expected.items():
        assert found[layer] == pytest.approx(states, rel=1e-5)


def test_a_model_that_does_something_between_its_blocks_is_not_streamed(tmp_path: Path) -> None:
    manifest = describe_folder(write_own(tmp_path / "own"), remote_code=True)
    place = find_place(manifest, "float32", "streamed", 4096, {}, {})
    model, tokenizer = load_at(place, manifest, "float32", tmp_path / "scratch")
    with pytest.raises(InputError, match="OwnModel cannot be streamed: besides the states that one block hands"):
        extract(model, tokenizer, TABLE, Readout(pooling="mean"))


def test_what_was_begun_is_gone_on_with(tmp_path: Path) -> None:
    manifest = describe_folder(write_own(tmp_path / "own"), remote_code=True)
    key = {"stimuli": "those"}
    streamed = {**key, "placement": "streamed"}
    assert find_place(manifest, "float32", "auto", 1, streamed, key).placement == "streamed"
    assert find_place(manifest, "float32", "auto", 1, streamed, {"stimuli": "others"}).placement == "resident"
    assert find_place(manifest, "float32", "resident", 1, streamed, key).placement == "resident"
