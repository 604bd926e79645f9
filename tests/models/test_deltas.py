"""The sum of a delta and its base: the model that the delta was taken of."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlamaForCausalLM

from brainalign.errors import InputError
from brainalign.models.deltas import apply_delta
from brainalign.models.loading import load
from brainalign.models.manifest import Manifest, describe_folder
from models.tiny import to_bin, write_tiny

WEIGHTS = "model.safetensors"


def llama(rows: int = 24, tied: bool = False) -> LlamaForCausalLM:
    sizes: dict[str, Any] = {"hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2}
    config = LlamaConfig(vocab_size=rows, max_position_embeddings=32, tie_word_embeddings=tied, **heads, **sizes)
    return LlamaForCausalLM(config)


def recast(folder: Path, dtype: torch.dtype) -> None:
    weights = {name: value.to(dtype) for name, value in load_file(folder / WEIGHTS).items()}
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})


def pair(
    folder: Path, dtype: torch.dtype = torch.float16, rows: int = 24, further: int = 0, tied: bool = False
) -> dict[str, torch.Tensor]:
    """Write a base, and the delta of a second model to it; return the second model's tensors."""
    base = write_tiny(folder / "base", llama(rows, tied), seed=1)
    target = write_tiny(folder / "delta", llama(rows + further, tied), seed=2)
    for path in (base, target):
        recast(path, dtype)
    ours, theirs = load_file(base / WEIGHTS), load_file(target / WEIGHTS)
    difference = {}
    for name, value in theirs.items():
        padded = torch.zeros_like(value)
        padded[: len(ours[name])] = ours[name]
        difference[name] = value - padded
    save_file(difference, target / WEIGHTS, metadata={"format": "pt"})
    return {name: difference[name] + _padded(ours[name], difference[name]) for name in theirs}


def _padded(tensor: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    result = torch.zeros_like(like)
    result[: len(tensor)] = tensor
    return result


def summed(folder: Path, **options: Any) -> Manifest:
    formats = {name: "bin" if list((folder / name).glob("*.bin")) else "safetensors" for name in ("base", "delta")}
    base, delta = (describe_folder(folder / name, weights=formats[name]) for name in ("base", "delta"))  # type: ignore[arg-type]
    apply_delta(base, delta, folder / "sum", **options)
    return describe_folder(folder / "sum", "made")


def tensors(manifest: Manifest) -> dict[str, torch.Tensor]:
    return {
        name: value
        for file in manifest.files
        if file.endswith(".safetensors")
        for name, value in load_file(Path(manifest.folder) / file).items()
    }


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_the_sum_is_torchs_own_in_one_format(tmp_path: Path, dtype: torch.dtype) -> None:
    """The expected sums are taken by torch in the format itself, not by way of float32."""
    expected = pair(tmp_path, dtype)
    manifest = summed(tmp_path)
    found = tensors(manifest)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name].dtype == dtype
        assert torch.equal(found[name], value), name
    assert (manifest.source, manifest.dtype) == ("made", str(dtype).removeprefix("torch."))
    model, _ = load(manifest, head=True)
    assert torch.equal(model.lm_head.weight, expected["lm_head.weight"].float())


def test_a_half_precision_delta_to_a_float32_base(tmp_path: Path) -> None:
    pair(tmp_path, torch.float32)
    recast(tmp_path / "delta", torch.float16)
    base, delta = (load_file(tmp_path / name / WEIGHTS) for name in ("base", "delta"))
    found = tensors(summed(tmp_path))
    assert all(torch.equal(found[name], base[name] + delta[name].float()) for name in base)


def test_numbers_that_half_precision_cannot_hold_together(tmp_path: Path) -> None:
    """Sums that round, overflow or vanish do so as the format's own addition has it."""
    pair(tmp_path)
    name = "model.norm.weight"
    values = {
        "base": [1.0, 65504.0, 6e-8, 2048.0, -1.0, 2049.0, 0.1, 1e-4],
        "delta": [2**-11, 65504.0, 6e-8, 1.0, 1.0, 1.0, 0.2, 65504.0],
    }
    for folder, numbers in values.items():
        weights = load_file(tmp_path / folder / WEIGHTS) | {name: torch.tensor(numbers, dtype=torch.float16)}
        save_file(weights, tmp_path / folder / WEIGHTS, metadata={"format": "pt"})
    expected = torch.tensor(values["base"]).half() + torch.tensor(values["delta"]).half()
    assert torch.equal(tensors(summed(tmp_path))[name], expected)


@pytest.mark.parametrize("tied", [False, True])
def test_further_rows_of_the_embeddings_are_the_deltas_own(tmp_path: Path, tied: bool) -> None:
    expected = pair(tmp_path, further=3, tied=tied)
    manifest = summed(tmp_path)
    found = tensors(manifest)
    assert found["model.embed_tokens.weight"].shape == (27, 8)
    assert all(torch.equal(found[name], value) for name, value in expected.items())
    assert manifest.vocabulary == 27
    load(manifest, head=True)


