import json
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from brainalign.errors import InputError, UnreadableFileError
from brainalign.models.manifest import (
    Manifest,
    describe_folder,
    model_files,
    read_manifest,
    read_verified_manifest,
    verify,
    write_manifest,
)
from brainalign.models.stored_tensors import count_parameters, main_dtype
from brainalign.models.weight_tensors import list_tensors

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 4,
    "num_hidden_layers": 2,
    "vocab_size": 10,
    "max_position_embeddings": 32,
}
EMBEDDINGS = np.arange(40, dtype=np.float32).reshape(10, 4)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "model"
    made.mkdir()
    (made / "config.json").write_text(json.dumps(CONFIG))
    (made / "tokenizer.json").write_text("{}")
    save_file(
        {"model.embed_tokens.weight": EMBEDDINGS, "model.layers.0.weight": np.ones((4, 4), np.float32)},
        made / "model.safetensors",
    )
    return made


def test_sizes_come_from_config_and_headers(folder: Path) -> None:
    manifest = describe_folder(folder)
    assert (manifest.width, manifest.depth, manifest.vocabulary, manifest.context_limit) == (4, 2, 10, 32)
    assert manifest.parameters == 56
    assert (manifest.architecture, manifest.dtype, manifest.source) == ("LlamaForCausalLM", "float32", "folder")
    assert list(manifest.files) == ["config.json", "model.safetensors", "tokenizer.json"]


def test_sizes_under_older_names(folder: Path) -> None:
    (folder / "config.json").write_text(
        json.dumps({"model_type": "gpt2", "n_embd": 8, "n_layer": 3, "vocab_size": 9, "n_positions": 64})
    )
    manifest = describe_folder(folder)
    assert (manifest.width, manifest.depth, manifest.context_limit, manifest.architecture) == (8, 3, 64, "gpt2")


SIZES = [
    ({"hidden_size": "big"}, "states hidden_size as 'big'; a whole number from 1 on is needed."),
    ({"num_hidden_layers": 2.5}, "states num_hidden_layers as 2.5; a whole number from 1 on is needed."),
    ({"vocab_size": True}, "states vocab_size as True; a whole number from 1 on is needed."),
    ({"max_position_embeddings": "far"}, "states the positions or the padding token as something else than a number"),
    ({"model_type": "roberta", "pad_token_id": None}, "states the positions or the padding token as something else"),
]


@pytest.mark.parametrize(("change", "said"), SIZES)
def test_a_size_that_is_no_number(folder: Path, change: dict[str, object], said: str) -> None:
    (folder / "config.json").write_text(json.dumps(CONFIG | change))
    with pytest.raises(InputError) as caught:
        describe_folder(folder)
    assert str(caught.value).startswith(f"the config.json of {folder} {said}")


def test_a_config_that_names_other_weights(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps(CONFIG | {"transformers_weights": None}))
    describe_folder(folder)
    (folder / "config.json").write_text(json.dumps(CONFIG | {"transformers_weights": "other.safetensors"}))
    with pytest.raises(InputError) as caught:
        describe_folder(folder)
    assert str(caught.value) == (
        f"the config.json of {folder} names weights of its own under transformers_weights ('other.safetensors'), which "
        "would be loaded in place of the recorded files; take the key out."
    )


NOTES = (
    "SOURCE.txt",
    "README.txt",
    "LICENSE.txt",
    "trainer_state.json",
    "training_args.json",
    "all_results.json",
    "eval_results.json",
    "train_results.json",
    "pytorch_model.bin.index.json",
)
READ = (
    "generation_config.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "chat_template.jinja",
    "chat_template.json",
    "tokenizer.model",
    "model.safetensors.index.json",
)


def test_notes_in_a_folder_are_not_the_models(folder: Path) -> None:
    for name in (*NOTES, *READ):
        (folder / name).write_text("{}")
    expected = sorted({"config.json", "model.safetensors", "tokenizer.json", *READ})
    assert list(describe_folder(folder).files) == expected


def test_a_model_without_limit(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({**CONFIG, "max_position_embeddings": None}))
    assert describe_folder(folder).context_limit is None


def test_what_the_workflow_adds_is_not_the_models(folder: Path) -> None:
    added = ("manifest.json", "manifest.json.provenance.json", "architecture.json", "delta.json")
    for name in (*added, "README.md", "code.py", "pytorch_model.bin"):
        (folder / name).write_text("{}")
    assert [path.name for path in model_files(folder)] == ["config.json", "model.safetensors", "tokenizer.json"]
    with_code = ["code.py", "config.json", "pytorch_model.bin", "tokenizer.json"]
    assert [path.name for path in model_files(folder, "bin", remote_code=True)] == with_code
    assert [path.name for path in model_files(folder, None)] == ["config.json", "tokenizer.json"]


