"""One block at a time: the same numbers as with all blocks in memory."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from activations.families import CONFIGS, FURTHER
from brainalign.activations import streaming
from brainalign.activations.blocks import find_blocks, input_device, reading
from brainalign.activations.extraction import extract
from brainalign.activations.readout import Readout
from brainalign.activations.store import Memory
from brainalign.activations.streaming import load_for_streaming, resumable, stream
from brainalign.errors import InputError
from brainalign.models.loading import load

Saved = Callable[[str], Path]
States = dict[tuple[int, str], torch.Tensor]


@pytest.fixture(scope="module")
def saved(make_model: Callable[[str], Any], byte_tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Saved:
    """Return a function that saves a tiny model of a family, and returns its folder."""
    folders: dict[str, Path] = {}

    def save(family: str) -> Path:
        if family not in folders:
            folders[family] = tmp_path_factory.mktemp(family)
            make_model(family).save_pretrained(folders[family])
            byte_tokenizer.save_pretrained(folders[family])
        return folders[family]

    return save


def _batches(family: str) -> list[dict[str, torch.Tensor]]:
    """Three texts of other lengths, filled up, and one alone."""
    mask = torch.tensor([[1] * 9, [1] * 6 + [0] * 3, [1] * 3 + [0] * 6])
    ids = torch.randint(2, 300, (3, 9), generator=torch.Generator().manual_seed(0)) * mask
    batches = [{"input_ids": ids, "attention_mask": mask}, {"input_ids": ids[:1, :5], "attention_mask": mask[:1, :5]}]
    if family in ("t5", "bart"):
        batches = [{**batch, **{f"decoder_{name}": value[:, :4] for name, value in batch.items()}} for batch in batches]
    return batches


def _resident(model: Any, batches: Sequence[Mapping[str, torch.Tensor]]) -> States:
    found: States = {}
    for number, batch in enumerate(batches):
        inputs = {name: value.to(input_device(find_blocks(model))) for name, value in batch.items()}
        with (
            torch.inference_mode(),
            reading(find_blocks(model), lambda layer, s, n=number: found.update({(n, layer): s})),
        ):
            model(**inputs, use_cache=False)
    return found


def _assert_same(found: States, expected: States, batches: Sequence[Mapping[str, torch.Tensor]]) -> None:
    """Assert ‖found − expected‖ / ‖expected‖ ≤ 1e-6 where a text has tokens."""
    assert list(dict.fromkeys(layer for _, layer in found)) == list(dict.fromkeys(layer for _, layer in expected))
    assert set(found) == set(expected)
    for (number, layer), states in expected.items():
        seen = batches[number]["decoder_attention_mask" if layer.startswith("decoder_") else "attention_mask"].bool()
        assert torch.linalg.norm((found[number, layer] - states)[seen]) <= 1e-6 * torch.linalg.norm(states[seen]), layer


@pytest.mark.parametrize("family", [*CONFIGS, *FURTHER])
def test_streamed_is_resident(make_model: Callable[[str], Any], saved: Saved, family: str, tmp_path: Path) -> None:
    batches = _batches(family)
    model, _ = load_for_streaming(saved(family), "float32", "cpu", tmp_path / "weights")
    assert all(
        weight.is_meta for stack in model.blocks.stacks for block in stack.blocks for weight in block.parameters()
    )
    found: States = {}
    stream(model, batches, lambda number, layer, states: found.update({(number, layer): states}), tmp_path / "spill")
    _assert_same(found, _resident(make_model(family), batches), batches)
    assert all(
        weight.is_meta for stack in model.blocks.stacks for block in stack.blocks for weight in block.parameters()
    )


@pytest.mark.parametrize(
    ("family", "dtype"), [("llama", "bfloat16"), ("llama", "float16"), ("t5", "float16"), ("t5", "bfloat16")]
)
def test_half_precision(saved: Saved, tmp_path: Path, family: str, dtype: Any) -> None:
    """Some of T5's weights stay in float32 in a model of float16."""
    batches = _batches(family)
    resident, _ = load(saved(family), dtype)
    model, _ = load_for_streaming(saved(family), dtype, "cpu", tmp_path / "weights")
    found: States = {}
    stream(model, batches, lambda number, layer, states: found.update({(number, layer): states}), tmp_path / "spill")
    for key, states in _resident(resident, batches).items():
        assert found[key].dtype == states.dtype
        assert torch.equal(found[key], states)