@pytest.mark.parametrize("base", [None, 1, 3])
@pytest.mark.parametrize("delta", [None, 2])
def test_either_may_be_in_pytorchs_own_format(tmp_path: Path, base: int | None, delta: int | None) -> None:
    expected = pair(tmp_path)
    for name, shards in (("base", base), ("delta", delta)):
        if shards:
            to_bin(tmp_path / name, shards)
    found = tensors(summed(tmp_path))
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def test_shards(tmp_path: Path) -> None:
    expected = pair(tmp_path)
    manifest = summed(tmp_path, largest_shard=1000)
    shards = [name for name in manifest.files if name.endswith(".safetensors")]
    assert len(shards) > 3
    assert all((tmp_path / "sum" / name).stat().st_size < 1000 + 2000 for name in shards)
    index = json.loads((tmp_path / "sum" / "model.safetensors.index.json").read_text())
    assert set(index["weight_map"]) == set(expected)
    assert index["metadata"]["total_size"] == sum(value.nbytes for value in expected.values())
    found = tensors(manifest)
    assert all(torch.equal(found[name], value) for name, value in expected.items())
    model, _ = load(manifest)
    assert torch.equal(model.norm.weight, expected["model.norm.weight"].float())
    # Made again in one piece, nothing of the shards is left.
    again = summed(tmp_path)
    assert [name for name in again.files if "safetensors" in name] == [WEIGHTS]
    assert again.parameters == manifest.parameters == sum(value.numel() for value in expected.values())


def test_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    pair(tmp_path)
    first = summed(tmp_path).files
    assert summed(tmp_path).files == first


def test_config_and_tokenizer_are_the_deltas(tmp_path: Path) -> None:
    pair(tmp_path, further=1)
    (tmp_path / "delta" / "vocab.json").write_text('{"a": 1}')
    (tmp_path / "delta" / "notes.json").write_text("{}")
    (tmp_path / "delta" / "code.py").write_text("")
    manifest = summed(tmp_path)
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "vocab.json"):
        assert (tmp_path / "sum" / name).read_bytes() == (tmp_path / "delta" / name).read_bytes()
    assert not {"code.py", "notes.json"} & {path.name for path in (tmp_path / "sum").iterdir()}
    assert "vocab.json" in manifest.files


def test_the_sum_names_no_weights_but_its_own(tmp_path: Path) -> None:
    pair(tmp_path)
    manifests = [describe_folder(tmp_path / name) for name in ("base", "delta")]
    path = tmp_path / "delta" / "config.json"
    before = json.loads(path.read_text())
    path.write_text(json.dumps(before | {"transformers_weights": "other.safetensors"}))
    apply_delta(*manifests, tmp_path / "sum")
    assert json.loads((tmp_path / "sum" / "config.json").read_text()) == before
    assert describe_folder(tmp_path / "sum", "made").depth == 2


def test_constants_of_old_checkpoints_are_left_out(tmp_path: Path) -> None:
    expected = pair(tmp_path)
    change(tmp_path / "base", {"model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(2)})
    assert tensors(summed(tmp_path)).keys() == expected.keys()


def change(folder: Path, changes: dict[str, torch.Tensor | None]) -> None:
    weights = load_file(folder / WEIGHTS)
    for name, value in changes.items():
        weights.pop(name, None)
        if value is not None:
            weights[name] = value
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})


NORM, ROWS = "model.norm.weight", "model.embed_tokens.weight"
MISFITS: dict[str, tuple[dict[str, dict[str, torch.Tensor | None]], str]] = {
    "a tensor that the delta lacks": ({"delta": {NORM: None}}, f"only the base has {NORM}."),
    "a tensor that the base lacks": ({"base": {NORM: None}}, f"only the delta has {NORM}."),
    "another length": ({"delta": {NORM: torch.ones(9)}}, f"{NORM} is 9 there, but 8 in the base."),
    "fewer tokens": (
        {"delta": {ROWS: torch.ones(23, 8)}},
        f"{ROWS} is 23 × 8 there, but 24 × 8 in the base.",
    ),
    "another width": (
        {"delta": {ROWS: torch.ones(24, 9)}},
        f"{ROWS} is 24 × 9 there, but 24 × 8 in the base.",
    ),
    "further rows of another matrix": (
        {"delta": {"model.layers.0.mlp.up_proj.weight": torch.ones(17, 8)}},
        "model.layers.0.mlp.up_proj.weight is 17 × 8 there, but 16 × 8 in the base.",
    ),
    "further positions": (
        {"base": {"embed_positions.weight": torch.ones(9, 8)}, "delta": {"embed_positions.weight": torch.ones(10, 8)}},
        "embed_positions.weight is 10 × 8 there, but 9 × 8 in the base.",
    ),
}


@pytest.mark.parametrize("case", MISFITS)
def test_what_does_not_fit_is_told(tmp_path: Path, case: str) -> None:
    pair(tmp_path)
    changes, said = MISFITS[case]
    for name, values in changes.items():
        change(tmp_path / name, values)
    with pytest.raises(InputError) as caught:
        summed(tmp_path)
    base, delta = tmp_path / "base", tmp_path / "delta"
    assert str(caught.value) == f"the delta in {delta} does not fit its base in {base}: {said}"
    assert not (tmp_path / "sum").exists()


def test_whole_numbers_are_not_summed(tmp_path: Path) -> None:
    pair(tmp_path)
    for name in ("base", "delta"):
        change(tmp_path / name, {NORM: torch.ones(8, dtype=torch.int8)})
    with pytest.raises(InputError, match=rf"holds {NORM} as int8, to which nothing can be added"):
        summed(tmp_path)
