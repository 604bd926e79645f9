import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from brainalign.errors import InputError
from brainalign.models.loading import load, load_tokenizer
from brainalign.models.manifest import describe_folder


@pytest.fixture
def copied(trained: Path, tmp_path: Path) -> Path:
    for path in trained.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


@pytest.mark.parametrize(("head", "name"), [(False, "LlamaModel"), (True, "LlamaForCausalLM")])
def test_with_and_without_head(trained: Path, head: bool, name: str) -> None:
    model, tokenizer = load(describe_folder(trained), head=head)
    assert type(model).__name__ == name
    assert tokenizer.is_fast
    assert not model.training


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_dtype_is_the_one_asked_for(copied: Path, dtype: str) -> None:
    weights = {name: value.half() for name, value in load_file(copied / "model.safetensors").items()}
    save_file(weights, copied / "model.safetensors", metadata={"format": "pt"})
    model, _ = load(copied, dtype=dtype)
    assert {weight.dtype for weight in model.parameters()} == {getattr(torch, dtype)}


def test_missing_weights_are_not_made_up(copied: Path) -> None:
    weights = load_file(copied / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, copied / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match=r"lack layers\.1\.mlp\.up_proj\.weight"):
        load(copied)


def test_weights_of_another_shape(copied: Path) -> None:
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps({**config, "vocab_size": 5}))
    with pytest.raises(InputError, match=r"shape|size mismatch|mismatched"):
        load(copied)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("config.json", r"has no config\.json"),
        ("model.safetensors", r"has no model\.safetensors"),
        ("tokenizer.json", "cannot be loaded|no character offsets"),
    ],
)
def test_missing_files(copied: Path, name: str, sentence: str) -> None:
    (copied / name).unlink()
    with pytest.raises(InputError, match=sentence):
        load(copied)


def test_an_unknown_architecture(copied: Path) -> None:
    (copied / "config.json").write_text('{"model_type": "nobody-knows"}')
    with pytest.raises(InputError, match="cannot be loaded"):
        load(copied)


def test_the_tokenizer_alone(trained: Path) -> None:
    assert load_tokenizer(trained).bos_token == "<s>"