@pytest.mark.parametrize("family", ["llama", "t5", "bert", "mamba"])
@pytest.mark.parametrize("readout", [Readout(pooling="mean"), Readout("none", pooling="last"), Readout(limit=24)])
def test_an_extraction_is_the_same(
    make_model: Callable[[str], Any], saved: Saved, stimuli: pd.DataFrame, tmp_path: Path, family: str, readout: Readout
) -> None:
    model, tokenizer = load_for_streaming(saved(family), "float32", "cpu", tmp_path / "weights")
    found = extract(model, tokenizer, stimuli, readout, budget=100)
    expected = extract(make_model(family), tokenizer, stimuli, readout, budget=100)
    assert found.summary == expected.summary
    assert list(found.layers) == list(expected.layers)
    for layer, states in expected.layers.items():
        np.testing.assert_allclose(found.layers[layer], states, rtol=1e-5, atol=1e-7)


class _Cut(Exception):
    pass


@pytest.mark.parametrize("family", ["llama", "t5"])
def test_it_goes_on_from_every_layer_and_batch(saved: Saved, family: str, tmp_path: Path) -> None:
    batches = _batches(family)
    model, _ = load_for_streaming(saved(family), "float32", "cpu", tmp_path / "weights")
    whole: States = {}
    stream(model, batches, lambda number, layer, states: whole.update({(number, layer): states}), tmp_path / "whole")
    places = list(whole)
    for cut in range(len(places)):
        spill, found = tmp_path / f"spill-{cut}", dict[tuple[int, str], torch.Tensor]()

        def receive(number: int, layer: str, states: Any, found: States = found, cut: int = cut) -> None:
            if len(found) == cut:
                raise _Cut  # after the states were spilt, before they count
            found[number, layer] = states

        with pytest.raises(_Cut):
            stream(model, batches, receive, spill)
        start = divmod(cut, len(batches))
        assert resumable(model, spill, start, len(batches))
        again: States = {}
        stream(model, batches, lambda n, layer, s, again=again: again.update({(n, layer): s}), spill, start)
        assert list(again) == places[cut:]
        assert all(torch.equal(again[place], whole[place]) for place in again)


def test_torn_states_are_not_used(saved: Saved, tmp_path: Path) -> None:
    batches, spill = _batches("llama"), tmp_path / "spill"
    model, _ = load_for_streaming(saved("llama"), "float32", "cpu", tmp_path / "weights")

    def receive(number: int, layer: str, states: Any) -> None:
        if layer == "block_02":
            raise _Cut

    with pytest.raises(_Cut):
        stream(model, batches, receive, spill)
    assert resumable(model, spill, (2, 0), len(batches))
    torn = spill / "block_01-1"
    content = bytearray(torn.read_bytes())
    content[-1] ^= 1
    torn.write_bytes(content)
    assert not resumable(model, spill, (2, 0), len(batches))
    torn.unlink()
    assert not resumable(model, spill, (2, 0), len(batches))


