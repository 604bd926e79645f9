from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import LlamaConfig, LlamaModel

from activations.families import CONFIGS, DECODERS
from brainalign.activations.extraction import extract
from brainalign.activations.one_by_one import extract_one_by_one
from brainalign.activations.passes import Reader, plan_passes
from brainalign.activations.presets import PRESETS
from brainalign.activations.readout import Readout
from brainalign.errors import InputError

Tables = Callable[..., pd.DataFrame]
Models = Callable[[str], Any]
POOLINGS = ["last", "mean", "sum", "first", "max"]


def assert_same(fast: Mapping[str, np.ndarray], slow: Mapping[str, np.ndarray]) -> None:
    """Assert that ‖fast − slow‖ / ‖slow‖ ≤ 1e-5 for every row of every layer."""
    assert list(fast) == list(slow)
    for layer, expected in slow.items():
        assert fast[layer].dtype == np.float32
        error = np.linalg.norm(fast[layer] - expected, axis=1) / np.linalg.norm(expected, axis=1)
        assert error.max() <= 1e-5, layer


def _assert_twins(model: Any, tokenizer: Any, stimuli: pd.DataFrame, readout: Readout) -> dict:
    fast = extract(model, tokenizer, stimuli, readout)
    assert_same(fast.layers, extract_one_by_one(model, tokenizer, stimuli, readout))
    return dict(fast.summary)


CONTEXTS = [
    {"context": "none"},
    {"context": "group"},
    {"context": "window", "window": 2},
    {"context": "window", "window": 5, "unit": "tokens"},
]


@pytest.mark.parametrize("limit", [None, 24])
@pytest.mark.parametrize("overflow", ["restart", "slide"])
@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("family", ["gpt2", "llama", "t5"])
def test_fast_is_slow(
    make_model: Models,
    byte_tokenizer: Any,
    stimuli: pd.DataFrame,
    family: str,
    context: dict,
    overflow: str,
    limit: int | None,
) -> None:
    readout = Readout.from_mapping({**context, "pooling": "mean", "overflow": overflow, "limit": limit})
    _assert_twins(make_model(family), byte_tokenizer, stimuli, readout)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_every_pooling(make_model: Models, byte_tokenizer: Any, stimuli: pd.DataFrame, pooling: str) -> None:
    _assert_twins(make_model("llama"), byte_tokenizer, stimuli, Readout(pooling=pooling))


@pytest.mark.parametrize("overflow", ["restart", "slide"])
@pytest.mark.parametrize("family", CONFIGS)
def test_every_family(
    make_model: Models, byte_tokenizer: Any, stimuli: pd.DataFrame, family: str, overflow: str
) -> None:
    readout = Readout(pooling="mean", overflow=overflow, limit=24)
    summary = _assert_twins(make_model(family), byte_tokenizer, stimuli, readout)
    assert (summary["parts_alone_by_model"] == len(stimuli)) == (family not in DECODERS)
    assert (summary["parts_shared"] > 0) == (family in DECODERS)


@pytest.mark.parametrize("special_tokens", ["none", "part"])
@pytest.mark.parametrize("tokenizer", ["byte_tokenizer", "spanning_tokenizer"])
@pytest.mark.parametrize("family", ["gpt2", "bert", "bart"])
def test_special_tokens(
    make_model: Models,
    request: pytest.FixtureRequest,
    tables: Tables,
    family: str,
    tokenizer: str,
    special_tokens: str,
) -> None:
    stimuli = tables(["a b", "a", "b c"], ["d"])
    for pooling in ("mean", "last", "first"):
        readout = Readout(pooling=pooling, special_tokens=special_tokens)
        _assert_twins(make_model(family), request.getfixturevalue(tokenizer), stimuli, readout)