def test_round_trip(folder: Path, tmp_path: Path) -> None:
    manifest = describe_folder(folder, "hub", "owner/name", "c" * 40)
    write_manifest(tmp_path / "manifest.json", manifest)
    assert read_manifest(tmp_path / "manifest.json") == manifest
    before = (tmp_path / "manifest.json").read_bytes()
    write_manifest(tmp_path / "manifest.json", Manifest.from_json(json.loads(before)))
    assert (tmp_path / "manifest.json").read_bytes() == before


def test_a_field_that_holds_its_default_is_not_written(folder: Path) -> None:
    """So that a manifest from before the field is the same file."""
    plain = describe_folder(folder)
    assert not {"weights", "remote_code"} & plain.to_json().keys()
    special = replace(plain, weights="bin", remote_code=True)
    assert special.to_json() == plain.to_json() | {"weights": "bin", "remote_code": True}
    assert Manifest.from_json(special.to_json()) == special


def test_a_made_model_moves_with_its_manifest(folder: Path, tmp_path: Path) -> None:
    write_manifest(folder / "manifest.json", describe_folder(folder, "made"))
    assert json.loads((folder / "manifest.json").read_text())["folder"] == "."
    moved = folder.rename(tmp_path / "elsewhere")
    assert read_manifest(moved / "manifest.json").folder == str(moved.resolve())
    verify(read_manifest(moved / "manifest.json"))


def test_a_made_model_lies_beside_its_manifest(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="lies beside its manifest"):
        write_manifest(tmp_path / "manifest.json", describe_folder(folder, "made"))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_a_foreign_manifest_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(UnreadableFileError, match="not a model manifest"):
        read_manifest(tmp_path / "manifest.json")


def test_verify_names_the_changed_file(folder: Path) -> None:
    manifest = describe_folder(folder)
    (folder / "tokenizer.json").write_text("{ }")
    with pytest.raises(InputError, match=r"tokenizer\.json changed since it was recorded"):
        verify(manifest)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(InputError, match=r"tokenizer\.json is missing"):
        verify(manifest)


def test_verify_leaves_large_files_unread(folder: Path) -> None:
    manifest = describe_folder(folder)
    (folder / "model.safetensors").write_bytes(b"x" * 1000)
    verify(manifest, largest=999)
    with pytest.raises(InputError, match=r"model\.safetensors changed"):
        verify(manifest, largest=1000)


@pytest.mark.parametrize(
    ("removed", "sentence"),
    [("config.json", r"has no config\.json"), ("model.safetensors", r"has no model\.safetensors\.")],
)
def test_a_folder_that_lacks_something(folder: Path, removed: str, sentence: str) -> None:
    (folder / removed).unlink()
    with pytest.raises(InputError, match=sentence):
        describe_folder(folder)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "pytorch_model.bin.index.json"])
def test_weights_in_the_other_format_are_named(folder: Path, name: str) -> None:
    (folder / "model.safetensors").rename(folder / name)
    with pytest.raises(InputError) as caught:
        describe_folder(folder)
    assert str(caught.value) == (
        f"the model folder {folder} has no model.safetensors, only {name}; add `weights: bin` to the model's entry."
    )


def test_safetensors_are_named_where_bin_is_asked_for(folder: Path) -> None:
    with pytest.raises(InputError) as caught:
        describe_folder(folder, weights="bin")
    assert str(caught.value) == (
        f"the model folder {folder} has no pytorch_model.bin, only model.safetensors; leave out `weights: bin`."
    )


def test_the_single_file_comes_before_an_index_as_it_does_for_transformers(folder: Path) -> None:
    save_file({"a": EMBEDDINGS}, folder / "model-00001-of-00001.safetensors")
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "model-00001-of-00001.safetensors"}}')
    assert describe_folder(folder).parameters == 56


def test_an_index_that_names_another_folders_file(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder.parent / "elsewhere.safetensors")
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../elsewhere.safetensors"}}')
    with pytest.raises(InputError, match=r"index\.json names \.\./elsewhere\.safetensors, which .* does not have"):
        describe_folder(folder)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not there"):
        describe_folder(tmp_path / "nowhere")


def test_a_size_that_the_config_lacks(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"hidden_size": 4}))
    with pytest.raises(InputError, match="states none of num_hidden_layers"):
        describe_folder(folder)


