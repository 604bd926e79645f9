"""Batches, what happens when they do not fit, and going on after an interruption."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from brainalign.activations import resident
from brainalign.activations.extraction import extract
from brainalign.activations.readout import Readout
from brainalign.activations.store import Memory
from brainalign.errors import InputError

Models = Callable[[str], Any]
READOUT = Readout("none", pooling="mean")


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The passes of every batch that a test makes, in order."""
    made: list[list[int]] = []
    forward = resident._forward

    def noted(blocks: Any, batch: Any) -> Any:
        made.append(batch.indices)
        return forward(blocks, batch)

    monkeypatch.setattr(resident, "_forward", noted)
    return made


class Interrupted(Memory):
    """A store that is interrupted when so many steps are finished."""

    def __init__(self, rows: int, steps: int) -> None:
        super().__init__(rows)
        self._left = steps

    def finish(self, step: Any) -> None:
        if not self._left:
            raise KeyboardInterrupt
        self._left -= 1
        super().finish(step)


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_an_interrupted_reading_goes_on(
    make_model: Models, byte_tokenizer: Any, stimuli: pd.DataFrame, batches: list[list[int]], steps: int
) -> None:
    model = make_model("gpt2")
    whole = extract(model, byte_tokenizer, stimuli, READOUT, budget=60)
    plan = list(batches)
    assert len(plan) == 4
    store = Interrupted(len(stimuli), steps)
    with pytest.raises(KeyboardInterrupt):
        extract(model, byte_tokenizer, stimuli, READOUT, budget=60, store=store)
    batches.clear()
    store._left = len(plan)
    again = extract(model, byte_tokenizer, stimuli, READOUT, budget=9999, store=store)  # the budget is the store's
    assert batches == plan[steps:] if steps else len(batches) == 1
    for layer, states in whole.layers.items():
        if steps:
            np.testing.assert_array_equal(again.layers[layer], states)


def _fits(batch: Any, tokens: int) -> bool:
    return bool(batch.inputs()["input_ids"].numel() <= tokens)


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory."), MemoryError(), RuntimeError(
    "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you tried ..."
), RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`")])  # fmt: skip
def test_a_batch_that_does_not_fit_halves_the_budget(
    make_model: Models,
    byte_tokenizer: Any,
    stimuli: pd.DataFrame,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    model = make_model("gpt2")
    whole = extract(model, byte_tokenizer, stimuli, READOUT)
    forward = resident._forward

    def limited(blocks: Any, batch: Any) -> Any:
        if not _fits(batch, 100):
            raise error
        return forward(blocks, batch)

    monkeypatch.setattr(resident, "_forward", limited)
    store = Memory(len(stimuli))
    found = extract(model, byte_tokenizer, stimuli, READOUT, store=store)
    assert "the memory does not suffice; going on with batches of" in caplog.text
    assert sorted(index for step in store.steps for index in step["passes"]) == list(range(len(stimuli)))
    assert {step["budget"] for step in store.steps} <= set(range(25, 101))
    for layer, states in whole.layers.items():
        np.testing.assert_allclose(found.layers[layer], states, rtol=1e-4, atol=1e-6)


def test_a_single_pass_that_does_not_fit(
    make_model: Models, byte_tokenizer: Any, stimuli: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(blocks: Any, batch: Any) -> Any:
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr(resident, "_forward", never)
    with pytest.raises(MemoryError, match=r"a single pass of \d+ tokens does not fit; a readout with a lower `limit`"):
        extract(make_model("gpt2"), byte_tokenizer, stimuli, READOUT)


def test_another_error_is_not_taken_for_a_lack_of_memory(
    make_model: Models, byte_tokenizer: Any, stimuli: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(blocks: Any, batch: Any) -> Any:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(resident, "_forward", broken)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        extract(make_model("gpt2"), byte_tokenizer, stimuli, READOUT)


def test_what_was_finished_before_a_state_that_is_not_finite_is_kept(byte_tokenizer: Any, tables: Any) -> None:
    from transformers import GPT2Config, GPT2Model

    model = GPT2Model(GPT2Config(vocab_size=320, n_embd=8, n_layer=1, n_head=1)).eval()
    with torch.no_grad():
        model.wte.weight[byte_tokenizer("b").input_ids[-1]] = torch.nan
    stimuli = tables(["The red fox sleeps."], ["a fox."], ["b"])
    store = Memory(len(stimuli))
    with pytest.raises(InputError, match="layer embeddings for stimulus '2-0' is not finite"):
        extract(model, byte_tokenizer, stimuli, READOUT, budget=1, store=store)
    assert [step["passes"] for step in store.steps] == [[0], [1]]


def test_texts_of_other_lengths_are_not_read_together_where_the_length_matters(
    byte_tokenizer: Any, stimuli: pd.DataFrame, batches: list[list[int]]
) -> None:
    from transformers import LlamaConfig, LlamaModel

    rope = {"rope_type": "dynamic", "rope_theta": 1e4, "factor": 2.0}
    config = LlamaConfig(
        vocab_size=320, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=64, rope_parameters=rope,
    )  # fmt: skip
    extract(LlamaModel(config).eval(), byte_tokenizer, stimuli, READOUT)
    lengths = [len(byte_tokenizer(text).input_ids) for text in stimuli["text"]]
    assert all(len({lengths[index] for index in batch}) == 1 for batch in batches)
    assert max(len(batch) for batch in batches) > 1  # the repeated sentences