def test_an_extraction_begins_again_where_states_are_torn(
    saved: Saved, stimuli: pd.DataFrame, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model, tokenizer = load_for_streaming(saved("llama"), "float32", "cpu", tmp_path / "weights")
    expected = extract(model, tokenizer, stimuli, Readout(), budget=60)

    class Cut(Memory):
        def finish(self, step: Any) -> None:
            super().finish(step)
            if step["layer"] == 2:
                raise _Cut

    store = Cut(len(stimuli))
    with pytest.raises(_Cut):
        extract(model, tokenizer, stimuli, Readout(), budget=60, store=store)
    for path in store.scratch().glob("block_01-*"):
        path.write_bytes(b"torn")
    store.finish = lambda step: Memory.finish(store, step)  # type: ignore[method-assign]
    found = extract(model, tokenizer, stimuli, Readout(), budget=60, store=store)
    assert "are not whole; beginning again" in caplog.text
    for layer, states in expected.layers.items():
        np.testing.assert_array_equal(found.layers[layer], states)


def test_a_lack_of_memory_halves_the_budget(
    saved: Saved,
    stimuli: pd.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    model, tokenizer = load_for_streaming(saved("llama"), "float32", "cpu", tmp_path / "weights")
    expected = extract(model, tokenizer, stimuli, Readout("none"))
    run = streaming._pass

    def limited(*arguments: Any) -> Any:
        if arguments[3].states.shape[0] * arguments[3].states.shape[1] > 120:
            raise torch.OutOfMemoryError("out of memory")
        return run(*arguments)

    monkeypatch.setattr(streaming, "_pass", limited)
    found = extract(model, tokenizer, stimuli, Readout("none"))
    assert "the memory does not suffice; beginning again with batches of" in caplog.text
    for layer, states in expected.layers.items():
        np.testing.assert_allclose(found.layers[layer], states, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("change", ["states of another shape", "something that every block changes"])
def test_blocks_that_cannot_run_by_themselves_are_refused_by_name(
    saved: Saved, stimuli: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """T5's position bias is the same for all blocks; a block that handed on a changed one would break its stubs."""
    from transformers.models.t5.modeling_t5 import T5Block

    forward = T5Block.forward

    def changed(self: Any, *arguments: Any, **named: Any) -> Any:
        states, bias, cross = forward(self, *arguments, **named)
        return (states[:, :1], bias, cross) if "shape" in change else (states, bias + 1, cross)

    monkeypatch.setattr(T5Block, "forward", changed)
    model, tokenizer = load_for_streaming(saved("t5"), "float32", "cpu", tmp_path / "weights")
    with pytest.raises(InputError, match="T5Model cannot be streamed: besides the states"):
        extract(model, tokenizer, stimuli, Readout())


def test_an_encoder_that_ends_in_a_norm_of_another_name_is_refused(
    byte_tokenizer: Any, stimuli: pd.DataFrame, tmp_path: Path
) -> None:
    from transformers import BigBirdPegasusConfig, BigBirdPegasusModel

    config = BigBirdPegasusConfig(
        vocab_size=320, d_model=16, encoder_layers=2, decoder_layers=2, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16, max_position_embeddings=128,
        attention_type="original_full",
    )  # fmt: skip
    BigBirdPegasusModel(config).save_pretrained(tmp_path / "model")
    byte_tokenizer.save_pretrained(tmp_path / "model")
    model, tokenizer = load_for_streaming(tmp_path / "model", "float32", "cpu", tmp_path / "weights")
    with pytest.raises(InputError, match="BigBirdPegasusModel cannot be streamed"):
        extract(model, tokenizer, stimuli, Readout())


def test_a_later_block_that_is_not_causal_is_found(saved: Saved, stimuli: pd.DataFrame, tmp_path: Path) -> None:
    model, tokenizer = load_for_streaming(saved("gpt2"), "float32", "cpu", tmp_path / "weights")
    last = model.blocks.stacks[0].blocks[2]
    last.register_forward_hook(lambda _module, _inputs, states: states + states.mean(1, keepdim=True))
    with pytest.raises(InputError, match="in GPT2Model a token's state at block_03 depends on what follows it"):
        extract(model, tokenizer, stimuli, Readout())


def test_sharded_weights_give_the_same_states(make_model: Callable[[str], Any], saved: Saved, tmp_path: Path) -> None:
    """Several cards stand in for by the CPU and the disk, between which accelerate moves states just the same."""
    places = {"embed_tokens": "cpu", "layers.0": "disk", "layers.1": "cpu", "norm": "disk", "rotary_emb": "cpu"}
    model, _ = load(saved("llama"), device_map=places, offload_folder=tmp_path)
    assert next(model.layers[0].parameters()).is_meta
    batches = _batches("llama")
    _assert_same(_resident(model, batches), _resident(make_model("llama"), batches), batches)