def test_shards_are_counted_from_the_index(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    save_file({"lm_head.weight": EMBEDDINGS + 1}, folder / "model-00002-of-00002.safetensors")
    save_file({"copy": EMBEDDINGS}, folder / "consolidated.safetensors")
    names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    index = {"weight_map": dict(zip("ab", names, strict=True))}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert describe_folder(folder).parameters == 96
    (folder / names[1]).unlink()
    with pytest.raises(InputError, match="names model-00002-of-00002"):
        describe_folder(folder)


@pytest.mark.parametrize(("same", "tied", "expected"), [(True, None, 40), (True, False, 80), (False, True, 80)])
def test_tied_embeddings_count_once(tmp_path: Path, same: bool, tied: bool | None, expected: int) -> None:
    head = EMBEDDINGS.copy() if same else EMBEDDINGS + 1
    save_file({"wte.weight": EMBEDDINGS, "lm_head.weight": head}, tmp_path / "model.safetensors")
    assert count_parameters(list_tensors([tmp_path / "model.safetensors"]), tied) == expected


def test_constants_of_old_checkpoints_are_no_parameters(tmp_path: Path) -> None:
    weights = {
        "h.0.attn.bias": np.ones((1, 1, 8, 8), np.float32),
        "h.0.attn.masked_bias": np.array(-1e4, np.float32),
        "rotary_emb.inv_freq": np.ones(4, np.float32),
        "h.0.attn.c_attn.bias": np.ones(12, np.float32),
    }
    save_file(weights, tmp_path / "model.safetensors")
    assert count_parameters(list_tensors([tmp_path / "model.safetensors"])) == 12


def test_dtype_is_that_of_most_numbers(tmp_path: Path) -> None:
    save_file({"a": np.ones(9, np.float16), "b": np.ones(8, np.float32)}, tmp_path / "model.safetensors")
    assert main_dtype(list_tensors([tmp_path / "model.safetensors"])) == "float16"


@pytest.mark.parametrize("content", [b"", b"abc", struct.pack("<Q", 1 << 60), struct.pack("<Q", 4) + b"junk"])
def test_a_file_that_is_not_safetensors(folder: Path, content: bytes) -> None:
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(InputError, match="is not a safetensors file"):
        describe_folder(folder)


@pytest.mark.parametrize("value", [[], None, {"a": 3}, {"a": None}, {"a": ["model-1.safetensors"]}, "x"])
def test_a_damaged_index(folder: Path, value: object) -> None:
    (folder / "model.safetensors").unlink()
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": value}))
    with pytest.raises(InputError) as caught:
        describe_folder(folder)
    assert str(caught.value) == f"{index} is damaged: its weight_map is not one of tensors to files."


WHOLE = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}
LOST = "is damaged: its header does not say where a lies."
HEADERS = {
    "a list": ([], "is not a safetensors file."),
    "empty": ({}, "holds no tensors."),
    "without tensors": ({"__metadata__": {"format": "pt"}}, "holds no tensors."),
    "an entry that is a number": ({"a": 3}, LOST),
    "no offsets": ({"a": {"dtype": "F32", "shape": [2, 3]}}, LOST),
    "offsets as text": ({"a": WHOLE | {"data_offsets": ["0", "24"]}}, LOST),
    "one offset": ({"a": WHOLE | {"data_offsets": [24]}}, LOST),
    "offsets backwards": ({"a": WHOLE | {"data_offsets": [24, 0]}}, LOST),
    "an offset before the start": ({"a": WHOLE | {"data_offsets": [-8, 16]}}, LOST),
    "no shape": ({"a": {"dtype": "F32", "data_offsets": [0, 24]}}, LOST),
    "no number format": ({"a": {"shape": [2, 3], "data_offsets": [0, 24]}}, LOST),
    "another shape": ({"a": WHOLE | {"shape": [2, 4]}}, "is damaged: 24 bytes are not those of a, 2 × 4 of float32."),
    "another format": ({"a": WHOLE | {"dtype": "F16"}}, "is damaged: 24 bytes are not those of a, 2 × 3 of float16."),
}


@pytest.mark.parametrize("case", HEADERS)
def test_a_damaged_header(folder: Path, case: str) -> None:
    header, said = HEADERS[case]
    path = folder / "model.safetensors"
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(24))
    with pytest.raises(InputError) as caught:
        describe_folder(folder)
    assert str(caught.value) == f"{path} {said}"


def test_a_cut_off_file(folder: Path) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:-4])
    with pytest.raises(InputError, match="is cut off"):
        describe_folder(folder)


@pytest.mark.parametrize(("source", "error"), [("folder", InputError), ("made", UnreadableFileError)])
@pytest.mark.parametrize("damage", ["lost", "changed"])
def test_a_model_is_checked_before_it_is_loaded(folder: Path, source: str, error: type, damage: str) -> None:
    """What the workflow made or fetched is made or fetched again; the user's own files are the user's to mend."""
    path = folder / "manifest.json"
    write_manifest(path, describe_folder(folder, source))  # type: ignore[arg-type]
    assert read_verified_manifest(path) == read_manifest(path)
    weights = folder / "model.safetensors"
    weights.unlink() if damage == "lost" else weights.write_bytes(b"x" * 100)
    with pytest.raises(error, match=r"model\.safetensors (is missing|changed since it was recorded)"):
        read_verified_manifest(path)