def test_the_last_token_of_brain_score_is_the_sep(make_model: Models, spanning_tokenizer: Any, tables: Tables) -> None:
    readout = Readout.from_mapping(PRESETS["brain-score"])
    stimuli = tables(["a b", "c d"])
    layers = extract(make_model("bert"), spanning_tokenizer, stimuli, readout).layers
    for row, text in enumerate(["a b", "a b c d"]):
        ids = torch.tensor([spanning_tokenizer(text).input_ids])
        assert ids[0, -1] == spanning_tokenizer.eos_token_id
        with torch.inference_mode():
            expected = make_model("bert")(ids).last_hidden_state[0, -1].numpy()
        np.testing.assert_allclose(layers["block_02"][row], expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("preset", PRESETS)
def test_presets(make_model: Models, byte_tokenizer: Any, stimuli: pd.DataFrame, preset: str) -> None:
    for limit in (None, 12):
        readout = Readout.from_mapping({**PRESETS[preset], "limit": limit})
        _assert_twins(make_model("llama"), byte_tokenizer, stimuli, readout)


@pytest.mark.parametrize("decoder_input", ["text", "start"])
@pytest.mark.parametrize("family", ["t5", "bart"])
def test_what_a_decoder_reads(
    make_model: Models, byte_tokenizer: Any, stimuli: pd.DataFrame, family: str, decoder_input: str
) -> None:
    readout = Readout(pooling="mean", decoder_input=decoder_input, prompt="summarize:")
    _assert_twins(make_model(family), byte_tokenizer, stimuli, readout)


def test_the_decoder_reads_the_text_after_its_start_token(
    make_model: Models, byte_tokenizer: Any, tables: Tables
) -> None:
    """As T5 is trained: labels shifted to the right by one; the state of a token is where it is read."""
    model = make_model("t5")
    ids = torch.tensor([byte_tokenizer("The red").input_ids])  # <s> and the text
    shifted = torch.cat([torch.zeros((1, 1), dtype=torch.int64), ids], 1)
    with torch.inference_mode():
        expected = model(input_ids=ids, decoder_input_ids=shifted).last_hidden_state[0, -1].numpy()
    found = extract(model, byte_tokenizer, tables(["The red"]), Readout()).layers["decoder_final"]
    np.testing.assert_allclose(found[0], expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("overflow", ["restart", "slide"])
def test_tokens_that_span_parts(make_model: Models, spanning_tokenizer: Any, tables: Tables, overflow: str) -> None:
    stimuli = tables(["a b", "a", "b c", "d", "c d d", "c"], ["b", "b"], ["a b a b", "a b a b", "a b a b"])
    summary = _assert_twins(make_model("gpt2"), spanning_tokenizer, stimuli, Readout(pooling="mean"))
    assert summary["parts_alone_by_tokens"] > 0
    _assert_twins(make_model("gpt2"), spanning_tokenizer, stimuli, Readout(pooling="sum", overflow=overflow, limit=5))


@pytest.mark.parametrize("rope_type", ["dynamic", "longrope", "linear", "llama3", "yarn"])
def test_positions_that_are_scaled(byte_tokenizer: Any, stimuli: pd.DataFrame, rope_type: str) -> None:
    """Dynamic and longrope encode a position by the length of the text; the others do not."""
    rope = {"rope_type": rope_type, "rope_theta": 1e4, "factor": 2.0, "original_max_position_embeddings": 16}
    if rope_type == "longrope":
        rope |= {"short_factor": [1.0] * 4, "long_factor": [3.0] * 4}
    if rope_type == "llama3":
        rope |= {"low_freq_factor": 1.0, "high_freq_factor": 4.0}
    config = LlamaConfig(
        vocab_size=320, hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=64, rope_parameters=rope,
    )  # fmt: skip
    torch.manual_seed(0)
    summary = _assert_twins(LlamaModel(config).eval(), byte_tokenizer, stimuli, Readout(pooling="mean"))
    assert (summary["parts_alone_by_model"] > 0) == (rope_type in ("dynamic", "longrope"))


_TEXTS = st.text(alphabet=st.sampled_from("ab .'\n\u0301é日🙂👩\u200d"), min_size=1, max_size=12).filter(str.strip)


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    groups=st.lists(st.lists(_TEXTS, min_size=1, max_size=6), min_size=1, max_size=3),
    pooling=st.sampled_from(POOLINGS),
    context=st.sampled_from([*CONTEXTS, {"context": "window", "window": 1}]),
    overflow=st.sampled_from(["restart", "slide"]),
    limit=st.sampled_from([None, 9, 30]),
    join=st.sampled_from(["spaces", "punctuation"]),
    special_tokens=st.sampled_from(["none", "part"]),
    prompt=st.sampled_from([None, "a.", "é\n"]),
    family=st.sampled_from(["llama", "llama", "roberta", "t5"]),
    tokenizer=st.sampled_from(["byte", "byte", "spanning"]),
)
def test_any_text(
    make_model: Models,
    byte_tokenizer: Any,
    spanning_tokenizer: Any,
    tables: Tables,
    groups: list[list[str]],
    context: dict,
    family: str,
    tokenizer: str,
    **settings: Any,
) -> None:
    readout = Readout.from_mapping({**context, **settings})
    chosen = {"byte": byte_tokenizer, "spanning": spanning_tokenizer}[tokenizer]
    _assert_twins(make_model(family), chosen, tables(*groups), readout)


def test_one_pass_per_group(make_model: Models, byte_tokenizer: Any, stimuli: pd.DataFrame) -> None:
    summary = extract(make_model("llama"), byte_tokenizer, stimuli, Readout()).summary
    assert summary["parts"] == len(stimuli)
    assert summary["passes"] == stimuli["context_group"].nunique()
    assert summary["parts_shared"] == summary["parts"] - summary["passes"]
    assert summary["parts_past_limit"] == summary["parts_truncated"] == summary["tokens_truncated"] == 0


def test_what_the_limit_costs_is_counted(make_model: Models, byte_tokenizer: Any, tables: Tables) -> None:
    stimuli = tables(["x"], ["a" * 9 + "b" * 9])
    count = len(byte_tokenizer.tokenize(stimuli["text"].iloc[1]))
    summary = extract(make_model("llama"), byte_tokenizer, stimuli, Readout("none", pooling="mean", limit=5)).summary
    assert (summary["parts_past_limit"], summary["parts_truncated"]) == (1, 1)
    assert summary["tokens_truncated"] == count - 4


def test_the_models_own_limit_holds(make_model: Models, byte_tokenizer: Any, tables: Tables) -> None:
    stimuli = tables(["long day "] * 60)
    summary = _assert_twins(make_model("gpt2"), byte_tokenizer, stimuli, Readout(pooling="mean", limit=10_000))
    assert summary["parts_past_limit"] > 0


def test_context_matters_and_a_group_is_its_border(make_model: Models, byte_tokenizer: Any, tables: Tables) -> None:
    alone = tables(["a fox"], ["a fox"], ["It", "a fox"])
    layers = extract(make_model("llama"), byte_tokenizer, alone, Readout()).layers
    np.testing.assert_allclose(layers["final"][0], layers["final"][1], rtol=1e-4)
    assert np.abs(layers["final"][3] - layers["final"][0]).max() > 1e-3


@pytest.mark.parametrize("budget", [1, 40, 10_000])
def test_the_budget_changes_nothing(
    make_model: Models, byte_tokenizer: Any, stimuli: pd.DataFrame, budget: int
) -> None:
    reference = extract(make_model("gpt2"), byte_tokenizer, stimuli, Readout("none", pooling="mean"))
    layers = extract(make_model("gpt2"), byte_tokenizer, stimuli, Readout("none", pooling="mean"), budget=budget).layers
    assert_same(layers, reference.layers)


def test_equal_bytes_again(make_model: Models, byte_tokenizer: Any, stimuli: pd.DataFrame) -> None:
    first, second = (extract(make_model("gpt2"), byte_tokenizer, stimuli, Readout(pooling="mean")) for _ in range(2))
    for layer, states in first.layers.items():
        np.testing.assert_array_equal(states, second.layers[layer])


@pytest.mark.parametrize("text", ["", " ", "\n"])
def test_empty_text_is_refused_before_any_pass(
    make_model: Models, byte_tokenizer: Any, tables: Tables, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brainalign.activations.resident._forward", None)
    with pytest.raises(InputError, match="stimulus '1-0' has no text"):
        extract(make_model("llama"), byte_tokenizer, tables(["fine"], [text]), Readout())


def test_a_part_without_tokens_is_refused_before_any_pass(
    make_model: Models, spanning_tokenizer: Any, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tokenizers import normalizers
    from transformers import PreTrainedTokenizerFast

    backend = type(spanning_tokenizer._tokenizer).from_str(spanning_tokenizer._tokenizer.to_str())
    backend.normalizer = normalizers.Replace("z", "")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend)
    monkeypatch.setattr("brainalign.activations.resident._forward", None)
    with pytest.raises(InputError, match="stimulus '0-0' yields no token"):
        extract(make_model("gpt2"), tokenizer, tables(["zz"]), Readout())


@pytest.mark.parametrize("read", [extract, extract_one_by_one])
def test_a_state_that_is_not_finite_is_named(byte_tokenizer: Any, tables: Tables, read: Callable) -> None:
    config = LlamaConfig(vocab_size=320, hidden_size=8, intermediate_size=8, num_hidden_layers=2, num_attention_heads=1)
    model = LlamaModel(config).eval()
    bad = byte_tokenizer("b").input_ids[-1]
    with torch.no_grad():
        model.layers[0].mlp.down_proj.weight.zero_()
        model.embed_tokens.weight[bad] = torch.nan
    stimuli = tables(["a"], ["b"])
    with pytest.raises(InputError, match="layer embeddings for stimulus '1-0' is not finite"):
        read(model, byte_tokenizer, stimuli, Readout("none"))


def test_bfloat16_is_read_as_float32(byte_tokenizer: Any, stimuli: pd.DataFrame, make_model: Models) -> None:
    import copy

    model = copy.deepcopy(make_model("llama")).bfloat16()
    layers = extract(model, byte_tokenizer, stimuli, Readout(pooling="mean")).layers
    reference = extract(make_model("llama"), byte_tokenizer, stimuli, Readout(pooling="mean")).layers
    assert {states.dtype for states in layers.values()} == {np.dtype("float32")}
    difference = np.linalg.norm(layers["final"] - reference["final"]) / np.linalg.norm(reference["final"])
    assert 0 < difference < 0.05


@pytest.mark.parametrize("overflow", ["restart", "slide"])
def test_a_window_of_tokens_is_as_long_as_it_says(
    make_model: Models, byte_tokenizer: Any, tables: Tables, overflow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past the limit of the whole text, too, as long as window and part fit it."""
    stimuli = tables(["The red fox"] * 40)
    readout = Readout("window", 30, "tokens", "mean", overflow, limit=60)
    plan = plan_passes(stimuli, byte_tokenizer, readout, Reader(causal=True, limit=60))
    per_part = len(byte_tokenizer(" The red fox", add_special_tokens=False).input_ids)
    found = {part.row: part.first - 1 for item in plan.passes for part in item.parts}  # without <s>
    first = len(byte_tokenizer("The red fox", add_special_tokens=False).input_ids)
    assert found == {row: min(30, first + (row - 1) * per_part if row else 0) for row in range(40)}
    _assert_twins(make_model("llama"), byte_tokenizer, stimuli, readout)


@pytest.mark.parametrize("overflow", ["restart", "slide"])
def test_what_a_decoder_reads_fits_its_limit(
    make_model: Models, byte_tokenizer: Any, tables: Tables, overflow: str
) -> None:
    """Its start token takes a position too, also where the tokenizer adds none at the end."""
    readout = Readout(pooling="mean", overflow=overflow)
    summary = _assert_twins(make_model("bart"), byte_tokenizer, tables(["long day "] * 60), readout)
    assert summary["parts_past_limit"] > 0


@pytest.mark.parametrize(
    ("name", "sizes", "sentence"),
    [
        ("LED", {"d_model": 16, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 2,
                 "decoder_attention_heads": 2, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16, "attention_window": 8,
                 "max_encoder_position_embeddings": 128, "max_decoder_position_embeddings": 128},
         "the states of LEDModel at encoder_embeddings are of shape"),
        ("ProphetNet", {"hidden_size": 16, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16, "num_encoder_layers": 1,
                        "num_decoder_layers": 1, "num_encoder_attention_heads": 2, "num_decoder_attention_heads": 2,
                        "max_position_embeddings": 128},
         "the states of ProphetNetModel at decoder_embeddings are of shape"),
    ],
)  # fmt: skip
def test_states_whose_tokens_cannot_be_told_are_refused(
    byte_tokenizer: Any, stimuli: pd.DataFrame, name: str, sizes: dict, sentence: str
) -> None:
    import transformers

    config = getattr(transformers, f"{name}Config")(vocab_size=320, **sizes)
    with pytest.raises(InputError, match=sentence):
        extract(transformers.AutoModel.from_config(config).eval(), byte_tokenizer, stimuli, Readout())


def test_blocks_that_return_lists_are_read(byte_tokenizer: Any, stimuli: pd.DataFrame) -> None:
    from transformers import OpenAIGPTConfig, OpenAIGPTModel

    config = OpenAIGPTConfig(vocab_size=320, n_embd=16, n_layer=2, n_head=2, n_positions=128)
    summary = _assert_twins(OpenAIGPTModel(config).eval(), byte_tokenizer, stimuli, Readout(pooling="mean"))
    assert summary["parts_shared"] > 0
