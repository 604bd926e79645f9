"""Untrained twins are made from config and tokenizer, which are checked first; no family's weights are needed."""

import json
from pathlib import Path

import pytest
import torch
import transformers

from brainalign.errors import InputError, UnreadableFileError
from brainalign.models.architecture_files import (
    describe_architecture,
    read_verified_architecture,
    write_architecture,
)
from brainalign.models.loading import load
from brainalign.models.manifest import describe_folder
from brainalign.models.untrained import initialise
from models.families import FAMILIES, write_family
from models.tiny import to_bin


@pytest.mark.parametrize("family", FAMILIES)
def test_twins_of_every_family(family: str, tmp_path: Path) -> None:
    """The same size as the model, weights that the seed alone decides, and a model that loads."""
    folder = write_family(tmp_path / "model", family)
    whole = describe_folder(folder)
    (folder / "model.safetensors").unlink()
    twins = {}
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        initialise(folder, seed, tmp_path / name)
        twins[name] = describe_folder(tmp_path / name, "made")
    assert twins["a"].files == twins["b"].files
    assert twins["a"].files["model.safetensors"] != twins["c"].files["model.safetensors"]
    assert (twins["a"].width, twins["a"].depth) == (whole.width, whole.depth)
    model, _ = load(twins["a"])
    assert all(torch.isfinite(weight).all() for weight in model.parameters())


def test_the_architecture_is_the_same_with_weights_of_any_format_or_none(trained: Path, tmp_path: Path) -> None:
    for path in trained.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    whole = describe_architecture(tmp_path)
    to_bin(tmp_path, shards=2)
    assert describe_architecture(tmp_path) == whole
    for path in tmp_path.glob("pytorch_model*"):
        path.unlink()
    assert describe_architecture(tmp_path) == whole
    assert {"config.json", "tokenizer.json"} <= whole.files.keys()
    assert not [name for name in whole.files if "model" in name]
    (tmp_path / "own.py").write_text("")
    assert describe_architecture(tmp_path, remote_code=True).files.keys() - whole.files.keys() == {"own.py"}


def test_round_trip(trained: Path, tmp_path: Path) -> None:
    architecture = describe_architecture(trained, "hub", "owner/name", "c" * 40, remote_code=True)
    write_architecture(tmp_path / "architecture.json", architecture)
    assert read_verified_architecture(tmp_path / "architecture.json") == architecture


@pytest.mark.parametrize(("source", "error"), [("folder", InputError), ("hub", UnreadableFileError)])
@pytest.mark.parametrize("damage", ["lost", "changed"])
def test_files_are_checked(trained: Path, tmp_path: Path, source: str, error: type[Exception], damage: str) -> None:
    """What was fetched is fetched again; the user's own files are the user's to mend."""
    folder = tmp_path / "model"
    folder.mkdir()
    for path in trained.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    write_architecture(tmp_path / "architecture.json", describe_architecture(folder, source))  # type: ignore[arg-type]
    tokenizer = folder / "tokenizer.json"
    tokenizer.unlink() if damage == "lost" else tokenizer.write_text("{}")
    with pytest.raises(error, match=r"tokenizer\.json (is missing|changed since it was recorded)"):
        read_verified_architecture(tmp_path / "architecture.json")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"folder": "x"}'])
def test_a_foreign_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "architecture.json").write_text(text)
    with pytest.raises(UnreadableFileError, match="describes no architecture"):
        read_verified_architecture(tmp_path / "architecture.json")


def test_an_architecture_that_transformers_lacks(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "nobody-knows"}))
    with pytest.raises(InputError, match=r"the config\.json in .* cannot be used"):
        initialise(tmp_path, 0, tmp_path / "out")


def test_the_environment_of_the_class_is_not_changed(trained: Path, tmp_path: Path) -> None:
    """The draw neither reads nor moves torch's own random numbers."""
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    initialise(trained, 0, tmp_path / "twin")
    assert torch.equal(torch.rand(3), expected)
    assert transformers.__version__


def test_a_twin_is_not_stored_as_the_trained_weights_are(trained: Path, tmp_path: Path) -> None:
    """Neither in the trained model's few bits nor in a file of another name."""
    stored = {"quantization_config": {"quant_method": "gptq", "bits": 4}, "transformers_weights": "other.safetensors"}
    config = json.loads((trained / "config.json").read_text())
    folder = tmp_path / "model"
    folder.mkdir()
    for path in trained.glob("tokenizer*"):
        (folder / path.name).write_bytes(path.read_bytes())
    for name, value in (("plain", config), ("stored", config | stored)):
        (folder / "config.json").write_text(json.dumps(value))
        initialise(folder, 0, tmp_path / name)
    twins = [describe_folder(tmp_path / name, "made") for name in ("plain", "stored")]
    assert twins[0].files == twins[1].files
    load(twins[1])
